"""Take a few known files out of an archive that nobody vouches for."""

from __future__ import annotations

import bz2
import lzma
import shutil
import tarfile
import zlib
from collections.abc import Collection
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, Self

from dynparam.support.errors import DataError, DynparamError

STREAM_LIMIT = 256 << 20
"""Bytes an archive may unpack to; the official CIFAR-10 archive has 178 MiB."""

MEMBER_LIMIT = 32 << 20
"""Bytes a member may have; the largest of CIFAR-10 has 30 MiB."""

HEADER_LIMIT = 1000
"""Headers an archive may have, those that only carry a long name included; CIFAR-10 has 9 members."""

EXTENSION_LIMIT = 4096
"""Bytes of a header that only carries a long name or other attributes."""

GZIP_LIMIT = 100_000
"""Gzip streams an archive may be put together from: one by gzip, one for every 64 KiB by bgzip."""

GZIP, BZIP2, XZ, ZIP = b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"PK\x03\x04"
"""What compressed files begin with."""

TAR, TAR_AT = b"ustar", 257
"""What the first header of a tar archive has, and where."""

CHUNK_BYTES = 1 << 16

SHOWN_CHARACTERS = 80

EXTENSIONS = (
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
)


def unpack(archive: Path, folder: str, names: Collection[str], into: Path, origin: str) -> None:
    """Stream the members ``folder/name``, and no others, out of a tar archive.

    The folder may lie in another one, and the archive be compressed by gzip, as the official one is, by
    bzip2 or xz, or not at all. A member's own path never decides where anything is written, so nothing
    lands outside ``into``. Raises ``DataError`` naming ``origin`` if the archive cannot be read, is
    damaged or too large, if any member points outside, has an impossible name, or is a link, a device or
    sparse, and if a wanted one is repeated or too large.
    """
    if not archive.is_file():  # a pipe would be waited for without end
        raise DataError(f"{origin}: not a file; name the archive cifar-10-python.tar.gz")
    try:
        with (
            _opened(archive, origin) as stream,
            tarfile.open(fileobj=stream, mode="r|", tarinfo=_headers(origin)) as tar,  # type: ignore[call-overload]
        ):
            while (member := tar.next()) is not None:
                path = PurePosixPath(member.name)
                _refuse_unsafe(member, path, origin)
                if path.parent.name == folder and path.name in names:
                    _extract(tar, member, into / path.name, origin)
    except (DynparamError, OSError):
        raise
    except Exception:  # tarfile raises nearly anything for a damaged header, RecursionError among it
        raise _incomplete(origin) from None


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path, origin: str) -> None:
    if path.exists():
        raise _refusal(member, "is repeated", origin)
    content = tar.extractfile(member)
    if content is None or member.size > MEMBER_LIMIT:
        raise _refusal(member, "is no file, or too large", origin)
    with path.open("wb") as file:
        shutil.copyfileobj(content, file)


def _refuse_unsafe(member: tarfile.TarInfo, path: PurePosixPath, origin: str) -> None:
    if path.is_absolute() or ".." in path.parts:
        raise _refusal(member, "points outside the archive", origin)
    if not (member.isreg() or member.isdir()):
        raise _refusal(member, "is a link or a device", origin)
    if member.issparse():
        raise _refusal(member, "is sparse", origin)
    if "\0" in member.name or not member.name.isprintable():
        raise _refusal(member, "has a name that no file of this archive can have", origin)


def _refusal(member: tarfile.TarInfo, why: str, origin: str) -> DataError:
    shown = repr(member.name)
    if len(shown) > SHOWN_CHARACTERS:
        shown = f"{shown[:SHOWN_CHARACTERS]}..."
    return DataError(f"{origin}: the member {shown} {why}; nothing was extracted, get another copy")


def _headers(origin: str) -> type[tarfile.TarInfo]:
    """The headers of one archive, counted, and refused before what they announce is read."""

    class Header(tarfile.TarInfo):
        count = 0

        @classmethod
        def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
            """A header of 512 bytes. Raises ``DataError`` if it is one too many, or is refused."""
            header = super().frombuf(buf, encoding, errors)
            Header.count += 1
            if Header.count > HEADER_LIMIT:
                raise DataError(
                    f"{origin}: more than {HEADER_LIMIT} members and headers, so it is not the "
                    "expected archive; get another copy"
                )
            if header.type == tarfile.GNUTYPE_SPARSE:
                raise _refusal(header, "is sparse", origin)
            if header.size < 0 or (header.type in EXTENSIONS and header.size > EXTENSION_LIMIT):
                raise _refusal(header, "has a header of an impossible size", origin)
            return header

    return Header


def _opened(archive: Path, origin: str) -> _BoundedGzip | _Bounded:
    """The tar stream of an archive, by the bytes that it begins with."""
    try:
        with archive.open("rb") as file:
            first = file.read(TAR_AT + len(TAR))
    except OSError as error:
        raise _unreadable(origin, error) from None
    if first.startswith(ZIP):
        raise DataError(f"{origin}: a zip archive; unzip it, and name the folder that this gives")
    if first.startswith(GZIP):
        return _BoundedGzip(archive, origin)
    if first.startswith(BZIP2):
        return _Bounded(bz2.open(archive), origin)
    if first.startswith(XZ):
        return _Bounded(lzma.open(archive), origin)
    if first[TAR_AT:] != TAR:
        raise _incomplete(origin)
    return _Bounded(archive.open("rb"), origin)


def _incomplete(origin: str) -> DataError:
    return DataError(f"{origin}: not a complete tar archive; get another copy")


def _unreadable(origin: str, error: OSError) -> DataError:
    return DataError(f"{origin}: cannot be read ({error.strerror or error}); get another copy")


def _too_much(origin: str) -> DataError:
    return DataError(
        f"{origin}: unpacks to more than {STREAM_LIMIT} bytes, so it is not the expected archive; get "
        "another copy"
    )


class _Bounded:
    """At most ``STREAM_LIMIT`` bytes of a file, decompressed where it is compressed."""

    def __init__(self, file: IO[bytes], origin: str) -> None:
        self._file = file
        self._origin = origin
        self._left = STREAM_LIMIT

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def read(self, size: int) -> bytes:
        """At most ``size`` bytes. Raises ``DataError`` once the limit is passed, or for a bad disk."""
        try:
            chunk = self._file.read(size)
        except OSError as error:
            if error.errno is None:  # damaged, to bz2
                raise EOFError from None
            raise _unreadable(self._origin, error) from None
        self._left -= len(chunk)
        if self._left < 0:
            raise _too_much(self._origin)
        return chunk


class _BoundedGzip:
    """Decompresses at most ``STREAM_LIMIT`` bytes: a small archive must not fill memory or disk.

    In place of ``gzip.GzipFile``, which reads a header's file name of any length byte by byte.
    """

    def __init__(self, archive: Path, origin: str) -> None:
        self._archive = archive
        self._origin = origin
        self._left = STREAM_LIMIT
        self._streams = 0
        self._pending = b""
        self._inflate = zlib.decompressobj(wbits=31)

    def __enter__(self) -> Self:
        try:
            self._file: BinaryIO = self._archive.open("rb")
        except OSError as error:
            raise _unreadable(self._origin, error) from None
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def read(self, size: int) -> bytes:
        """At most ``size`` bytes, none at the end of the last stream.

        Raises ``DataError`` once a limit is passed, ``EOFError`` for a stream that is cut off, and
        ``zlib.error`` for a damaged one.
        """
        chunk = b""
        while not chunk and self._has_input():
            chunk = self._inflate.decompress(self._pending, size)
            self._pending = self._inflate.unconsumed_tail
        self._left -= len(chunk)
        if self._left < 0:
            raise _too_much(self._origin)
        return chunk

    def _has_input(self) -> bool:
        """Fetch compressed bytes where there are none, and begin the next stream where one ended."""
        ended = self._inflate.eof
        if ended:
            # Zeros behind a stream are padding, as they are to gzip.
            self._pending = self._inflate.unused_data.lstrip(b"\0")
        while not self._pending:
            try:
                self._pending = self._file.read(CHUNK_BYTES)
            except OSError as error:
                raise _unreadable(self._origin, error) from None
            if not self._pending and ended:
                return False
            if not self._pending:
                raise EOFError
            if ended:
                self._pending = self._pending.lstrip(b"\0")
        if ended:
            self._streams += 1
            if self._streams > GZIP_LIMIT:
                raise zlib.error("too many streams")
            self._inflate = zlib.decompressobj(wbits=31)
        return True
