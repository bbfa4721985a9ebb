"""Formulas written in plain text, as tables and sentences have them, typeset as LaTeX in dollars.

A row of a CSV file says ``n_min = 6 n^(1/2)``, for people and programs that read it as it is. A page
shows the same words with the formula in dollars, which GitHub, the site and the report typeset.
"""

from __future__ import annotations

import re
import textwrap

NO_BREAK = "\N{NO-BREAK SPACE}"

GREEK = (
    *("alpha", "beta", "delta", "eta", "lambda", "mu", "nu", "phi", "rho", "sigma", "theta", "xi"),
    *("Delta", "Sigma", "Theta"),
)

_NUMBER = r"\d+(?:,\d{3})*(?:\.\d+)?(?:/\d+)?"
_GREEK = "|".join(GREEK)
_NAME = rf"(?:(?:(?:{_GREEK}) )*(?:{_GREEK}|[A-Za-z])(?![A-Za-z]))"
_LETTER = rf"(?:{_GREEK}|[A-Za-z])"
_INDEX = r"_(?:(?:min|max|lin|[A-Za-z0-9])(?![A-Za-z0-9])|\{[^{}]+\})"
_INNER = r"(?:[^()]|\([^()]*\))+"
_POWER = rf"\^(?:\({_INNER}\)|-?\d+(?:\.\d+)?|[a-z](?![a-z]))"
_SPECIAL = (
    rf"(?:{_LETTER}(?:{_INDEX}(?:{_POWER})?|{_POWER})|sqrt\({_INNER}\)|Theta\([^()]+\)"
    rf"|\|\|[^|]+\|\|(?:{_POWER})?|(?:\([^()]+\)|\|[a-z]\||\b2){_POWER})"
)
"""What plain words never are: a name with an index or a power, a root, an order, a norm,
a power of what brackets hold."""
_FACTOR = rf"(?:(?:{_NUMBER} )?(?:√?{_SPECIAL}|n(?![A-Za-z]))|{_NAME}|{_NUMBER}(?![A-Za-z]))"
_JOINED = r"(?: / | = |/)"

FORMULA = re.compile(
    rf"(?<![\w|^$/])(?:"
    rf"(?:{_FACTOR}{_JOINED})*(?:{_NUMBER} )?√?{_SPECIAL}(?:{_JOINED}{_FACTOR})*"
    rf"|{_NAME}(?:{_JOINED}{_FACTOR})*(?: = ){_FACTOR}(?:/{_FACTOR})*"
    rf")(?![\w^])"
)
"""A special part and what is joined to it, or a name that is said to equal something."""

VERBATIM = re.compile(
    r"(```.*?```|`[^`]*`|\$\$.*?\$\$|\$[^$]+\$|!\[[^\]]*\]|\]\([^)]*\)|<!--.*?-->|(?m:^#[^\n]*))",
    re.DOTALL,
)
"""What stays as it is: code, formulas in dollars, what stands for a picture, addresses, comments, and
headings, which contents and addresses repeat as plain text."""

_IN_LATEX = (
    (re.compile(r"\|\|([^|]+)\|\|"), r"\\Vert \1\\Vert"),
    (re.compile(r"\|([a-z])\|"), r"\\vert \1\\vert"),
    (re.compile(rf"\bsqrt\(({_INNER})\)"), r"\\sqrt{\1}"),
    (re.compile(rf"√({_SPECIAL})"), r"\\sqrt{\1}"),
    (re.compile(r"\bprod\b"), r"\\prod"),
    (re.compile(rf"\^\(({_INNER})\)"), r"^{\1}"),
    (re.compile(r"\^(-?\d+(?:\.\d+)?)"), r"^{\1}"),
    (re.compile(r"_(min|max)\b"), r"_{\\\1}"),
    (re.compile(r"_lin\b"), r"_{\\mathrm{lin}}"),
    (re.compile(r"_l\b"), r"_\\ell"),
    (re.compile(r"\bhtilde\b"), r"\\tilde h"),
    (re.compile(rf"\b({_GREEK})(?![A-Za-z])"), r"\\\1"),
    (re.compile(r"(?<=\d),(?=\d{3})"), "{,}"),
)
"""The plain notation and the LaTeX for it, in the order in which they are replaced."""


def typeset(text: str) -> str:
    r"""Markdown with its plain formulas as ``$...$``; code, links and formulas in dollars stay.

    >>> typeset("With n_min = 6 n^(1/2), up to n = 10,000, as `n_min` says")
    'With $n_{\\min} = 6 n^{1/2}$, up to $n = 10{,}000$, as `n_min` says'
    >>> typeset("the sum of 1/n_l")
    'the sum of $1/n_\\ell$'
    """
    parts = VERBATIM.split(text)
    parts[::2] = [FORMULA.sub(lambda found: f"${_latex(found[0])}$", part) for part in parts[::2]]
    return "".join(parts)


def typeset_lines(text: str, characters: int) -> list[str]:
    r"""A sentence in lines of at most so many characters, typeset; no formula is broken.

    >>> typeset_lines("it stays (n_0 = 192)", 14)
    ['it stays', '($n_0 = 192$)']
    """
    whole = FORMULA.sub(lambda found: found[0].replace(" ", NO_BREAK), text)
    lines = textwrap.wrap(whole, characters, break_long_words=False, break_on_hyphens=False)
    return [typeset(line.replace(NO_BREAK, " ")) for line in lines]


def _latex(formula: str) -> str:
    for plain, latex in _IN_LATEX:
        formula = plain.sub(latex, formula)
    return formula
