"""Formulas as MathML, which browsers show without a script or a font from elsewhere."""

from __future__ import annotations

import html
import re
from typing import Literal

from latex2mathml.converter import convert
from markupsafe import Markup, escape

Display = Literal["inline", "block"]

FORMULA = re.compile(r"\$([^$]+)\$")
"""A formula in a sentence, as GitHub has it."""

BARE_LETTER = re.compile(r"\\(mathcal|mathbb)\s*([A-Za-z])")
OVERLINE = re.compile(r'<mover>((?:(?!<mover>).)*?)<mo accent="true">&#x02015;</mo></mover>')


def mathml(latex: str, display: Display = "inline") -> Markup:
    """LaTeX as MathML.

    A letter after a font's name gets braces: with them it becomes a character of its own, without an
    attribute that browsers ignore. Logarithms get a space behind them. A bar becomes a border, as wide
    as what is below it.

    >>> "<msup><mi>n</mi><mn>2</mn></msup>" in mathml("n^2")
    True
    """
    formula = convert(BARE_LETTER.sub(r"\\\1{\2}", latex).strip(), display=display)
    formula = formula.replace("<mi>log</mi>", '<mi>log</mi><mspace width="0.17em"/>')
    return Markup(OVERLINE.sub(r'<mrow class="overlined">\1</mrow>', formula))


def with_formulas(text: str | Markup) -> Markup:
    """A sentence as HTML: its ``$...$`` as MathML, the rest escaped unless it is HTML already.

    >>> with_formulas("a < b")
    Markup('a &lt; b')
    """
    return Markup(FORMULA.sub(lambda found: mathml(html.unescape(found[1])), str(escape(text))))
