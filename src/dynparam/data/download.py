"""Fetch one large file over HTTP, resuming where an earlier attempt or run was cut off.

pooch, the usual choice, truncates its output file at every attempt. The official host of CIFAR-10
has been seen to take an hour for the archive, so a broken connection must not cost what has
arrived: this module uses ``requests``, as pooch does, with the headers ``Range`` and ``If-Range``.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import urlsplit

from dynparam.support.errors import DataError
from dynparam.support.files import naming_write_errors

if TYPE_CHECKING:
    from requests import RequestException, Response

FIRST_PAUSE_SECONDS = 1.0

LONGEST_PAUSE_SECONDS = 30.0

CHUNK_BYTES = 1 << 16


logger = logging.getLogger(__name__)


def fetch(url: str, part: Path, *, timeout: float, attempts: int, limit: int) -> None:
    """Complete the file ``part`` with the bytes at ``url``; what ``part`` already holds is kept.

    ``timeout`` is the longest silence of the server in seconds, ``limit`` the largest acceptable
    size in bytes. Attempts are spaced by doubling pauses; a refusal that will not pass (404, say)
    ends them at once. Raises ``DataError``, leaving ``part`` for a later run to resume, and
    ``DynparamError`` if ``part`` cannot be written.
    """
    import requests

    for attempt in range(1, attempts + 1):
        try:
            _resume(url, part, timeout, limit)
            return
        except requests.RequestException as error:
            reason = _reason(error)
            if attempt == attempts or _is_permanent(error):
                raise DataError(
                    f"{url}: {reason} (attempt {attempt} of {attempts}); "
                    "check the address and the network, or use another mirror"
                ) from None
        pause = min(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1), LONGEST_PAUSE_SECONDS)
        logger.warning("%s: %s; trying again in %g s", url, reason, pause)
        time.sleep(pause)


def discard(part: Path) -> None:
    """Remove ``part`` and what is remembered of its origin."""
    part.unlink(missing_ok=True)
    _validator_path(part).unlink(missing_ok=True)


def _resume(url: str, part: Path, timeout: float, limit: int) -> None:
    """One attempt. Raises ``requests.RequestException`` if it fails and another may be made."""
    import requests

    have = part.stat().st_size if part.exists() else 0
    with requests.get(url, headers=_headers(part, have), stream=True, timeout=timeout) as response:
        if response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and have:
            if _total(response) == have:
                return  # an earlier run fetched everything and was stopped before using it
            _start_over(part)
        response.raise_for_status()
        resumed = response.status_code == HTTPStatus.PARTIAL_CONTENT
        if resumed and not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            _start_over(part)
        _receive(response, part, have if resumed else 0, limit)


def _receive(response: Response, part: Path, have: int, limit: int) -> None:
    """Write the body of ``response`` behind the first ``have`` bytes of ``part``."""
    with naming_write_errors(part):
        file = part.open("ab" if have else "wb")
        _validator_path(part).write_text(_validator(response), encoding="latin-1")
    with file, _progress(response, have) as advance:
        for chunk in response.iter_content(CHUNK_BYTES):
            have += len(chunk)
            if have > limit:
                discard(part)
                raise DataError(
                    f"{response.url}: more than {limit} bytes, so not the expected file; "
                    "use another mirror"
                )
            # Flushed at once: a full disk must show here, and a kill must not cost the chunk.
            with naming_write_errors(part):
                file.write(chunk)
                file.flush()
            advance(len(chunk))


def _progress(response: Response, have: int) -> AbstractContextManager[Callable[[float], None]]:
    """Progress of the bytes still to come; silent if the server does not say how many."""
    from dynparam.support.progress import progress

    total = _total(response)
    if total is None:
        return nullcontext(lambda amount: None)
    return progress(f"{urlsplit(response.url).hostname}, {total / 1e6:.0f} MB", total - have)


def _headers(part: Path, have: int) -> dict[str, str]:
    """Ask for the missing bytes if the file is still the same, for the whole file otherwise."""
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
        remembered = _validator_path(part)
        if remembered.exists() and (validator := remembered.read_text(encoding="latin-1")):
            headers["If-Range"] = validator
    return headers


def _validator(response: Response) -> str:
    """What identifies this version of the file; weak ETags are not allowed in ``If-Range``."""
    etag = response.headers.get("ETag", "")
    return etag if etag.startswith('"') else response.headers.get("Last-Modified", "")


def _validator_path(part: Path) -> Path:
    return part.with_name(f"{part.name}.validator")


def _total(response: Response) -> int | None:
    """The size of the whole file, from ``bytes 5-9/10``, ``bytes */10`` or ``Content-Length``."""
    headers = response.headers
    text = headers.get("Content-Range", "").rpartition("/")[2] or headers.get("Content-Length", "")
    return int(text) if text.isdecimal() else None


def _start_over(part: Path) -> NoReturn:
    import requests

    discard(part)
    raise requests.RequestException("the part kept from before no longer fits the server's file")


def _is_permanent(error: RequestException) -> bool:
    """Whether waiting is pointless: a malformed address, or a refusal other than "busy"."""
    if error.response is None:
        return isinstance(error, ValueError)
    passing = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)
    return error.response.status_code < 500 and error.response.status_code not in passing


def _reason(error: RequestException) -> str:
    """A short reason in place of the nested representation that ``requests`` gives."""
    from requests import ConnectionError, Timeout
    from requests.exceptions import ChunkedEncodingError

    if error.response is not None:
        return f"the server answered {error.response.status_code} {error.response.reason}"
    if isinstance(error, (ConnectionError, Timeout, ChunkedEncodingError)):
        return "the connection could not be made, broke or fell silent"
    return str(error)
