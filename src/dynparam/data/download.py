"""Fetch one large file over HTTP, resuming where an earlier attempt or run was cut off.

pooch, the usual choice, truncates its output file at every attempt. The official host of CIFAR-10
has been seen to take an hour for the archive, so a broken connection must not cost what has
arrived: this module uses ``requests``, as pooch does, with the headers ``Range`` and ``If-Range``.

Nothing that a server sends is trusted: whatever is wrong with an answer is a ``DataError``, after which
the next mirror is tried, and no answer, however slow, goes on for ever.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, closing, nullcontext
from http import HTTPStatus
from http.client import HTTPException, IncompleteRead, RemoteDisconnected
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from dynparam.support.errors import DataError
from dynparam.support.files import naming_write_errors

if TYPE_CHECKING:
    from requests import Response

FIRST_PAUSE_SECONDS = 1.0

LONGEST_PAUSE_SECONDS = 30.0

CHUNK_BYTES = 1 << 16

LOWEST_RATE = 10_000
"""Bytes a second below which a connection counts as broken: a fifth of what the official host gave when
it took an hour for the archive, and a tenth of a slow line."""

RATE_WINDOW_SECONDS = 60.0
"""The time over which the rate is taken: a line may falter for a while."""

LONGEST_SECONDS = 6 * 3600.0
"""The longest that all attempts at one address may take: five hours are needed at the lowest rate."""

OPENING_TIMEOUTS = 4
"""Timeouts until the headers of an answer are there: a name may have several addresses, and an address
may lead to others."""

MOST_REDIRECTS = 10

LONGEST_VALIDATOR = 200
"""Characters of an ETag or date that are sent back; longer ones are not remembered."""

NOT_HTTP = "the server's answer is no valid HTTP"

BROKEN = "the connection could not be made, broke or fell silent"


logger = logging.getLogger(__name__)


class _FailedError(Exception):
    """An attempt that failed, with its reason; ``final`` if another one would fail as well."""

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.final = final


def fetch(url: str, part: Path, *, timeout: float, attempts: int, limit: int) -> None:
    """Complete the file ``part`` with the bytes at ``url``; what ``part`` already holds is kept.

    ``timeout`` is the longest silence of the server in seconds, ``limit`` the largest acceptable
    size in bytes. Attempts are spaced by doubling pauses; a refusal that will not pass (404, say)
    ends them at once. Raises ``DataError``, leaving ``part`` for a later run to resume, and
    ``DynparamError`` if ``part`` cannot be written.
    """
    end = time.monotonic() + LONGEST_SECONDS
    for attempt in range(1, attempts + 1):
        try:
            _resume(url, part, timeout, limit, end)
            return
        except _FailedError as error:
            if error.final or attempt == attempts or time.monotonic() > end:
                raise DataError(
                    f"{url}: {error} (attempt {attempt} of {attempts}); "
                    "check the address and the network, or use another mirror"
                ) from None
            pause = min(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1), LONGEST_PAUSE_SECONDS)
            logger.warning("%s: %s; trying again in %g s", url, error, pause)
        time.sleep(pause)


def discard(part: Path) -> None:
    """Remove ``part`` and what is remembered of its origin."""
    part.unlink(missing_ok=True)
    _validator_path(part).unlink(missing_ok=True)


def _resume(url: str, part: Path, timeout: float, limit: int, end: float) -> None:
    """One attempt. Raises ``_FailedError``."""
    have = part.stat().st_size if part.exists() else 0
    response = _opened(url, _headers(part, have), timeout)
    with closing(response):
        if response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and have:
            if _total(response) == have:
                return  # an earlier run fetched everything and was stopped before using it
            discard(part)
            raise _FailedError("the part kept from before no longer fits the server's file")
        resumed = response.status_code == HTTPStatus.PARTIAL_CONTENT
        if not resumed and response.status_code != HTTPStatus.OK:
            raise _refused(response.status_code)
        if resumed and not _continues(response, part, have):
            discard(part)
            raise _FailedError("the part kept from before no longer fits the server's file")
        _receive(response, part, have if resumed else 0, limit, end)


def _opened(url: str, headers: dict[str, str], timeout: float) -> Response:
    """The answer to a request, its body unread.

    In a thread of its own: the timeouts of ``requests`` are those of single pieces, so a server that
    sends its headers letter by letter, or one preliminary answer after the other, would be waited for
    without end. The thread of such a server is left behind, and its answer closed if it ever comes.
    """
    answers: list[Response | Exception] = []
    given_up = threading.Event()

    def open_it() -> None:
        """Put the answer, or what went wrong, into ``answers``."""
        try:
            answers.append(_followed(url, headers, timeout))
        except Exception as error:  # whatever the libraries raise, the server's answer caused it
            answers.append(error)
        if given_up.is_set() and not isinstance(answers[0], Exception):
            answers[0].close()

    thread = threading.Thread(target=open_it, daemon=True)
    thread.start()
    thread.join(OPENING_TIMEOUTS * timeout)
    if not answers:
        given_up.set()
        raise _FailedError(BROKEN)
    if isinstance(answers[0], Exception):
        raise _failure(answers[0]) from None
    return answers[0]


def _followed(url: str, headers: dict[str, str], timeout: float) -> Response:
    """The answer at the end of all redirects, whose bodies, unlike in ``requests``, are never read."""
    import requests

    with requests.Session() as session:
        for _ in range(MOST_REDIRECTS + 1):
            if urlsplit(url).scheme not in ("http", "https"):
                raise _FailedError("the address is none of http or https", final=True)
            request = session.prepare_request(requests.Request("GET", url, headers=headers))
            options = session.merge_environment_settings(request.url, {}, True, None, None)
            adapter = session.get_adapter(url)
            # Not by ``session.get``, which reads the body of a redirect even if told not to follow it.
            response = adapter.send(request, timeout=timeout, **options)  # type: ignore[arg-type]
            if not response.is_redirect:
                return response
            with closing(response):
                target = session.get_redirect_target(response) or ""
                url = urljoin(url, requests.utils.requote_uri(target))
            if urlsplit(url).scheme not in ("http", "https"):
                raise _FailedError("the server redirects to what is no address on the web", final=True)
    raise _FailedError(f"the server redirects more than {MOST_REDIRECTS} times", final=True)


def _receive(response: Response, part: Path, have: int, limit: int, end: float) -> None:
    """Write the body of ``response`` behind the first ``have`` bytes of ``part``."""
    total = _total(response)
    if total is not None and total > limit:
        raise _too_large(response, part, limit)
    with naming_write_errors(part):
        file = part.open("ab" if have else "wb")
        _validator_path(part).write_text(_validator(response), encoding="latin-1")
    pace = _Pace(time.monotonic(), end)
    with file, _progress(response, have) as advance:
        while chunk := _next_chunk(response):
            have += len(chunk)
            if have > limit:
                raise _too_large(response, part, limit)
            # Flushed at once: a full disk must show here, and a kill must not cost the chunk.
            with naming_write_errors(part):
                file.write(chunk)
                file.flush()
            advance(len(chunk))
            pace.advance(len(chunk), time.monotonic())
    if total is not None and have < total:
        raise _FailedError(BROKEN)


class _Pace:
    """Whether bytes arrive fast enough, window by window, and before the end of all attempts."""

    def __init__(self, now: float, end: float) -> None:
        self._start, self._received, self._end = now, 0, end

    def advance(self, amount: int, now: float) -> None:
        """Count ``amount`` bytes that are there ``now`` (s). Raises ``_FailedError``."""
        self._received += amount
        if now > self._end:
            raise _FailedError(f"not complete after {LONGEST_SECONDS / 3600:g} hours", final=True)
        passed = now - self._start
        if passed < RATE_WINDOW_SECONDS:
            return
        if self._received < LOWEST_RATE * passed:
            raise _FailedError(f"the server sends less than {LOWEST_RATE / 1000:g} kB a second")
        self._start, self._received = now, 0


def _next_chunk(response: Response) -> bytes:
    """What has arrived, at most ``CHUNK_BYTES``, waiting for one byte only; empty at the end.

    As it was sent: ``Range`` counts those bytes, and some servers call the compression of an archive
    that of its transfer.
    """
    # One byte can be long in coming too: the length of a piece may be sent letter by letter.
    watch = threading.Timer(RATE_WINDOW_SECONDS, response.raw.shutdown)
    watch.daemon = True
    watch.start()
    try:
        chunk: bytes = response.raw.read1(CHUNK_BYTES, decode_content=False)
    except Exception as error:  # whatever the libraries raise, the server's answer caused it
        raise _failure(error) from None
    finally:
        watch.cancel()
    return chunk


def _progress(response: Response, have: int) -> AbstractContextManager[Callable[[float], None]]:
    """Progress of the bytes still to come; silent if the server does not say how many."""
    from dynparam.support.progress import progress

    total = _total(response)
    if total is None or total < have:
        return nullcontext(lambda amount: None)
    return progress(f"{urlsplit(response.url).hostname}, {total / 1e6:.0f} MB", total - have)


def _headers(part: Path, have: int) -> dict[str, str]:
    """Ask for the missing bytes if the file is still the same, for the whole file otherwise."""
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
        if validator := _remembered(part):
            headers["If-Range"] = validator
    return headers


def _continues(response: Response, part: Path, have: int) -> bool:
    """Whether a partial answer goes on where ``part`` ends, in the same version of the file."""
    if not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
        return False
    # A server that overlooks If-Range still tells which version it sends.
    before, now = _remembered(part), _validator(response)
    return not (have and before.startswith('"') and now.startswith('"') and before != now)


def _remembered(part: Path) -> str:
    path = _validator_path(part)
    return path.read_text(encoding="latin-1") if path.exists() else ""


def _validator(response: Response) -> str:
    """What identifies this version of the file; weak ETags are not allowed in ``If-Range``.

    Empty for what could not be sent back as a header.
    """
    etag = response.headers.get("ETag", "")
    found = etag if etag.startswith('"') else response.headers.get("Last-Modified", "")
    return found if found.isascii() and found.isprintable() and len(found) <= LONGEST_VALIDATOR else ""


def _validator_path(part: Path) -> Path:
    return part.with_name(f"{part.name}.validator")


def _total(response: Response) -> int | None:
    """The size of the whole file, from ``bytes 5-9/10``, ``bytes */10`` or ``Content-Length``."""
    headers = response.headers
    text = headers.get("Content-Range", "").rpartition("/")[2] or headers.get("Content-Length", "")
    return int(text) if re.fullmatch("[0-9]{1,15}", text) else None


def _too_large(response: Response, part: Path, limit: int) -> DataError:
    discard(part)
    return DataError(
        f"{response.url}: more than {limit} bytes, so not the expected file; use another mirror"
    )


def _refused(code: int) -> _FailedError:
    """The reason of a status; waiting is pointless after a refusal other than "busy"."""
    known = {status.value: f" {status.phrase}" for status in HTTPStatus}
    passing = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)
    final = code < 500 and code not in passing
    return _FailedError(f"the server answered {code}{known.get(code, '')}", final=final)


def _failure(error: Exception) -> _FailedError:
    """A short reason in place of what a library says, in which a server's own words may stand."""
    from requests.exceptions import ConnectionError, SSLError, Timeout
    from urllib3.exceptions import ProtocolError, TimeoutError

    if isinstance(error, _FailedError):
        return error
    if isinstance(error, SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        return _FailedError("the certificate of the server cannot be trusted", final=True)
    if _is_gibberish(error):
        return _FailedError(NOT_HTTP)
    if isinstance(error, (ConnectionError, Timeout, ProtocolError, TimeoutError)):
        return _FailedError(BROKEN)
    return _FailedError(f"the address is malformed, or {NOT_HTTP}", final=True)


def _is_gibberish(error: BaseException | None) -> bool:
    """Whether the standard library could not read what the server sent, whoever wrapped its error."""
    while error is not None:
        if isinstance(error, HTTPException) and not isinstance(
            error, (IncompleteRead, RemoteDisconnected)
        ):
            return True
        error = error.__context__
    return False
