"""Memory: a computation says what it needs before it asks for it."""

from __future__ import annotations

import psutil

from dynparam.support.errors import ConfigError


def require_memory(needed: int, what: str, remedy: str, limit: int | None = None) -> None:
    """Raise ``ConfigError`` if ``needed`` bytes are more than ``limit``, by default what is free here.

    ``what`` names the computation, in the plural: "kernels of 2000 inputs". ``remedy`` says what to do.

    Examples:
        >>> require_memory(2**20, "kernels of 2 inputs", "take fewer inputs", limit=2**21)
    """
    allowed = psutil.virtual_memory().available if limit is None else limit
    if needed > allowed:
        owner = "free" if limit is None else "allowed"
        raise ConfigError(
            f"{what} need {needed / 2**30:,.2f} GiB and {allowed / 2**30:,.2f} GiB are {owner}; {remedy}"
        )
