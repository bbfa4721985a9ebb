"""Pages of ``docs/`` and captions as parts of the report: text in, HTML with its anchors out."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape

COMMENT = re.compile(r"\A\s*<!--.*?-->", re.DOTALL)

LITERAL = re.compile(r"``(.+?)``")

Anchors = Mapping[str, str]
"""For a file's path, as documents write it from the repository's root, the anchor that shows it."""


@dataclass(frozen=True)
class Statement:
    """What a numbered item of a document says first, in bold, and the anchor of the item."""

    number: str
    text: str
    anchor: str


@dataclass(frozen=True)
class Document:
    """A page as HTML, and its numbered statements."""

    html: Markup
    statements: tuple[Statement, ...]


def document(text: str, path: Path, prefix: str, anchors: Anchors) -> Document:
    """A Markdown page as a part of the report.

    Its title is left out (the report's section has one), its headings are a level deeper, and their
    anchors begin with ``prefix``. Links and code that name a file in ``anchors`` lead to its anchor;
    links to other files become the file's name. HTML in the page is shown as text.

    Args:
        text: the page.
        path: where it lies, from the repository's root; its links start from there.
        prefix: what its anchors begin with.
        anchors: what the report shows, by file.
    """
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    markdown.add_render_rule("table_open", _open_table)
    markdown.add_render_rule("table_close", _close_table)
    tokens = list(_without_title(markdown.parse(COMMENT.sub("", text))))
    _number_anchors(tokens, prefix)
    for token in tokens:
        if token.children:
            token.children = list(_linked(token.children, path.parent, prefix, anchors))
    html = Markup(markdown.renderer.render(tokens, markdown.options, {}))
    return Document(html, tuple(_statements(tokens, prefix)))


def caption(text: str) -> Markup:
    """A caption's reStructuredText as HTML; of its markup only ````literals```` occur."""
    parts = LITERAL.split(" ".join(text.split()))
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if k % 2 else escape(part) for k, part in enumerate(parts)
    )


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


def _statements(tokens: list[Token], prefix: str) -> Iterator[Statement]:
    """The bold beginnings of the items of numbered lists."""
    for opening, _, inline in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if opening.type == "list_item_open" and opening.info and inline.type == "inline":
            text = _first_bold(inline.children or [])
            if text:
                yield Statement(opening.info, text, f"{prefix}-{opening.info}")


def _first_bold(tokens: list[Token]) -> str:
    """Everything up to the end of the first bold text, as plain text without its last full stop.

    A bold warning in parentheses before it belongs to it. Nothing if no text is bold.
    """
    text = ""
    for token in tokens:
        if token.type == "strong_close" and text.count("(") == text.count(")"):
            return text.strip().removesuffix(".")
        text += " " if token.type == "softbreak" else token.content
    return ""
