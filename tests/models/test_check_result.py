"""Slopes, verdicts and regimes of coordinate checks, from planted tables."""

from itertools import product

import pandas as pd
import pytest
import torch

import dynparam
from dynparam.models.check_result import CoordinateCheck, Question
from dynparam.models.expected import LayeredNetwork
from dynparam.models.graph import LayerGraph
from dynparam.models.layers import find_layers
from dynparam.presentation.figure_style import LAYER_COLOURS, LAYER_MARKERS
from dynparam.statistics.verdicts import ClaimVerdict
from tests.drawn import error_bars, plain_lines
from tests.own_models import chain
from tests.printed import faults

WIDTHS = (32, 64, 128)
COLUMN = {"preactivation": "preactivation_rms", "update": "update_rms", "alignment": "alignment"}


def planted(make_sizes, exponents=None, *, steps=1, tolerance=0.2):
    """A check whose sizes are width^exponent to the bit, 1 where ``exponents`` says nothing.

    ``make_sizes`` gives the widths n_0 ... n_L of a chain, ``exponents`` maps (step, layer, quantity).
    """
    networks = {}
    for width in WIDTHS:
        sizes = make_sizes(width)
        layers = find_layers(chain(sizes), torch.zeros(1, sizes[0], dtype=torch.float64))
        networks[width] = LayeredNetwork(layers, min(sizes[1:-1]), LayerGraph((), (), frozenset()))
    rows = [
        {
            "width": width,
            "n_min": networks[width].n_min,
            "seed": seed,
            "step": step,
            "layer": index,
            "name": layer.name,
            "fan_in": layer.fan_in,
            "fan_out": layer.fan_out,
            "gradient_norm": 1.0,
            **{
                column: float(width) ** (exponents or {}).get((step, index, quantity), 0.0)
                for quantity, column in COLUMN.items()
            },
        }
        for width, seed, step in product(WIDTHS, range(2), range(1, steps + 1))
        for index, layer in enumerate(networks[width].layers, start=1)
    ]
    return CoordinateCheck(pd.DataFrame(rows), networks, Question(None, 0.5, 0.95, tolerance))


def two_narrow(n):
    """Layers 2 and 4 are the narrowest, at every width."""
    return (5, n, n // 4, n, n // 4, n, 2)


MOVES = [
    ((0.0, 0.0), "rich"),
    ((-0.5, 0.0), "lazy"),
    ((0.0, -0.5), "lazy"),
    ((-0.5, -0.3), "lazy"),
    ((0.5, 0.0), "unstable"),
    ((0.0, 0.5), "unstable"),
    ((0.3, 0.5), "unstable"),
    ((-0.19, 0.19), "rich"),
]


@pytest.mark.parametrize(("slopes", "regime"), MOVES)
def test_one_of_two_narrowest_layers_decides_the_regime(slopes, regime):
    """Updates of layers 2 and 4; one that moves less and less (or more and more) is enough."""
    found = planted(
        two_narrow, {(1, layer, "update"): a for layer, a in zip((2, 4), slopes, strict=True)}
    )
    assert found.regime == regime


@pytest.mark.parametrize(("slope", "regime"), [(0.3, "unstable"), (-0.3, "lazy"), (0.1, "rich")])
def test_the_regime_is_judged_by_the_tolerance(slope, regime):
    planned = {(1, layer, "update"): slope for layer in (2, 4)}
    assert planted(two_narrow, planned).regime == regime
    assert planted(two_narrow, planned, tolerance=0.35).regime == "rich"


def test_scattered_updates_leave_the_regime_undecided():
    """Two seeds a factor of ten apart at each width: no interval lies on one side of the tolerance."""
    found = planted(two_narrow, {(1, 2, "update"): -0.5})
    found.table.loc[found.table["seed"] == 1, "update_rms"] *= 10
    assert found.regime == "undecided"


def test_wide_layers_and_the_readout_do_not_decide_the_regime():
    """The readout has two units, fewer than any hidden layer."""
    assert planted(two_narrow, {(1, layer, "update"): -0.5 for layer in (1, 3, 5, 6)}).regime == "rich"


@pytest.mark.parametrize(("moving", "regime"), [(2, "lazy"), (4, "rich")])
def test_a_layer_that_is_narrowest_at_one_width_does_not_decide_the_regime(moving, regime):
    """Layer 2 is narrowest everywhere; layer 4, n/2 - 8, is as narrow at the smallest width only."""
    found = planted(lambda n: (5, n, n // 4, n, n // 2 - 8, n, 2), {(1, moving, "update"): -0.5})
    assert found.regime == regime


def test_without_a_layer_that_is_narrowest_everywhere_the_regime_is_undecided():
    """A fixed width of 48 lies between the other layers' smallest and largest."""
    assert planted(lambda n: (5, n, 48, n, 2)).regime == "undecided"


@pytest.mark.parametrize(("last", "regime"), [(-0.5, "lazy"), (0.0, "rich"), (0.5, "unstable")])
def test_the_regime_is_that_of_the_last_step(last, regime):
    moves = {(1, 2, "update"): -last, (2, 2, "update"): 0.3, (3, 2, "update"): last}
    found = planted(two_narrow, moves, steps=3)
    assert (found.regime, found.last_step) == (regime, 3)


@pytest.mark.parametrize("steps", [1, 2, 7])
@pytest.mark.parametrize(("slope", "regime"), [(-0.5, "lazy"), (0.0, "rich"), (0.5, "unstable")])
def test_what_is_printed_says_at_which_step_the_regime_was_judged(steps, slope, regime):
    told = str(planted(two_narrow, {(steps, 2, "update"): slope}, steps=steps))
    assert f"Regime at step {steps}: {regime}." in told
    assert "Regime:" not in told


@pytest.mark.parametrize(("steps", "more"), [(1, 20), (2, 40), (5, 100)])
@pytest.mark.parametrize("slope", [-0.5, 0.5])
def test_a_regime_that_is_not_rich_is_to_be_looked_at_again_with_more_steps(steps, more, slope):
    told = str(planted(two_narrow, {(steps, 2, "update"): slope}, steps=steps))
    assert (
        f"It is judged at step {steps}: a network on a plateau may become rich later; look again with "
        f"steps={more}."
    ) in told


def test_of_a_rich_regime_no_second_look_is_asked():
    assert "look again" not in str(planted(two_narrow, steps=2))


def test_slopes_of_every_step_are_those_planted():
    """Each step, layer and quantity has an exponent of its own; with no scatter intervals are points."""
    exponents = {
        (step, layer, quantity): step + layer / 10 + place / 100
        for step in (1, 2)
        for layer in range(1, 7)
        for place, quantity in enumerate(COLUMN)
    }
    found = planted(two_narrow, exponents, steps=2).slopes
    rows = found.set_index(["step", "layer", "quantity"])
    assert list(rows.index) == list(exponents)
    for column in ("slope", "ci_low", "ci_high"):
        assert rows[column].to_dict() == pytest.approx(exponents)
    assert rows["name"].loc[2, 3, "update"] == "4"


# Preactivations of layer 2 (hidden) and of layer 6 (readout), alignment of layer 3: what fails.
JUDGED = [
    ((1, 2, "preactivation"), 0.5, "2.18", ClaimVerdict.FAILS),
    ((1, 2, "preactivation"), -0.5, "2.18", ClaimVerdict.FAILS),
    ((1, 6, "preactivation"), 0.5, "2.19", ClaimVerdict.FAILS),
    ((1, 6, "preactivation"), -0.5, "2.19", ClaimVerdict.HOLDS),
    ((1, 3, "alignment"), 0.5, "2.31", ClaimVerdict.FAILS),
    ((1, 3, "alignment"), -0.5, "2.31", ClaimVerdict.FAILS),
    ((1, 6, "alignment"), -0.5, "2.31", ClaimVerdict.FAILS),
    ((2, 3, "alignment"), 0.5, "2.31", ClaimVerdict.FAILS),
    ((1, 3, "update"), 0.5, "", ""),
]


@pytest.mark.parametrize(("where", "slope", "condition", "verdict"), JUDGED)
def test_conditions_are_judged_on_their_slopes(where, slope, condition, verdict):
    """Eqs. 2.18, 2.19 and 2.31, in any layer and step; the worst verdict is the check's."""
    found = planted(two_narrow, {where: slope}, steps=2)
    row = found.slopes.set_index(["step", "layer", "quantity"]).loc[where]
    assert (row["condition"], row["verdict"]) == (condition, verdict)
    failed = verdict == ClaimVerdict.FAILS
    assert found.verdict == (ClaimVerdict.FAILS if failed else ClaimVerdict.HOLDS)
    step, layer, quantity = where
    told = f"{condition} fails at {2 * layer - 2}, step {step}: its {quantity} goes as width^{slope:.2f}"
    assert [sentence[: len(told)] for sentence in found.sentences()] == ([told] if failed else [])


def test_theory_expects_nothing_of_later_steps():
    """Exponents are those of the initial weights; in the first step there is one for every row."""
    batch = {
        "sample_input": torch.eye(5, dtype=torch.float64),
        "target": torch.eye(5, dtype=torch.float64)[:, :2],
    }
    found = dynparam.coordinate_check(lambda n: chain((5, n, n, 2)), (16, 32), seeds=2, steps=2, **batch)
    first, later = (found.slopes[found.slopes["step"] == step] for step in (1, 2))
    assert found.orders is not None
    for quantity in COLUMN:
        rows = first[first["quantity"] == quantity]
        assert rows["expected"].tolist() == list(getattr(found.orders, quantity))
    assert (first["agrees"] != "").all()
    assert set(later["expected"]) == {None}
    assert set(later["agrees"]) == {""}


def scattered(steps=2):
    """A planted check whose sizes scatter over seeds, and whose slopes differ from step to step."""
    exponents = {
        (step, layer, quantity): step / 2 + layer / 10 + place / 100
        for step in range(1, steps + 1)
        for layer in range(1, 7)
        for place, quantity in enumerate(COLUMN)
    }
    found = planted(two_narrow, exponents, steps=steps)
    factor = 1 + 0.5 * found.table["seed"]
    for column in COLUMN.values():
        found.table[column] *= factor
    return found


@pytest.mark.parametrize("step", [1, 2])
def test_the_figure_shows_the_sizes_lines_and_slopes_of_the_step(step):
    """Means of both seeds with their deviations, and the fitted line with its slope in the legend."""
    found = scattered()
    rows = found.table[found.table["step"] == step]
    for axis, (quantity, column) in zip(found.plot(step=step).axes, COLUMN.items(), strict=True):
        bars, lines = error_bars(axis), plain_lines(axis, "--")
        word = {"preactivation": r"tilde{h}^{(\ell)}_i", "update": "Delta", "alignment": "langle"}[
            quantity
        ]
        assert word in axis.get_title()
        assert (axis.get_xscale(), axis.get_yscale()) == ("log", "log")
        assert [label.get_text() for label in axis.get_xticklabels()] == ["32", "64", "128"]
        legend = [text.get_text() for text in axis.get_legend().get_texts()]
        assert len(bars) == len(lines) == len(legend) == 6
        slopes = found.slopes.set_index(["step", "layer", "quantity"])["slope"]
        for layer in range(1, 7):
            sizes = rows[rows["layer"] == layer].groupby("width")[column]
            bar, line = bars[layer - 1], lines[layer - 1]
            assert (bar.colour, bar.marker) == (
                LAYER_COLOURS[layer - 1].lower(),
                LAYER_MARKERS[layer - 1],
            )
            assert line.get_color() == LAYER_COLOURS[layer - 1]
            assert bar.x == list(WIDTHS)
            assert bar.y == pytest.approx(sizes.mean().tolist())
            assert bar.high == pytest.approx((sizes.mean() + sizes.std(ddof=1)).tolist())
            assert bar.low == pytest.approx((sizes.mean() - sizes.std(ddof=1)).tolist())
            slope = slopes[step, layer, quantity]
            assert list(line.get_ydata()) == pytest.approx(bar.y)
            assert legend[layer - 1] == f"{2 * layer - 2}  ${slope:+.2f}$"


@pytest.mark.parametrize(
    ("where", "slope", "said"),
    [
        ((1, 3, "update"), 0.0, "holds; regime at step 2: rich"),
        ((2, 2, "update"), -0.5, "holds; regime at step 2: lazy"),
        ((2, 2, "update"), 0.5, "holds; regime at step 2: unstable"),
        ((1, 3, "alignment"), 0.5, "fails; regime at step 2: rich"),
    ],
)
def test_the_figure_says_what_the_check_concludes(where, slope, said):
    found = planted(two_narrow, {where: slope}, steps=2)
    above = found.plot().get_suptitle().replace("\n", " ")
    assert above == found.message
    assert above == f"With the model as it comes, sizes and alignments are kept: {said}"


@pytest.mark.parametrize("layers", [1, 3, 12])
def test_no_text_of_the_figure_lies_on_another(layers):
    """However many lines the legends have."""
    assert not faults(planted(lambda n: (5, *[n] * layers, 2)).plot())


def test_a_seventh_layer_is_drawn_as_the_first():
    found = planted(lambda n: (5, n, n, n, n, n, n, 2))
    for axis in found.plot().axes:
        bars = error_bars(axis)
        assert len(bars) == 7
        assert (bars[6].colour, bars[6].marker) == (bars[0].colour, bars[0].marker)


def test_a_bar_below_zero_ends_at_a_tenth_of_the_mean():
    """Two seeds a factor of 50 apart deviate by more than their mean, which log axes cannot show."""
    found = planted(two_narrow)
    found.table.loc[found.table["seed"] == 1, list(COLUMN.values())] *= 50
    for axis in found.plot().axes:
        for bar in error_bars(axis):
            assert bar.y == pytest.approx([25.5] * len(WIDTHS))
            assert bar.low == pytest.approx([2.55] * len(WIDTHS))
            assert bar.high == pytest.approx([25.5 + 49 / 2**0.5] * len(WIDTHS))


def test_expected_exponents_stand_behind_slopes():
    batch = {
        "sample_input": torch.eye(5, dtype=torch.float64),
        "target": torch.eye(5, dtype=torch.float64)[:, :2],
    }
    found = dynparam.coordinate_check(
        lambda n: chain((5, n, n, 2)), (16, 64), parametrization="ntk", seeds=3, **batch
    )
    for axis, quantity in zip(found.plot().axes, COLUMN, strict=True):
        legend = [text.get_text() for text in axis.get_legend().get_texts()]
        exact = getattr(found.orders, quantity)
        assert [text.partition("$  ")[2] for text in legend] == [f"({one})" for one in exact]
    lines = str(found).split("\n\n")[1].splitlines()[1:]
    for line, row in zip(lines, found.slopes.to_dict("records"), strict=True):
        known, judged = line.split()[:4], line.split()[7:]
        assert known == [str(row["layer"]), row["name"], row["quantity"], str(row["expected"])]
        assert judged == [one for one in (row["agrees"], row["verdict"]) if one]
        interval = f"{row['slope']:+.3f} [{row['ci_low']:+.3f}, {row['ci_high']:+.3f}]"
        assert interval.replace("-0.000", "+0.000") in line


def test_the_title_counts_widths_and_seeds():
    head = str(planted(two_narrow, steps=3)).partition("\n")[0]
    assert head == (
        "the model as it comes, widths 32, 64, 128, 2 seeds each; slopes of means against width"
    )


@pytest.mark.parametrize("failing", [False, True])
def test_what_is_undecided_is_told_and_a_failure_outweighs_it(failing):
    """Two seeds a factor of ten apart leave a slope of 0 unknown; the alignment of layer 3 grows."""
    found = planted(two_narrow, {(1, 3, "alignment"): 0.5} if failing else None)
    scattered = (found.table["seed"] == 1) & (found.table["layer"] == 2)
    found.table.loc[scattered, "preactivation_rms"] *= 10
    assert found.verdict == (ClaimVerdict.FAILS if failing else ClaimVerdict.UNDECIDED)
    told = ["2.18 undecided at 2, step 1: its preactivation goes as width^0.00 [-"]
    told += ["2.31 fails at 4, step 1: its alignment goes as width^0.50 [+0.50, +0.50]."] * failing
    assert [one[: len(start)] for one, start in zip(found.sentences(), told, strict=True)] == told
    *_, closing, first = str(found).splitlines()[: -len(told) + 1 or None]
    assert closing.startswith("Theory expects nothing here: the model came with initial values")
    assert first.startswith(told[0])
    assert f"Sizes and alignments are kept: {found.verdict}. Regime at step 1: rich." in str(found)


@pytest.mark.parametrize("steps", [1, 2])
def test_the_table_tells_steps_only_where_there_are_several(steps):
    head, *rows = str(planted(two_narrow, steps=steps)).split("\n\n")[1].splitlines()
    columns = ["layer", "quantity", "expected", "slope", "agrees", "verdict"]
    assert head.split() == (["step", *columns] if steps > 1 else columns)
    assert len(rows) == steps * 6 * len(COLUMN)
    assert rows[-1].split()[:3] == (["2", "6", "10"] if steps > 1 else ["6", "10", "alignment"])
