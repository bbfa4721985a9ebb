"""Runs of the workflow that tests share: on the official archive where one is named."""

import json
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from dynparam.data.official import HASHES_VARIABLE
from dynparam.data.retrieval import ARCHIVE_VARIABLE
from tests.cifar10_archive import write_archive
from tests.locks import locked
from tests.workflow.sandbox import PAIR, REDUCED, SMALL, CifarData, Sandbox

OFFICIAL = None if os.environ.get(HASHES_VARIABLE) else os.environ.get(ARCHIVE_VARIABLE)
IMAGES_PER_BATCH = 100  # of a class 50 images in the training split, 10 in the test split
LARGE_BATCH = 4000  # 2000 of a class in the training split: the thesis's 1000 + 1000


def made_once(
    directory: Path,
    data: CifarData,
    *targets: str,
    overlay: Mapping[str, Any] = SMALL,
    prepare: Callable[[Sandbox], None] = lambda sandbox: None,
) -> Sandbox:
    """A sandbox with ``targets`` made by the first worker that asks; the others wait for it.

    ``prepare`` changes the sandbox before anything is made.
    """
    root, complete = directory / "repository", directory / "complete"
    directory.mkdir(exist_ok=True)
    with locked(directory / "lock"):
        if not complete.exists():
            shutil.rmtree(root, ignore_errors=True)
            sandbox = Sandbox.create(root, data, overlay)
            prepare(sandbox)
            sandbox.make(*targets)
            complete.touch()
    return Sandbox(root, data)


def _archive(directory: Path, images_per_batch: int) -> dict[str, str]:
    """An invented archive, made by the first worker that asks, as environment variables name it."""
    archive, hashes = directory / "cifar-10-python.tar.gz", directory / "hashes.json"
    directory.mkdir(exist_ok=True)
    with locked(directory / "lock"):
        if not hashes.exists():
            hashes.write_text(json.dumps(write_archive(archive, images_per_batch)))
    return {ARCHIVE_VARIABLE: str(archive), HASHES_VARIABLE: str(hashes)}


@pytest.fixture(scope="session")
def invented(shared: Path) -> CifarData:
    environment = _archive(shared / "invented", IMAGES_PER_BATCH)
    return CifarData(environment, {"data": {"train_images": 20, "test_images": 20}})


@pytest.fixture(scope="session", params=["official" if OFFICIAL else "invented"])
def data(request: pytest.FixtureRequest, shared: Path) -> CifarData:
    """Real images where there are some, else as many invented ones; the tests' names say which."""
    if OFFICIAL:
        return CifarData({ARCHIVE_VARIABLE: str(Path(OFFICIAL).resolve())}, {})
    return CifarData(_archive(shared / "large", LARGE_BATCH), {})


@pytest.fixture(scope="session")
def finished(shared: Path, data: CifarData) -> Sandbox:
    """The reduced run, whole, on two cores. Look at it and plan in it; run and edit in a ``clone``."""
    return made_once(shared / "finished", data, overlay=REDUCED)


@pytest.fixture
def clone(finished: Sandbox, tmp_path: Path) -> Sandbox:
    return finished.clone(tmp_path / "clone")


@pytest.fixture
def untouched(invented: CifarData, tmp_path: Path) -> Sandbox:
    """A fresh copy with invented data to retrieve, nothing computed."""
    return Sandbox.create(tmp_path / "repository", invented)


@pytest.fixture(scope="session")
def extracted_once(shared: Path, invented: CifarData) -> Sandbox:
    return made_once(shared / "extracted", invented, f"data/processed/{PAIR}.npz")


@pytest.fixture
def extracted(extracted_once: Sandbox, tmp_path: Path) -> Sandbox:
    """A copy with invented images extracted, nothing computed from them."""
    return extracted_once.clone(tmp_path / "repository")
