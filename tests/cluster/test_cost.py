"""What training costs: hours from the archive's records, by machine."""

import json
import math
import re
import time
from pathlib import Path

import pandas as pd
import pytest

from dynparam.cli import main
from dynparam.cluster.cost import cost_table
from dynparam.provenance.record import write_sidecar
from dynparam.support.errors import DataError
from dynparam.support.tables import write_csv
from dynparam.training.curve_table import COLUMNS
from tests.training_runs import TASK, run_stage

ROOT = Path(__file__).parents[2]
MACHINE = {"processor": "some processor", "cores": 2}


def origin(seconds, device="cpu, 2 threads", diverged=()):
    return {
        "seeds": {str(seed): value for seed, value in seconds.items()},
        "diverged": {str(seed): 1 for seed in diverged},
        "git": {"commit": None, "dirty": None},
        "versions": {"python": "3.11"},
        "hardware": MACHINE,
        "device": device,
    }


def write_archive(root, origins, network="10000-500", parametrization="dynamic", epochs=4):
    diverged = {seed for one in origins for seed in one["diverged"]}
    seeds = [seed for one in origins for seed in one["seeds"]]
    rows = [
        (TASK, parametrization, seed, epoch, 0.5, 0.5 if epoch < end else math.nan, 0.5, 0.5)
        for seed in seeds
        for end in [1 if seed in diverged else math.inf]
        for epoch in range(int(min(end, epochs)) + 1)
    ]
    csv = root / TASK / network / f"{parametrization}.csv"
    write_csv(pd.DataFrame(rows, columns=list(COLUMNS)), csv)
    sidecar = csv.with_suffix(".json")
    write_sidecar(sidecar, [csv], run_stage(), inputs=[], started=time.monotonic(), runs=origins)


def rows_of(archive):
    """The cells of every row, by network and device."""
    lines = cost_table(archive, "10000-500").splitlines()[2:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {(row[2], row[1]): row for row in rows}


def test_hours_are_wall_time_times_threads(tmp_path):
    write_archive(tmp_path, [origin({0: 1800, 1: 3600})])
    assert list(rows_of(tmp_path).values()) == [
        [
            "some processor, 2 cores",
            "cpu, 2 threads",
            *("10000-500", "4", "2", "core hour"),
            *("1.5 (1 to 2)", "150", "600"),
        ]
    ]


def test_machines_devices_and_networks_are_kept_apart_and_curves_joined(tmp_path):
    write_archive(tmp_path, [origin({0: 3600}), origin({1: 36}, "NVIDIA H100")])
    write_archive(tmp_path, [origin({0: 7200})], parametrization="spectral")
    write_archive(tmp_path, [origin({0: 72})], network="1000-50")
    found = {key: row[4:] for key, row in rows_of(tmp_path).items()}
    assert found == {
        ("10000-500", "NVIDIA H100"): ["1", "GPU hour", "0.01 (0.01 to 0.01)", "1", "4"],
        ("10000-500", "cpu, 2 threads"): ["2", "core hour", "3 (2 to 4)", "300", "1.2e+03"],
        ("1000-50", "cpu, 2 threads"): ["1", "core hour", "0.04 (0.04 to 0.04)", "4", ""],
    }
    assert [network for network, _ in found] == ["10000-500", "10000-500", "1000-50"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"seeds": {"0": "1800"}},
        {"seeds": {"0": float("nan")}},
        {"seeds": {"0": True}},
        {"seeds": {"0": -1}},
        {"seeds": {"0": None}},
        {"seeds": {"zero": 5.0}},
        {"seeds": 5},
        {"diverged": None},
        {"hardware": "a machine"},
        {"hardware": {}},
    ],
)
def test_a_record_that_does_not_tell_times_is_named(tmp_path, wrong):
    write_archive(tmp_path, [origin({0: 1800})])
    sidecar = tmp_path / TASK / "10000-500" / "dynamic.json"
    record = json.loads(sidecar.read_text())
    record["runs"][0] |= wrong
    sidecar.write_text(json.dumps(record))
    with pytest.raises(DataError, match=r"^\S*dynamic\.(csv|json): [^\n]*; "):
        cost_table(tmp_path, "10000-500")


def test_a_folder_that_is_no_network_is_named(tmp_path):
    write_archive(tmp_path, [origin({0: 1800})], network="mine")
    with pytest.raises(DataError, match=r"mine/dynamic\.csv: its folder is not named after a network"):
        cost_table(tmp_path, "10000-500")


def test_diverged_runs_do_not_count(tmp_path):
    write_archive(tmp_path, [origin({0: 3600, 1: 1}, diverged=[1])])
    assert [row[4] for row in rows_of(tmp_path).values()] == ["1"]
    write_archive(tmp_path, [origin({0: 1}, diverged=[0])])
    with pytest.raises(DataError, match="no archived runs"):
        rows_of(tmp_path)


def test_the_page_shows_what_the_command_prints(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("sys.argv", ["dynparam", "cost"])
    with pytest.raises(SystemExit):
        main.main()
    printed = capsys.readouterr().out.strip()
    assert printed in (ROOT / "docs" / "cluster" / "resources.md").read_text(), (
        "copy what `dynparam cost` prints there"
    )


def test_the_page_counts_the_operations_that_the_benchmark_counts():
    """benchmarks/training_epoch.json has those of an epoch with its evaluation; 100 epochs are a run."""
    record = json.loads((ROOT / "benchmarks" / "training_epoch.json").read_text())
    (plain,) = [one for one in record["versions_timed"] if one["version"] == "plain torch"]
    text = " ".join((ROOT / "docs" / "cluster" / "resources.md").read_text().split())
    training, evaluation = re.search(
        r"(\d+) \* 10\^12 operations of training and (\d+) \*", text
    ).groups()
    assert int(training) + int(evaluation) == pytest.approx(100 * plain["tera_operations"], rel=0.02)
