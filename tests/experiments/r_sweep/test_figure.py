"""The figure of the r-sweep and the commands around it."""

import json
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from dynparam.cli import main
from dynparam.experiments.r_sweep.columns import edges_view
from dynparam.experiments.r_sweep.edges import exponents, growths, summary
from dynparam.experiments.r_sweep.figure import CEILING, COLOURS, MARKERS, plotted_data, sweep_figure
from dynparam.presentation import figure_style
from dynparam.report.stages import STAGES
from dynparam.support.errors import ConfigError, DataError
from dynparam.support.tables import read_csv, write_csv
from tests.drawn import bands, error_bars, key
from tests.networks import invented_pair
from tests.sweeps import edges_stage, planted_sweep, sweep_stage

REFERENCES = ("n_min", "geometric_mean", "n_max")


@pytest.fixture(scope="module")
def settings():
    return edges_stage()


@pytest.fixture(scope="module")
def trials(settings):
    return planted_sweep(settings)


@pytest.fixture(scope="module")
def data(trials, settings):
    return plotted_data(trials, settings)


@pytest.fixture(scope="module")
def results(trials, tmp_path_factory):
    """The trials of every reference, as files."""
    results = tmp_path_factory.mktemp("results")
    for reference, rows in trials.groupby("reference"):
        write_csv(rows, results / "sweep" / f"{reference}.csv")
    return results


def run(*arguments):
    return CliRunner().invoke(main.app, [str(argument) for argument in arguments])


def test_plotted_data(data):
    drift, growth = (data[data["panel"] == panel] for panel in ("drift", "growth"))
    assert len(drift) == 3 * 9
    assert len(growth) == 3 * 9 * 3
    assert (drift["low"] < drift["value"]).all()
    assert (drift["value"] < drift["high"]).all()
    edge = growth[(growth["reference"] == "n_min") & (growth["r"] == 0.5)]
    np.testing.assert_allclose(edge["relative_size"], 1)
    assert (growth["low"] <= growth["value"]).all()


def test_panels_show_the_data(data, settings):
    left, right = sweep_figure(data, settings).axes
    for reference in REFERENCES:
        of_colour = [line for line in left.lines if line.get_color() == COLOURS[reference]]
        rows = data[(data["panel"] == "drift") & (data["reference"] == reference)]
        shown = [list(line.get_ydata()) for line in of_colour]
        assert rows["value"].tolist() in shown
        assert rows["expected"].tolist() in shown
        curves = [line for line in right.lines if line.get_color() == COLOURS[reference]]
        assert len(curves) == 3
        assert {line.get_marker() for line in curves} == {MARKERS[reference]}
        assert {line.get_fillstyle() for line in curves} == {"none", "left", "full"}
    texts = {text.get_text() for text in left.texts}
    assert texts == {"$r = 1/2$", "$r = 5/16$", "$r = 1/4$"}


@pytest.mark.parametrize(
    ("widths", "fills"),
    [
        ([1], ["none"]),
        ([1, 2], ["none", "full"]),
        ([1, 2, 3], ["none", "left", "full"]),
        ([1, 2, 3, 4, 5], ["none", "none", "left", "full", "full"]),
    ],
)
def test_wider_networks_have_fuller_markers(data, settings, widths, fills):
    """The widest full, the narrowest hollow, however many there are."""
    one = data[data["n"] == data["n"].min()]
    growth = pd.concat([one.assign(n=1000 * width) for width in reversed(widths)])
    drawn = sweep_figure(pd.concat([data[data["panel"] == "drift"], growth]), settings).axes[1].lines
    for reference in REFERENCES:
        curves = [line for line in drawn if line.get_color() == COLOURS[reference]]
        assert [line.get_fillstyle() for line in curves] == fills


def test_growth_is_the_median_of_the_trials_with_their_range(trials, settings):
    """Three of eight trials diverged at r = 1, under one reference: their share, and the greatest."""
    gone = trials.copy()
    one = (gone["experiment"] == "training") & (gone["r"] == 1) & (gone["reference"] == "n_max")
    gone.loc[one & (gone["trial"] < 3), "diverged_at"] = 3
    data = plotted_data(gone, settings)
    growth = data[data["panel"] == "growth"].set_index(["reference", "r", "n"])
    by_hand = growths(gone).groupby(["reference", "r", "n"])["growth"]
    for name, expected in (("value", by_hand.median()), ("low", by_hand.min()), ("high", by_hand.max())):
        pd.testing.assert_series_equal(growth[name], expected, check_names=False, check_index_type=False)
    assert (by_hand.median() - by_hand.mean()).abs().max() > 0.1
    share = growth["diverged"]
    assert share[share > 0].index.droplevel("n").unique().tolist() == [("n_max", 1.0)]
    assert set(share) == {0.0, 3 / 8}


def test_bars_lines_and_words_are_those_of_data_and_settings(data, settings):
    """Intervals that reach farther down than up; growth against m^r over sqrt(n_min), by width."""
    other = data.copy()
    drift = other["panel"] == "drift"
    other.loc[drift, "low"] -= 0.3
    figure = sweep_figure(other, settings)
    left, right = figure.axes
    bars = error_bars(left)
    for bar, reference in zip(bars, REFERENCES, strict=True):
        rows = other[drift & (other["reference"] == reference)]
        assert (bar.colour, bar.marker) == (COLOURS[reference].lower(), MARKERS[reference])
        assert bar.x == rows["r"].tolist()
        assert bar.y == rows["value"].tolist()
        assert bar.low == pytest.approx(rows["low"].tolist())
        assert bar.high == pytest.approx(rows["high"].tolist())
        curves = [line for line in right.lines if line.get_color() == COLOURS[reference]]
        for line, n in zip(curves, sorted(other["n"].dropna().unique()), strict=True):
            rows = other[(other["reference"] == reference) & (other["n"] == n)]
            rows = rows.sort_values("relative_size")
            assert list(line.get_xdata()) == rows["relative_size"].tolist()
            assert list(line.get_ydata()) == rows["value"].clip(upper=CEILING).tolist()
    edges = [line.get_xdata()[0] for line in left.lines if line.get_linestyle() == ":"]
    assert edges == [1 / 2, 5 / 16, 1 / 4]
    (onset,) = [line for line in right.lines if line.get_linestyle() == ":"]
    assert list(onset.get_ydata()) == [settings.sweep.onset] * 2
    assert right.get_title() == "Largest in 4 steps, relative to the first"
    references, (theory, dotted, wider) = key(figure.legends[0])[:3], key(figure.legends[0])[3:]
    looks = [(bar.colour, bar.marker) for bar in bars]
    assert len(set(looks)) == 3
    assert references == [
        (name, *look, "")
        for name, look in zip(
            (r"$m = n_{\min}$", r"$m$ = geometric mean", r"$m = n_{\max}$"), looks, strict=True
        )
    ]
    assert (theory[0][:6], *theory[2:]) == ("theory", "", "-")
    assert (dotted[0], *dotted[2:]) == ("expected edge of the drift; onset of growth", "", ":")
    assert (wider[0], *wider[2:]) == ("fuller: wider, $n$ = 1,000 to 30,000", "o", "")
    assert [(axis.get_xscale(), axis.get_yscale()) for axis in figure.axes] == [
        ("linear", "linear"),
        ("log", "log"),
    ]
    assert left.get_xticks().tolist() == [0, 1 / 4, 1 / 2, 3 / 4, 1]
    assert [label.get_text() for label in left.get_xticklabels()] == ["0", "1/4", "1/2", "3/4", "1"]
    assert right.get_ylim()[0] < 1 < CEILING < right.get_ylim()[1], "no growth, and the greatest"
    assert [list(line.get_ydata()) for line in left.lines if line.get_color() == "0.4"] == [[0, 0]]
    ((one, _),) = [line.get_xdata() for line in right.lines if list(line.get_ydata()) == [0, 1]]
    assert one == 1, "where updates are as large as sqrt(n_min)"


def test_every_column_shows_what_its_head_says():
    row = pd.DataFrame(
        {
            "statistic": "growth",
            "reference": "geometric_mean",
            "edge_expected": 0.3125,
            "edge": 0.4,
            "ci_low": 0.21,
            "ci_high": 0.52,
            "update_exponent": 0.9,
            "update_expected": 0.8,
            "verdict": "undecided",
            "note": "told",
        },
        index=[0],
    )
    view = edges_view(0.05)
    assert {column.head: column.texts(row)[0] for column in view.columns if not column.picture} == {
        "statistic": "growth",
        "reference": "geometric mean",
        "expected": "0.312",
        "measured": "0.400 [0.210, 0.520]",
        "verdict": "? undecided",
        "note": "told",
    }
    lacking = row.assign(edge=np.nan, ci_low=np.nan, ci_high=np.nan, note=None)
    shown = {column.head: column.texts(lacking)[0] for column in view.columns if not column.picture}
    assert (shown["measured"], shown["expected"], shown["note"]) == ("none", "0.312", "")
    (drawn,) = [column.picture for column in view.columns if column.picture]
    rows = pd.concat([row, row.assign(edge=1.0, ci_high=1.2)])
    for low, high in bands(drawn.draw(rows), rows["edge"]):
        assert (low, high) == pytest.approx((0.2625, 0.3625), abs=0.01)


def test_divergence_is_drawn_at_the_upper_edge(trials, settings):
    gone = trials.copy()
    gone.loc[(gone["experiment"] == "training") & (gone["r"] == 1), "diverged_at"] = 3
    data = plotted_data(gone, settings)
    assert np.isinf(data.loc[(data["panel"] == "growth") & (data["r"] == 1), "value"]).all()
    right = sweep_figure(data, settings).axes[1]
    highest = max(np.max(line.get_ydata()) for line in right.lines if len(line.get_xdata()) == 9)
    assert highest == CEILING


def test_saved_files_repeat_to_the_byte(data, settings, tmp_path):
    first, second = (
        [
            path.read_bytes()
            for path in figure_style.save(
                sweep_figure(data, settings), data, tmp_path / name / "f.png", 40
            )
        ]
        for name in ("a", "b")
    )
    assert first == second


def test_edges_and_plot_commands(results, tmp_path):
    config = ["--config", f"only={edges_stage().model_dump_json()}"]
    edges, png = tmp_path / "sweep" / "edges.csv", tmp_path / "figures" / "r_sweep.png"
    done = run("edges", *config, "--results", results, "--output", edges)
    assert done.exit_code == 0, done.output
    assert {path.name for path in edges.parent.iterdir()} == {
        "edges.csv",
        "edges.json",
        "exponents.csv",
    }
    trials = pd.concat([read_csv(results / "sweep" / f"{name}.csv") for name in REFERENCES])
    for name, made in (("edges.csv", summary), ("exponents.csv", exponents)):
        write_csv(made(trials, edges_stage()), tmp_path / "expected.csv")
        assert (edges.parent / name).read_bytes() == (tmp_path / "expected.csv").read_bytes()
    assert set(read_csv(edges)["verdict"]) == {"agrees"}
    sidecar = json.loads(edges.with_suffix(".json").read_text())
    assert len(sidecar["inputs"]) == 3
    assert set(sidecar["config"]) == {"network", "sweep", "fit", "figures"}
    done = run("plot", "sweep", *config, "--results", results, "--output", png)
    assert done.exit_code == 0, done.output
    names = {path.name for path in png.parent.iterdir()}
    assert names == {f"r_sweep.{kind}" for kind in ("png", "svg", "pdf", "csv", "json")}


def test_sweep_command(tmp_path):
    images, output = tmp_path / "pair.npz", tmp_path / "sweep" / "n_max.csv"
    np.savez(images, **asdict(invented_pair()))
    config = ["--config", f"only={sweep_stage(r=[0, '1/2']).model_dump_json()}", "--images", images]
    done = run("sweep", "n_max", *config, "--output", output)
    assert done.exit_code == 0, done.output
    again = tmp_path / "again" / "n_max.csv"
    assert run("sweep", "n_max", *config, "--output", again).exit_code == 0
    assert output.read_bytes() == again.read_bytes()
    assert {path.name for path in output.parent.rglob("*") if path.is_file()} == {
        "n_max.csv",
        "n_max.json",
    }
    failed = run("sweep", "mean", *config, "--output", output)
    assert isinstance(failed.exception, ConfigError)
    assert str(failed.exception) == (
        "there is no 'mean' in sweep.references; choose one of n_min, geometric_mean, n_max"
    )


def test_missing_trials_are_named(tmp_path):
    config = ["--config", f"only={edges_stage().model_dump_json()}"]
    failed = run("edges", *config, "--results", tmp_path, "--output", tmp_path / "edges.csv")
    assert isinstance(failed.exception, DataError)
    assert "n_min.csv and 2 more: there is no such file yet" in str(failed.exception)


def test_every_command_has_a_digest():
    digests = {STAGES[name].digest() for name in ("sweep_reference", "find_edges", "plot_sweep")}
    assert len(digests) == 3
