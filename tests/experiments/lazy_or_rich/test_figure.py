"""The figure of lazy and rich training, and the commands around it."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from dynparam.cli import main
from dynparam.experiments.lazy_or_rich.figure import (
    COLUMNS,
    index_family,
    laziness_figure,
    plotted_data,
)
from dynparam.presentation.parametrization_style import look
from dynparam.statistics.judged import CLAIM, CONTROL, FORM, outcomes
from dynparam.support.tables import read_csv, write_csv
from dynparam.theory.parametrization import NAMES
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
    config = json.dumps(SETTINGS.model_dump(mode="json"))
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
    config = json.dumps(stage.model_dump(mode="json"))
    own = json.dumps({"lazy_or_rich": stage.lazy_or_rich.model_dump(mode="json")})
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
    config = json.dumps(linearization_stage().model_dump(mode="json"))
    if arguments[0] != "linearization":
        config = json.dumps({"lazy_or_rich": json.loads(config)["lazy_or_rich"]})
    done = run("lazy", *arguments, "--config", config, "--output", tmp_path / "t.csv")
    assert done.exit_code == 1
    assert told in str(done.exception)
    assert not (tmp_path / "t.csv").exists()
