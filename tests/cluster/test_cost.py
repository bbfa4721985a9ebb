"""What training costs: hours from the archive's records, by machine, and what counting bounds."""

import json
import time
from pathlib import Path

import pandas as pd
import pytest

from dynparam.cli import main
from dynparam.cluster.cost import as_text, costs, operations
from dynparam.configuration.config import Config
from dynparam.configuration.loading import load
from dynparam.provenance.record import write_sidecar
from dynparam.support.errors import DataError
from dynparam.support.tables import write_csv
from dynparam.training.runs import COLUMNS
from dynparam.training.settings import for_run
from tests.training_runs import TASK, run_stage

ROOT = Path(__file__).parents[2]
THESIS = load(Config, [ROOT / "config" / "thesis.yaml"])
RUN = for_run(THESIS, "bird-cat", "10000-500")
MACHINE = {"processor": "some processor", "cores": 2}


def origin(seconds, device="cpu, 2 threads", diverged=()):
    return {
        "seeds": {str(seed): value for seed, value in seconds.items()},
        "diverged": {str(seed): 1 for seed in diverged},
        "device": device,
        "hardware": MACHINE,
    }


def write_archive(root, origins, network="10000-500", parametrization="dynamic", epochs=4):
    seeds = [int(seed) for one in origins for seed in one["seeds"]]
    rows = [
        (TASK, parametrization, seed, epoch, 0.5, 0.5, 0.5, 0.5)
        for seed in seeds
        for epoch in range(epochs + 1)
    ]
    csv = root / TASK / network / f"{parametrization}.csv"
    write_csv(pd.DataFrame(rows, columns=list(COLUMNS)), csv)
    sidecar = csv.with_suffix(".json")
    write_sidecar(sidecar, [csv], run_stage(), inputs=[], started=time.monotonic(), runs=origins)


def test_hours_are_wall_time_times_threads(tmp_path):
    write_archive(tmp_path, [origin({0: 1800, 1: 3600})])
    (row,) = costs(tmp_path).to_dict("records")
    assert row["unit"] == "core hour"
    assert (row["runs"], row["epochs"]) == (2, 4)
    assert (row["hours_smallest"], row["hours_per_run"], row["hours_largest"]) == (1.0, 1.5, 2.0)


def test_machines_devices_and_networks_are_kept_apart_and_curves_joined(tmp_path):
    write_archive(tmp_path, [origin({0: 3600}), origin({1: 36}, "NVIDIA H100")])
    write_archive(tmp_path, [origin({0: 7200})], parametrization="spectral")
    write_archive(tmp_path, [origin({0: 72})], network="1000-50")
    table = costs(tmp_path)
    found = table.set_index(["network", "device"])["hours_per_run"].to_dict()
    assert found == {
        ("10000-500", "NVIDIA H100"): 0.01,
        ("10000-500", "cpu, 2 threads"): 3.0,
        ("1000-50", "cpu, 2 threads"): 0.04,
    }
    assert table["network"].tolist() == ["10000-500", "10000-500", "1000-50"]


def test_a_gpu_has_its_row_as_soon_as_it_is_archived(tmp_path):
    write_archive(tmp_path, [origin({0: 3600})])
    assert "GPU hours have not been measured" in as_text(costs(tmp_path), RUN)
    write_archive(tmp_path, [origin({0: 3600}), origin({1: 36}, "NVIDIA H100")])
    text = as_text(costs(tmp_path), RUN)
    assert "not been measured" not in text
    (line,) = [line for line in text.splitlines() if "H100" in line]
    cells = [cell.strip() for cell in line.split("|")]
    assert cells[6:10] == ["GPU hour", "0.01 (0.01 to 0.01)", "1", "4"]


def test_diverged_runs_do_not_count(tmp_path):
    write_archive(tmp_path, [origin({0: 3600, 1: 1}, diverged=[1])])
    assert costs(tmp_path)["runs"].tolist() == [1]
    write_archive(tmp_path, [origin({0: 1}, diverged=[0])])
    with pytest.raises(DataError, match="no archived runs"):
        costs(tmp_path)


def test_operations_are_those_that_the_benchmark_counts():
    """benchmarks/training_epoch.json has those of an epoch with its evaluation, counted on its own."""
    record = json.loads((ROOT / "benchmarks" / "training_epoch.json").read_text())
    (plain,) = [one for one in record["versions_timed"] if one["version"] == "plain torch"]
    training, evaluation = operations(RUN)
    epoch = training / 100 + evaluation / 101  # epoch 0 is evaluated, not trained
    assert epoch == pytest.approx(plain["tera_operations"] * 1e12, rel=1e-3)


def test_the_page_shows_what_the_command_prints(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("sys.argv", ["dynparam", "cost"])
    with pytest.raises(SystemExit):
        main.main()
    printed = capsys.readouterr().out.strip()
    assert printed in (ROOT / "docs" / "cluster.md").read_text(), (
        "copy what `dynparam cost` prints there"
    )


def test_json_has_the_same_numbers(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("sys.argv", ["dynparam", "cost", "--json"])
    with pytest.raises(SystemExit):
        main.main()
    found = json.loads(capsys.readouterr().out)
    rows = costs(ROOT / "results" / "archive").to_dict("records")
    assert [row["hours_per_run"] for row in found["costs"]] == [row["hours_per_run"] for row in rows]
    assert found["costs"][0]["hours_400"] == pytest.approx(4 * found["costs"][0]["hours_100"])
    assert found["operations_per_run"]["training"] == operations(RUN)[0]
