from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

from dynparam.engines.dense import one_step
from dynparam.experiments.alignments.comparison import (
    COLUMNS,
    CurveResults,
    ExpectedSlopes,
    claim_note,
    compare,
)
from dynparam.experiments.alignments.fits import fit_curve
from dynparam.experiments.alignments.settings import ComparisonStage, Law
from dynparam.settings.shared import Comparison, Fit
from dynparam.statistics.slopes import fit_slope, log_slope
from dynparam.statistics.verdicts import Verdict, equivalence
from dynparam.support.errors import DataError
from dynparam.theory.mean_field import mean_field
from dynparam.theory.parametrization import HALF, LayerScales, layer_rules, relu_gains
from dynparam.theory.widths import bottleneck, constant_ratio, log_spaced
from tests import joint_tests
from tests.networks import CURVES, probe_stage
from tests.open_choices import CONFIG

LAW = Law.model_validate(
    {
        "widths": {"smallest": 30, "largest": 3000, "count": 5},
        "trials": 4,
        "sliding": 3,
        "slopes_from": 300,
        "exact_trials": 20,
        "figures": {},
    }
)


def settings(tolerance=0.05, **figures):
    return ComparisonStage(
        network=probe_stage().network,
        probe=probe_stage().probe,
        law=LAW.model_copy(update={"figures": figures}),
        fit=Fit(seed=0, confidence=0.95, resamples=199),
        comparison=Comparison(tolerance=tolerance),
        panels={"fig_a": ("constant", "sharpening"), "fig_b": ("constant",)},
    )


def tables(slope, half_width, expected):
    fits = pd.DataFrame(
        {
            "layer": [1, 2],
            "slope": slope + 9,
            "ci_low": slope + 8,
            "ci_high": slope + 10,
            "judged_slope": slope,
            "judged_low": slope - half_width,
            "judged_high": slope + half_width,
            "judged_error": half_width / 2,
            "freedom": 290,
            "joint_freedom": 100.0,
            "covariance_1": [half_width**2 / 4, 0.0],
            "covariance_2": [0.0, half_width**2 / 4],
        }
    )
    n = np.array([100.0, 1000.0])
    theory = pd.DataFrame(
        {
            "layer": [1, 1, 2, 2],
            "n": [*n, *n],
            "alignment": [*n**expected] * 2,
            "alignment_uncrossed": [*n**expected] * 2,
        }
    )
    return fits, theory


@pytest.mark.parametrize(
    ("slope", "verdict"),
    [
        (0.02, "agrees"),
        (0.06, "undecided"),
        (-0.06, "undecided"),
        (-0.1, "disagrees"),
        (0.1, "disagrees"),
    ],
)
def test_rows_and_verdicts(slope, verdict):
    """By the slope as it is judged; as it is drawn it lies far away, and stands beside."""
    known = CurveResults(*tables(slope, 0.026, expected=0.0))
    table = compare(settings(), dict.fromkeys(CURVES, known), {})
    assert tuple(table.columns) == COLUMNS
    assert table[["figure", "curve", "layer"]].to_numpy().tolist() == [
        ["fig_a", "constant", 1],
        ["fig_a", "constant", 2],
        ["fig_a", "sharpening", 1],
        ["fig_a", "sharpening", 2],
        ["fig_b", "constant", 1],
        ["fig_b", "constant", 2],
    ]
    assert set(table["verdict"]) == {verdict}
    assert table["slope"].tolist() == [slope] * 6
    assert table["drawn_slope"].tolist() == [slope + 9] * 6
    assert table["drawn_low"].tolist() == [slope + 8] * 6
    assert table["drawn_high"].tolist() == [slope + 10] * 6
    assert table["joint_p"].isna().all(), "nothing exact is known"
    assert table["expected"].tolist() == pytest.approx([0.0] * 6)
    assert table["asymptotic"].tolist() == [0.0] * 6


def test_the_exact_slope_decides_where_there_is_one():
    """Mean-field theory expects 0, the exact expectation is 0.5 +- 0.003; 0.5 is measured, +- 0.02."""
    fits, theory = tables(0.5, 0.02, expected=0.0)
    exact = fits.assign(judged_error=0.003)
    known = CurveResults(fits, theory, exact)
    table = compare(settings(), dict.fromkeys(CURVES, known), {})
    assert set(table["verdict"]) == {"agrees"}
    assert table["expected_exact"].tolist() == [0.5] * 6
    assert table["expected_exact_error"].tolist() == [0.003] * 6
    assert table["deviation"].tolist() == [0.0] * 6
    assert table["joint_p"].tolist() == [1.0] * 6
    far = CurveResults(fits, theory, exact.assign(judged_slope=1.2))
    table = compare(settings(), dict.fromkeys(CURVES, far), {})
    assert set(table["verdict"]) == {"disagrees"}
    assert table["deviation"].to_numpy() == pytest.approx(-0.7 / np.hypot(0.01, 0.003))
    assert (table["joint_p"] < 1e-100).all()


def test_all_layers_together_are_tested_with_their_covariance():
    """Two layers off by 1.5 and -1.5 errors, correlated by 0.9: unlikely together, likely apart."""
    fits, theory = tables(0.0, 0.02, expected=0.0)
    fits["judged_slope"] = [0.015, -0.015]
    exact = fits.assign(judged_slope=0.0, joint_freedom=1e6, covariance_1=0.0, covariance_2=0.0)
    found = []
    for correlation in (0.0, 0.9):
        one = fits.assign(
            covariance_1=[1e-4, 1e-4 * correlation], covariance_2=[1e-4 * correlation, 1e-4]
        )
        table = compare(settings(), dict.fromkeys(CURVES, CurveResults(one, theory, exact)), {})
        assert table["joint_layers"].tolist() == [2] * 6
        assert table["joint_freedom"].to_numpy() == pytest.approx(99.0)
        # d' S^-1 d = (1.5^2 + 1.5^2) / (1 - rho) here, and F = T^2 (nu - 1) / (2 nu).
        square = 4.5 / (1 - correlation)
        assert table["joint_statistic"].to_numpy() == pytest.approx(square * 99 / 200)
        assert table["joint_p"].to_numpy() == pytest.approx(stats.f.sf(square * 99 / 200, 2, 99))
        found.append(table["joint_p"].iloc[0])
    assert found[0] > 0.05 > 1e-6 > found[1]


def planted(shift, seed=1, trials=120):
    """The comparison of trials whose slopes are off by ``shift`` from those of 2000 exact ones."""
    generator, kept = np.random.default_rng(seed), []
    for count, off in ((trials, np.asarray(shift)), (2000, np.zeros(joint_tests.LAYERS))):
        found = []
        for n, values in zip(joint_tests.WIDTHS, joint_tests.invented(generator, count), strict=True):
            rows = np.repeat(np.arange(count), joint_tests.LAYERS)
            layers = np.tile(np.arange(1, joint_tests.LAYERS + 1), count)
            alignment = (values[:, :-1] * (n / 1000) ** off).ravel()
            square = values[rows, -1]
            found.append(
                pd.DataFrame(
                    {
                        "n": n,
                        "trial": rows,
                        "layer": layers,
                        "alignment": alignment,
                        "relative_square": square,
                    }
                )
            )
        table = pd.concat(found).assign(curve="constant", parametrization="spectral")
        kept.append(fit_curve(table, Fit(seed=0, confidence=0.95, resamples=199), errors="linearized"))
    theory = pd.DataFrame(
        [(layer, n, 1.0, 1.0) for layer in range(1, joint_tests.LAYERS + 1) for n in joint_tests.WIDTHS],
        columns=["layer", "n", "alignment", "alignment_uncrossed"],
    )
    stage = settings().model_copy(update={"network": CONFIG.network, "panels": {"fig_a": ("constant",)}})
    return compare(stage, {"constant": CurveResults(kept[0], theory, kept[1])}, {})


LAYER_3 = np.eye(joint_tests.LAYERS)[2]


@pytest.mark.parametrize(
    ("shift", "verdicts", "told"),
    [
        (0 * LAYER_3, {"agrees": 6}, False),
        (0.01 * LAYER_3, {"agrees": 6}, True),
        (0.06 * LAYER_3, {"agrees": 5, "undecided": 1}, True),
        (-0.06 * LAYER_3, {"agrees": 5, "undecided": 1}, True),
        (0.12 * LAYER_3, {"agrees": 5, "disagrees": 1}, True),
        (0.06 * np.ones(6), {"undecided": 6}, True),
        (-0.06 * np.ones(6), {"undecided": 6}, True),
        (0.12 * np.ones(6), {"disagrees": 6}, True),
        (-0.5 * np.ones(6), {"disagrees": 6}, True),
    ],
)
def test_planted_slopes_get_their_verdicts(shift, verdicts, told):
    """From trials to the table, 120 against 2000 a width, so that errors are 0.01 at most.

    Verdicts fail for one beyond 3.5 of them, a wrong p < 0.05 comes up for 1 in 20 seeds. How often all
    of that is so with 30 trials: ``tests/statistics/test_joint.py``.
    """
    table = planted(shift)
    assert table["verdict"].value_counts().to_dict() == verdicts
    assert (table["joint_p"] < 0.05).all() == told
    assert (table["joint_p"] < 0.05).any() == told


def test_wide_figures_follow_with_the_end_of_their_window():
    """Mean-field values bend at n = 300, where the rows of the wide figure begin."""
    fits, theory = tables(-1.0, 0.02, expected=0.0)
    n = np.array([30.0, 300.0, 3000.0])
    values = np.array([1.0, 1.0, 0.1])
    bent = pd.concat(
        [
            pd.DataFrame({"layer": k, "n": n, "alignment": values, "alignment_uncrossed": values})
            for k in (1, 2)
        ]
    )
    known = dict.fromkeys(CURVES, CurveResults(fits, theory))
    wide = {"sharpening": CurveResults(fits, bent), "constant": CurveResults(fits, bent)}
    table = compare(settings(fig_a_wide="fig_a"), known, wide)
    rows = table[table["figure"] == "fig_a_wide"]
    assert rows["curve"].tolist() == ["constant"] * 2 + ["sharpening"] * 2
    assert rows["expected"].tolist() == pytest.approx([-1.0] * 4)
    assert set(rows["verdict"]) == {"agrees"}
    assert rows[["expected_exact", "deviation", "joint_p"]].isna().all().all()


NOTES = [
    ("flat", (-0.1, 0.1), (0, 0, 0), "claim (constant in n to within 0.2) visible"),
    (
        "flat",
        (0.2, 0.4),
        (0, 0.3, 0.0),
        "claim (constant in n to within 0.2) not visible in this window, because n passes "
        "n_0 = 3072 in this window (eq. 3.4), which shifts the expected slope by +0.30",
    ),
    (
        "flat",
        (0.2, 0.4),
        (0, 0.3, 0.3),
        "claim (constant in n to within 0.2) not visible in this window, because finite-width terms "
        "shift the expected slope by +0.30",
    ),
    (
        "flat",
        (-0.4, 0.3),
        (0, 0, 0),
        "claim (constant in n to within 0.2) not visible in this window, because the measured "
        "interval is too wide or lies elsewhere",
    ),
    ("decreasing", (-1.1, -0.9), (-1, -1, -1), "claim (decreasing in n) visible"),
    (
        "decreasing",
        (-0.9, -0.7),
        (-1, -0.8, -1),
        "claim (decreasing in n) visible; n passes n_0 = 3072 in this window (eq. 3.4), which shifts "
        "the expected slope by +0.20",
    ),
    (
        "flat",
        (-0.3, -0.1),
        (0, -0.2, 0),
        "claim (constant in n to within 0.2) not visible in this window, because n passes "
        "n_0 = 3072 in this window (eq. 3.4), which shifts the expected slope by -0.20",
    ),
    (
        "flat",
        (-0.1, 0.1),
        (0, -0.2, -0.2),
        "claim (constant in n to within 0.2) visible; finite-width terms shift the expected slope by "
        "-0.20",
    ),
    (
        "flat",
        (0.2, 0.4),
        (0, -0.1, 0.3),
        "claim (constant in n to within 0.2) not visible in this window, because n passes "
        "n_0 = 3072 in this window (eq. 3.4), which shifts the expected slope by -0.40 and "
        "finite-width terms shift the expected slope by +0.30",
    ),
    # Shifts of less than 0.05 are not told, either way.
    ("flat", (-0.1, 0.1), (0, 0.04, 0), "claim (constant in n to within 0.2) visible"),
    ("flat", (-0.1, 0.1), (0, -0.04, 0), "claim (constant in n to within 0.2) visible"),
    ("flat", (-0.1, 0.1), (0, -0.04, -0.04), "claim (constant in n to within 0.2) visible"),
    (
        "decreasing",
        (-0.1, 0.1),
        (-1, 0, -1),
        "claim (decreasing in n) not visible in this window, because n passes n_0 = 3072 in this "
        "window (eq. 3.4), which shifts the expected slope by +1.00",
    ),
]


@pytest.mark.parametrize(("claim", "interval", "slopes", "note"), NOTES)
def test_notes(claim, interval, slopes, note):
    assert claim_note(claim, interval, ExpectedSlopes(*slopes), 0.2, largest=10_000) == note


@pytest.mark.parametrize(
    ("slopes", "told"),
    [
        ((0, 0.05, 0.05), "finite-width terms shift the expected slope by +0.05"),
        ((0, -0.05, -0.05), "finite-width terms shift the expected slope by -0.05"),
        (
            (0, 0.05, 0),
            "n passes n_0 = 3072 in this window (eq. 3.4), which shifts the expected slope by +0.05",
        ),
        (
            (0, -0.05, 0),
            "n passes n_0 = 3072 in this window (eq. 3.4), which shifts the expected slope by -0.05",
        ),
    ],
)
def test_shifts_of_five_hundredths_are_told(slopes, told):
    note = claim_note("flat", (-0.1, 0.1), ExpectedSlopes(*slopes), 0.2, largest=10_000)
    assert note == f"claim (constant in n to within 0.2) visible; {told}"


@pytest.mark.parametrize(("largest", "where"), [(3072.0, "stays below"), (3073.0, "passes")])
def test_whether_n_0_is_passed_is_told_by_the_largest_width(largest, where):
    fits, theory = tables(0.3, 0.1, expected=0.0)
    theory.loc[theory["n"] == 1000, "n"] = largest
    theory["alignment"] = theory["n"] ** 0.3
    known = CurveResults(fits, theory)
    table = compare(settings(), dict.fromkeys(CURVES, known), {})
    assert table["note"].str.contains(f"n {where} n_0 = 3072 in this window").all()
    assert table["note"].str.contains("by \\+0.30").all()


def test_a_window_below_n_0_is_said_to_be_so():
    note = claim_note("flat", (0.2, 0.4), ExpectedSlopes(0, 0.3, 0), 0.2, largest=1000)
    assert "n stays below n_0 = 3072" in note


def measured_slopes(change):
    """Spectral slopes on widths 64 ... 512 (n_min = n/4, n_0 = 32), with rules changed by ``change``.

    The image is fixed and the step small: the spread of a slope is that of the weights alone.
    """
    grid = log_spaced(64, 512, 4)
    generator = torch.Generator().manual_seed(21)
    x = torch.randn(32, generator=generator)
    y = torch.tensor([1.0, 0.0])
    values, expected = [], []
    for n in grid:
        widths = bottleneck(n, constant_ratio(HALF / 2).n_min(n), n_in=32)
        rules = list(layer_rules("spectral", widths.depth))
        right, wrong = (scales_of(r, widths) for r in (rules, change(rules)))
        trials = [one_step(widths, wrong, x, y, 0.01, generator).alignment for _ in range(60)]
        values.append(np.array(trials))
        expected.append(mean_field(widths, right, 0.01, float(x.square().sum())).alignment)
    fits = [
        fit_slope(
            grid,
            [v[:, layer] for v in values],
            confidence=0.95,
            resamples=999,
            generator=np.random.default_rng(layer),
        )
        for layer in range(6)
    ]
    return fits, log_slope(grid, np.array(expected))


def scales_of(rules, widths):
    shapes = list(zip(rules, widths.layers(), strict=True))
    return LayerScales(
        tuple(r.multiplier.value(*s, widths.n_min) for r, s in shapes),
        tuple(
            gain * r.sigma.value(*s, widths.n_min)
            for gain, (r, s) in zip(relu_gains(widths.depth), shapes, strict=True)
        ),
    )


def verdicts(change):
    fits, expected = measured_slopes(change)
    return [equivalence(fit.ci_low, fit.ci_high, e, 0.25) for fit, e in zip(fits, expected, strict=True)]


def test_the_right_parametrization_agrees():
    assert verdicts(lambda rules: rules) == [Verdict.AGREES] * 6


@pytest.mark.parametrize("power", [HALF, -HALF])
def test_a_wrong_exponent_disagrees(power):
    """Negative control: the readout's sigma off by one factor fan_in^(1/2), either way.

    It carries the gradient to every hidden layer, whose alignments change by a power n^(2 * power).
    """

    def change(rules):
        last = rules[-1]
        off = replace(last.sigma, fan_in=last.sigma.fan_in + power)
        return [*rules[:-1], replace(last, sigma=off)]

    assert verdicts(change)[:-1] == [Verdict.DISAGREES] * 5


def test_a_wrong_multiplier_disagrees_from_its_layer_on():
    """Negative control: g_1 off by fan_out^(1/2); its own share grows by one power of n."""

    def change(rules):
        first = rules[0]
        off = replace(first.multiplier, fan_out=first.multiplier.fan_out + HALF)
        sigma = replace(first.sigma, fan_out=first.sigma.fan_out - HALF)
        return [replace(first, multiplier=off, sigma=sigma), *rules[1:]]

    assert verdicts(change) == [Verdict.DISAGREES] * 6


@pytest.mark.parametrize("table", ["fits", "expected", "exact"])
def test_a_layer_that_is_not_everywhere_is_told(table):
    """A measured one that the network has not, or that theory or the exact slopes lack."""
    fits, theory = tables(0.0, 0.1, expected=0.0)
    known = CurveResults(fits, theory, fits)
    whole = getattr(known, table)
    layers = whole.assign(layer=[1, 9]) if table == "fits" else whole.query("layer == 1")
    wrong = replace(known, **{table: layers})
    with pytest.raises(DataError, match=r"^layer \d of constant has a measured slope, and no expected"):
        compare(settings(), {"constant": wrong, "sharpening": known}, {})
