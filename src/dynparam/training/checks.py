"""Values read from the files of runs: whether each has the type and the range that it is written with.

JSON tells true from 1, and 1 from 1.0, and so do these: what a run writes comes back as what it was.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any], bool]

MOST_SECONDS = 1e11
"""Three thousand years: no run takes longer, and sums over all runs stay far from overflow."""


def fault(
    values: Any, fields: Mapping[str, Check], optional: Mapping[str, Check] | None = None
) -> str | None:
    """What is wrong with an object of JSON, in words; ``None`` if it has these fields and no others."""
    known = {**fields, **(optional or {})}
    if not isinstance(values, dict):
        return "it holds no fields"
    missing = next((name for name in fields if name not in values), None)
    if missing is not None:
        return f"it lacks {missing}"
    if not values.keys() <= known.keys():
        return "it has a field too many"
    wrong = next((name for name, value in values.items() if not known[name](value)), None)
    return None if wrong is None else f"its {wrong} cannot be right"


def fits(values: Any, fields: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> bool:
    """Whether an object has these fields, each as its check wants it, and no others."""
    return fault(values, fields, optional) is None


def is_count(value: Any, most: int | None = None) -> bool:
    """Whether it is a whole number from 0 to ``most``."""
    return type(value) is int and value >= 0 and (most is None or value <= most)


def is_amount(value: Any) -> bool:
    """Whether it is a finite number of at least 0, written as no whole number is."""
    return type(value) is float and 0 <= value < math.inf


def is_seconds(value: Any) -> bool:
    """Whether it is a time that work can have taken, in seconds."""
    return is_amount(value) and value <= MOST_SECONDS


def is_text(value: Any) -> bool:
    """Whether it is text that can be written to a file: without halves of surrogate pairs."""
    return isinstance(value, str) and not any("\ud800" <= letter <= "\udfff" for letter in value)


def is_loss(value: Any) -> bool:
    """Whether it is half a mean square; of a run that diverges it may be infinite or NaN."""
    return type(value) is float and not value < 0


def is_accuracy(value: Any) -> bool:
    """Whether it is a share of images."""
    return type(value) is float and 0 <= value <= 1


def is_row(values: Any, sets: int) -> bool:
    """Whether it is a row of a curve: the losses on so many sets of images, then the accuracies."""
    return (
        isinstance(values, (list, tuple))
        and len(values) == 2 * sets
        and all(map(is_loss, values[:sets]))
        and all(map(is_accuracy, values[sets:]))
    )


def is_finite_row(values: Any, sets: int) -> bool:
    """Whether it is a row of a curve whose losses are finite."""
    return is_row(values, sets) and all(map(math.isfinite, values))
