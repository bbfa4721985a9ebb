"""Numbers as callers have them: numpy's and torch's count as Python's, text and truth values do not."""

from __future__ import annotations

import math
import operator
from typing import Any

from dynparam.support.errors import ConfigError


def as_whole(value: Any) -> int | None:
    """``value`` as an ``int``, ``None`` if it is no integer."""
    if _is_truth(value):
        return None
    try:
        return operator.index(value)
    except TypeError:
        return None


def whole(name: str, value: Any, *, at_least: int = 1) -> int:
    """``value`` as an ``int``. Raises ``ConfigError`` unless it is an integer of at least ``at_least``.

    Examples:
        >>> import numpy as np
        >>> whole("n_min", np.int64(16))
        16
    """
    number = as_whole(value)
    if number is None or number < at_least:
        raise ConfigError(f"{name} is {value!r}; it must be an integer of at least {at_least}")
    return number


def positive(name: str, value: Any) -> float:
    """``value`` as a ``float``. Raises ``ConfigError`` unless it is a positive and finite number.

    Examples:
        >>> import numpy as np
        >>> positive("learning_rate", np.float32(0.5))
        0.5
    """
    number = real(name, value)
    if not (number > 0 and math.isfinite(number)):
        raise ConfigError(f"{name} is {value}; it must be positive and finite")
    return number


def real(name: str, value: Any) -> float:
    """``value`` as a ``float``. Raises ``ConfigError`` for text, truth values, and what is no number."""
    if isinstance(value, str | bytes):
        raise ConfigError(
            f"{name} is {value!r}, which is text; give a number (YAML reads 1e-3 as text, 1.0e-3 as one)"
        )
    try:
        if not _is_truth(value):
            return float(value)
    except (TypeError, ValueError, RuntimeError):
        pass
    raise ConfigError(f"{name} is {value!r}; give a number")


def _is_truth(value: Any) -> bool:
    """Whether it is true or false, of Python, numpy or torch."""
    return isinstance(value, bool) or str(getattr(value, "dtype", "")).endswith("bool")
