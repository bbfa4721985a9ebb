"""What is measured of random networks, against the dense engine's own numbers and an interruption."""

import numpy as np
import pytest

from dynparam.engines import law
from dynparam.experiments.fluctuations import measure
from dynparam.experiments.fluctuations.settings import FluctuationTrials
from dynparam.experiments.fluctuations.tables import TRIALS
from dynparam.support.errors import DataError
from dynparam.support.randomness import torch_generator
from dynparam.theory.fluctuations import variation
from dynparam.theory.parametrization import NAMES
from dynparam.trials.log import TrialLog
from tests import fluctuating

OWN = fluctuating.settings()


def log(path, own=OWN):
    return measure.log_of_trials(path / "trials.csv", FluctuationTrials(fluctuations=own))


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return measure.measure(OWN, log(tmp_path_factory.mktemp("measured")))


def test_every_kind_has_its_trials(table, tmp_path):
    assert len(table) == 5 * 2 * 2 * 60
    assert set(table["parametrization"]) == set(NAMES)
    TRIALS.check(table, tmp_path)


def test_the_recorded_square_is_that_of_the_layers_factors(table):
    """||h^{L-1}||^2 from the sizes of preactivations: what the readout receives, and its variance.

    The readout of 2 units has n_L s_L^2 ||h||^2 times a chi-squared number over 2, so the ratio of
    both has the mean one, and the product of C_L is the identity eta g^2 ||h||^2 ||f - y||^2.
    """
    kind = measure.Kind("dynamic", 2, 4)
    widths = OWN.network(2, 4)
    scales = measure.scales_of(OWN, "dynamic", widths)
    norms, targets = np.full(60, np.sqrt(OWN.inputs)), np.tile([1.0, 0.0], (60, 1))
    random = [torch_generator(OWN.seed, "fluctuations", *kind, trial) for trial in range(60)]
    steps = law.one_steps(widths, scales, norms, targets, OWN.learning_rate, random)
    rows = table[(table["parametrization"] == "dynamic") & (table["bottlenecks"] == 2)]
    rows = rows[rows["n_min"] == 4]
    rate = OWN.learning_rate * scales.multiplier[-1] ** 2
    expected = np.prod([s**2 * n / 2 for s, n in zip(scales.signal[:-1], widths.hidden, strict=True)])
    squares = rows["square"].to_numpy() * expected * OWN.inputs
    error = np.square(steps.gradient_norm[:, -1])
    assert rows["own"].to_numpy() == pytest.approx(rate * squares * error, rel=1e-12)
    assert rows["alignment"].to_numpy() == pytest.approx(steps.alignment[:, -1], rel=1e-12)
    assert (rows["alignment"].to_numpy() >= 0.999 * rows["own"].to_numpy()).all()
    # A dead network hands on nothing.
    assert ((squares == 0) == (steps.preactivation_rms[:, -1] == 0)).all()


def test_scales_drop_out():
    """From the same random numbers every parametrization has the same ||h||^2 over its expectation."""
    found = []
    for name in NAMES:
        kind = measure.Kind("ntk", 2, 4)
        widths = OWN.network(2, 4)
        scales = measure.scales_of(OWN, name, widths)
        random = [torch_generator(0, *kind, trial) for trial in range(20)]
        y = np.tile([1.0, 0.0], (20, 1))
        steps = law.one_steps(widths, scales, np.full(20, 4.0), y, 1e-6, random)
        size = steps.own_rms[:, -1] / steps.gradient_norm[:, -1]
        found.append(size / size.mean())
    for one in found[1:]:
        assert one == pytest.approx(found[0], rel=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_the_scatter_is_that_of_theory(table, name):
    """60 networks of n_min = 20 under a fixed seed: their variation is known to a tenth or so."""
    rows = table[(table["parametrization"] == name) & (table["n_min"] == 20)]
    for bottlenecks, found in rows.groupby("bottlenecks"):
        values, expected = found["square"], variation(OWN.hidden(bottlenecks, 20))
        assert values.mean() == pytest.approx(1.0, abs=5 * expected / np.sqrt(60))
        assert values.std() / values.mean() == pytest.approx(expected, rel=0.45)


def test_an_interrupted_measurement_goes_on_where_it_stood(table, tmp_path, monkeypatch):
    whole, taken = measure.run_trials, []

    def cut(own, engine, kind, trials):
        """As many blocks as there are before a kill."""
        if len(taken) == 7:
            raise KeyboardInterrupt
        taken.append((kind, tuple(trials)))
        return whole(own, engine, kind, trials)

    monkeypatch.setattr(measure, "run_trials", cut)
    with pytest.raises(KeyboardInterrupt):
        measure.measure(OWN, log(tmp_path))
    done = set(measure.finished_trials(log(tmp_path), OWN))
    assert len(done) == sum(len(trials) for _, trials in taken) < len(table)
    again = []

    def count(own, engine, kind, trials):
        """The trials that are measured after it."""
        again.extend((kind, trial) for trial in trials)
        return whole(own, engine, kind, trials)

    monkeypatch.setattr(measure, "run_trials", count)
    assert measure.measure(OWN, log(tmp_path)).equals(table)
    assert not done & set(again)
    assert len(done) + len(again) == len(table)


def test_a_trial_does_not_depend_on_how_many_there_are(table, tmp_path):
    few = measure.measure(fluctuating.settings(trials=5, bottlenecks=[2]), log(tmp_path))
    same = table[(table["trial"] < 5) & (table["bottlenecks"] == 2)].reset_index(drop=True)
    assert few.equals(same)


VALUES = {"square": 1.0, "own": 1.0, "alignment": 1.0}


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (["ntk", 3, 4, 0, VALUES], "no trial of this measurement"),
        (["ntk", 2, 4, 60, VALUES], "no trial of this measurement"),
        (["ntk", 2, 4, True, VALUES], "no trial of this measurement"),
        (["ntk", 2, 4, 0, VALUES | {"own": float("nan")}], "no finite number"),
        (["ntk", 2, 4, 0, VALUES | {"own": 1}], "no finite number"),
        (["ntk", 2, 4, 0, {"square": 1.0}], "missing"),
        (["ntk", 2, 4], "is damaged"),
    ],
)
def test_a_line_that_is_no_trial_is_told(tmp_path, entry, message):
    written = TrialLog(tmp_path / "trials.csv", "fluctuations", "x")
    written.read(lambda line: (line, line))
    written.append([entry])
    with pytest.raises(DataError, match=message):
        measure.finished_trials(TrialLog(tmp_path / "trials.csv", "fluctuations", "x"), OWN)


def test_a_network_that_dies_is_recorded(tmp_path):
    """n_min = 2: of two bottlenecks 44 % are dead, and have neither a square nor a contribution."""
    own = fluctuating.settings(n_min=[2, 4], parametrizations=["spectral"], bottlenecks=[2], main=2)
    table = measure.measure(own, log(tmp_path, own))
    dead = table[(table["n_min"] == 2) & (table["square"] == 0)]
    assert 10 <= len(dead) <= 43  # five standard deviations about 26
    assert not dead[["own", "alignment"]].any(axis=None)
