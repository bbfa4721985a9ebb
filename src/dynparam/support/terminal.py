"""Text of files, of their names and of other libraries as a terminal may be given it."""

from __future__ import annotations


def shown(text: str) -> str:
    """``text`` on one line, without what a terminal would obey.

    White space becomes blanks. Every other character that is not printed becomes a replacement
    character: escapes, marks that turn the direction of writing, halves of surrogate pairs.
    """
    return "".join(_shown(letter) for letter in text)


def shown_lines(text: str) -> str:
    """The same for text of several lines, which keeps them."""
    return "\n".join(shown(line) for line in text.split("\n"))


def _shown(letter: str) -> str:
    if letter.isprintable():
        return letter
    return " " if letter in "\t\n\r\v\f" else "\N{REPLACEMENT CHARACTER}"
