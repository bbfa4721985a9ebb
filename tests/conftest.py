"""What all tests share."""

import os
from pathlib import Path

import pytest
import torch

from dynparam.support import files
from dynparam.training import run_files, runs


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup():
    """One thread for each test: they run side by side on all cores, two each would wait for another.

    Before any fixture, also one that several tests share. A command that is run in this process takes
    the threads it is told, and keeps them; so before every test.
    """
    torch.set_num_threads(1)


@pytest.fixture
def quick_runs(monkeypatch):
    """Training runs without looking at code and versions or waiting for the disk."""
    monkeypatch.setattr(run_files, "module_digest", lambda module: f"code of {module}")
    monkeypatch.setattr(runs, "git_state", lambda: {"commit": "abc", "dirty": False})
    monkeypatch.setattr(runs, "versions", lambda: {"torch": "2"})
    monkeypatch.setattr(files, "_flush_to_disk", lambda path: None)


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory that all workers of this session share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
