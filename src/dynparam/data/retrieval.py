"""CIFAR-10: retrieve it, verify it, draw two-class tasks from it, make network inputs of them.

The official files are pickles, so none is opened before its SHA-256 is right. Which images are
drawn is decided by the ``data`` block of the configuration (thesis Secs. 3.1-3.3).
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dynparam.data import download
from dynparam.data.official import FOLDER, verify
from dynparam.data.settings import Source
from dynparam.data.unpacking import MEMBER_LIMIT, unpack
from dynparam.support.errors import DataError
from dynparam.support.files import naming_write_errors

ARCHIVE_VARIABLE = "DYNPARAM_CIFAR10_ARCHIVE"

ARCHIVE_LIMIT = 256 << 20
"""Bytes a download may have; the official archive has 163 MiB."""


logger = logging.getLogger(__name__)


def retrieve(source: Source, destination: Path, hashes: Mapping[str, str]) -> dict[str, Any]:
    """Put verified members into ``destination/cifar-10-batches-py``; return where they came from.

    In this order: what is already there, the archive or directory named by the environment variable
    ``DYNPARAM_CIFAR10_ARCHIVE``, that named by ``source.archive``, the mirrors. Members arrive all
    together or not at all. The keys returned are ``origin`` (a file name, an address, or "already
    present"), ``bytes`` and ``sha256``. Raises ``DataError`` if no source has the right data and
    ``DynparamError`` if ``destination`` cannot be written.
    """
    folder = destination / FOLDER
    if _is_verified(folder, hashes):
        origin = "already present"
    elif local := _local_source(source):
        _install(local, destination, hashes)
        origin = local.resolve().name
    else:
        origin = _install_from_mirrors(source, destination, hashes)
    size = sum((folder / name).stat().st_size for name in hashes)
    return {"origin": origin, "bytes": size, "sha256": dict(hashes)}


def _is_verified(folder: Path, hashes: Mapping[str, str]) -> bool:
    try:
        verify(folder, hashes, str(folder))
    except DataError:
        return False
    return True


def _local_source(source: Source) -> Path | None:
    """The archive or directory to take instead of downloading, if one is named."""
    named, where = os.environ.get(ARCHIVE_VARIABLE), f"the environment variable {ARCHIVE_VARIABLE}"
    if not named and source.archive:
        named, where = str(source.archive), "the config key source.archive"
    if not named:
        return None
    try:
        path = Path(named).expanduser()
        readable = os.access(path, os.R_OK)
        usable = path.is_file() or path.is_dir()
    except (OSError, RuntimeError, ValueError):  # the home of nobody, a name that no file can have
        path, readable, usable = Path(named), False, False
    if not readable:
        raise DataError(
            f"{where} names {path}, which cannot be read; correct it, or remove it to download"
        )
    if not usable:  # a pipe would be waited for without end
        raise DataError(
            f"{where} names {path}, which is neither a file nor a directory; name the archive itself, "
            f"or remove it to download"
        )
    return path


def _install_from_mirrors(source: Source, destination: Path, hashes: Mapping[str, str]) -> str:
    """Try the mirrors in order; return the address that had the right data."""
    failures = []
    for url in source.mirrors:
        try:
            _install_from(url, source, destination, hashes)
            return url
        except DataError as error:
            logger.warning("%s", error)
            failures.append(str(error))
    raise DataError(
        "CIFAR-10 cannot be downloaded; get cifar-10-python.tar.gz by other means and name it in "
        f"the config key source.archive or the environment variable {ARCHIVE_VARIABLE} "
        f"[{' | '.join(failures) or 'source.mirrors is empty'}]"
    )


def _install_from(url: str, source: Source, destination: Path, hashes: Mapping[str, str]) -> None:
    """Download and install from one mirror; an unfinished download stays, a wrong one does not."""
    # One partial file per mirror: bytes of different archives must never be joined.
    tag = hashlib.sha256(url.encode()).hexdigest()[:8]
    part = destination / f"cifar-10-python.{tag}.part"
    with naming_write_errors(destination):
        destination.mkdir(parents=True, exist_ok=True)
    download.fetch(
        url, part, timeout=source.timeout_seconds, attempts=source.attempts, limit=ARCHIVE_LIMIT
    )
    try:
        _install(part, destination, hashes, origin=url)
    finally:
        download.discard(part)


def _install(
    place: Path, destination: Path, hashes: Mapping[str, str], origin: str | None = None
) -> None:
    """Move the members of an archive or directory into ``destination`` once all are verified."""
    origin = origin or str(place)
    with naming_write_errors(destination):
        destination.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".incoming-", dir=destination) as temporary:
            incoming = Path(temporary)
            if place.is_dir():
                _copy(place, incoming, hashes)
            else:
                unpack(place, FOLDER, hashes, incoming, origin)
            verify(incoming, hashes, origin)
            folder = destination / FOLDER
            folder.mkdir(exist_ok=True)
            for name in hashes:
                (incoming / name).replace(folder / name)


def _copy(place: Path, incoming: Path, names: Mapping[str, str]) -> None:
    """Copy the members from a directory that holds them, their folder, or the archive."""
    folder = _folder_of(place, names)
    archives = [] if folder else _archives_in(place)
    if len(archives) == 1:
        return unpack(archives[0], FOLDER, names, incoming, str(archives[0]))
    for name in names:
        member = (folder or place) / name
        if member.is_file():
            if member.stat().st_size > MEMBER_LIMIT:
                raise DataError(f"{member}: larger than any file of CIFAR-10; get another copy")
            shutil.copyfile(member, incoming / name)
    return None


def _folder_of(place: Path, names: Mapping[str, str]) -> Path | None:
    """The directory that has members: the one named, or one at most two levels below it."""
    below = [place / FOLDER, place, *sorted(place.glob("*/")), *sorted(place.glob("*/*/"))]
    return next((one for one in below if any((one / name).is_file() for name in names)), None)


def _archives_in(place: Path) -> list[Path]:
    return sorted(one for one in place.glob("*cifar-10*") if one.is_file() and ".t" in one.name)
