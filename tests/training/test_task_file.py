"""The images of a file are read once for all audits of a process, and anew if the file is another."""

import torch

from dynparam.training import task_file
from dynparam.training.task_file import read_task
from tests.training_runs import invented_pair, run_stage, task_of, write_pair

CPU = torch.device("cpu")


def test_images_are_read_once_and_as_training_takes_them(tmp_path, monkeypatch):
    path = write_pair(tmp_path / "pair.npz")
    found = read_task(run_stage(), path, CPU)
    expected = task_of(run_stage())
    assert torch.equal(found.inputs, expected.inputs)
    assert torch.equal(found.targets, expected.targets)
    monkeypatch.setattr(task_file, "load_pair", None)
    assert read_task(run_stage(), path, CPU) is found


def test_another_file_of_the_same_name_is_read_anew(tmp_path):
    path = write_pair(tmp_path / "pair.npz")
    before = read_task(run_stage(), path, CPU)
    write_pair(path, invented_pair(seed=9))
    assert not torch.equal(read_task(run_stage(), path, CPU).inputs, before.inputs)


def test_another_precision_is_another_task(tmp_path):
    path = write_pair(tmp_path / "pair.npz")
    for dtype in ("float32", "float64"):
        found = read_task(run_stage(dtype=dtype), path, CPU)
        assert found.inputs.dtype == getattr(torch, dtype)
