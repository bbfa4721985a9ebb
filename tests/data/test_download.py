"""Downloads against a real server that breaks off, ignores, refuses, falls silent or changes."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

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


@pytest.mark.parametrize("shift", [-CUT // 2, 1, 1000])
def test_another_range_than_asked_for_is_not_joined(
    server: http_server.Server, tmp_path: Path, shift: int
) -> None:
    """The part is dropped, and the next attempt asks for everything."""
    url = server.url("/file", whole(CONTENT, sent=CUT), ranged(CONTENT, shift=shift), ranged(CONTENT))
    assert _fetch(url, tmp_path / "part") == CONTENT
    first, second, third = server.ranges()
    assert (first, third) == (None, None)
    assert second is not None


DATE = "Wed, 21 Oct 2015 07:28:00 GMT"


@pytest.mark.parametrize(
    ("etag", "modified", "validator"),
    [('"1"', DATE, '"1"'), ('W/"1"', DATE, DATE), ("", DATE, DATE), ('W/"1"', None, None)],
)
def test_only_what_identifies_the_bytes_is_sent_as_if_range(
    server: http_server.Server, tmp_path: Path, etag: str, modified: str | None, validator: str | None
) -> None:
    """A strong ETag, or else the date: a weak ETag is not allowed there (RFC 9110, 13.1.5)."""
    url = server.url("/file", whole(CONTENT, etag, CUT, modified), whole(CONTENT))
    assert _fetch(url, tmp_path / "part") == CONTENT
    assert server.validators == [None, validator]


def test_what_is_remembered_of_one_file_is_not_sent_for_the_next(
    server: http_server.Server, tmp_path: Path
) -> None:
    """A part that is dropped takes its validator with it."""
    url = server.url("/file", whole(CONTENT, sent=CUT))
    with pytest.raises(DataError):
        _fetch(url, tmp_path / "part", attempts=1)
    assert len(list(tmp_path.iterdir())) == 2
    download.discard(tmp_path / "part")
    assert list(tmp_path.iterdir()) == []
    download.discard(tmp_path / "part")


def test_complete_part_needs_no_bytes(server: http_server.Server, tmp_path: Path) -> None:
    (tmp_path / "part").write_bytes(CONTENT)
    assert _fetch(server.url("/file", ranged(CONTENT)), tmp_path / "part") == CONTENT


def test_part_longer_than_the_file_is_dropped(server: http_server.Server, tmp_path: Path) -> None:
    (tmp_path / "part").write_bytes(CONTENT + b"more")
    assert _fetch(server.url("/file", ranged(CONTENT)), tmp_path / "part") == CONTENT
    assert len(server.ranges()) == 2


def test_file_of_just_the_limit_is_accepted(server: http_server.Server, tmp_path: Path) -> None:
    """Also if it comes in two parts; a byte more is refused, with all that came before."""
    for cut in (None, CUT):
        url = server.url("/file", whole(CONTENT, sent=cut), ranged(CONTENT))
        download.fetch(url, tmp_path / "part", timeout=5, attempts=2, limit=len(CONTENT))
        assert (tmp_path / "part").read_bytes() == CONTENT
        download.discard(tmp_path / "part")
        url = server.url("/file", whole(CONTENT, sent=cut), ranged(CONTENT))
        with pytest.raises(DataError, match=f"more than {len(CONTENT) - 1} bytes"):
            download.fetch(url, tmp_path / "part", timeout=5, attempts=2, limit=len(CONTENT) - 1)
        assert list(tmp_path.iterdir()) == []


def test_pauses_double_up_to_half_a_minute(
    server: http_server.Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.undo()
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(download, "time", SimpleNamespace(sleep=pauses.append))
    with pytest.raises(DataError, match=r"503 .*\(attempt 9 of 9\)"):
        _fetch(server.url("/file", status(503)), tmp_path / "part", attempts=9)
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]
    assert len(server.ranges()) == 9


@pytest.mark.parametrize("code", [500, 503, 429, 408, 425])
def test_busy_server_is_asked_again(server: http_server.Server, tmp_path: Path, code: int) -> None:
    url = server.url("/file", status(code), whole(CONTENT))
    assert _fetch(url, tmp_path / "part") == CONTENT


@pytest.mark.parametrize(("code", "reason"), [(404, "Not Found"), (403, "Forbidden"), (410, "Gone")])
def test_refusal_is_final(server: http_server.Server, tmp_path: Path, code: int, reason: str) -> None:
    with pytest.raises(DataError, match=f"answered {code} {reason}"):
        _fetch(server.url("/file", status(code)), tmp_path / "part")
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
