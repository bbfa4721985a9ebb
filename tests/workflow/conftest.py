"""Runs of the workflow that tests share: on the official archive where one is named."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dynparam.cifar10 import ARCHIVE_VARIABLE
from dynparam.official import HASHES_VARIABLE
from tests.cifar10_archive import write_archive
from tests.workflow.sandbox import CifarData, Sandbox

OFFICIAL = None if os.environ.get(HASHES_VARIABLE) else os.environ.get(ARCHIVE_VARIABLE)
IMAGES_PER_BATCH = 50  # 25 images of a class in the training split


@pytest.fixture(scope="session")
def invented(tmp_path_factory: pytest.TempPathFactory) -> CifarData:
    directory = tmp_path_factory.mktemp("invented")
    archive, hashes = directory / "cifar-10-python.tar.gz", directory / "hashes.json"
    hashes.write_text(json.dumps(write_archive(archive, IMAGES_PER_BATCH)))
    return CifarData(
        "invented",
        {ARCHIVE_VARIABLE: str(archive), HASHES_VARIABLE: str(hashes)},
        {"data": {"train_images": 20, "test_images": 20}},
    )


@pytest.fixture(scope="session", params=["official" if OFFICIAL else "invented"])
def data(request: pytest.FixtureRequest, invented: CifarData) -> CifarData:
    """Real images where there are some; the tests' names say which."""
    if OFFICIAL is None:
        return invented
    return CifarData("official", {ARCHIVE_VARIABLE: str(Path(OFFICIAL).resolve())}, {})


@pytest.fixture(scope="session")
def finished(data: CifarData, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A whole run on two cores. Look at it and plan in it; run and edit in a ``clone``."""
    sandbox = Sandbox.create(tmp_path_factory.mktemp("finished") / "repository", data)
    sandbox.make()
    yield sandbox
    shutil.rmtree(sandbox.root / "data" / "raw")


@pytest.fixture
def clone(finished: Sandbox, tmp_path: Path) -> Iterator[Sandbox]:
    sandbox = finished.clone(tmp_path / "clone")
    yield sandbox
    shutil.rmtree(sandbox.root / "data" / "raw")


@pytest.fixture
def untouched(invented: CifarData, tmp_path: Path) -> Sandbox:
    """A fresh copy on invented data, nothing computed."""
    return Sandbox.create(tmp_path / "repository", invented)


@pytest.fixture
def overlaid(invented: CifarData, tmp_path: Path) -> Callable[..., Sandbox]:
    """A fresh copy on invented data with an overlay of one's own."""
    return lambda overlay: Sandbox.create(tmp_path / "repository", invented, overlay)
