"""The tables of the report: cells a person reads, with the values they sort by and small pictures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from markupsafe import Markup

from dynparam.audit_result import AuditResult
from dynparam.claims_page import CLAIM_MARKS
from dynparam.claims_page import readable as readable_claims
from dynparam.rendering import VERDICT_MARKS
from dynparam.rendering import readable as readable_slopes
from dynparam.table1_1_page import readable as readable_entries

MARKS = {**VERDICT_MARKS, **CLAIM_MARKS, "passed": "✓ passed", "failed": "✗ failed"}
"""Every verdict as sign and word."""

TONES = {"✓": "good", "✗": "bad", "?": "open"}
"""For a verdict's sign, how the page colours it; sign and word say the same without colour."""

PLOT_WIDTH, PLOT_HEIGHT = 132, 16


@dataclass(frozen=True)
class Cell:
    """A cell: text or picture, what it sorts by (its text if empty), and the tone of a verdict."""

    text: str | Markup
    sort: str = ""
    tone: str = ""


@dataclass(frozen=True)
class Column:
    """A column: its head and meaning, whether it holds numbers, whether it can be sorted by."""

    head: str
    meaning: str = ""
    numeric: bool = False
    sortable: bool = True


@dataclass(frozen=True)
class Table:
    """A table of the page.

    Attributes:
        name: its anchor.
        title: what it is called.
        columns: its columns.
        rows: its cells, row by row.
        filters: columns that can be chosen by value.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    filters: tuple[str, ...] = ()

    def choices(self, head: str) -> list[str]:
        """The values of a column, each once."""
        place = [column.head for column in self.columns].index(head)
        return list(dict.fromkeys(str(row[place].text) for row in self.rows))


@dataclass(frozen=True)
class Count:
    """How many verdicts of each tone something has; ``anchor`` is where they are listed."""

    what: str
    anchor: str
    meaning: str
    tones: Mapping[str, int] = field(default_factory=dict)

    @property
    def all(self) -> int:
        """All verdicts together."""
        return sum(self.tones.values())


def verdict(value: str) -> Cell:
    """A verdict as sign, word and tone; a word that is none of ``MARKS`` as it is."""
    text = MARKS.get(value, value)
    return Cell(text, tone=TONES.get(text[:1], ""))


def count(what: str, anchor: str, meaning: str, verdicts: Iterable[str]) -> Count:
    """Verdicts counted by tone."""
    found = [verdict(one).tone for one in verdicts]
    return Count(what, anchor, meaning, {tone: found.count(tone) for tone in TONES.values()})


def slopes_table(table: pd.DataFrame, tolerance: float) -> Table:
    """The slopes (``comparison.COLUMNS``), each with its interval drawn beside what was expected."""
    text = readable_slopes(table)
    numbers = {"layer": "layer", "asymptotic": "asymptotic", "expected": "expected"}
    numbers |= {"exact": "expected_exact", "measured": "slope"}
    reach = _reach(table[["slope", "ci_low", "ci_high", "expected"]].to_numpy().ravel())
    pictures = [
        interval(row["ci_low"], row["slope"], row["ci_high"], reach, _expected(row), tolerance)
        for row in _records(table)
    ]
    columns = (
        Column("figure", "the figure whose widths these are"),
        Column("curve", "the curve of the configuration: widths and parametrization"),
        Column("parametrization"),
        Column("layer", "1 is the first hidden layer, the last one the readout", numeric=True),
        Column("asymptotic", "the exact exponent as n grows", numeric=True),
        Column("expected", "the slope that mean-field theory expects on these widths", numeric=True),
        Column("exact", "the same slope from many trials on the exact-law engine", numeric=True),
        Column("measured", "least squares on log-log axes, with its interval", numeric=True),
        Column(
            "interval", "bar: interval; dot: measured; band: expected with the tolerance", sortable=False
        ),
        Column("verdict", "whether the interval lies within the tolerance of what is expected"),
        Column("note", "whether the claim of the thesis shows"),
    )
    rows = _rows(text, table, columns, numbers, {"interval": pictures}, ("verdict",))
    return Table("slopes", "Measured and expected slopes", columns, rows, ("figure", "verdict"))


def claims_table(table: pd.DataFrame) -> Table:
    """The claims (``claims.COLUMNS``), each interval drawn on its own scale around zero."""
    text = readable_claims(table)
    pictures = [
        interval(low, value, high, _reach((low, value, high, 0.0)))
        for low, value, high in table[["ci_low", "value", "ci_high"]].to_numpy(float)
    ]
    columns = (
        Column("claim", "what the thesis says"),
        Column("source", "where it says so"),
        Column("metric", "what is compared, and at which epoch; area: the mean over all epochs"),
        Column(
            "difference", "dynamic less spectral over pairs of runs, with its interval", numeric=True
        ),
        Column(
            "interval",
            "bar: interval; dot: difference; upright line: zero; each on its own scale",
            sortable=False,
        ),
        Column("verdict", "whether the whole interval lies on the claim's side of zero"),
        Column("note", "pairs of runs, and the effect size d_z: mean over deviation of the differences"),
    )
    numbers = {"difference": "value"}
    rows = _rows(text, table, columns, numbers, {"interval": pictures}, ("verdict",))
    return Table("claims", "Claims on training curves", columns, rows, ("source", "verdict"))


def entries_table(table: pd.DataFrame, tolerance: float) -> Table:
    """Every entry of Table 1.1 (``table1_1.COLUMNS``)."""
    text = readable_entries(table).drop(columns="entry")
    reach = _reach(table[["slope", "ci_low", "ci_high", "exact"]].to_numpy().ravel())
    pictures = [
        interval(row["ci_low"], row["slope"], row["ci_high"], reach, row["exact"], tolerance)
        for row in _records(table)
    ]
    columns = (
        Column("parametrization"),
        Column("family", "how the narrow width grows with n"),
        Column("quantity", "one coordinate of the preactivation, or of its update"),
        Column("layer", numeric=True),
        Column("claimed", "the exponent that Table 1.1 gives", numeric=True),
        Column("exact", "the exponent that follows from the definitions", numeric=True),
        Column("expected", "the slope that theory expects on these widths", numeric=True),
        Column("measured", "the measured slope, with its interval", numeric=True),
        Column(
            "interval",
            "bar: interval; dot: measured; band: exact exponent with the tolerance",
            sortable=False,
        ),
        Column("verdict", "measured against the exact exponent"),
        Column("claim", "measured against the exponent of Table 1.1"),
        Column("note"),
    )
    numbers = {"layer": "layer", "claimed": "claimed", "exact": "exact", "expected": "expected"}
    numbers["measured"] = "slope"
    rows = _rows(text, table, columns, numbers, {"interval": pictures}, ("verdict", "claim"))
    chosen = ("parametrization", "family", "verdict", "claim")
    return Table("entries", "Every entry of Table 1.1", columns, rows, chosen)


def edges_table(table: pd.DataFrame, tolerance: float) -> Table:
    """The edges in r (``sweep_edges.SUMMARY``)."""
    values = [
        f"{value:.3f} [{low:.3f}, {high:.3f}]" if pd.notna(value) else "none"
        for value, low, high in table[["edge", "ci_low", "ci_high"]].to_numpy(float)
    ]
    text = table.assign(
        reference=table["reference"].str.replace("geometric_mean", "geometric mean"),
        expected=table["edge_expected"].map("{:.3f}".format),
        measured=values,
    )
    reach = _reach(table[["edge", "ci_low", "ci_high", "edge_expected"]].to_numpy().ravel())
    pictures = [
        interval(row["ci_low"], row["edge"], row["ci_high"], reach, row["edge_expected"], tolerance)
        for row in _records(table)
    ]
    columns = (
        Column(
            "statistic", "drift: eq. 2.55 at step 2; growth: gradients within some steps of training"
        ),
        Column("reference", "the width m of updates of size m^r"),
        Column("expected", "the r at which m^r follows sqrt(n_min)", numeric=True),
        Column(
            "measured", "the r from which the statistic grows with n, with its interval", numeric=True
        ),
        Column("interval", "bar: interval; dot: measured; band: expected and tolerance", sortable=False),
        Column("verdict", "whether the interval lies within the tolerance of what is expected"),
        Column("note"),
    )
    numbers = {"expected": "edge_expected", "measured": "edge"}
    rows = _rows(text, table, columns, numbers, {"interval": pictures}, ("verdict",))
    return Table("edges", "Edges in r", columns, rows)


def audits_table(audits: Mapping[str, AuditResult]) -> Table:
    """The audits, by the place of their run: task/network/parametrization."""
    columns = (
        Column("run", "pair of classes, n-n_min, parametrization"),
        Column("seed", "the archived run that was trained again", numeric=True),
        Column("epochs", numeric=True),
        Column("loss differs by", "largest relative difference of a loss", numeric=True),
        Column("allowed", "derived in docs/statistics.md", numeric=True),
        Column("accuracy differs by", "largest difference of an accuracy", numeric=True),
        Column("device"),
        Column("verdict"),
    )
    rows = tuple(
        (
            Cell(name),
            Cell(str(one.seed)),
            Cell(str(one.epochs)),
            _number(one.loss_difference),
            _number(one.tolerance),
            _number(one.accuracy_difference),
            Cell(one.device),
            verdict("passed" if one.passed else "failed"),
        )
        for name, one in audits.items()
    )
    return Table("audits", "Audits of archived curves", columns, rows)


def interval(
    low: float,
    value: float,
    high: float,
    reach: tuple[float, float],
    expected: float | None = None,
    tolerance: float = 0.0,
) -> Markup:
    """An interval as a line with a dot on an axis that spans ``reach``; nothing if it is unknown.

    Zero is marked; ``expected`` with ``tolerance`` to either side is a band behind. The numbers stand in
    the cell beside it, so that the picture is hidden from screen readers.
    """
    if not all(pd.notna(one) for one in (low, value, high)):
        return Markup("")

    def place(at: float) -> float:
        """Horizontal position in pixels; what lies outside is drawn at the edge."""
        inside = min(max(at, reach[0]), reach[1])
        return round(3 + (PLOT_WIDTH - 6) * (inside - reach[0]) / (reach[1] - reach[0]), 1)

    middle = PLOT_HEIGHT / 2
    band = Markup("")
    if expected is not None and pd.notna(expected):
        left, right = place(expected - tolerance), place(expected + tolerance)
        band = Markup('<rect x="{}" y="1" width="{}" height="{}"/>').format(
            left, round(right - left, 1), PLOT_HEIGHT - 2
        )
    return Markup(
        '<svg class="interval" aria-hidden="true" width="{w}" height="{h}" viewBox="0 0 {w} {h}">{band}'
        '<path class="zero" d="M{zero} 0V{h}"/><path d="M{low} {mid}H{high}"/>'
        '<circle cx="{at}" cy="{mid}" r="3"/></svg>'
    ).format(
        w=PLOT_WIDTH,
        h=PLOT_HEIGHT,
        band=band,
        zero=place(0.0),
        low=place(low),
        high=place(high),
        mid=middle,
        at=place(value),
    )


def _rows(
    text: pd.DataFrame,
    raw: pd.DataFrame,
    columns: Sequence[Column],
    numbers: Mapping[str, str],
    pictures: Mapping[str, Sequence[Markup]],
    verdicts: Sequence[str],
) -> tuple[tuple[Cell, ...], ...]:
    """Cells of ``text``, sorting by columns ``numbers`` of ``raw``, pictures by the first of them."""
    cells: list[list[Cell]] = []
    for column in columns:
        name = column.head
        if name in pictures:
            cells.append([Cell(picture) for picture in pictures[name]])
        elif name in verdicts:
            cells.append([verdict(str(value)) for value in raw[name]])
        else:
            keys = raw[numbers[name]].map(_key) if name in numbers else [""] * len(raw)
            shown = text[name].fillna("").astype(str)
            cells.append([Cell(one, key) for one, key in zip(shown, keys, strict=True)])
    return tuple(zip(*cells, strict=True))


def _key(value: Any) -> str:
    """A number as text that scripts read; nothing if it is missing."""
    return "" if pd.isna(value) else f"{float(value):.9g}"


def _number(value: float) -> Cell:
    return Cell(f"{value:.1e}", _key(value))


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]


def _expected(row: Mapping[str, Any]) -> float:
    """What a slope is compared with: the exact slope where there is one."""
    exact = row["expected_exact"]
    return float(row["expected"] if pd.isna(exact) else exact)


def _reach(values: Iterable[float]) -> tuple[float, float]:
    """The span of all finite values and zero, with some room."""
    finite = [float(value) for value in values if pd.notna(value) and abs(value) != float("inf")]
    low, high = min([0.0, *finite]), max([0.0, *finite])
    room = 0.05 * (high - low) or 1.0
    return low - room, high + room
