"""What each job of Figs. 3.2 and 3.3 depends on, and which files it reads, where all numbers differ."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from dynparam.data.images import square_norms
from dynparam.experiments.alignments import stages
from dynparam.experiments.alignments.expected import expected_values
from dynparam.experiments.alignments.settings import (
    Law,
    for_comparison,
    for_exact,
    for_figure,
    for_wide,
    for_wide_figure,
)
from dynparam.support.tables import write_csv
from dynparam.trials.settings import for_curve
from tests.findings_run import CONFIG, configured
from tests.networks import invented_pair, probe_stage

OTHER = configured({"law.trials": 33, "law.exact_trials": 444, "probe.trials": 55})
CURVE = "fig3_2_dynamic_ratio"
RESULTS = Path("results")


@pytest.mark.parametrize(
    ("of_job", "trials", "widths"),
    [
        (for_curve, 55, OTHER.probe.widths),
        (for_exact, 444, OTHER.probe.widths),
        (for_wide, 33, OTHER.law.widths),
    ],
)
def test_trials_and_widths_are_those_of_the_job(of_job, trials, widths):
    """Of that curve and that pair of classes alone; everything else is the probe's."""
    job = of_job(OTHER, CURVE)
    assert job.probe.trials == trials
    assert job.probe.widths == widths
    assert OTHER.law.widths != OTHER.probe.widths
    assert job.probe.curves == {CURVE: OTHER.probe.curves[CURVE]}
    assert list(job.data.pairs) == [OTHER.probe.pair]
    changed = {"trials": trials, "widths": widths, "curves": job.probe.curves}
    assert job.probe == OTHER.probe.model_copy(update=changed)


@pytest.mark.parametrize(
    ("key", "wrong", "right"),
    [("sliding", 1, 2), ("slopes_from", 0, 1), ("trials", 1, 2), ("exact_trials", 1, 2)],
)
def test_a_slope_needs_two_widths_and_its_error_two_trials(key, wrong, right):
    law = CONFIG.law.model_dump(mode="json")
    with pytest.raises(ValidationError, match=key):
        Law.model_validate(law | {key: wrong})
    assert getattr(Law.model_validate(law | {key: right}), key) == right


def test_a_figure_depends_on_its_own_panels_and_titles():
    drawn = for_figure(CONFIG, "fig3_3")
    assert drawn.panels == {"fig3_3": CONFIG.panels["fig3_3"]}
    assert set(drawn.figures.titles) == set(CONFIG.panels["fig3_3"])
    assert drawn.figures.architecture == {}
    wide = for_wide_figure(CONFIG, "fig3_2_wide")
    assert wide.law.figures == {"fig3_2_wide": "fig3_2"}
    assert wide.panels == {"fig3_2": CONFIG.panels["fig3_2"]}
    assert set(wide.figures.titles) == set(CONFIG.panels["fig3_2"])


def test_the_comparison_reads_what_belongs_to_each_window():
    window, wide = stages.compared_files(for_comparison(CONFIG), RESULTS)
    assert window["fig3_3_dynamic"] == [
        RESULTS / "fits/fig3_3_dynamic.csv",
        RESULTS / "expected/fig3_3_dynamic.csv",
        RESULTS / "law/fits/exact/fig3_3_dynamic.csv",
    ]
    assert wide["fig3_3_dynamic"] == [
        RESULTS / "law/fits/wide/fig3_3_dynamic.csv",
        RESULTS / "law/expected/fig3_3_dynamic.csv",
    ]
    assert set(window) == set(wide) == {curve for curves in CONFIG.panels.values() for curve in curves}


def test_figures_are_drawn_from_the_files_of_their_curves():
    drawn = stages.drawn_files(for_figure(CONFIG, "fig3_2"), RESULTS, "fig3_2")
    assert list(drawn) == list(CONFIG.panels["fig3_2"])
    assert drawn[CURVE] == [RESULTS / f"{place}/{CURVE}.csv" for place in ("probe", "fits", "expected")]
    wide = stages.drawn_wide_files(for_wide_figure(CONFIG, "fig3_2_wide"), RESULTS, "fig3_2_wide")
    places = ("law/probe/wide", "probe", "law/expected")
    assert wide[CURVE] == [RESULTS / f"{place}/{CURVE}.csv" for place in places]
    told = {shown.name: shown.results for shown in stages.figures(CONFIG)}
    for name, files in (("fig3_2", drawn), ("fig3_2_wide", wide)):
        paths = {path.relative_to(RESULTS).as_posix() for one in files.values() for path in one}
        assert set(told[name]) == paths


def test_theory_is_told_of_the_training_images(tmp_path):
    """Test images are of another brightness."""
    stage = probe_stage()
    dark = replace(invented_pair(), test_images=np.full((8, 3, 32, 32), 3, np.uint8))
    pair = replace(dark, test_labels=np.arange(8, dtype=np.uint8) % 2)
    np.savez(tmp_path / "pair.npz", **vars(pair))
    stages.expect_slopes(stage, tmp_path / "pair.npz", tmp_path / "found.csv", "constant")
    norms = square_norms(pair.train_images, stage.inputs.normalization)
    write_csv(expected_values(stage, "constant", norms), tmp_path / "expected.csv")
    found, expected = (pd.read_csv(tmp_path / f"{name}.csv") for name in ("found", "expected"))
    pd.testing.assert_frame_equal(found, expected)
