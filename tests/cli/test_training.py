"""`dynparam train`: its files, its errors, and processes that are really killed."""

import json
import os
import signal
import subprocess
import sys
import time
from glob import glob
from pathlib import Path

import pandas as pd
import pytest
import torch

from dynparam.cli import main
from dynparam.training import runs
from dynparam.training.curve_table import COLUMNS
from dynparam.training.run_files import RunFiles, statuses
from tests.special_files import SPECIAL, put
from tests.training_runs import TASK, run_stage, run_values, write_pair

ROOT = Path(__file__).parents[2]
THESIS = ROOT / "config" / "thesis.yaml"
PROGRAM = Path(sys.executable).with_name("dynparam")


def arguments(place, name="cut", *, changes=None, seeds="0-1", **options):
    """A command line that trains the invented pair below ``place``."""
    values = run_values(**(changes or {}))
    defaults = {
        "--config": f"only={json.dumps(values)}",
        "--seeds": seeds,
        "--images": place / "pair.npz",
        "--runs": place / name / "runs",
        "--output": place / name / "curves.csv",
        "--device": "cpu",
        "--threads": 1,
        "--checkpoint-epochs": 1,
        **{f"--{key}": value for key, value in options.items()},
    }
    return ["train", TASK, "dynamic", *(str(part) for pair in defaults.items() for part in pair)]


def in_process(monkeypatch, capsys, command):
    """Exit code and standard error of a command line run in this process."""
    monkeypatch.setattr(sys, "argv", ["dynparam", *command])
    with pytest.raises(SystemExit) as ended:
        main.main()
    return ended.value.code or 0, capsys.readouterr().err


def test_the_command_leaves_table_and_sidecar(tmp_path, monkeypatch, capsys):
    write_pair(tmp_path / "pair.npz")
    assert in_process(monkeypatch, capsys, arguments(tmp_path, seeds="1,3"))[0] == 0
    table = pd.read_csv(tmp_path / "cut" / "curves.csv")
    assert tuple(table.columns) == COLUMNS
    assert table["seed"].unique().tolist() == [1, 3]
    sidecar = json.loads((tmp_path / "cut" / "curves.json").read_text())
    assert list(sidecar["runs"][0]["seeds"]) == ["1", "3"]
    assert sidecar["config"]["protocol"]["n"] == 24
    assert list(sidecar["inputs"]) == [f"{tmp_path.name}/pair.npz"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"seeds": "3-1"}, "seeds '3-1' name none; write the smaller number first"),
        ({"images": "absent.npz"}, "absent.npz: there is no such file yet; run: dynparam data pair"),
        (
            {"device": "cuda"},
            "device cuda is asked for, and this torch finds no GPU; choose auto or cpu",
        ),
        ({"runs": "{file}/runs"}, "cannot be written (Not a directory); free some space or choose"),
        (
            {"output": "{file}/curves.csv"},
            "curves.csv: cannot be written (File exists); free some space",
        ),
        ({"changes": {"learning_rate": -1}}, "key 'protocol.learning_rate' has the value -1"),
        ({"changes": {"batch_size": 23, "last_batch": "dropped"}}, "batch_size (23) exceeds"),
        ({"changes": {"momentum": 1}}, "key 'protocol.momentum' has the value 1"),
    ],
)
def test_errors_are_one_sentence(tmp_path, monkeypatch, capsys, options, sentence):
    file = write_pair(tmp_path / "pair.npz")
    filled = {
        key: value.format(file=file) if isinstance(value, str) else value
        for key, value in options.items()
    }
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(runs, "progress", quiet)
    code, told = in_process(monkeypatch, capsys, arguments(tmp_path, **filled))
    assert code == 1
    assert told.startswith("dynparam: ")
    assert sentence in told
    assert told.count("\n") == 1


def quiet(label, total):
    from contextlib import nullcontext

    return nullcontext(lambda amount, note="": None)


@pytest.mark.parametrize("kind", SPECIAL)
def test_a_bad_record_is_one_sentence_and_stays(tmp_path, monkeypatch, capsys, kind):
    """Of the second of two seeds; neither a table nor the file is touched."""
    images = write_pair(tmp_path / "pair.npz")
    files = RunFiles(tmp_path / "cut" / "runs", run_stage(), "dynamic", images)
    path = files.directory / "seed-0001.json"
    put(path, kind)
    before = os.lstat(path)
    code, told = in_process(monkeypatch, capsys, arguments(tmp_path))
    assert code == 1
    assert told.startswith(f"dynparam: {path}: not a run's record (")
    assert told.endswith("); delete it to train it anew\n")
    assert told.count("\n") == 1
    assert (os.lstat(path).st_ino, os.lstat(path).st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert [found.name for found in files.directory.iterdir()] == ["seed-0001.json"]
    assert not (tmp_path / "cut" / "curves.csv").exists()


@pytest.mark.parametrize("damage", ["a bit", "another seed", "cut"])
def test_a_damaged_record_never_reaches_the_table(tmp_path, monkeypatch, capsys, damage):
    """Trained, then damaged; with the file deleted, as it is told, the table is the same to the byte."""
    write_pair(tmp_path / "pair.npz")
    command, table = arguments(tmp_path), tmp_path / "cut" / "curves.csv"
    assert in_process(monkeypatch, capsys, command)[0] == 0
    whole = table.read_bytes()
    table.unlink()
    (path,) = (tmp_path / "cut").rglob("seed-0001.json")
    content = bytearray(path.read_bytes())
    if damage == "a bit":
        content[content.index(b'"curve": [[0.') + 13] ^= 1
    elif damage == "another seed":
        content = path.with_name("seed-0000.json").read_bytes()
    else:
        del content[-20:]
    path.write_bytes(content)
    code, told = in_process(monkeypatch, capsys, command)
    assert (code, told.count("\n")) == (1, 1)
    assert f"{path}: not a run's record (" in told
    assert path.read_bytes() == content
    assert not table.exists()
    path.unlink()
    assert in_process(monkeypatch, capsys, command)[0] == 0
    assert table.read_bytes() == whole


def test_status_tells_a_bad_table_and_exits_with_1(tmp_path, monkeypatch, capsys):
    """As text and as JSON; all other runs are listed."""
    monkeypatch.chdir(tmp_path)
    put(tmp_path / "bad" / "airplane-automobile" / "10000-500" / "dynamic.csv", "FIFO")
    overlay = json.dumps({"training": {"archive": "bad"}})
    monkeypatch.setattr(
        sys, "argv", ["dynparam", "status", "--config", str(THESIS), "--config", overlay]
    )
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == 1
    told = capsys.readouterr()
    assert told.err == ""
    assert told.out.count("not a table of curves (a FIFO, not a regular file); restore it") == 1
    assert told.out.count("airplane-automobile/dynamic ") == 1
    sys.argv.append("--json")
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == 1
    runs_told = {run["run"]: run for run in json.loads(capsys.readouterr().out)["runs"]}
    assert len(runs_told["airplane-automobile/dynamic"]["problems"]) == 1
    assert runs_told["airplane-automobile/spectral"]["problems"] == []


def test_an_unknown_task(tmp_path, monkeypatch, capsys):
    command = arguments(tmp_path)
    command[1] = "cat-dog"
    code, told = in_process(monkeypatch, capsys, command)
    assert (code, told) == (1, f"dynparam: there is no 'cat-dog' in data.pairs; choose one of {TASK}\n")


def test_an_unknown_parametrization(tmp_path, monkeypatch, capsys):
    command = arguments(tmp_path)
    command[2] = "dynamical"
    code, told = in_process(monkeypatch, capsys, command)
    assert code == 2
    assert "dynamical" in told
    assert "spectral" in told


LONG = {"epochs": 30, "n": 60, "n_min": 20, "training_loss": "running"}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A directory with the invented pair and, in ``whole``, the curves of an uninterrupted process."""
    place = tmp_path_factory.mktemp("place")
    write_pair(place / "pair.npz")
    done = subprocess.run(
        [PROGRAM, *arguments(place, "whole", changes=LONG)], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    return place


def written(place, name):
    """When each checkpoint was written; one that is being written, in a hidden folder, is none yet."""
    # glob passes over hidden folders, and over those that go while it looks.
    found = glob(f"{place / name}/**/seed-*[0-9].safetensors", recursive=True)
    return {Path(path): os.stat(path).st_mtime_ns for path in found}


def killed(place, name, number):
    """Start a training and send it a signal once it has a new checkpoint; exit code, standard error."""
    before = written(place, name)
    with subprocess.Popen(
        [PROGRAM, *arguments(place, name, changes=LONG)], stderr=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        while written(place, name) == before:
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.001)
        process.send_signal(number)
        told = process.communicate()[1]
    assert not (place / name / "curves.csv").exists()
    assert not list((place / name).rglob("seed-*.json"))
    (checkpoint,) = written(place, name)
    (status,) = statuses(checkpoint.parent)
    assert status.state == "interrupted"
    return process.returncode, told


def test_killed_processes_lose_nothing(place):
    """SIGTERM, then SIGKILL to the process that resumes; the third one's table is equal to the byte."""
    code, told = killed(place, "cut", signal.SIGTERM)
    assert code == 143
    (line,) = [line for line in told.splitlines() if line.startswith("dynparam: ")]
    assert line.startswith("dynparam: SIGTERM in epoch ")
    assert line.endswith("of seeds [0]; all is saved, and the same command goes on from there")
    assert told.splitlines()[-1] == line
    code, told = killed(place, "cut", signal.SIGKILL)
    assert code == -signal.SIGKILL
    assert "dynparam: " not in told
    done = subprocess.run(
        [PROGRAM, *arguments(place, "cut", changes=LONG)], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    tables = [(place / run / "curves.csv").read_bytes() for run in ("whole", "cut")]
    assert tables[0] == tables[1]
    assert written(place, "cut") == {}
