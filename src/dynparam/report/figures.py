"""The figures of the report: picture, caption, plotted data and provenance of each, all embedded."""

from __future__ import annotations

import base64
import csv
import io
import mimetypes
import struct
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from dynparam.configuration.config import Config
from dynparam.provenance.record import read_sidecar
from dynparam.report.documents import caption
from dynparam.report.sidecar_text import Section, sections, summary
from dynparam.support.errors import DataError

KINDS = ("png", "pdf", "csv", "json")
"""The files of a figure."""


PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class About:
    """What a figure is called, and where the thesis has it or what it tests."""

    title: str
    thesis: str


ABOUT = {
    "fig3_1": About("Fig. 3.1: the network", "Fig. 3.1, Sec. 3.1"),
    "fig3_2": About("Fig. 3.2: spectral parametrization", "Fig. 3.2; eqs. 2.31, 3.3-3.5"),
    "fig3_2_wide": About("Fig. 3.2 at great widths", "Fig. 3.2; eqs. 2.31, 3.3-3.5"),
    "fig3_3": About("Fig. 3.3: spectral and dynamic", "Fig. 3.3; eqs. 2.73-2.77, 3.3-3.5"),
    "fig3_3_wide": About("Fig. 3.3 at great widths", "Fig. 3.3; eqs. 2.73-2.77, 3.3-3.5"),
    "fig3_4": About("Fig. 3.4: training, airplane and automobile", "Fig. 3.4, Sec. 3.3"),
    "fig3_5": About("Fig. 3.5: training, bird and cat", "Fig. 3.5, Sec. 3.3"),
    "claim_domain": About("Where the claims on training hold", "Figs. 3.4 and 3.5, Sec. 3.3"),
    "table1_1": About("Table 1.1, measured", "Table 1.1"),
    "conditions": About("Which conditions hold", "Secs. 2.2 and 2.3; eqs. 2.18-2.66"),
    "r_sweep": About("The edge of stability in r", "Sec. 2.3.2; eqs. 2.54-2.67"),
    "open_choices": About("What the open choices change", "Figs. 3.2 and 3.3"),
}
"""The project's figures; others go by their name."""


@dataclass(frozen=True)
class Figure:
    """A figure of the page.

    Attributes:
        name: its file's name and its Snakemake target.
        title: what it is called.
        thesis: the figures, sections and equations of the thesis it belongs to.
        caption: what it shows.
        alternative: the same for those who cannot see it, in a sentence.
        picture: the PNG as a ``data:`` address; ``width`` and ``height`` in its pixels.
        vector: the PDF as a ``data:`` address.
        data: the plotted CSV as a ``data:`` address.
        head: the columns of the plotted data.
        rows: its rows.
        made: a line on where it comes from.
        provenance: all of its sidecar.
        remark: what the sidecar adds to the caption.
    """

    name: str
    title: str
    thesis: str
    caption: Markup
    alternative: str
    picture: str
    width: int
    height: int
    vector: str
    data: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    made: str
    provenance: tuple[Section, ...]
    remark: str


def figure_names(settings: Config) -> list[str]:
    """All figures of a configuration in the order of the page; one at great widths follows its own."""
    chosen = settings.figures
    names = [*chosen.architecture]
    for panel in settings.panels:
        names += [panel, *(wide for wide, shown in settings.law.figures.items() if shown == panel)]
    names += chosen.training
    names += [one for one in (chosen.domain,) if one]
    names += ["table1_1", "conditions"]
    names += [one for one in (chosen.sweep,) if one]
    return [*names, settings.open_choices.figure]


def read_figure(name: str, folder: Path, captions: Path) -> Figure:
    """A figure from its files, with the caption of its name in ``captions`` if there is one.

    Raises ``DataError`` if a file is missing or not what its name says.
    """
    stem = folder / name
    for kind in KINDS:
        require(stem.with_name(f"{name}.{kind}"), name)
    about = ABOUT.get(name, About(name.replace("_", " "), ""))
    told = captions / f"{name}.rst"
    text = told.read_text(encoding="utf-8") if told.is_file() else ""
    width, height = _size(stem.with_name(f"{name}.png"))
    record = read_sidecar(stem.with_name(f"{name}.json"))
    head, *rows = _table(stem.with_name(f"{name}.csv"))
    return Figure(
        name=name,
        title=about.title,
        thesis=about.thesis,
        caption=caption(text),
        alternative=f"{about.title}. What it plots is in the table below it, {len(rows)} rows.",
        picture=embedded(stem.with_name(f"{name}.png")),
        width=width,
        height=height,
        vector=embedded(stem.with_name(f"{name}.pdf")),
        data=embedded(stem.with_name(f"{name}.csv")),
        head=tuple(head),
        rows=tuple(tuple(row) for row in rows),
        made=summary(record),
        provenance=sections(record),
        remark=str(record.get("caption", "")),
    )


def require(path: Path, target: str) -> Path:
    """The path itself. Raises ``DataError`` that names the target to make if there is no such file."""
    if not path.is_file():
        raise DataError(
            f"{path}: the report needs this file; make it with snakemake --cores all {target}"
        )
    return path


def embedded(path: Path) -> str:
    """A file's content as a ``data:`` address, which needs neither disk nor network."""
    return data_address(path.read_bytes(), mimetypes.guess_type(path.name)[0] or "text/plain")


def data_address(content: bytes, kind: str) -> str:
    """Content of a MIME type as a ``data:`` address."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _size(path: Path) -> tuple[int, int]:
    """Width and height of a PNG in pixels, so that the page keeps its room before it is decoded."""
    start = path.read_bytes()[:24]
    if len(start) < 24 or not start.startswith(PNG_SIGNATURE):
        raise DataError(f"{path}: not a PNG picture; delete it and run its rule again")
    width, height = struct.unpack(">II", start[16:24])
    return int(width), int(height)


def _table(path: Path) -> list[list[str]]:
    """The cells of a CSV as they are written, the head first."""
    rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))
    if not rows:
        raise DataError(f"{path}: an empty table; delete it and run its rule again")
    return rows
