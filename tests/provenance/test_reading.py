"""Files that may come from anyone: just as much as is allowed is read, and no more."""

import hashlib
import itertools

import pytest

from dynparam.provenance import reading
from dynparam.provenance.reading import Budget, SpentError, entries_below, sha256
from dynparam.support.errors import DataError
from dynparam.support.regular_files import RefusedError


@pytest.mark.parametrize(
    ("name", "limit", "whole", "more", "told"),
    [
        ("MAX_FILES", 3, [{"files": 2}, {"files": 1, "size": 9}], {"files": 1}, "3 files"),
        ("MAX_BYTES", 2**31, [{"size": 2**31 - 1}, {"size": 1, "files": 9}], {"size": 1}, "2 GiB"),
        ("MAX_SECONDS", 7.0, [{}, {"files": 9, "size": 9}], {}, "7 seconds"),
    ],
)
def test_a_budget_may_be_spent_to_the_last(monkeypatch, name, limit, whole, more, told):
    now = [100.0]
    monkeypatch.setattr(reading.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(reading, name, limit)
    budget = Budget()
    now[0] = 107.0
    for amounts in whole:
        budget.spend(**amounts)
    now[0] += 0.5 if name == "MAX_SECONDS" else 0.0
    with pytest.raises(SpentError, match=f"takes more than {told}; verify parts"):
        budget.spend(**more)


def test_a_file_of_just_the_limit_is_hashed(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"x" * 100)
    for block in (7, 50, 1000):
        monkeypatch.setattr(reading, "BLOCK", block)
        monkeypatch.setattr(reading, "MAX_FILE_BYTES", 100)
        assert sha256(path) == hashlib.sha256(b"x" * 100).hexdigest()
        monkeypatch.setattr(reading, "MAX_FILE_BYTES", 99)
        with pytest.raises(RefusedError, match="larger than 0 GiB; not read"):
            sha256(path)


def test_directories_are_looked_into_as_deep_as_allowed(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "MAX_DIRECTORIES", 2)
    places = list(itertools.accumulate(["b", "a"], lambda above, name: f"{above}/{name}"))
    for place in (*places, "c"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "file").touch()
    assert entries_below(tmp_path) == [tmp_path / place / "file" for place in ("b/a", "b", "c")]
    (tmp_path / "b" / "a" / "one more").mkdir()
    with pytest.raises(DataError, match="holds more than 2 directories one in the other"):
        entries_below(tmp_path)


def test_everything_that_is_met_is_counted(tmp_path, monkeypatch):
    """Hidden files and directories too: to pass over a million of them takes its time as well."""
    for name in (".hidden", "file"):
        (tmp_path / name).touch()
    (tmp_path / "directory").mkdir()
    monkeypatch.setattr(reading, "MAX_FILES", 3)
    assert entries_below(tmp_path, Budget()) == [tmp_path / "file"]
    monkeypatch.setattr(reading, "MAX_FILES", 2)
    with pytest.raises(SpentError):
        entries_below(tmp_path, Budget())
