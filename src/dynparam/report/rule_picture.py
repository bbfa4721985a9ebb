"""The graph of rules as a picture: inline SVG, drawn without any program of the system.

Layers from left to right by the longest way from a source; inside a layer, rules stand where the rules
they are tied to stand on average (the barycentre heuristic of Sugiyama, Tagawa and Toda, 1981).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

import pandas as pd
from markupsafe import Markup, escape

from dynparam.support.errors import DataError

BOX_HEIGHT = 30


ROW = 42


GAP = 34


MARGIN = 6


LETTER = 6.2
"""Sizes in pixels; the width of a letter is that of the page's font at 11.5 pixels, on average."""


SWEEPS = 12
"""How often the order is improved; further sweeps move nothing on graphs of this size."""


Needs = Mapping[str, frozenset[str]]
"""For every rule the rules it needs."""


@dataclass(frozen=True)
class Way:
    """An edge as a chain of places: its ends, and a point in each layer that it crosses."""

    needed: str
    needing: str
    stops: tuple[str, ...]


def draw(table: pd.DataFrame) -> Markup:
    """The picture of a table of ``rule_graph.COLUMNS``. Raises ``DataError`` if it has a cycle."""
    jobs = {str(rule): int(count) for rule, count in zip(table["rule"], table["jobs"], strict=True)}
    needs = reduced(_needs(table))
    depth = layers(needs)
    ways = [_way(needed, rule, depth) for rule in needs for needed in sorted(needs[rule])]
    columns = _columns(depth, ways)
    heights = _heights(columns, ways)
    return _svg(jobs, depth, columns, heights, ways)


def reduced(needs: Needs) -> dict[str, frozenset[str]]:
    """The same graph without the edges that a longer way implies."""
    behind: dict[str, frozenset[str]] = {}
    for rule in _sorted(needs):
        behind[rule] = needs[rule].union(*(behind[one] for one in needs[rule]))
    return {
        rule: frozenset(
            one for one in mine if not any(one in behind[other] for other in mine if other != one)
        )
        for rule, mine in needs.items()
    }


def layers(needs: Needs) -> dict[str, int]:
    """The layer of every rule: the number of rules on the longest way to it from a source.

    A source stands right before the first rule that needs it.
    """
    depth: dict[str, int] = {}
    for rule in _sorted(needs):
        depth[rule] = 1 + max((depth[one] for one in needs[rule]), default=-1)
    for source in (rule for rule, mine in needs.items() if not mine):
        users = [depth[rule] for rule, mine in needs.items() if source in mine]
        depth[source] = min(users, default=1) - 1
    return depth


def _needs(table: pd.DataFrame) -> Needs:
    filled = table.fillna({"needs": ""})
    return {
        str(rule): frozenset(str(one) for one in rows if one)
        for rule, rows in filled.groupby("rule", sort=False)["needs"]
    }


def _sorted(needs: Needs) -> Iterable[str]:
    try:
        return list(TopologicalSorter(needs).static_order())
    except CycleError as error:
        raise DataError(
            f"the graph of rules has a cycle ({error.args[1]}); run graph_rules again"
        ) from None


def _way(needed: str, needing: str, depth: Mapping[str, int]) -> Way:
    crossed = range(depth[needed] + 1, depth[needing])
    return Way(needed, needing, (needed, *(f"{needed}>{needing}@{layer}" for layer in crossed), needing))


def _columns(depth: Mapping[str, int], ways: Iterable[Way]) -> list[list[str]]:
    columns: list[list[str]] = [[] for _ in range(max(depth.values()) + 1)]
    for rule, layer in depth.items():
        columns[layer].append(rule)
    for way in ways:
        for layer, stop in enumerate(way.stops[1:-1], start=depth[way.needed] + 1):
            columns[layer].append(stop)
    return columns


def _heights(columns: list[list[str]], ways: Iterable[Way]) -> dict[str, float]:
    """The height of every place, in rows: near its neighbours, and a row from the next in its layer."""
    neighbours: dict[str, list[str]] = {place: [] for column in columns for place in column}
    for way in ways:
        for before, after in pairwise(way.stops):
            neighbours[before].append(after)
            neighbours[after].append(before)
    heights = {place: float(k) for column in columns for k, place in enumerate(column)}
    for sweep in range(SWEEPS):
        for column in columns if sweep % 2 else columns[::-1]:
            wanted = {
                place: sum(heights[one] for one in neighbours[place]) / len(neighbours[place])
                if neighbours[place]
                else heights[place]
                for place in column
            }
            heights.update(_apart(wanted))
    lowest = min(heights.values())
    return {place: height - lowest for place, height in heights.items()}


def _apart(wanted: Mapping[str, float]) -> dict[str, float]:
    """Places in the order of their wanted heights, at least a row apart, on average where wanted."""
    order = sorted(wanted, key=lambda place: (wanted[place], place))
    found: dict[str, float] = {}
    last = float("-inf")
    for place in order:
        last = max(wanted[place], last + 1)
        found[place] = last
    shift = sum(wanted[place] - found[place] for place in order) / len(order)
    return {place: height + shift for place, height in found.items()}


def _svg(
    jobs: Mapping[str, int],
    depth: Mapping[str, int],
    columns: list[list[str]],
    heights: Mapping[str, float],
    ways: Iterable[Way],
) -> Markup:
    labels = {rule: rule if count == 1 else f"{rule} ({count})" for rule, count in jobs.items()}
    widths = [
        max((len(labels[place]) for place in column if place in depth), default=0) * LETTER + 16
        for column in columns
    ]
    lefts = [MARGIN + sum(widths[:k]) + GAP * k for k in range(len(widths))]
    middles = {place: MARGIN + BOX_HEIGHT / 2 + ROW * height for place, height in heights.items()}
    edges = [_curve(way, depth[way.needed], lefts, widths, middles) for way in ways]
    boxes = [
        _box(labels[rule], lefts[layer], widths[layer], middles[rule]) for rule, layer in depth.items()
    ]
    width = lefts[-1] + widths[-1] + MARGIN
    height = max(middles.values()) + BOX_HEIGHT / 2 + MARGIN
    title = f"The {len(jobs)} rules of the workflow, each to the right of the rules it needs"
    return Markup(
        '<svg class="rules" role="img" aria-label="{title}" xmlns="http://www.w3.org/2000/svg" '
        'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}">{parts}</svg>'
    ).format(title=title, width=width, height=height, parts=Markup("").join([*edges, *boxes]))


def _curve(
    way: Way, layer: int, lefts: list[float], widths: list[float], middles: Mapping[str, float]
) -> Markup:
    """An edge as a smooth line from the right side of one box to the left side of another."""
    x, y = lefts[layer] + widths[layer], middles[way.needed]
    path = f"M{x:.1f} {y:.1f}"
    for k, stop in enumerate(way.stops[1:], start=layer + 1):
        reach, target = (lefts[k] - x) / 2, middles[stop]
        path += f" C{x + reach:.1f} {y:.1f} {x + reach:.1f} {target:.1f} {lefts[k]:.1f} {target:.1f}"
        x, y = lefts[k], target
        if stop != way.needing:
            x = lefts[k] + widths[k]
            path += f" H{x:.1f}"
    return Markup('<path d="{}"><title>{} → {}</title></path>').format(path, way.needed, way.needing)


def _box(label: str, left: float, width: float, middle: float) -> Markup:
    return Markup(
        '<g><rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{}" rx="5"></rect>'
        '<text x="{:.1f}" y="{:.1f}">{}</text></g>'
    ).format(
        left, middle - BOX_HEIGHT / 2, width, BOX_HEIGHT, left + width / 2, middle + 4, escape(label)
    )
