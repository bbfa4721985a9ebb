"""How to cite the thesis and this package: what ``CITATION.cff`` says, as words and as BibTeX."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from dynparam.provenance.code_digest import PACKAGE
from dynparam.support.errors import DataError

FILE = PACKAGE / "report" / "CITATION.cff"
"""A link to the file at the root of the repository, so that the package has it everywhere."""


@dataclass(frozen=True)
class Thesis:
    """The thesis that is recomputed.

    Attributes:
        title: its title.
        language: the language of the title, as HTML names it.
        translated: the title in English; the title itself if it has none.
        authors: its authors, family name first.
        kind: what kind of thesis it is.
        year: when it was written.
    """

    title: str
    language: str
    translated: str
    authors: tuple[str, ...]
    kind: str
    year: int


@dataclass(frozen=True)
class Citation:
    """What is to be cited.

    Attributes:
        message: who should cite what.
        thesis: the thesis.
        bibtex: entries for the thesis and for the package.
    """

    message: str
    thesis: Thesis
    bibtex: str


def read_citation(path: Path = FILE) -> Citation:
    """What the file says. Raises ``DataError`` for a file that cannot be read or lacks an entry."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        thesis = _thesis(next(one for one in content["references"] if one["type"] == "thesis"))
        return Citation(content["message"], thesis, f"{_of_thesis(thesis)}\n\n{_of_package(content)}")
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DataError(f"{path}: cannot be read ({error}); restore it from the repository") from None
    except (KeyError, TypeError, StopIteration) as error:
        lacks = str(error) or "a reference of type thesis"
        raise DataError(f"{path}: lacks {lacks}; restore it from the repository") from None


def _thesis(entry: Mapping[str, Any]) -> Thesis:
    return Thesis(
        title=entry["title"],
        language=entry["languages"][0],
        translated=entry.get("notes", entry["title"]),
        authors=tuple(f"{one['family-names']} {one['given-names']}" for one in entry["authors"]),
        kind=entry["thesis-type"],
        year=int(entry["year"]),
    )


def _of_thesis(thesis: Thesis) -> str:
    entries = {
        "title": thesis.title,
        "author": " and ".join(one.replace(" ", ", ") for one in thesis.authors),
        "type": thesis.kind.capitalize(),
        "year": str(thesis.year),
        "note": thesis.translated,
    }
    return _entry("thesis", "thesis", entries)


def _of_package(content: Mapping[str, Any]) -> str:
    entries = {
        "title": content["title"],
        "author": " and ".join(f"{{{one['name']}}}" for one in content["authors"]),
        "version": str(content["version"]),
        "date": str(content["date-released"]),
    }
    return _entry("software", content["title"], entries)


def _entry(kind: str, key: str, entries: Mapping[str, str]) -> str:
    """An entry of BibTeX, as biblatex has it."""
    lines = [f"  {name} = {{{value}}}," for name, value in entries.items()]
    return "\n".join([f"@{kind}{{{key},", *lines, "}"])
