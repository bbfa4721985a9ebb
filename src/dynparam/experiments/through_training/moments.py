"""When networks are looked at: often at first, when most happens, then every few epochs."""

from __future__ import annotations


def moments(batches: int, epochs: int, every_epochs: int) -> tuple[int, ...]:
    """The steps after which a run of so many ``epochs`` of ``batches`` batches is looked at.

    Steps 0, 1, 2, 4, 8, ... up to the first ``every_epochs`` epochs, these and their multiples, and the
    last one.

    >>> moments(batches=32, epochs=5, every_epochs=2)
    (0, 1, 2, 4, 8, 16, 32, 64, 128, 160)
    """
    apart, last = every_epochs * batches, epochs * batches
    powers = {2**k for k in range(last.bit_length()) if 2**k < min(apart, last)}
    return tuple(sorted({0, *powers, *range(apart, last, apart), last}))
