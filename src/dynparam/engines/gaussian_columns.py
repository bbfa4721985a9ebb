"""Gaussian matrices that are drawn while they are used, and only where they are used.

The one-step probe multiplies each W^l by h^{l-1} and later by Delta h^{l-1}, and W^{lT} by a vector
whose product psi' then masks. A column of W^l therefore matters only if its unit is active before or
after the step: about half of the columns, after ReLU. ``GaussianColumns`` draws a column when an
input first needs it, multiplies it while it is still in cache, and never draws the others. The
results are exactly those of a full matrix, whatever its other columns hold.

Work is divided into a fixed number of lanes, each with its own generator and always the same share of
the columns, so that a result does not depend on how many threads run the lanes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch
from torch import Tensor

LANES = 4
"""Independent shares of every matrix; at most this many threads help."""

BLOCK_ELEMENTS = 2**17
"""Numbers drawn and multiplied at a time: half a megabyte of float32, which a core's cache holds."""

PARALLEL_DRAWS = 2**17

PARALLEL_PRODUCTS = 2**21
"""Numbers to draw, or drawn ones to multiply, below which waking a thread costs more than it saves."""


Result = TypeVar("Result")


class Workspace:
    """Memory for the drawn columns, reused from trial to trial so that it is paid for once."""

    def __init__(self) -> None:
        """Start empty; memory is taken by ``reset``."""
        self._buffer = torch.empty(0)
        self._used = 0

    def reset(self, elements: int, dtype: torch.dtype) -> None:
        """Forget all matrices and make room for ``elements`` numbers; untouched pages cost nothing."""
        if self._buffer.numel() < elements or self._buffer.dtype != dtype:
            self._buffer = torch.empty(elements, dtype=dtype)
        self._used = 0

    def take(self, rows: int, columns: int) -> Tensor:
        """An uninitialized (rows, columns) matrix."""
        start, self._used = self._used, self._used + rows * columns
        return self._buffer[start : self._used].view(rows, columns)


class Lanes:
    """A fixed number of independent random streams and the threads that run them."""

    def __init__(self, generator: torch.Generator, helpers: ThreadPoolExecutor | None) -> None:
        """Derive one generator per lane from ``generator``; without helpers this thread works alone."""
        seeds = torch.randint(2**62, (LANES,), generator=generator).tolist()
        self.generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        self._helpers = helpers

    def run(self, work: Callable[[int], Result], *, parallel: bool) -> list[Result]:
        """``work(lane)`` for every lane, in their order; the same results in parallel or in turn."""
        if self._helpers is None or not parallel:
            return [work(lane) for lane in range(LANES)]
        begun = [self._helpers.submit(work, lane) for lane in range(LANES)]
        # A core that sleeps is slow to wake: this one takes over, from the end, what none has begun.
        mine = {lane: work(lane) for lane in reversed(range(LANES)) if begun[lane].cancel()}
        return [mine[lane] if lane in mine else begun[lane].result() for lane in range(LANES)]


@contextmanager
def helper_threads() -> Iterator[ThreadPoolExecutor | None]:
    """One thread less than torch is set to use, each computing alone; None if that is no thread.

    Inside, torch's own threading is off: its reductions depend on the number of threads, the lanes'
    do not.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        if threads == 1:
            yield None
        else:
            with ThreadPoolExecutor(min(threads, LANES) - 1) as helpers:
                yield helpers
    finally:
        torch.set_num_threads(threads)


class GaussianColumns:
    """A (n_out, n_in) matrix of independent N(0, std^2) entries, drawn column by column on demand.

    With ``keep=False`` the columns are dropped after their product. That serves the first layer: its
    input, the image, has no gradient and never changes, so nothing is asked of its matrix again.
    """

    def __init__(
        self,
        fan_in: int,
        fan_out: int,
        std: float,
        lanes: Lanes,
        workspace: Workspace,
        *,
        keep: bool = True,
    ) -> None:
        """Draw nothing yet; columns come from the lanes' generators and live in the workspace."""
        self._fan_out = fan_out
        self._std = std
        self._lanes = lanes
        self._workspace = workspace
        self._keep = keep
        self._missing = torch.ones(fan_in, dtype=torch.bool)
        # Drawn columns in the order of drawing: (their indices, the columns as rows).
        self._drawn: list[tuple[Tensor, Tensor]] = []

    def times(self, u: Tensor) -> Tensor:
        """W u: (n_in,) to (n_out,); draws the columns of non-zero entries that are not there yet.

        Raises ``ValueError`` if a column is needed that was drawn and dropped.
        """
        needed = torch.nonzero((u != 0) & self._missing).flatten()
        if not self._keep and not self._missing.all():
            raise ValueError("a matrix that is not kept can be multiplied only once")
        parts = [self._combine(columns, u[index]) for index, columns in self._drawn]
        parts.append(self._draw(needed, u[needed]))
        self._missing[needed] = False
        return torch.stack(parts).sum(0)

    def transpose_times(self, v: Tensor) -> Tensor:
        """W^T v: (n_out,) to (n_in,), zero at columns that are not drawn."""
        product = torch.zeros(len(self._missing), dtype=v.dtype)
        for index, columns in self._drawn:
            product[index] = self._lane_products(columns, v)
        return product

    def _lane_products(self, columns: Tensor, v: Tensor) -> Tensor:
        """Columns (k, n_out) times v (n_out,): (k,)."""

        def work(lane: int) -> Tensor:
            """The lane's part of the entries."""
            return columns[share(len(columns), lane)] @ v

        return torch.cat(self._lanes.run(work, parallel=columns.numel() >= PARALLEL_PRODUCTS))

    def _combine(self, columns: Tensor, u: Tensor) -> Tensor:
        """u^T columns: (k,) and (k, n_out) to (n_out,)."""

        def work(lane: int) -> Tensor:
            """The lane's part of the sum."""
            mine = share(len(u), lane)
            return u[mine] @ columns[mine]

        return torch.stack(self._lanes.run(work, parallel=columns.numel() >= PARALLEL_PRODUCTS)).sum(0)

    def _draw(self, index: Tensor, u: Tensor) -> Tensor:
        """Draw the columns ``index`` (k,) and return u^T columns, a cache-sized block at a time."""
        block_rows = max(1, BLOCK_ELEMENTS // self._fan_out)
        columns = self._workspace.take(len(index) if self._keep else 0, self._fan_out)

        def work(lane: int) -> Tensor:
            """Draw the lane's columns; its part of the sum."""
            mine = share(len(u), lane)
            total = torch.zeros(self._fan_out, dtype=u.dtype)
            passing = torch.empty(0 if self._keep else block_rows, self._fan_out, dtype=u.dtype)
            for start in range(mine.start, mine.stop, block_rows):
                stop = min(start + block_rows, mine.stop)
                block = columns[start:stop] if self._keep else passing[: stop - start]
                block.normal_(0.0, self._std, generator=self._lanes.generators[lane])
                total.addmv_(block.T, u[start:stop])
            return total

        parallel = len(index) * self._fan_out >= PARALLEL_DRAWS
        product = torch.stack(self._lanes.run(work, parallel=parallel)).sum(0)
        if self._keep:
            self._drawn.append((index, columns))
        return product


def share(count: int, lane: int) -> slice:
    """The contiguous part of ``count`` items that belongs to a lane."""
    return slice(count * lane // LANES, count * (lane + 1) // LANES)
