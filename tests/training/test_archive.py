"""The archive: only whole, unchanged curves of this configuration and these images are taken."""

import json
import time

import pandas as pd
import pytest

from dynparam.provenance.record import write_sidecar
from dynparam.support.errors import DataError
from dynparam.support.files import sha256
from dynparam.support.tables import write_csv
from dynparam.training.archive import CurveFile, merge_curves, read_archive, read_curves
from dynparam.training.runs import COLUMNS
from tests.training_runs import TASK, run_stage, write_pair


def curve_table(seeds=(0, 1), epochs=4):
    rows = [
        (TASK, "dynamic", seed, epoch, 0.5 - 0.1 * epoch, 0.5, 0.5, 0.5)
        for seed in seeds
        for epoch in range(epochs + 1)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def origin(seeds, diverged=()):
    return {
        "seeds": {str(seed): 1.0 for seed in seeds},
        "diverged": {str(seed): 2 for seed in diverged},
        "device": "cpu, 1 threads",
        "hardware": {"processor": "a processor"},
    }


def write_archive(root, settings=None, seeds=(0, 1)):
    """An archived table with its sidecar; returns it with its images."""
    images = write_pair(root / "pair.npz")
    csv = root / "dynamic.csv"
    write_csv(curve_table(seeds), csv)
    settings = settings or run_stage()
    write_sidecar(
        csv.with_suffix(".json"),
        [csv],
        settings,
        inputs=[images],
        started=time.monotonic(),
        runs=[origin(seeds)],
    )
    return csv, images


@pytest.fixture
def archive(tmp_path):
    return write_archive(tmp_path)


def test_round_trip(archive):
    csv, images = archive
    found = read_archive(csv, run_stage(), images)
    pd.testing.assert_frame_equal(found.table, curve_table())
    assert found.seeds == [0, 1]
    assert found.diverged == {}


def test_a_changed_number_is_noticed(archive):
    csv, images = archive
    csv.write_text(csv.read_text().replace("0.4", "0.3", 1))
    for read in (lambda: read_archive(csv, run_stage(), images), lambda: read_curves(csv)):
        with pytest.raises(DataError, match=r"dynamic.csv: not the table its sidecar describes"):
            read()


def test_another_configuration_is_named_by_its_keys(archive):
    csv, images = archive
    with pytest.raises(DataError) as caught:
        read_archive(csv, run_stage(learning_rate=0.2, epochs=5), images)
    assert "protocol.learning_rate: 0.05, here 0.2, protocol.epochs: 4, here 5" in str(caught.value)
    assert "training.reuse" in str(caught.value)


def test_other_images_are_noticed(archive, tmp_path):
    csv, _ = archive
    others = write_pair(tmp_path / "other.npz")
    others.write_bytes(others.read_bytes() + b"x")
    with pytest.raises(DataError, match="archived for other images"):
        read_archive(csv, run_stage(), others)


def rewrite(csv, change, **record):
    """Change a table and make its sidecar fit again."""
    table = pd.read_csv(csv)
    write_csv(change(table), csv)
    sidecar = csv.with_suffix(".json")
    told = json.loads(sidecar.read_text())
    told["outputs"] = {csv.name: sha256(csv)}
    sidecar.write_text(json.dumps(told | record))


INCOMPLETE = {
    "all runs end early": lambda table: table[table["epoch"] < 4],
    "one run ends early": lambda table: table[(table["epoch"] < 3) | (table["seed"] == 0)],
    "an epoch is missing": lambda table: table[table["epoch"] != 2],
    "an epoch is there twice": lambda table: pd.concat([table, table[table["epoch"] == 4]]),
}


@pytest.mark.parametrize("change", INCOMPLETE.values(), ids=INCOMPLETE.keys())
def test_incomplete_runs_are_refused(archive, change):
    csv, images = archive
    rewrite(csv, change)
    with pytest.raises(DataError, match=r"seed \d lacks some of its epochs 0 to 4"):
        read_archive(csv, run_stage(), images)


def test_a_run_may_end_where_it_diverged(archive):
    csv, images = archive
    rewrite(
        csv,
        lambda table: table[(table["epoch"] <= 2) | (table["seed"] == 0)],
        runs=[origin((0, 1), diverged=(1,))],
    )
    assert read_archive(csv, run_stage(), images).diverged == {1: 2}


def test_curves_of_another_task_are_refused(archive):
    csv, images = archive
    rewrite(csv, lambda table: table.assign(task="bird-cat"))
    with pytest.raises(DataError, match="holds curves of"):
        read_archive(csv, run_stage(), images)


@pytest.mark.parametrize("damage", ["", "not json", "[]", '{"outputs": {}}'])
def test_a_damaged_sidecar_is_named(archive, damage):
    csv, images = archive
    csv.with_suffix(".json").write_text(damage)
    with pytest.raises(DataError, match=r"dynamic.json: the provenance of .* is missing or dam"):
        read_archive(csv, run_stage(), images)


def test_a_missing_table_is_named(archive):
    csv, images = archive
    csv.unlink()
    with pytest.raises(DataError, match=r"dynamic\.csv"):
        read_archive(csv, run_stage(), images)


def test_merging_orders_seeds_and_keeps_origins():
    parts = [CurveFile(curve_table(seeds), (origin(seeds, seeds[:1]),)) for seeds in ((7, 3), (1,))]
    merged = merge_curves(parts)
    assert merged.seeds == [1, 3, 7]
    assert merged.table["seed"].is_monotonic_increasing
    assert merged.diverged == {7: 2, 1: 2}


def test_equal_origins_become_one():
    elsewhere = origin((2,)) | {"device": "a GPU"}
    parts = [
        CurveFile(curve_table((0,)), (origin((0,)),)),
        CurveFile(curve_table((2,)), (elsewhere,)),
        CurveFile(curve_table((1,)), (origin((1,)),)),
    ]
    assert [set(one["seeds"]) for one in merge_curves(parts).origins] == [{"0", "1"}, {"2"}]


def test_equal_origins_keep_what_diverged_in_each():
    parts = [
        CurveFile(curve_table((k,)), (origin((k,), diverged),)) for k, diverged in ((0, ()), (1, (1,)))
    ]
    for order in (parts, parts[::-1]):
        merged = merge_curves(order)
        assert len(merged.origins) == 1
        assert merged.diverged == {1: 2}


def test_a_seed_given_twice_is_refused():
    part = CurveFile(curve_table((0, 1)), (origin((0, 1)),))
    with pytest.raises(DataError, match=r"seeds \[1\] are in several tables"):
        merge_curves([part, CurveFile(curve_table((1, 2)), (origin((1, 2)),))])


def test_configuration_of_the_sidecar_is_complete(archive):
    """What the comparison of configurations reads is the run's own blocks, nothing else."""
    record = json.loads(archive[0].with_suffix(".json").read_text())
    assert set(record["config"]) == {"data", "inputs", "network", "protocol"}
