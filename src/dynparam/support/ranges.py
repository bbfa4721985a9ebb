"""Whole numbers in ranges, such as ``0-2,7``."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from dynparam.support.errors import ConfigError


def consecutive(numbers: Iterable[int]) -> list[range]:
    """Increasing numbers as ranges, each as long as they allow.

    >>> consecutive([0, 1, 2, 7])
    [range(0, 3), range(7, 8)]
    """
    runs = groupby(enumerate(numbers), key=lambda entry: entry[1] - entry[0])
    members = [[number for _, number in run] for _, run in runs]
    return [range(run[0], run[-1] + 1) for run in members]


def ranges_text(numbers: Iterable[int]) -> str:
    """Increasing numbers as text.

    >>> ranges_text([0, 1, 2, 7])
    '0-2,7'
    """
    runs = consecutive(numbers)
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def parse_ranges(text: str, what: str) -> list[int]:
    """The numbers of a text, each once, in order; ``what`` they are is told by ``ConfigError``.

    >>> parse_ranges("7,0-2", "seeds")
    [0, 1, 2, 7]
    """
    return sorted({number for part in text.split(",") for number in _parse_range(part, text, what)})


def _parse_range(part: str, text: str, what: str) -> range:
    first, dash, last = part.partition("-")
    try:
        numbers = range(int(first), int(last if dash else first) + 1)
    except ValueError:
        raise ConfigError(f"{what} {text!r} are not numbers such as 0-9 or 0-2,7") from None
    if not numbers:
        raise ConfigError(f"{what} {text!r} name none; write the smaller number first")
    return numbers
