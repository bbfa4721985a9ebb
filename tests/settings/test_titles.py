"""Titles: what is let through can be drawn, and what cannot be drawn is told."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.mathtext import MathTextParser
from pydantic import TypeAdapter, ValidationError

from dynparam.settings.titles import SIMPLE_FORMULA, Title
from tests.planted import ROOT

TITLE: TypeAdapter[str] = TypeAdapter(Title)


@given(st.from_regex(SIMPLE_FORMULA, fullmatch=True).filter(str.isprintable))
@settings(deadline=None)
def test_simple_formulas_are_those_that_the_parser_takes(formula):
    drawn = MathTextParser("path").parse(f"${formula}$")
    assert drawn.width >= 0


@pytest.mark.parametrize(
    "title",
    [
        "plain",
        "two\nlines, $x$\nand $y$",
        "costs 5$",
        r"costs 5\$ and $x$",
        r"$\frac{\alpha}{\beta}$",
        r"$\mathbf{W}_\ell^{2}$",
        "Breite $n_{\\min}$, größer",
        "",
    ],
)
def test_what_is_taken_is_drawn(title):
    figure = Figure()
    figure.suptitle(TITLE.validate_python(title))
    figure.draw_without_rendering()
    assert figure.get_suptitle() == title


@pytest.mark.parametrize(
    "title",
    [
        r"$\foo$",
        "$n_{$",
        "$a_1_2$",
        "$a^1^2$",
        r"$\frac{1}$",
        "$}$",
        r"$\left( x$",
        r"fine $x$ and not $\sqrt$",
        "$$",
        "first\n$\\bad$",
        "$" + "{" * 90 + "$",
    ],
)
def test_what_cannot_be_drawn_is_told(title):
    with pytest.raises(ValidationError, match=r"has a formula that cannot be drawn .*; correct it"):
        TITLE.validate_python(title)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("", "RuntimeError"),
        ("  \n", "RuntimeError"),
        ("$x$\n  ^\nthe last line says why", "the last line says why"),
        ("x" * 101, "x" * 100),
    ],
)
def test_why_a_title_cannot_be_drawn_is_told_in_short(monkeypatch, said, told):
    def fail(*_):
        raise RuntimeError(said)

    monkeypatch.setattr(MathTextParser, "parse", fail)
    with pytest.raises(ValidationError) as error:
        TITLE.validate_python(r"$\frac{1}{2}$")
    assert f"has a formula that cannot be drawn ({told}); correct it" in str(error.value)


def test_a_long_title_is_told():
    with pytest.raises(ValidationError, match="at most 200 characters"):
        TITLE.validate_python("x" * 201)


def test_the_titles_of_the_thesis_need_no_matplotlib():
    code = (
        "import sys; from dynparam.configuration.config import Config; "
        "from dynparam.configuration.loading import load; "
        f"load(Config, [{str(ROOT / 'config/thesis.yaml')!r}, {str(ROOT / 'config/reduced.yaml')!r}]); "
        "print('matplotlib' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "False\n"
