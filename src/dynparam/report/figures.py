"""The figures of the report: picture, caption, plotted data and provenance of each, all embedded."""

from __future__ import annotations

import base64
import mimetypes
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from dynparam.presentation.tables import Cell, verdict
from dynparam.provenance.experiment import ShownFigure
from dynparam.provenance.record import read_sidecar
from dynparam.report.documents import caption
from dynparam.report.sidecar_text import Entries, sections, summary
from dynparam.support.errors import DataError
from dynparam.support.regular_files import read_input
from dynparam.support.tables import read_cells

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

SVG_HEAD_BYTES = 1024
"""Before its root an SVG has the lines that say what it is."""

MAX_SHOWN_BYTES = 2**28
"""The largest file that the page shows or embeds."""

REMEDY = "delete it and run its rule again"


@dataclass(frozen=True)
class Figure:
    """A figure of the page.

    Attributes:
        name: its file's name and its Snakemake target.
        leading: whether it may stand on the first screen.
        title: what it is called.
        thesis: the figures, sections and equations of the thesis it belongs to.
        caption: what it shows.
        alternative: the same for those who cannot see it: the message above its panels, and how the
            claims that it shows come out.
        claims: those claims, each with its verdict.
        picture: the SVG or the PNG, whichever is smaller, as a ``data:`` address.
        width: of the PNG in pixels, and so the picture's full size on the page.
        height: likewise.
        kind: what kind of picture it is: the ending of its file.
        vector: the PDF as a ``data:`` address.
        data: the plotted CSV as a ``data:`` address.
        head: the columns of the plotted data.
        rows: its rows.
        made: a line on where it comes from.
        provenance: all of its sidecar.
        remark: what the sidecar adds to the caption.
    """

    name: str
    leading: bool
    title: str
    thesis: str
    caption: Markup
    alternative: str
    claims: tuple[tuple[str, Cell], ...]
    picture: str
    kind: str
    width: int
    height: int
    vector: str
    data: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    made: str
    provenance: tuple[Entries, ...]
    remark: str


def read_figure(
    shown: ShownFigure, folder: Path, told: Path, claims: Mapping[str, str] | None = None
) -> Figure:
    """A figure from its files.

    Args:
        shown: the figure.
        folder: where its files lie.
        told: the file that holds its caption, if there is one.
        claims: the claims that it shows, each with its verdict.

    Raises:
        DataError: a file is not what its name says.
    """
    stem = folder / shown.name
    text = told.read_text(encoding="utf-8") if told.is_file() else ""
    width, height = _size(stem.with_name(f"{shown.name}.png"))
    picture = _smaller(*(stem.with_name(f"{shown.name}.{kind}") for kind in ("svg", "png")))
    record = read_sidecar(stem.with_name(f"{shown.name}.json"))
    head, *rows = read_cells(stem.with_name(f"{shown.name}.csv"))
    return Figure(
        name=shown.name,
        leading=shown.leading,
        title=shown.title,
        thesis=shown.source,
        caption=caption(text),
        alternative=_alternative(shown.title, str(record.get("message", "")), claims or {}),
        claims=tuple((claim, verdict(word)) for claim, word in (claims or {}).items()),
        picture=embedded(picture),
        kind=picture.suffix.removeprefix("."),
        width=width,
        height=height,
        vector=embedded(stem.with_name(f"{shown.name}.pdf")),
        data=embedded(stem.with_name(f"{shown.name}.csv")),
        head=tuple(head),
        rows=tuple(tuple(row) for row in rows),
        made=summary(record),
        provenance=sections(record),
        remark=str(record.get("caption", "")),
    )


def _alternative(title: str, message: str, claims: Mapping[str, str]) -> str:
    """What a figure is, shows and says, in plain sentences."""
    said = [f"{claim.removesuffix('.')}: {word}" for claim, word in claims.items()]
    return " ".join(f"{part}." for part in (title, message, *said) if part)


def _smaller(svg: Path, png: Path) -> Path:
    """The SVG if it has fewer bytes than the PNG.

    The page shows it as an image, never as a part of itself: a browser runs no script of an image and
    asks no network for it, whoever has changed the file.
    """
    start = read_input(svg, MAX_SHOWN_BYTES, REMEDY)[:SVG_HEAD_BYTES]
    if b"<svg" not in start:
        raise DataError(f"{svg}: not an SVG picture; {REMEDY}")
    return svg if svg.stat().st_size < png.stat().st_size else png


def embedded(path: Path) -> str:
    """A file's content as a ``data:`` address, which needs neither disk nor network."""
    kind = mimetypes.guess_type(path.name)[0] or "text/plain"
    return data_address(read_input(path, MAX_SHOWN_BYTES, REMEDY), kind)


def data_address(content: bytes, kind: str) -> str:
    """Content of a MIME type as a ``data:`` address."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _size(path: Path) -> tuple[int, int]:
    """Width and height of a PNG in pixels, so that the page keeps its room before it is decoded."""
    start = read_input(path, MAX_SHOWN_BYTES, REMEDY)[:24]
    if len(start) < 24 or not start.startswith(PNG_SIGNATURE):
        raise DataError(f"{path}: not a PNG picture; {REMEDY}")
    width, height = struct.unpack(">II", start[16:24])
    return int(width), int(height)
