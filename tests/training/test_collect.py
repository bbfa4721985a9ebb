"""Collecting curves: archived ones with the audit of this very table, others if trained here."""

import json
import math
import os
import re
import shutil
import sys
import threading

import pandas as pd
import pytest

from dynparam.cli import main
from dynparam.provenance.sidecars import as_text
from dynparam.settings.base import values_digest
from dynparam.support.errors import DataError, DynparamError
from dynparam.support.files import sha256
from dynparam.support.locks import held
from dynparam.training import audit as audits
from dynparam.training.archive import read_collected
from dynparam.training.rounding import retrain
from tests.training.test_archive import OBSTACLES, SIDECARS, TABLES, forge, rewrite
from tests.training_runs import TASK, run_values, write_pair

LIMITS = {"seed": None, "epochs": 2, "tolerance": 1e-3, "accuracy_tolerance": 5e-3}


def config(limits=None, **protocol):
    """The blocks of a run and of its audit, as JSON text."""
    audit = {"audit": LIMITS | (limits or {})}
    return json.dumps({**run_values(**protocol), "training": audit})


NORMAL = config()


def told(root, *arguments, config=NORMAL):
    """Run a command below ``root``; its exit code and the one sentence of an error."""
    patch = pytest.MonkeyPatch()
    patch.chdir(root)
    patch.setattr(sys, "argv", ["dynparam", *arguments, "--config", f"only={config}"])
    errors = []
    patch.setattr(main, "tell_error", errors.append)
    patch.setattr(main, "tell_fault", lambda error: errors.append(f"a fault:\n{error!r}"))
    try:
        with pytest.raises(SystemExit) as ended:
            main.main()
    finally:
        patch.undo()
    return ended.value.code or 0, "".join(map(str, errors))


def train(root, name="dynamic", seeds="0-2", **options):
    place = f"shards/{name}/{seeds}.csv"
    options = {"seeds": seeds, "images": "pair.npz", "runs": "runs", "output": place, "device": "cpu"}
    flags = [part for key, value in options.items() for part in (f"--{key}", value)]
    assert told(root, "train", TASK, name, *flags) == (0, "")
    return place


def audit(root, table="archive/dynamic.csv", name="dynamic", output="audit.json", config=NORMAL):
    flags = ("--curves", table, "--images", "pair.npz", "--output", output, "--device", "cpu")
    return told(root, "audit", TASK, name, *flags, config=config)


def collect(root, *tables, audit="audit.json", output="collected/dynamic.csv", config=NORMAL):
    flags = ["--images", "pair.npz", "--output", output]
    flags += [] if audit is None else ["--audit", audit]
    return told(root, "collect", *(tables or ["archive/dynamic.csv"]), *flags, config=config)


def extend(root, *tables, archive="archive/dynamic.csv"):
    return told(root, "archive", *tables, "--archive", archive, "--images", "pair.npz")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Curves of both parametrizations, trained, archived and audited."""
    root = tmp_path_factory.mktemp("made")
    write_pair(root / "pair.npz")
    for name in ("dynamic", "spectral"):
        assert extend(root, train(root, name), archive=f"archive/{name}.csv") == (0, "")
    assert audit(root) == (0, "")
    return root


@pytest.fixture
def run(made, tmp_path):
    """A copy to change."""
    root = tmp_path / "run"
    shutil.copytree(made, root)
    return root


def refused(root, outcome, *parts, output="collected/dynamic.csv"):
    code, sentence = outcome
    assert code == 1, sentence
    assert "\n" not in sentence.strip()
    for part in parts:
        assert part in sentence
    assert not (root / output).exists()
    assert not (root / output).with_suffix(".json").exists()
    return sentence


def test_audited_curves_are_collected_and_say_so(run):
    assert collect(run) == (0, "")
    assert (run / "collected/dynamic.csv").read_bytes() == (run / "archive/dynamic.csv").read_bytes()
    record = json.loads((run / "collected/dynamic.json").read_text())
    assert record["source"] == "archive"
    assert record["audit"]["passed"]
    assert record["config"]["training"]["audit"] == LIMITS


def test_an_audit_carries_what_it_is_an_audit_of(made):
    record = json.loads((made / "audit.json").read_text())
    assert record["audited"] == {
        "task": TASK,
        "network": "24-7",
        "parametrization": "dynamic",
        "table_sha256": sha256(made / "archive/dynamic.csv"),
        "images_sha256": sha256(made / "pair.npz"),
        "chosen_seed": None,
    }
    limits = {key: value for key, value in LIMITS.items() if key != "seed"}
    assert limits.items() <= record["audit"].items()


def test_several_parametrizations_are_audited_by_one_command_as_by_their_own(made, tmp_path):
    root = shutil.copytree(made, tmp_path / "run")
    limits = config({"seed": 1})
    for name in ("spectral", "dynamic"):
        assert audit(root, f"archive/{name}.csv", name, f"own/{name}.json", limits) == (0, "")
    flags = ("--curves", "archive", "--images", "pair.npz", "--output", "both", "--device", "cpu")
    assert told(root, "audit", TASK, "spectral", "dynamic", *flags, config=limits) == (0, "")
    for name in ("spectral", "dynamic"):
        own, both = (
            json.loads((root / f"{place}/{name}.json").read_text()) for place in ("own", "both")
        )
        assert both["audited"] == own["audited"]
        assert both["audit"] == own["audit"]


def test_all_audits_that_fail_are_told_by_one_command(made, tmp_path, monkeypatch):
    root = shutil.copytree(made, tmp_path / "run")
    monkeypatch.setattr(audits, "retrain", lambda *run: 1.1 * retrain(*run))
    monkeypatch.setattr(audits, "moved", lambda *run: 0 * run[-1])
    flags = ("--curves", "archive", "--images", "pair.npz", "--output", "both", "--device", "cpu")
    code, sentence = told(root, "audit", TASK, "spectral", "dynamic", *flags)
    assert code == 4
    assert re.search(
        "spectral, seed . fails its audit.*; and .*dynamic, seed . fails its audit", sentence
    )
    assert "\n" not in sentence
    assert not (root / "both").exists()


def test_one_file_does_not_serve_several_parametrizations(run):
    flags = ("--curves", "archive", "--images", "pair.npz", "--output", "one.json", "--device", "cpu")
    code, sentence = told(run, "audit", TASK, "spectral", "dynamic", *flags)
    assert code == 1
    assert "--output names one file, one.json, for 2 parametrizations; name a folder" in sentence
    assert not (run / "one.json").exists()


def test_shards_are_collected_without_an_audit(run):
    assert collect(run, "shards/dynamic/0-2.csv", audit=None) == (0, "")
    record = json.loads((run / "collected/dynamic.json").read_text())
    assert (record["source"], record["audit"]) == ("trained here", None)
    assert collect(run, train(run, seeds="3-3"), "shards/dynamic/0-2.csv", audit=None) == (0, "")
    assert pd.read_csv(run / "collected/dynamic.csv")["seed"].unique().tolist() == [0, 1, 2, 3]


def test_the_task_is_taken_from_the_table(run):
    """By hand, under a configuration of several tasks."""
    values = json.loads(config())
    values["data"]["pairs"]["bird-cat"] = ["bird", "cat"]
    assert collect(run, config=json.dumps(values)) == (0, "")
    assert list(json.loads((run / "collected/dynamic.json").read_text())["config"]["data"]["pairs"]) == [
        TASK
    ]


# Each changes the run's files, and may return other arguments of ``collect``.


def keep_times(path, change):
    """Change a file's content and not its times."""
    before = path.stat()
    change(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def entries(**changes):
    """Entries of the audit's result, edited with its checksum."""
    return lambda root: forge_audit(root, lambda told: told["audit"].update(changes))


def subject(**changes):
    return lambda root: forge_audit(root, lambda told: told.setdefault("audited", {}).update(changes))


def forge_audit(root, change):
    path = root / "audit.json"
    keep_times(path, lambda path: forge(path.with_suffix(".csv"), change))


def edited(change):
    """The audit's result edited by hand, as an editor does it."""

    def edit(root):
        values = json.loads((root / "audit.json").read_text())
        change(values)
        (root / "audit.json").write_text(as_text(values))

    return edit


def lower_the_last_loss(root):
    """Another archive: what the audit did not repeat is changed, hashes fit, and times are old."""

    def change(table):
        table.loc[table["epoch"] == 4, "test_loss"] /= 2
        return table

    csv = root / "archive/dynamic.csv"
    for path in (csv, csv.with_suffix(".json")):
        os.utime(path, (1, 1))
    rewrite(csv, change)
    for path in (csv, csv.with_suffix(".json")):
        os.utime(path, (1, 1))


def another_seed(root):
    """The archive is extended after its audit."""
    assert extend(root, train(root, seeds="3-3")) == (0, "")


def other_parametrization(root):
    for suffix in (".csv", ".json"):
        shutil.copy2(root / f"archive/spectral{suffix}", root / f"archive/dynamic{suffix}")
    rename_output(root / "archive/dynamic.csv", "spectral.csv")


def rename_output(csv, old):
    def change(told):
        told["outputs"] = {csv.name: told["outputs"][old]}

    forge(csv, change)


def other_images(root):
    keep_times(root / "pair.npz", lambda path: path.write_bytes(path.read_bytes() + b"x"))


def old_audit(root):
    """As audits were before they carried what they are of."""
    forge_audit(root, lambda told: told.pop("audited", None))


def no_checksum(root):
    values = json.loads((root / "audit.json").read_text())
    del values["checksum"]
    (root / "audit.json").write_text(as_text(values))


def of_another_stage(root):
    forge_audit(root, lambda told: told["code"].update(stage="collect_curves"))


def of_no_stage(root):
    forge_audit(root, lambda told: told.update(code=None))


def audit_of_spectral(root):
    assert audit(root, "archive/spectral.csv", "spectral") == (0, "")


def audit_with(**limits):
    """An audit that was made, and passed, under other limits."""

    def make(root):
        assert audit(root, config=config(limits)) == (0, "")

    return make


def audit_under_a_wide_tolerance(root):
    """An archive that fails is audited so that it passes."""

    def change(table):
        table.loc[table["epoch"] == 1, "train_loss"] *= 1.05
        return table

    rewrite(root / "archive/dynamic.csv", change)
    assert audit(root, config=config({"tolerance": 10.0})) == (0, "")


def configured(**changes):
    def change(told):
        told["config"]["protocol"].update(changes)
        told["config_sha256"] = values_digest(told["config"])

    return lambda root: forge_audit(root, change)


def limits_forged(**changes):
    """Both the entries and the configuration of the audit say so."""

    def change(told):
        told["config"]["training"]["audit"].update(changes)
        told["config_sha256"] = values_digest(told["config"])
        told["audit"].update({key: value for key, value in changes.items() if key in told["audit"]})

    return lambda root: forge_audit(root, change)


def diverge_the_audited(root):
    """The audited run is one that diverged, all of them are, by another table and sidecar."""
    seed = json.loads((root / "audit.json").read_text())["audit"]["seed"]
    csv = root / "archive/dynamic.csv"

    def change(table):
        table = table[(table["seed"] != seed) | (table["epoch"] <= 3)].copy()
        table.loc[(table["seed"] == seed) & (table["epoch"] == 3), "test_loss"] = math.inf
        return table

    rewrite(csv, change)
    forge(csv, lambda told: told["runs"][0].update(diverged={str(seed): 3}))
    forge_audit(root, lambda told: told.setdefault("audited", {}).update(table_sha256=sha256(csv)))


def write(content):
    return lambda root: (root / "audit.json").write_bytes(content)


AUDITS = {
    "an archive with another last loss": lower_the_last_loss,
    "an archive with one more seed": another_seed,
    "another parametrization's archive": other_parametrization,
    "other images": other_images,
    "an audit of another parametrization": audit_of_spectral,
    "an audit that says nothing of its table": old_audit,
    "the hash of another table": subject(table_sha256="0" * 64),
    "the hash of other images": subject(images_sha256="0" * 64),
    "another task": subject(task="bird-cat"),
    "another network": subject(network="24-8"),
    "another parametrization": subject(parametrization="spectral"),
    "another choice of the seed": subject(chosen_seed=1),
    "a hash that is a number": subject(table_sha256=3),
    "an entry of no audit": subject(note="x"),
    "a loss that differs too much": entries(loss_difference=1.0),
    "an accuracy that differs too much": entries(accuracy_difference=0.5),
    "a difference that is NaN": entries(loss_difference=math.nan),
    "an accuracy's difference that is NaN": entries(accuracy_difference=math.nan),
    "a negative difference": entries(loss_difference=-1.0),
    "a difference without end": entries(loss_difference=-math.inf),
    "a negative accuracy's difference": entries(accuracy_difference=-0.1),
    "its own tolerance": entries(loss_difference=0.5, tolerance=1.0),
    "its own tolerance of accuracies": entries(accuracy_difference=0.5, accuracy_tolerance=1.0),
    "an endless tolerance": entries(tolerance=math.inf),
    "no tolerance": lambda root: forge_audit(root, lambda told: told["audit"].pop("tolerance")),
    "fewer epochs": entries(epochs=1),
    "more epochs": entries(epochs=4),
    "no epochs": entries(epochs=0),
    "epochs that are a truth": entries(epochs=True),
    "epochs that are text": entries(epochs="2"),
    "a seed that is not archived": entries(seed=7),
    "a negative seed": entries(seed=-1),
    "a seed that is text": entries(seed="0"),
    "a seed that diverged": diverge_the_audited,
    "a difference that is text": entries(loss_difference="0"),
    "a verdict of its own": entries(passed=True),
    "another rate": configured(learning_rate=0.2),
    "more epochs of training": configured(epochs=5),
    "an audit with a wider tolerance": audit_with(tolerance=0.5),
    "an audit with a narrower tolerance": audit_with(tolerance=1e-4),
    "an audit with another tolerance of accuracies": audit_with(accuracy_tolerance=0.5),
    "an audit of one epoch": audit_with(epochs=1),
    "an audit of a chosen seed": audit_with(seed=1),
    "an audit that could not fail": audit_under_a_wide_tolerance,
    "limits forged": limits_forged(tolerance=1.0),
    "epochs forged": limits_forged(epochs=1),
    "without checksum": no_checksum,
    "of another stage": of_another_stage,
    "of no stage": of_no_stage,
    "a difference edited": edited(lambda told: told["audit"].update(loss_difference=1e-9)),
    "a seed edited": edited(lambda told: told["audit"].update(seed=1 - told["audit"]["seed"] % 2)),
    "a device edited": edited(lambda told: told["audit"].update(device="cpu, 64 threads")),
    "a time edited": edited(lambda told: told.update(created="2000-01-01T00:00:00+00:00")),
    "empty": write(b""),
    "no JSON": write(b"passed"),
    "a list": write(b"[]"),
    "no text": write(bytes(range(256))),
    "the archive's sidecar": lambda root: shutil.copy(
        root / "archive/dynamic.json", root / "audit.json"
    ),
    "nothing": lambda root: (root / "audit.json").unlink(),
}


@pytest.mark.parametrize("change", AUDITS.values(), ids=AUDITS.keys())
def test_only_the_audit_of_this_very_table_is_accepted(run, change):
    change(run)
    assert refused(run, collect(run))


@pytest.mark.parametrize("steps", OBSTACLES.values(), ids=OBSTACLES.keys())
def test_an_audit_is_a_regular_file(run, steps):
    for step in steps:
        step(run / "audit.json")
    assert refused(run, collect(run))


def test_the_configured_seed_is_the_one_that_was_audited(run):
    assert audit(run, config=config({"seed": 1})) == (0, "")
    assert refused(run, collect(run), "chosen seed")
    assert refused(run, collect(run, config=config({"seed": 2})), "chosen seed")
    assert collect(run, config=config({"seed": 1})) == (0, "")


NOT_TRAINED = {
    "an archived table": ["archive/dynamic.csv"],
    "a shard and an archived table": ["shards/dynamic/0-2.csv", "archive/dynamic.csv"],
    "a renamed archived table": ["renamed/dynamic.csv"],
    "collected curves": ["before/dynamic.csv"],
    "an archived table of before there were stages": ["older/dynamic.csv"],
}


@pytest.mark.parametrize("tables", NOT_TRAINED.values(), ids=NOT_TRAINED.keys())
def test_without_an_audit_only_curves_that_were_trained_here_are_accepted(run, tables):
    assert collect(run, output="before/dynamic.csv") == (0, "")
    for name in ("renamed", "older"):
        shutil.copytree(run / "archive", run / name)
    sidecar = run / "older/dynamic.json"
    record = json.loads(sidecar.read_text())
    sidecar.write_text(as_text({k: v for k, v in record.items() if k not in ("code", "checksum")}))
    assert refused(
        run, collect(run, *tables, audit=None), "not trained here", "dynparam audit", "--audit"
    )


def stage_edited(root):
    sidecar = root / "archive/dynamic.json"
    sidecar.write_text(sidecar.read_text().replace("extend_archive", "train_seeds"))


def stage_without_checksum(root):
    stage_edited(root)
    record = json.loads((root / "archive/dynamic.json").read_text())
    del record["checksum"]
    (root / "archive/dynamic.json").write_text(as_text(record))


@pytest.mark.parametrize("change", [stage_edited, stage_without_checksum])
def test_an_archive_that_is_passed_off_as_a_shard_is_refused(run, change):
    change(run)
    assert refused(run, collect(run, audit=None))


def test_one_table_is_collected_with_an_audit(run):
    shard = train(run, seeds="3-3")
    assert refused(run, collect(run, "archive/dynamic.csv", shard), "an audit is of one table")


SHARD = "shards/dynamic/0-2.csv"


@pytest.mark.parametrize(
    "wrong",
    [
        "NaN in the last epoch",
        "another parametrization",
        "a task of its own",
        "no test accuracy",
        "text for a loss",
        "a run twice",
        "epochs backwards",
        "accuracies in percent",
        "a run without rows",
    ],
)
def test_a_shard_that_no_training_writes_is_refused(run, wrong):
    rewrite(run / SHARD, TABLES[wrong])
    assert refused(run, collect(run, SHARD, audit=None), SHARD)


def test_shards_of_another_configuration_or_other_images_are_refused(run):
    outcome = collect(run, SHARD, audit=None, config=config(learning_rate=0.2))
    assert refused(
        run, outcome, f"{SHARD}: trained under another", "protocol.learning_rate: 0.05, here 0.2"
    )
    other_images(run)
    assert refused(run, collect(run, SHARD, audit=None), f"{SHARD}: trained for other images")


def test_curves_do_not_get_the_name_of_another_parametrization(run):
    other = "collected/spectral.csv"
    assert refused(
        run, collect(run, output=other), "by its name it holds curves of spectral", output=other
    )
    shutil.copytree(run / "shards/spectral", run / "elsewhere")
    both = collect(run, SHARD, "elsewhere/0-2.csv", audit=None)
    assert refused(run, both, "of several curves")


def test_an_audit_of_another_parametrization_is_refused(run):
    code, sentence = audit(run, "archive/spectral.csv", "dynamic", output="other.json")
    assert code == 1
    assert "archive/spectral.csv: holds curves of spectral, not of dynamic" in sentence
    assert not (run / "other.json").exists()


@pytest.mark.parametrize("reuse", ["none", "archive"])
def test_the_configuration_may_reuse_or_not(run, reuse):
    """``training`` has other keys in a whole configuration; only the audit's limits count here."""
    values = json.loads(config())
    values["training"]["reuse"] = reuse
    assert collect(run, config=json.dumps(values)) == (0, "")


def test_a_configuration_without_limits_accepts_no_audit(run):
    bare = json.dumps(run_values())
    assert refused(run, collect(run, config=bare), "training.audit")
    assert collect(run, SHARD, audit=None, config=bare) == (0, "")


def test_figures_are_drawn_from_collected_curves_alone(run):
    assert collect(run) == (0, "")
    assert read_collected(run / "collected/dynamic.csv").seeds == [0, 1, 2]
    for place in ("archive/dynamic.csv", SHARD):
        with pytest.raises(DataError, match="were not collected, so that nothing vouches for them"):
            read_collected(run / place)


class TestExtending:
    """Adding to an archive."""

    @pytest.mark.parametrize("wrong", ["NaN in the last epoch", "a run twice", "a negative loss"])
    def test_no_table_that_no_training_writes_is_added(self, run, wrong):
        shard, before = train(run, seeds="3-4"), (run / "archive/dynamic.csv").read_bytes()
        rewrite(
            run / shard,
            lambda t: TABLES[wrong](t.assign(seed=t["seed"] - 3)).assign(seed=lambda t: t["seed"] + 3),
        )
        code, sentence = extend(run, shard)
        assert code == 1
        assert shard in sentence
        assert (run / "archive/dynamic.csv").read_bytes() == before

    @pytest.mark.parametrize("wrong", ["no git of a run", "text for runs", "seconds that are text"])
    def test_no_sidecar_that_no_training_writes_is_added(self, run, wrong):
        shard, before = train(run, seeds="3-4"), (run / "archive/dynamic.csv").read_bytes()
        forge(run / shard, SIDECARS[wrong])
        code, sentence = extend(run, shard)
        assert code == 1
        assert "3-4.json: the provenance of 3-4.csv is missing or damaged" in sentence
        assert (run / "archive/dynamic.csv").read_bytes() == before

    def test_another_parametrization_is_not_added(self, run):
        shutil.copytree(run / "shards/spectral", run / "elsewhere")
        for archive in ("archive/dynamic.csv", "new/dynamic.csv"):
            code, sentence = extend(run, "elsewhere/0-2.csv", archive=archive)
            assert code == 1
            assert "spectral" in sentence
        assert not (run / "new/dynamic.csv").exists()

    def test_an_archive_that_another_process_extends_is_left_alone(self, run):
        shard = train(run, seeds="3-4")
        sentences = []

        def elsewhere():
            with pytest.raises(DynparamError) as caught, held(run / "archive/dynamic.csv"):
                pass
            sentences.append(str(caught.value))

        before = (run / "archive/dynamic.csv").read_bytes()
        with held(run / "archive/dynamic.csv"):
            other = threading.Thread(target=elsewhere)
            other.start()
            other.join()
            code, sentence = extend(run, shard)
        assert code == 1
        assert "archive/dynamic.csv: another process is changing it; run this again" in sentence
        assert "another process is changing it" in sentences[0]
        assert (run / "archive/dynamic.csv").read_bytes() == before
        assert extend(run, shard) == (0, "")
        assert pd.read_csv(run / "archive/dynamic.csv")["seed"].nunique() == 5

    def test_nothing_to_add_is_no_error(self, run, tmp_path):
        for archive in ("archive/dynamic.csv", "new/dynamic.csv"):
            assert extend(run, archive=archive) == (0, "")
        assert not list((run / "new").iterdir())
