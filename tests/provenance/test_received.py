"""A directory from anyone: what must not lead out, hold up or flood a verification.

Each case ends in a sentence, and with 1, or 3 where a file is missing.
"""

import json
import os
import socket
import struct
import tempfile
import time
import zlib
from pathlib import Path

import pytest

from dynparam.provenance import pictures, reading, sidecars, verification, verification_tree
from dynparam.provenance.reading import SpentError, entries_below
from dynparam.provenance.sidecars import as_text, checksum
from dynparam.provenance.verification import Verifier, wanted_files
from dynparam.provenance.verification_tree import DIFFERS, MISSING
from dynparam.support.errors import DynparamError
from dynparam.support.files import sha256
from dynparam.support.regular_files import refusal


class Nothing:
    """A configuration of no jobs."""

    def has(self, config_sha256):
        return False

    def differences(self, recorded):
        return []

    def code_digest(self, stage):
        return None


RECORD = {
    "config": {},
    "config_sha256": "44136fa355b3678a",
    "git": {"commit": None, "dirty": None},
    "versions": {},
    "hardware": {},
    "created": "2026-01-01T00:00:00+00:00",
    "wall_seconds": 1.0,
}
"""What every sidecar has besides its files; the digest is that of the empty configuration."""


def write(sidecar, outputs, inputs, **entries):
    """A sidecar whose checksum is right; files are given by path, with their hash or to be hashed."""
    place = "/".join(sidecar.parts[-2:])
    record = {"outputs": outputs, "inputs": inputs, **RECORD, "place": place, **entries}
    record["checksum"] = checksum(record)
    sidecar.parent.mkdir(parents=True, exist_ok=True)
    sidecar.write_text(as_text(record))


@pytest.fixture
def run(tmp_path):
    """A run in a directory below another: a figure from one table, with its sidecars."""
    root = tmp_path / "above" / "run"
    figure, table = root / "figures" / "fig.png", root / "results" / "table.csv"
    for path in (figure, table):
        path.parent.mkdir(parents=True)
        path.write_text(path.name)
    write(table.with_suffix(".json"), {"table.csv": sha256(table)}, {})
    write(figure.with_suffix(".json"), {"fig.png": sha256(figure)}, {"results/table.csv": sha256(table)})
    assert outcome(figure)[0] == 0
    return root


def outcome(path, root=None):
    """The exit code, and all that is said, in at most a minute."""
    started = time.monotonic()
    try:
        node = Verifier(Nothing(), root).check(path)
    except DynparamError as error:
        code, said = error.exit_code, str(error)
    else:
        code, said = verification_tree.exit_code([node]), verification_tree.as_json([node])
        said += verification_tree.summary(node)
    assert time.monotonic() - started < 60
    return code, said


def fifo(path):
    os.mkfifo(path)


def device(path):
    path.symlink_to("/dev/zero")


def directory(path):
    path.mkdir()


def unix_socket(path):
    # The address of a socket may only have a hundred letters.
    here = os.getcwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(path.name)
    finally:
        os.chdir(here)


def link_out(path):
    secret = path.parents[2] / "secret"
    secret.write_text("secret")
    path.symlink_to(secret)


def link_in_a_circle(path):
    path.symlink_to(path.name)


def endless(path):
    with path.open("wb") as file:
        file.truncate(10**13)


ODD = [fifo, device, directory, unix_socket, link_out, link_in_a_circle, endless]
FILES = ["figures/fig.png", "figures/fig.json", "results/table.csv", "results/table.json"]


@pytest.mark.parametrize("named", ["figures/fig.png", "figures/fig.json"])
@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("odd", ODD)
def test_what_is_no_regular_file_is_told_and_not_read(run, odd, file, named, capfd):
    (run / file).unlink()
    odd(run / file)
    code, said = outcome(run / named)
    assert code == DIFFERS
    words = ("FIFO", "directory", "socket", "device", "leads out", "symbolic links", "links", "larger")
    assert any(word in said for word in words), said
    assert capfd.readouterr().err == ""
    assert outcome(run / named, run)[0] == DIFFERS


@pytest.mark.parametrize("odd", ODD)
def test_what_is_odd_among_sidecars_of_a_directory(run, odd):
    odd(run / "figures" / "another.json")
    odd(run / "results" / "another.csv")
    assert outcome(run / "figures" / "fig.png")[0] == 0
    codes = {path.name: outcome(path)[0] for path in wanted_files([run / "figures"])}
    assert codes.pop("another.json", DIFFERS) == DIFFERS
    assert codes == {"fig.json": 0}


def test_inputs_above_the_run_are_not_looked_for(run):
    table = run / "results" / "table.csv"
    for place in (run.parent, run.parent.parent):
        (place / "results").mkdir()
        (place / "results" / "table.csv").write_bytes(table.read_bytes())
    table.unlink()
    assert outcome(run / "figures" / "fig.png")[0] == MISSING


@pytest.mark.parametrize("place", ["..", "../..", "{tmp}"])
def test_a_sidecar_does_not_choose_a_wider_directory(run, place, tmp_path):
    """By a path of its own that begins further up; what is there could be any file of the reader."""
    (tmp_path / "secret.csv").write_text("secret")
    sidecar = run / "figures" / "fig.json"
    own = sidecar.relative_to(tmp_path.parent).as_posix()
    for above, key in ((own, f"{tmp_path.name}/secret.csv"), (str(sidecar)[1:], str(tmp_path)[1:])):
        write(sidecar, {}, {key: sha256(tmp_path / "secret.csv")}, place=above)
        assert outcome(sidecar)[0] == MISSING


@pytest.mark.parametrize("inner", ["results", "results/deep"])
def test_directories_that_are_links_out_are_not_followed(run, inner, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    content = (run / "results" / "table.csv").read_bytes()
    if inner == "results":
        for path in (run / "results").iterdir():
            path.unlink()
        (run / "results").rmdir()
        (outside / "table.csv").write_bytes(content)
        (run / "results").symlink_to(outside)
        assert outcome(run / "figures" / "fig.png")[0] == DIFFERS
    else:
        (run / "results" / "table.csv").unlink()
        (outside / "results").mkdir()
        (outside / "results" / "table.csv").write_bytes(content)
        (run / inner).symlink_to(outside)
        assert outcome(run / "figures" / "fig.png")[0] == MISSING


def test_links_within_the_run_are_followed(run):
    table = run / "results" / "table.csv"
    table.rename(run / "results" / "stored")
    table.symlink_to("stored")
    assert outcome(run / "figures" / "fig.png")[0] == 0


def nested(text, depth):
    return text * depth


@pytest.mark.parametrize(
    "content",
    [
        lambda: b" " * 10**8,
        lambda: b"[" * 100_000 + b"]" * 100_000,
        lambda: b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        lambda: b'{"config":' + b"[" * 400 + b"]" * 400 + b"}",
        lambda: json.dumps({**RECORD, "outputs": {}, "inputs": {}, "config": deep(900)}).encode(),
        lambda: json.dumps({**RECORD, "outputs": {}, "inputs": {}, "config": deep(200)}).encode(),
        lambda: json.dumps({**RECORD, "inputs": {}, "outputs": dict.fromkeys(many(), "0")}).encode(),
        lambda: json.dumps({**RECORD, "outputs": {}, "inputs": dict.fromkeys(many(), "0")}).encode(),
        lambda: b'{"a": ' + b"9" * 100_000 + b"}",
        lambda: b"\xff\xfe\x00",
        lambda: b"",
    ],
    ids=[
        "100 MB",
        "lists",
        "mappings",
        "config",
        "900",
        "200",
        "outputs",
        "inputs",
        "number",
        "bytes",
        "",
    ],
)
def test_sidecars_larger_and_deeper_than_any(run, content):
    for file in ("figures/fig.json", "results/table.json"):
        whole = (run / file).read_bytes()
        (run / file).write_bytes(content())
        for named in ("figures/fig.png", "figures/fig.json"):
            code, said = outcome(run / named)
            assert code == DIFFERS
            assert len(said) < 10_000
        assert run / file in wanted_files([run])
        (run / file).write_bytes(whole)


def deep(levels):
    inside = {}
    for _ in range(levels):
        inside = {"a": inside}
    return inside


def many():
    return (f"f{number}" for number in range(20_000))


@pytest.mark.parametrize("links", [60, 10_000])
def test_a_long_chain_ends(run, links):
    """Each table made from the next one."""
    place = run / "results" / "chain"
    place.mkdir()
    digest = sha256(run / "results" / "table.csv")
    for number in range(links):
        (place / f"{number}.csv").write_text("table.csv")
        inputs = {f"results/chain/{number + 1}.csv": digest} if number < links - 1 else {}
        write(
            place / f"{number}.json",
            {f"{number}.csv": digest},
            inputs,
            place=f"results/chain/{number}.json",
        )
    code, said = outcome(place / "0.csv")
    assert code == DIFFERS
    assert verification.TOO_LONG in said


@pytest.mark.parametrize("links", [1, 2, 30])
def test_a_circle_of_sidecars_ends(run, links):
    """Their hashes need not be right: the next one is looked at all the same."""
    for number in range(links):
        (run / "results" / f"{number}.csv").write_text("x")
        following = {f"results/{(number + 1) % links}.csv": "0" * 64}
        write(run / "results" / f"{number}.json", {f"{number}.csv": "0" * 64}, following)
    assert outcome(run / "results" / "0.csv")[0] == DIFFERS


def test_many_sidecars_that_each_rest_on_all(run):
    place = run / "results"
    names = [f"{number}" for number in range(150)]
    inputs = {f"results/{name}.csv": "0" * 64 for name in names}
    for name in names:
        (place / f"{name}.csv").write_text("x")
        write(place / f"{name}.json", {f"{name}.csv": "0" * 64}, inputs)
    assert outcome(place / "0.csv")[0] == DIFFERS


@pytest.mark.parametrize("name", ["a[1].csv", "a?.csv", "[a-z]*.csv", "*", "a[!b].csv", "[[].csv"])
def test_a_name_is_looked_for_as_it_stands(run, name):
    """Sidecars of old list names of files that lie a directory deeper; no letter is a wildcard."""
    folder = run / "results" / "deeper"
    folder.mkdir()
    (folder / "ab.csv").write_text("x")
    (folder / "a1.csv").write_text("x")
    listed = {name: sha256(folder / "ab.csv")}
    write(run / "results" / "table.json", listed, {})
    assert outcome(run / "results" / "table.json")[0] == MISSING
    (folder / name).write_text("x")
    assert outcome(run / "results" / "table.json")[0] == 0


def test_directories_one_in_the_other(run):
    here = os.getcwd()
    os.chdir(run / "results")
    try:
        for _ in range(300):
            os.mkdir("d")
            os.chdir("d")
    finally:
        os.chdir(here)
    (run / "results" / "table.csv").unlink()
    code, said = outcome(run / "figures" / "fig.png")
    assert code == 1
    assert "one in the other" in said
    with pytest.raises(DynparamError, match="one in the other"):
        wanted_files([run])


@pytest.mark.parametrize(
    ("module", "name", "limit", "told"),
    [
        (reading, "MAX_FILES", 3, "3 files"),
        (reading, "MAX_BYTES", 300, "0 GiB"),
        (reading, "MAX_SECONDS", -1.0, "-1 seconds"),
        (sidecars, "MAX_SIDECARS_BYTES", 300, "0 MiB of sidecars"),
    ],
)
def test_there_is_an_end_to_what_is_read(run, monkeypatch, module, name, limit, told):
    monkeypatch.setattr(module, name, limit)
    with pytest.raises(SpentError, match=f"takes more than {told}; verify parts"):
        Verifier(Nothing()).check(run / "figures" / "fig.png")


def test_a_fifo_that_takes_the_place_of_a_file_meanwhile_does_not_hold_up(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(OSError, match="not a regular file"):
        reading.sha256(tmp_path / "fifo")


def test_hidden_files_and_linked_directories_are_not_listed(tmp_path):
    for name in ("a/x", ".b/x", "a/.x", "c"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "d").symlink_to(tmp_path)
    assert entries_below(tmp_path) == [tmp_path / "a" / "x", tmp_path / "c", tmp_path / "d"]
    assert entries_below(tmp_path / "absent") == []
    assert refusal(tmp_path / "absent" / "x", tmp_path) is None


def png(width, height, *, second=None, content=b""):
    """A PNG that claims a size, perhaps in a second header another one."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    def header(width, height):
        return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0))

    again = header(*second) if second else b""
    data = chunk(b"IDAT", zlib.compress(content))
    return b"\x89PNG\r\n\x1a\n" + header(width, height) + again + data + chunk(b"IEND", b"")


class TestPictures:
    WHOLE = png(2, 2, content=(b"\0" + b"\1\2\3\4" * 2) * 2)

    @pytest.mark.parametrize(
        ("content", "note"),
        [
            (png(10**5, 10**5), "it claims 100000 x 100000 pixels; not decoded"),
            (png(2**31 - 1, 2**31 - 1), "it claims 2147483647 x 2147483647 pixels; not decoded"),
            (png(10**9, 1), "it claims 1000000000 x 1 pixels; not decoded"),
            (png(9000, 9000), "it claims 9000 x 9000 pixels; not decoded"),
            (png(0, 0), "the pictures have other sizes"),
            (png(2, 2, second=(10**5, 10**5)), "it is not a readable picture"),
            (png(2, 2, second=(10**4, 10**4)), "it is not a readable picture"),
            (png(2, 2), "it is not a readable picture"),
            (b"", "it is not a readable picture"),
            (b"BM" + bytes(100), "it is not a readable picture"),
            (WHOLE[:20], "it is not a readable picture"),
            (WHOLE[:-30], "it is not a readable picture"),
            (png(3, 2), "the pictures have other sizes"),
            (png(2, 2, content=(b"\0" + b"\1\2\3\5" * 2) * 2), "4 pixels of what its inputs give"),
            (png(2, 2, content=(b"\0" + b"\7\7\7\7" * 2) * 2), "4 pixels of what its inputs give"),
            (
                png(2, 2, content=b"\0" + b"\1\2\3\4\7\7\7\4" + b"\0" + b"\1\2\3\4" * 2),
                "1 pixels of what its inputs give",
            ),
        ],
    )
    def test_a_picture_is_decoded_only_if_it_can_be_the_same(self, tmp_path, content, note, recwarn):
        (tmp_path / "old.png").write_bytes(content)
        (tmp_path / "new.png").write_bytes(self.WHOLE)
        assert pictures.same_pixels(tmp_path / "old.png", tmp_path / "new.png") == (False, note)
        assert not recwarn.list

    def test_equal_pixels_in_other_bytes(self, tmp_path):
        (tmp_path / "old.png").write_bytes(self.WHOLE + b"more")
        (tmp_path / "new.png").write_bytes(self.WHOLE)
        same = pictures.same_pixels(tmp_path / "old.png", tmp_path / "new.png")
        assert same == (True, "every pixel, not every byte")

    @pytest.mark.parametrize(
        ("limit", "size", "note"),
        [
            ("MAX_PIXELS", 4, "every pixel, not every byte"),
            ("MAX_PIXELS", 3, "it claims 2 x 2 pixels; not decoded"),
            ("MAX_PICTURE_BYTES", len(WHOLE) + 4, "every pixel, not every byte"),
            ("MAX_PICTURE_BYTES", len(WHOLE) + 3, "larger than 0 MiB; not read"),
        ],
    )
    def test_a_picture_of_just_the_limit_is_compared(self, tmp_path, monkeypatch, limit, size, note):
        (tmp_path / "old.png").write_bytes(self.WHOLE + b"more")
        (tmp_path / "new.png").write_bytes(self.WHOLE)
        monkeypatch.setattr(pictures, limit, size)
        same = pictures.same_pixels(tmp_path / "old.png", tmp_path / "new.png")
        assert same == (note.startswith("every"), note)


def test_homes_and_the_like_are_no_run(tmp_path, monkeypatch):
    """Though they may hold a checkout or results."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "results").mkdir()
    sidecar = tmp_path / "received" / "fig.json"
    assert verification._likely_root(sidecar) == sidecar.parent
    monkeypatch.setenv("HOME", "/elsewhere/home")
    assert verification._likely_root(sidecar) == tmp_path
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert verification._likely_root(sidecar) == sidecar.parent
    assert Path("/") != verification._likely_root(Path("/absent/x.json"))
