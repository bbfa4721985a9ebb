"""A small archive of the shape of CIFAR-10: same members, same pickles, invented images."""

from __future__ import annotations

import hashlib
import io
import pickle
import struct
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from dynparam.data.official import CIFAR10_CLASSES, FOLDER


def unpack(archive: Path, folder: Path) -> None:
    """Unpack an archive; Python before 3.11.4 has no filter to be named, and ignores the attribute."""
    with tarfile.open(archive) as tar:
        tar.extraction_filter = getattr(tarfile, "data_filter", None)
        tar.extractall(folder)


def write_archive(path: Path, images_per_batch: int = 20, seed: int = 0) -> dict[str, str]:
    """Write a tar.gz archive of ``members`` and return the SHA-256 of each."""
    contents = members(images_per_batch, seed)
    write_tar(path, ((file(f"{FOLDER}/{name}", data)) for name, data in contents.items()))
    return {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}


def members(images_per_batch: int = 20, seed: int = 0) -> dict[str, bytes]:
    """The members by name. The ten classes are equally frequent in batches of a multiple of ten."""
    contents = {
        "batches.meta": _pickled(
            {
                b"num_cases_per_batch": images_per_batch,
                b"label_names": [name.encode() for name in CIFAR10_CLASSES],
                b"num_vis": 3072,
            }
        )
    }
    for number, name in enumerate([*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]):
        generator = np.random.default_rng([seed, number])
        contents[name] = _pickled(
            {
                b"batch_label": name.encode(),
                b"labels": generator.permutation(np.arange(images_per_batch) % 10).tolist(),
                b"data": generator.integers(0, 256, (images_per_batch, 3072), dtype=np.uint8),
                b"filenames": [f"{name}_{i}.png".encode() for i in range(images_per_batch)],
            }
        )
    return contents


def file(name: str, data: bytes = b"") -> tuple[tarfile.TarInfo, bytes]:
    """A regular member of a tar archive."""
    info = tarfile.TarInfo(name)
    info.size = len(data)
    return info, data


def write_tar(path: Path, entries: Iterable[tuple[tarfile.TarInfo, bytes]]) -> None:
    """Write any members, hostile ones included, into a tar.gz archive."""
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        for info, data in entries:
            tar.addfile(info, io.BytesIO(data))


class _Python2Pickler(pickle._Pickler):
    """Writes bytes as the official pickles do, as the ``str`` of Python 2."""

    def _save_bytes(self: Any, data: bytes) -> None:
        self.write(b"T" + struct.pack("<i", len(data)) + data)

    dispatch: ClassVar[dict[type, Any]] = {**pickle._Pickler.dispatch, bytes: _save_bytes}


def _pickled(value: Any) -> bytes:
    stream = io.BytesIO()
    _Python2Pickler(stream, protocol=2).dump(value)
    return stream.getvalue()
