"""Natural gradients, and approximations that train a wide network as fast as the exact one.

The loss is (1/2N) |f - y|^2 over N inputs. Let J_l hold the gradients of all outputs for W^l, K_l =
J_l J_l^T layer l's part of the neural tangent kernel K, and r = f - y. The Fisher information J^T J / N
has a rank far below the number of weights, so that its inverse is that of Moore and Penrose. Natural
gradients differ in what they keep of it:

    exact              Delta W = -eta J^T K^{-1} r,
    block diagonal     Delta W^l = -eta J_l^T K_l^{-1} r,
    block tridiagonal  Delta W^l = -eta J_l^T v_l,  sum_m T_lm K_m v_m = r,  T_lm = 1 where |l - m| <= 1,
    K-FAC              Delta W^l = -eta B_l^+ G_l A_l^+,  G_l = J_l^T r / N as a matrix,

with A_l = g_l^2 mean h^{l-1} h^{l-1 T} and B_l = mean delta^l delta^{l T} over inputs, for one output.
While these matrices stay what they are, each leaves after t steps

    f_t - y = (1 - eta a)^t (f_0 - y).

So only the speed a tells them apart (Karakida and Osawa 2020): each layer makes its share of it. There
is no damping here; with it the residual would fall at another speed along every direction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np

from dynparam.support.arrays import FloatArray
from dynparam.support.errors import ConfigError, DataError
from dynparam.theory.linearization import spectrum
from dynparam.theory.widths import Widths

Approximation = Literal["exact", "block_diagonal", "block_tridiagonal", "kfac"]
"""What is kept of the Fisher information: all, blocks of layers, these and their neighbours, factors."""

APPROXIMATIONS: tuple[Approximation, ...] = get_args(Approximation)

SINGULAR = 1e-12
"""An eigenvalue below this share of the largest counts as zero: its inverse would be of rounding."""


def layer_shares(approximation: Approximation, depth: int, inputs: int) -> FloatArray:
    """By how much of the residual each layer lowers it in a step of learning rate one: (L,).

    Blocks have one each. Those of the tridiagonal one are T^{-1} 1: every third layer has one, the
    others nothing. K-FAC has N in hidden layers, where it takes each of the ``inputs`` by itself, and
    one in the readout.

    Raises ``ConfigError`` for an unknown approximation, for the exact one, whose layers share as their
    kernels do, for fewer than two layers or one input, and for a singular T, at L = 2, 5, 8, ...

    Examples:
        >>> for depth in (3, 4, 6):
        ...     print(layer_shares("block_tridiagonal", depth, 1).tolist())
        [0.0, 1.0, 0.0]
        [1.0, 0.0, 0.0, 1.0]
        [0.0, 1.0, 0.0, 0.0, 1.0, 0.0]
        >>> layer_shares("kfac", 3, 32).tolist()
        [32.0, 32.0, 1.0]
    """
    _require_known(approximation)
    if approximation == "exact":
        raise ConfigError("the exact natural gradient has no shares: its layers move as kernels do")
    _require_counts(depth, inputs)
    found: FloatArray = np.ones(depth)
    if approximation == "kfac":
        found[:-1] = inputs
    elif approximation == "block_tridiagonal":
        if depth % 3 == 2:
            raise ConfigError(
                f"the block tridiagonal approximation of {depth} layers has no inverse: its T is "
                f"singular at L = 2, 5, 8, ...; take another depth, or another approximation"
            )
        first = 1 if depth % 3 == 0 else 0
        found[np.arange(depth) % 3 != first] = 0.0
    return found


def speed(approximation: Approximation, depth: int, inputs: int) -> float:
    """a: a step of learning rate eta leaves (1 - eta a) of the residual.

    Raises ``ConfigError`` as ``layer_shares`` does, but not for the exact one.

    Examples:
        >>> [speed(one, 4, 32) for one in APPROXIMATIONS]
        [1.0, 4.0, 2.0, 97.0]
    """
    if approximation == "exact":
        _require_counts(depth, inputs)
        return 1.0
    return float(layer_shares(approximation, depth, inputs).sum())


def remaining(learning_rate: float, speed: float, steps: int) -> float:
    """(1 - eta a)^t, what ``steps`` t leave of the residual. Raises ``ConfigError`` for t below zero.

    Examples:
        >>> a = speed("block_diagonal", 3, 32)
        >>> round(remaining(0.3 / a, a, steps=6), 5)
        0.11765
    """
    if steps < 0:
        raise ConfigError(f"{steps} steps are none that can be taken; give zero or more")
    return float((1 - learning_rate * speed) ** steps)


def require_possible(approximation: Approximation, widths: Widths | Sequence[int], inputs: int) -> None:
    """Raise ``ConfigError`` where the matrices to be inverted are singular, whatever the inputs are.

    A layer's kernel needs a weight for every input and output; only those of layers that have a share
    are inverted. K-FAC needs one output, and layers that are as wide as there are inputs, n_0 too.

    Examples:
        >>> require_possible("kfac", (64, 100, 100, 1), 32)
        >>> require_possible("kfac", (64, 100, 20, 1), 32)  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        dynparam.support.errors.ConfigError: K-FAC inverts 32 by 32 matrices of layers, which n_2 ...
    """
    widths = widths if isinstance(widths, Widths) else Widths(tuple(widths))
    outputs, rows = widths.sizes[-1], inputs * widths.sizes[-1]
    speed(approximation, widths.depth, inputs)
    if approximation == "kfac":
        if outputs > 1:
            raise ConfigError(
                f"K-FAC is for networks of one output here, and this one has {outputs}; take one, or "
                f"another approximation"
            )
        for layer, size in enumerate(widths.sizes[:-1]):
            if size < inputs:
                raise ConfigError(
                    f"K-FAC inverts {inputs} by {inputs} matrices of layers, which n_{layer} = {size} "
                    f"leaves singular; widen the layer, or take fewer inputs"
                )
        return
    if approximation == "exact":
        counts = {"the network": widths.weight_count}
    else:
        shares = layer_shares(approximation, widths.depth, inputs)
        layers = enumerate(zip(shares, widths.layers(), strict=True), start=1)
        counts = {f"layer {layer}": a * b for layer, (share, (a, b)) in layers if share}
    for what, count in counts.items():
        if count < rows:
            raise ConfigError(
                f"the kernel of {what} has {rows} rows and {count} weights, so that it is singular; "
                f"widen the layers, or take fewer inputs"
            )


def coefficients(approximation: Approximation, kernels: FloatArray, residual: FloatArray) -> FloatArray:
    """v_l of Delta W^l = -eta J_l^T v_l for ``kernels`` (L, C, N, C, N) and r (N, C): (L, N, C).

    Raises ``ConfigError`` for K-FAC, whose move no gradients add up to, for other shapes and as
    ``speed`` does, ``NonFiniteError`` for kernels that are not finite, and ``DataError`` for singular
    ones.

    Examples:
        >>> kernels = np.array([[[2.0, 1.0], [1.0, 2.0]], [[1.0, 0.0], [0.0, 1.0]]])[:, None, :, None]
        >>> r = np.array([[3.0], [0.0]])
        >>> coefficients("block_diagonal", kernels, r)[..., 0].round(6).tolist()
        [[2.0, -1.0], [3.0, 0.0]]
        >>> coefficients("exact", kernels, r)[..., 0].round(6).tolist()  # the same of every layer
        [[1.125, -0.375], [1.125, -0.375]]
    """
    if kernels.ndim != 5 or kernels.shape[1:3] != kernels.shape[3:]:
        raise ConfigError(f"kernels of shape {kernels.shape} are not those of layers, (L, C, N, C, N)")
    depth, outputs, inputs = kernels.shape[:3]
    if residual.shape != (inputs, outputs):
        raise ConfigError(
            f"a residual of shape {residual.shape} does not fit {inputs} inputs and {outputs} outputs"
        )
    if approximation == "kfac":
        raise ConfigError("K-FAC's move is no sum of gradients; take preconditioned factors instead")
    total = speed(approximation, depth, inputs)
    matrices = kernels.reshape(depth, outputs * inputs, outputs * inputs)
    right = residual.T.ravel()
    found = np.zeros((depth, outputs * inputs))
    if approximation == "exact":
        found[:] = total * _solved(matrices.sum(axis=0), right, "the kernel")
    else:
        for layer, share in enumerate(layer_shares(approximation, depth, inputs)):
            if share:
                what = f"the kernel of layer {layer + 1}"
                found[layer] = share * _solved(matrices[layer], right, what)
    return found.reshape(depth, outputs, inputs).transpose(0, 2, 1)


def preconditioned(rows: FloatArray, name: str) -> FloatArray:
    """(R^T R / N)^+ applied to each row of R (N, n): the rows of (R R^T / N)^{-1} R, (N, n).

    What K-FAC makes of the h^{l-1} and of the delta^l of N inputs; n has to be N or more. ``name`` says
    whose rows they are. Raises ``DataError`` naming it if some row is a combination of the others,
    ``NonFiniteError`` if one is not finite.

    Examples:
        >>> preconditioned(np.array([[2.0, 0.0, 0.0], [0.0, 4.0, 0.0]]), "h^0").tolist()
        [[1.0, 0.0, 0.0], [0.0, 0.5, 0.0]]
    """
    return _solved(rows @ rows.T / len(rows), rows, f"K-FAC's matrix of {name}")


def _solved(matrix: FloatArray, right: FloatArray, what: str) -> FloatArray:
    """matrix^{-1} right. Raises ``DataError`` if rounding leaves no inverse."""
    found = spectrum(matrix)
    rank = int((found.values > SINGULAR * found.largest).sum())
    if rank < found.inputs:
        raise DataError(
            f"{what} is singular, of rank {rank} in place of {found.inputs}; leave out inputs that are "
            f"equal or combine to others, or widen the layers"
        )
    modes = found.vectors.T @ right
    solved: FloatArray = found.vectors @ (modes.T / found.values).T
    return solved


def _require_known(approximation: str) -> None:
    if approximation not in APPROXIMATIONS:
        raise ConfigError(
            f"unknown approximation {approximation!r}; choose one of {', '.join(APPROXIMATIONS)}"
        )


def _require_counts(depth: int, inputs: int) -> None:
    if depth < 2:
        raise ConfigError(f"{depth} layers leave no hidden layer; give two or more")
    if inputs < 1:
        raise ConfigError(f"{inputs} inputs have no gradients; give one or more")
