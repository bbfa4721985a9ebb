"""Formulas as MathML, which browsers show without a script or a font from elsewhere.

The pages have them as on GitHub, $...$ and $$...$$, and the extension arithmatex finds them.
"""

from __future__ import annotations

import html
import re
from typing import Any

from mkdocs.structure.pages import Page

from dynparam.presentation.formulas import mathml

FORMULA = re.compile(
    r'<(?P<tag>span|div) class="arithmatex">\\[(\[](?P<latex>.*?)\\[)\]]</(?P=tag)>(?P<after>[.,;:)]*)',
    re.DOTALL,
)
LONG = 40
"""Characters of LaTeX in a line of text that a phone may be too narrow for."""


def on_page_content(content: str, page: Page, **_: Any) -> str:
    """Convert the formulas of a page and of its table of contents."""
    for item in page.toc:
        _convert_titles(item)
    return FORMULA.sub(_mathml, content)


def _convert_titles(item: Any) -> None:
    """Replace the formulas in an entry of the table of contents and in those below it."""
    item.title = re.sub(r"\\\((.*?)\\\)", lambda found: mathml(html.unescape(found[1])), item.title)
    for child in item.children:
        _convert_titles(child)


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
