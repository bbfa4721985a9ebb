"""The graph of rules: what Snakemake says as a table, and its picture."""

import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynparam.configuration.config import Config
from dynparam.configuration.loading import load
from dynparam.report.rule_graph import COLUMNS, rule_table, tabulate
from dynparam.report.rule_picture import draw, layers, reduced
from dynparam.support.errors import DataError, DynparamError
from tests.report_run import ROOT, rules


@st.composite
def graphs(draw_one):
    """Rules that need some of those before them."""
    needs = {"r0": frozenset()}
    for k in range(1, draw_one(st.integers(1, 9))):
        needs[f"r{k}"] = frozenset(f"r{one}" for one in draw_one(st.sets(st.integers(0, k - 1))))
    return needs


def behind(needs, rule):
    """Every rule that is needed for a rule, by walking."""
    found, waiting = set(), list(needs[rule])
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting.extend(needs[one])
    return found


def as_table(needs):
    rows = [(rule, 1, needed) for rule, mine in needs.items() for needed in mine or [""]]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def test_jobs_become_rules():
    nodes = [{"id": k, "value": {"rule": rule}} for k, rule in enumerate(["all", "draw", "draw", "get"])]
    edges = [{"u": 1, "v": 0}, {"u": 2, "v": 0}, {"u": 3, "v": 1}, {"u": 3, "v": 2}]
    table = tabulate({"nodes": nodes, "edges": edges})
    assert table.to_numpy().tolist() == [["all", 1, "draw"], ["draw", 2, "get"], ["get", 1, ""]]


def test_the_workflow_itself_is_asked(monkeypatch):
    """Whatever is planned already, everything that a target needs is in the table."""
    monkeypatch.chdir(ROOT)
    table = rule_table(load(Config, [ROOT / "config/thesis.yaml"]), "fig3_2")
    assert {tuple(row) for row in table.to_numpy().tolist()} == {
        ("fig3_2", 1, "plot_figure"),
        ("fig3_2", 1, "probe_alignment"),
        ("fig3_2", 1, "fit_slopes"),
        ("fig3_2", 1, "expect_slopes"),
        ("plot_figure", 1, "probe_alignment"),
        ("plot_figure", 1, "fit_slopes"),
        ("plot_figure", 1, "expect_slopes"),
        ("fit_slopes", 2, "probe_alignment"),
        ("expect_slopes", 2, "extract_pair"),
        ("probe_alignment", 2, "extract_pair"),
        ("extract_pair", 1, "retrieve_cifar10"),
        ("retrieve_cifar10", 1, ""),
    }


def test_elsewhere_it_says_where_to_run(monkeypatch, tmp_path):
    settings = load(Config, [ROOT / "config/thesis.yaml"])
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DynparamError, match="run it in the repository's root"):
        rule_table(settings, "all")


@given(graphs())
def test_reduction_keeps_what_can_be_reached_and_nothing_twice(needs):
    kept = reduced(needs)
    for rule in needs:
        assert behind(kept, rule) == behind(needs, rule)
        for one in kept[rule]:
            assert not any(one in behind(needs, other) for other in kept[rule] - {one})


@given(graphs())
def test_every_rule_stands_right_of_what_it_needs(needs):
    depth = layers(needs)
    assert all(depth[one] < depth[rule] for rule, mine in needs.items() for one in mine)
    assert min(depth.values()) >= 0


@given(graphs())
def test_boxes_do_not_overlap_and_all_is_inside(needs):
    picture = draw(as_table(needs))
    width, height = map(float, re.search(r'viewBox="0 0 (\d+) (\d+)"', picture).groups())
    pattern = r'<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="(\d+)"'
    boxes = [tuple(map(float, found)) for found in re.findall(pattern, picture)]
    assert len(boxes) == len(needs)
    for k, (x, y, w, h) in enumerate(boxes):
        assert x >= 0
        assert y >= 0
        assert x + w <= width + 1
        assert y + h <= height + 1
        for other_x, other_y, other_w, other_h in boxes[:k]:
            apart = x + w < other_x or other_x + other_w < x or y + h < other_y or other_y + other_h < y
            assert apart


def test_an_implied_edge_is_not_drawn():
    picture = draw(rules())
    assert re.findall(r"<title>(.*?)</title>", picture) == ["draw → all", "measure → draw"]
    assert re.findall(r"<text[^>]*>(.*?)</text>", picture) == ["measure (4)", "draw (2)", "all"]


def test_a_name_is_not_markup():
    picture = draw(pd.DataFrame([("<b>", 1, "")], columns=list(COLUMNS)))
    assert "&lt;b&gt;" in picture
    assert "<b>" not in picture


def test_a_cycle_is_refused():
    table = pd.DataFrame([("a", 1, "b"), ("b", 1, "a")], columns=list(COLUMNS))
    with pytest.raises(DataError, match="cycle"):
        draw(table)
