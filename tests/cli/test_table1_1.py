"""The commands around Table 1.1, on planted trials."""

import json

import pytest
from typer.testing import CliRunner

from dynparam.cli import main
from dynparam.experiments.measured_orders.table1_1 import COLUMNS, table1_1
from dynparam.report.stages import STAGES
from dynparam.support.errors import DataError
from dynparam.support.tables import read_csv, write_csv
from tests.planted import ROOT, all_planted, stage

CONFIG = ["--config", str(ROOT / "config" / "thesis.yaml"), "--config", '{"figures": {"dpi": 60}}']


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    results = tmp_path_factory.mktemp("results")
    for (name, family), trials in all_planted(stage()).items():
        write_csv(trials, results / "exponents" / f"{name}_{family}.csv")
    return results


def run(*arguments):
    return CliRunner().invoke(main.app, [str(argument) for argument in arguments])


def read_trials(results):
    """Every table of trials, by parametrization and family."""
    return {
        key: read_csv(results / "exponents" / f"{key[0]}_{key[1]}.csv") for key in all_planted(stage())
    }


def test_table_command(results, tmp_path):
    output = tmp_path / "table1_1.csv"
    done = run("table", *CONFIG, "--results", results, "--output", output)
    assert done.exit_code == 0, done.output
    assert "320 entries" in done.output
    names = {path.name for path in tmp_path.iterdir() if path.is_file()}
    assert names == {f"table1_1.{kind}" for kind in ("csv", "md", "html", "json")}
    table = read_csv(output)
    assert tuple(table.columns) == COLUMNS
    assert len(table) == 320
    write_csv(table1_1(stage(), read_trials(results)), tmp_path / "expected.csv")
    assert output.read_bytes() == (tmp_path / "expected.csv").read_bytes()
    sidecar = json.loads(output.with_suffix(".json").read_text())
    assert len(sidecar["inputs"]) == 16
    assert set(sidecar["config"]) == {"network", "probe", "exponents", "fit", "figures"}


def test_plot_table_command(results, tmp_path):
    output = tmp_path / "table1_1.png"
    done = run("plot", "table", *CONFIG, "--results", results, "--output", output)
    assert done.exit_code == 0, done.output
    write_csv(table1_1(stage(), read_trials(results)), tmp_path / "expected" / "table.csv")
    assert output.with_suffix(".csv").read_bytes() == (
        (tmp_path / "expected" / "table.csv").read_bytes()
    )
    names = {path.name for path in tmp_path.iterdir() if path.is_file()}
    assert names == {f"table1_1.{kind}" for kind in ("png", "svg", "pdf", "csv", "json")}


def test_missing_trials_are_named(tmp_path):
    done = run("table", *CONFIG, "--results", tmp_path, "--output", tmp_path / "table1_1.csv")
    assert isinstance(done.exception, DataError)
    assert "ntk_equal.csv and 15 more: there is no such file yet" in str(done.exception)


def test_digests_exist_and_the_page_is_no_part_of_the_figure():
    assert STAGES["judge_table1_1"].digest() != STAGES["plot_table1_1"].digest()
