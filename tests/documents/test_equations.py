"""The index of equations: its names exist, its verdicts are those of the figures' data."""

import ast
import re

import pandas as pd
import pytest

from tests.documents.test_theory import PAGES, resolve
from tests.markdown import ROOT

INDEX = (ROOT / "docs" / "equations.md").read_text("utf-8")
SHARPENING = ("square_root", "fifth_root")
"""Families of widths in which the bottleneck sharpens."""


def equations(text):
    """Numbers of equations in a text; a range has all between its ends."""
    found = set()
    for chapter, first, last in re.findall(r"\b([123])\.(\d+)(?:-\1\.(\d+))?\b", text):
        found |= {f"{chapter}.{number}" for number in range(int(first), int(last or first) + 1)}
    return found


def section(title):
    return INDEX.split(f"## {title}\n")[1].split("\n## ")[0]


def rows(title):
    """The rows of a section's table, as lists of cells."""
    found = re.findall(r"^\| (.+) \|$", section(title), re.MULTILINE)
    return [row.split(" | ") for row in found[1:]]


def missing_tests(text):
    """Tests that a text names and that do not exist."""
    missing = []
    for path, name in re.findall(r"`(\S+\.py)::(\w+)`", text):
        tree = ast.parse((ROOT / "tests" / path).read_text("utf-8"))
        if name not in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}:
            missing.append(f"{path}::{name}")
    return missing


def measured_verdicts(table):
    """(equation, parametrization) -> verdicts: where the bottleneck sharpens, and elsewhere."""
    table = table.assign(equation=table["condition"].str.removeprefix("eq. "))
    sharpening = table["family"].isin(SHARPENING)
    return (
        table[sharpening].groupby(["equation", "parametrization"])["measured"].agg(set),
        table[~sharpening].groupby(["equation", "parametrization"])["measured"].agg(set),
    )


def test_every_test_exists():
    assert INDEX.count("::") >= 20
    assert missing_tests(INDEX) == []


def test_a_wrong_test_is_noticed():
    assert missing_tests("`theory/test_orders.py::test_nothing`") == [
        "theory/test_orders.py::test_nothing"
    ]


@pytest.mark.parametrize("row", rows("Definitions and identities"), ids=lambda row: row[0])
def test_a_page_and_a_function_have_the_equation(row):
    numbers, _, link, code, _ = row
    assert resolve(code.strip("`"))
    page = ROOT / "docs" / re.search(r"\((.+?)(?:#.*)?\)", link)[1]
    assert equations(numbers) & equations(page.read_text("utf-8")), numbers


def test_every_equation_of_the_theory_pages_has_a_row():
    arrows = re.findall(r"^→ (.+?)\n\n", "".join(page.read_text("utf-8") for page in PAGES), re.M | re.S)
    named = set().union(*(equations(arrow.split("`")[0]) for arrow in arrows))
    assert len(named) >= 40
    assert named <= equations(INDEX)


def test_a_range_has_all_its_equations():
    assert equations("eqs. 2.14-2.16 and 3.5, version 12.3") == {"2.14", "2.15", "2.16", "3.5"}


def test_verdicts_on_conditions_are_those_of_the_figure():
    table = pd.read_csv(ROOT / "figures" / "conditions.csv")
    sharpening, elsewhere = measured_verdicts(table)
    said = rows("Conditions")
    assert {row[0] for row in said} == {equation for equation, _ in sharpening.index}
    for equation, _, *verdicts in said:
        for name, verdict in zip(("dynamic", "spectral"), verdicts, strict=True):
            assert sharpening[equation, name] == {verdict}, (equation, name)
            assert elsewhere[equation, name] == {"holds"}, (equation, name)
