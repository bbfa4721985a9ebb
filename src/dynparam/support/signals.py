"""Signals that ask a long job to stop, turned into a flag that it looks at between two steps."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType


@dataclass
class StopRequest:
    """Whether a signal asked for a stop.

    Attributes:
        signal: the signal, ``None`` as long as none came.
    """

    signal: signal.Signals | None = None


@contextmanager
def stop_request() -> Iterator[StopRequest]:
    """Catch SIGTERM and SIGINT within the block; the yielded request tells whether one came."""
    request = StopRequest()

    def remember(number: int, frame: FrameType | None) -> None:
        """Note the signal; the job stops where it can save all it has."""
        request.signal = signal.Signals(number)

    before = {number: signal.signal(number, remember) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
