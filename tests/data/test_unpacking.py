"""Archives that nobody vouches for: hostile or damaged ones yield an error and no file."""

import bz2
import gzip
import lzma
import os
import tarfile
import zipfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from dynparam.data import unpacking
from dynparam.data.official import verify
from dynparam.data.unpacking import unpack
from dynparam.support.errors import DataError
from dynparam.support.files import sha256
from tests.cifar10_archive import file, write_tar

NAMES = ("one", "two")
GOOD = [file("box/one", b"1" * 5000), file("box/two", b"2" * 5000)]


def _unpack(path: Path) -> dict[str, bytes]:
    into = path.parent / "into"
    into.mkdir()
    unpack(path, "box", NAMES, into, origin="given.tar.gz")
    return {child.name: child.read_bytes() for child in into.iterdir()}


def _special(name: str, kind: bytes, target: str = "") -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info, b""


def test_only_the_wanted_members_come_out(tmp_path: Path) -> None:
    folder = _special("box", tarfile.DIRTYPE)
    others = [file("box/readme.html", b"hello"), file("one", b"elsewhere"), file("box/x/two", b"")]
    write_tar(tmp_path / "a.tar.gz", [folder, *others, *GOOD])
    assert _unpack(tmp_path / "a.tar.gz") == {"one": b"1" * 5000, "two": b"2" * 5000}


def test_leading_dot_is_the_same_place(tmp_path: Path) -> None:
    write_tar(tmp_path / "a.tar.gz", [file("./box/one", b"1"), file("./box/two", b"2")])
    assert _unpack(tmp_path / "a.tar.gz") == {"one": b"1", "two": b"2"}


@pytest.mark.parametrize(
    ("member", "complaint"),
    [
        pytest.param(file("../evil", b"x"), "'../evil' points outside", id="parent"),
        pytest.param(file("box/../../evil", b"x"), "points outside", id="parent-inside"),
        pytest.param(file("/tmp/evil", b"x"), "'/tmp/evil' points outside", id="absolute"),
        pytest.param(_special("box/l", tarfile.SYMTYPE, "/etc"), "is a link", id="symlink"),
        pytest.param(_special("box/two", tarfile.LNKTYPE, "box/one"), "is a link", id="hardlink"),
        pytest.param(_special("box/d", tarfile.CHRTYPE), "device", id="device"),
        pytest.param(file("box/one", b"again"), "'box/one' is repeated", id="repeated"),
    ],
)
def test_hostile_member_is_refused_by_name(
    tmp_path: Path, member: tuple[tarfile.TarInfo, bytes], complaint: str
) -> None:
    write_tar(tmp_path / "a.tar.gz", [*GOOD, member])
    with pytest.raises(DataError, match=complaint) as refusal:
        _unpack(tmp_path / "a.tar.gz")
    assert str(refusal.value).startswith("given.tar.gz: ")
    assert not (tmp_path / "evil").exists()
    assert {child.name for child in (tmp_path / "into").iterdir()} <= set(NAMES)


def test_oversized_member_is_refused(tmp_path: Path) -> None:
    write_tar(tmp_path / "a.tar.gz", [file("box/one", bytes(unpacking.MEMBER_LIMIT + 1))])
    with pytest.raises(DataError, match="'box/one' is no file, or too large"):
        _unpack(tmp_path / "a.tar.gz")
    assert list((tmp_path / "into").iterdir()) == []


def test_limits_are_what_is_still_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A member of the limit's size, and an archive that unpacks to the limit; a byte more is refused."""
    monkeypatch.setattr(unpacking, "MEMBER_LIMIT", 5000)
    write_tar(tmp_path / "a.tar.gz", GOOD)
    monkeypatch.setattr(
        unpacking, "STREAM_LIMIT", len(gzip.decompress((tmp_path / "a.tar.gz").read_bytes()))
    )
    assert _unpack(tmp_path / "a.tar.gz") == {"one": b"1" * 5000, "two": b"2" * 5000}
    (tmp_path / "again").mkdir()
    monkeypatch.setattr(unpacking, "MEMBER_LIMIT", 4999)
    (tmp_path / "a.tar.gz").rename(tmp_path / "again" / "a.tar.gz")
    with pytest.raises(DataError, match="too large"):
        _unpack(tmp_path / "again" / "a.tar.gz")


def test_directory_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    write_tar(tmp_path / "a.tar.gz", [_special("box/one", tarfile.DIRTYPE)])
    with pytest.raises(DataError, match="'box/one' is no file"):
        _unpack(tmp_path / "a.tar.gz")


def test_decompression_bomb_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "STREAM_LIMIT", 1 << 20)
    write_tar(tmp_path / "a.tar.gz", [file("box/padding", bytes(2 << 20)), *GOOD])
    with pytest.raises(DataError, match="unpacks to more than 1048576 bytes"):
        _unpack(tmp_path / "a.tar.gz")


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>503</html>", gzip.compress(b"<html>" * 500), b"\x1f\x8b" + bytes(100)],
    ids=["empty", "html", "gzipped-html", "broken-gzip"],
)
def test_what_is_not_an_archive_says_so(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.tar.gz").write_bytes(content)
    with pytest.raises(DataError, match=r"not a complete tar archive"):
        _unpack(tmp_path / "a.tar.gz")


def test_every_truncation_is_noticed(tmp_path: Path) -> None:
    """At the latest by ``verify``: a cut between two members looks like a shorter archive."""
    content = np.random.default_rng(0).bytes(3000)
    write_tar(tmp_path / "whole.tar.gz", [file("box/one", content), file("box/two", content)])
    whole = (tmp_path / "whole.tar.gz").read_bytes()
    _unpack(tmp_path / "whole.tar.gz")
    hashes = {name: sha256(tmp_path / "into" / name) for name in NAMES}

    def unpack_and_verify(path: Path) -> None:
        _unpack(path)
        verify(path.parent / "into", hashes, "a.tar.gz")

    for size in range(0, len(whole) - 200, 97):
        folder = tmp_path / str(size)
        folder.mkdir()
        (folder / "a.tar.gz").write_bytes(whole[:size])
        with pytest.raises(DataError):
            unpack_and_verify(folder / "a.tar.gz")


def test_damaged_bytes_never_raise_anything_else(tmp_path: Path) -> None:
    """Single wrong bytes anywhere in the tar stream, headers above all."""
    write_tar(tmp_path / "a.tar.gz", GOOD)
    plain = gzip.decompress((tmp_path / "a.tar.gz").read_bytes())
    generator = np.random.default_rng(0)
    for trial in range(300):
        damaged = bytearray(plain)
        place = generator.integers(512) + (0 if trial % 2 else 5632)
        damaged[place] = generator.integers(256)
        folder = tmp_path / str(trial)
        folder.mkdir()
        (folder / "a.tar.gz").write_bytes(gzip.compress(damaged, compresslevel=1))
        with suppress(DataError):
            _unpack(folder / "a.tar.gz")
        assert {path.name for path in folder.iterdir()} == {"a.tar.gz", "into"}
        assert {path.name for path in (folder / "into").iterdir()} <= set(NAMES)


def test_verify_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"1")
    right = sha256(tmp_path / "one")
    verify(tmp_path, {"one": right}, "here")
    with pytest.raises(DataError, match="here: two is missing or unreadable"):
        verify(tmp_path, {"one": right, "two": right}, "here")
    with pytest.raises(DataError, match="here: one does not have the expected SHA-256"):
        verify(tmp_path, {"one": "0" * 64}, "here")


# --- Headers that announce what they should not -------------------------------------------------


def _header(name: bytes, kind: bytes = b"0", size: int = 0, **fields: bytes) -> bytes:
    """A header of a tar archive, written by hand: the library's own writer refuses most of these."""
    size_field = fields.get("size_field") or b"%011o\0" % size
    block = bytearray(512)
    block[:100] = name[:100].ljust(100, b"\0")
    block[100:108] = b"0000644\0"
    block[124:136] = size_field
    block[136:148] = b"%011o\0" % 0
    block[148:156] = b" " * 8
    block[156:157] = kind
    block[257:265] = fields.get("magic", b"ustar\00000")
    block[345 : 345 + len(fields.get("tail", b""))] = fields.get("tail", b"")
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def _padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % 512)


def _extension(kind: bytes, content: bytes) -> bytes:
    return _header(b"././@LongLink", kind, len(content)) + _padded(content)


def _record(text: bytes) -> bytes:
    """A record of a PAX header: its own length in decimal, and the text."""
    length = len(text) + 2
    while len(b"%d %s\n" % (length, text)) != length:
        length += 1
    return b"%d %s\n" % (length, text)


def _pax(*records: bytes, kind: bytes = b"x") -> bytes:
    return _extension(kind, b"".join(map(_record, records)))


ONE = _header(b"box/one", size=3) + _padded(b"one")
TWO = _header(b"box/two", size=3) + _padded(b"two")
END = bytes(1024)

HOSTILE: dict[str, bytes] = {
    "3000 chained PAX headers": _pax(b"comment=x") * 3000 + ONE,
    "900 chained PAX headers": _pax(b"comment=x") * 900 + ONE,
    "3000 global PAX headers": _pax(b"comment=x", kind=b"g") * 3000 + ONE,
    "3000 chained long names": _extension(b"L", b"box/one\0") * 3000 + ONE,
    "3000 chained long links": _extension(b"K", b"box/one\0") * 3000 + ONE,
    "3000 empty members": b"".join(_header(b"box/%d" % i) for i in range(3000)) + ONE,
    "PAX header of a MiB": _extension(b"x", _record(b"comment=x") * 80_000) + ONE,
    "long name of a MiB": _extension(b"L", b"a/" * (1 << 19)) + ONE,
    "PAX header of text": _extension(b"x", b"not a record\n" * 30) + ONE,
    "PAX record of a negative length": _extension(b"x", b"-5 a=b\n") + ONE,
    "PAX record of no length": _extension(b"x", b"0 a=b\n") + ONE,
    "PAX record of a huge length": _extension(b"x", b"9" * 4000 + b" a=b\n") + ONE,
    "PAX size below zero": _pax(b"size=-3") + ONE,
    "PAX size of 4000 digits": _pax(b"size=" + b"9" * 3900) + ONE,
    "PAX size of an exabyte": _pax(b"size=%d" % (1 << 60)) + ONE,
    "PAX path outside": _pax(b"path=../../evil") + ONE,
    "PAX path from the root": _pax(b"path=/tmp/evil") + ONE,
    "PAX path with NUL": _pax(b"path=box/one\0") + ONE,
    "PAX path of broken UTF-8": _pax(b"path=box/\xff\xfe") + ONE,
    "PAX path with a surrogate": _pax(b"path=box/\xed\xb2\x80") + ONE,
    "PAX path with an escape sequence": _pax(b"path=box/\x1b[31m") + ONE,
    "PAX sparse 0.1": _pax(b"GNU.sparse.map=0,1", b"GNU.sparse.size=9") + ONE,
    "PAX sparse 0.1 of text": _pax(b"GNU.sparse.map=a,b", b"GNU.sparse.size=9") + ONE,
    "PAX sparse 1.0": _pax(b"GNU.sparse.major=1", b"GNU.sparse.minor=0", b"GNU.sparse.realsize=9") + ONE,
    "PAX sparse 0.0": _pax(b"GNU.sparse.size=9", b"GNU.sparse.numbytes=1", b"GNU.sparse.offset=0") + ONE,
    "sparse file": _header(b"box/one", b"S", magic=b"ustar  \0") + END,
    "sparse file with a map of its own": _header(
        b"box/one", b"S", magic=b"ustar  \0", tail=bytes(137) + b"\x01" + b"77777777777\0"
    ),
    "size below zero": _header(b"box/one", size_field=b"\xff" * 12) + TWO,
    "size of 2^80": _header(b"box/one", size_field=b"\x80" + b"\x7f" * 11) + TWO,
    "size of text": _header(b"box/one", size_field=b"notanumber!!") + TWO,
    "hard link": ONE + _header(b"box/two", b"1", tail=b""),
    "symbolic link": ONE + _header(b"box/two", b"2"),
    "character device": ONE + _header(b"box/two", b"3"),
    "block device": ONE + _header(b"box/two", b"4"),
    "pipe": ONE + _header(b"box/two", b"6"),
    "unknown kind": ONE + _header(b"box/two", b"!"),
    "directory in place of a file": _header(b"box/one/", b"5"),
    "name of the folder above": _header(b"box/../../evil", size=3) + _padded(b"one"),
    "name from the root": _header(b"/box/one", size=3) + _padded(b"one"),
    "name of broken UTF-8": _header(b"box/\xff", size=3) + _padded(b"one"),
    "repeated": ONE + TWO + ONE,
    "repeated with dots": ONE + TWO + _header(b"./box//./one", size=3) + _padded(b"two"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_headers_are_refused_in_a_sentence(tmp_path: Path, kind: str) -> None:
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(HOSTILE[kind] + END, compresslevel=1))
    into = tmp_path / "into"
    into.mkdir()

    def unpack_and_verify() -> None:
        unpack(tmp_path / "a.tar.gz", "box", NAMES, into, origin="given.tar.gz")
        verify(into, {"one": "0" * 64, "two": "0" * 64}, "given.tar.gz")

    with pytest.raises(DataError) as refusal:
        unpack_and_verify()
    message = str(refusal.value)
    assert message.startswith("given.tar.gz: ")
    assert message.isprintable()
    assert len(message) < 250
    assert {path.name for path in tmp_path.iterdir()} == {"a.tar.gz", "into"}


IMPOSSIBLE = "has a header of an impossible size"
TOLD = {
    "size below zero": IMPOSSIBLE,
    "long name of a MiB": IMPOSSIBLE,
    "PAX header of a MiB": IMPOSSIBLE,
    "sparse file": "is sparse",
    "symbolic link": "is a link or a device",
    "pipe": "is a link or a device",
    "directory in place of a file": "is no file, or too large",
    "name from the root": "points outside the archive",
    "name of the folder above": "points outside the archive",
    "PAX path with an escape sequence": "has a name that no file of this archive can have",
    "repeated": "is repeated",
}


@pytest.mark.parametrize("kind", TOLD)
def test_why_a_member_is_refused_is_told(tmp_path: Path, kind: str) -> None:
    """Before it is written: its wrong SHA-256 would be a riddle."""
    (tmp_path / "a.tar.gz").write_bytes(gzip.compress(HOSTILE[kind] + END, compresslevel=1))
    with pytest.raises(DataError, match=f"^given.tar.gz: the member .* {TOLD[kind]}; nothing was extr"):
        _unpack(tmp_path / "a.tar.gz")


# --- Streams ------------------------------------------------------------------------------------


def test_streams_put_together_are_one(tmp_path: Path) -> None:
    """As bgzip and pigz write them, with the padding that tapes want."""
    streams = [gzip.compress((ONE + TWO + END)[at : at + 700]) for at in range(0, 3200, 700)]
    (tmp_path / "a.tar.gz").write_bytes(b"".join(streams) + bytes(700))
    assert _unpack(tmp_path / "a.tar.gz") == {"one": b"one", "two": b"two"}


WRAPPINGS = {
    "unzipped by a browser": lambda tar: tar,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
}


@pytest.mark.parametrize("kind", WRAPPINGS)
def test_another_wrapping_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(WRAPPINGS[kind](ONE + TWO + END))
    assert _unpack(path) == {"one": b"one", "two": b"two"}
    monkeypatch.setattr(unpacking, "STREAM_LIMIT", 1000)
    with pytest.raises(DataError, match="unpacks to more than 1000 bytes"):
        unpack(path, "box", NAMES, tmp_path / "into", "given")


def test_a_zip_archive_is_told_how_to_be_used(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a", "w") as archive:
        archive.writestr("box/one", "one")
    with pytest.raises(DataError, match="a zip archive; unzip it, and name the folder"):
        _unpack(tmp_path / "a")


STREAMS = {
    "a million empty streams": gzip.compress(b"") * 1_000_000,
    "a name of 60 MB in the header": b"\x1f\x8b\x08\x08" + bytes(6) + b"n" * 60_000_000,
    "noise behind the stream": gzip.compress(ONE) + b"noise" * 1000,
    "stream cut in its header": gzip.compress(ONE) + b"\x1f\x8b\x08",
    "wrong checksum": gzip.compress(ONE + TWO)[:-8] + bytes(8),
    "another compression": b"BZh91AY&SY" + bytes(100),
    "cut bzip2": bz2.compress(ONE + TWO + END)[:-9],
    "cut xz": lzma.compress(ONE + TWO + END)[:-9],
    "cut tar": (ONE + TWO)[:600],
    "zeros": bytes(100_000),
}


@pytest.mark.parametrize("kind", STREAMS)
def test_streams_that_are_no_archive(tmp_path: Path, kind: str) -> None:
    (tmp_path / "a.tar.gz").write_bytes(STREAMS[kind])
    with pytest.raises(DataError, match=r"given\.tar\.gz: not a complete tar archive"):
        _unpack(tmp_path / "a.tar.gz")


# --- What is no file ----------------------------------------------------------------------------


def test_pipe_device_and_directory_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(DataError, match="given: not a file; name the archive"):
            unpack(place, "box", NAMES, tmp_path, "given")
