"""The figure of lazy and rich training, and the commands around it."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from typer.testing import CliRunner

from dynparam.cli import main
from dynparam.experiments.lazy_or_rich import indices, kernel_change, linearization, stages
from dynparam.experiments.lazy_or_rich.figure import (
    COLUMNS,
    index_family,
    laziness_figure,
    plotted_data,
)
from dynparam.experiments.lazy_or_rich.settings import LazyOrRichStage
from dynparam.presentation.parametrization_style import look
from dynparam.provenance import code_digest
from dynparam.statistics.judged import CLAIM, CONTROL, FORM, outcomes
from dynparam.support.tables import read_csv, write_csv
from dynparam.theory.laziness import laziness_index
from dynparam.theory.parametrization import NAMES, layer_scales
from tests.drawn import error_bars
from tests.lazy import laziness_stage, linearization_stage, planted
from tests.networks import invented_pair

SETTINGS = laziness_stage(index__dense_trials=4)


@pytest.fixture(scope="module")
def tables():
    return planted(SETTINGS)


@pytest.fixture(scope="module")
def data(tables):
    return plotted_data(tables, SETTINGS)


@pytest.fixture(scope="module")
def results(tables, tmp_path_factory):
    """All trials as files."""
    folder = tmp_path_factory.mktemp("results") / "lazy_or_rich"
    for kind, column in (
        ("linearization", "parametrization"),
        ("kernel_change", "family"),
        ("index", "family"),
    ):
        for name, rows in getattr(tables, kind).groupby(column):
            write_csv(rows, folder / kind / f"{name}.csv")
    write_csv(tables.identities, folder / "identities.csv")
    return folder.parent


def run(*arguments):
    return CliRunner().invoke(main.app, [str(argument) for argument in arguments])


def test_plotted_data(data):
    assert list(data.columns) == list(COLUMNS)
    panels = data["panel"].value_counts()
    assert panels["discrepancy"] == 2 * 2
    assert panels["kernel"] == 3 * 3 + 2 * 2, "spectral is a control, and not shown"
    assert panels["index"] == len(NAMES) * (2 + 2)
    assert (data["low"] < data["value"]).all()
    assert (data["value"] < data["high"]).all()


def test_lines_of_the_kernel_have_theory_s_slope_and_a_fitted_height(data):
    for (family, series), rows in data[data["panel"] == "kernel"].groupby(["family", "series"]):
        slope = np.polyfit(np.log(rows["width"]), np.log(rows["expected"].astype(float)), 1)[0]
        assert slope == pytest.approx(-1.0 if series == "r = 0" else 0.0, abs=1e-9), family
        assert np.log(rows["expected"]).mean() == pytest.approx(np.log(rows["value"]).mean())


def test_lines_of_the_index_have_no_fitted_number(data):
    rows = data[data["panel"] == "index"]
    np.testing.assert_allclose(rows["value"], rows["expected"], rtol=0.05)
    assert set(rows["family"]) == {"2 n^(1/2)"}
    assert index_family(SETTINGS) == "sharpening"


def test_panels_show_the_data(data):
    figure = laziness_figure(data, SETTINGS)
    left, middle, right = figure.axes
    for axis, panel in ((left, "discrepancy"), (middle, "kernel"), (right, "index")):
        shown = sorted(value for line in axis.lines for value in line.get_ydata())
        assert set(np.round(data.loc[data["panel"] == panel, "value"], 12)) <= set(np.round(shown, 12))
        assert (axis.get_xscale(), axis.get_yscale()) == ("log", "log")
        assert len(error_bars(axis)) > 0
    handles, names = right.get_legend_handles_labels()
    assert set(names) == set(NAMES)
    for handle, name in zip(handles, names, strict=True):
        assert (handle[0].get_color(), handle[0].get_marker()) == look(name)


def test_commands_judge_and_draw(results, tmp_path):
    config = f"only={SETTINGS.model_dump_json()}"
    done = run(
        "lazy", "judge", "--config", config, "--results", results, "--output", tmp_path / "verdicts.csv"
    )
    assert done.exit_code == 0, done.output
    table = read_csv(tmp_path / "verdicts.csv", FORM)
    assert set(outcomes(table, CLAIM)) <= {"passed", "undecided"}
    assert set(outcomes(table, CONTROL)) == {"passed"}
    page = (tmp_path / "verdicts.md").read_text(encoding="utf-8")
    assert page.startswith("# Lazy or rich")
    assert page.count("exponent of n in |f - f_lin|".replace("|", r"\|")) == 2
    record = json.loads((tmp_path / "verdicts.json").read_text(encoding="utf-8"))
    assert record["code"]["stage"] == "judge_laziness"
    assert len(record["inputs"]) == 2 + 2 + 2 + 1
    done = run(
        "plot", "laziness", "--config", config, "--results", results, "--output", tmp_path / "lazy.png"
    )
    assert done.exit_code == 0, done.output
    assert (tmp_path / "lazy.png").read_bytes().startswith(b"\x89PNG")


def test_commands_measure(tmp_path, monkeypatch):
    """Each writes its table with a sidecar, and leaves no log behind."""
    stage = linearization_stage(
        kernel_change__steps=2,
        index__trials=2,
        linearization__steps=2,
        linearization__test_images=8,
        linearization__train_images=8,
    )
    config = f"only={stage.model_dump_json()}"
    own = f"only={json.dumps({'lazy_or_rich': stage.lazy_or_rich.model_dump(mode='json')})}"
    pair = invented_pair()
    arrays = {
        "train_images": pair.train_images,
        "train_labels": pair.train_labels,
        "test_images": pair.train_images,
        "test_labels": pair.train_labels,
    }
    np.savez(tmp_path / "pair.npz", allow_pickle=False, **arrays)
    commands = {
        "ntk": ("linearization", "ntk", "--images", tmp_path / "pair.npz", "--config", config),
        "sharpening": ("kernels", "sharpening", "--config", own),
        "constant_ratio": ("index", "constant_ratio", "--config", own),
        "identities": ("identities", "--config", own),
    }
    for name, arguments in commands.items():
        done = run("lazy", *arguments, "--output", tmp_path / f"{name}.csv")
        assert done.exit_code == 0, done.output
        assert (tmp_path / f"{name}.json").is_file()
        assert len(read_csv(tmp_path / f"{name}.csv"))
    assert not list((tmp_path / ".unfinished").glob("*.jsonl"))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("linearization", "mup", "--images", "none.npz"), "none.npz: there is no such file yet"),
        (("kernels", "fifth"), "no 'fifth' in lazy_or_rich.families"),
        (("index", "sharpenin"), "did you mean 'sharpening'?"),
    ],
)
def test_a_wrong_name_is_one_sentence(arguments, told, tmp_path):
    values = linearization_stage().model_dump(mode="json")
    if arguments[0] != "linearization":
        values = {"lazy_or_rich": values["lazy_or_rich"]}
    config = f"only={json.dumps(values)}"
    done = run("lazy", *arguments, "--config", config, "--output", tmp_path / "t.csv")
    assert done.exit_code == 1
    assert told in str(done.exception)
    assert not (tmp_path / "t.csv").exists()


def test_points_are_geometric_means_of_their_own_column_with_student_s_interval(tables, data):
    """The discrepancy after the steps that were taken, not that of the limit; of the index one layer."""
    points = {
        "discrepancy": ("ntk", "width == 64", tables.linearization, "n == 64", "discrepancy"),
        "kernel": ("mup", "width == 8", tables.kernel_change, "n_min == 8", "kernel_change"),
        "index": ("mup", "width == 64 and engine == 'dense'", tables.index, DENSE, "index"),
    }
    for panel, (name, there, trials, here, column) in points.items():
        point = data.query(f"panel == '{panel}' and series == '{name}' and {there}")
        values = trials.query(f"parametrization == '{name}' and {here}")[column].to_numpy()
        logs = np.log(values)
        interval = stats.t.interval(0.95, len(logs) - 1, logs.mean(), stats.sem(logs))
        expected = np.exp([logs.mean(), *interval])
        found = point[["value", "low", "high"]].to_numpy(float)
        np.testing.assert_allclose(found, [expected], rtol=1e-12, err_msg=panel)


DENSE = "family == 'sharpening' and engine == 'dense' and n == 64 and layer == 2"


def test_intervals_have_the_confidence_of_the_settings(tables, data):
    half = SETTINGS.model_copy(update={"fit": SETTINGS.fit.model_copy(update={"confidence": 0.5})})
    other = plotted_data(tables, half)
    assert other["value"].tolist() == data["value"].tolist()
    assert (other["high"] - other["low"] < 0.5 * (data["high"] - data["low"])).all()


def test_a_descent_without_a_kernel_change_leaves_the_others_of_its_width(tables, data):
    trials = tables.kernel_change.copy()
    mine = "family == 'constant_ratio' and parametrization == 'mup' and n == 64"
    lost = trials.query(f"{mine} and trial == 0").index
    trials.loc[lost, "kernel_change"] = np.nan
    shown = plotted_data(replace(tables, kernel_change=trials), SETTINGS)
    point = shown.query("panel == 'kernel' and series == 'mup' and width == 16")
    left = trials.query(mine)["kernel_change"].dropna()
    assert point["value"].item() == pytest.approx(stats.gmean(left))
    lost_all = trials.query(mine).index
    trials.loc[lost_all, "kernel_change"] = np.nan
    shown = plotted_data(replace(tables, kernel_change=trials), SETTINGS)
    assert shown.query("panel == 'kernel' and series == 'mup'")["width"].tolist() == [4, 8]
    assert shown["value"].notna().all()


def test_bars_lines_and_marks_are_those_of_the_data(data):
    """Intervals are lopsided, so that an end in the other's place shows."""
    lopsided = data.assign(low=0.9 * data["value"], high=1.5 * data["value"])
    figure = laziness_figure(lopsided, SETTINGS)
    for axis, panel in zip(figure.axes, ("discrepancy", "kernel", "index"), strict=True):
        mine = lopsided[lopsided["panel"] == panel]
        bars = error_bars(axis)
        assert sum(len(one.y) for one in bars) == len(mine)
        for one in bars:
            np.testing.assert_allclose(one.low, 0.9 * np.array(one.y), rtol=1e-12)
            np.testing.assert_allclose(one.high, 1.5 * np.array(one.y), rtol=1e-12)
    left, middle, right = figure.axes
    ntk = data.query("panel == 'discrepancy' and series == 'ntk'").sort_values("width")
    (dashed,) = [line for line in left.lines if line.get_linestyle() == "--"]
    slope = SETTINGS.lazy_or_rich.linearization.discrepancy_slope
    expected = ntk["value"].iloc[0] * (ntk["width"] / ntk["width"].iloc[0]) ** slope
    np.testing.assert_allclose(dashed.get_ydata(), expected, rtol=1e-12)
    index = data[data["panel"] == "index"]
    for container in right.containers:
        points = container.lines[0]
        engine = "dense" if points.get_markerfacecolor() == "none" else "law"
        of_it = index.loc[index["engine"] == engine, "value"]
        assert set(points.get_ydata()) <= set(of_it)
    lines = [line for line in middle.lines if line.get_marker() in ("None", "")]
    drawn = sorted(tuple(line.get_ydata()) for line in lines if len(line.get_ydata()) > 1)
    groups = data[data["panel"] == "kernel"].groupby(["family", "series"])
    expected = sorted(tuple(rows.sort_values("width")["expected"]) for _, rows in groups)
    np.testing.assert_allclose(np.concatenate(drawn), np.concatenate(expected), rtol=1e-12)


def test_the_band_is_where_the_thesis_s_widths_are_among_those_shown(data):
    """Here 64 to 1024 are shown, of 10^3 to 10^4; further out the band ends where the thesis does."""
    far = data.copy()
    last = (far["panel"] == "index") & (far["width"] == 1024)
    far.loc[last, "width"] = 10**5
    for shown, window in ((data, (1000, 1024)), (far, (1000, 10**4))):
        axis = laziness_figure(shown, SETTINGS).axes[2]
        (band,) = axis.patches
        ends = band.get_extents().transformed(axis.transData.inverted())
        assert (ends.x0, ends.x1) == pytest.approx(window)


def test_lines_of_the_index_are_theory_s_at_every_width(data):
    axis = laziness_figure(data, SETTINGS).axes[2]
    block = SETTINGS.lazy_or_rich
    for name in NAMES:
        (line,) = [
            one
            for one in axis.lines
            if len(one.get_xdata()) > 2 and one.get_color() == look(name).colour
        ]
        for n, value in zip(line.get_xdata(), line.get_ydata(), strict=True):
            widths = block.network("sharpening", int(n), block.index.hidden)
            assert value == laziness_index(widths, layer_scales(name, widths), 12.0)[1]


@pytest.mark.parametrize(
    ("stage", "module", "name"),
    [
        (stages.measure_linearization, linearization, "ntk"),
        (stages.measure_kernel_change, kernel_change, "sharpening"),
        (stages.measure_index, indices, "sharpening"),
    ],
)
def test_trials_of_other_settings_or_images_are_not_taken_up(stage, module, name, tmp_path, monkeypatch):
    """Each has a log of its own, as has each parametrization or family."""
    logs = []

    def measured(*given):
        logs.append(given[-1].path)
        return pd.DataFrame({"n": [1]})

    monkeypatch.setattr(module, "measure", measured)
    pairs = []
    for seed in (0, 1):
        pair, path = invented_pair(seed=seed), tmp_path / f"{seed}.npz"
        arrays = {f"{split}_images": pair.train_images for split in ("train", "test")}
        labels = {f"{split}_labels": pair.train_labels for split in ("train", "test")}
        np.savez(path, allow_pickle=False, **arrays, **labels)
        pairs.append(path)
    images = module is linearization
    first, second = linearization_stage(), linearization_stage(seed=1)
    if not images:
        first, second = (LazyOrRichStage(lazy_or_rich=one.lazy_or_rich) for one in (first, second))
    other = "dynamic" if images else "constant_ratio"
    runs = [(first, pairs[0], name), (second, pairs[0], name), (first, pairs[0], other)]
    runs += [(first, pairs[1], name)] * images
    for settings, pair, what in runs:
        stage(settings, pair if images else (), tmp_path / "t.csv", what)
    assert len(set(logs)) == len(runs)
    stage(first, pairs[0] if images else (), tmp_path / "t.csv", name)
    assert logs[-1] == logs[0]


def test_trials_of_other_code_are_not_taken_up(tmp_path, monkeypatch):
    logs = [stages._log(tmp_path / "t.csv", "ntk", linearization.__name__, "settings").path]
    logs.append(stages._log(tmp_path / "t.csv", "ntk", kernel_change.__name__, "settings").path)
    monkeypatch.setattr(code_digest, "module_digest", lambda module: "another")
    logs.append(stages._log(tmp_path / "t.csv", "ntk", linearization.__name__, "settings").path)
    assert len(set(logs)) == 3
