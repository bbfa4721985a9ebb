"""What figures and tables say of where curves come from."""

import json
import time

import pytest

from dynparam.provenance.record import write_sidecar
from dynparam.provenance.sidecars import checksum
from dynparam.support.errors import DataError
from dynparam.support.tables import write_csv
from dynparam.training.archive import CurveFile
from dynparam.training.audit_result import AuditResult
from dynparam.training.origins import audit_sentences, caption, source_details
from tests.training.test_archive import OBSTACLES, SIDECARS, curve_table, forge, origin
from tests.training_runs import run_stage

AUDIT = AuditResult(1, 2, 3.2e-7, 0.0, 1e-3, 5e-3, "cpu, 2 threads")


def collected(root, name, audit=None, seeds=(0, 1), diverged=(), device="cpu, 1 threads", **protocol):
    csv = root / f"{name}.csv"
    curves = CurveFile(curve_table(seeds), ({**origin(seeds, diverged), "device": device},))
    write_csv(curves.table, csv)
    details = source_details(curves, audit)
    write_sidecar(
        csv.with_suffix(".json"), [csv], run_stage(**protocol), started=time.monotonic(), **details
    )
    return csv


def test_archived_curves_carry_their_audits(tmp_path):
    files = {name: collected(tmp_path, name, AUDIT) for name in ("spectral", "dynamic")}
    assert caption(files, 2) == (
        "2 seeds per curve; float32 on a processor. From the archive; audit: "
        "spectral, seed 1 trained again for 2 epochs: losses differ by at most 3.2e-07 relatively "
        "(tolerance 1e-03); dynamic, seed 1 trained again for 2 epochs: losses differ by at most "
        "3.2e-07 relatively (tolerance 1e-03)."
    )
    assert audit_sentences(files) == dict.fromkeys(files, AUDIT.sentence())


def test_curves_trained_here_say_so(tmp_path):
    files = {"dynamic": collected(tmp_path, "dynamic")}
    assert caption(files, 2) == "2 seeds per curve; float32 on a processor."
    assert caption(files, 100).startswith("2 of the 100 configured seeds per curve; ")
    assert audit_sentences(files) == {"dynamic": "all runs trained here"}


def test_divergence_and_unequal_numbers_are_told(tmp_path):
    files = {
        "spectral": collected(tmp_path, "spectral", seeds=(0, 1, 2)),
        "dynamic": collected(tmp_path, "dynamic", diverged=(1,), products="bfloat16"),
    }
    said = caption(files, 3)
    assert said.startswith("3 seeds of spectral, 2 of the 3 configured seeds of dynamic; ")
    assert "Diverged under dynamic: seed 1 at epoch 2." in said


def test_a_gpu_is_told_by_its_own_name_and_each_machine_once(tmp_path):
    devices = {"spectral": "a GPU", "dynamic": "cpu, 2 threads", "ntk": "cpu, 8 threads"}
    files = {name: collected(tmp_path, name, device=device) for name, device in devices.items()}
    assert caption(files, 2) == "2 seeds per curve; float32 on a GPU, a processor."


def test_low_precision_is_told(tmp_path):
    files = {"dynamic": collected(tmp_path, "dynamic", products="bfloat16")}
    assert "float32, bfloat16 products" in caption(files, 2)


def test_curves_of_which_some_were_trained_here_are_not_from_the_archive(tmp_path):
    files = {
        "spectral": collected(tmp_path, "spectral", AUDIT),
        "dynamic": collected(tmp_path, "dynamic"),
    }
    assert caption(files, 2) == "2 seeds per curve; float32 on a processor."
    assert audit_sentences(files) == {
        "spectral": AUDIT.sentence(),
        "dynamic": "all runs trained here",
    }


@pytest.mark.parametrize("passed", [True, False])
def test_the_sidecar_says_whether_the_audit_passed(passed):
    result = AuditResult(0, 1, 0.0 if passed else 1.0, 0.0, 1e-3, 5e-3, "cpu")
    assert source_details(CurveFile(curve_table(), ()), result)["audit"]["passed"] is passed


def told_of(files):
    """What both readers of sidecars say."""
    told = []
    for read in (lambda: caption(files, 2), lambda: audit_sentences(files)):
        with pytest.raises(DataError) as caught:
            read()
        told.append(str(caught.value))
        assert "\n" not in told[-1]
    return told


# What is wrong with the table alone is seen where the table is read.
OF_THE_TABLE = {
    "a seed more",
    "a seed less",
    "diverged with all epochs",
    "diverged with finite numbers",
}


@pytest.mark.parametrize("wrong", [key for key in SIDECARS if key not in OF_THE_TABLE])
def test_a_sidecar_that_no_training_writes_gives_no_caption(tmp_path, wrong):
    files = {"dynamic": collected(tmp_path, "dynamic", AUDIT)}
    forge(files["dynamic"], SIDECARS[wrong])
    for told in told_of(files):
        assert told.startswith(f"{tmp_path / 'dynamic.json'}: the provenance of dynamic.csv is")
        assert "run its rule again" in told


UNTRUE = {
    "an audit of curves trained here": {"source": "trained here"},
    "no audit of curves of the archive": {"audit": None, "audit_sentence": None},
    "an audit without words": {"audit_sentence": None},
    "words without an audit": {"audit": None},
    "words that are a number": {"audit_sentence": 3},
    "words that say nothing": {"audit_sentence": ""},
    "an audit that is text": {"audit": "passed"},
    "another source": {"source": "elsewhere"},
    "no source": {"source": None, "audit": None, "audit_sentence": None},
}


@pytest.mark.parametrize("entries", UNTRUE.values(), ids=UNTRUE.keys())
def test_what_collecting_never_writes_gives_no_caption(tmp_path, entries):
    files = {"dynamic": collected(tmp_path, "dynamic", AUDIT)}
    forge(files["dynamic"], lambda told: told.update(entries))
    assert len(told_of(files)) == 2


@pytest.mark.parametrize("key", ["source", "audit", "audit_sentence", "checksum"])
def test_a_key_that_is_missing_gives_no_caption(tmp_path, key):
    files = {"dynamic": collected(tmp_path, "dynamic", AUDIT)}
    sidecar = files["dynamic"].with_suffix(".json")
    record = json.loads(sidecar.read_text())
    del record[key]
    record |= {} if key == "checksum" else {"checksum": checksum(record)}
    sidecar.write_text(json.dumps(record))
    assert len(told_of(files)) == 2


@pytest.mark.parametrize("steps", OBSTACLES.values(), ids=OBSTACLES.keys())
def test_only_regular_sidecars_give_a_caption(tmp_path, steps):
    files = {"dynamic": collected(tmp_path, "dynamic", AUDIT)}
    for step in steps:
        step(files["dynamic"].with_suffix(".json"))
    assert len(told_of(files)) == 2
