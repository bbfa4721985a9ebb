"""The stages of arms, run one after the other: trained, archived, audited, collected, extended."""

from dataclasses import replace

import pandas as pd
import pytest

from dynparam.provenance.stage import run
from dynparam.support.errors import AuditError, ConfigError, DataError
from dynparam.support.tables import read_csv
from dynparam.training import runs
from dynparam.training.arms import stages, table
from dynparam.training.arms.settings import AuditedArms
from tests.training.arms.conftest import VALIDATION, small_stage
from tests.training_runs import invented_pair, write_pair

LIMITS = {
    "audit": {"seed": None, "epochs": 1, "tolerance": 1e-4, "accuracy_tolerance": 1e-4},
}

COMMIT = {"commit": "0" * 40, "dirty": False}


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A directory with the images of three sets, as a clean checkout sees it."""
    monkeypatch.setattr(runs, "git_state", lambda: COMMIT)
    more = invented_pair(VALIDATION, 2, seed=9)
    pair = replace(
        invented_pair(), validation_images=more.train_images, validation_labels=more.train_labels
    )
    write_pair(tmp_path / "pair.npz", pair)
    return tmp_path


def audited(stage):
    """The same with the limits of audits."""
    values = {name: getattr(stage, name) for name in type(stage).model_fields}
    return AuditedArms.model_validate({**values, "training": LIMITS})


def train(place, stage, output="trained.csv", archive=None):
    return run(
        stages.TRAIN,
        stage,
        place / output,
        images=place / "pair.npz",
        archive=archive,
        runs_directory=place / "runs",
        device="cpu",
        threads=1,
        seeds_at_once=8,
        checkpoint_epochs=1,
    )


def extend(place, stage, *tables):
    return run(
        stages.EXTEND, stage, place / "archive.csv", tables=list(tables), images=place / "pair.npz"
    )


def audit(place, stage):
    result = place / "audit.json"
    run(
        stages.AUDIT_ARMS,
        audited(stage),
        result,
        curves=place / "archive.csv",
        images=place / "pair.npz",
        device="cpu",
        threads=1,
    )
    return result


def collect(place, stage, curves="archive.csv", result=None):
    made = run(
        stages.COLLECT,
        audited(stage),
        place / "collected.csv",
        curves=place / curves,
        images=place / "pair.npz",
        audit=result,
    )
    return read_csv(made.files[0], table.FORM)


def archived(place, stage):
    """Train and archive."""
    train(place, stage)
    return extend(place, stage, place / "trained.csv")


def test_archived_audited_collected(place):
    stage = small_stage()
    made = archived(place, stage)
    assert made.said.endswith("4 runs, 4 new")
    found = collect(place, stage, result=audit(place, stage))
    assert len(found) == 2 * 2 * 3
    assert found["learning_rate"].unique().tolist() == [0.05, 0.1]
    trained = collect(place, stage, curves="trained.csv")
    pd.testing.assert_frame_equal(found, trained)


def test_more_rates_and_seeds_are_trained_alone(place):
    """What the archive has is not trained again, and stays as it is; the order of adding is told."""
    small, large = small_stage(), small_stage(rates=(0.025, 0.05, 0.1), seeds=3)
    archived(place, small)
    before = read_csv(place / "archive.csv", table.FORM)
    assert not table.lacking(place / "archive.csv", small)
    assert table.lacking(place / "archive.csv", large)
    made = train(place, large, "more.csv", archive=place / "archive.csv")
    new = read_csv(made.files[0], table.FORM)
    assert new["run"].nunique() == 5
    assert extend(place, large, place / "more.csv").said.endswith("9 runs, 5 new")
    after = read_csv(place / "archive.csv", table.FORM)
    pd.testing.assert_frame_equal(after[: len(before)], before)
    whole = collect(place, large, result=audit(place, large))
    assert len(whole) == 9 * 3
    assert not train(place, large, "none.csv", archive=place / "archive.csv").recorded
    assert not (place / "none.csv").exists()
    assert extend(place, large).said.endswith("9 runs, 0 new")


def test_a_run_is_archived_once(place):
    stage = small_stage()
    archived(place, stage)
    with pytest.raises(DataError, match="is in several tables; give each run once"):
        extend(place, stage, place / "trained.csv")


def test_what_is_not_archived_is_named(place):
    archived(place, small_stage())
    large = small_stage(rates=(0.05, 0.1, 0.2))
    with pytest.raises(DataError, match=r"lacks seed 0 of dynamic, eta = 0\.2.*archive_arms"):
        collect(place, large, result=audit(place, large))


def test_other_settings_or_images_do_not_fit(place):
    archived(place, small_stage())
    with pytest.raises(DataError, match=r"another configuration \(protocol\.momentum"):
        audit(place, small_stage(momentum=0.5))
    write_pair(place / "pair.npz", invented_pair(seed=3))
    with pytest.raises(DataError, match="for other images"):
        audit(place, small_stage())


@pytest.mark.parametrize("column", ["train_loss", "validation_accuracy"])
def test_a_changed_archive_fails(place, column):
    """One number changed: the sidecar tells; with a sidecar of its own, the audit does."""
    stage = small_stage(rates=(0.1,), seeds=1)
    archived(place, stage)
    values = pd.read_csv(place / "archive.csv")
    values[column] *= 1.01
    values.to_csv(place / "archive.csv", index=False)
    with pytest.raises(DataError, match="not the table its sidecar describes"):
        audit(place, stage)
    (place / "archive.csv").unlink()
    forged = pd.read_csv(place / "trained.csv")
    forged[column] *= 1.01

    def forge(*_, **__):
        """A table as if it had been trained so."""
        return forged, [{"seeds": {"0": 1.0}, "diverged": {}, **runs.origin_here(device())}]

    def device():
        import torch

        return torch.device("cpu")

    from dynparam.training.arms import measure

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measure, "train", forge)
        train(place, stage, "forged.csv")
    extend(place, stage, place / "forged.csv")
    with pytest.raises(AuditError, match=f"{column} differs by"):
        audit(place, stage)


def test_what_no_commit_made_is_not_archived(place, monkeypatch):
    monkeypatch.setattr(runs, "git_state", lambda: {**COMMIT, "dirty": True})
    stage = small_stage(rates=(0.1,), seeds=1)
    train(place, stage)
    with pytest.raises(DataError, match="by code that no commit holds"):
        extend(place, stage, place / "trained.csv")


def test_an_archive_is_collected_with_its_audit_alone(place):
    stage = small_stage(rates=(0.1,), seeds=1)
    archived(place, stage)
    with pytest.raises(DataError, match="was not measured here"):
        collect(place, stage)
    result = audit(place, stage)
    archive = place / "archive.csv"
    other = small_stage(rates=(0.05, 0.1), seeds=1)
    train(place, other, "more.csv", archive=archive)
    extend(place, other, place / "more.csv")
    with pytest.raises(DataError, match="audit of another table"):
        collect(place, other, result=result)


def test_runs_that_all_diverge_cannot_be_audited(place):
    stage = small_stage(rates=(1e6,), seeds=1, first_layer="primal")
    archived(place, stage)
    with pytest.raises(AuditError, match="has no run that did not diverge"):
        audit(place, stage)


def test_a_pair_of_two_sets_is_not_trained(place):
    write_pair(place / "pair.npz", invented_pair())
    with pytest.raises(ConfigError, match="0 validation images"):
        train(place, small_stage())


def test_one_arm_twice_is_refused():
    with pytest.raises(ValueError, match=r"two arms of dynamic, eta = 0\.1"):
        small_stage(rates=(0.1, 0.1 + 1e-12))


def test_decay_of_a_dual_first_layer_is_refused_before_training():
    values = small_stage().model_dump()
    values["arms"][0]["weight_decay"] = 0.5
    with pytest.raises(ValueError, match=r"set protocol\.first_layer to primal"):
        type(small_stage()).model_validate(values)
