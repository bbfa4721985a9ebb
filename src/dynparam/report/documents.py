"""Pages of ``docs/`` and captions as parts of the report: text in, HTML with its anchors out."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markupsafe import Markup

from dynparam.presentation.formulas import FORMULA, mathml, with_formulas

COMMENT = re.compile(r"\A\s*<!--.*?-->", re.DOTALL)

LITERAL = re.compile(r"``(.+?)``")
MATH = re.compile(r":math:`(.+?)`")

Anchors = Mapping[str, str]
"""For a file's path, as documents write it from the repository's root, the anchor that shows it."""


@dataclass(frozen=True)
class Document:
    """A page as HTML; what its section "In brief" holds is apart from it, and may be empty."""

    html: Markup
    brief: Markup


def document(text: str, path: Path, prefix: str, anchors: Anchors) -> Document:
    """A Markdown page as a part of the report.

    Its title is left out (the report's section has one), its headings are a level deeper, and their
    anchors begin with ``prefix``. Links and code that name a file in ``anchors`` lead to its anchor;
    links to other files become the file's name. Formulas become MathML, HTML is shown as text.

    Args:
        text: the page.
        path: where it lies, from the repository's root; its links start from there.
        prefix: what its anchors begin with.
        anchors: what the report shows, by file.
    """
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    markdown.inline.ruler.before("escape", "formula", _formula)
    markdown.add_render_rule("table_open", _open_table)
    markdown.add_render_rule("table_close", _close_table)
    tokens = list(_without_title(markdown.parse(COMMENT.sub("", text))))
    _number_anchors(tokens, prefix)
    for token in tokens:
        if token.children:
            token.children = list(_linked(token.children, path.parent, prefix, anchors))
    brief, rest = _parted(tokens, f"{prefix}-in-brief")
    html, first = (
        Markup(markdown.renderer.render(part, markdown.options, {})) for part in (rest, brief)
    )
    return Document(html, first)


def caption(text: str) -> Markup:
    """A caption's reStructuredText as HTML; of its markup only ````literals```` and formulas occur."""
    told = with_formulas(MATH.sub(r"$\1$", _in_one_line(text)))
    return Markup(LITERAL.sub(r"<code>\1</code>", str(told)))


def caption_as_markdown(text: str) -> str:
    """A caption's reStructuredText as Markdown in one line, its formulas in dollars."""
    return LITERAL.sub(r"`\1`", MATH.sub(r"$\1$", _in_one_line(text)))


def _in_one_line(text: str) -> str:
    return " ".join(text.split())


def _formula(state: StateInline, silent: bool) -> bool:
    """A rule of markdown-it: a formula in dollars, before anything in it is taken for markup."""
    found = FORMULA.match(state.src, state.pos)
    if found is None:
        return False
    if not silent:
        state.push("html_inline", "", 0).content = mathml(found[1])
    state.pos = found.end()
    return True


def _parted(tokens: list[Token], anchor: str) -> tuple[list[Token], list[Token]]:
    """What stands below the heading with this anchor, and all the rest without the heading."""
    starts = [place for place, token in enumerate(tokens) if token.type == "heading_open"]
    start = next((place for place in starts if tokens[place].attrGet("id") == anchor), None)
    if start is None:
        return [], tokens
    end = next((place for place in starts if place > start), len(tokens))
    below = start + 3  # a heading is its opening, its text and its end
    return tokens[below:end], tokens[:start] + tokens[end:]


def _open_table(*_: object) -> str:
    return '<div class="scroll" role="region" aria-label="Table" tabindex="0"><table>'


def _close_table(*_: object) -> str:
    return "</table></div>"


def _without_title(tokens: list[Token]) -> Iterator[Token]:
    title = False
    for token in tokens:
        if token.tag == "h1":
            title = token.nesting == 1
        elif not title:
            if token.type.startswith("heading"):
                token.tag = f"h{int(token.tag[1]) + 1}"
            yield token


def _number_anchors(tokens: list[Token], prefix: str) -> None:
    """Give headings and items of numbered lists the anchors that links lead to."""
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        if token.type == "heading_open" and following is not None:
            token.attrSet("id", f"{prefix}-{_slug(following.content)}")
        if token.type == "list_item_open" and token.info:
            token.attrSet("id", f"{prefix}-{token.info}")


def _slug(heading: str) -> str:
    """A heading's anchor as code hosts make it."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def _linked(tokens: list[Token], folder: Path, prefix: str, anchors: Anchors) -> Iterator[Token]:
    """Inline tokens with their links and file names led to anchors."""
    unknown: str | None = None
    inside = False
    for token in tokens:
        if token.type == "link_open":
            inside = True
            target = _target(str(token.attrGet("href")), folder, prefix, anchors)
            if target is None:
                unknown = posixpath.normpath((folder / str(token.attrGet("href"))).as_posix())
                continue
            token.attrSet("href", target)
        elif token.type == "link_close":
            inside = False
            if unknown is not None:
                yield from [_text(" ("), Token("code_inline", "code", 0, content=unknown), _text(")")]
                unknown = None
                continue
        elif token.type == "image":
            path = posixpath.normpath((folder / str(token.attrGet("src"))).as_posix())
            yield from _link(_text(f"Figure: {token.content}"), anchors.get(path))
            continue
        elif token.type == "code_inline" and not inside:
            yield from _link(token, anchors.get(token.content))
            continue
        yield token


def _target(href: str, folder: Path, prefix: str, anchors: Anchors) -> str | None:
    """Where a link leads in the report: an anchor, an address, or nowhere."""
    path, _, fragment = href.partition("#")
    if re.match(r"[a-z]+:", href):
        return href
    if not path:
        return f"#{prefix}-{fragment}"
    anchor = anchors.get(posixpath.normpath((folder / path).as_posix()))
    if anchor is None:
        return None
    return f"#{anchor}-{fragment}" if fragment else f"#{anchor}"


def _link(token: Token, anchor: str | None) -> list[Token]:
    if anchor is None:
        return [token]
    opening = Token("link_open", "a", 1, attrs={"href": f"#{anchor}"})
    return [opening, token, Token("link_close", "a", -1)]


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)
