"""A table's own HTML page, and its files beside each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd
from great_tables import GT, loc, style

from dynparam.support.files import write_text
from dynparam.support.tables import write_csv


def coloured(made: GT, verdicts: Iterable[str], colours: Mapping[str, str]) -> GT:
    """A table whose cells in the column "verdict" have the background of their row's verdict."""
    found = list(verdicts)
    for verdict, colour in colours.items():
        rows = [k for k, one in enumerate(found) if one == verdict]
        made = made.tab_style(style.fill(colour), loc.body(columns=["verdict"], rows=rows))
    return made


def page(made: GT) -> str:
    """A table as one self-contained HTML page that names its language."""
    return str(made.as_raw_html(make_page=True)).replace("<html>", '<html lang="en">', 1)


def write_beside(table: pd.DataFrame, csv: Path, markdown: str, html_page: str) -> list[Path]:
    """Write a table as CSV with its two pages beside it; returns the three paths."""
    paths = [csv, csv.with_suffix(".md"), csv.with_suffix(".html")]
    write_csv(table, csv)
    write_text(paths[1], markdown)
    write_text(paths[2], html_page)
    return paths
