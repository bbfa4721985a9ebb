"""Exponents and edges of the r-sweep: theory, its check on stored matrices, and planted edges."""

import math
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from dynparam.engines.network import DenseMap
from dynparam.engines.trajectory import sgd_trajectory
from dynparam.experiments.r_sweep import edges as sweep_edges
from dynparam.settings.widths import NarrowWidth
from dynparam.theory.parametrization import scales_of_update
from dynparam.theory.update_bound import (
    drift_exponents,
    expected_edge,
    reference_exponent,
    reference_width,
)
from dynparam.theory.widths import Widths, bottleneck
from dynparam.trials.networks import hidden_exponents
from tests.sweeps import HIDDEN, edges_stage, planted_sweep

REFERENCES = ("n_min", "geometric_mean", "n_max")
ROOT = (Fraction(1), Fraction(1, 2), Fraction(1), Fraction(1, 2), Fraction(1))


def test_edges_of_the_square_root_family():
    assert hidden_exponents(edges_stage().network, edges_stage().sweep.narrow) == ROOT
    edges = [expected_edge(reference, ROOT) for reference in REFERENCES]
    assert edges == [Fraction(1, 2), Fraction(5, 16), Fraction(1, 4)]
    narrow = NarrowWidth(coefficient=150, exponent="1/5")
    fifth = hidden_exponents(edges_stage().network, narrow)
    assert expected_edge("n_max", fifth) == Fraction(1, 10)


def test_reference_widths():
    widths = Widths((3072, 100, 25, 100, 25, 100, 2))
    sizes = [reference_width(reference, widths) for reference in REFERENCES]
    assert sizes == pytest.approx([25, stats.gmean([100, 25, 100, 25, 100]), 100])


@given(
    st.lists(st.fractions(min_value=Fraction(1, 10), max_value=1), min_size=1, max_size=6),
    st.sampled_from(REFERENCES),
    st.fractions(min_value=0, max_value=1),
)
def test_no_drift_grows_up_to_the_edge_and_one_does_beyond(hidden, reference, r):
    largest = max(drift_exponents(r * reference_exponent(reference, hidden), hidden))
    assert (largest > 0) == (r > expected_edge(reference, hidden))


@given(st.lists(st.fractions(min_value=Fraction(1, 10), max_value=1), min_size=1, max_size=6))
def test_the_edge_is_a_half_of_n_min_and_earlier_for_wider_references(hidden):
    edges = [expected_edge(reference, hidden) for reference in REFERENCES]
    assert edges[0] == Fraction(1, 2)
    assert edges == sorted(edges, reverse=True)


def dense_slopes(updates, sizes=(128, 512, 2048), trials=80):
    """For each size of updates, slopes (5,) of the drift's root mean square on n, with standard errors.

    At the second step, on stored matrices, at a learning rate small enough that the second step's
    gradient is the first's; one image, and a target so far away that it alone makes the error. Mean
    squares are free of the widths' own bias. All sizes of updates see the same noise, drawn once.
    """
    squares = {update: np.empty((len(sizes), trials, 5)) for update in updates}
    x = torch.ones(2, 1, 30, dtype=torch.float64)
    y = torch.tensor([[[100.0, 0.0]]] * 2, dtype=torch.float64)
    for place, n in enumerate(sizes):
        widths = bottleneck(n, round(2 * math.sqrt(n)), hidden=HIDDEN, n_in=30)
        for trial in range(trials):
            generator = torch.Generator().manual_seed(1000 * place + trial)
            noise = [
                torch.randn(fan_out, fan_in, generator=generator, dtype=torch.float64)
                for fan_in, fan_out in widths.layers()
            ]
            for update in updates:
                scales = scales_of_update(widths, n ** float(update))
                maps = [DenseMap(std * z) for std, z in zip(scales.init_std, noise, strict=True)]
                seen = sgd_trajectory(maps, scales, x, y, 1e-8)
                squares[update][place, trial] = seen.drift[1, :5] ** 2
    return {update: slopes_of_log(sizes, found) for update, found in squares.items()}


def slopes_of_log(sizes, squares):
    """Slopes of the logarithm of squares' root mean on that of sizes, and their standard errors."""
    log_n = np.log(sizes)
    weights = (log_n - log_n.mean()) / np.square(log_n - log_n.mean()).sum()
    means = squares.mean(axis=1)
    errors = stats.sem(squares, axis=1) / means / 2
    return weights @ np.log(means) / 2, np.sqrt(np.square(weights) @ errors**2)


def test_exponents_of_the_drift_are_those_of_stored_matrices():
    """All hidden layers, for updates of a size from below sqrt(n_min) to beyond it.

    Four standard errors: false alarm 1e-3 over 15 slopes. In their differences from one size of updates
    to another noise cancels.
    """
    sizes = (Fraction(1, 8), Fraction(1, 4), Fraction(3, 8))
    found = dense_slopes(sizes)
    for update, (slopes, errors) in found.items():
        expected = np.array([float(a) for a in drift_exponents(update, ROOT)])
        assert errors.max() < 0.05
        assert (np.abs(slopes - expected) < 4 * errors).all()
    for one, other in ((sizes[0], sizes[1]), (sizes[1], sizes[2])):
        np.testing.assert_allclose(found[other][0] - found[one][0], float(other - one), atol=0.02)


def test_a_planted_edge_is_found():
    """Edges planted at sqrt(n_min): every verdict agrees."""
    settings = edges_stage()
    found = sweep_edges.summary(planted_sweep(settings), settings)
    assert list(found.columns) == list(sweep_edges.SUMMARY)
    assert list(zip(found["statistic"], found["reference"], strict=True)) == [
        (statistic, reference) for statistic in ("drift", "growth") for reference in REFERENCES
    ]
    assert set(found["verdict"]) == {"agrees"}
    np.testing.assert_allclose(found["update_exponent"], 0.25, atol=0.03)
    assert found["note"].str.startswith("updates at the edge follow n^0.2").all()


def test_the_note_tells_the_size_of_updates_and_all_roots():
    """Ends in powers of n, whatever the reference is; the roots are half the exponents of widths."""
    settings = edges_stage()
    found = sweep_edges.summary(planted_sweep(settings), settings)
    powers = {"n_min": 1 / 2, "geometric_mean": 4 / 5, "n_max": 1}
    for row in found.to_dict("records"):
        power = powers[row["reference"]]
        size, low, high = (row[name] * power for name in ("edge", "ci_low", "ci_high"))
        assert row["update_exponent"] == pytest.approx(size)
        assert row["update_expected"] == 0.25
        assert row["edge_expected"] == pytest.approx(0.25 / power)
        assert row["note"] == (
            f"updates at the edge follow n^{size:.3f} [{low:.3f}, {high:.3f}]; the roots are "
            "n^0.25 of n_min, n^0.4 of the geometric mean, n^0.5 of n_max"
        )


@pytest.mark.parametrize("edge", [0.1, 0.4])
def test_an_edge_elsewhere_disagrees(edge):
    """Growth planted at the root of the geometric mean (0.4), or long before sqrt(n_min)."""
    settings = edges_stage()
    found = sweep_edges.summary(planted_sweep(settings, edge=edge), settings)
    assert set(found["verdict"]) == {"disagrees"}
    np.testing.assert_allclose(found["update_exponent"], edge, atol=0.04)


def test_large_scatter_leaves_it_undecided():
    settings = edges_stage()
    found = sweep_edges.summary(planted_sweep(settings, scatter=2.0), settings)
    assert "disagrees" not in set(found["verdict"])
    assert "undecided" in set(found["verdict"])


def test_no_edge_in_range_is_said():
    settings = edges_stage(r=["0", "1/8"])
    found = sweep_edges.summary(planted_sweep(settings), settings)
    drift = found[found["statistic"] == "drift"]
    assert drift["edge"].isna().all()
    assert set(drift["verdict"]) == {"undecided"}
    assert set(drift["note"]) == {"no edge in the range of r"}


def test_exponents_of_planted_trials():
    settings = edges_stage()
    table = sweep_edges.exponents(planted_sweep(settings), settings)
    drift = table[table["statistic"] == "drift"]
    assert len(drift) == 3 * 9 * 5
    assert set(drift["verdict"]) == {"agrees"}
    np.testing.assert_allclose(drift["exponent"], drift["expected"], atol=0.03)
    growth = table[table["statistic"] == "growth"].set_index(["reference", "r"])
    assert len(growth) == 3 * 9
    stated = growth["expected"].notna()
    assert [reference for reference, r in growth.index[stated] if r == 0.5] == ["n_min"]
    assert stated.sum() == 5 + 3 + 3
    assert (growth.loc[~stated, "verdict"] == "").all()
    assert (growth.loc[("n_max", 1.0), ["ci_low", "exponent"]] > 0.5).all()


def test_diverged_trials_have_no_slope_and_infinite_growth():
    settings = edges_stage()
    trials = planted_sweep(settings)
    gone = (trials["experiment"] == "training") & (trials["r"] == 1) & (trials["trial"] < 3)
    trials.loc[gone, "diverged_at"] = 3
    trials = trials[~(gone & (trials["step"] >= 3))]
    growth = sweep_edges.growths(trials)
    infinite = np.isinf(growth["growth"])
    assert (infinite == growth["diverged"]).all()
    assert infinite.sum() == 3 * 3 * 3
    table = sweep_edges.exponents(trials, settings)
    at_one = table[(table["statistic"] == "growth") & (table["r"] == 1)]
    assert set(at_one["left_out"]) == {3}
    assert set(at_one["trials"]) == {5}


def test_r_where_the_second_step_diverged_do_not_hide_the_edge():
    settings = edges_stage()
    trials = planted_sweep(settings)
    second = (trials["experiment"] == "second_step") & (trials["step"] == 2)
    lost = second & (trials["r"] == 1) & (trials["trial"] == 0) & (trials["n"] == 100_000)
    found = sweep_edges.summary(trials[~lost], settings)
    assert set(found["verdict"]) == {"agrees"}


def test_growth_is_the_largest_of_all_steps_relative_to_the_first():
    """Where it comes in the course of training, and in what units gradients are, does not matter."""
    trials = planted_sweep(edges_stage())
    expected = sweep_edges.growths(trials)
    assert expected["growth"].max() > 10
    steps = sorted(trials["step"].unique())
    middle, last = steps[1], steps[-1]
    early, first_layer = trials.copy(), trials["layer"] == 1
    rows = [
        early.index[first_layer & (trials["experiment"] == "training") & (trials["step"] == s)]
        for s in (middle, last)
    ]
    early.loc[rows[0], "gradient_norm"] = trials.loc[rows[1], "gradient_norm"].to_numpy()
    early.loc[rows[1], "gradient_norm"] = 0.5
    pd.testing.assert_frame_equal(sweep_edges.growths(early), expected)
    # The loss scales all gradients of a step, the initialization those of a layer.
    other = trials.assign(gradient_norm=trials["gradient_norm"] * (1 + trials["step"]))
    other.loc[first_layer, "gradient_norm"] *= 7
    pd.testing.assert_frame_equal(sweep_edges.growths(other), expected)


@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_few_crossings_have_the_t_interval_of_scipy(confidence):
    """Three lines of one rise, each with its own zero in one gap between two r."""
    zeros = np.array([0.52, 0.55, 0.6])
    r = np.linspace(0, 1, 9)
    found = sweep_edges.crossing(r, (r - zeros[:, None]) * 1.5, confidence)
    expected = stats.ttest_1samp(zeros, 0).confidence_interval(confidence)
    assert found.value == pytest.approx(zeros.mean())
    assert found.interval == pytest.approx(tuple(expected))
    assert found.degrees_of_freedom == 2


def test_few_exponents_have_the_t_interval_of_scipy():
    settings = edges_stage(
        second_step={"widths": {"smallest": 1000, "largest": 100_000, "count": 3}, "trials": 3},
        training={"widths": {"smallest": 1000, "largest": 30_000, "count": 3}, "trials": 3},
    )
    trials = planted_sweep(settings)
    table = sweep_edges.exponents(trials, settings).set_index(["statistic", "reference", "r", "layer"])
    for (reference, r, layer), rows in sweep_edges.drift_slopes(trials).groupby(
        ["reference", "r", "layer"]
    ):
        row = table.loc[("drift", reference, r, layer)]
        expected = stats.ttest_1samp(rows["slope"], 0).confidence_interval(0.95)
        assert row["trials"] == 3
        assert row[["ci_low", "ci_high"]].tolist() == pytest.approx(list(expected))
    narrow = sweep_edges.narrow_exponents(trials, settings).set_index(["reference", "r"])
    for key, row in narrow.iterrows():
        # Both narrow layers have the same planted drift.
        assert row[["ci_low", "ci_high"]].tolist() == pytest.approx(
            table.loc[("drift", *key, 2), ["ci_low", "ci_high"]].tolist()
        )


@pytest.mark.parametrize("gap", [1.0, 0.5])
def test_an_r_with_a_gap_is_left_out_and_all_trials_stay(gap):
    """Also where the edge lies at it: the crossing is interpolated between the r that are whole."""
    settings = edges_stage()
    trials = planted_sweep(settings)
    trials = trials[trials["reference"] == "n_min"]
    second = (trials["experiment"] == "second_step") & (trials["step"] == 2)
    lost = second & (trials["r"] == gap) & (trials["trial"] == 0) & (trials["n"] == 100_000)
    found = sweep_edges.drift_edge(trials[~lost], settings)
    assert found.degrees_of_freedom == 19
    assert found == sweep_edges.drift_edge(trials[trials["r"] != gap], settings)
    whole = sweep_edges.drift_edge(trials, settings)
    assert found.value == pytest.approx(whole.value, abs=1e-9)


def test_the_drift_is_the_mean_of_both_narrowest_layers():
    """Layers 2 and 4 planted apart: exponents and edge lie half-way."""
    settings = edges_stage()
    trials = planted_sweep(settings, scatter=0.0)
    fourth = trials["layer"] == 4
    trials.loc[fourth, "drift"] *= trials.loc[fourth, "n"] ** 0.1
    by_layer = sweep_edges.exponents(trials, settings).set_index(
        ["statistic", "reference", "r", "layer"]
    )
    narrow = sweep_edges.narrow_exponents(trials, settings)
    powers = {"n_min": 1 / 2, "geometric_mean": 4 / 5, "n_max": 1}
    expected = [r * powers[m] - 1 / 4 for m, r in zip(narrow["reference"], narrow["r"], strict=True)]
    assert narrow["expected"].tolist() == pytest.approx(expected)
    for _, row in narrow.iterrows():
        at = ("drift", row["reference"], row["r"])
        pair = [by_layer.loc[(*at, layer), "exponent"] for layer in (2, 4)]
        assert pair[1] - pair[0] == pytest.approx(0.1)
        assert row["exponent"] == pytest.approx(np.mean(pair))
    table = trials[trials["reference"] == "n_min"]
    # The exponent is r/2 - 1/4 in one layer and r/2 - 3/20 in the other, up to rounded widths.
    assert sweep_edges.drift_edge(table, settings).value == pytest.approx(0.4, abs=0.01)


def test_intervals_of_the_crossing_hold_it_at_their_level():
    """1000 sets of 20 trials, noise common to all r and noise of each: the level is 0.95.

    The covered count is binomial but for the linearization; [0.92, 0.975] is four standard errors and
    more from 0.95.
    """
    generator = np.random.default_rng(7)
    r = np.linspace(0, 1, 9)
    hits = 0
    for _ in range(1000):
        noise = generator.normal(0, 0.1, (20, 1)) + generator.normal(0, 0.03, (20, 9))
        found = sweep_edges.crossing(r, (r - 0.5) / 2 + noise, 0.95)
        hits += found.ci_low <= 0.5 <= found.ci_high
    assert 920 <= hits <= 975


@given(st.floats(0.05, 0.95), st.floats(0.1, 3))
def test_a_straight_line_crosses_where_it_is_zero(edge, rise):
    r = np.linspace(0, 1, 9)
    slopes = np.tile((r - edge) * rise, (3, 1))
    found = sweep_edges.crossing(r, slopes, 0.95)
    assert found.value == pytest.approx(edge, abs=1e-9)
    assert found.ci_high - found.ci_low < 1e-9


@pytest.mark.parametrize(
    ("means", "edge"),
    [
        ((-0.5, 0.0, 0.5), 0.5),
        ((-0.5, -0.25, 0.0), 1.0),
        ((-0.25, 0.25, 0.5), 0.25),
        ((-0.25, 0.25, -0.25), 0.25),
        ((0.0, 0.25, 0.5), None),
        ((0.25, 0.5, 0.75), None),
        ((-0.5, -0.25, -0.125), None),
        ((0.25, -0.25, 0.75), 0.625),
    ],
)
def test_the_edge_is_where_the_mean_first_comes_to_zero_from_below(means, edge):
    """Of three trials a little apart; nothing is found where it never does."""
    slopes = np.array(means) + np.array([[-0.01], [0.0], [0.01]])
    found = sweep_edges.crossing(np.array([0.0, 0.5, 1.0]), slopes, 0.95)
    assert np.isnan(found.value) if edge is None else found.value == pytest.approx(edge)


def test_onset():
    u = pd.Series([1.0, 8.0, 2.0, 4.0])
    assert sweep_edges.onset(u, pd.Series([1.0, 27.0, 1.0, 3.0]), 3.0) == pytest.approx(4)
    assert sweep_edges.onset(u, pd.Series([1.0, 9.0, 1.0, 1.0]), 3.0) == pytest.approx(math.sqrt(32))
    assert sweep_edges.onset(u, pd.Series([1.0, np.inf, 1.0, 1.0]), 3.0) == 8
    assert math.isnan(sweep_edges.onset(u, pd.Series([1.0, 1.0, 1.0, 1.0]), 3.0))
    assert math.isnan(sweep_edges.onset(u, pd.Series([5.0, 5.0, 5.0, 5.0]), 3.0))
