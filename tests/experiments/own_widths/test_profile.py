"""Profiles of widths: text in, exact tables out, and trials of either engine against the other."""

import json
import re
from fractions import Fraction

import numpy as np
import pytest
import torch
from scipy import stats

from dynparam.engines import dense as probe
from dynparam.engines import law as gaussian_law
from dynparam.engines.one_step import OneStep
from dynparam.experiments.own_widths import measure, profile
from dynparam.statistics.measured_conditions import MeasuredCurve
from dynparam.support.errors import ConfigError, NonFiniteError
from dynparam.theory.orders import orders
from dynparam.theory.parametrization import layer_scales

F = Fraction
SETTINGS = {
    "widths": {"smallest": 40, "largest": 160, "count": 3},
    "trials": 10,
    "learning_rate": 0.1,
    "seed": 0,
    "engine": "law",
}


def settings(exponents="1,1/2,1", name="dynamic", scale="1,4,1", r=None, **changes):
    return profile.profile_probe(exponents, name, r, scale, {**SETTINGS, **changes})


def test_a_profile_from_text():
    found = profile.profile("1, 1/2,0.25", "dynamic", "1/4", n_in="1/3")
    assert found == profile.Profile("dynamic", F(1, 4), (F(1, 3), F(1), F(1, 2), F(1, 4), F(0)))
    assert found.depth == 4
    assert profile.profile("1", "ntk", None).r == F(1, 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("1,abc", "ntk", None), "--widths '1,abc': 'abc' is not a number"),
        (("1,1/0", "ntk", None), "'1/0' is not a number"),
        (("1,,1", "ntk", None), "'' is not a number"),
        ((" ", "ntk", None), "--widths is empty"),
        (("1,-1/2", "ntk", None), "exponent -1/2 is negative"),
        (("1", "ntp", None), "unknown parametrization 'ntp'"),
        (("1", "dynamic", "3/4"), "r = 3/4 is outside"),
        (("1", "dynamic", "1/2,1/2"), "--r '1/2,1/2' holds 2 numbers"),
        (("1", "spectral", "1/2"), "--r belongs to dynamic parametrization; leave it out for spectral"),
        (("1", "ntk", None, "0,1"), "--input-exponent '0,1' holds 2 numbers"),
        (("1", "ntk", None, "0", "x"), "--output-exponent 'x': 'x' is not a number"),
    ],
)
def test_bad_text(arguments, message):
    with pytest.raises(ConfigError, match=message.replace("(", r"\(")):
        profile.profile(*arguments)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scale": "1,2"}, "2 coefficients do not fit 3 hidden layers"),
        ({"scale": "0"}, "--scale 0 is not positive"),
        ({"scale": "1,-1/2,3"}, "--scale -1/2 is not positive"),
        ({"scale": "1,1,1,1"}, "4 coefficients do not fit 3 hidden layers"),
        ({"scale": "1,x,1"}, "'x' is not a number"),
        ({"scale": "1e400"}, "too large to count"),
        ({"exponents": "900,1,1"}, "too large to count"),
        ({"trials": 1}, "'trials' has the value 1"),
        ({"learning_rate": 0.0}, "'learning_rate' has the value 0.0"),
        ({"widths": {"smallest": 9, "largest": 9, "count": 2}}, "must exceed smallest"),
        ({"widths": {"smallest": 8, "largest": 9, "count": 9}}, "ask for fewer"),
    ],
)
def test_bad_measurements(changes, message):
    with pytest.raises(ConfigError, match=message):
        settings(**changes)


def test_the_table_of_orders_is_orders():
    shown = profile.profile("1,1/2,1,1/5,1", "spectral", None)
    table = profile.orders_table(shown)
    exact = orders("spectral", [0, 1, F(1, 2), 1, F(1, 5), 1, 0])
    assert table["layer"].tolist() == [1, 2, 3, 4, 5, 6]
    assert tuple(table["width"]) == shown.exponents[1:]
    assert tuple(table["|htilde_i|"]) == exact.preactivation
    assert tuple(table["|Delta htilde_i|"]) == exact.update
    assert tuple(table["||dL/dhtilde||"]) == exact.gradient
    assert tuple(table["own contribution"]) == exact.contribution
    assert tuple(table["alignment"]) == exact.alignment


@pytest.mark.parametrize("r", ["0", "1/4"])
def test_orders_are_those_of_the_profile_s_own_r(r):
    """Updates of dynamic parametrization shrink with r."""
    table = profile.orders_table(profile.profile("1,1/2,1", "dynamic", r))
    exact = orders("dynamic", [0, 1, F(1, 2), 1, 0], F(r))
    assert exact != orders("dynamic", [0, 1, F(1, 2), 1, 0])
    assert tuple(table["|Delta htilde_i|"]) == exact.update
    assert tuple(table["own contribution"]) == exact.contribution
    assert tuple(table["alignment"]) == exact.alignment
    chosen = settings(r=r, trials=2)
    measured = measure.exponents_table(
        chosen, measure.measure(chosen), confidence=0.95, tolerance=0.1
    ).set_index(["quantity", "layer"])
    for heading in ("|Delta htilde_i|", "own contribution"):
        assert measured.loc[heading, "exact"].tolist() == table[heading].tolist()


def test_text_and_json_say_the_same():
    shown = profile.profile("1,1/2,1,1/5,1", "spectral", None)
    text, record = profile.orders_text(shown), json.loads(profile.orders_json(shown))
    assert "      4      1/5        -13/20" in text
    assert "✗ 2.18" in text
    assert (
        "    2.18 fails at layer 4: the preactivations over those of layer 3 shrink as n^(-2/5)" in text
    )
    assert "✓ 2.19" in text
    assert record["r"] is None
    assert record["width_exponents"] == ["0", "1", "1/2", "1", "1/5", "1", "0"]
    assert record["layers"][3] == {
        "layer": 4,
        "width": "1/5",
        "preactivation": "-13/20",
        "update": "-9/10",
        "gradient": "-1/2",
        "contribution": "-13/10",
        "alignment": "-13/10",
    }
    holding = {one["condition"]: one["holds"] for one in record["conditions"]}
    assert holding == {
        one.condition.equation: one.holds
        for one in profile.profile("1,1/2,1,1/5,1", "spectral", None).outcomes()
    }
    assert "dynamic (r = 1/4)" in profile.orders_text(profile.profile("1", "dynamic", "1/4"))
    assert json.loads(profile.orders_json(profile.profile("1", "dynamic", "1/4")))["r"] == "1/4"


def test_widths_of_a_profile():
    """max(1, round(c n^a)) with n_0 = 3072 and n_L = 2."""
    found = settings("1,1/2,0", scale="1,3,1/3", widths={"smallest": 100, "largest": 900, "count": 2})
    sizes = {n: widths.sizes for n, widths in found.networks().items()}
    assert sizes == {100: (3072, 100, 30, 1, 2), 900: (3072, 900, 90, 1, 2)}


def test_trials_follow_from_their_coordinates():
    """More trials and other widths beside them change no trial; another seed changes all."""
    few, many = (
        settings(trials=3),
        settings(trials=5, widths={"smallest": 40, "largest": 90, "count": 2}),
    )
    first, second = measure.measure(few), measure.measure(many)
    chosen = second[(second["n"] == 40) & (second["trial"] < 3)].reset_index(drop=True)
    assert first[first["n"] == 40].equals(chosen)
    other = measure.measure(settings(trials=3, seed=1))
    assert not np.isclose(first["alignment"], other["alignment"]).any()
    assert list(first.columns) == [
        "parametrization",
        "n",
        "trial",
        "layer",
        "width",
        "alignment",
        "preactivation_rms",
        "update_rms",
        "gradient_norm",
        "own_rms",
        "gradient_overlap",
    ]
    assert first["width"].tolist()[:4] == [40, 25, 40, 2]


@pytest.mark.parametrize("r", ["1/2", "1/4"])
def test_dense_trials_are_the_probes(r):
    """With image, class and weights from the trial's generator in this order; both classes occur."""
    chosen = settings(engine="dense", r=r)
    found = measure.measure(chosen)
    widths = chosen.networks()[40]
    classes = set()
    for trial in range(chosen.trials):
        generator = measure.torch_generator(0, "profile", "dense", 40, trial)
        x = torch.randn(3072, generator=generator)
        y = torch.zeros(2)
        y[torch.randint(2, (), generator=generator)] = 1
        classes.add(int(y.argmax()))
        scales = layer_scales("dynamic", widths, F(r))
        expected = probe.one_step(widths, scales, x, y, 0.1, generator)
        rows = found[(found["n"] == 40) & (found["trial"] == trial)]
        assert rows["alignment"].tolist() == list(expected.alignment)
        assert rows["gradient_norm"].tolist() == list(expected.gradient_norm)
    assert classes == {0, 1}


@pytest.fixture(scope="module")
def both_engines():
    """300 trials at n = 30 on each engine."""
    grid = {"smallest": 30, "largest": 31, "count": 2}
    tables = [
        measure.measure(settings(engine=engine, trials=300, widths=grid, scale="1,3,1"))
        for engine in ("law", "dense")
    ]
    return [table[table["n"] == 30] for table in tables]


@pytest.mark.parametrize("quantity", ["alignment", "preactivation_rms", "update_rms", "gradient_norm"])
def test_both_engines_have_one_distribution(both_engines, quantity):
    """Kolmogorov and Smirnov, every layer: 16 tests in all, at 1e-4 each. The seed is fixed."""
    for layer in range(1, 5):
        law, dense = (table.loc[table["layer"] == layer, quantity] for table in both_engines)
        assert stats.ks_2samp(law, dense).pvalue > 1e-4


def test_measured_exponents_are_the_exact_ones():
    """Dynamic at 7 wide n: every interval meets the tolerance around its exponent, or lies in it."""
    chosen = settings(scale="1,6,1", trials=40, widths={"smallest": 4000, "largest": 64000, "count": 7})
    trials = measure.measure(chosen)
    table = measure.exponents_table(chosen, trials, confidence=0.95, tolerance=0.1)
    assert len(table) == 4 * 5
    assert "disagrees" not in set(table["verdict"])
    assert (table["verdict"] == "agrees").mean() > 0.7
    wrong = measure.exponents_table(
        chosen.model_copy(update={"parametrization": "spectral"}), trials, confidence=0.95, tolerance=0.1
    )
    assert "disagrees" in set(wrong["verdict"])


def test_the_report_tells_what_differs():
    """Spectral below n_1 = n_0, and standard parametrization, whose steps are large."""
    chosen = settings(name="spectral")
    text = measure.report(chosen, measure.measure(chosen), confidence=0.95, tolerance=0.1)
    assert "10 trials at each of 3 n from 40 to 160, law engine" in text
    assert "widths at the largest n: 3072-160-51-160-2" in text
    assert "no wider than the 3072 inputs up to n = 160" in text
    assert "✗ disagrees" in text
    steep = settings(name="standard")
    trials = measure.measure(steep)
    large = measure.report(steep, trials, confidence=0.95, tolerance=0.1)
    assert "Hidden updates reach" in large
    assert "inputs up to" not in large


@pytest.mark.parametrize(("exponents", "told"), [("1,0,1", True), ("0,1,1", False), ("1/2,1,1", True)])
def test_inputs_are_mentioned_if_layer_1_grows_past_them(exponents, told):
    """Layer 1 alone meets the inputs; a layer 1 of one width is on one side of them at every n."""
    note = profile.input_note(settings(exponents, "spectral", scale="1,1,1"))
    assert (note is not None) == told


def test_the_report_shows_what_was_measured_and_what_is_exact():
    """Spectral below n_1 = n_0, where slopes are off their exponents and conditions differ."""
    chosen = settings(name="spectral")
    trials = measure.measure(chosen)
    text = measure.report(chosen, trials, confidence=0.9, tolerance=0.15)
    table = measure.exponents_table(chosen, trials, confidence=0.9, tolerance=0.15)
    assert "90% interval" in text
    assert "to within 0.15" in text
    rows = [re.split(r"\s{2,}", line.strip()) for line in text.splitlines()]
    shown = [row for row in rows if row[0] in ("1", "2", "3", "4") and len(row) == 6]
    assert [row[:4] for row in shown] == [
        [str(one["layer"]), one["quantity"], str(one["exact"]), f"{one['slope']:+.3f}"]
        for one in table.to_dict("records")
    ]
    assert [row[4] for row in shown] == [
        f"[{low:+.3f}, {high:+.3f}]" for low, high in table[["ci_low", "ci_high"]].to_numpy()
    ]
    curve = MeasuredCurve(
        trials, {n: (one, layer_scales("spectral", one)) for n, one in chosen.networks().items()}
    )
    signs = {"holds": "✓", "fails": "✗", "undecided": "?"}
    expected = [
        (
            signs["holds" if outcome.holds else "fails"],
            signs[curve.judge(outcome.condition, confidence=0.9, tolerance=0.15).verdict],
            outcome.condition.equation,
        )
        for outcome in chosen.profile.outcomes()
    ]
    assert any(theory != measured for theory, measured, _ in expected)
    found = [tuple(line.split()[:3]) for line in text.partition("Conditions")[2].splitlines()[2:]]
    assert found[: len(expected)] == expected


def test_json_says_what_was_measured_and_how():
    chosen = settings(name="spectral", trials=3, seed=5)
    trials = measure.measure(chosen)
    record = json.loads(measure.report_json(chosen, trials, confidence=0.9, tolerance=0.15))
    table = measure.exponents_table(chosen, trials, confidence=0.9, tolerance=0.15)
    assert (record["confidence"], record["tolerance"]) == (0.9, 0.15)
    assert (record["trials"], record["seed"], record["engine"]) == (3, 5, "law")
    assert record["networks"] == {str(n): list(widths.sizes) for n, widths in chosen.networks().items()}
    for row, told in zip(table.to_dict("records"), record["measured"], strict=True):
        assert told["exact"] == str(row["exact"])
        assert told["verdict"] == str(row["verdict"])
        for name in ("layer", "quantity", "slope", "ci_low", "ci_high"):
            assert told[name] == (row[name] if isinstance(row[name], str) else pytest.approx(row[name]))


@pytest.mark.parametrize(
    ("smallest", "largest", "told"),
    [(1000, 3072, "up to n = 3072,"), (1000, 3073, "up to n = 1000,"), (3073, 4000, None)],
)
def test_whether_layer_1_is_wider_than_the_input_is_told(smallest, largest, told):
    """A layer of as many units as inputs is not."""
    chosen = settings(name="spectral", widths={"smallest": smallest, "largest": largest, "count": 2})
    note = profile.input_note(chosen)
    assert (note is None) if told is None else (told in note)


def test_silent_layers_and_values_that_are_not_finite(monkeypatch):
    with pytest.raises(
        NonFiniteError, match=r"trial \d+: alignment of layer 1 is zero.*narrowest has 1;"
    ):
        measure.measure(settings("1,0,1", scale="1"))
    good = OneStep(*((1.0,) * 4,) * 5)
    bad = OneStep((1.0, float("nan"), 1.0, 1.0), *(good.update_rms,) * 4)
    monkeypatch.setattr(gaussian_law, "trial", lambda steps, index: (bad if index else good).checked())
    with pytest.raises(NonFiniteError, match="n = 40, trial 1: alignment of layer 2 is nan"):
        measure.measure(settings())


@pytest.mark.parametrize("engine", ["law", "dense"])
def test_memory_is_asked_for_before_the_work(engine):
    huge = settings(
        "1,1,1", scale="1", engine=engine, widths={"smallest": 10, "largest": 10**13, "count": 2}
    )
    widest = "-".join(["3072", *[str(10**13)] * 3, "2"])
    with pytest.raises(ConfigError, match=rf"^widths {widest} need [\d.,]+ GiB and .* GiB are free"):
        measure.measure(huge)


def test_memory_of_both_engines():
    """Dense: four bytes a weight beyond the first layer. Law: four a number of vectors and of blocks."""
    grid = {"smallest": 50, "largest": 100, "count": 2}
    dense = settings("1,1", scale="1", engine="dense", widths=grid)
    law = settings("1,1", scale="1", widths=grid)
    assert measure.memory_bytes(dense) == 4 * (100 * 100 + 100 * 2)
    assert measure.memory_bytes(law) == 4 * (4 * (100 + 100 + 2) + 3 * 100) * 10
