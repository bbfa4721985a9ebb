"""The trials of the r-sweep: what they are, that they repeat and resume, how they diverge."""

import json
import weakref
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

from dynparam.configuration.config import Config
from dynparam.configuration.loading import build, load
from dynparam.engines import law
from dynparam.engines.network import DenseMap, draw_weights
from dynparam.engines.trajectory import sgd_trajectory
from dynparam.experiments.r_sweep import measure
from dynparam.experiments.r_sweep.measure import (
    Point,
    draw_images,
    log_of_sweep,
    measure_sweep,
    run_trial,
)
from dynparam.experiments.r_sweep.settings import SweepStage, for_sweep
from dynparam.support.errors import ConfigError, DataError, NonFiniteError
from dynparam.support.randomness import torch_generator
from dynparam.theory.parametrization import layer_scales, scales_of_update
from dynparam.theory.widths import bottleneck
from dynparam.trials.images import TrialImages
from dynparam.trials.log import TrialLog
from tests.networks import invented_pair
from tests.sweeps import sweep_stage

ROOT = Path(__file__).parents[3]
COLUMNS = [
    "experiment",
    "reference",
    "r",
    "n",
    "n_min",
    "update_norm",
    "trial",
    "step",
    "layer",
    "alignment",
    "preactivation_rms",
    "update_rms",
    "gradient_norm",
    "drift",
    "diverged_at",
]
RUN_TRIAL = measure.run_trial


def log_in(folder):
    return TrialLog(folder / "sweep.csv", "n_min", "settings")


@pytest.fixture(scope="module")
def images():
    return TrialImages(sweep_stage(), invented_pair())


@pytest.fixture(scope="module")
def whole(images, tmp_path_factory):
    """The sweep of one reference, and the log its trials left."""
    log = log_in(tmp_path_factory.mktemp("sweep"))
    return measure_sweep(sweep_stage(), "n_min", images, log), log.path


def test_table(whole):
    table, _ = whole
    assert list(table.columns) == COLUMNS
    finished = table[table["diverged_at"].isna()]
    steps = finished.groupby(["experiment", "r", "n", "trial"])["step"].max()
    assert set(steps["second_step"]) == {2}
    assert set(steps["training"]) == {4}
    assert len(table.groupby(["experiment", "r", "n", "trial"])) == 3 * 2 * 2 * 2
    np.testing.assert_allclose(table["update_norm"], table["n_min"] ** table["r"])
    assert (table.loc[table["step"] == 1, "drift"].dropna() == 0).all()
    assert (table.loc[(table["step"] == 2) & (table["layer"] < 6), "drift"] > 0).all()


def test_references_agree_where_updates_do(images, whole, tmp_path):
    """M^0 is 1 for every m: the networks, the noise and the images are equal, and so all values."""
    other = measure_sweep(sweep_stage(), "n_max", images, log_in(tmp_path))
    first, second = (
        table[table["r"] == 0].drop(columns=["reference"]).reset_index(drop=True)
        for table in (whole[0], other)
    )
    pd.testing.assert_frame_equal(first, second, check_exact=True)
    beyond = [t.loc[t["r"] == 0.5, "update_norm"].max() for t in (whole[0], other)]
    assert beyond[0] < beyond[1]


def test_no_trial_stays_in_memory_while_others_run(images, tmp_path, monkeypatch):
    """Kept ones would keep freed memory in pieces: a sweep at full size took 4 GB in place of 0.4."""
    alive = []

    def watched(*arguments):
        seen = RUN_TRIAL(*arguments)
        assert sum(reference() is not None for reference in alive) <= 1
        alive.append(weakref.ref(seen))
        return seen

    monkeypatch.setattr(measure, "run_trial", watched)
    measure_sweep(sweep_stage(), "n_min", images, log_in(tmp_path))
    assert len(alive) > 10


def test_an_interrupted_sweep_resumes_where_it_stood(images, whole, tmp_path, monkeypatch):
    table, finished = whole
    lines = finished.read_text().splitlines(keepends=True)
    log = log_in(tmp_path)
    log.path.parent.mkdir()
    log.path.write_text("".join(lines[:7]) + lines[7][:40])  # killed while writing the eighth trial
    measured = []

    def counting(*arguments):
        measured.append(arguments)
        return RUN_TRIAL(*arguments)

    monkeypatch.setattr(measure, "run_trial", counting)
    resumed = measure_sweep(sweep_stage(), "n_min", images, log)
    assert len(measured) == len(lines) - 7
    pd.testing.assert_frame_equal(resumed, table, check_exact=True)


def changed(key=None, **values):
    """A change of a sealed line: of its key, or of its quantities; None takes a quantity away."""

    def change(entry):
        *old, quantities = entry
        quantities = {name: rows for name, rows in (quantities | values).items() if rows is not None}
        return [*(key or old), quantities]

    return change


DAMAGE = {
    "another experiment": changed(["third_step", 30, "0", 0]),
    "another r": changed(["second_step", 30, "0.0", 0]),
    "another trial": changed(["second_step", 30, "0", 9]),
    "no key": changed([[]]),
    "a list as a key": changed([[], 30, "0", 0]),
    "no quantities": lambda entry: [*entry[:4], []],
    "a number": lambda entry: 7,
    "nothing": lambda entry: [],
    "a quantity missing": changed(drift=None),
    "a quantity too many": changed(loss=[[1.0] * 6] * 2),
    "a step missing": changed(alignment=[[1.0] * 6]),
    "no steps": changed(**{name: [] for name in measure.QUANTITIES}),
    "steps too many": changed(**{name: [[1.0] * 6] * 3 for name in measure.QUANTITIES}),
    "a layer missing": changed(alignment=[[1.0] * 5] * 2),
    "rows of two lengths": changed(alignment=[[1.0] * 5, [1.0] * 6]),
    "NaN": changed(alignment=[[float("nan")] * 6] * 2),
    "infinity": changed(alignment=[[float("inf")] * 6] * 2),
    "text": changed(alignment=[["1.0"] * 6] * 2),
    "true": changed(alignment=[[True] * 6] * 2),
    "a number for a table": changed(drift=1.0),
    "a number for a row": changed(drift=[1.0, 1.0]),
}


@pytest.mark.parametrize("change", DAMAGE.values(), ids=DAMAGE)
def test_what_is_no_trial_of_the_sweep_is_told(images, whole, tmp_path, change):
    entry = json.loads(whole[1].read_text().splitlines()[0])["content"]
    log = log_in(tmp_path)
    log.append([change(entry)])
    with pytest.raises(DataError, match=r"jsonl: line 1 is damaged \(.*\); delete the file to measure"):
        measure_sweep(sweep_stage(), "n_min", images, log)


def test_images_are_those_of_the_trial(images):
    """Whatever the width and r are; in the second-step experiment of one class."""
    settings = sweep_stage().sweep

    def drawn(experiment, n, r, trial):
        return draw_images(settings, images, Point(experiment, n, Fraction(r), trial))

    here, elsewhere = drawn("training", 30, 0, 1), drawn("training", 60, 1, 1)
    assert torch.equal(here[0], elsewhere[0])
    assert here[0].shape == (4, 1, 3072)
    assert not torch.equal(here[0], drawn("training", 30, 0, 0)[0])
    one_class = [drawn("second_step", 30, 0, trial)[1] for trial in range(40)]
    assert all(torch.equal(y[0], y[1]) for y in one_class)
    # 40 trials of one class all have probability 2^-39.
    assert len({tuple(y[0, 0].tolist()) for y in one_class}) == 2
    random = [drawn("training", 30, 0, trial)[1] for trial in range(40)]
    assert any(not torch.equal(y[0], y[1]) for y in random)


def test_drift_of_a_trial_has_the_law_of_a_dense_run(images):
    """Kolmogorov-Smirnov of 150 trials on the law engine and 150 on stored matrices, five layers.

    Same images, independent weights. False alarm: 5e-4 in all.
    """
    settings = sweep_stage()
    widths = bottleneck(30, 11, hidden=settings.network.hidden)
    scales = scales_of_update(widths, 11**0.5)
    law, dense = [], []
    for trial in range(150):
        point = Point("second_step", 30, Fraction(1, 2), trial)
        law.append(run_trial(settings, "n_min", widths, point, images).drift[1, :5])
        generator = torch.Generator().manual_seed(trial)
        weights = draw_weights(widths, scales, generator, torch.float64)
        x, y = draw_images(settings.sweep, images, point)
        seen = sgd_trajectory([DenseMap(w) for w in weights], scales, x, y, 0.1)
        dense.append(seen.drift[1, :5])
    pvalues = [
        stats.ks_2samp(*columns).pvalue
        for columns in zip(np.transpose(law), np.transpose(dense), strict=True)
    ]
    assert min(pvalues) > 1e-4


@pytest.mark.parametrize("reference", ["n_min", "geometric_mean", "n_max"])
def test_a_trial_takes_updates_of_the_size_that_its_rows_state(images, tmp_path, reference):
    """The same steps by hand, from the size in the table and the noise of experiment, n and trial."""
    settings = sweep_stage(r=["1/4", "3/4"])
    table = measure_sweep(settings, reference, images, log_in(tmp_path))
    sizes = {"n_min": min, "n_max": max, "geometric_mean": stats.gmean}
    for (experiment, r, n, trial), rows in table.groupby(["experiment", "r", "n", "trial"]):
        widths = bottleneck(n, int(rows["n_min"].iloc[0]), hidden=settings.network.hidden)
        size = sizes[reference](widths.hidden) ** r
        assert rows["update_norm"].tolist() == pytest.approx([size] * len(rows))
        x, y = draw_images(settings.sweep, images, Point(experiment, n, Fraction(r), trial))
        generator = torch_generator(settings.sweep.seed, "sweep", experiment, n, trial)
        scales = scales_of_update(widths, rows["update_norm"].iloc[0])
        seen = law.sgd(widths, scales, x, y, settings.probe.learning_rate, generator)
        assert rows["gradient_norm"].tolist() == pytest.approx(seen.gradient_norm.ravel().tolist())
        assert rows["update_rms"].tolist() == pytest.approx(seen.update_rms.ravel().tolist())
        assert rows["step"].tolist() == np.repeat(np.arange(len(seen.drift)) + 1, 6).tolist()
        assert rows["layer"].tolist() == [1, 2, 3, 4, 5, 6] * len(seen.drift)


def test_updates_of_the_root_of_n_min_are_dynamic_parametrization():
    widths = bottleneck(30, 11)
    chosen, named = scales_of_update(widths, 11**0.5), layer_scales("dynamic", widths, Fraction(1, 2))
    np.testing.assert_allclose(chosen.multiplier, named.multiplier, rtol=1e-14)
    np.testing.assert_allclose(chosen.init_std, named.init_std, rtol=1e-14)


def test_a_diverging_trial_ends_where_it_diverges(images, tmp_path):
    """At a learning rate of 1e10 gradients leave the range of float64 within a few steps."""
    settings = sweep_stage(learning_rate=1e10, references=["n_max"], r=[0, 1], steps=8)
    table = measure_sweep(settings, "n_max", images, log_in(tmp_path))
    trained = table[table["experiment"] == "training"]
    last = trained.groupby(["r", "n", "trial"]).agg(step=("step", "max"), at=("diverged_at", "max"))
    assert last["at"].notna().all()
    assert (last["at"] == last["step"] + 1).all()
    kept = table[["alignment", "preactivation_rms", "update_rms", "gradient_norm"]]
    assert np.isfinite(kept.to_numpy(float)).all()


def test_a_first_step_that_is_not_finite_is_an_error(images, tmp_path):
    settings = sweep_stage(learning_rate=1e300)
    with pytest.raises(
        NonFiniteError,
        match=r"sweep n_min, r = 0, n = 30, trial 0: the first step is not finite; lower probe",
    ):
        measure_sweep(settings, "n_min", images, log_in(tmp_path))


def test_an_unknown_reference_is_named(images, tmp_path):
    settings = sweep_stage(references=["n_min"])
    with pytest.raises(ConfigError, match=r"no 'n_max' in sweep.references; choose one of n_min$"):
        measure_sweep(settings, "n_max", images, log_in(tmp_path))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"r": ["1/2", "9/8"]}, r"key 'sweep.r.1' has the value '9/8', which is not allowed: .* 1$"),
        ({"r": ["-1/8", "1/2"]}, r"key 'sweep.r.0' has the value '-1/8', which is not allowed: .* 0$"),
        ({"r": ["1/2", "1/4"]}, r"sweep: r is not increasing; list every exponent once"),
        ({"r": ["1/4", "1/2", "2/4"]}, r"sweep: r is not increasing; list every exponent once"),
        ({"r": ["1/4"]}, r"key 'sweep.r' has the value"),
        ({"steps": 1}, r"key 'sweep.steps' has the value 1, which is not allowed: .* 2$"),
        ({"onset": 1.0}, r"key 'sweep.onset' has the value 1.0, which is not allowed: .* 1$"),
        ({"tolerance": 0.0}, r"key 'sweep.tolerance' has the value 0.0, which is not allowed: .* 0$"),
        ({"references": ["mean"]}, r"key 'sweep.references.0' has the value 'mean', which is not"),
        (
            {"narrow": {"coefficient": 5, "exponent": 0}},
            r"sweep: narrow.exponent is 0, so n_min does not grow; give it a positive one",
        ),
    ],
)
def test_bad_settings_are_one_sentence(change, sentence):
    values = sweep_stage().model_dump(mode="json")
    values["sweep"] |= change
    with pytest.raises(ConfigError, match=sentence) as error:
        build(SweepStage, values, "test")
    assert "\n" not in str(error.value)


def test_a_log_belongs_to_its_settings(tmp_path):
    file = tmp_path / "images.npz"
    file.write_bytes(b"1")

    def path(reference="n_min", **changes):
        return log_of_sweep(tmp_path / "a.csv", sweep_stage(**changes), reference, file).path

    assert path() == path()
    assert len({path(), path("n_max"), path(seed=1), path(steps=5)}) == 4


def test_the_configured_sweep():
    """R from 0 to 1 in eighths; a job depends on the sweep and on what its trials use of the probe."""
    config = load(Config, [str(ROOT / "config" / "thesis.yaml")])
    assert config.sweep.r == tuple(Fraction(k, 8) for k in range(9))
    assert config.sweep.steps == 20
    stage = for_sweep(config, "n_max")
    assert stage.sweep.references == ("n_max",)

    def with_probe(**changes):
        probe = config.probe.model_copy(update=changes)
        return for_sweep(config.model_copy(update={"probe": probe}), "n_max")

    assert with_probe(trials=7, curves={}, seed=5) == stage
    assert with_probe(learning_rate=0.2) != stage
    fewer = config.model_copy(
        update={"sweep": config.sweep.model_copy(update={"references": ("n_min",)})}
    )
    with pytest.raises(
        ConfigError, match=r"no 'n_max' in .*choose one of n_min \(did you mean 'n_min'\?\)$"
    ):
        for_sweep(fewer, "n_max")
