"""Take a few known files out of an archive that nobody vouches for."""

from __future__ import annotations

import gzip
import shutil
import tarfile
import zlib
from collections.abc import Collection
from pathlib import Path, PurePosixPath

from dynparam.support.errors import DataError

STREAM_LIMIT = 256 << 20
"""Bytes an archive may unpack to; the official CIFAR-10 archive has 178 MiB."""

MEMBER_LIMIT = 32 << 20
"""Bytes a member may have; the largest of CIFAR-10 has 30 MiB."""


def unpack(archive: Path, folder: str, names: Collection[str], into: Path, origin: str) -> None:
    """Stream the members ``folder/name``, and no others, out of a tar.gz archive.

    A member's own path never decides where anything is written, so nothing lands outside ``into``.
    Raises ``DataError`` naming ``origin`` if the archive is damaged or too large, if any member
    points outside or is a link or a device, and if a wanted one is repeated or too large.
    """
    try:
        with (
            _BoundedGzip(archive, origin) as stream,
            tarfile.open(fileobj=stream, mode="r|") as tar,
        ):
            for member in tar:
                path = PurePosixPath(member.name)
                _refuse_unsafe(member, path, origin)
                if path.parent != PurePosixPath(folder) or path.name not in names:
                    continue
                if (into / path.name).exists():
                    raise _refusal(member, "is repeated", origin)
                content = tar.extractfile(member)
                if content is None or member.size > MEMBER_LIMIT:
                    raise _refusal(member, "is no file, or too large", origin)
                with (into / path.name).open("wb") as file:
                    shutil.copyfileobj(content, file)
    except (gzip.BadGzipFile, zlib.error, tarfile.TarError, EOFError, ValueError):
        raise DataError(f"{origin}: not a complete tar.gz archive; get another copy") from None


def _refuse_unsafe(member: tarfile.TarInfo, path: PurePosixPath, origin: str) -> None:
    if path.is_absolute() or ".." in path.parts:
        raise _refusal(member, "points outside the archive", origin)
    if not (member.isreg() or member.isdir()):
        raise _refusal(member, "is a link or a device", origin)


def _refusal(member: tarfile.TarInfo, why: str, origin: str) -> DataError:
    return DataError(
        f"{origin}: the member {member.name!r} {why}; nothing was extracted, get another copy"
    )


class _BoundedGzip(gzip.GzipFile):
    """Decompresses at most ``STREAM_LIMIT`` bytes: a small archive must not fill memory or disk."""

    def __init__(self, archive: Path, origin: str) -> None:
        super().__init__(archive)
        self._origin = origin
        self._left = STREAM_LIMIT

    def read(self, size: int | None = -1) -> bytes:
        """As ``GzipFile.read``. Raises ``DataError`` once the limit is passed."""
        chunk = super().read(size)
        self._left -= len(chunk)
        if self._left < 0:
            raise DataError(
                f"{self._origin}: unpacks to more than {STREAM_LIMIT} bytes, so it is not the "
                "expected archive; get another copy"
            )
        return chunk
