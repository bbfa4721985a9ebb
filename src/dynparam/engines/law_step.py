"""The one-step probe exactly in law, for many trials at once, at a cost linear in the widths.

One step asks each W^l for three products: with h = h^{l-1}, with d = delta^l, transposed, and with the
change p = Delta h^{l-1}. Drawn in this order, with independent standard normal vectors xi, zeta and
omega, they are (``gaussian_matrix`` has the general rule)

    W h   = std ||h|| xi,
    W^T d = h <W h, d> / ||h||^2 + P_h^perp (std ||d|| zeta),
    W p   = W h <h, p> / ||h||^2 + d <W^T d, q> / ||d||^2 + P_d^perp (std ||q|| omega),   q = P_h^perp p.

The gradient after the step asks each for one more, transposed (``_Networks._carry_back_again``).
Vectors have one row per trial and are computed in blocks of columns that stay in cache. Normal numbers
are drawn in float32, as the dense engine draws its weights; all arithmetic is in float64.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from dynparam.engines.gaussian_columns import Workspace
from dynparam.support.arrays import FloatArray
from dynparam.theory.parametrization import LayerScales
from dynparam.theory.widths import Widths

COLUMNS = 2**13
"""Columns of a block: 64 kB a row, and too few for BLAS to divide an inner product among threads.

Results depend on it in their last digits, so it is fixed.
"""

ROUNDING = 16 * np.finfo(np.float64).eps
"""What is left of a vector without its part along another one is rounding if it is no longer than this
share of that part."""

VECTORS_PER_UNIT = 3
"""Numbers kept per unit and trial: htilde, W^T delta, Delta htilde; the second gradient is one more."""


@dataclass(frozen=True)
class Steps:
    """What the trials record; arrays (trials, L), entry [i, l - 1] of trial i, layer l.

    Attributes:
        alignment: |<dL/dhtilde^l, Delta htilde^l>|, the gradient taken before the step (eq. 3.5).
        preactivation_rms: root mean square of htilde^l before the step.
        update_rms: root mean square of Delta htilde^l.
        gradient_norm: ||dL/dhtilde^l|| before the step.
        own_rms: root mean square of g_l Delta W^l h^{l-1}, the layer's own part of Delta htilde^l.
        gradient_overlap: |<dL/dhtilde^l before the step, dL/dhtilde^l after it>| on the same image (eq.
            2.58); None where it is not asked for.
    """

    alignment: FloatArray
    preactivation_rms: FloatArray
    update_rms: FloatArray
    gradient_norm: FloatArray
    own_rms: FloatArray
    gradient_overlap: FloatArray | None = None


@np.errstate(over="ignore", invalid="ignore")  # what diverges shows as a value that is not finite
def take_steps(
    widths: Widths,
    scales: LayerScales,
    input_norm: FloatArray,
    targets: FloatArray,
    learning_rate: float,
    generators: Sequence[torch.Generator],
    workspace: Workspace | None = None,
    *,
    twice: bool = False,
) -> Steps:
    """One SGD step on one image in each of ``len(generators)`` independent networks.

    ``input_norm`` (trials,) holds ||x||, all that Gaussian weights see of an image; ``targets`` is
    (trials, n_L). A trial's result depends on its own generator only, not on the others beside it.
    With ``twice`` the gradients after the step are drawn too, last, so that all else is the same.
    A ``workspace`` passed to every call spares the allocation of memory, which is ``memory_bytes``.
    """
    workspace = workspace or Workspace()
    workspace.reset(_numbers(widths, len(generators), twice), torch.float64)
    networks = _Networks(widths, scales, generators, workspace)
    networks.forward(input_norm)
    networks.backward(targets)
    moves = [networks.move(layer, learning_rate) for layer in range(widths.depth)]
    overlaps = networks.backward_again(learning_rate) if twice else None
    sizes = np.array(widths.sizes[1:], dtype=np.float64)
    return Steps(
        alignment=np.abs(np.stack([along for along, _ in moves], axis=1)),
        preactivation_rms=np.sqrt(np.stack(networks.preactivation_square, axis=1) / sizes),
        update_rms=np.sqrt(np.stack([square for _, square in moves], axis=1) / sizes),
        gradient_norm=np.sqrt(np.stack(networks.gradient_square, axis=1)),
        own_rms=np.stack(networks.own_norms(learning_rate), axis=1) / np.sqrt(sizes),
        gradient_overlap=None if overlaps is None else np.abs(np.stack(overlaps, axis=1)),
    )


def memory_bytes(widths: Widths, trials: int = 1, *, twice: bool = False) -> int:
    """What ``take_steps`` needs for its vectors."""
    return 8 * _numbers(widths, trials, twice)


def _numbers(widths: Widths, trials: int, twice: bool) -> int:
    return (VECTORS_PER_UNIT + twice) * sum(widths.sizes[1:]) * trials


class _Networks:
    """Networks of the same widths, known as far as one step has asked; layers count from 0."""

    def __init__(
        self,
        widths: Widths,
        scales: LayerScales,
        generators: Sequence[torch.Generator],
        workspace: Workspace,
    ) -> None:
        self._workspace = workspace
        self._sizes = widths.sizes[1:]
        self._multiplier = scales.multiplier
        self._signal = scales.signal
        self._generators = generators
        shape = len(generators), min(COLUMNS, max(self._sizes))
        self._noise = torch.empty(shape)
        # Blocks to compute in: a new array for each would leave the cache.
        self._spare = tuple(np.empty(shape) for _ in range(2))
        # What they hold, so that a block that is asked for twice is computed once.
        self._held: list[tuple[object, ...]] = [(), ()]
        self.preactivation_square: list[FloatArray] = []
        self.gradient_square: list[FloatArray] = []
        self._preactivation: list[FloatArray] = []
        # ||h^{l-1}||^2; g W^T delta of the layer above, on silent units too, or f - y; Delta htilde.
        self._input_square: list[FloatArray] = []
        self._carried: list[FloatArray] = []
        self._update: list[FloatArray] = []
        # <htilde, delta>, which the transposed product of the layer's matrix has along its input.
        self._along_input: list[FloatArray] = []
        # <h, p> / ||h||^2 of the layer's input: how much of its change lies along it.
        self._known: list[FloatArray] = []

    def forward(self, input_norm: FloatArray) -> None:
        """Htilde of every layer."""
        square = np.square(input_norm)
        for layer, size in enumerate(self._sizes):
            self._input_square.append(square)
            z, (own, active) = self._empty(size), self._sums(2)
            self._preactivation.append(z)
            for part in self._drawn(z, self._signal[layer] * np.sqrt(square)):
                own += _dot(z[:, part], z[:, part])
                h = self._activation(layer, part)
                active += _dot(h, h)
            self.preactivation_square.append(own)
            square = active

    def backward(self, targets: FloatArray) -> None:
        """What each matrix carries back, from the last to the second."""
        error = self._preactivation[-1] - targets
        self._carried, self.gradient_square = [error], [_dot(error, error)]
        self._along_input = [_dot(self._preactivation[-1], error)]
        for layer in range(len(self._sizes) - 1, 0, -1):
            carried = self._carry_back(layer)
            self._carried.insert(0, carried)
            square, along = self._sums(2)
            for part in _blocks(self._sizes[layer - 1]):
                delta = self._delta(layer - 1, part)
                square += _dot(delta, delta)
                along += _dot(self._preactivation[layer - 1][:, part], delta)
            self.gradient_square.insert(0, square)
            self._along_input.insert(0, along)

    def move(self, layer: int, learning_rate: float) -> tuple[FloatArray, FloatArray]:
        """Take the step in a layer: <delta, Delta htilde> and ||Delta htilde||^2, (trials,) each.

        Delta htilde = g W p - eta g^2 <h, h + p> delta (eqs. 2.24, 2.26).
        """
        if layer == 0:
            return self._move_first(learning_rate)
        overlap, rest_square, carried = self._change_below(layer)
        update, (drawn, alignment, square) = self._empty(self._sizes[layer]), self._sums(3)
        for part in self._drawn(update, self._signal[layer] * np.sqrt(rest_square)):
            drawn += _dot(self._delta(layer, part), update[:, part])
        known = _ratio(overlap, self._input_square[layer])
        self._known.append(known)
        own = learning_rate * self._multiplier[layer] ** 2 * (self._input_square[layer] + overlap)
        along = _ratio(carried - drawn, self.gradient_square[layer]) - own
        for part in _blocks(self._sizes[layer]):
            delta, block = self._delta(layer, part), update[:, part]
            self._add(block, known, self._preactivation[layer][:, part])
            self._add(block, along, delta)
            alignment += _dot(delta, block)
            square += _dot(block, block)
        self._update.append(update)
        return alignment, square

    def own_norms(self, learning_rate: float) -> list[FloatArray]:
        """Of g Delta W h = -eta g^2 ||h||^2 delta in every layer, (trials,) each."""
        return [
            learning_rate * g**2 * square * np.sqrt(gradient)
            for g, square, gradient in zip(
                self._multiplier, self._input_square, self.gradient_square, strict=True
            )
        ]

    def backward_again(self, learning_rate: float) -> list[FloatArray]:
        """<delta, delta2> of every layer, (trials,) each, with delta2 the gradient after the step."""
        last = len(self._sizes) - 1
        # f - y moves by the change of f.
        second = self._carried[last] + self._update[last]
        overlaps = [_dot(self._carried[last], second)]
        for layer in range(last, 0, -1):
            second = self._carry_back_again(layer, second, overlaps[0], learning_rate)
            overlaps.insert(0, self._overlap_with_delta(layer - 1, second))
        return overlaps

    def _carry_back_again(
        self, layer: int, second: FloatArray, overlap: FloatArray, learning_rate: float
    ) -> FloatArray:
        """Delta2 of the layer below, from delta2 of the layer and <delta, delta2>: (trials, n_{l-1}).

        With delta2 = kappa d + e, e across d, and W h, W q, W^T d known,

            W^T e = h <W h, e> / ||h||^2 + q <W q, e> / ||q||^2 + P_{h, q}^perp (std ||e|| zeta).
        """
        kappa = _ratio(overlap, self.gradient_square[layer])
        z_and_e, update_and_e, e_square = self._across_delta(layer, second, kappa)
        known = self._known[layer]
        below, size = layer - 1, self._sizes[layer - 1]
        carried, (h_drawn, q_drawn, q_square) = self._empty(size), self._sums(3)
        for part in self._drawn(carried, self._signal[layer] * np.sqrt(e_square)):
            h, q = self._activation_and_rest(below, part, known)
            h_drawn += _dot(h, carried[:, part])
            q_drawn += _dot(q, carried[:, part])
            q_square += _dot(q, q)
        learned = learning_rate * self._multiplier[layer] ** 2 * overlap
        along_h = _ratio(z_and_e - h_drawn, self._input_square[layer]) - learned
        # Delta htilde = W p + what lies along d, and W q = W p - <h, p> / ||h||^2 W h.
        # Where one unit alone is active, p lies along h, and q is rounding: no direction to be known in.
        rounding = np.square(ROUNDING * known) * self._input_square[layer]
        across = np.where(q_square > rounding, q_square, 0.0)
        along_q = _ratio(update_and_e - known * z_and_e - q_drawn, across)
        for part in _blocks(size):
            h, q = self._activation_and_rest(below, part, known)
            block = carried[:, part]
            self._add(block, along_h, h)
            self._add(block, along_q, q)
            self._add(block, kappa, self._carried[below][:, part])
            block *= self._preactivation[below][:, part] + self._update[below][:, part] > 0
        return carried

    def _across_delta(
        self, layer: int, second: FloatArray, kappa: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """<htilde, e>, <Delta htilde, e> and ||e||^2, (trials,) each."""
        z_and_e, update_and_e, square = self._sums(3)
        for part in _blocks(self._sizes[layer]):
            e = second[:, part] - kappa[:, None] * self._delta(layer, part)
            z_and_e += _dot(self._preactivation[layer][:, part], e)
            update_and_e += _dot(self._update[layer][:, part], e)
            square += _dot(e, e)
        return z_and_e, update_and_e, square

    def _overlap_with_delta(self, layer: int, second: FloatArray) -> FloatArray:
        overlap = np.zeros(len(self._generators))
        for part in _blocks(self._sizes[layer]):
            overlap += _dot(self._delta(layer, part), second[:, part])
        return overlap

    def _move_first(self, learning_rate: float) -> tuple[FloatArray, FloatArray]:
        """``move`` where the input, the image, does not change: there is nothing to draw."""
        own = learning_rate * self._multiplier[0] ** 2 * self._input_square[0]
        update = self._empty(self._sizes[0])
        for part in _blocks(self._sizes[0]):
            np.multiply(self._delta(0, part), -own[:, None], out=update[:, part])
        self._update.append(update)
        self._known.append(np.zeros_like(own))
        return -own * self.gradient_square[0], own**2 * self.gradient_square[0]

    def _change_below(self, layer: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """<h, p>, ||q||^2 and <g W^T delta, q> of the layer's input, (trials,) each."""
        below, size = layer - 1, self._sizes[layer - 1]
        overlap, square, carried = self._sums(3)
        for part in _blocks(size):
            overlap += _dot(*self._activation_and_change(below, part))
        known = _ratio(overlap, self._input_square[layer])
        for part in _blocks(size):
            _, q = self._activation_and_rest(below, part, known)
            square += _dot(q, q)
            carried += _dot(self._carried[below][:, part], q)
        return overlap, square, carried

    def _carry_back(self, layer: int) -> FloatArray:
        """G W^T delta of the layer: (trials, n_{l-1})."""
        size = self._sizes[layer - 1]
        carried, (drawn,) = self._empty(size), self._sums(1)
        for part in self._drawn(carried, self._signal[layer] * np.sqrt(self.gradient_square[0])):
            drawn += _dot(self._activation(layer - 1, part), carried[:, part])
        along = _ratio(self._along_input[0] - drawn, self._input_square[layer])
        for part in _blocks(size):
            self._add(carried[:, part], along, self._activation(layer - 1, part))
        return carried

    def _activation(self, layer: int, part: slice) -> FloatArray:
        """Columns of h^l, until another block is asked for."""
        z = self._preactivation[layer][:, part]
        h = self._spare[0][:, : z.shape[1]]
        return h if self._holds(0, "h", layer, part) else self._relu(z, h)

    def _activation_and_change(self, layer: int, part: slice) -> tuple[FloatArray, FloatArray]:
        """Columns of h^l and of its change, until another block is asked for."""
        h = self._activation(layer, part)
        p = self._spare[1][:, : h.shape[1]]
        if not self._holds(1, "p", layer, part):
            np.add(self._preactivation[layer][:, part], self._update[layer][:, part], out=p)
            self._relu(p, p)
            p -= h
        return h, p

    def _activation_and_rest(
        self, layer: int, part: slice, known: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Columns of h^l, and of its change without what lies along h^l."""
        h, p = self._activation_and_change(layer, part)
        self._add(p, -known, h)
        self._held[1] = ()
        return h, p

    def _delta(self, layer: int, part: slice) -> FloatArray:
        """Columns of dL/dhtilde, until another block is asked for."""
        carried = self._carried[layer - len(self._sizes)][:, part]
        if layer == len(self._sizes) - 1:
            return carried
        delta = self._spare[0][:, : carried.shape[1]]
        if not self._holds(0, "delta", layer, part):
            # ReLU's own backward pass: numpy would take twice as long, for a mask and for a product.
            torch.ops.aten.threshold_backward.grad_input(
                torch.from_numpy(carried),
                torch.from_numpy(self._preactivation[layer][:, part]),
                0,
                grad_input=torch.from_numpy(delta),
            )
        return delta

    def _holds(self, place: int, *block: object) -> bool:
        """Whether the spare array holds this block already; from now on it does."""
        held, self._held[place] = self._held[place], block
        return held == block

    def _relu(self, z: FloatArray, out: FloatArray) -> FloatArray:
        torch.clamp_min(torch.from_numpy(z), 0, out=torch.from_numpy(out))
        return out

    def _add(self, block: FloatArray, factor: FloatArray, other: FloatArray) -> None:
        """Add to each trial's row its multiple of another, in one pass."""
        torch.from_numpy(block).addcmul_(torch.from_numpy(other), torch.from_numpy(factor[:, None]))

    def _drawn(self, numbers: FloatArray, std: FloatArray) -> Iterator[slice]:
        """Fill rows with independent normal numbers of standard deviations ``std``, block by block."""
        for part in _blocks(numbers.shape[1]):
            block = self._noise[:, : part.stop - part.start]
            for row, generator in zip(block, self._generators, strict=True):
                row.normal_(generator=generator)
            np.multiply(block.numpy(), std[:, None], out=numbers[:, part])
            yield part

    def _sums(self, count: int) -> FloatArray:
        """Sums per trial that are still zero: (count, trials)."""
        return np.zeros((count, len(self._generators)))

    def _empty(self, size: int) -> FloatArray:
        """Room for a number per trial and unit: (trials, size)."""
        room: FloatArray = self._workspace.take(len(self._generators), size).numpy()
        return room


def _blocks(size: int) -> Iterator[slice]:
    return (slice(start, min(start + COLUMNS, size)) for start in range(0, size, COLUMNS))


def _dot(a: FloatArray, b: FloatArray) -> FloatArray:
    """Inner products of rows, each computed as if it were alone (``einsum`` sums a single row apart)."""
    products: FloatArray = np.vecdot(a, b)
    return products


def _ratio(a: FloatArray, b: FloatArray) -> FloatArray:
    """A / b, and zero where b is: nothing can lie along a vector that vanishes."""
    return np.divide(a, b, out=np.zeros_like(a), where=b > 0)
