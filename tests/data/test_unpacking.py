"""Archives that nobody vouches for: hostile or damaged ones yield an error and no file."""

import gzip
import tarfile
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
    with pytest.raises(DataError, match=r"not a complete tar\.gz archive"):
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
