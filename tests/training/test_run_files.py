"""The files of runs: their identity, their records, and the states of unfinished ones."""

import json
import math
import os
from contextlib import ExitStack
from dataclasses import asdict, replace

import pytest

from dynparam.support import locks
from dynparam.support.errors import DataError
from dynparam.training import run_files
from dynparam.training.records import Record
from dynparam.training.run_files import RunFiles, Status, StatusNotes, statuses
from tests.json_values import replaced
from tests.special_files import SPECIAL, put
from tests.training_runs import ORIGIN, TASK, files_of, invented_pair, run_stage, write_pair

STATUS = Status(3, "running", 1, 4, 0.5, pid=os.getpid(), host="elsewhere", message="because")


def record(seed=3, **changes):
    curve = ((1.0, 2.0, 0.5, 0.25), (0.1 + 0.2, 1e-300, 1.0, 0.0), *((0.5, 0.5, 0.5, 0.5),) * 3)
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
    "other",
    [
        {"parametrization": "spectral"},
        {"settings": run_stage(learning_rate=0.06)},
        {"settings": run_stage(epochs=4, momentum=0.8)},
    ],
)
def test_the_record_of_another_run_is_told(files, tmp_path, other):
    """Renamed to another seed, or copied to the runs of other settings."""
    files.finish(record())
    mine = (files.directory / "seed-0003.json").read_bytes()
    (files.directory / "seed-0004.json").write_bytes(mine)
    elsewhere = files_of(tmp_path, **{"settings": run_stage(), **other})
    elsewhere.directory.mkdir(parents=True)
    (elsewhere.directory / "seed-0003.json").write_bytes(mine)
    for place, seed in ((files, 4), (elsewhere, 3)):
        with pytest.raises(DataError, match=rf"seed-000{seed}\.json: .*it belongs to another"):
            place.finished(seed)
    assert files.finished(3) == record()


def test_a_record_that_would_not_be_read_is_not_written(files):
    """And the checkpoint it would replace stays."""
    files.note(Status(3, "running", 1, 4, 0.5))
    files.checkpoint(3).write_bytes(b"x")
    with pytest.raises(DataError, match="the record of seed 3 is not written: its seconds"):
        files.finish(record(seconds=math.nan))
    assert files.checkpoint(3).read_bytes() == b"x"
    assert files.finished(3) is None


@pytest.mark.parametrize("kind", SPECIAL)
def test_images_that_are_no_file_are_told(tmp_path, kind):
    put(tmp_path / "pair.npz", kind)
    if kind in ("empty file", "bytes that are no text"):
        assert RunFiles(tmp_path, run_stage(), "dynamic", tmp_path / "pair.npz").identity
        return
    with pytest.raises(DataError, match=r"pair\.npz: .*; move it away and extract the pair again$"):
        RunFiles(tmp_path, run_stage(), "dynamic", tmp_path / "pair.npz")


def test_what_a_kill_left_of_a_checkpoint_may_be_anything(files):
    files.note(STATUS)
    (files.directory / ".seed-0003.abc").write_bytes(b"x")
    (files.directory / ".seed-0003.directory").mkdir()
    files.clear_partial(3)
    assert [path.name for path in files.directory.iterdir()] == ["seed-0003.status"]


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


def states(files):
    """What is read beside the states of seeds 2 and 5, and the sentences on what is not."""
    refused = []
    found = {status.seed: status for status in statuses(files.directory, refused.append)}
    assert found.pop(2).state == "failed"
    assert found.pop(5).state == "interrupted"
    for sentence in refused:
        assert "\n" not in sentence
        assert "seed-0003.status: not a run's state (" in sentence
        assert sentence.endswith("; delete it, its run loses nothing")
    return found, refused


@pytest.fixture
def neighbours(files):
    """Files with the states of seeds 2 and 5, and the place of that of seed 3."""
    files.note(Status(2, "failed", 1, 4, 0.5))
    files.note(Status(5, "interrupted", 1, 4, 0.5))
    return files, files.directory / "seed-0003.status"


def may_be_a_state(name, value):
    """Whether a run can have noted ``value`` there, told apart by hand."""
    match name:
        case "epoch":
            return type(value) is int and 0 <= value <= 4
        case "epochs":
            return type(value) is int and value in (1, 3)
        case "seed":
            return type(value) is int and value == 3
        case "seconds":
            return type(value) is float and value == 0.5
        case "pid":
            return type(value) is int and value in (0, 1, 3)
        case "host" | "message":
            return isinstance(value, str)
    return False


def test_any_value_in_any_field_of_a_state(neighbours):
    """Is told or is a state; the neighbours are read all the same."""
    files, path = neighbours
    told = 0
    for place, value, values in replaced(asdict(STATUS)):
        path.write_text(json.dumps(values))
        with ExitStack() as held:  # as by a process that trains it, or its state would be another
            held.callback(locks.take(files.lock(3)).release)
            found, refused = states(files)
        if place and may_be_a_state(*place, value):
            assert (repr(asdict(found[3])[place[0]]), refused) == (repr(value), [])
        else:
            assert (found, len(refused)) == ({}, 1), (place, value)
            told += 1
    assert told > 180


@pytest.mark.parametrize(
    "content",
    [
        "", "{", "null", "[]", "[" * 10**5, '{"a":' * 5000, "9" * 5000, '{"seed": 1e400}', "\xff",
        json.dumps([asdict(STATUS)]),
        json.dumps({**asdict(STATUS), "more": 1}),
        json.dumps({**asdict(STATUS), "seed": 4}),
        json.dumps({**asdict(STATUS), "epoch": 5}),
        json.dumps({**asdict(STATUS), "pid": 2**31}),
        json.dumps({**asdict(STATUS), "pid": 2**64}),
        json.dumps({"seed": 3, "state": "running", "epoch": 1, "epochs": 4, "seconds": 0.5}),
    ],
)  # fmt: skip
def test_what_is_no_state_is_told(neighbours, content):
    files, path = neighbours
    path.write_text(content, encoding="latin-1")
    found, refused = states(files)
    assert (found, len(refused)) == ({}, 1)


@pytest.mark.parametrize("kind", SPECIAL)
def test_a_special_file_for_a_state_is_told(neighbours, kind):
    files, path = neighbours
    put(path, kind)
    found, refused = states(files)
    assert (found, len(refused)) == ({}, 1)


@pytest.mark.parametrize(
    "name",
    ["seed-x.status", "seed-.status", "seed-3.status", "seed-00003.status", "seed-0003.old.status",
     "seed--003.status", "seed-\u0660\u0660\u0660\u0663.status", "seed-" + "9" * 40 + ".status"],
)  # fmt: skip
def test_files_of_other_names_are_no_states(neighbours, name):
    files, _ = neighbours
    (files.directory / name).write_text(json.dumps(asdict(STATUS)))
    assert states(files) == ({}, [])


@pytest.mark.parametrize("seed", [0, 9999, 10_000, 123_456, 10**17])
def test_the_state_of_a_seed_of_any_length_is_read_back(files, seed):
    """Names have four digits and more where they are needed."""
    files.note(replace(STATUS, seed=seed))
    (path,) = files.directory.iterdir()
    assert path.stem.removeprefix("seed-") == str(seed).zfill(4)
    assert [status.seed for status in statuses(files.directory)] == [seed]
    files.clear(seed)
    assert list(files.directory.iterdir()) == []


def test_a_directory_that_is_none_is_told(tmp_path):
    """One that is not there yet holds no runs."""
    refused = []
    (tmp_path / "file").touch()
    assert list(statuses(tmp_path / "absent", refused.append)) == []
    assert refused == []
    assert list(statuses(tmp_path / "file", refused.append)) == []
    assert [sentence.startswith(f"{tmp_path}/file: cannot be listed (") for sentence in refused] == [
        True
    ]


def test_a_state_that_vanishes_while_it_is_read_is_no_fault(neighbours, monkeypatch):
    """Its run was finished just then."""
    files, path = neighbours
    path.write_text(json.dumps(asdict(STATUS)))
    original = run_files.read_bytes

    def read_bytes(read, limit):
        if read == path:
            path.unlink(missing_ok=True)
        return original(read, limit)

    monkeypatch.setattr(run_files, "read_bytes", read_bytes)
    assert states(files) == ({}, [])


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
