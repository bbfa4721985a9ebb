"""Trials under the open choices: the same random numbers, whatever the choice."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from dynparam.engines.network import MLP, draw_weights
from dynparam.experiments.open_choices import stages
from dynparam.experiments.open_choices.settings import for_open_choices
from dynparam.experiments.open_choices.trials import COLUMNS, measure_choice, stored_step
from dynparam.support.tables import write_csv
from dynparam.theory.parametrization import layer_scales
from dynparam.theory.widths import bottleneck
from dynparam.trials.images import TrialImages
from dynparam.trials.log import TrialLog
from dynparam.trials.one_step import measure_curve
from tests.networks import CURVES, invented_pair, probe_stage
from tests.open_choices import CONFIG, ENTRIES, OPEN_CHOICES


def trials(engine="law", normalization="half_range", **probe):
    stage = probe_stage(**probe)
    inputs = stage.inputs.model_copy(update={"normalization": normalization})
    stage = stage.model_copy(update={"inputs": inputs})
    return measure_choice(stage, TrialImages(stage, invented_pair()), engine)


def test_law_trials_are_those_of_the_probe(tmp_path):
    stage = probe_stage(trials=5)
    images = TrialImages(stage, invented_pair())
    expected = pd.concat(
        measure_curve(stage, name, images, TrialLog(tmp_path / "trials.csv", name), "law")
        for name in stage.probe.curves
    )
    found = measure_choice(stage, images, "law")
    columns = list(found.columns)
    assert columns == list(COLUMNS)
    measured = columns[:-1]
    expected = expected[measured].reset_index(drop=True)
    pd.testing.assert_frame_equal(found[measured], expected, check_exact=True)


@pytest.mark.parametrize("subset", ["fixed", "redrawn"])
@pytest.mark.parametrize("engine", ["law", "dense"])
def test_relative_square_is_that_of_the_trials_image(subset, engine):
    """Its mean over 400 trials of one width is 1 up to 5 standard errors (false alarm 1e-6)."""
    curve = {"sharpening": CURVES["sharpening"]}
    widths = {"smallest": 30, "largest": 31, "count": 2}
    stage = probe_stage(subset=subset, trials=400, widths=widths, curves=curve)
    images = TrialImages(stage, invented_pair())
    # Images of unequal brightness, so that their norms scatter.
    images.inputs = images.inputs * torch.linspace(0.2, 2, len(images.inputs))[:, None]
    found = measure_choice(stage, images, engine)
    squares = found[found["layer"] == 1]["relative_square"]
    known = images.inputs.double().square().sum(1).numpy() / images.mean_square()
    assert all(np.isclose(known, value).any() for value in squares.unique())
    assert abs(squares.mean() - 1) < 5 * squares.std() / np.sqrt(len(squares))
    layer = found[(found["layer"] == 1) & (found["n"] == 30)]
    assert np.corrcoef(layer["alignment"], layer["relative_square"])[0, 1] > 0.3


def test_choices_share_their_random_numbers():
    """Images normalized otherwise have alignments tied to the default's, trial by trial.

    Over trials of one layer and width the logarithms correlate above 0.5; independent draws of 200
    trials would reach 0.5 with probability below 1e-13. (Under "constant", 6 units may all be silent.)
    """
    found = {n: trials(normalization=n, trials=200) for n in ("half_range", "unit_range")}
    both = found["half_range"].merge(found["unit_range"], on=["curve", "n", "trial", "layer"])
    both = both[both["curve"] == "sharpening"]
    assert (both["alignment_x"] != both["alignment_y"]).mean() > 0.9
    for _, rows in both.groupby(["n", "layer"]):
        logs = np.log(rows[["alignment_x", "alignment_y"]].to_numpy())
        assert np.corrcoef(logs.T)[0, 1] > 0.5


def test_equal_widths_give_equal_trials_under_any_rounding():
    """n_min = 3 sqrt(n): 16.4, 21.6 and 28.5 at n = 30, 52 and 90, so that the last two differ."""
    nearest, floor = trials(rounding="nearest"), trials(rounding="floor")
    same = nearest["n_min"] == floor["n_min"]
    assert same[nearest["n"] == 30].all()
    assert not same.all()
    assert (nearest["alignment"] == floor["alignment"])[same].all()
    assert (nearest["alignment"] != floor["alignment"])[~same].mean() > 0.9


@pytest.mark.parametrize("name", ["spectral", "dynamic"])
def test_a_stored_step_is_that_of_automatic_differentiation(name):
    """Gradients, a step of plain SGD and the new preactivations by torch, in float64."""
    widths = bottleneck(30, 7, n_in=20)
    scales = layer_scales(name, widths)
    x = torch.randn(20, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    y = torch.tensor([1.0, 0.0])
    found = stored_step(widths, scales, x, y, 0.1, torch.Generator().manual_seed(2))

    weights = draw_weights(widths, scales, torch.Generator().manual_seed(2), torch.float32)
    network = MLP([weight.double() for weight in weights], scales.multiplier)
    before = network.preactivations(x[None])
    for value in before:
        value.retain_grad()
    (0.5 * (before[-1] - y).square().sum()).backward()
    torch.optim.SGD(network.parameters(), lr=0.1).step()
    with torch.no_grad():
        after = network.preactivations(x[None])
        expected = [abs(float((b.grad * (a - b)).sum())) for a, b in zip(after, before, strict=True)]
    np.testing.assert_allclose(found.alignment, expected, rtol=1e-9)


def test_precision_changes_dense_trials_by_rounding_only():
    single, double = trials("dense", dtype="float32"), trials("dense", dtype="float64")
    assert (single["alignment"] != double["alignment"]).mean() > 0.9
    np.testing.assert_allclose(single["alignment"], double["alignment"], rtol=1e-3)


@pytest.mark.parametrize("engine", ["law", "dense"])
def test_the_job_writes_the_trials_of_its_engine(tmp_path, engine):
    stage, pair = probe_stage(), invented_pair()
    np.savez(tmp_path / "pair.npz", **vars(pair))
    made = stages.measure_choice(stage, tmp_path / "pair.npz", tmp_path / "found.csv", engine)
    write_csv(measure_choice(stage, TrialImages(stage, pair), engine), tmp_path / "expected.csv")
    assert (tmp_path / "found.csv").read_bytes() == (tmp_path / "expected.csv").read_bytes()
    assert made.details == {"engine": engine}


def test_the_comparison_reads_the_trials_of_every_choice_it_needs():
    """The default on both engines, each alternative on its own; whatever the alternatives are."""
    files, entries = stages.trial_files(for_open_choices(CONFIG), Path("results"), ENTRIES)
    folder = Path("results/open_choices/trials")
    assert entries == ENTRIES
    assert files["default", "law"] == folder / "default-law.csv"
    assert files["float64", "dense"] == folder / "float64-dense.csv"
    measured = OPEN_CHOICES.measured()
    assert set(files) == {("default", "law"), ("default", "dense")} | {
        (name, one.engine) for name, one in measured.items()
    }
    dense = OPEN_CHOICES.model_copy(
        update={"probe": tuple(e for e in OPEN_CHOICES.probe if "float64" in str(e.alternatives))}
    )
    assert set(dense.measured()) == {"float64"}
    assert dense.needed_trials() == [
        ("default", "law"),
        ("default", "dense"),
        ("float64", "dense"),
    ]
