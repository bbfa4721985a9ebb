"""The commands ``orders``, ``probe --widths`` and ``plot conditions``."""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dynparam.cli import main
from dynparam.configuration.config import Config
from dynparam.configuration.loading import load
from dynparam.experiments.measured_orders.settings import for_exponents
from dynparam.trials.networks import family_networks

CONFIG = str(Path(__file__).parents[2] / "config" / "thesis.yaml")
OVERLAY = json.dumps({"exponents": {"parametrizations": ["ntk"], "trials": 3}})


@pytest.fixture
def run(monkeypatch, capsys):
    """The program in this process: exit code, standard output, standard error."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["dynparam", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            main.main()
        captured = capsys.readouterr()
        return stopped.value.code, captured.out, captured.err

    return call


def test_orders(run):
    code, out, _ = run("orders", "--widths", "1,1/2,1", "--parametrization", "spectral")
    assert code == 0
    assert "spectral, widths n_0 ... n_4 as n to 0, 1, 1/2, 1, 0" in out
    assert "2.18 fails at layer 2: the preactivations over those of layer 1 shrink as n^(-1/4)" in out


def test_orders_as_json(run):
    code, out, _ = run(
        "orders", "--widths", "1,1", "--parametrization", "dynamic", "--r", "1/4", "--json"
    )
    assert code == 0
    assert json.loads(out)["layers"][0]["update"] == "-1/4"
    ends = ("--input-exponent", "1", "--output-exponent", "1/2")
    code, out, _ = run("orders", "--widths", "1", "--parametrization", "ntk", *ends, "--json")
    assert json.loads(out)["width_exponents"] == ["1", "1", "1/2"]


def test_measuring_a_profile(run, tmp_path):
    """Twice with one seed: the same bytes; the sidecar holds all that the trials depend on."""
    files = [tmp_path / name / "trials.csv" for name in ("first", "second")]
    arguments = ("--widths", "1,1/2,1", "--parametrization", "dynamic", "--scale", "1,5,1")
    grid = ("--from", "50", "--to", "200", "--count", "3", "--trials", "4", "--seed", "7")
    for path in files:
        code, out, err = run("measure", *arguments, *grid, "--threads", "1", "--output", path)
        assert code == 0
    assert "The largest network takes 0.00 GiB." in err
    assert "4 trials at each of 3 n from 50 to 200, law engine" in out
    assert out.count("agrees") + out.count("undecided") >= 20
    assert files[0].read_bytes() == files[1].read_bytes()
    assert len(pd.read_csv(files[0])) == 3 * 4 * 4
    record = json.loads(files[0].with_suffix(".json").read_text())
    assert record["config"]["exponents"] == ["1", "1/2", "1"]
    assert record["config"]["coefficients"] == ["1", "5", "1"]
    assert record["config"]["seed"] == 7
    assert record["config"]["engine"] == "law"
    assert list(record["outputs"]) == ["trials.csv"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["orders", "--widths", "1,abc", "--parametrization", "ntk"], "'abc' is not a number"),
        (["orders", "--widths", "", "--parametrization", "ntk"], "--widths is empty"),
        (["orders", "--widths", "1,-1", "--parametrization", "ntk"], "exponent -1 is negative"),
        (["probe", "c"], "there is no 'c' in probe.curves; choose one of fig3_2_constant_ratio"),
        (
            ["measure", "--widths", "1", "--parametrization", "ntk", "--from", "9", "--to", "5"],
            "largest (5) must exceed smallest (9); swap them",
        ),
    ],
)
def test_errors_are_one_sentence(run, arguments, message):
    code, out, err = run(*arguments)
    assert (code, out) == (1, "")
    assert message in err
    assert err.startswith("dynparam: ")
    assert err.count("\n") == 1


def test_an_unknown_parametrization_is_a_usage_error(run):
    code, _, err = run("orders", "--widths", "1", "--parametrization", "ntp")
    assert code == 2
    assert "standard" in err


def test_drawing_the_conditions(run, tmp_path):
    """From invented trials, constant in n, of the configuration's families."""
    config = load(Config, [CONFIG, OVERLAY])
    generator = np.random.default_rng(0)
    for family in config.exponents.families:
        name = f"ntk_{family}"
        stage = for_exponents(config, "ntk", family)
        probe = stage.probe
        grid = family_networks(stage.network, probe.curve(name).narrow, probe.rounding, probe.widths)
        rows = [
            (name, "ntk", n, widths.n_min, trial, layer, *np.exp(0.01 * generator.standard_normal(6)))
            for n, widths in grid.items()
            for trial in range(3)
            for layer in range(1, 7)
        ]
        columns = ["curve", "parametrization", "n", "n_min", "trial", "layer", "alignment"]
        sizes = ["preactivation_rms", "update_rms", "gradient_norm", "own_rms", "gradient_overlap"]
        path = tmp_path / "exponents" / f"{name}.csv"
        path.parent.mkdir(exist_ok=True)
        table = pd.DataFrame(rows, columns=[*columns, *sizes])
        table.assign(ratio="1", relative_square=1.0).to_csv(path, index=False)
    output = tmp_path / "conditions.png"
    options = ("--results", tmp_path, "--output", output, "--config", CONFIG, "--config", OVERLAY)
    code, _, err = run("plot", "conditions", *options)
    assert (code, err) == (0, "")
    assert {p.suffix for p in tmp_path.glob("conditions.*")} == {".png", ".svg", ".pdf", ".csv", ".json"}
    table = pd.read_csv(output.with_suffix(".csv"))
    assert len(table) == 4 * 13
    kept = table[table["condition"] == "eq. 2.18"]
    assert set(kept["measured"]) == {"holds"}
    record = json.loads(output.with_suffix(".json").read_text())
    assert "exponents/ntk_equal.csv" in record["inputs"]
    (tmp_path / "exponents" / "ntk_equal.csv").unlink()
    code, _, err = run("plot", "conditions", *options)
    assert code == 1
    assert "there is no such file yet" in err
