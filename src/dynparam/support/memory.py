"""Memory: a computation says what it needs before it asks for it."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec

from dynparam.support.errors import ConfigError


def free_bytes() -> int:
    """The memory that is free here; without psutil all there is, or no bound where nobody says."""
    if find_spec("psutil"):  # it comes with the workflow
        import psutil

        return int(psutil.virtual_memory().available)
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return sys.maxsize


def require_memory(needed: int, what: str, remedy: str, limit: int | None = None) -> None:
    """Raise ``ConfigError`` if ``needed`` bytes are more than ``limit``, by default what is free here.

    ``what`` names the computation, in the plural: "kernels of 2000 inputs". ``remedy`` says what to do.

    Examples:
        >>> require_memory(2**20, "kernels of 2 inputs", "take fewer inputs", limit=2**21)
    """
    allowed = free_bytes() if limit is None else limit
    if needed > allowed:
        owner = "free" if limit is None else "allowed"
        raise ConfigError(
            f"{what} need {needed / 2**30:,.2f} GiB and {allowed / 2**30:,.2f} GiB are {owner}; {remedy}"
        )
