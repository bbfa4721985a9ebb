"""The helpers that tests of training share."""

import os
import shutil

from tests.training_runs import run_files


def test_files_of_runs_are_found_while_directories_vanish(tmp_path, monkeypatch):
    """A training's own directory is there when its parent is read, and gone when its turn comes."""
    vanishing = tmp_path / "run" / ".seed-0000.07fd"
    vanishing.mkdir(parents=True)
    (vanishing / "seed-0000.json").touch()
    (tmp_path / "run" / "seed-0001.json").touch()
    (tmp_path / "run" / "seed-0001.lock").touch()
    scandir = os.scandir

    def scandir_late(place):
        """Read a directory after the training has removed it."""
        if os.fspath(place) == os.fspath(vanishing):
            monkeypatch.undo()
            shutil.rmtree(vanishing)
        return scandir(place)

    monkeypatch.setattr(os, "scandir", scandir_late)
    assert run_files(tmp_path, "seed-*.json") == [tmp_path / "run" / "seed-0001.json"]
    assert not vanishing.exists()
