"""Waiting for runs that other processes train."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from dynparam.support.errors import InterruptedRunError
from dynparam.support.locks import SECONDS_BETWEEN_TRIES, holder
from dynparam.support.progress import say
from dynparam.support.signals import StopRequest


class Patience:
    """Waits for runs that other processes train, and says once which."""

    def __init__(self, path: Callable[[int], Path], stop: StopRequest) -> None:
        """``path`` is that of the lock of each run, by its seed; ``stop`` ends the wait."""
        self._path, self._stop = path, stop
        self._before: set[int] = set()
        self._told: set[int] = set()

    def wait(self, seeds: Sequence[int]) -> None:
        """Wait a moment for one of ``seeds``. Raises ``InterruptedRunError`` after SIGTERM or SIGINT."""
        # Who looks at the states has a lock for an instant; who trains has it the next time still.
        self._tell([seed for seed in seeds if seed in self._before - self._told])
        self._before = set(seeds)
        time.sleep(SECONDS_BETWEEN_TRIES)
        if self._stop.signal is not None:
            raise InterruptedRunError(
                f"{self._stop.signal.name} while waiting for seeds {list(seeds)}, which are trained "
                f"elsewhere; all is saved, and the same command goes on from there",
                self._stop.signal,
            )

    def _tell(self, seeds: Sequence[int]) -> None:
        self._told |= set(seeds)
        named = ", ".join(f"seed {seed} ({holder(self._path(seed))})" for seed in seeds)
        if named:
            say(
                f"being trained elsewhere: {named}; this process waits, then takes the record or goes "
                f"on from the checkpoint"
            )
