"""Text and tables on a terminal: as wide as it is, and no wider."""

from __future__ import annotations

import io
import re
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence

NUMBER = re.compile(r"[+\-−]?[\d,]*\.?\d+([/e][+-]?\d+)?")


WIDTH_IN_A_PIPE = 80
"""Columns of what is to be read, where there is no terminal."""


def columns() -> int | None:
    """The columns of the terminal that standard output is; ``None`` if it is a file or a pipe."""
    if sys.stdout is None or not sys.stdout.isatty():
        return None
    return shutil.get_terminal_size().columns


def shown(heads: Sequence[str], rows: Iterable[Sequence[object]], otherwise: str) -> str:
    """A table that fits the terminal; ``otherwise`` in a file or a pipe, where each row has its line."""
    width = columns()
    return otherwise if width is None else fitted(heads, rows, width)


def prose(*sentences: str) -> str:
    """Sentences broken into lines that fit the terminal, words kept whole."""
    width = columns() or WIDTH_IN_A_PIPE
    return textwrap.fill(" ".join(sentences), width, break_long_words=False, break_on_hyphens=False)


def fitted(heads: Sequence[str], rows: Iterable[Sequence[object]], width: int) -> str:
    """A table of at most ``width`` columns of text: long cells are broken into lines, numbers right.

    Examples:
        >>> print(fitted(("layer", "verdict"), [(1, "agrees"), (2, "disagrees")], 80))
        layer  verdict
        ----------------
            1  agrees
            2  disagrees
    """
    from rich.box import Box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    texts = [[str(cell) for cell in row] for row in rows]
    ruled = Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True)
    table = Table(box=ruled, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for place, head in enumerate(heads):
        numeric = all(NUMBER.fullmatch(row[place]) for row in texts)
        table.add_column(Text(head), justify="right" if numeric else "left", overflow="fold")
    for row in texts:
        table.add_row(*map(Text, row))
    written = io.StringIO()
    Console(file=written, width=width, color_system=None).print(table)
    return "\n".join(line.rstrip() for line in written.getvalue().splitlines())
