"""The jobs of Figs. 3.2 and 3.3: what they write is what the library makes of what they read."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dynparam.experiments.alignments import stages
from dynparam.experiments.alignments.comparison import CurveResults, compare
from dynparam.experiments.alignments.figure import plotted_data
from dynparam.experiments.alignments.fits import fit_curve
from dynparam.experiments.alignments.page import summary_sentence
from dynparam.experiments.alignments.settings import (
    FitStage,
    for_comparison,
    for_figure,
    for_wide_figure,
)
from dynparam.experiments.alignments.wide_figure import WideCurve
from dynparam.experiments.alignments.wide_figure import plotted_data as wide_data
from dynparam.presentation.plain_formulas import typeset
from dynparam.settings.shared import Fit
from dynparam.support.tables import read_csv, write_csv
from dynparam.trials.images import TrialImages
from dynparam.trials.log import TrialLog
from dynparam.trials.networks import asymptotic_exponents
from dynparam.trials.one_step import measure_curve
from tests.data.test_images import IMAGES
from tests.experiments.alignments.test_wide_figure import trials as wide_trials
from tests.findings_run import configured
from tests.networks import invented_pair, probe_stage

CONFIG = configured({"law.sliding": 3, "fit.confidence": 0.9, "figures.dpi": 40, "fit.resamples": 199})
CURVES = list(dict.fromkeys(curve for curves in CONFIG.panels.values() for curve in curves))


REST = {
    "parametrization": "spectral",
    "ratio": "1",
    "n_min": 50,
    **dict.fromkeys(("preactivation_rms", "update_rms", "gradient_norm", "own_rms"), 1.0),
}
"""What else a table of trials holds."""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Trials, fits and expectations of every curve, each with numbers of its own."""
    root = tmp_path_factory.mktemp("results")
    for place, curve in enumerate(CURVES):
        slope = -0.3 - place / 10
        law, dense = (
            wide_trials(widths, slope, seed + place).assign(curve=curve, **REST)
            for widths, seed in (((1000, 10_000, 100_000, 1_000_000), 0), ((1000, 3000, 10_000), 50))
        )
        tables = {
            "probe": dense,
            "law/probe/wide": law,
            "fits": fit_curve(dense, CONFIG.fit, errors="linearized"),
            "law/fits/exact": fit_curve(dense, CONFIG.fit, errors="linearized").assign(
                judged_slope=slope + 0.01, judged_error=0.004
            ),
            "law/fits/wide": fit_curve(law, CONFIG.fit, smallest=10_000, errors="linearized"),
        }
        for name, given, shift in (("expected", dense, 0.02), ("law/expected", law, 0.03)):
            means = given.groupby(["layer", "n"])["alignment"].mean().reset_index()
            power = means["n"].astype(float) ** shift
            tables[name] = means.assign(
                curve=curve,
                alignment=means["alignment"] * power,
                alignment_uncrossed=means["alignment"],
            )
        for name, table in tables.items():
            write_csv(table, root / name / f"{curve}.csv")
    return root


@pytest.mark.parametrize("engine", ["dense", "law"])
def test_trials_are_those_of_curve_and_engine(tmp_path, engine):
    stage, pair = probe_stage(), replace(invented_pair(), test_images=IMAGES[:0])
    np.savez(tmp_path / "pair.npz", **vars(pair))
    output = tmp_path / "found.csv"
    made = stages.probe_alignment(stage, tmp_path / "pair.npz", output, "sharpening", engine)
    images = TrialImages(stage, pair)
    log = TrialLog(tmp_path / "other.csv", "sharpening", "by hand")
    expected = measure_curve(stage, "sharpening", images, log, engine)
    write_csv(expected, tmp_path / "expected.csv")
    assert output.read_bytes() == (tmp_path / "expected.csv").read_bytes()
    (kept,) = made.finished
    both = [path.read_text().splitlines() for path in (kept, log.path)]
    contents = [[json.loads(line)["content"] for line in lines] for lines in both]
    assert contents[0] == contents[1]


@pytest.mark.parametrize(("smallest", "errors"), [(1, "bootstrap"), (3000, "linearized")])
def test_fits_have_the_widths_and_errors_asked_for(results, tmp_path, smallest, errors):
    stage = FitStage(fit=Fit(seed=3, confidence=0.8, resamples=199))
    trials = results / "probe" / f"{CURVES[0]}.csv"
    stages.fit_slopes(stage, trials, tmp_path / "found.csv", smallest, errors)
    expected = fit_curve(read_csv(trials), stage.fit, smallest=smallest, errors=errors)
    write_csv(expected, tmp_path / "expected.csv")
    assert (tmp_path / "found.csv").read_bytes() == (tmp_path / "expected.csv").read_bytes()


def known(results: Path, *places: str) -> dict[str, CurveResults]:
    """What is known of each curve, read from these places."""
    return {
        curve: CurveResults(*(read_csv(results / place / f"{curve}.csv") for place in places))
        for curve in CURVES
    }


def test_the_comparison_is_that_of_the_files(results, tmp_path):
    """Windows and great widths are told apart, and the exact slopes from the measured ones."""
    settings = for_comparison(CONFIG)
    output = tmp_path / "slopes.csv"
    made = stages.compare_slopes(settings, stages.compared_files(settings, results), output)
    window = known(results, "fits", "expected", "law/fits/exact")
    table = compare(settings, window, known(results, "law/fits/wide", "law/expected"))
    write_csv(table, tmp_path / "expected.csv")
    assert output.read_bytes() == (tmp_path / "expected.csv").read_bytes()
    assert made.said == made.values["summary"] == summary_sentence(table, settings)
    assert made.values["verdicts"] == table["verdict"].value_counts().to_dict()


@pytest.mark.parametrize("name", ["fig3_2", "fig3_3"])
def test_a_figure_shows_its_curves_under_their_titles(results, tmp_path, saved, name):
    settings = for_figure(CONFIG, name)
    files = stages.drawn_files(settings, results, name)
    made = stages.plot_figure(settings, files, tmp_path / "own.png")
    ((figure, data, dpi),) = saved
    assert typeset(made.details["message"]) == figure.get_suptitle().replace("\n", " ")
    assert "alignments" in made.details["message"]
    curves = CONFIG.panels[name]
    titles = [axis.get_title() for axis in figure.axes]
    assert titles == [CONFIG.figures.titles[curve] for curve in curves]
    assert dpi == 40
    places = ("probe", "fits", "expected")
    expected = [
        plotted_data(*(read_csv(results / place / f"{curve}.csv") for place in places))
        for curve in curves
    ]
    pd.testing.assert_frame_equal(data, pd.concat(expected, ignore_index=True))


def test_a_figure_has_the_configured_width(results, tmp_path, saved):
    settings = for_figure(configured({"figures.width": 3.5, "figures.dpi": 40}), "fig3_3")
    files = stages.drawn_files(settings, results, "fig3_3")
    stages.plot_figure(settings, files, tmp_path / "own.png")
    ((figure, _, _),) = saved
    assert figure.get_figwidth() == 3.5


@pytest.mark.parametrize("name", ["fig3_2_wide", "fig3_3_wide"])
def test_a_wide_figure_shows_local_slopes_at_the_configured_level(results, tmp_path, saved, name):
    settings = for_wide_figure(CONFIG, name)
    files = stages.drawn_wide_files(settings, results, name)
    made = stages.plot_wide(settings, files, tmp_path / "own.png")
    ((figure, data, dpi),) = saved
    assert typeset(made.details["message"]) == figure.get_suptitle().replace("\n", " ")
    assert "exact exponent" in made.details["message"]
    curves = CONFIG.panels[CONFIG.law.figures[name]]
    titles = [axis.get_title() for axis in figure.axes if axis.get_title()]
    assert titles == [CONFIG.figures.titles[curve] for curve in curves]
    assert dpi == 40
    expected = []
    for curve in curves:
        law, dense, theory = (
            read_csv(results / place / f"{curve}.csv")
            for place in ("law/probe/wide", "probe", "law/expected")
        )
        exponents = asymptotic_exponents(CONFIG.network, CONFIG.probe.curves[curve])
        expected.append(wide_data(WideCurve(law, dense, theory, exponents), 3, 0.9))
    pd.testing.assert_frame_equal(data, pd.concat(expected, ignore_index=True))
