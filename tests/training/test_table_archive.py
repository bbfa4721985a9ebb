"""Archived tables of any form: only whole, unchanged ones of this configuration, with their audit."""

import json
import time
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import pytest

from dynparam.provenance.record import write_sidecar
from dynparam.provenance.sidecars import as_text, checksum
from dynparam.support.errors import AuditError, DataError
from dynparam.support.files import sha256
from dynparam.support.tables import GAPS, NUMBER, WHOLE, Form, write_csv
from dynparam.training.curve_record import read_record
from dynparam.training.table_archive import Kind, read_archived, read_measured, require_committed
from dynparam.training.table_audit import compare, details, read_audited
from tests.training_runs import run_stage, write_pair

KEY = ("seed", "step")
KIND = Kind(
    Form({"seed": WHOLE, "step": WHOLE, "size": NUMBER, "gap": GAPS}, key=KEY, complete=True),
    "measure_sizes",
    "audit_sizes",
)
COMMITTED = {"commit": "abc", "dirty": False}


def origin(seeds, git=COMMITTED):
    return {
        "seeds": {str(seed): 2.5 for seed in seeds},
        "diverged": {},
        "git": git,
        "versions": {"python": "3.11"},
        "hardware": {"processor": "a processor", "cores": 2},
        "device": "cpu, 1 threads",
    }


def sizes(seeds=(0, 1)):
    rows = [
        (seed, step, 1.5 * seed + step, 0.5 if step else None) for seed in seeds for step in (0, 1, 2)
    ]
    return pd.DataFrame(rows, columns=list(KIND.form.columns))


def written(root, stage=KIND.measured, git=COMMITTED, seeds=(0, 1), settings=None, **more):
    """A table with its sidecar, and its images."""
    images = write_pair(root / "pair.npz")
    csv = root / "sizes.csv"
    write_csv(sizes(), csv)
    write_sidecar(
        csv.with_suffix(".json"),
        [csv],
        settings or run_stage(),
        inputs=[images],
        started=time.monotonic(),
        code={"stage": stage, "digest": "0" * 16},
        runs=[origin(seeds, git)],
        **more,
    )
    return csv, images


def forge(csv, change):
    """Change the sidecar's entries and make its checksum fit again."""
    sidecar = csv.with_suffix(".json")
    told = json.loads(sidecar.read_text())
    change(told)
    sidecar.write_text(as_text({**told, "checksum": checksum(told)}))


@pytest.mark.parametrize("read", [read_archived, read_measured])
def test_round_trip(tmp_path, read):
    csv, images = written(tmp_path)
    found = read(csv, KIND, run_stage(), images)
    pd.testing.assert_frame_equal(found.table, sizes())
    assert found.sha256 == sha256(csv)
    assert found.runs == (origin((0, 1)),)
    assert found.diverged == []


def test_a_changed_number_is_noticed(tmp_path):
    csv, images = written(tmp_path)
    csv.write_text(csv.read_text().replace("1.5", "1.6", 1))
    with pytest.raises(DataError, match=r"sizes.csv: not the table its sidecar describes; restore it"):
        read_archived(csv, KIND, run_stage(), images)


def test_another_configuration_is_named_by_its_keys(tmp_path):
    csv, images = written(tmp_path)
    with pytest.raises(DataError, match=r"another configuration \(protocol.epochs: 4, here 9\)"):
        read_archived(csv, KIND, run_stage(epochs=9), images)


def test_other_images_are_noticed(tmp_path):
    csv, images = written(tmp_path)
    images.write_bytes(images.read_bytes() + b"x")
    with pytest.raises(DataError, match="archived for other images"):
        read_archived(csv, KIND, run_stage(), images)


def test_a_missing_table_is_named_with_the_remedy(tmp_path):
    csv, images = written(tmp_path)
    csv.unlink()
    with pytest.raises(DataError, match=r"sizes\.csv: .*training.reuse"):
        read_archived(csv, KIND, run_stage(), images)


def test_a_table_of_another_form_is_refused(tmp_path):
    csv, images = written(tmp_path)
    write_csv(sizes().drop(columns="size"), csv)
    forge(csv, lambda told: told.update(outputs={csv.name: sha256(csv)}))
    with pytest.raises(DataError, match="it has no column 'size'"):
        read_archived(csv, KIND, run_stage(), images)


def test_seeds_are_those_that_the_sidecar_names(tmp_path):
    csv, images = written(tmp_path, seeds=(0, 1, 2))
    with pytest.raises(DataError, match="its runs are not those that its sidecar names"):
        read_archived(csv, KIND, run_stage(), images)


def test_only_a_measured_table_is_read_without_an_audit(tmp_path):
    csv, images = written(tmp_path, stage="archive_sizes")
    with pytest.raises(DataError, match="was not measured here, and an archived one is read with its"):
        read_measured(csv, KIND, run_stage(), images)


@pytest.mark.parametrize(
    "git", [{"commit": None, "dirty": None}, {"commit": "abc", "dirty": True}], ids=["none", "dirty"]
)
def test_an_archived_table_names_a_commit(tmp_path, git):
    csv, images = written(tmp_path, git=git)
    with pytest.raises(DataError, match="seeds 0, 1 were measured by code that no commit holds"):
        require_committed(read_archived(csv, KIND, run_stage(), images))


def test_a_table_of_committed_code_is_accepted(tmp_path):
    csv, images = written(tmp_path)
    kept = read_archived(csv, KIND, run_stage(), images)
    require_committed(kept)
    assert kept.runs[0]["git"] == COMMITTED


@pytest.fixture
def archived(tmp_path):
    csv, images = written(tmp_path)
    return read_archived(csv, KIND, run_stage(), images), images


def audited(archived, mine):
    kept, images = archived
    return compare(kept, mine, KEY, "seed 1", 1e-3, images)


def test_what_was_measured_again_passes_if_it_is_equal(archived):
    found = audited(archived, sizes((1,)))
    assert found.passed
    assert (found.rows, found.difference) == (3, 0.0)
    assert found.sentence() == (
        "seed 1 measured again: 3 rows differ by at most 0.0e+00 relatively (tolerance 1e-03)"
    )


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"size": 1.01}, "size differs by 9.9e-03"),
        ({"gap": 0.99}, "gap differs by 1.0e-02"),
    ],
)
def test_a_number_that_differs_fails(archived, change, why):
    mine = sizes((1,))
    for name, factor in change.items():
        mine.loc[mine["step"] == 2, name] *= factor
    with pytest.raises(AuditError, match=why) as caught:
        audited(archived, mine)
    assert caught.value.exit_code == 4


def test_a_gap_that_is_none_fails(archived):
    with pytest.raises(AuditError, match="gap differs by inf"):
        audited(archived, sizes((1,)).assign(gap=0.5))


def test_a_number_within_the_tolerance_passes(archived):
    mine = sizes((1,))
    mine["size"] *= 1.0005
    assert audited(archived, mine).difference == pytest.approx(5e-4, rel=1e-3)


def test_a_row_that_rounding_moves_is_allowed_more_and_no_other_row_is(archived):
    """The tolerance is 1e-3, and rounding moves the last row by 1e-3."""
    kept, images = archived
    column = kept.table.columns[2]

    def changed(row, factor):
        mine = sizes((1,))
        mine.loc[mine.index[row], column] *= factor
        return compare(kept, mine, KEY, "seed 1", 1e-3, images, lambda: np.array([0.0, 0.0, 1e-3]))

    found = changed(-1, 1.009)
    assert found.passed
    assert found.moved == 1e-3
    assert "(tolerance 1e-02, since 1e-6 of its initial weights moves this run by 1e-03)" in (
        found.sentence()
    )
    for row, factor in ((-1, 1.012), (0, 1.009)):
        with pytest.raises(AuditError, match="fails its audit"):
            changed(row, factor)


def test_rows_that_the_archive_lacks_fail(archived):
    with pytest.raises(AuditError, match="it lacks rows of seed 1"):
        audited(archived, sizes((1, 2)))


LIMITS = run_stage(epochs=1)
"""Any settings do for those of an audit."""


def write_audit(root, result, settings=LIMITS, stage=KIND.audited):
    path = root / "audit.json"
    write_sidecar(
        path,
        [],
        settings,
        started=time.monotonic(),
        code={"stage": stage, "digest": "0" * 16},
        audit=asdict(result),
    )
    return path


def test_an_archived_table_is_read_with_its_audit(archived, tmp_path):
    kept, images = archived
    result = audited(archived, sizes((1,)))
    path = write_audit(tmp_path, result)
    found, read = read_audited(kept.path, KIND, run_stage(), LIMITS, images, path)
    pd.testing.assert_frame_equal(found.table, sizes())
    assert read == result


CHANGES = {
    "another table": ({"table_sha256": "0" * 64}, LIMITS, "the audit of another table"),
    "other images": ({"images_sha256": "0" * 64}, LIMITS, "or for other images"),
    "other limits": ({}, run_stage(epochs=2), "an audit under another configuration"),
    "not passed": ({"difference": 0.5}, LIMITS, "does not pass this audit"),
    "no number": ({"difference": float("nan")}, LIMITS, "does not pass this audit"),
}


@pytest.mark.parametrize(("change", "limits", "why"), CHANGES.values(), ids=CHANGES.keys())
def test_an_audit_of_something_else_is_refused(archived, tmp_path, change, limits, why):
    kept, images = archived
    path = write_audit(tmp_path, replace(audited(archived, sizes((1,))), **change), limits)
    with pytest.raises(DataError, match=why):
        read_audited(kept.path, KIND, run_stage(), LIMITS, images, path)


def test_a_changed_result_is_refused(archived, tmp_path):
    kept, images = archived
    path = write_audit(tmp_path, audited(archived, sizes((1,))))
    for text in (path.read_text().replace('"rows": 3', '"rows": 4'), "{}"):
        path.write_text(text)
        with pytest.raises(DataError, match="not an audit's result, or changed since"):
            read_audited(kept.path, KIND, run_stage(), LIMITS, images, path)


def test_an_audit_of_another_kind_is_refused(archived, tmp_path):
    kept, images = archived
    path = write_audit(tmp_path, audited(archived, sizes((1,))), stage="audit_archive")
    with pytest.raises(DataError, match="not an audit's result"):
        read_audited(kept.path, KIND, run_stage(), LIMITS, images, path)


@pytest.mark.parametrize("source", ["archive", "trained here"])
def test_a_collected_table_says_where_it_comes_from(archived, tmp_path, source):
    kept, _ = archived
    audit = audited(archived, sizes((1,))) if source == "archive" else None
    csv, _ = written(tmp_path / "collected")
    forge(csv, lambda told: told.update(details(kept, audit)))
    record, _ = read_record(csv, "mend it")
    assert record.source == source
    assert record.audit_sentence == (audit.sentence() if audit else None)
    assert record.run_seeds == [0, 1]
