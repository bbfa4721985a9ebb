"""The files of runs: their identity, their records, and the states of unfinished ones."""

import math
import os
from contextlib import ExitStack
from dataclasses import asdict, replace

import pytest

from dynparam.support.errors import DataError
from dynparam.training import locks, run_files
from dynparam.training.run_files import Record, RunFiles, Status, StatusNotes, read_record, statuses
from tests.training_runs import TASK, files_of, invented_pair, run_stage, write_pair

ORIGIN = {"git": {"commit": "abc", "dirty": False}, "device": "cpu, 1 threads"}


def record(seed=3, **changes):
    curve = ((1.0, 2.0, 0.5, 0.25), (0.1 + 0.2, 1e-300, 1.0, 0.0))
    return Record(**{"seed": seed, "curve": curve, "diverged_at": None, "seconds": 1.5, "origin": ORIGIN,
                     **changes})  # fmt: skip


@pytest.fixture(autouse=True)
def code(monkeypatch):
    """The code's digest takes a quarter of a second; test_code_digest.py looks at it."""
    monkeypatch.setattr(run_files, "module_digest", lambda module: f"code of {module}")


@pytest.fixture
def files(tmp_path):
    return files_of(tmp_path, run_stage())


def test_directory_tells_what_runs_it_holds(files, tmp_path):
    parts = files.directory.relative_to(tmp_path / "runs").parts
    assert parts == (TASK, "24-7", "dynamic", files.identity[:16])
    assert not files.directory.exists()  # nothing is written before there is something to keep


def test_identity_follows_from_all_that_a_curve_depends_on(files, tmp_path, monkeypatch):
    def identity(settings=None, name="dynamic", images=tmp_path / "pair.npz"):
        return RunFiles(tmp_path / "runs", settings or run_stage(), name, images).identity

    other = write_pair(tmp_path / "other.npz", invented_pair(seed=1))
    assert identity() == files.identity
    found = [
        files.identity,
        identity(name="spectral"),
        identity(images=other),
        *(
            identity(run_stage(**{key: value}))
            for key, value in {
                "seed": 1,
                "n": 25,
                "n_min": 8,
                "r": "1/4",
                "learning_rate": 0.06,
                "momentum": 0.8,
                "dampening": 0.1,
                "batch_size": 6,
                "last_batch": "dropped",
                "epochs": 5,
                "training_loss": "running",
                "dtype": "float64",
                "products": "bfloat16",
                "first_layer": "primal",
                "hidden": ("wide", "narrow"),
                "images": (22, 16),
            }.items()
        ),
    ]
    monkeypatch.setattr(run_files, "module_digest", lambda module: f"other code of {module}")
    found.append(identity())
    assert len(set(found)) == len(found)
    assert files.run_identity(1) != files.run_identity(11)


def test_a_finished_run_keeps_its_record_alone(files):
    files.note(Status(3, "running", 1, 4, 0.5))
    files.checkpoint(3).write_bytes(b"x")
    assert files.finished(3) is None
    files.finish(record())
    assert files.finished(3) == record()
    assert [path.name for path in files.directory.iterdir()] == ["seed-0003.json"]
    assert files.finished(4) is None


def test_a_record_that_cannot_be_written_costs_nothing(files, monkeypatch):
    """The checkpoint and the state stay until the record is there."""
    files.note(Status(3, "running", 1, 4, 0.5))
    files.checkpoint(3).write_bytes(b"x")

    def full(path, text):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run_files, "write_text", full)
    with pytest.raises(OSError, match="No space left"):
        files.finish(record())
    assert files.checkpoint(3).read_bytes() == b"x"
    assert [status.seed for status in statuses(files.directory)] == [3]
    assert files.finished(3) is None


def test_a_run_ends_its_own_files_alone(files):
    for seed in (3, 30):
        files.note(Status(seed, "running", 1, 4, 0.5))
        files.checkpoint(seed).write_bytes(b"x")
        files.checkpoint(seed).with_name(f".seed-{seed:04d}.abc").write_bytes(b"x")
    files.clear_partial(3)
    files.finish(record())
    assert {path.name for path in files.directory.iterdir()} == {
        ".seed-0030.abc",
        "seed-0003.json",
        "seed-0030.safetensors",
        "seed-0030.status",
    }


def test_a_diverged_run_is_kept_as_it_is(files):
    curve = ((1.0, 2.0, 0.5, 0.5), (math.nan, math.inf, 0.5, 0.5))
    files.finish(record(curve=curve, diverged_at=1))
    found = files.finished(3)
    assert found.diverged_at == 1
    assert math.isnan(found.curve[1][0])
    assert found.curve[1][1] == math.inf


@pytest.mark.parametrize(
    "damage",
    ["", "{", "[]", "{}", '{"curve": 3}', '{"curve": [1]}', '{"curve": [], "seed": 1}', "\x00\x00",
     '{"curve": [], "what": 1}', "null", "3", '"text"'],
)  # fmt: skip
def test_a_damaged_record_is_named(tmp_path, damage):
    path = tmp_path / "seed-0003.json"
    path.write_text(damage)
    with pytest.raises(
        DataError, match=r"seed-0003.json: not a run's record \(.*; delete it to train it"
    ):
        read_record(path)


def test_a_cut_record_is_named(files):
    files.finish(record())
    path = files.directory / "seed-0003.json"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataError, match=r"seed-0003\.json: not a run's record"):
        files.finished(3)


@pytest.fixture
def hold(files):
    """Take the lock of a run, as a process that trains it."""
    with ExitStack() as held:

        def take(seed):
            lock = locks.take(files.lock(seed))
            held.callback(lock.release)
            return lock

        yield take


def test_states_are_read_back(files, hold):
    assert list(statuses(files.directory)) == []
    hold(10)
    files.note(Status(10, "running", 2, 4, 1.5))
    files.note(Status(2, "failed", 1, 4, 0.5, message="no room"))
    (files.directory / "seed-0004.status").write_text('{"seed": 4')
    (files.directory / "seed-0005.status").write_text('{"seed": 5, "unknown": 1}')
    (files.directory / "seed-0006.status").write_text("null")
    found = list(statuses(files.directory))
    assert [(s.seed, s.state, s.epoch, s.epochs, s.seconds, s.message) for s in found] == [
        (2, "failed", 1, 4, 0.5, "no room"),
        (10, "running", 2, 4, 1.5, ""),
    ]
    assert {s.pid for s in found} == {os.getpid()}


def test_a_run_whose_process_has_gone_was_interrupted(files, hold):
    """A killed process leaves its note and its lock's file behind, but no lock."""
    lock = hold(0)
    files.note(Status(0, "running", 2, 4, 1.5))
    assert [s.state for s in statuses(files.directory)] == ["running"]
    content = files.lock(0).read_bytes()
    lock.release()
    files.lock(0).write_bytes(content)
    (found,) = statuses(files.directory)
    assert (found.state, found.message) == ("interrupted", "its process has gone")
    assert (found.epoch, found.epochs, found.seconds) == (2, 4, 1.5)


@pytest.mark.parametrize(
    ("noted", "held", "seen", "message"),
    [
        ("running", True, "running", "why"),
        ("running", False, "interrupted", "its process has gone"),
        ("running", None, "running", "why"),
        ("interrupted", True, "running", ""),
        ("interrupted", False, "interrupted", "why"),
        ("interrupted", None, "interrupted", "why"),
        ("failed", True, "running", ""),
        ("failed", False, "failed", "why"),
        ("failed", None, "failed", "why"),
    ],
)
def test_a_run_is_running_if_it_is_held(noted, held, seen, message):
    """What stopped has said why; where nobody can see locks, what was noted is believed."""
    status = Status(0, noted, 1, 4, 0.5, pid=os.getpid(), host="here", message="why")
    assert status.of_now(held) == replace(status, state=seen, message=message)


def test_notes_come_once_a_second_but_the_last_one_always(files, monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(run_files.time, "monotonic", lambda: clock[0])
    notes, seen = StatusNotes(files, 50), []
    for step in range(1, 31):
        clock[0] += 0.125
        notes.running({0: step, 1: step}, step / 8)
        found = list(statuses(files.directory))
        assert [s.seed for s in found] == [0, 1]
        assert found[0].epoch == found[1].epoch
        seen.append(found[0].epoch)
    assert sorted(set(seen)) == [1, 9, 17, 25]
    notes.stopped("interrupted", {0: 30, 1: 30}, 3.75, "SIGTERM")
    assert [asdict(s)["message"] for s in statuses(files.directory)] == ["SIGTERM"] * 2
    assert {(s.state, s.epoch, s.epochs, s.seconds) for s in statuses(files.directory)} == {
        ("interrupted", 30, 50, 3.75)
    }


def test_a_new_run_is_noted_at_once(files, monkeypatch):
    """Within the second of another one's note; then both wait for the next."""
    monkeypatch.setattr(run_files.time, "monotonic", lambda: 100.0)
    notes = StatusNotes(files, 50)
    for done in ({0: 1}, {0: 2, 1: 1}, {0: 3, 1: 2}, {1: 3}, {2: 1}):
        notes.running(done, 1.0)
    assert [(s.seed, s.epoch) for s in statuses(files.directory)] == [(0, 2), (1, 1), (2, 1)]
