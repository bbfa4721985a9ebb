from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from dynparam.blocks import Comparison, Fit
from dynparam.comparison import COLUMNS, ExpectedSlopes, claim_note, compare
from dynparam.config import ComparisonStage
from dynparam.mean_field import log_slope, mean_field
from dynparam.parametrization import HALF, LayerScales, layer_rules, relu_gains
from dynparam.probe import one_step
from dynparam.statistics import Verdict, equivalence, fit_slope
from dynparam.widths import bottleneck, constant_ratio, log_spaced
from tests.networks import CURVES, probe_stage


def settings(tolerance=0.2):
    return ComparisonStage(
        network=probe_stage().network,
        probe=probe_stage().probe,
        fit=Fit(seed=0, confidence=0.95, resamples=199),
        comparison=Comparison(tolerance=tolerance),
        panels={"fig_a": ("constant", "sharpening"), "fig_b": ("constant",)},
    )


def tables(slope, half_width, expected):
    fits = pd.DataFrame(
        {
            "layer": [1, 2],
            "slope": slope,
            "ci_low": slope - half_width,
            "ci_high": slope + half_width,
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
    [(0.05, "agrees"), (0.12, "undecided"), (-0.4, "disagrees")],
)
def test_rows_and_verdicts(slope, verdict):
    fits, theory = tables(slope, 0.1, expected=0.0)
    names = CURVES
    table = compare(settings(), dict.fromkeys(names, fits), dict.fromkeys(names, theory))
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
    assert table["expected"].tolist() == pytest.approx([0.0] * 6)
    assert table["asymptotic"].tolist() == [0.0] * 6


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
