"""The theory page: its examples run, the functions it names exist, its links lead somewhere."""

import doctest
import pkgutil
import re
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynparam.theory.conditions import check
from dynparam.theory.orders import orders
from dynparam.theory.parametrization import NAMES, layer_rules
from tests.drawn_fractions import fractions

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "theory.md"
FENCE = re.compile(r"^```.*$", re.MULTILINE)
BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
FILE_ENDINGS = {"py", "md", "csv", "json", "yaml", "html", "rst"}

EXPONENTS = st.lists(fractions(0, 1, max_denominator=6), min_size=1, max_size=6)
R = fractions(0, Fraction(1, 2), max_denominator=8)


def prose(text):
    """The page without its examples."""
    return BLOCK.sub("", text)


def run_examples(text, name="theory.md"):
    """All examples of a page, in one namespace and in order; fences count as blank lines."""
    examples = doctest.DocTestParser().get_doctest(FENCE.sub("", text), {}, name, str(PAGE), 0)
    report = []
    result = doctest.DocTestRunner(verbose=False).run(examples, out=report.append)
    return result, "".join(report)


def named_functions(text):
    """Dotted names in code font, but for files."""
    names = re.findall(r"`([a-z]\w*(?:\.\w+)+)`", prose(text))
    return [name for name in names if name.rpartition(".")[2] not in FILE_ENDINGS]


def resolve(name):
    """The object ``wing.module.attribute...`` of the package; a folder's modules are imported first."""
    return pkgutil.resolve_name(f"dynparam.{name}")


def formulas(text):
    """Each displayed formula with the first paragraph after it."""
    return re.findall(r"^\$\$(.+?)\$\$\n\n(.+?)\n\n", prose(text), re.MULTILINE | re.DOTALL)


def anchors(text):
    """GitHub's anchors of the headings."""
    headings = re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_example_gives_what_the_page_says():
    result, report = run_examples(PAGE.read_text())
    assert result.failed == 0, report
    assert result.attempted >= 60


def test_a_wrong_example_is_found():
    assert run_examples("```python\n>>> 1 + 1\n3\n\n```\n")[0].failed == 1


def test_every_function_named_exists():
    names = named_functions(PAGE.read_text())
    assert len(set(names)) >= 30
    for name in names:
        assert resolve(name) is not None, name


def test_a_wrong_name_is_found():
    with pytest.raises(AttributeError):
        resolve(*named_functions("`theory.orders.no_such_rule`"))
    with pytest.raises(AttributeError):
        resolve(*named_functions("`theory.no_such_module.orders`"))


def test_every_formula_names_its_function():
    text = PAGE.read_text()
    found = formulas(text)
    assert len(found) == prose(text).count("$$") // 2 >= 30
    for formula, after in found:
        assert after.startswith("→ "), formula
        assert named_functions(after), formula


def test_formulas_hold_nothing_that_markdown_reads_first():
    r"""On GitHub ``\\``, ``\,`` or ``\{`` may lose the backslash, and a line may become a list item."""
    for formula in re.findall(r"\$\$?(.+?)\$\$?", prose(PAGE.read_text()), re.DOTALL):
        assert "\n" not in formula
        assert not re.search(r"\\[\\,;:!{}]", formula), formula
        assert not re.search(r"[*<>]|\\operatorname", formula), formula


def test_links_lead_somewhere():
    text = PAGE.read_text()
    targets = re.findall(r"\]\(([^)\s]+)\)", prose(text))
    assert len(targets) >= 8
    for target in targets:
        path, _, anchor = target.partition("#")
        assert path == "" or (PAGE.parent / path).exists(), target
        assert anchor == "" or anchor in anchors(text), target


@settings(deadline=None)
@given(hidden=EXPONENTS, r=R)
def test_updates_follow_the_narrowest_layer_so_far(hidden, r):
    """Section 3: dynamic's |Delta htilde^l_i|^2 = n_min^{2r} / min(n_1 ... n_l) in hidden layers."""
    found = orders("dynamic", [0, *hidden, 0], r).update
    narrowest = [min(hidden[: layer + 1]) for layer in range(len(hidden))]
    assert found[:-1] == tuple(r * min(hidden) - a / 2 for a in narrowest)
    assert found[-1] == 0


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None)
@given(hidden=EXPONENTS, r=R)
def test_shares_differ_by_initial_variances_alone(name, hidden, r):
    """Section 3: C_k = D_L / sigma_k^2 * prod_j t_j with t_j = g_j^2 n_{j-1} sigma_j^2."""
    widths = [Fraction(0), *hidden, Fraction(0)]
    shapes = list(pairwise(widths))
    rules = layer_rules(name, len(shapes), r)
    g = [rule.multiplier.order(*shape, min(hidden)) for rule, shape in zip(rules, shapes, strict=True)]
    sigma = [rule.sigma.order(*shape, min(hidden)) for rule, shape in zip(rules, shapes, strict=True)]
    t = [2 * a + shape[0] + 2 * b for a, shape, b in zip(g, shapes, sigma, strict=True)]
    output = max(Fraction(0), sum(t))
    assert orders(name, widths, r).contribution == tuple(output - 2 * b + sum(t) for b in sigma)


@settings(deadline=None)
@given(hidden=EXPONENTS, r=R)
def test_drift_is_the_update_over_the_root_of_the_width(hidden, r):
    """Section 6: the exponent of R^l is rho - a_l / 2 with n^rho = n_min^r, readout included."""
    (drift,) = (
        found for found in check("dynamic", [0, *hidden, 0], r) if found.condition.equation == "2.59"
    )
    assert [a for _, a in drift.exponents] == [r * min(hidden) - a / 2 for a in hidden]
