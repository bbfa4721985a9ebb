"""The glossary: every symbol stands on the page that defines it, and keeps its one meaning elsewhere."""

import re

import pytest

from tests.documents.test_theory import PAGES, resolve
from tests.markdown import ROOT, prose

GLOSSARY = ROOT / "docs" / "glossary.md"
ROW = re.compile(r"^\| (\$.+?) \| (.+?) \| \[[^]]+\]\((\S+?)\) \| `(\S+)` \|$", re.MULTILINE)
ROWS = ROW.findall(GLOSSARY.read_text("utf-8"))
BARE = re.compile(r"(?<![\\A-Za-z_^{])[ACU](?![A-Za-z_^])")
"""Alignments, contributions and updates have a layer: a letter without one means another thing."""


def formulas(text):
    return re.findall(r"\$\$?(.+?)\$\$?", prose(text))


def clashes(text):
    """Formulas in which a letter of the glossary stands without its layer."""
    without_words = (re.sub(r"\\[A-Za-z]+(\{[A-Za-z ]*\})?", " ", formula) for formula in formulas(text))
    return [formula for formula in without_words if BARE.search(formula)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_symbol_stands_on_its_page_and_in_the_code(row):
    symbols, _, page, name = row
    text = " ".join(formulas((GLOSSARY.parent / page).read_text("utf-8")))
    for symbol in re.findall(r"\$(.+?)\$", symbols):
        if symbol not in {"[q]", "\\gamma_l\\sigma_l"}:
            assert symbol in text, symbol
    assert resolve_attribute(name), name


def resolve_attribute(name):
    """Whether ``name`` is a function or class, or a field of a class, of the package."""
    try:
        return resolve(name) is not None
    except AttributeError:
        owner, _, field = name.rpartition(".")
        return field in resolve(owner).__dataclass_fields__


def test_the_symbols_are_all_read():
    assert len(ROWS) >= 20
    assert len(ROWS) == GLOSSARY.read_text("utf-8").split("## Words")[0].count("\n| $")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_letters_with_a_layer_mean_nothing_else(page):
    assert clashes(page.read_text("utf-8")) == []


def test_a_second_meaning_is_noticed():
    assert clashes(r"covariance $C=\langle xx^T\rangle$") == ["C=  xx^T "]
    assert clashes(r"a share $C_k$, errors $E_{A\to B}$ and $\mathrm{C}$") == []
