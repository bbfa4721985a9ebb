"""Two pictures compared pixel by pixel, of which one may come from anyone."""

from __future__ import annotations

import io
import struct
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dynparam.support.regular_files import RefusedError, read_bytes

MAX_PICTURE_BYTES = 128 * 2**20
"""Largest file that is decoded; figures have up to 1 MB."""

MAX_PIXELS = 50_000_000
"""Most pixels that are decoded; figures have up to ten million. A small file may claim any number."""

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def same_pixels(old: Path, new: Path) -> tuple[bool, str]:
    """Whether two PNG have the same pixels, and a note on it.

    ``new`` is one that this program drew; ``old`` is decoded only if it claims to be of the same size.
    """
    try:
        contents = [read_bytes(path, MAX_PICTURE_BYTES) for path in (old, new)]
    except RefusedError as error:
        return False, str(error)
    sizes = [_claimed_size(content) for content in contents]
    if None in sizes:
        return False, "it is not a readable picture"
    width, height = sizes[0] or (0, 0)
    if width * height > MAX_PIXELS:
        return False, f"it claims {width} x {height} pixels; not decoded"
    if sizes[0] != sizes[1]:
        return False, "the pictures have other sizes"
    pictures = [_pixels(content, (width, height)) for content in contents]
    if pictures[0] is None or pictures[1] is None:
        return False, "it is not a readable picture"
    count = int((pictures[0] != pictures[1]).any(axis=-1).sum())
    if count:
        return False, f"{count} pixels of what its inputs give"
    return True, "every pixel, not every byte"


def _claimed_size(content: bytes) -> tuple[int, int] | None:
    """Width and height in the header of a PNG, ``None`` for anything else."""
    if len(content) < 24 or not content.startswith(SIGNATURE) or content[12:16] != b"IHDR":
        return None
    width, height = struct.unpack(">II", content[16:24])
    return int(width), int(height)


def _pixels(content: bytes, size: tuple[int, int]) -> NDArray[np.uint8] | None:
    """A PNG's pixels (height, width, 4), ``None`` if it cannot be decoded to this size."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Image.open(io.BytesIO(content), formats=["PNG"]) as picture:
                # A second header may claim another size than the first.
                return np.asarray(picture.convert("RGBA")) if picture.size == size else None
    except Exception:  # whatever a decoder raises on a file that was made to break it
        return None
