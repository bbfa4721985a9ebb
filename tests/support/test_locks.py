"""Locks: one holder at a time, no trace afterwards, and none that outlives its process."""

import errno
import fcntl
import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from dynparam.support.errors import DynparamError
from dynparam.support.locks import held, holder, is_held, take
from tests.training_processes import CONTEXT, PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "runs" / "seed-0000.lock"


def test_one_holds_it_and_nothing_is_left(path):
    """The kernel tells two openings apart, also those of one process."""
    assert is_held(path) is False
    lock = take(path)
    assert is_held(path) is True
    assert take(path) is None
    lock.release()
    assert is_held(path) is False
    assert list(path.parent.iterdir()) == []
    take(path).release()
    assert list(path.parent.iterdir()) == []


def test_a_second_release_does_nothing(path):
    """Above all not to the next holder's lock."""
    lock = take(path)
    lock.release()
    other = take(path)
    lock.release()
    assert is_held(path) is True
    assert take(path) is None
    other.release()


def test_who_looks_is_no_holder(path):
    lock = take(path)
    with path.open("rb") as first, path.open("rb") as second:
        lock.release()
        path.write_bytes(b"left by a kill")
        for file in (first, second):
            fcntl.flock(file, fcntl.LOCK_SH)  # on the file that is gone
        assert is_held(path) is False
    with path.open("rb") as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        assert is_held(path) is False


@pytest.mark.parametrize("content", [b"", b"process 1 on here\n", b"\xff\x00" * 1000, b"x" * 10**6])
def test_the_file_of_a_dead_process_is_taken_over(path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    assert is_held(path) is False
    lock = take(path)
    assert is_held(path) is True
    assert holder(path) == f"process {os.getpid()} on {os.uname().nodename}"
    lock.release()
    assert not path.exists()


@pytest.mark.parametrize("after", ["removed", "replaced"])
def test_a_file_that_goes_between_opening_and_locking(path, monkeypatch, after):
    """The holder removed it and let go: what was opened guards nothing any more."""
    first, original, others = take(path), fcntl.flock, []

    def flock(file, how):
        if not others:
            monkeypatch.setattr(fcntl, "flock", original)
            first.release()
            others.append(take(path) if after == "replaced" else None)
        original(file, how)

    monkeypatch.setattr(fcntl, "flock", flock)
    second = take(path)
    if after == "replaced":
        assert second is None
        assert take(path) is None
        others[0].release()
    else:
        assert take(path) is None
        second.release()
    assert list(path.parent.iterdir()) == []


def test_a_file_removed_by_hand_takes_no_other_with_it(path):
    first = take(path)
    path.unlink()
    second = take(path)
    first.release()
    assert is_held(path) is True
    second.release()
    assert not path.exists()


def test_a_directory_removed_by_hand(path):
    lock = take(path)
    path.unlink()
    path.parent.rmdir()
    lock.release()
    again = take(path)
    assert is_held(path) is True
    again.release()
    assert not path.exists()


def count_up(path, number, times):
    """Add to a number in a file, in two steps that only a lock keeps together."""
    for _ in range(times):
        while (lock := take(path)) is None:
            os.sched_yield()
        value = int(number.read_text())
        number.write_text(str(value + 1))
        lock.release()


def test_many_processes_hold_it_one_by_one(path, tmp_path):
    """The file is made and removed under them hundreds of times."""
    number = tmp_path / "number"
    number.write_text("0")
    counting = [CONTEXT.Process(target=count_up, args=(path, number, 50)) for _ in range(4)]
    for process in counting:
        process.start()
    for process in counting:
        process.join(PATIENCE_SECONDS)
    assert [process.exitcode for process in counting] == [0] * 4
    assert int(number.read_text()) == 200
    assert list(path.parent.iterdir()) == []


HOLDS = """
import subprocess, sys, time
from pathlib import Path
from dynparam.support.locks import take
lock = take(Path(sys.argv[1]))
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
print(child.pid, flush=True)
time.sleep(1000)
"""


def test_a_lock_ends_with_its_process_and_not_with_its_children(path):
    """Killed by SIGKILL, it can do nothing about it itself."""
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(HOLDS), str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        child = int(process.stdout.readline())
        assert is_held(path) is True
        assert holder(path) == f"process {process.pid} on {os.uname().nodename}"
        process.kill()
        process.wait()
        os.kill(child, 0)
        assert is_held(path) is False
        take(path).release()
        os.kill(child, signal.SIGKILL)
    assert list(path.parent.iterdir()) == []


def test_a_file_system_that_answers_eacces(path, monkeypatch):
    """Some say so of a lock that another holds."""

    def flock(file, how):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(fcntl, "flock", flock)
    assert take(path) is None
    assert is_held(path) is True


@pytest.mark.parametrize(
    "number", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL, errno.EIO]
)
def test_a_file_system_without_locks(path, monkeypatch, number):
    def flock(file, how):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(DynparamError, match=r"cannot lock files \(.*\), so two .* another \(--runs"):
        take(path)
    assert list(path.parent.iterdir()) == []
    path.write_bytes(b"process 7 on another machine, which sees locks\n")
    with pytest.raises(DynparamError, match="cannot lock files"):
        take(path)
    assert is_held(path) is None
    assert path.exists()


def test_no_open_file_is_left_behind(path, monkeypatch):
    def open_files():
        return len(list(Path("/proc/self/fd").iterdir()))

    if not Path("/proc/self/fd").exists():
        pytest.skip("needs Linux's /proc")
    take(path).release()
    before = open_files()
    lock = take(path)
    for _ in range(20):
        assert take(path) is None
        assert is_held(path)
        holder(path)
    lock.release()
    for _ in range(20):
        take(path).release()
    assert open_files() == before


@pytest.mark.parametrize("kind", ["directory", "link", "file for a directory"])
def test_what_cannot_be_a_lock_is_named(path, tmp_path, kind):
    path.parent.mkdir()
    if kind == "directory":
        path.mkdir()
    elif kind == "link":
        path.symlink_to(tmp_path / "precious")
        (tmp_path / "precious").write_text("precious")
    else:
        path = path.parent / "file" / "seed-0000.lock"
        path.parent.write_text("")
    with pytest.raises(DynparamError, match=r"seed-0000\.lock: cannot be written \("):
        take(path)
    if kind == "link":
        assert (tmp_path / "precious").read_text() == "precious"


def test_a_signature_that_cannot_be_written_does_no_harm(path, monkeypatch):
    def write(number, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", write)
    lock = take(path)
    assert take(path) is None
    assert holder(path) == "another process"
    lock.release()
    assert not path.exists()


@pytest.mark.parametrize("kind", ["absent", "empty", "huge", "directory", "FIFO"])
def test_a_holder_that_cannot_be_told(path, kind):
    path.parent.mkdir()
    if kind == "directory":
        path.mkdir()
    elif kind == "FIFO":
        os.mkfifo(path)
    elif kind != "absent":
        path.write_bytes(b"" if kind == "empty" else b"x" * 10**6)
    assert holder(path) == "another process"


HOLD = (
    "import sys; from pathlib import Path; from dynparam.support.locks import held\n"
    "with held(Path(sys.argv[1])):\n"
    "    print('held', flush=True); sys.stdin.read()\n"
)


@pytest.fixture
def other(tmp_path):
    """Another process that holds ``tmp_path / "table.csv"`` until its input ends."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "table.csv")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_block_leaves_nothing_behind(tmp_path):
    for _ in range(2):
        with held(tmp_path / "new" / "table.csv"):
            assert [path.name for path in tmp_path.rglob("*")] == ["new", ".table.csv.lock"]
        assert [path.name for path in tmp_path.rglob("*")] == ["new"]


def test_a_block_goes_with_an_error(tmp_path):
    for _ in range(2):
        with pytest.raises(KeyError), held(tmp_path / "table.csv"):
            raise KeyError
    assert list(tmp_path.iterdir()) == []


def test_another_process_is_kept_out(tmp_path, other):
    sentence = r"table\.csv: another process is changing it; run this again"
    with pytest.raises(DynparamError, match=sentence), held(tmp_path / "table.csv"):
        pass
    with held(tmp_path / "other.csv"):
        pass
    other.communicate("")
    with held(tmp_path / "table.csv"):
        pass


def test_what_a_killed_holder_leaves_keeps_no_block_out(tmp_path, other):
    os.kill(other.pid, signal.SIGKILL)
    other.wait()
    assert (tmp_path / ".table.csv.lock").exists()
    with held(tmp_path / "table.csv"):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("obstacle", [os.mkdir, lambda path: os.symlink("/dev/null", path)])
def test_a_block_whose_lock_cannot_be_made_is_told(tmp_path, obstacle):
    obstacle(tmp_path / ".table.csv.lock")
    sentence = r"\.table\.csv\.lock: cannot be written"
    with pytest.raises(DynparamError, match=sentence), held(tmp_path / "table.csv"):
        pass


def test_a_block_that_waits_says_so_and_comes_next(tmp_path, other, capsys):
    """The other process ends while this one waits."""
    threading.Timer(0.5, other.stdin.close).start()
    with held(tmp_path / "table.csv", "somebody else measures; waiting"):
        assert other.wait() == 0
    assert capsys.readouterr().err == f"{tmp_path}/table.csv: somebody else measures; waiting\n"
    assert list(tmp_path.iterdir()) == []
