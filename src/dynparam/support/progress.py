"""Progress of long work: a live bar on a terminal, plain lines with the time left anywhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from typing import Protocol

from dynparam.support.terminal import shown

SECONDS_BETWEEN_LINES = 5.0

SECONDS_OF_PACE = 3600.0
"""How far back the pace is looked at that a bar's time left follows from: steps may take minutes."""


class Advance(Protocol):
    """Counts work just done; ``note`` says what it brought, a loss for example."""

    def __call__(self, amount: float, note: str = "") -> None:
        """Count ``amount``, in the unit of the total."""
        ...


def say(text: str) -> None:
    """One line on standard error, as a terminal may be given it; silent if nobody can read it."""
    if sys.stderr is None:  # closed before the program began
        return
    with suppress(BrokenPipeError):
        print(shown(text), file=sys.stderr, flush=True)


def duration(seconds: float) -> str:
    """A time in its two largest units.

    >>> duration(42.4), duration(754), duration(7260)
    ('42 s', '12 min 34 s', '2 h 1 min')
    """
    whole = round(seconds)
    hours, minutes = whole // 3600, whole // 60
    if hours:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min {whole % 60} s" if minutes else f"{whole} s"


@contextmanager
def progress(label: str, total: float) -> Iterator[Advance]:
    """Report work on standard error; the yielded function takes the amount of work just done.

    ``total`` and the amounts share any unit that is proportional to time, which makes the estimate of
    the time left honest when steps differ in size.
    """
    if sys.stderr is not None and sys.stderr.isatty() and find_spec("rich"):
        with _bar(label, total) as advance:
            yield advance
    else:
        yield _lines(label, total)


@contextmanager
def _bar(label: str, total: float) -> Iterator[Advance]:
    # It comes with the workflow; the library's lines do without.
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),  # of a narrow terminal's line half is left for the note
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("elapsed,"),
        TimeRemainingColumn(),
        TextColumn("left  {task.fields[note]}", markup=False),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, speed_estimate_period=SECONDS_OF_PACE) as bar:
        task = bar.add_task(shown(label), total=total, note="")

        def advance(amount: float, note: str = "") -> None:
            """Move the bar and show the note behind it."""
            bar.update(task, advance=amount, note=shown(note))

        yield advance


def _lines(label: str, total: float) -> Advance:
    started = printed = time.monotonic()
    done = 0.0

    def advance(amount: float, note: str = "") -> None:
        """Count the work done; print a line if the last one is old or the work complete."""
        nonlocal done, printed
        done += amount
        now = time.monotonic()
        if done < total and now - printed < SECONDS_BETWEEN_LINES:
            return
        printed = now
        share = done / total if total else 1.0
        left = (now - started) * (1 - share) / share if share else 0.0
        say(f"{label}: {100 * share:.0f} % done, {duration(left)} left{f'  {note}' if note else ''}")

    return advance
