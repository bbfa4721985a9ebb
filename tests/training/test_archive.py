"""The archive: only whole, unchanged curves of this configuration and these images are taken."""

import json
import math
import os
import re
import time
from pathlib import Path

import pandas as pd
import pytest

from dynparam.configuration.config import Config
from dynparam.configuration.loading import load
from dynparam.provenance.record import write_sidecar
from dynparam.provenance.sidecars import ADDED, as_text, checksum
from dynparam.support.errors import DataError
from dynparam.support.files import sha256
from dynparam.support.tables import read_csv, write_csv
from dynparam.training import archive as archives
from dynparam.training.archive import CurveFile, merge_curves, read_archive, read_curves, require_named
from dynparam.training.curve_table import COLUMNS
from dynparam.training.settings import all_runs, for_run
from tests.json_values import replaced
from tests.library_words import LIBRARY
from tests.training_runs import TASK, run_stage, write_pair

ROOT = Path(__file__).parents[2]


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
        "git": {"commit": None, "dirty": None},
        "versions": {"python": "3.11"},
        "hardware": {"processor": "a processor", "cores": 2},
        "device": "cpu, 1 threads",
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
    write_csv(change(pd.read_csv(csv)), csv)
    forge(csv, lambda told: told.update(record, outputs={csv.name: sha256(csv)}))


def forge(csv, change):
    """Change the sidecar's entries and make its checksum fit again."""
    sidecar = csv.with_suffix(".json")
    told = json.loads(sidecar.read_text())
    change(told)
    sidecar.write_text(as_text({**told, "checksum": checksum(told)}))


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


def test_a_wrong_entry_of_a_sidecar_is_told_without_words_of_a_library(archive):
    """Each kind of wrong value at every place, in a sidecar whose checksum fits."""
    csv, _ = archive
    sidecar, told = csv.with_suffix(".json"), set()
    entries = json.loads(sidecar.read_text())
    for place, _, changed in replaced(entries):
        if place:
            changed["checksum"] = checksum(changed)
        sidecar.write_text(json.dumps(changed))
        try:
            read_curves(csv)
        except DataError as error:
            told.add(str(error))
    assert len(told) > 100
    # A sidecar does have a key of that name.
    assert not [
        one for one in told if LIBRARY.search(one.replace("versions.pydantic", "")) or "\n" in one
    ]
    assert not [one for one in told if "of another kind" in one], "a kind of problem has no words"


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


def at(seed, epoch, column, value):
    """Put ``value`` at one place of a table."""

    def change(table):
        table = table.astype({column: object})
        table.loc[(table["seed"] == seed) & (table["epoch"] == epoch), column] = value
        return table

    return change


def second_diverged(table):
    """Seed 1 ends in epoch 2, with losses that are not finite."""
    table = table[(table["epoch"] <= 2) | (table["seed"] == 0)]
    return at(1, 2, "test_loss", math.nan)(at(1, 2, "train_loss", math.inf)(table))


def swapped(table):
    order = list(range(len(table)))
    order[1], order[2] = order[2], order[1]
    return table.iloc[order]


TABLES = {
    "NaN in the last epoch": at(1, 4, "test_loss", math.nan),
    "infinity in the last epoch": at(0, 4, "train_loss", math.inf),
    "minus infinity": at(0, 3, "train_loss", -math.inf),
    "an accuracy that is no number": at(0, 4, "test_accuracy", math.nan),
    "another parametrization": lambda table: table.assign(parametrization="spectral"),
    "an unknown parametrization": lambda table: table.assign(parametrization="dynamical"),
    "another parametrization in a row": at(1, 3, "parametrization", "spectral"),
    "no parametrization in a row": at(1, 3, "parametrization", None),
    "a task of its own": lambda table: table.assign(task="bird-cat"),
    "another task in a row": at(0, 4, "task", "bird-cat"),
    "no task": lambda table: table.assign(task=None),
    "a task in other letters": lambda table: table.assign(task=TASK.upper()),
    "no test accuracy": lambda table: table.drop(columns="test_accuracy"),
    "no parametrization": lambda table: table.drop(columns="parametrization"),
    "no task column": lambda table: table.drop(columns="task"),
    "a column renamed": lambda table: table.rename(columns={"test_loss": "loss"}),
    "losses exchanged": lambda table: table[[*COLUMNS[:4], "test_loss", "train_loss", *COLUMNS[6:]]],
    "one more column": lambda table: table.assign(note="x"),
    "one more number": lambda table: table.assign(more=0.5),
    "an index": lambda table: table.reset_index(),
    "a column twice": lambda table: pd.concat([table, table[["epoch"]]], axis=1),
    "text for a loss": at(1, 4, "train_loss", "none"),
    "text after a loss": at(1, 4, "train_loss", "0.5x"),
    "a truth for an accuracy": lambda table: table.assign(test_accuracy=True),
    "an empty loss": at(0, 1, "test_loss", None),
    "text for a seed": at(1, 4, "seed", "one"),
    "an empty seed": at(1, 4, "seed", None),
    "a row twice": lambda table: pd.concat([table.iloc[:3], table.iloc[2:]]),
    "the last row twice": lambda table: pd.concat([table, table.iloc[-1:]]),
    "a run twice": lambda table: pd.concat([table, table[table["seed"] == 1]]),
    "all twice": lambda table: pd.concat([table, table]),
    "an epoch twice for another": at(0, 3, "epoch", 2),
    "epochs backwards": lambda table: table.iloc[::-1],
    "two epochs exchanged": swapped,
    "epochs of one run backwards": lambda table: pd.concat([table.iloc[:5], table.iloc[:4:-1]]),
    "epochs from one": lambda table: table.assign(epoch=table["epoch"] + 1),
    "a negative epoch": at(0, 0, "epoch", -1),
    "a fractional epoch": at(0, 3, "epoch", 2.5),
    "a fraction for every epoch": lambda table: table.assign(epoch=table["epoch"] + 0.5),
    "a negative seed": lambda table: table.assign(seed=-table["seed"]),
    "a fractional seed": lambda table: table.assign(seed=table["seed"] / 2),
    "a seed beyond all": lambda table: table.assign(seed=table["seed"].map({0: 0, 1: 10**30})),
    "a truth for a seed": lambda table: table.assign(seed=table["seed"] == 1),
    "an accuracy above one": at(1, 4, "test_accuracy", 1.5),
    "accuracies in percent": lambda table: table.assign(test_accuracy=50.0),
    "a negative accuracy": at(0, 4, "train_accuracy", -0.1),
    "a negative loss": at(0, 4, "test_loss", -0.1),
    "negative losses": lambda table: table.assign(train_loss=-table["train_loss"]),
    "a seed of no run": lambda table: pd.concat([table, curve_table((2,))]),
    "a run without rows": lambda table: table[table["seed"] == 0],
    "another seed": lambda table: table.assign(seed=table["seed"] + 1),
    "no rows": lambda table: table.iloc[:0],
    "a run that ends in infinity": second_diverged,
}


@pytest.mark.parametrize("change", TABLES.values(), ids=TABLES.keys())
def test_a_table_that_no_training_writes_is_refused(archive, change):
    csv, images = archive
    rewrite(csv, change)
    assert len(refused(csv, images)) == 2


def refused(csv, images):
    """Both readers refuse a table in one sentence that names it and says what to do; both sentences."""
    sentences = []
    for read in (lambda: read_archive(csv, run_stage(), images), lambda: read_curves(csv)):
        with pytest.raises(DataError) as caught:
            read()
        told = str(caught.value)
        assert told.startswith((f"{csv}: ", f"{csv.with_suffix('.json')}: "))
        assert "restore it" in told or "training.reuse" in told
        assert "\n" not in told
        sentences.append(told)
    return sentences


CONTENTS = {
    "empty": b"",
    "no text": bytes(range(256)),
    "a heading": ",".join(COLUMNS).encode(),
    "JSON": b"[]",
    "half a row": b"".join((",".join(COLUMNS).encode(), b"\n", TASK.encode(), b",dynamic,0")),
    "a row with one more field": f"{','.join(COLUMNS)}\n{TASK},dynamic,0,0,1,1,1,1,1\n".encode(),
}


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS.keys())
def test_what_is_no_table_is_refused(archive, content):
    csv, images = archive
    csv.write_bytes(content)
    forge(csv, lambda told: told.update(outputs={csv.name: sha256(csv)}))
    assert len(refused(csv, images)) == 2


def run_without(key):
    return lambda told: told["runs"][0].pop(key)


def run_with(**entries):
    return lambda told: told["runs"][0].update(entries)


def seconds(value):
    return run_with(seeds={"0": 1.0, "1": value})


def configured(block, **entries):
    return lambda told: told["config"][block].update(entries)


def elsewhere(told):
    told["outputs"] = {"other.csv": told["outputs"]["dynamic.csv"]}


def one_more_output(told):
    told["outputs"]["other.csv"] = told["outputs"]["dynamic.csv"]


def second_origin(told):
    told["runs"].append(origin((1,)))


SIDECARS = {
    **{f"no {key} of a run": run_without(key) for key in origin(())},
    "no runs": lambda told: told.pop("runs"),
    "an empty list of runs": lambda told: told.update(runs=[]),
    "text for runs": lambda told: told.update(runs="0, 1"),
    "a run that is text": lambda told: told.update(runs=["0"]),
    "null for runs": lambda told: told.update(runs=None),
    "seeds in a list": run_with(seeds=[0, 1]),
    "a seed that is a word": run_with(seeds={"0": 1.0, "one": 1.0}),
    "a negative seed": run_with(seeds={"0": 1.0, "1": 1.0, "-1": 1.0}),
    "a seed with a zero before it": run_with(seeds={"0": 1.0, "01": 1.0}),
    "a fractional seed": run_with(seeds={"0": 1.0, "1.0": 1.0}),
    "a seed with a line's end": run_with(seeds={"0": 1.0, "1\n": 1.0}),
    "a seed more": run_with(seeds={"0": 1.0, "1": 1.0, "2": 1.0}),
    "a seed less": run_with(seeds={"0": 1.0}),
    "a seed of two runs": second_origin,
    "seconds that are text": seconds("1.0"),
    "seconds that are NaN": seconds(math.nan),
    "seconds without end": seconds(math.inf),
    "negative seconds": seconds(-1.0),
    "no seconds": seconds(None),
    "seconds that are a truth": seconds(True),
    "diverged in a list": run_with(diverged=[]),
    "diverged in an epoch that is text": run_with(diverged={"1": "4"}),
    "diverged in a fraction": run_with(diverged={"1": 3.5}),
    "diverged before the start": run_with(diverged={"1": -1}),
    "diverged after the end": run_with(diverged={"1": 5}),
    "diverged with all epochs": run_with(diverged={"1": 2}),
    "diverged with finite numbers": run_with(diverged={"1": 4}),
    "a diverged seed of no run": run_with(diverged={"7": 4}),
    "a device that is null": run_with(device=None),
    "a device without a name": run_with(device=""),
    "hardware that is text": run_with(hardware="a processor"),
    "hardware without processor": run_with(hardware={"cores": 2}),
    "a processor that is a number": run_with(hardware={"processor": 3, "cores": 2}),
    "a commit that is text": run_with(git="abc"),
    "a commit that is a number": run_with(git={"commit": 3, "dirty": False}),
    "versions that are numbers": run_with(versions={"python": 3.11}),
    "an entry of no run": run_with(note="x"),
    "an entry of no sidecar": lambda told: told.update(note="x"),
    "another table": elsewhere,
    "one more table": one_more_output,
    "no table": lambda told: told.update(outputs={}),
    "a hash that is a number": lambda told: told.update(outputs={"dynamic.csv": 3}),
    "inputs in a list": lambda told: told.update(inputs=["pair.npz"]),
    "time that is text": lambda told: told.update(wall_seconds="1"),
    "no configuration": lambda told: told.update(config={}),
    "no protocol": lambda told: told["config"].pop("protocol"),
    "no data": lambda told: told["config"].pop("data"),
    "two tasks": configured("data", pairs={TASK: ["a", "b"], "bird-cat": ["bird", "cat"]}),
    "epochs that are text": configured("protocol", epochs="4"),
    "another rate under the old digest": configured("protocol", learning_rate=9.0),
    "a digest of its own": lambda told: told.update(config_sha256="0" * 16),
}


@pytest.mark.parametrize("change", SIDECARS.values(), ids=SIDECARS.keys())
def test_a_sidecar_that_no_training_writes_is_refused(archive, change):
    csv, images = archive
    forge(csv, change)
    assert len(refused(csv, images)) == 2


CHECKSUMS = {
    "of another": "0" * 64,
    "a number": 3,
    "empty": "",
    "null": None,
    "in capitals": str.upper,
}


@pytest.mark.parametrize("value", CHECKSUMS.values(), ids=CHECKSUMS.keys())
def test_a_checksum_that_does_not_fit_is_refused(archive, value):
    csv, images = archive
    sidecar = csv.with_suffix(".json")
    told = json.loads(sidecar.read_text())
    changed = value(told["checksum"]) if callable(value) else value
    sidecar.write_text(as_text(told | {"checksum": changed}))
    assert len(refused(csv, images)) == 2


EDITS = {
    "a device": run_with(device="cpu, 64 threads"),
    "seconds": seconds(2.0),
    "a commit": run_with(git={"commit": "0" * 40, "dirty": False}),
    "the time": lambda told: told.update(created="2000-01-01T00:00:00+00:00"),
}


@pytest.mark.parametrize("change", EDITS.values(), ids=EDITS.keys())
def test_an_entry_edited_by_hand_is_noticed(archive, change):
    csv, images = archive
    sidecar = csv.with_suffix(".json")
    told = json.loads(sidecar.read_text())
    change(told)
    sidecar.write_text(as_text(told))
    assert len(refused(csv, images)) == 2


def flood(path):
    """A file that is too large to be read, and takes no room."""
    with path.open("r+b") as file:
        file.truncate(2**40)


OBSTACLES = {
    "a FIFO": (Path.unlink, os.mkfifo),
    "a directory": (Path.unlink, Path.mkdir),
    "a device": (Path.unlink, lambda path: path.symlink_to("/dev/zero")),
    "a link to itself": (Path.unlink, lambda path: path.symlink_to(path)),
    "a terabyte": (flood,),
}


@pytest.mark.parametrize("suffix", [".csv", ".json"])
@pytest.mark.parametrize("steps", OBSTACLES.values(), ids=OBSTACLES.keys())
def test_only_regular_files_of_a_bearable_size_are_read(archive, steps, suffix):
    csv, images = archive
    for step in steps:
        step(csv.with_suffix(suffix))
    assert len(refused(csv, images)) == 2


def test_a_run_may_end_in_infinity_where_it_diverged(archive):
    csv, images = archive
    rewrite(csv, second_diverged, runs=[origin((0, 1), diverged=(1,))])
    found = read_archive(csv, run_stage(), images)
    assert found.diverged == {1: 2}
    assert found.table.query("seed == 1")["epoch"].tolist() == [0, 1, 2]


def test_a_run_may_diverge_in_its_last_epoch(archive):
    csv, images = archive
    runs = [origin((0, 1)) | {"diverged": {"1": 4}}]
    rewrite(csv, at(1, 4, "train_loss", math.nan), runs=runs)
    for found in (read_archive(csv, run_stage(), images), read_curves(csv)):
        assert found.diverged == {1: 4}
        assert len(found.table) == 2 * 5


DIVERGED = {
    "a NaN before the end": at(1, 1, "train_loss", math.nan),
    "a NaN of another seed": at(0, 4, "train_loss", math.nan),
    "an epoch more": lambda table: pd.concat([table, curve_table((1,)).iloc[3:4]]),
    "an epoch less": lambda table: table[(table["epoch"] < 2) | (table["seed"] == 0)],
    "a negative loss": at(1, 1, "test_loss", -1.0),
}


@pytest.mark.parametrize("change", DIVERGED.values(), ids=DIVERGED.keys())
def test_a_diverged_run_that_does_not_fit_is_refused(archive, change):
    csv, images = archive
    runs = [origin((0, 1), diverged=(1,))]
    rewrite(csv, lambda table: change(second_diverged(table)), runs=runs)
    assert len(refused(csv, images)) == 2


def test_a_sidecar_of_before_there_were_checksums_is_accepted(archive):
    csv, images = archive
    sidecar = csv.with_suffix(".json")
    told = json.loads(sidecar.read_text())
    sidecar.write_text(json.dumps({key: told[key] for key in told.keys() - ADDED}))
    assert read_archive(csv, run_stage(), images).seeds == [0, 1]


TRACKED = sorted((ROOT / "results/archive").glob("*/*/*.csv"))


@pytest.mark.parametrize("csv", TRACKED, ids=lambda csv: str(csv.relative_to(ROOT)))
def test_every_tracked_table_is_accepted(csv, monkeypatch):
    """Under the thesis's configuration, for the images that its sidecar names."""
    task, network, parametrization = csv.relative_to(ROOT / "results/archive").with_suffix("").parts
    settings = for_run(load(Config, [ROOT / "config/thesis.yaml"]), task, network)
    (images,) = json.loads(csv.with_suffix(".json").read_text())["inputs"].values()
    monkeypatch.setattr(archives, "sha256", lambda path: images)
    found = read_archive(csv, settings, Path("images.npz"))
    (seeds,) = [
        run.seeds
        for run in all_runs(load(Config, [ROOT / "config/thesis.yaml"])).values()
        if run.place == f"{task}/{network}/{parametrization}"
    ]
    assert found.seeds == list(seeds)[: len(found.seeds)]
    assert set(found.table["parametrization"]) == {parametrization}
    pd.testing.assert_frame_equal(found.table, read_csv(csv))


def test_all_tracked_tables_are_tried():
    """Of every curve of the thesis's configuration, and no other."""
    runs = all_runs(load(Config, [ROOT / "config/thesis.yaml"])).values()
    archive = ROOT / "results/archive"
    assert sorted(archive / f"{run.place}.csv" for run in runs) == TRACKED


@pytest.mark.parametrize(
    ("place", "named"),
    [
        ("dynamic.csv", "dynamic"),
        ("dynamic/0-9.csv", "dynamic"),
        ("spectral/dynamic.csv", "dynamic"),
        ("runs/0-9.csv", None),
        ("dynamic/runs/0-9.csv", None),
    ],
)
@pytest.mark.parametrize("within", [False, True], ids=["by its whole path", "from its folder"])
def test_a_table_is_named_by_its_file_or_its_folder(tmp_path, monkeypatch, place, named, within):
    csv = tmp_path / place
    csv.parent.mkdir(parents=True, exist_ok=True)
    if within:
        monkeypatch.chdir(csv.parent)
        csv = Path(csv.name)
    for parametrization in ("dynamic", "spectral"):
        if named in (None, parametrization):
            require_named(csv, parametrization)
        else:
            told = f"{csv}: by its name it holds curves of {named}, and they are of {parametrization};"
            with pytest.raises(DataError, match=f"^{re.escape(told)}"):
                require_named(csv, parametrization)


@pytest.mark.parametrize(("column", "value"), [("task", "bird-cat"), ("parametrization", "spectral")])
def test_tables_of_several_curves_are_not_merged(column, value):
    """Those of another task too, which differ in nothing else."""
    parts = [CurveFile(curve_table(seeds), (origin(seeds),)) for seeds in ((0, 1), (2, 3))]
    assert merge_curves(parts).seeds == [0, 1, 2, 3]
    parts[1].table[column] = value
    with pytest.raises(DataError, match=f"of several curves .*{value}"):
        merge_curves(parts)
