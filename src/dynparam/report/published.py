"""The figures and pages of a run beside those that the repository keeps: what is equal, and what is not.

Pictures are not compared: fonts and versions of libraries move pixels. What they plot is, to the byte
first, then number by number, since another machine rounds in another way.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from dynparam.configuration.config import Config
from dynparam.presentation.pages import Section, write_pages
from dynparam.presentation.sentences import counted, joined
from dynparam.presentation.tables import Column, TableView
from dynparam.presentation.verdicts import Count, count
from dynparam.provenance.experiment import Shown
from dynparam.provenance.sidecars import read_sidecar
from dynparam.report.contents import FIGURE_KINDS, all_figures, all_pages
from dynparam.settings.base import differences
from dynparam.support.files import sha256
from dynparam.support.regular_files import read_text, refusal
from dynparam.support.tables import NOTE, TEXT, Form, read_cells

TOLERANCE = 0.01
"""Two numbers agree if they differ by no more of the larger one."""

ROUNDING = 1e-4
"""So much of a column's largest number is rounding: two numbers near zero agree within it."""

MAX_PAGE_BYTES = 2**24
"""The largest page that is compared; those of the thesis have 60 kB."""

FIGURE, PAGE = KINDS = ("figure", "page")

EQUAL, AGREES, DISAGREES, OTHER, ABSENT = ANSWERS = (
    "equal",
    "agrees",
    "disagrees",
    "other settings",
    "not published",
)
"""Byte for byte; number by number; neither; under another configuration; nothing to compare with."""

FORM = Form(
    {"name": TEXT, "kind": KINDS, "verdict": ANSWERS, "note": NOTE, "made": TEXT, "published": TEXT},
    key=("kind", "name"),
)

NUMBER = re.compile(r"[+-]?\d[\d,]*(?:\.\d+)?(?:[eE][+-]?\d+)?")


@dataclass(frozen=True)
class Publication:
    """A figure or page of a run, and where the repository keeps it.

    Attributes:
        name: its file's name without an ending; of a page in a folder, with that.
        kind: figure or page.
        target: the target that makes it.
        files: all of its files in the run.
        compared: the one whose content is compared: what a figure plots, or the page.
        folder: where the repository keeps them.
    """

    name: str
    kind: str
    target: str
    files: tuple[Path, ...]
    compared: Path
    folder: Path

    @property
    def sidecar(self) -> Path:
        """Its sidecar in the run."""
        return self.compared.with_suffix(".json")

    def published(self, path: Path) -> Path:
        """Where the repository keeps one of its files."""
        return self.folder / path.name


def publications(settings: Config) -> Iterator[Publication]:
    """Every figure in the order of the report, then every page."""
    for _, shown in all_figures(settings):
        files = tuple(settings.paths.figures / f"{shown.name}.{kind}" for kind in FIGURE_KINDS)
        data = settings.paths.figures / f"{shown.name}.csv"
        yield Publication(shown.name, FIGURE, shown.name, files, data, settings.published.figures)
    for page in all_pages(settings):
        files = (page.path, page.path.with_suffix(".json"))
        folder = settings.published.pages / page.folder
        yield Publication(page.name, PAGE, page.target, files, page.path, folder)


def compared_files(settings: Config) -> list[Path]:
    """The files of the run that are compared, and their sidecars."""
    return [path for one in publications(settings) for path in (one.compared, one.sidecar)]


def published_hashes(settings: Config) -> dict[str, str]:
    """The SHA-256 of what the repository keeps of them, as far as it is there."""
    places = [
        one.published(path) for one in publications(settings) for path in (one.compared, one.sidecar)
    ]
    return {place.as_posix(): sha256(place) for place in places if place.is_file()}


def published_digest(settings: Config) -> str:
    """A digest of all that: a parameter of the rule that compares, whatever the files' times."""
    return hashlib.sha256(str(published_hashes(settings)).encode()).hexdigest()[:16]


def compare(settings: Config) -> pd.DataFrame:
    """Every figure and page of a run beside the published one, in the columns of ``FORM``.

    Raises ``DataError`` if one of the run is missing, or one of both cannot be read.
    """
    rows = []
    for one in publications(settings):
        published = one.published(one.compared)
        verdict, note = _answer(one, published)
        rows.append((one.name, one.kind, verdict, note, one.compared.as_posix(), published.as_posix()))
    return pd.DataFrame(rows, columns=list(FORM.columns))


def _answer(one: Publication, published: Path) -> tuple[str, str]:
    """The verdict on a figure or page, and where it differs."""
    if not published.is_file():
        return ABSENT, ""
    if _equal(one.compared, published):
        return EQUAL, ""
    if others := _other_settings(one):
        return OTHER, others
    if one.kind == FIGURE:
        difference = _in_tables(read_cells(one.compared), read_cells(published))
    else:
        difference = _in_words(*(_words(path) for path in (one.compared, published)))
    return (DISAGREES, difference) if difference else (AGREES, "")


def _equal(made: Path, published: Path) -> bool:
    """Whether two files have the same bytes. Of other sizes they are not read, however large one is."""
    if refusal(made) is not None or not made.exists():
        return False  # which the reading of its content tells
    return made.stat().st_size == published.stat().st_size and sha256(made) == sha256(published)


def _other_settings(one: Publication) -> str:
    """The first settings that differ from those of the published file; nothing if none does."""
    sidecar = one.published(one.sidecar)
    if not sidecar.is_file():
        return ""
    changed = differences(read_sidecar(sidecar)["config"], read_sidecar(one.sidecar)["config"])
    return ", ".join(changed[:2]) + (", ..." if len(changed) > 2 else "")


def _in_tables(made: list[list[str]], published: list[list[str]]) -> str:
    """Where two tables differ first; nothing if they agree."""
    if made[0] != published[0]:
        return "other columns"
    if len(made) != len(published):
        return f"{counted(len(made) - 1, 'row')}, published {len(published) - 1}"
    largest = [_largest(column) for column in zip(*published[1:], strict=True)]
    for row, (ours, theirs) in enumerate(zip(made[1:], published[1:], strict=True), 1):
        for name, here, there, scale in zip(made[0], ours, theirs, largest, strict=False):
            if not same(here, there, ROUNDING * scale):
                return f"row {row}, {name}: {here}, published {there}"
    return ""


def _largest(column: Sequence[str]) -> float:
    """The largest number of a column, in size; zero if there is none."""
    return max((abs(_value(cell)) for cell in column if NUMBER.fullmatch(cell)), default=0.0)


def _words(path: Path) -> list[str]:
    return read_text(path, MAX_PAGE_BYTES, "run its rule again").split()


def _in_words(made: list[str], published: list[str]) -> str:
    """Where two pages differ first, however their lines are broken; nothing if they agree."""
    for place, (ours, theirs) in enumerate(zip(made, published, strict=False)):
        if not same(ours, theirs):
            here, there = (" ".join(words[max(0, place - 2) : place + 3]) for words in (made, published))
            return f"'{here}', published '{there}'"
    if len(made) != len(published):
        return f"{counted(len(made), 'word')}, published {len(published)}"
    return ""


def same(made: str, published: str, rounding: float | None = None) -> bool:
    """Whether two texts have the same words, and numbers that agree within ``TOLERANCE``.

    They also agree within ``rounding``. Without it the texts are those of a page, whose numbers are
    printed with fixed decimals: they agree within one unit of the last one, as a number on the edge is
    rounded up here and down there. A number without decimals counts something.

    >>> same("slope -1.60", "slope -1.61"), same("24 of 24", "23 of 24"), same("holds", "fails")
    (True, False, False)
    """
    if made == published:
        return True
    if NUMBER.split(made) != NUMBER.split(published):
        return False
    pairs = zip(NUMBER.findall(made), NUMBER.findall(published), strict=True)
    return all(_close(ours, theirs, rounding) for ours, theirs in pairs)


def _close(made: str, published: str, rounding: float | None) -> bool:
    ours, theirs = _value(made), _value(published)
    least = max(_unit(made), _unit(published)) if rounding is None else rounding
    allowed = max(TOLERANCE * max(abs(ours), abs(theirs)), least)
    return abs(ours - theirs) <= allowed * (1 + 1e-9)


def _value(number: str) -> float:
    return float(number.replace(",", ""))


def _unit(number: str) -> float:
    """A unit of the last decimal; zero for a number without decimals."""
    mantissa, _, exponent = number.lower().partition("e")
    _, point, decimals = mantissa.partition(".")
    return float(f"1e{int(exponent or 0) - len(decimals)}") if point else 0.0


def summary(table: pd.DataFrame) -> str:
    """How many are equal, such as ``Published figures: 26 of 26 equal; pages: 4 of 4 equal.``."""
    said = [_said(kind, table[table["kind"] == kind]) for kind in KINDS if (table["kind"] == kind).any()]
    return f"Published {'; '.join(said)}."


def _said(kind: str, rows: pd.DataFrame) -> str:
    verdicts = list(rows["verdict"])
    parts = [f"{verdicts.count(EQUAL)} of {len(rows)} {EQUAL}"]
    words = {
        AGREES: f"{'agrees' if verdicts.count(AGREES) == 1 else 'agree'} to {TOLERANCE:.0%}",
        DISAGREES: "disagrees" if verdicts.count(DISAGREES) == 1 else "disagree",
        OTHER: "of other settings",
        ABSENT: "not published",
    }
    parts += [f"{verdicts.count(word)} {said}" for word, said in words.items() if word in verdicts]
    return f"{kind}s: {joined(parts)}"


VIEW = TableView(
    "published",
    "This run and the published one",
    (
        Column("name", "of the figure or page"),
        Column("kind"),
        Column("verdict", "on what the figure plots, or on the page", verdict=True),
        Column("note", "the first difference", prose=True),
        Column("made", "the file of this run"),
        Column("published", "the file that the repository keeps"),
    ),
    ("kind", "verdict"),
)
"""What a person sees of the table."""

EXPLANATION = (
    "Compared are the data that a figure plots, and the text of a page. Equal means byte for byte. To "
    f"agree means the same words, and numbers that differ by at most {TOLERANCE:.0%}, near zero by "
    "rounding, and on a page by one unit of their last decimal: another machine or another version of a "
    "library rounds in another way. What was made under other settings need not agree."
)


def sections(table: pd.DataFrame) -> list[Section]:
    """The sentences and the table, for its pages and for the report."""
    return [Section(paragraphs=[f"{summary(table)} {EXPLANATION}"], view=VIEW, table=table)]


def write(table: pd.DataFrame, csv: Path) -> list[Path]:
    """Write the table as CSV with its two pages beside it; returns the three paths."""
    return write_pages(table, csv, VIEW.title, sections(table))


def shown(table: pd.DataFrame, file: Path) -> tuple[Count, Shown]:
    """The count of the verdicts, and the part of the report that lists them."""
    meaning = "is what this run made what the repository keeps?"
    counts = count(VIEW.title, "published", meaning, table["verdict"])
    return counts, Shown("published", VIEW.title, "Published", sections(table), file, wide=False)
