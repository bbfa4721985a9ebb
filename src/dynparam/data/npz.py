"""Arrays as an npz archive of the same bytes on every version of Python and numpy.

The SHA-256 of a pair's file stands in the records of all that rests on it. The standard library's zip
writer fills the head of a member differently before and from Python 3.11.4 on: the same images had
another SHA-256 there, and curves archived on one Python were refused on the other.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

ZIP64 = 45
"""The version that a reader needs for members with sizes of eight bytes."""

VERSION, SIZES = slice(4, 6), slice(18, 26)
"""Where in a member's head the needed version and the two sizes of four bytes stand."""

PERMISSIONS = 0o600 << 16


def write_npz(file: IO[bytes], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write ``arrays`` to an open file, by name, as ``numpy.savez`` does from Python 3.11.4 on.

    Arrays may be of any shape. Raises ``ValueError`` for arrays of Python objects, and ``OSError`` if
    the file cannot be written.
    """
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            member = _Member(f"{name}.npy")
            member.external_attr = PERMISSIONS
            with archive.open(member, "w", force_zip64=True) as content:
                np.lib.format.write_array(content, array, version=(1, 0), allow_pickle=False)
            member.create_version = member.extract_version = ZIP64


class _Member(zipfile.ZipInfo):
    """A member whose head has its sizes in eight bytes, and those of four bytes filled up."""

    def FileHeader(self, zip64: bool | None = None) -> bytes:  # noqa: N802
        """The head, of the same bytes from every version of the standard library."""
        head = bytearray(super().FileHeader(zip64))
        head[VERSION] = ZIP64.to_bytes(2, "little")
        head[SIZES] = b"\xff" * 8
        return bytes(head)
