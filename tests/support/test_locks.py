"""Locks: one process at a time, and none is kept out by what a killed one left."""

import os
import signal
import subprocess
import sys

import pytest

from dynparam.support.errors import DynparamError
from dynparam.support.locks import held

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


def test_it_leaves_nothing_behind(tmp_path):
    for _ in range(2):
        with held(tmp_path / "new" / "table.csv"):
            assert [path.name for path in tmp_path.rglob("*")] == ["new", ".table.csv.lock"]
        assert [path.name for path in tmp_path.rglob("*")] == ["new"]


def test_it_goes_with_an_error(tmp_path):
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


def test_what_a_killed_process_leaves_keeps_nobody_out(tmp_path, other):
    os.kill(other.pid, signal.SIGKILL)
    other.wait()
    assert (tmp_path / ".table.csv.lock").exists()
    with held(tmp_path / "table.csv"):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("obstacle", [os.mkdir, lambda path: os.symlink("/dev/null", path)])
def test_a_lock_that_cannot_be_made_is_named(tmp_path, obstacle):
    obstacle(tmp_path / ".table.csv.lock")
    sentence = r"\.table\.csv\.lock: cannot be written"
    with pytest.raises(DynparamError, match=sentence), held(tmp_path / "table.csv"):
        pass
