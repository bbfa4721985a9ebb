"""Formulas as MathML."""

import xml.etree.ElementTree as ET

import pytest
from markupsafe import Markup

from dynparam.presentation.formulas import mathml, with_formulas


def letters(formula):
    """The text of a formula, after it was read as XML."""
    return "".join(ET.fromstring(formula).itertext())


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"n_{\min} = 150\, n^{1/5}", "nmin=150n1/5"),
        (r"|\langle a, b \rangle| < 1", "|⟨a,b⟩|<1"),
        (r"\mathcal L", "\N{SCRIPT CAPITAL L}"),
        (r"\log n", "logn"),
    ],
)
def test_a_formula_is_mathml(latex, text):
    for display in ("inline", "block"):
        formula = mathml(latex, display)
        assert isinstance(formula, Markup)
        assert letters(formula) == text
        assert f'display="{display}"' in formula


def test_a_bar_is_as_wide_as_what_is_below_it():
    assert '<mrow class="overlined">' in mathml(r"\overline{ab}")


def test_sentences_are_escaped_and_formulas_are_not():
    found = with_formulas("a < b, $n < m$ & <i>c</i>")
    assert found.startswith("a &lt; b, <math ")
    assert found.endswith("</math> &amp; &lt;i&gt;c&lt;/i&gt;")
    assert letters(found[found.index("<math") : found.index(" &amp;")]) == "n<m"


def test_what_is_html_already_stays():
    found = with_formulas(Markup('<a href="#a">b</a> $n^2$'))
    assert found.startswith('<a href="#a">b</a> <math ')


def test_without_formulas_nothing_changes():
    assert with_formulas("costs 5 $, no more") == "costs 5 $, no more"
