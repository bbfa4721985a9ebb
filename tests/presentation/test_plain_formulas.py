"""Formulas in plain text, typeset."""

import re
import xml.etree.ElementTree as ET

import pytest

from dynparam.presentation.formulas import FORMULA, mathml
from dynparam.presentation.plain_formulas import VERBATIM, typeset, typeset_lines
from tests.markdown import ROOT

PAGES = [
    *(ROOT / "docs" / name for name in ("findings.md", "findings.ja.md", "companions.md")),
    *sorted((ROOT / "docs/companions").glob("*.md")),
    *sorted((ROOT / "docs/examples").glob("*.md")),
]


@pytest.mark.parametrize(
    ("plain", "latex"),
    [
        ("n_min = 150 n^(1/5), and", r"$n_{\min} = 150 n^{1/5}$, and"),
        ("n_min = 1/4 n, n = 256 to 2,048", r"$n_{\min} = 1/4 n$, $n = 256$ to 2,048"),
        ("up to n = 1,000,000:", r"up to $n = 1{,}000{,}000$:"),
        ("At n_min = 5 a share", r"At $n_{\min} = 5$ a share"),
        ("grows as n_min^(2r - 1)", r"grows as $n_{\min}^{2r - 1}$"),
        ("||Delta htilde|| = sqrt(n_min)", r"$\Vert \Delta \tilde h\Vert = \sqrt{n_{\min}}$"),
        ("√n_min である", r"$\sqrt{n_{\min}}$ である"),
        ("m^r / sqrt(n_min) decides", r"$m^r / \sqrt{n_{\min}}$ decides"),
        ("is sqrt(prod (1 + 5/n_l) - 1): so", r"is $\sqrt{\prod (1 + 5/n_\ell) - 1}$: so"),
        ("a factor e^(-eta lambda T).", r"a factor $e^{-\eta \lambda T}$."),
        ("From eta lambda T = 1 on", r"From $\eta \lambda T = 1$ on"),
        ("over (1 - c)^6:", r"over $(1 - c)^{6}$:"),
        ("at |x|^2 = n_0, grows", r"at $\vert x\vert^{2} = n_0$, grows"),
        ("f - f_lin, ntk", r"f - $f_{\mathrm{lin}}$, ntk"),
        ("e_1 / e_{C-1} over", r"$e_1 / e_{C-1}$ over"),
        ("## r = 1/2\n\nr = 1/2 is", "## r = 1/2\n\n$r = 1/2$ is"),
        ("is Theta(1), as", r"is $\Theta(1)$, as"),
        ("grows as R^((B-1)/2), R", r"grows as $R^{(B-1)/2}$, R"),
        ("g_k^2 ||h^(k-1)||^2 each", r"$g_k^{2}$ $\Vert h^{k-1}\Vert^{2}$ each"),
        ("is 2^-4, at", r"is $2^{-4}$, at"),
        ("| n_min | 0.500 |", r"| $n_{\min}$ | 0.500 |"),
    ],
)
def test_plain_notation_becomes_latex(plain, latex):
    assert typeset(plain) == latex
    assert typeset(latex) == latex


@pytest.mark.parametrize(
    "text",
    [
        "`n_min` in code, and `fig3_2_wide` too",
        "![alternative text with n_min](figures/a.png)",
        "[weight](../training.md#n_min)",
        "<!-- n_min = 6 n^(1/2) -->",
        "    snakemake --cores all companion_softmax",
        "dynamic_spectral is a scheme; a train/test split; and/or; 3 of 4",
        "F(6, 92) = 2.13, and p is 0.05",
        "$n_{\\min} = 3$ is typeset",
        "$$g_l = n_l$$",
        "## The edge r = 1/2\n",
    ],
)
def test_what_is_no_formula_or_must_stay_stays(text):
    assert typeset(text) == text


def test_lines_break_between_words_and_not_within_a_formula():
    text = "as n_min = 6 n^(1/2) sharpens, n_0 = 3072 stays"
    lines = typeset_lines(text, 22)
    assert lines == [r"as $n_{\min} = 6 n^{1/2}$", "sharpens, $n_0 = 3072$", "stays"]
    assert " ".join(lines) == typeset(text)
    assert typeset_lines("", 20) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_published_pages_hold_no_plain_formula_and_only_what_a_browser_shows(page):
    text = page.read_text(encoding="utf-8")
    assert typeset(text) == text
    shown = (part for part in VERBATIM.split(text) if FORMULA.fullmatch(part))
    for formula in shown:
        ET.fromstring(mathml(formula.strip("$")))
    prose = re.sub(r"(?m)^ {4}\S.*$", "", "".join(VERBATIM.split(text)[::2]))
    assert not re.search(r"\b[A-Za-z]_[A-Za-z0-9]\b|_min\b|\^|\bsqrt\b", prose)
