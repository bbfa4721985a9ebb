"""Progress of long work: a live bar on a terminal, plain lines with the time left anywhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

SECONDS_BETWEEN_LINES = 5.0


@contextmanager
def progress(label: str, total: float) -> Iterator[Callable[[float], None]]:
    """Report work on standard error; the yielded function takes the amount of work just done.

    ``total`` and the amounts share any unit that is proportional to time, which makes the estimate of
    the time left honest when steps differ in size.
    """
    if sys.stderr.isatty():
        with _bar(label, total) as advance:
            yield advance
    else:
        yield _lines(label, total)


@contextmanager
def _bar(label: str, total: float) -> Iterator[Callable[[float], None]]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("elapsed,"),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(label, total=total)
        yield lambda amount: bar.advance(task, amount)


def _lines(label: str, total: float) -> Callable[[float], None]:
    started = printed = time.monotonic()
    done = 0.0

    def advance(amount: float) -> None:
        """Count the work done; print a line if the last one is old or the work complete."""
        nonlocal done, printed
        done += amount
        now = time.monotonic()
        if done < total and now - printed < SECONDS_BETWEEN_LINES:
            return
        printed = now
        left = (now - started) * (total - done) / done
        print(
            f"{label}: {100 * done / total:.0f} % done, {left:.0f} s left",
            file=sys.stderr,
            flush=True,
        )

    return advance
