"""A table's own pages, Markdown and HTML, from the same sections; and its files beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from dynparam.presentation.tables import TableView, cells, groups, markdown
from dynparam.presentation.templates import template
from dynparam.presentation.verdicts import TONES
from dynparam.support.files import write_text
from dynparam.support.tables import write_csv

TEMPLATE = "page.html.j2"


@dataclass(frozen=True)
class Section:
    """A part of a page; what is empty is left out.

    Attributes:
        head: its heading.
        listed: sentences, as a list.
        paragraphs: paragraphs below them.
        view: how its table is seen.
        table: its table, tidy.
    """

    head: str = ""
    listed: Sequence[str] = ()
    paragraphs: Sequence[str] = ()
    view: TableView | None = None
    table: pd.DataFrame | None = None

    def parts(self) -> list[tuple[str, TableView, pd.DataFrame]]:
        """Its table in parts, each with a heading (``tables.groups``); none without a table."""
        if self.view is None or self.table is None:
            return []
        return list(groups(self.view, self.table))


def markdown_page(title: str, sections: Sequence[Section]) -> str:
    """A page as Markdown."""
    blocks = [f"# {title}"]
    for section in sections:
        blocks += [f"## {section.head}"] if section.head else []
        blocks += ["\n".join(f"- {item}" for item in section.listed)] if section.listed else []
        blocks += section.paragraphs
        for heading, view, rows in section.parts():
            blocks += [f"## {heading}"] if heading else []
            blocks.append(markdown(view, rows))
    return "\n\n".join(blocks) + "\n"


def html_page(title: str, sections: Sequence[Section]) -> str:
    """A page as HTML, self-contained and without a script."""
    shown = [
        (section, [(heading, cells(view, rows)) for heading, view, rows in section.parts()])
        for section in sections
    ]
    return template("dynparam.presentation", TEMPLATE, html=True).render(
        title=title, sections=shown, tones=TONES
    )


def write_pages(table: pd.DataFrame, csv: Path, title: str, sections: Sequence[Section]) -> list[Path]:
    """Write a table as CSV with its two pages beside it; returns the three paths."""
    paths = [csv, csv.with_suffix(".md"), csv.with_suffix(".html")]
    write_csv(table, csv)
    write_text(paths[1], markdown_page(title, sections))
    write_text(paths[2], html_page(title, sections))
    return paths
