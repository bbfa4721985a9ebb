"""Formulas as MathML, which browsers show without a script or a font from elsewhere.

The pages have them as on GitHub, $...$ and $$...$$, and the extension arithmatex finds them. Headings
have none: navigation and table of contents show text.
"""

from __future__ import annotations

import html
import re
from typing import Any

from dynparam.presentation.formulas import mathml

FORMULA = re.compile(
    r'<(?P<tag>span|div) class="arithmatex">\\[(\[](?P<latex>.*?)\\[)\]]</(?P=tag)>(?P<after>[.,;:)]*)',
    re.DOTALL,
)
LONG = 40
"""Characters of LaTeX in a line of text that a phone may be too narrow for."""


def on_page_content(content: str, **_: Any) -> str:
    """Convert the formulas of a page."""
    return FORMULA.sub(_mathml, content)


def _mathml(found: re.Match[str]) -> str:
    """A formula as MathML, in a box that scrolls if it may be wider than a phone."""
    latex, after = html.unescape(found["latex"]), found["after"]
    if found["tag"] == "div":
        return f'<div class="formula">{mathml(latex, "block")}</div>{after}'
    formula = str(mathml(latex))
    if len(latex) > LONG:
        formula = f'<span class="formula">{formula}</span>'
    # A line must not break between a formula and the full stop behind it.
    return f'<span class="with-stop">{formula}{after}</span>' if after else formula
