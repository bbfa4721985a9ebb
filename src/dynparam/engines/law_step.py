"""The one-step probe exactly in law, for many trials at once, at a cost linear in the widths.

One step asks each W^l for three products: with h = h^{l-1}, with d = delta^l, transposed, and with the
change p = Delta h^{l-1}. Drawn in this order, with independent standard normal vectors xi, zeta and
omega, they are (``gaussian_matrix`` has the general rule)

    W h   = std ||h|| xi,
    W^T d = h <W h, d> / ||h||^2 + P_h^perp (std ||d|| zeta),
    W p   = W h <h, p> / ||h||^2 + d <W^T d, q> / ||d||^2 + P_d^perp (std ||q|| omega),   q = P_h^perp p.

The gradient after the step asks each for one more, transposed (``_Networks._carry_back_again``).
Vectors have one row per trial and are computed in blocks of columns that stay in cache. Their numbers
are float32, as the dense engine draws its weights; their scales, inner products and all that follows
from these are float64 (``scaled_rows``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from dynparam.engines import scaled_rows
from dynparam.engines.gaussian_columns import Workspace
from dynparam.engines.scaled_rows import LARGEST, Rows, Scaled, add, blocks, dot, masked, multiply, ratio
from dynparam.support.arrays import FloatArray
from dynparam.theory.parametrization import LayerScales
from dynparam.theory.widths import Widths

ROUNDING = 16 * float(np.finfo(np.float32).eps)
"""What is left of a vector without its part along another one is rounding if it is no longer than this
share of that part."""

VECTORS_PER_UNIT = 3
"""Numbers kept per unit and trial: htilde, W^T delta, Delta htilde; the second gradient is one more."""

SPARE_BLOCKS = 3
"""Blocks to compute in: of h or delta, of p or q, and of what is needed for a moment."""


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
    workspace.reset(_numbers(widths, len(generators), twice), torch.float32)
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
    """What ``take_steps`` needs for its vectors and the blocks it computes in."""
    return 4 * (_numbers(widths, trials, twice) + SPARE_BLOCKS * trials * _block_columns(widths))


def _numbers(widths: Widths, trials: int, twice: bool) -> int:
    return (VECTORS_PER_UNIT + twice) * sum(widths.sizes[1:]) * trials


def _block_columns(widths: Widths) -> int:
    return min(scaled_rows.COLUMNS, max(widths.sizes[1:]))


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
        shape = len(generators), _block_columns(widths)
        # Blocks to compute in: a new array for each would leave the cache.
        self._spare = tuple(np.empty(shape, dtype=np.float32) for _ in range(SPARE_BLOCKS))
        # What they hold, so that a block that is asked for twice is computed once.
        self._held: list[tuple[object, ...]] = [(), ()]
        self.preactivation_square: list[FloatArray] = []
        self.gradient_square: list[FloatArray] = []
        self._preactivation: list[Scaled] = []
        # ||h^{l-1}||^2; g W^T delta of the layer above, on silent units too, or f - y; Delta htilde.
        self._input_square: list[FloatArray] = []
        self._carried: list[Scaled] = []
        self._update: list[Scaled] = []
        # <f, f - y>, which is <htilde, delta> of every layer, since ReLU is homogeneous.
        self._along = np.zeros(len(generators))
        # <h, p> / ||h||^2 and ||q||^2 of the layer's input: its change along it and across it.
        self._known: list[FloatArray] = []
        self._rest_square: list[FloatArray] = []

    def forward(self, input_norm: FloatArray) -> None:
        """Htilde of every layer."""
        square = np.square(input_norm)
        for layer, size in enumerate(self._sizes):
            self._input_square.append(square)
            z = self._empty(size, self._signal[layer] * np.sqrt(square))
            self._preactivation.append(z)
            own, active = self._sums(2)
            for part in self._drawn(z):
                own += dot(z.rows[:, part], z.rows[:, part])
                h = self._activation(layer, part)
                active += dot(h, h)
            self.preactivation_square.append(np.square(z.scale) * own)
            square = np.square(z.scale) * active

    def backward(self, targets: FloatArray) -> None:
        """What each matrix carries back, from the last to the second."""
        outputs = self._preactivation[-1].vectors()
        error = outputs - targets
        self._along = np.vecdot(outputs, error)
        self._carried, self.gradient_square = [Scaled.of(error)], [np.vecdot(error, error)]
        for layer in range(len(self._sizes) - 1, 0, -1):
            carried = self._carry_back(layer)
            self._carried.insert(0, carried)
            (square,) = self._sums(1)
            for part in blocks(carried.size):
                delta = self._delta(layer - 1, part)
                square += dot(delta, delta)
            self.gradient_square.insert(0, np.square(carried.scale) * square)

    def move(self, layer: int, learning_rate: float) -> tuple[FloatArray, FloatArray]:
        """Take the step in a layer: <delta, Delta htilde> and ||Delta htilde||^2, (trials,) each.

        Delta htilde = g W p - eta g^2 <h, h + p> delta (eqs. 2.24, 2.26).
        """
        if layer == 0:
            return self._move_first(learning_rate)
        z, gradient = self._preactivation[layer], self._carried[layer].scale
        overlap, rest_square, carried = self._change_below(layer)
        noise = self._signal[layer] * np.sqrt(rest_square)
        update, (drawn, square) = self._empty(self._sizes[layer], noise), self._sums(2)
        for part in self._drawn(update):
            drawn += dot(self._delta(layer, part), update.rows[:, part])
        known = self._known[layer]
        own = learning_rate * self._multiplier[layer] ** 2 * (self._input_square[layer] + overlap)
        along = ratio(carried - gradient * noise * drawn, self.gradient_square[layer]) - own
        scale = _common_scale(noise, known * z.scale, along * gradient)
        for part in blocks(update.size):
            block = multiply(update.rows[:, part], noise / scale, update.rows[:, part])
            add(block, known * z.scale / scale, z.rows[:, part])
            add(block, along * gradient / scale, self._delta(layer, part))
            square += dot(block, block)
        self._update.append(Scaled(update.rows, scale))
        alignment = known * self._along + carried - own * self.gradient_square[layer]
        return alignment, np.square(scale) * square

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
        second = Scaled.of(self._carried[last].vectors() + self._update[last].vectors())
        overlaps = [self._overlap_with_delta(last, second)]
        for layer in range(last, 0, -1):
            second = self._carry_back_again(layer, second, overlaps[0], learning_rate)
            overlaps.insert(0, self._overlap_with_delta(layer - 1, second))
        return overlaps

    def _carry_back_again(
        self, layer: int, second: Scaled, overlap: FloatArray, learning_rate: float
    ) -> Scaled:
        """Delta2 of the layer below, from delta2 of the layer and <delta, delta2>.

        With delta2 = kappa d + e, e across d, and W h, W q, W^T d known,

            W^T e = h <W h, e> / ||h||^2 + q <W q, e> / ||q||^2 + P_{h, q}^perp (std ||e|| zeta).
        """
        kappa = ratio(overlap, self.gradient_square[layer])
        z_and_e, update_and_e, e_square = self._across_delta(layer, second, kappa)
        noise = self._signal[layer] * np.sqrt(e_square)
        below = layer - 1
        h_scale, q_scale = self._preactivation[below].scale, self._update[below].scale
        carried, (h_drawn, q_drawn) = self._empty(self._sizes[below], noise), self._sums(2)
        for part in self._drawn(carried):
            h, q = self._activation_and_rest(below, part)
            h_drawn += dot(h, carried.rows[:, part])
            q_drawn += dot(q, carried.rows[:, part])
        known, input_square = self._known[layer], self._input_square[layer]
        learned = learning_rate * self._multiplier[layer] ** 2 * overlap
        along_h = ratio(z_and_e - h_scale * noise * h_drawn, input_square) - learned
        # Delta htilde = W p + what lies along d, and W q = W p - <h, p> / ||h||^2 W h.
        along_q = ratio(
            update_and_e - known * z_and_e - q_scale * noise * q_drawn, self._rest_square[layer]
        )
        first = self._carried[below]
        scale = _common_scale(noise, along_h * h_scale, along_q * q_scale, kappa * first.scale)
        for part in blocks(carried.size):
            h, q = self._activation_and_rest(below, part)
            block = multiply(carried.rows[:, part], noise / scale, carried.rows[:, part])
            add(block, along_h * h_scale / scale, h)
            add(block, along_q * q_scale / scale, q)
            add(block, kappa * first.scale / scale, first.rows[:, part])
            masked(block, self._moved(below, part), block)
        return Scaled(carried.rows, scale)

    def _across_delta(
        self, layer: int, second: Scaled, kappa: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """<htilde, e>, <Delta htilde, e> and ||e||^2, (trials,) each."""
        z, update = self._preactivation[layer], self._update[layer]
        z_and_e, update_and_e, square = self._sums(3)
        known = ratio(kappa * self._carried[layer].scale, second.scale)
        for part in blocks(second.size):
            delta = self._delta(layer, part)
            e = self._room(2, delta)
            scaled_rows.combine(second.rows[:, part], -known, delta, e)
            z_and_e += dot(z.rows[:, part], e)
            update_and_e += dot(update.rows[:, part], e)
            square += dot(e, e)
        scale = second.scale
        return z.scale * scale * z_and_e, update.scale * scale * update_and_e, scale**2 * square

    def _overlap_with_delta(self, layer: int, second: Scaled) -> FloatArray:
        (overlap,) = self._sums(1)
        for part in blocks(second.size):
            overlap += dot(self._delta(layer, part), second.rows[:, part])
        scaled: FloatArray = self._carried[layer].scale * second.scale * overlap
        return scaled

    def _move_first(self, learning_rate: float) -> tuple[FloatArray, FloatArray]:
        """``move`` where the input, the image, does not change: there is nothing to draw."""
        own = learning_rate * self._multiplier[0] ** 2 * self._input_square[0]
        size = -own * self._carried[0].scale
        update = self._empty(self._sizes[0], _common_scale(size))
        for part in blocks(update.size):
            multiply(self._delta(0, part), size / update.scale, update.rows[:, part])
        self._update.append(update)
        self._known.append(np.zeros_like(own))
        self._rest_square.append(np.zeros_like(own))
        return -own * self.gradient_square[0], own**2 * self.gradient_square[0]

    def _change_below(self, layer: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """<h, p>, ||q||^2 and <g W^T delta, q> of the layer's input, (trials,) each."""
        below, input_square = layer - 1, self._input_square[layer]
        carried, scale = self._carried[below], self._update[below].scale
        overlap, square, along = self._sums(3)
        for part in blocks(carried.size):
            overlap += dot(*self._activation_and_change(below, part))
        known = ratio(self._preactivation[below].scale * scale * overlap, input_square)
        self._known.append(known)
        for part in blocks(carried.size):
            _, q = self._activation_and_rest(below, part)
            square += dot(q, q)
            along += dot(carried.rows[:, part], q)
        rest_square = np.square(scale) * square
        # Where one unit alone is active, p lies along h, and q is rounding.
        rounding = rest_square <= np.square(ROUNDING * known) * input_square
        rest_square[rounding] = along[rounding] = 0
        # Where no unit is left active, h + p is rounding, and all above must be silent.
        left = np.square(1 + known) * input_square + rest_square
        known[left <= np.square(ROUNDING) * input_square] = -1
        self._rest_square.append(rest_square)
        return known * input_square, rest_square, carried.scale * scale * along

    def _carry_back(self, layer: int) -> Scaled:
        """G W^T delta of the layer: (trials, n_{l-1})."""
        below = layer - 1
        size = self._preactivation[below].scale
        noise = self._signal[layer] * np.sqrt(self.gradient_square[0])
        carried, (drawn,) = self._empty(self._sizes[below], noise), self._sums(1)
        for part in self._drawn(carried):
            drawn += dot(self._activation(below, part), carried.rows[:, part])
        along = ratio(self._along - size * noise * drawn, self._input_square[layer])
        for part in blocks(carried.size):
            add(carried.rows[:, part], ratio(along * size, noise), self._activation(below, part))
        return carried

    def _activation(self, layer: int, part: slice) -> Rows:
        """Columns of h^l over the scale of htilde^l, until another block is asked for."""
        z = self._preactivation[layer].rows[:, part]
        h = self._room(0, z)
        return h if self._holds(0, "h", layer, part) else scaled_rows.relu(z, h)

    def _activation_and_change(self, layer: int, part: slice) -> tuple[Rows, Rows]:
        """Columns of h^l, and of its change over the scale of Delta htilde^l, until the next ones."""
        h = self._activation(layer, part)
        p = self._room(1, h)
        if not self._holds(1, "p", layer, part):
            z, update = self._preactivation[layer].rows[:, part], self._update[layer].rows[:, part]
            scaled_rows.relu_change(z, h, update, self._size_over_change(layer), p, self._room(2, h))
        return h, p

    def _activation_and_rest(self, layer: int, part: slice) -> tuple[Rows, Rows]:
        """Columns of h^l, and of its change without what lies along h^l, each over its scale."""
        if self._held[1] == ("q", layer, part):
            h = self._activation(layer, part)
            return h, self._room(1, h)
        h, p = self._activation_and_change(layer, part)
        add(p, -self._known[layer + 1] * self._size_over_change(layer), h)
        self._held[1] = ("q", layer, part)
        return h, p

    def _moved(self, layer: int, part: slice) -> Rows:
        """Columns of htilde^l after the step, over the scale of its change."""
        z, update = self._preactivation[layer].rows[:, part], self._update[layer].rows[:, part]
        return scaled_rows.combine(update, self._size_over_change(layer), z, self._room(2, z))

    def _size_over_change(self, layer: int) -> FloatArray:
        """The scale of htilde^l over that of Delta htilde^l."""
        sizes: FloatArray = self._preactivation[layer].scale / self._update[layer].scale
        sizes[sizes > LARGEST] = LARGEST
        return sizes

    def _delta(self, layer: int, part: slice) -> Rows:
        """Columns of dL/dhtilde over the scale of what is carried, until another block is asked for."""
        carried = self._carried[layer - len(self._sizes)].rows[:, part]
        if layer == len(self._sizes) - 1:
            return carried
        delta = self._room(0, carried)
        if not self._holds(0, "delta", layer, part):
            masked(carried, self._preactivation[layer].rows[:, part], delta)
        return delta

    def _room(self, place: int, like: Rows) -> Rows:
        """A spare array for a block like that one."""
        room: Rows = self._spare[place][:, : like.shape[1]]
        return room

    def _holds(self, place: int, *block: object) -> bool:
        """Whether the spare array holds this block already; from now on it does."""
        held, self._held[place] = self._held[place], block
        return held == block

    def _drawn(self, vectors: Scaled) -> Iterator[slice]:
        """Fill rows with independent standard normal numbers, by blocks; zeros where the scale is."""
        for part in blocks(vectors.size):
            block = vectors.rows[:, part]
            for row, generator in zip(torch.from_numpy(block), self._generators, strict=True):
                row.normal_(generator=generator)
            block[vectors.scale == 0] = 0
            yield part

    def _sums(self, count: int) -> FloatArray:
        """Sums per trial that are still zero: (count, trials)."""
        return np.zeros((count, len(self._generators)))

    def _empty(self, size: int, scale: FloatArray) -> Scaled:
        """Vectors with room for a number per trial and unit."""
        return Scaled(self._workspace.take(len(self._generators), size).numpy(), scale)


def _common_scale(*parts: FloatArray) -> FloatArray:
    """A scale for a sum of vectors of these scales or factors; one where all of them vanish."""
    total: FloatArray = np.abs(np.stack(parts)).sum(axis=0)
    total[total == 0] = 1
    return total
