"""From measuring to collecting: archived tables are read through their audit alone."""

import json
from pathlib import Path

import pandas as pd
import pytest

from dynparam.configuration.config import Config
from dynparam.experiments.through_training import measure as measured
from dynparam.experiments.through_training import stages
from dynparam.experiments.through_training.settings import (
    AuditedThrough,
    CollectedThrough,
    ThroughRun,
    for_through,
    probed_runs,
)
from dynparam.experiments.through_training.stages import (
    ARCHIVE,
    AUDIT_THROUGH,
    COLLECT,
    JUDGE,
    MEASURE,
    places,
)
from dynparam.provenance.sidecars import as_text, checksum, read_sidecar
from dynparam.provenance.stage import run
from dynparam.support.errors import AuditError, DataError
from dynparam.support.files import sha256
from dynparam.support.tables import read_csv, write_csv
from dynparam.training import table_archive
from tests.probed import LOOKS, planted, through_stage
from tests.thesis import CONFIG
from tests.training_runs import TASK, run_values, write_pair

AUDIT = {"seed": 1, "steps": 4, "tolerance": 1e-3}


def settings(kind, audit=AUDIT):
    through = {"probes": LOOKS} | ({} if audit is None else {"audit": audit})
    return kind.model_validate(run_values(epochs=2) | {"through_training": through})


@pytest.fixture(scope="module")
def committed():
    """As if the code were committed: while these tests are written it is not."""
    origin = {
        "git": {"commit": "abc", "dirty": False},
        "versions": {"python": "3.11"},
        "hardware": {"processor": "a processor", "cores": 2},
        "device": "cpu, 1 threads",
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measured, "origin_here", lambda device: origin)
        yield


@pytest.fixture(scope="module")
def made(tmp_path_factory, committed):
    """A measured table of two seeds, and its images."""
    root = tmp_path_factory.mktemp("made")
    images, table = write_pair(root / "pair.npz"), root / "measured" / "dynamic.csv"
    given = {"task": TASK, "parametrization": "dynamic", "seeds": "0-1", "images": images}
    run(MEASURE, settings(ThroughRun), table, **given)
    return table, images


def archived(made, root):
    table, images = made
    path = root / "archive" / "dynamic.csv"
    run(ARCHIVE, settings(ThroughRun), path, table=table, images=images)
    return path


def audited(table, images, root, name="dynamic", **changes):
    path = root / "audit.json"
    given = {"task": TASK, "parametrization": name, "table": table, "images": images}
    run(AUDIT_THROUGH, settings(AuditedThrough, AUDIT | changes), path, **given)
    return path


def collected(table, images, root, audit=None, limits=AUDIT):
    path = root / "dynamic.csv"
    chosen = settings(CollectedThrough, None if audit is None else limits)
    run(COLLECT, chosen, path, table=table, images=images, audit=audit)
    return path


def test_a_table_says_what_made_it_and_leaves_no_log(made):
    table, _ = made
    told = read_sidecar(table.with_suffix(".json"))
    assert told["runs"][0]["git"] == {"commit": "abc", "dirty": False}
    assert list(told["runs"][0]["seeds"]) == ["0", "1"]
    assert told["code"]["stage"] == "measure_through"
    assert told["seeds"]["training.runs"] == [f"{TASK} 24-7: 0-1"]
    assert not list(table.parent.glob(".unfinished/*.jsonl"))


def test_a_measured_table_is_collected_without_an_audit(made, tmp_path):
    table, images = made
    path = collected(table, images, tmp_path)
    assert path.read_bytes() == table.read_bytes()
    assert read_sidecar(path.with_suffix(".json"))["source"] == "trained here"


def test_an_archived_table_is_collected_with_its_audit(made, tmp_path):
    path, images = archived(made, tmp_path), made[1]
    assert path.read_bytes() == made[0].read_bytes()
    found = collected(path, images, tmp_path, audited(path, images, tmp_path))
    assert found.read_bytes() == path.read_bytes()
    told = read_sidecar(found.with_suffix(".json"))
    assert told["source"] == "archive"
    assert told["audit"]["passed"] is True
    assert told["audit_sentence"].startswith("seed 1, steps 0 to 4 measured again: 20 rows differ by")


def test_an_archived_table_is_not_collected_without_one(made, tmp_path):
    path = archived(made, tmp_path)
    with pytest.raises(DataError, match="was not measured here, and an archived one is read with its"):
        collected(path, made[1], tmp_path)


def test_an_audit_under_other_limits_is_refused(made, tmp_path):
    path, images = archived(made, tmp_path), made[1]
    audit = audited(path, images, tmp_path)
    with pytest.raises(DataError, match="an audit under another configuration"):
        collected(path, images, tmp_path, audit, AUDIT | {"tolerance": 0.5})


def forge(path, change):
    """Change a table and make its sidecar fit again."""
    table = pd.read_csv(path)
    change(table)
    write_csv(table, path)
    sidecar = path.with_suffix(".json")
    told = json.loads(sidecar.read_text())
    told["outputs"] = {path.name: sha256(path)}
    sidecar.write_text(as_text({**told, "checksum": checksum(told)}))


def test_a_changed_table_does_not_fit_its_sidecar(made, tmp_path):
    path = archived(made, tmp_path)
    path.write_text(path.read_text().replace("0.5", "0.6", 1))
    with pytest.raises(DataError, match="not the table its sidecar describes"):
        audited(path, made[1], tmp_path)


@pytest.mark.parametrize("column", ["loss", "trace", "contribution", "cosine", "participation"])
def test_an_audit_refuses_a_changed_number(made, tmp_path, column):
    path = archived(made, tmp_path)

    def change(table):
        """One number, in the seed and the steps that are audited."""
        table.loc[(table["seed"] == 1) & (table["step"] == 2) & (table["layer"] == 1), column] *= 1.01

    # A loss stands in every row of a step; changing it in one is enough.
    forge(path, change)
    with pytest.raises(AuditError, match=rf"fails its audit: .* {column} differs by 9\.9e-03") as caught:
        audited(path, made[1], tmp_path)
    assert caught.value.exit_code == 4


def test_an_audit_refuses_the_table_of_another_parametrization(made, tmp_path):
    path = archived(made, tmp_path)
    with pytest.raises(AuditError, match="it lacks rows of seed 1"):
        audited(path, made[1], tmp_path, "spectral")
    forge(path, lambda table: table.replace({"parametrization": {"dynamic": "spectral"}}, inplace=True))
    with pytest.raises(AuditError, match="fails its audit"):
        audited(path, made[1], tmp_path, "spectral")


def test_the_audited_seed_is_drawn_unless_it_is_given(made, tmp_path, monkeypatch):
    path, images = archived(made, tmp_path), made[1]
    monkeypatch.setattr("dynparam.experiments.through_training.audit.secrets.choice", min)
    told = read_sidecar(audited(path, images, tmp_path, seed=None))
    assert told["audit"]["what"] == "seed 0, steps 0 to 4"
    with pytest.raises(AuditError, match=r"audit.seed is 9, and the archive holds the seeds \[0, 1\]"):
        audited(path, images, tmp_path, seed=9)


def test_a_table_that_is_not_archived_is_named(made, tmp_path):
    with pytest.raises(
        DataError, match=r"there are no such archived curves; set training\.reuse to none"
    ):
        audited(tmp_path / "none.csv", made[1], tmp_path)


def test_code_that_no_commit_holds_is_not_archived(made, tmp_path, monkeypatch):
    def refuse(kept):
        raise DataError("not committed")

    monkeypatch.setattr(table_archive, "require_committed", refuse)
    with pytest.raises(DataError, match="not committed"):
        archived(made, tmp_path)
    assert not (tmp_path / "archive" / "dynamic.csv").exists()


def test_verdicts_are_made_from_the_tables_of_all_runs(tmp_path):
    changes = {"tasks": [TASK], "networks": [{"n": 1000, "n_min": 50, "seeds": 3}]}
    stage = through_stage(**changes)
    for (task, network, name), table in planted(stage).items():
        write_csv(table, tmp_path / "through_training" / task / network / f"{name}.csv")
    run(JUDGE, stage, tmp_path / "verdicts.csv", results=tmp_path)
    assert "holds" in set(read_csv(tmp_path / "verdicts.csv")["verdict"])


def test_a_table_of_another_parametrization_is_not_read(tmp_path):
    stage = through_stage(tasks=[TASK], networks=[{"n": 1000, "n_min": 50, "seeds": 2}])
    for (task, network, _), table in planted(stage).items():
        for name in ("spectral", "dynamic"):
            write_csv(table, tmp_path / "through_training" / task / network / f"{name}.csv")
    with pytest.raises(DataError, match=r"spectral\.csv: .*column 'parametrization' has 'dynamic'"):
        run(JUDGE, stage, tmp_path / "verdicts.csv", results=tmp_path)


def test_places_are_those_of_all_runs():
    found = places(CONFIG.through_training)
    assert len(found) == len(list(probed_runs(CONFIG.through_training)))
    assert "through_training/bird-cat/10000-500/dynamic.csv" in found


def test_judging_depends_on_no_run(tmp_path):
    values = CONFIG.model_dump(mode="json")
    values["protocol"]["learning_rate"] = 0.2
    assert for_through(Config.model_validate(values)) == for_through(CONFIG)
    assert Path(stages.PLACE).name == "through_training"
