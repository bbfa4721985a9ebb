"""What figures and tables say of where curves come from."""

import time

import pytest

from dynparam.provenance.record import write_sidecar
from dynparam.training.archive import CurveFile
from dynparam.training.audit_result import AuditResult
from dynparam.training.origins import audit_sentences, caption, source_details
from tests.training.test_archive import curve_table, origin
from tests.training_runs import run_stage

AUDIT = AuditResult(1, 2, 3.2e-7, 0.0, 1e-3, 5e-3, "cpu, 2 threads")


def collected(root, name, audit=None, seeds=(0, 1), diverged=(), **protocol):
    csv = root / f"{name}.csv"
    curves = CurveFile(curve_table(seeds), (origin(seeds, diverged),))
    details = source_details(curves, audit)
    write_sidecar(
        csv.with_suffix(".json"), [], run_stage(**protocol), started=time.monotonic(), **details
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


def test_low_precision_is_told(tmp_path):
    files = {"dynamic": collected(tmp_path, "dynamic", products="bfloat16")}
    assert "float32, bfloat16 products" in caption(files, 2)


@pytest.mark.parametrize("passed", [True, False])
def test_the_sidecar_says_whether_the_audit_passed(passed):
    result = AuditResult(0, 1, 0.0 if passed else 1.0, 0.0, 1e-3, 5e-3, "cpu")
    assert source_details(CurveFile(curve_table(), ()), result)["audit"]["passed"] is passed
