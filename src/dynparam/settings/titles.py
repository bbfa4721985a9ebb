"""Titles of panels, and whether they can be drawn: known before a run, not hours later."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

LONGEST_REASON = 100

_LETTER = r"[A-Za-z0-9]"
_PLAIN = r"(?:[A-Za-z0-9 =+\-/,.()]|\\[,;]|\\(?:min|max)(?![A-Za-z]))"
_GROUP = rf"\{{{_PLAIN}+\}}"
_SCRIPT = rf"(?:{_LETTER}|{_GROUP})"
_SCRIPTED = rf"{_LETTER}(?:_{_SCRIPT}(?:\^{_SCRIPT})?|\^{_SCRIPT})"
SIMPLE_FORMULA = re.compile(rf"(?:{_SCRIPTED}|\\sqrt{_GROUP}|{_PLAIN})+")
"""Formulas such as ``n_{\\min} = 6\\sqrt{n}``, which can be drawn.

To import matplotlib's parser takes a quarter of a second, at every command and every plan, so that it is
asked about other formulas alone.
"""

SIMPLE_TEXT = re.compile(r"[^\\$]*")


def _drawable(title: str) -> str:
    """The title itself. Raises ``ValueError`` if matplotlib could not draw it."""
    for line in title.split("\n"):
        dollars = len(re.findall(r"(?<!\\)\$", line))
        if dollars == 0 or dollars % 2:  # text without formulas, to matplotlib
            continue
        pieces = line.split("$")
        simple = all(
            (SIMPLE_FORMULA if place % 2 else SIMPLE_TEXT).fullmatch(piece)
            for place, piece in enumerate(pieces)
        )
        if not simple:
            _parse(line)
    return title


def _parse(line: str) -> None:
    from matplotlib.mathtext import MathTextParser

    try:
        MathTextParser("path").parse(line)
    except Exception as error:  # it raises more than the ValueError it documents
        last = str(error).strip().rpartition("\n")[2]
        reason = last[:LONGEST_REASON] if last else type(error).__name__
        raise ValueError(
            f"the title {line!r} has a formula that cannot be drawn ({reason}); correct it"
        ) from None


Title = Annotated[str, Field(max_length=200), AfterValidator(_drawable)]
"""A title that can be drawn."""
