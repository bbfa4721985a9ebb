"""Downloads against a real server that breaks off, ignores, refuses, falls silent or changes."""

import gzip
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from requests.exceptions import SSLError

from dynparam.data import download
from dynparam.support.errors import DataError, DynparamError
from tests import http_server
from tests.http_server import Answer, ranged, raw, redirect, reset, silent, status, trickle, whole

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
    monkeypatch.setattr(download, "time", SimpleNamespace(sleep=pauses.append, monotonic=time.monotonic))
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


def test_progress_of_a_resumed_download_is_that_of_the_bytes_to_come(
    server: http_server.Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "part").write_bytes(CONTENT[:CUT])
    assert _fetch(server.url("/file", ranged(CONTENT)), tmp_path / "part") == CONTENT
    assert server.ranges() == [f"bytes={CUT}-"]
    assert "127.0.0.1, 1 MB: 100 % done, 0 s left" in capsys.readouterr().err


# --- Whatever a mirror does, the next one is tried ----------------------------------------------

OK = b"HTTP/1.1 200 OK\r\n"
PARTIAL = b"HTTP/1.1 206 Partial Content\r\n"
HUGE = b"9" * 5000
HELD = 1000
"""Bytes that an earlier run left of the file, in ``part``."""

ANSWERS: dict[str, Answer] = {
    **{
        f"redirect to {target[:30]!r}": redirect(target)
        for target in (
            b"",
            b"//",
            b"http://",
            b"http://[::1",
            b"http://127.0.0.1:99999/",
            b"http://127.0.0.1:x/",
            b"http://a b/",
            b"http://\xff\xfe/",
            b"\xff\xfe",
            b"http://" + b"a" * 70 + b".invalid/",
            b"http://.invalid/",
            b"http://user:[@]/",
            b"file:///etc/passwd",
            b"ftp://127.0.0.1/file",
            b"javascript:alert(1)",
            b"data:,x",
            b"/loop",
            b"x" * 70_000,
        )
    },
    "redirect without an address": raw(b"HTTP/1.1 302 Found\r\n\r\n"),
    "redirect with an endless body": trickle(
        b"HTTP/1.1 302 Found\r\nLocation: /gone\r\n\r\n", b"x" * 9999, 0.01
    ),
    "length that is text": raw(OK + b"Content-Length: many\r\n\r\nshort"),
    "length below zero": raw(OK + b"Content-Length: -5\r\n\r\nshort"),
    "length of 5000 digits": raw(OK + b"Content-Length: " + HUGE + b"\r\n\r\nshort"),
    "length of 400 digits": raw(OK + b"Content-Length: " + HUGE[:400] + b"\r\n\r\nshort"),
    "length beyond the limit": raw(OK + b"Content-Length: 99999999999\r\n\r\nshort"),
    "two lengths": raw(OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nshort"),
    "length in another script": raw(OK + "Content-Length: \u00b2\r\n\r\nshort".encode("latin-1")),
    "length never reached": raw(OK + b"Content-Length: 5000\r\n\r\nshort"),
    **{
        f"range {span[:20]!r}": raw(PARTIAL + b"Content-Range: " + span + b"\r\n\r\nshort")
        for span in (
            b"",
            b"nonsense",
            b"bytes 5-9/10",
            b"bytes 1000-/x",
            b"bytes 1000-1004/" + HUGE,
            b"bytes 1000-1004/1001",
            b"bytes 1000-1004/9999",
        )
    },
    "range without being told": raw(PARTIAL + b"\r\nshort"),
    "unsatisfiable range of 5000 digits": raw(
        b"HTTP/1.1 416 No\r\nContent-Range: bytes */" + HUGE + b"\r\n\r\n"
    ),
    "pieces of no length": raw(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nshort\r\n"),
    "pieces of negative length": raw(OK + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nshort\r\n"),
    "pieces cut off": raw(OK + b"Transfer-Encoding: chunked\r\n\r\nff\r\nshort"),
    "pieces of a huge length": raw(
        OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 5000 + b"\r\nshort"
    ),
    "cut compression": raw(OK + b"Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08\0\0"),
    "no compression": raw(OK + b"Content-Encoding: gzip\r\n\r\nshort"),
    "many headers": raw(OK + b"".join(b"X-%d: 1\r\n" % i for i in range(5000)) + b"\r\nshort"),
    "long header": raw(OK + b"X: " + b"x" * 200_000 + b"\r\n\r\nshort"),
    "header without a name": raw(OK + b": x\r\n\x00\xff\r\n\r\nshort"),
    "no status": raw(b"HTTP/1.1\r\n\r\n"),
    "status that is text": raw(b"HTTP/1.1 fine OK\r\n\r\nshort"),
    "status of five digits": raw(b"HTTP/1.1 20000 OK\r\n\r\nshort"),
    "status below 100": raw(b"HTTP/1.1 099 OK\r\n\r\nshort"),
    "unknown version": raw(b"HTTP/9.9 200 OK\r\n\r\nshort"),
    "no content": raw(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "choices": raw(b"HTTP/1.1 300 Multiple Choices\r\n\r\nshort"),
    "refusal in many words": raw(b"HTTP/1.1 404 \x1b[31m" + b"no " * 5000 + b"\r\n\r\n"),
    "another protocol": raw(b"220 ftp.example.org ready\r\n"),
    "noise": raw(bytes(range(256)) * 500),
    "nothing": raw(),
    "reset before the headers": reset(b""),
    "reset amid the headers": reset(OK + b"Content-Le"),
    "reset amid the body": reset(OK + b"Content-Length: 500000\r\n\r\n" + bytes(5000)),
    "silence": silent(3.0),
    "silence after the headers": lambda handler: (
        raw(OK + b"Content-Length: 5\r\n\r\n")(handler),
        silent(3.0)(handler),
    )[1],
    "headers letter by letter": trickle(OK + b"X: "),
    "status letter by letter": trickle(b"HTTP/1.1 200 "),
    "preliminary answers without end": trickle(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "body letter by letter": trickle(OK + b"Content-Length: 500000\r\n\r\n"),
    "length of a piece letter by letter": trickle(OK + b"Transfer-Encoding: chunked\r\n\r\n5;"),
    "pieces of one letter": trickle(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "body without end": trickle(OK + b"\r\n", bytes(1 << 16), 0.0001, 0.1),
    "tag that cannot be sent back": raw(
        OK + b'ETag: "a\r\n b"\r\nContent-Length: 50\r\n\r\nshort', pause=0.05
    ),
    "date that cannot be sent back": raw(
        OK + b"Last-Modified: \xff\r\nContent-Length: 50\r\n\r\nshort", pause=0.05
    ),
}


@pytest.mark.parametrize("held", [0, HELD])
@pytest.mark.parametrize("kind", ANSWERS)
def test_no_answer_is_a_traceback_or_without_end(
    server: http_server.Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, held: int
) -> None:
    """In the end is a sentence, or bytes that the hashes refuse; with or without a part from before."""
    monkeypatch.setattr(download, "RATE_WINDOW_SECONDS", 0.4)
    server.url("/loop", redirect(b"/loop"))
    server.url("/gone", status(404))
    if held:
        (tmp_path / "part").write_bytes(bytes(held))
    url = server.url("/file", ANSWERS[kind])
    try:
        got = _fetch(url, tmp_path / "part", attempts=2, timeout=0.3)
    except DataError as error:
        message = str(error)
        assert message.startswith(url.removesuffix("/file"))
        assert message.isprintable()
        assert len(message) < 300
    else:
        assert len(got) < 2000


def test_the_same_redirects_that_fail_are_followed_when_they_are_good(
    server: http_server.Server, tmp_path: Path
) -> None:
    server.url("/good", ranged(CONTENT))
    server.url("/relative", redirect(b"good"))
    server.url("/permanent", redirect(b"//127.0.0.1:%d/relative" % server.server_port, 308))
    url = server.url("/file", redirect(b"http://127.0.0.1:%d/permanent" % server.server_port, 301))
    assert _fetch(url, tmp_path / "part") == CONTENT
    assert [path for path, _ in server.requested] == ["/file", "/permanent", "/relative", "/good"]


def test_another_version_is_not_joined_though_the_server_overlooks_if_range(
    server: http_server.Server, tmp_path: Path
) -> None:
    changed = CONTENT[::-1]

    def overlooking(handler: http_server.BaseHTTPRequestHandler) -> None:
        del handler.headers["If-Range"]
        ranged(changed, etag='"2"')(handler)

    url = server.url("/file", whole(CONTENT, sent=CUT), overlooking)
    assert _fetch(url, tmp_path / "part") == changed


def test_part_of_a_range_is_no_whole(server: http_server.Server, tmp_path: Path) -> None:
    """A server may send less than was asked for: what is missing is asked for again."""
    (tmp_path / "part").write_bytes(CONTENT[:HELD])
    piece = raw(
        PARTIAL + b"Content-Range: bytes 1000-1999/512000\r\nContent-Length: 1000\r\n\r\n",
        CONTENT[HELD : 2 * HELD],
    )
    assert _fetch(server.url("/file", piece, ranged(CONTENT)), tmp_path / "part") == CONTENT
    assert server.ranges() == ["bytes=1000-", "bytes=2000-"]


def test_compression_of_the_transfer_is_kept(server: http_server.Server, tmp_path: Path) -> None:
    """Some servers call the gzip of a tar.gz that of the transfer; undone, it would be no tar.gz."""
    archive = gzip.compress(CONTENT[:5000])
    answer = raw(OK + b"Content-Encoding: gzip\r\n\r\n" + archive)
    assert _fetch(server.url("/file", answer), tmp_path / "part") == archive


def test_encryption_that_is_none(server: http_server.Server, tmp_path: Path) -> None:
    url = server.url("/file", whole(CONTENT)).replace("http:", "https:")
    with pytest.raises(DataError, match="could not be made"):
        _fetch(url, tmp_path / "part")


def test_untrusted_certificate_is_final() -> None:
    failure = download._failure(SSLError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed"))
    assert failure.final
    assert str(failure) == "the certificate of the server cannot be trusted"


def _arrive(rate: float, piece: int) -> int:
    """The archive of 163 MiB in pieces, by a clock of its own; how many bytes were waited for."""
    pace = download._Pace(0.0, download.LONGEST_SECONDS)
    for count in range(1, (163 << 20) // piece):
        pace.advance(piece, count * piece / rate)
    return count * piece


@pytest.mark.parametrize("piece", [1400, 65536])
def test_a_slow_line_is_waited_for(piece: int) -> None:
    assert _arrive(100e3, piece) > (162 << 20)


def test_a_byte_every_half_second_is_not() -> None:
    with pytest.raises(download._FailedError, match="less than 10 kB a second"):
        _arrive(2, 1)


def test_what_came_quickly_does_not_make_up_for_a_stall() -> None:
    """A hundred megabytes in the first minute, and then two bytes a second: told within two minutes."""
    pace = download._Pace(0.0, 1e9)
    pace.advance(100 << 20, 61.0)
    for second in range(62, 121):
        pace.advance(2, float(second))
    with pytest.raises(download._FailedError, match="less than 10 kB a second"):
        pace.advance(2, 121.0)


def test_all_attempts_together_end() -> None:
    pace = download._Pace(0.0, 100.0)
    pace.advance(10**9, 99.0)
    with pytest.raises(download._FailedError, match="not complete after 6 hours") as failure:
        pace.advance(10**9, 101.0)
    assert failure.value.final
