"""Formulas as MathML, which browsers show without a script or a font from elsewhere.

The pages have them as on GitHub, $...$ and $$...$$, and the extension arithmatex finds them. Headings
have none: navigation and table of contents show text.
"""

from __future__ import annotations

import html
import re
from typing import Any

from latex2mathml.converter import convert

FORMULA = re.compile(
    r'<(?P<tag>span|div) class="arithmatex">\\[(\[](?P<latex>.*?)\\[)\]]</(?P=tag)>(?P<after>[.,;:)]*)',
    re.DOTALL,
)
OVERLINE = re.compile(r'<mover>((?:(?!<mover>).)*?)<mo accent="true">&#x02015;</mo></mover>')
LONG = 40
"""Characters of LaTeX in a line of text that a phone may be too narrow for."""
BARE_LETTER = re.compile(r"\\(mathcal|mathbb)\s*([A-Za-z])")


def on_page_content(content: str, **_: Any) -> str:
    """Convert the formulas of a page."""
    return FORMULA.sub(_mathml, content)


def _mathml(found: re.Match[str]) -> str:
    """A formula as MathML, in a box that scrolls if it may be wider than a phone."""
    latex, after = found["latex"], found["after"]
    if found["tag"] == "div":
        return f'<div class="formula">{_converted(latex, "block")}</div>{after}'
    formula = _converted(latex, "inline")
    if len(latex) > LONG:
        formula = f'<span class="formula">{formula}</span>'
    # A line must not break between a formula and the full stop behind it.
    return f'<span class="with-stop">{formula}{after}</span>' if after else formula


def _converted(latex: str, display: str) -> str:
    """LaTeX, as it stands in HTML, as MathML.

    A letter after a font's name gets braces: with them it becomes a character of its own, without an
    attribute that browsers ignore. Logarithms get a space behind them. A bar becomes a border, as wide
    as what is below it.
    """
    formula = convert(BARE_LETTER.sub(r"\\\1{\2}", html.unescape(latex)).strip(), display=display)
    formula = formula.replace("<mi>log</mi>", '<mi>log</mi><mspace width="0.17em"/>')
    return OVERLINE.sub(r'<mrow class="overlined">\1</mrow>', formula)
