"""Every stage that reads tables, given bad ones: one sentence that names the file, and no output.

The stages come from the list of all, and what a good table is from the form that a stage reads it in, so
that a new stage is asked the same without a test of its own.
"""

import hashlib
import json
import os
import shutil
from contextlib import suppress
from pathlib import Path

import pandas as pd
import pytest

from dynparam.support.errors import DynparamError
from dynparam.support.tables import Form, Kind
from tests import report_run
from tests.stage_inputs import case, with_tables

STAGES = with_tables()

READ_WITH_THEIR_RECORDS = (
    "audit_archive",
    "audit_arms",
    "audit_through",
    "collect_arms",
    "collect_curves",
    "collect_through",
    "compare_published",
    "judge_claims",
    "spread_of_seeds",
    "plot_curves",
    "plot_domain",
)
"""Stages of curves and of archived tables, which hold them against what sidecars say of them; and the
comparison with published files, which reads the data of any figure.
"""

TRIALS = (
    b"curve,parametrization,ratio,n,n_min,trial,layer,alignment,preactivation_rms\n"
    b"c,ntk,n,1000,500,0,1,0.0120759693,0.626653889\nc,ntk,n,2000,900,0,1,0.0110759693,0.616653889\n"
)
"""A table of another command's: some columns of trials."""

BAD = {
    "empty": b"",
    "blank lines": b"\n\n",
    "a head alone": TRIALS.splitlines(keepends=True)[0],
    "another command's": b"pair,seconds\nbird-cat,12.5\n",
    "columns too few": TRIALS,
    "bytes": bytes(range(256)) * 4,
    "a picture": report_run.png(3, 2),
    "NUL": TRIALS.replace(b"0.012", b"0.0\0012"),
    "UTF-16": TRIALS.decode().encode("utf-16"),
    "Latin-1": TRIALS.replace(b"ntk", b"n\xe4k"),
    "a byte order mark": b"\xef\xbb\xbf" + TRIALS,
    "a row too short": TRIALS + b"c,ntk\n",
    "a row cut off": TRIALS[:-40],
    "a row too long": TRIALS + b"1," * 30 + b"\n",
    "a first row too long": TRIALS.replace(b"500,0", b"500,0,0"),
    "a column twice": b"layer,layer\n1,2\n",
    "an open quote": TRIALS + b'"c,ntk\n',
    "a huge cell": b"curve\n" + b"x" * 200_000 + b"\n",
    "JSON": b'{"curve": ["c"]}\n',
}


def fifo(path):
    os.mkfifo(path)


def device(path):
    path.symlink_to("/dev/zero")


def circle(path):
    path.symlink_to(path)


def nowhere(path):
    """Nothing is there."""


def huge(path):
    path.touch()
    os.truncate(path, 2**40)


PLACES = (fifo, device, circle, nowhere, huge, Path.mkdir)


def laid_out(name, root):
    """The stage, and all it reads but its tables: a whole run's files, where it shows one."""
    if name == "assemble_report":
        report_run.make(root)
    chosen = case(name, root)
    for path in chosen.inputs:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".csv":
            path.unlink(missing_ok=True)
        elif not path.exists():
            path.write_bytes(b"{}")
    return chosen


def told(chosen):
    """What the stage's command prints and exits with 1 for; nothing is made."""
    with pytest.raises(DynparamError) as error:
        chosen.run()
    sentence = str(error.value)
    assert "\n" not in sentence
    assert "; " in sentence, "a sentence tells what to do"
    assert error.value.exit_code == 1
    assert not chosen.output.exists()
    named = [path for path in chosen.tables if str(path.with_suffix("")) in sentence]
    assert named, f"{sentence} names no table"
    return sentence


@pytest.mark.parametrize("name", STAGES)
@pytest.mark.parametrize("kind", BAD)
def test_a_bad_table_is_one_sentence(name, kind, tmp_path):
    chosen = laid_out(name, tmp_path)
    for path in chosen.tables:
        path.write_bytes(BAD[kind])
    assert told(chosen)


@pytest.mark.parametrize("name", STAGES)
@pytest.mark.parametrize("make", PLACES, ids=lambda make: make.__name__)
def test_what_is_no_regular_file_is_one_sentence(name, make, tmp_path):
    chosen = laid_out(name, tmp_path)
    for path in chosen.tables:
        make(path)
    assert told(chosen)


# --- Tables that are right but for one cell -----------------------------------------------------

GOOD_CELL = {Kind.TEXT: "a", Kind.NOTE: "a", Kind.COUNT: 1, Kind.WHOLE: 1}
WRONG_CELLS = {
    Kind.TEXT: [""],
    Kind.NOTE: [],
    Kind.COUNT: ["a", "", "0"],
    Kind.WHOLE: ["a", "", "-1"],
    Kind.NUMBER: ["a", "nan", "-inf"],
    Kind.GAPS: ["a", "inf"],
    Kind.ANY: ["a"],
}
SIDECAR = json.loads((report_run.ROOT / "figures" / "fig3_2.json").read_text())


def good(form, fixed):
    """A table of the form: rows of every combination of two values of the key's numbers."""
    row = {name: GOOD_CELL.get(kind, 0.5) for name, kind in form.columns.items()}
    row |= {name: next(iter(kind)) for name, kind in form.columns.items() if not isinstance(kind, Kind)}
    table = pd.DataFrame([row | fixed])
    for name in form.key:
        if form.columns[name] in (Kind.COUNT, Kind.WHOLE):
            table = pd.concat([table, table.assign(**{name: 2})], ignore_index=True)
    return table


def forms_read(chosen, monkeypatch):
    """What the stage reads its tables as, by path; it is stopped by what it then computes of them."""
    found = {}

    def check(form, table, path, **fixed):
        found.setdefault(path, (form, good(form, fixed)))
        return good(form, fixed)

    with monkeypatch.context() as patched:
        patched.setattr(Form, "check", check)
        with suppress(Exception):
            chosen.run()
    shutil.rmtree(chosen.output.parent, ignore_errors=True)
    return found


def write(path, table):
    """A table, and a sidecar that fits it."""
    path.write_text(table.to_csv(index=False))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    record = SIDECAR | {"outputs": {path.name: digest}, "runs": []}
    path.with_suffix(".json").write_text(json.dumps(record))


@pytest.mark.parametrize("name", STAGES)
def test_a_bad_cell_is_one_sentence_that_names_its_column(name, tmp_path, monkeypatch):
    """Of every form that the stage reads, in every column: text, nothing, NaN, infinity."""
    chosen = laid_out(name, tmp_path)
    for path in chosen.tables:
        write(path, pd.DataFrame({"a": [1]}))
    found = forms_read(chosen, monkeypatch)
    if name in READ_WITH_THEIR_RECORDS:
        assert not found
        return
    assert found, "it reads its tables in no form"
    for path, (_, table) in found.items():
        write(path, table)
    one_of_each = {id(read[0]): (path, *read) for path, read in reversed(found.items())}
    for path, form, table in one_of_each.values():
        for column, kind in form.columns.items():
            for cell in WRONG_CELLS.get(kind, ["a", ""]):
                wrong = table.astype(object)
                wrong.loc[len(wrong) - 1, column] = cell
                write(path, wrong)
                sentence = told(chosen)
                assert sentence.startswith(f"{path}: not a readable table (column {column!r} has ")
            write(path, table.drop(columns=column))
            assert f"{path}: not a readable table (it has no column {column!r})" in told(chosen)
        if form.key:
            write(path, pd.concat([table, table.tail(1)], ignore_index=True))
            assert f"{path}: not a readable table (it has two rows of " in told(chosen)
        write(path, table)
