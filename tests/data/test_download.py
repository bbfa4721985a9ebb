"""Downloads against a real server that breaks off, ignores, refuses, falls silent or changes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dynparam.data import download
from dynparam.support.errors import DataError, DynparamError
from tests import http_server
from tests.http_server import ranged, silent, status, whole

CONTENT = bytes(range(256)) * 2000
CUT = 200_000


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "FIRST_PAUSE_SECONDS", 0.0)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def server() -> Iterator[http_server.Server]:
    with http_server.running() as running:
        yield running


def _fetch(url: str, part: Path, attempts: int = 3, timeout: float = 5.0) -> bytes:
    download.fetch(url, part, timeout=timeout, attempts=attempts, limit=1 << 20)
    return part.read_bytes()


def test_cut_connection_is_resumed(server: http_server.Server, tmp_path: Path) -> None:
    url = server.url("/file", whole(CONTENT, sent=CUT), ranged(CONTENT))
    assert _fetch(url, tmp_path / "part") == CONTENT
    first, second = server.ranges()
    assert first is None
    assert second is not None
    assert 0 < int(second.removeprefix("bytes=").removesuffix("-")) <= CUT


def test_later_run_resumes_the_kept_part(server: http_server.Server, tmp_path: Path) -> None:
    url = server.url("/file", whole(CONTENT, sent=CUT), ranged(CONTENT))
    with pytest.raises(DataError, match="broke"):
        _fetch(url, tmp_path / "part", attempts=1)
    assert 0 < (tmp_path / "part").stat().st_size <= CUT
    assert _fetch(url, tmp_path / "part", attempts=1) == CONTENT


def test_server_that_ignores_range_starts_over(server: http_server.Server, tmp_path: Path) -> None:
    url = server.url("/file", whole(CONTENT, sent=CUT), whole(CONTENT))
    assert _fetch(url, tmp_path / "part") == CONTENT
    assert server.ranges()[1] is not None


def test_changed_file_is_not_joined_to_the_old_one(server: http_server.Server, tmp_path: Path) -> None:
    changed = CONTENT[::-1]
    url = server.url("/file", whole(CONTENT, sent=CUT), ranged(changed, etag='"2"'))
    assert _fetch(url, tmp_path / "part") == changed


def test_complete_part_needs_no_bytes(server: http_server.Server, tmp_path: Path) -> None:
    (tmp_path / "part").write_bytes(CONTENT)
    assert _fetch(server.url("/file", ranged(CONTENT)), tmp_path / "part") == CONTENT


def test_part_longer_than_the_file_is_dropped(server: http_server.Server, tmp_path: Path) -> None:
    (tmp_path / "part").write_bytes(CONTENT + b"more")
    assert _fetch(server.url("/file", ranged(CONTENT)), tmp_path / "part") == CONTENT
    assert len(server.ranges()) == 2


@pytest.mark.parametrize("code", [503, 429])
def test_busy_server_is_asked_again(server: http_server.Server, tmp_path: Path, code: int) -> None:
    url = server.url("/file", status(code), whole(CONTENT))
    assert _fetch(url, tmp_path / "part") == CONTENT


def test_refusal_is_final(server: http_server.Server, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="answered 404 Not Found"):
        _fetch(server.url("/file", status(404)), tmp_path / "part")
    assert len(server.ranges()) == 1


def test_silent_server_is_given_up(server: http_server.Server, tmp_path: Path) -> None:
    url = server.url("/file", silent(1.0))
    with pytest.raises(DataError, match=r"fell silent \(attempt 2 of 2\)"):
        _fetch(url, tmp_path / "part", attempts=2, timeout=0.1)


def test_unreachable_and_malformed_addresses(tmp_path: Path) -> None:
    with http_server.running() as server:
        url = server.url("/file")
    with pytest.raises(DataError, match="could not be made"):
        _fetch(url, tmp_path / "part")
    with pytest.raises(DataError, match="attempt 1 of 3"):
        _fetch("cifar-10", tmp_path / "part")


def test_endless_file_is_stopped(server: http_server.Server, tmp_path: Path) -> None:
    url = server.url("/file", whole(bytes(2 << 20)))
    with pytest.raises(DataError, match="more than 1048576 bytes"):
        _fetch(url, tmp_path / "part")
    assert list(tmp_path.iterdir()) == []


def test_unwritable_part_is_not_blamed_on_the_server(server: http_server.Server, tmp_path: Path) -> None:
    with pytest.raises(DynparamError, match="part: cannot be written") as error:
        _fetch(server.url("/file", whole(CONTENT)), tmp_path / "missing" / "part")
    assert not isinstance(error.value, DataError)


def test_progress_is_told_in_plain_lines_without_a_terminal(
    server: http_server.Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _fetch(server.url("/file", whole(CONTENT)), tmp_path / "part")
    assert "127.0.0.1, 1 MB: 100 % done" in capsys.readouterr().err
