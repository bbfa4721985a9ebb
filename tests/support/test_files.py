"""Files are whole or absent."""

import hashlib
from pathlib import Path

import pytest

from dynparam.support.errors import DynparamError
from dynparam.support.files import atomic_path, sha256, write_text


def test_parents_are_made_and_nothing_but_the_file_remains(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b" / "table.csv"
    write_text(target, "n,é\n")
    assert target.read_text(encoding="utf-8") == "n,é\n"
    assert list(target.parent.iterdir()) == [target]


def test_failure_keeps_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "old.txt"
    write_text(target, "old")

    def fail_halfway() -> None:
        with atomic_path(target) as partial:
            partial.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail_halfway()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_temporary_path_has_the_suffix_writers_look_at(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "figure.png") as partial:
        assert partial.suffix == ".png"
        assert partial.parent == tmp_path
        partial.write_bytes(b"")


def test_new_files_get_ordinary_permissions(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.touch()
    write_text(tmp_path / "atomic", "")
    assert (tmp_path / "atomic").stat().st_mode == plain.stat().st_mode


def test_write_error_names_the_path_and_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory")
    target = tmp_path / "file" / "table.csv"
    with pytest.raises(DynparamError, match=r"table\.csv: cannot be written .* choose a writable"):
        write_text(target, "text")


def test_an_error_without_a_number_is_told_in_its_own_words(tmp_path: Path) -> None:
    """Libraries raise ``OSError("...")``, which has no ``strerror``."""
    with (
        pytest.raises(DynparamError, match=r"table\.csv: cannot be written \(the sheet is full\)"),
        atomic_path(tmp_path / "table.csv"),
    ):
        raise OSError("the sheet is full")


def test_sha256(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc" * 100_000)
    assert sha256(tmp_path / "x") == hashlib.sha256(b"abc" * 100_000).hexdigest()
