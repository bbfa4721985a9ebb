"""Kernels of the network at initialization as its hidden layers widen, whatever their widths and scales.

For one output f, inputs s and t, and delta^l = df/dhtilde^l,

    P^l_st = <h^l(x_s), h^l(x_t)>,   D^l_st = <delta^l_s, delta^l_t>,
    Theta^l_st = g_l^2 D^l_st P^{l-1}_st,

and the neural tangent kernel (eq. 1.9, Jacot and others 2018) is the sum of the Theta^l over the layers,
exactly in any network. In wide ones, with s_l = g_l sigma_l gamma_l and (u_s, u_t) normal with
covariance S^l = s_l^2 P^{l-1},

    P^0_st = <x_s, x_t>,   P^l_st = n_l E phi(u_s) phi(u_t),
    D^L_st = 1,            D^l_st = n_l s_{l+1}^2 D^{l+1}_st E phi'(u_s) phi'(u_t).

Relative errors are of order sum_l 1/n_l over the hidden layers. Different outputs share no kernel: that
of C outputs is C copies of this one. Biases (eq. 2.2) add n_{l-1} to P^{l-1}, in S^l and in Theta^l.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dynparam.support.arrays import FloatArray
from dynparam.support.errors import ConfigError, NonFiniteError
from dynparam.support.memory import require_memory
from dynparam.theory.activations import RELU, Activation, Moments
from dynparam.theory.inner_products import InnerProducts
from dynparam.theory.parametrization import LayerScales
from dynparam.theory.widths import Widths

BLOCK = 256
"""Rows and columns that are computed at once, so that a block's layers stay in cache."""

Grams = list[FloatArray]
Block = tuple[slice, slice]


@dataclass(frozen=True)
class GramMatrices:
    """What a wide network makes of pairs of inputs.

    Attributes:
        forward: P^0 ... P^{L-1}, inner products of h^l, (L, T, T').
        backward: D^1 ... D^L, inner products of df/dhtilde^l, (L, T, T').
    """

    forward: FloatArray
    backward: FloatArray


def gram_matrices(
    inner: InnerProducts,
    widths: Widths | Sequence[int],
    scales: LayerScales,
    activation: Activation = RELU,
    *,
    biases: bool = False,
) -> GramMatrices:
    """P^l and D^l of the wide network on inputs with these inner products.

    Raises ``ConfigError`` for bad widths, no hidden layer, scales that do not fit them, inputs of
    another size than n_0, or more of them than fit into memory, and ``NonFiniteError`` naming the layer
    if an expectation is zero or beyond a double.

    Examples:
        >>> from dynparam.theory.inner_products import inner_products
        >>> from dynparam.theory.parametrization import layer_scales
        >>> widths = Widths((2, 100, 50, 1))
        >>> inner = inner_products([[1.0, 1.0], [1.0, -1.0]])  # of unit mean square, orthogonal
        >>> found = gram_matrices(inner, widths, layer_scales("ntk", widths))
        >>> found.forward[2].round(2).tolist()  # 50 E phi(u_s) phi(u_t): s_l^2 makes up for ReLU
        [[50.0, 24.69], [24.69, 50.0]]
    """
    chain = _chain(inner, widths, scales, activation, biases)
    shape = (chain.depth, *inner.cross.shape)
    _require_memory(shape, 2)
    found = GramMatrices(np.empty(shape), np.empty(shape))
    for block in _blocks(inner):
        forward, backward = chain.block(inner, block)
        for layer in range(chain.depth):
            _put(found.forward[layer], block, forward[layer], inner)
            _put(found.backward[layer], block, backward[layer], inner)
    return found


def layer_kernels(
    inner: InnerProducts,
    widths: Widths | Sequence[int],
    scales: LayerScales,
    activation: Activation = RELU,
    *,
    biases: bool = False,
) -> FloatArray:
    """Theta^1 ... Theta^L, every layer's own part of the neural tangent kernel: (L, T, T').

    Takes and raises what ``gram_matrices`` does.

    Examples:
        >>> from dynparam.theory.inner_products import inner_products
        >>> from dynparam.theory.parametrization import layer_scales
        >>> widths = Widths((2, 100, 50, 1))
        >>> inner = inner_products([[1.0, 1.0], [1.0, -1.0]])
        >>> [one.round(3).tolist() for one in layer_kernels(inner, widths, layer_scales("ntk", widths))]
        ... # doctest: +NORMALIZE_WHITESPACE
        [[[0.5, 0.0], [0.0, 0.5]], [[0.5, 0.096], [0.096, 0.5]], [[1.0, 0.494], [0.494, 1.0]]]
    """
    chain = _chain(inner, widths, scales, activation, biases)
    shape = (chain.depth, *inner.cross.shape)
    _require_memory(shape, 1)
    found = np.empty(shape)
    for block in _blocks(inner):
        for layer, kernel in enumerate(chain.kernels(inner, block)):
            _put(found[layer], block, kernel, inner)
    return found


def ntk(
    inner: InnerProducts,
    widths: Widths | Sequence[int],
    scales: LayerScales,
    activation: Activation = RELU,
    *,
    biases: bool = False,
) -> FloatArray:
    """The neural tangent kernel of one output, the sum of ``layer_kernels``: (T, T').

    Takes and raises what ``gram_matrices`` does, and needs memory for the kernel alone.

    Examples:
        >>> from dynparam.theory.inner_products import inner_products
        >>> from dynparam.theory.parametrization import layer_scales
        >>> inner = inner_products([[1.0, 1.0], [1.0, -1.0]])
        >>> for widths in ((2, 100, 50, 1), (2, 10**7, 10, 1)):  # ntk has no widths in its kernel
        ...     print(ntk(inner, widths, layer_scales("ntk", widths)).round(3).tolist())
        [[2.0, 0.59], [0.59, 2.0]]
        [[2.0, 0.59], [0.59, 2.0]]
    """
    chain = _chain(inner, widths, scales, activation, biases)
    _require_memory((1, *inner.cross.shape), 1)
    found = np.empty(inner.cross.shape)
    for block in _blocks(inner):
        _put(found, block, np.add.reduce(chain.kernels(inner, block)), inner)
    return found


@dataclass(frozen=True)
class _Chain:
    """The layers of a network, and what they make of the squared norms; entry l - 1 of layer l.

    Attributes:
        units: n_1 ... n_{L-1}.
        s_square: s_l^2.
        g_square: g_l^2.
        bias: what a bias adds to P^{l-1}: n_{l-1}, or zero.
        rows: for every hidden layer the variance of a preactivation at each input, (T,).
        columns: the same at the others, (T',).
    """

    units: tuple[float, ...]
    s_square: tuple[float, ...]
    g_square: tuple[float, ...]
    bias: tuple[float, ...]
    activation: Activation
    rows: tuple[FloatArray, ...]
    columns: tuple[FloatArray, ...]

    @property
    def depth(self) -> int:
        """L."""
        return len(self.s_square)

    def block(self, inner: InnerProducts, block: Block) -> tuple[Grams, Grams]:
        """P^0 ... P^{L-1} and D^1 ... D^L of some rows and columns."""
        forward = [inner.cross[block]]
        slopes = []
        for layer, n in enumerate(self.units):
            value, slope = self._moments(layer, forward[-1], block, inner.symmetric)
            forward.append(n * value)
            slopes.append(n * self.s_square[layer + 1] * slope)
        backward = [np.ones_like(forward[0])]
        for slope in reversed(slopes):
            backward.insert(0, slope * backward[0])
        return forward, backward

    def kernels(self, inner: InnerProducts, block: Block) -> Grams:
        """Theta^1 ... Theta^L of some rows and columns."""
        layers = zip(self.g_square, *self.block(inner, block), self.bias, strict=True)
        return [g_square * d * (p + bias) for g_square, p, d, bias in layers]

    def _moments(self, layer: int, below: FloatArray, block: Block, symmetric: bool) -> Moments:
        """The activation's moments behind a hidden layer; exact for an input with itself."""
        q, p = self.rows[layer][block[0]], self.columns[layer][block[1]]
        covariance = self.s_square[layer] * (below + self.bias[layer])
        found = self.activation.pair(q[:, None], p[None, :], covariance)
        if symmetric and block[0] == block[1]:
            for moment, exact in zip(found, self.activation.single(q), strict=True):
                moment += moment.T  # a quadrature leaves rounding that is not symmetric
                moment /= 2
                np.fill_diagonal(moment, exact)
        return found


def _chain(
    inner: InnerProducts,
    widths: Widths | Sequence[int],
    scales: LayerScales,
    activation: Activation,
    biases: bool,
) -> _Chain:
    """The layers, checked. Raises as ``gram_matrices`` says."""
    widths = check_network(widths, scales)
    if inner.features != widths.sizes[0]:
        raise ConfigError(
            f"the inputs hold {inner.features} numbers each; widths {'-'.join(map(str, widths.sizes))} "
            f"need {widths.sizes[0]}"
        )
    units = tuple(float(n) for n in widths.hidden)
    s_square = tuple(s * s for s in scales.signal)
    bias = tuple(float(n) if biases else 0.0 for n in widths.sizes[:-1])
    rows, columns = (
        tuple(_variances(squares, units, s_square, bias, activation))
        for squares in (inner.rows, inner.columns)
    )
    g_square = tuple(g * g for g in scales.multiplier)
    return _Chain(units, s_square, g_square, bias, activation, rows, columns)


def check_network(widths: Widths | Sequence[int], scales: LayerScales) -> Widths:
    """The widths. Raises ``ConfigError`` if kernels have no meaning for them or for the scales."""
    widths = widths if isinstance(widths, Widths) else Widths(tuple(widths))
    if not widths.hidden:
        raise ConfigError("kernels need at least one hidden layer; this network has none")
    for name, values in (("multiplier", scales.multiplier), ("init_std", scales.init_std)):
        if len(values) != widths.depth:
            raise ConfigError(
                f"{name} has {len(values)} entries; these widths have {widths.depth} layers"
            )
        for layer, value in enumerate(values, start=1):
            smallest = "positive" if layer < widths.depth else "at least zero"
            if not (np.isfinite(value) and value >= 0 and (value > 0 or layer == widths.depth)):
                raise ConfigError(
                    f"{name} of layer {layer} is {value}; it must be finite and {smallest}"
                )
    return widths


def _variances(
    squares: FloatArray,
    units: Sequence[float],
    s_square: Sequence[float],
    bias: Sequence[float],
    activation: Activation,
) -> Iterator[FloatArray]:
    """The variance of a preactivation in every hidden layer, at each input: arrays (T,).

    Covariances are no larger than these, so that checking these checks all.
    """
    below = squares
    for layer, n in enumerate(units):
        with np.errstate(over="ignore"):
            variance = s_square[layer] * (below + bias[layer])
            below = n * activation.single(variance).value
        for name, values in (
            (f"the variance of layer {layer + 1}", variance),
            (f"P^{layer + 1}", below),
        ):
            bad = ~(np.isfinite(values) & (values > 0))
            if bad.any():
                raise NonFiniteError(
                    f"{name} is {values[np.argmax(bad)]} at input {np.argmax(bad)}; it must be positive "
                    f"and finite, so check the scales and the activation {activation.name}"
                )
        yield variance


def _blocks(inner: InnerProducts) -> Iterator[Block]:
    """Blocks that cover the matrix, or its upper half where the lower mirrors it."""
    rows, columns = inner.cross.shape
    for top in range(0, rows, BLOCK):
        for left in range(top if inner.symmetric else 0, columns, BLOCK):
            yield slice(top, top + BLOCK), slice(left, left + BLOCK)


def _put(matrix: FloatArray, block: Block, values: FloatArray, inner: InnerProducts) -> None:
    """Write a block, and its mirror image."""
    matrix[block] = values
    if inner.symmetric and block[0] != block[1]:
        matrix[block[1], block[0]] = values.T


def _require_memory(shape: tuple[int, int, int], arrays: int) -> None:
    layers, rows, columns = shape
    require_memory(
        8 * arrays * layers * rows * columns,
        f"kernels of {rows} by {columns} inputs",
        "take fewer inputs",
    )
