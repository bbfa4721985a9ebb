"""What the trials behind Table 1.1 and the conditions depend on, and which figures rest on them."""

from pathlib import Path

import pandas as pd

from dynparam.experiments.measured_orders import conditions
from dynparam.experiments.measured_orders.settings import for_exponents, for_orders
from dynparam.experiments.measured_orders.stages import (
    all_files,
    figures,
    plot_conditions,
    table_files,
)
from dynparam.support.tables import write_csv
from dynparam.theory.conditions import CONDITIONS
from dynparam.theory.parametrization import HALF
from tests.findings_run import CONFIG, configured

OTHER = configured({"exponents.seed": 7, "exponents.trials": 44, "probe.seed": 3, "probe.trials": 55})


def test_trials_have_the_seed_number_and_widths_of_the_block():
    """Gradients are recorded twice; all else is the probe's, and the one curve is as it is named."""
    job = for_exponents(OTHER, "mup", "square_root")
    assert (job.probe.seed, job.probe.trials) == (7, 44)
    assert job.probe.widths == OTHER.exponents.widths != OTHER.probe.widths
    ((name, curve),) = job.probe.curves.items()
    assert name == "mup_square_root"
    assert (curve.parametrization, curve.r) == ("mup", HALF)
    assert curve.narrow == OTHER.exponents.families["square_root"]
    changed = {"seed": 7, "trials": 44, "widths": job.probe.widths, "curves": job.probe.curves}
    changed["twice"] = True
    assert job.probe == OTHER.probe.model_copy(update=changed)
    assert list(job.data.pairs) == [OTHER.probe.pair]


def test_what_is_judged_does_not_depend_on_the_probe_s_curves():
    judged = for_orders(OTHER)
    assert judged.probe.curves == {}
    assert judged.figures.titles == {}
    assert judged.exponents == OTHER.exponents


def test_each_figure_rests_on_the_trials_it_shows():
    """Standard parametrization has no line in Table 1.1, but a row of conditions."""
    shown = {one.name: set(one.results) for one in figures(CONFIG)}
    names, families = CONFIG.exponents.parametrizations, CONFIG.exponents.families
    every = {f"exponents/{name}_{family}.csv" for name in names for family in families}
    standard = {f"exponents/standard_{family}.csv" for family in families}
    assert "standard" in names
    assert shown == {"table1_1": every - standard, "conditions": every}


def test_jobs_read_the_trials_they_judge():
    """The table those with a line in Table 1.1, the figure of conditions all."""
    settings, results = for_orders(CONFIG), Path("results")
    names, families = CONFIG.exponents.parametrizations, CONFIG.exponents.families
    every = {
        (name, family): results / "exponents" / f"{name}_{family}.csv"
        for name in names
        for family in families
    }
    assert all_files(settings, results) == every
    assert table_files(settings, results) == {
        key: path for key, path in every.items() if key[0] != "standard"
    }


ROW = {
    "ratio": "1",
    "n": 10,
    "n_min": 5,
    "layer": 1,
    **dict.fromkeys(("relative_square", "alignment", "preactivation_rms", "update_rms"), 1.0),
    **dict.fromkeys(("gradient_norm", "own_rms", "gradient_overlap"), 1.0),
}
"""A trial of one layer."""


def test_the_figure_of_conditions_is_drawn_from_its_files(tmp_path, monkeypatch, saved):
    """Judged by the settings and the trials of each file; the matrix is what is kept beside it."""
    settings = for_orders(configured({"figures.dpi": 40}))
    files = {("dynamic", "equal"): tmp_path / "one.csv", ("mup", "equal"): tmp_path / "two.csv"}
    for number, ((name, family), path) in enumerate(files.items()):
        row = {**ROW, "curve": f"{name}_{family}", "parametrization": name, "trial": number}
        write_csv(pd.DataFrame([row]), path)
    cells = [
        ("dynamic", "equal", f"eq. {one.equation}", "holds", "fails", 0.25, -0.5) for one in CONDITIONS
    ]
    columns = ["parametrization", "family", "condition", "theory", "measured"]
    matrix = pd.DataFrame(cells, columns=[*columns, "exact_exponent", "slope"])
    judged = {}

    def judge(given, trials):
        assert given == settings
        judged.update({key: int(table["trial"][0]) for key, table in trials.items()})
        return matrix

    monkeypatch.setattr(conditions, "condition_matrix", judge)
    plot_conditions(settings, files, tmp_path / "own.png")
    ((_, data, dpi),) = saved
    assert judged == {("dynamic", "equal"): 0, ("mup", "equal"): 1}
    assert data is matrix
    assert dpi == 40
