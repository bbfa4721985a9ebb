"""The log of trials: what it keeps, what it notices, who may write it, and what a full disk leaves."""

import io
import json
import os
import random
import resource
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from dynparam.support.errors import DataError, DynparamError
from dynparam.support.locks import take
from dynparam.support.sealed import seal
from dynparam.trials.images import TrialImages
from dynparam.trials.log import MAX_LINE_BYTES, TrialLog
from dynparam.trials.one_step import measure_curve
from tests.networks import invented_pair, probe_stage
from tests.training_processes import wait_for

FLIPS = 200

REMEDY = "; delete the file to measure its trials anew"


@pytest.fixture(scope="module")
def images():
    return TrialImages(probe_stage(), invented_pair())


def log_in(folder, name="constant", identity="settings"):
    log = TrialLog(folder / "curve.csv", name, identity)
    log.path.parent.mkdir(exist_ok=True)
    return log


def measured(images, log):
    return measure_curve(probe_stage(), "constant", images, log, "law")


@pytest.fixture(scope="module")
def whole(images, tmp_path_factory):
    """A curve's table, and the bytes of its log: nine trials, a line each."""
    log = log_in(tmp_path_factory.mktemp("whole"))
    return measured(images, log), log.path.read_bytes()


@pytest.fixture
def lines(whole):
    return whole[1].splitlines(keepends=True)


def outcome(images, whole, log):
    """ "told" in one sentence that names the file, or "the same table"; a wrong table fails."""
    told = None
    try:
        table = measured(images, log)
    except DataError as error:
        told = str(error)
    if told is not None:
        assert told.startswith(f"{log.path}: ")
        assert told.endswith(REMEDY)
        assert "\n" not in told
        return "told"
    pd.testing.assert_frame_equal(table, whole[0], check_exact=True)
    return "the same table"


def test_every_flipped_bit_is_noticed(images, whole, tmp_path):
    """Of 200 single flipped bits each is told; a lost last line's end costs its trial, no more."""
    numbers = random.Random(7)
    log = log_in(tmp_path)
    seen = []
    for _ in range(FLIPS):
        content = bytearray(whole[1])
        place = numbers.randrange(len(content))
        content[place] ^= 1 << numbers.randrange(8)
        log.path.write_bytes(content)
        found = outcome(images, whole, log)
        seen.append(found)
        assert found == "told" or place == len(content) - 1
    assert seen.count("told") >= FLIPS - 1


def test_a_flipped_end_of_the_last_line_costs_that_trial(images, whole, tmp_path):
    log = log_in(tmp_path)
    log.path.write_bytes(whole[1][:-1] + b"\x0b")
    assert outcome(images, whole, log) == "the same table"
    assert log.path.read_bytes() == whole[1]


def changed(change):
    """The first line sealed anew after ``change`` of its content, as a program with a fault might."""

    def damage(lines, log):
        content = json.loads(lines[0])["content"]
        found = change(content)
        content = content if found is None else found
        return (seal(content, log._place(1)) + "\n").encode() + b"".join(lines[1:])

    return damage


SEALED = {
    "NaN": changed(lambda trial: trial[2]["alignment"].__setitem__(0, float("nan"))),
    "infinity": changed(lambda trial: trial[2]["alignment"].__setitem__(0, float("inf"))),
    "text for a number": changed(lambda trial: trial[2]["update_rms"].__setitem__(1, "1.0")),
    "true for a number": changed(lambda trial: trial[2]["update_rms"].__setitem__(1, True)),
    "none for a number": changed(lambda trial: trial[2]["update_rms"].__setitem__(1, None)),
    "a layer too few": changed(lambda trial: trial[2]["gradient_norm"].pop() and None),
    "a layer too many": changed(lambda trial: trial[2]["gradient_norm"].append(1.0)),
    "a number for layers": changed(lambda trial: trial[2].__setitem__("alignment", 1.0)),
    "a quantity too many": changed(lambda trial: trial[2].__setitem__("drift", [0.0] * 4)),
    "a quantity too few": changed(lambda trial: trial[2].pop("alignment") and None),
    "a list of quantities": changed(lambda trial: trial.__setitem__(2, [])),
    "a trial of none": changed(lambda trial: trial.__setitem__(1, 3)),
    "a negative trial": changed(lambda trial: trial.__setitem__(1, -1)),
    "a trial as a number with a point": changed(lambda trial: trial.__setitem__(1, 0.0)),
    "another width": changed(lambda trial: trial.__setitem__(0, 31)),
    "a list for a width": changed(lambda trial: trial.__setitem__(0, [30])),
    "no trial": changed(lambda trial: {"n": 30}),
    "a number": changed(lambda trial: 5),
    "nothing": changed(lambda trial: []),
    "text": changed(lambda trial: "abc"),
    "another trial twice": changed(lambda trial: trial.__setitem__(1, 1)),
}
RAW = {
    "a line twice": lambda lines: lines[0] + b"".join(lines),
    "the last line twice": lambda lines: b"".join(lines) + lines[-1],
    "lines swapped": lambda lines: lines[1] + lines[0] + b"".join(lines[2:]),
    "a line missing": lambda lines: lines[0] + b"".join(lines[2:]),
    "an empty line": lambda lines: lines[0] + b"\n" + b"".join(lines[1:]),
    "a cut line among others": lambda lines: lines[0] + lines[1][:80] + b"\n" + b"".join(lines[2:]),
    "a cut line before another": lambda lines: lines[0] + lines[1][:80] + b"".join(lines[2:]),
    "an unsealed line": lambda lines: b'[30, 0, {"alignment": [1.0]}]\n' + b"".join(lines[1:]),
    "a brace": lambda lines: b"{\n",
    "null": lambda lines: b"null\n",
    "a long number": lambda lines: b"9" * 5000 + b"\n",
    "deep nesting": lambda lines: b"[" * 200_000 + b"\n",
    "NUL": lambda lines: lines[0][:90] + b"\0" + lines[0][91:] + b"".join(lines[1:]),
    "NULs at the end": lambda lines: b"".join(lines) + bytes(4096),
    "UTF-16": lambda lines: b"".join(lines).decode().encode("utf-16"),
    "Latin-1": lambda lines: lines[0][:90] + b"\xff" + lines[0][91:] + b"".join(lines[1:]),
    "a byte order mark": lambda lines: b"\xef\xbb\xbf" + b"".join(lines),
    "surrogates": lambda lines: lines[0][:90] + b"\xed\xa0\x80" + lines[0][93:] + b"".join(lines[1:]),
    "lines that end as on Windows": lambda lines: b"".join(lines).replace(b"\n", b"\r\n"),
    "a foreign file without a line's end": lambda lines: b"notes of mine",
    "bytes": lambda lines: bytes(range(256)),
}


@pytest.mark.parametrize("damage", SEALED.values(), ids=SEALED)
def test_what_is_no_trial_of_the_measurement_is_told(images, whole, lines, tmp_path, damage):
    log = log_in(tmp_path)
    content = damage(lines, log)
    log.path.write_bytes(content)
    assert outcome(images, whole, log) == "told"
    assert log.path.read_bytes() == content


@pytest.mark.parametrize("damage", RAW.values(), ids=RAW)
def test_damage_is_told(images, whole, lines, tmp_path, damage):
    log = log_in(tmp_path)
    content = damage(lines)
    log.path.write_bytes(content)
    assert outcome(images, whole, log) == "told"
    assert log.path.read_bytes() == content


@pytest.mark.parametrize("kept", [0, 1, 11, 12, 13, 80, -1])
def test_a_last_line_cut_short_is_removed(images, whole, lines, tmp_path, kept):
    log = log_in(tmp_path)
    log.path.write_bytes(b"".join(lines[:5]) + lines[5][:kept])
    assert len(log.read(lambda entry: ((entry[0], entry[1]), entry))) == 5
    assert log.path.read_bytes() == b"".join(lines[:5])
    assert outcome(images, whole, log) == "the same table"
    assert log.path.read_bytes() == whole[1]


@pytest.mark.parametrize(
    "other", [{"name": "sharpening"}, {"identity": "other settings"}], ids=["name", "identity"]
)
def test_a_log_of_another_measurement_is_told(images, whole, tmp_path, other):
    """Copied to this measurement's place, or both names the same by chance."""
    theirs, mine = log_in(tmp_path, **other), log_in(tmp_path)
    theirs.append([[30, 0, {}]])
    assert theirs.path != mine.path
    theirs.path.rename(mine.path)
    assert outcome(images, whole, mine) == "told"
    with pytest.raises(DataError, match=r"line 1 is damaged \(it belongs to another\)"):
        mine.read(lambda entry: (0, entry))


def fifo(path):
    os.mkfifo(path)


def device(path):
    path.symlink_to("/dev/zero")


def circle(path):
    path.symlink_to(path)


@pytest.mark.parametrize("make", [fifo, device, circle, Path.mkdir], ids=lambda make: make.__name__)
def test_what_is_no_regular_file_is_told(images, whole, tmp_path, make):
    log = log_in(tmp_path)
    make(log.path)
    assert outcome(images, whole, log) == "told"


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_an_unreadable_log_is_told(images, whole, tmp_path):
    log = log_in(tmp_path)
    log.path.write_bytes(whole[1])
    log.path.chmod(0)
    assert outcome(images, whole, log) == "told"


def test_a_huge_line_is_told(images, whole, tmp_path, monkeypatch):
    """A sparse file of a tebibyte: no more than the longest line of it is read."""
    assert MAX_LINE_BYTES < 2**30
    monkeypatch.setattr("dynparam.trials.log.MAX_LINE_BYTES", 2**20)
    log = log_in(tmp_path)
    log.path.touch()
    os.truncate(log.path, 2**40)
    assert outcome(images, whole, log) == "told"


@pytest.mark.parametrize("room", [0, 1, 40, 700])
def test_a_full_disk_leaves_no_half_line(images, whole, tmp_path, room):
    """Files may grow no further than some bytes into the third line, as on a full disk."""
    log = log_in(tmp_path)
    first = b"".join(whole[1].splitlines(keepends=True)[:2])
    log.path.write_bytes(first)
    log.read(lambda entry: (tuple(entry[:2]), entry))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(first) + room, hard))
    try:
        with pytest.raises(DynparamError, match=rf"{log.path.name}: cannot be written \(File too large"):
            log.append([[0, 0, "x" * 1000]])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert log.path.read_bytes() == first
    assert outcome(images, whole, log) == "the same table"
    assert log.path.read_bytes() == whole[1]


def test_a_log_that_cannot_be_written_is_named(images, tmp_path):
    (tmp_path / ".unfinished").write_text("")
    with pytest.raises(DynparamError, match=r"\.lock: cannot be written .*; free some space or choose"):
        measured(images, TrialLog(tmp_path / "curve.csv", "constant", "settings"))


def test_who_comes_second_waits_says_so_and_takes_up_the_trials(images, whole, tmp_path, monkeypatch):
    log = log_in(tmp_path)
    other = take(log.path.with_name(f".{log.path.name}.lock"))
    finished = []
    said = io.StringIO()  # pytest's own capture loses what another thread writes while it is read
    monkeypatch.setattr(sys, "stderr", said)
    second = threading.Thread(target=lambda: finished.append(measured(images, log)))
    second.start()
    wait_for(lambda: "waiting" in said.getvalue(), "nothing is said")
    log.path.write_bytes(whole[1])
    assert not finished
    other.release()
    second.join()
    pd.testing.assert_frame_equal(finished[0], whole[0], check_exact=True)
    told = f"{log.path}: another process measures these trials; waiting for it"
    assert said.getvalue().startswith(told)
    assert list(log.path.parent.iterdir()) == [log.path]


def test_processes_at_once_leave_one_whole_log(tmp_path):
    """Each of three takes the trials that the others have left; no line is lost or written twice."""
    program = (
        "import sys; from pathlib import Path; from dynparam.trials.log import TrialLog\n"
        "log = TrialLog(Path(sys.argv[1]) / 'curve.csv', 'constant', 'settings')\n"
        "for trial in range(30):\n"
        "    with log.held():\n"
        "        if trial not in log.read(lambda entry: (entry, None)): log.append([trial])\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path)]) for _ in range(3)]
    assert [one.wait() for one in running] == [0, 0, 0]
    log = log_in(tmp_path)
    assert list(log.read(lambda entry: (entry, None))) == list(range(30))
    assert list(log.path.parent.iterdir()) == [log.path]


def test_a_signal_while_writing_leaves_whole_lines(tmp_path, monkeypatch):
    log = log_in(tmp_path)
    log.append([1, 2])
    before = log.path.read_bytes()
    real = Path.open

    class Stopped:
        """A file that takes ten bytes and is then interrupted."""

        def __init__(self, file):
            self.file, self.calls = file, 0

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.file.close()

        def __getattr__(self, name):
            return getattr(self.file, name)

        def write(self, data):
            self.calls += 1
            if self.calls > 1:
                raise KeyboardInterrupt
            return self.file.write(data[:10])

    monkeypatch.setattr(Path, "open", lambda path, *given, **more: Stopped(real(path, *given, **more)))
    with pytest.raises(KeyboardInterrupt):
        log.append([3])
    assert log.path.read_bytes() == before
    monkeypatch.undo()
    log.append([3])
    assert log.read(lambda entry: (entry, entry)) == {1: 1, 2: 2, 3: 3}


def test_the_name_follows_from_the_identity(tmp_path):
    make = partial(TrialLog, tmp_path / "curve.csv")
    paths = {make("a", "x").path, make("a", "y").path, make("b", "x").path, make("a", "x", "z").path}
    assert len(paths) == 4
    assert make("a", "x").path == make("a", "x").path
    assert {path.parent for path in paths} == {tmp_path / ".unfinished"}
