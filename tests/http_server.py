"""A real HTTP server on this machine that misbehaves as told."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[[BaseHTTPRequestHandler], None]


class Server(ThreadingHTTPServer):
    """Gives the answers of a path one after the other, then its last one again and again."""

    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: dict[str, list[Answer]] = {}
        self.requested: list[tuple[str, str | None]] = []
        self.validators: list[str | None] = []

    def url(self, path: str, *answers: Answer) -> str:
        """The address of a path that answers like this."""
        self.answers[path] = list(answers)
        return f"http://127.0.0.1:{self.server_port}{path}"

    def ranges(self) -> list[str | None]:
        """The ``Range`` headers received so far; ``validators`` holds those of ``If-Range``."""
        return [wanted for _, wanted in self.requested]


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.requested.append((self.path, self.headers.get("Range")))
        self.server.validators.append(self.headers.get("If-Range"))
        answers = self.server.answers[self.path]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        answer(self)

    def finish(self) -> None:
        """As the library's, which writes once more to a connection that may be gone."""
        with suppress(OSError, ValueError):
            super().finish()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def running() -> Iterator[Server]:
    """A server for the length of the block."""
    with Server() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def whole(
    content: bytes, etag: str = '"1"', sent: int | None = None, modified: str | None = None
) -> Answer:
    """Everything, whatever ``Range`` asks; if ``sent`` is given, the connection breaks after it.

    ``modified`` is sent as ``Last-Modified``.
    """
    dated = {} if modified is None else {"Last-Modified": modified}

    def answer(handler: BaseHTTPRequestHandler) -> None:
        _head(handler, 200, {"Content-Length": str(len(content)), "ETag": etag, **dated})
        handler.wfile.write(content[:sent])

    return answer


def ranged(content: bytes, etag: str = '"1"', shift: int = 0) -> Answer:
    """What ``Range`` asks, unless ``If-Range`` names another version of the file.

    With a ``shift`` the part begins so many bytes later than was asked for, and says so.
    """

    def answer(handler: BaseHTTPRequestHandler) -> None:
        wanted = handler.headers.get("Range")
        if wanted is None or handler.headers.get("If-Range", etag) != etag:
            return whole(content, etag)(handler)
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) + shift
        if start >= len(content):
            return _head(handler, 416, {"Content-Range": f"bytes */{len(content)}"})
        span = f"bytes {start}-{len(content) - 1}/{len(content)}"
        length = str(len(content) - start)
        _head(handler, 206, {"Content-Range": span, "Content-Length": length, "ETag": etag})
        handler.wfile.write(content[start:])

    return answer


def status(code: int) -> Answer:
    """Nothing but a status."""
    return lambda handler: _head(handler, code, {"Content-Length": "0"})


def silent(seconds: float) -> Answer:
    """No answer for a while."""
    return lambda handler: time.sleep(seconds)


def raw(*pieces: bytes, pause: float = 0.0, repeated: int = 1) -> Answer:
    """These bytes and no others, in place of an answer; ``pieces`` again and again, spaced by pauses."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        with suppress(OSError):  # the client may have hung up
            for _ in range(repeated):
                for piece in pieces:
                    handler.wfile.write(piece)
                    handler.wfile.flush()
                    time.sleep(pause)

    return answer


def trickle(head: bytes, letter: bytes = b"x", pause: float = 0.05, seconds: float = 8.0) -> Answer:
    """``head``, and then a letter at a time."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        raw(head)(handler)
        raw(letter, pause=pause, repeated=int(seconds / pause))(handler)

    return answer


def redirect(location: bytes, code: int = 302) -> Answer:
    """A redirect to whatever these bytes are."""
    return raw(b"HTTP/1.1 %d Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % (code, location))


def reset(content: bytes) -> Answer:
    """Some bytes, and then a reset of the connection."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        raw(content, pause=0.05)(handler)
        linger = struct.pack("ii", 1, 0)
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        handler.connection.close()

    return answer


def _head(handler: BaseHTTPRequestHandler, code: int, headers: dict[str, str]) -> None:
    handler.send_response(code)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()
