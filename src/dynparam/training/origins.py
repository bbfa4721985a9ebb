"""The curves of a task and parametrization in one table, from jobs that trained or from the archive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dynparam.training.archive import REMAKE, CurveFile
from dynparam.training.audit_result import AuditResult
from dynparam.training.curve_record import CurveRecord, read_collected_record


def source_details(curves: CurveFile, audit: AuditResult | None) -> dict[str, Any]:
    """What a sidecar says of where curves come from."""
    return {
        "runs": list(curves.origins),
        "source": "trained here" if audit is None else "archive",
        "audit": None if audit is None else {**asdict(audit), "passed": audit.passed},
        "audit_sentence": None if audit is None else audit.sentence(),
    }


def audit_sentences(csvs: Mapping[str, Path]) -> dict[str, str]:
    """The sentence on each table of curves: its audit, or that it was trained here.

    Raises ``DataError`` if a table's sidecar is not that of collected curves.
    """
    records = {name: read_collected_record(csv, REMAKE) for name, csv in csvs.items()}
    return {name: one.audit_sentence or "all runs trained here" for name, one in records.items()}


def caption(csvs: Mapping[str, Path], wanted: int) -> str:
    """What a figure of curves rests on, for its sidecar: runs, precision, origin, audit results.

    ``wanted`` is how many seeds the configuration asks for; the caption says if there are fewer. Raises
    ``DataError`` if a table's sidecar is not that of collected curves.
    """
    records = {name: read_collected_record(csv, REMAKE) for name, csv in csvs.items()}
    parts = [f"{_counted(records, wanted)}; {_made_on(list(records.values()))}."]
    for name, record in records.items():
        if record.diverged:
            told = ", ".join(f"seed {seed} at epoch {epoch}" for seed, epoch in record.diverged.items())
            parts.append(f"Diverged under {name}: {told}.")
    audits = {name: record.audit_sentence for name, record in records.items()}
    if all(audits.values()):
        parts.append(
            "From the archive; audit: " + "; ".join(f"{n}, {a}" for n, a in audits.items()) + "."
        )
    return " ".join(parts)


def _counted(records: Mapping[str, CurveRecord], wanted: int) -> str:
    counts = {name: len(record.run_seeds) for name, record in records.items()}
    if len(set(counts.values())) == 1:
        return f"{_of(next(iter(counts.values())), wanted)} seeds per curve"
    return ", ".join(f"{_of(count, wanted)} seeds of {name}" for name, count in counts.items())


def _of(count: int, wanted: int) -> str:
    return f"{count}" if count >= wanted else f"{count} of the {wanted} configured"


def _made_on(records: Sequence[CurveRecord]) -> str:
    protocol = records[0].run_config.protocol
    runs = [run for record in records for run in record.runs]
    machines = dict.fromkeys(
        run.hardware.processor if run.device.startswith("cpu") else run.device for run in runs
    )
    products = "" if protocol.products == "exact" else f", {protocol.products} products"
    return f"{protocol.dtype}{products} on {', '.join(machines)}"
