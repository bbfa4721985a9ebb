"""What commands print: text that may come from files, cleaned of what a terminal would obey."""

from __future__ import annotations

import sys
import traceback

import typer

from dynparam.support.terminal import shown, shown_lines


def tell(text: str, *, nl: bool = True) -> None:
    """Print text of one or several lines on standard output, and a line's end if ``nl``."""
    typer.echo(shown_lines(text), nl=nl)


def tell_error(sentence: str) -> None:
    """Print an error on standard error, as one line."""
    print(f"dynparam: {shown(sentence)}", file=sys.stderr)


def tell_fault(error: Exception) -> None:
    """Print where an error that no command expects was raised; its message may be of any library."""
    print(shown_lines("".join(traceback.format_exception(error))), end="", file=sys.stderr)
