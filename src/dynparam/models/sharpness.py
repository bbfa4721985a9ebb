"""The sharpness of one's own model: the largest eigenvalue of its Gauss-Newton matrix on a batch.

With the outputs f of a batch, their Jacobian J for all trained parameters and the Hessian H of the loss
in f, the matrix is G = J^T H J. For the squared error (1/2T) |f - y|^2 and for the cross-entropy of
softmax outputs, as means over T inputs, it is the Fisher information; for the former its nonzero
eigenvalues are those of Theta / T, Theta the kernel of all outputs (``theory.fisher``). As long as J
does not move, gradient descent is stable up to the learning rate 2 / lambda_max.

No matrix is formed. The model runs once; a product G v takes its graph forth, by a second derivative,
and back. Lanczos iteration needs some tens of products and three vectors of the parameters' size.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.linalg import eigh_tridiagonal
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.parameter import is_lazy

from dynparam.models.execution import first_line, gpus
from dynparam.models.inputs import arguments, mapped, tensors
from dynparam.models.stand_ins import for_buffers, for_parameters, run
from dynparam.support.errors import ConfigError, ModelError, NonFiniteError
from dynparam.support.numbers import real, whole
from dynparam.support.randomness import global_randomness

Loss = Callable[[Any, Any], Tensor]
"""(the model's output, target) to a scalar."""

Vector = list[Tensor]
"""A vector as tensors of the shapes of parameters, or of outputs."""

ROUNDING = 8
"""What is smaller than so many units of rounding of the largest product is none."""


@dataclass(frozen=True)
class Sharpness:
    """The largest eigenvalue of a Gauss-Newton matrix.

    Attributes:
        value: the eigenvalue, lambda_max, in units of one over a learning rate.
        residual: |G v - lambda_max v| over lambda_max, for a unit vector v: an eigenvalue lies within
            this share of it, mostly within its square.
        products: products with the matrix that were taken.
    """

    value: float
    residual: float
    products: int

    @property
    def learning_rate(self) -> float:
        """2 / lambda_max, the largest stable one; infinite where there is no curvature."""
        return 2 / self.value if self.value > 0 else math.inf


def sharpness(
    model: nn.Module,
    loss: Loss,
    batch: tuple[Any, Any],
    *,
    tolerance: float = 1e-4,
    most_products: int = 300,
) -> Sharpness:
    """The largest eigenvalue of the Gauss-Newton matrix of a model on a batch, and 2 over it.

    It is that of the parameters that require a gradient, all with one learning rate, in the precision of
    the model and in the mode, training or evaluation, that it is in. Parameters, buffers, gradients and
    random state are left as they were.

    Args:
        model: any torch model; it may return tensors in nested tuples, lists and mappings.
        loss: of the whole batch; the Hessian is its own, so a mean over the batch gives the sharpness of
            the mean. The Gauss-Newton matrix leaves out the curvature of the outputs themselves.
        batch: (inputs, target). Inputs are a tensor, a tuple of arguments or a mapping of keyword
            arguments; the target is what ``loss`` takes.
        tolerance: largest ``residual``.
        most_products: products with the matrix after which it is given up.

    Raises ``ConfigError`` for a batch or options of another kind, ``ModelError`` for a model without
    trained parameters, one that does not run on the batch or cannot be differentiated twice, a loss that
    is no scalar, and an iteration that does not converge, and ``NonFiniteError`` where outputs, loss or
    a product are not finite.

    Examples:
        >>> model = nn.Linear(2, 1, bias=False)  # f = w x: G is the mean of x x^T
        >>> batch = torch.tensor([[3.0, 0.0], [0.0, 1.0]]), torch.zeros(2, 1)
        >>> found = sharpness(model, lambda f, y: (f - y).square().sum() / 4, batch)
        >>> print(f"{found.value:.3f}, stable below {found.learning_rate:.3f}")
        4.500, stable below 0.444
    """
    inputs, target = _checked(model, batch, tolerance, most_products)
    with _as_it_was(model):
        matrix = _GaussNewton.of(model, loss, inputs, target)
        return _largest_eigenvalue(matrix, tolerance, most_products)


def _checked(
    model: nn.Module, batch: tuple[Any, Any], tolerance: float, most_products: int
) -> tuple[Any, Any]:
    if not isinstance(model, nn.Module):
        raise ModelError(f"model is a {type(model).__name__}; give a torch.nn.Module")
    if not isinstance(batch, tuple | list) or len(batch) != 2:
        raise ConfigError(
            "batch must be a pair (inputs, target); several inputs go into a tuple of their own"
        )
    if not 0 < real("tolerance", tolerance) < 1:
        raise ConfigError(f"tolerance is {tolerance}; give a number between 0 and 1")
    whole("most_products", most_products)
    lazy = [name for name, parameter in model.named_parameters() if is_lazy(parameter)]
    if lazy:
        raise ModelError(f"{lazy[0]} has no shape yet; run the model on a batch once")
    trained = {name: one for name, one in model.named_parameters() if one.requires_grad}
    if not sum(one.numel() for one in trained.values()):
        raise ModelError(
            f"{type(model).__name__} has no parameter that requires a gradient; unfreeze one"
        )
    for name, one in trained.items():
        if one.dtype not in (torch.float32, torch.float64):
            raise ModelError(
                f"{name} is in {one.dtype}, too coarse for eigenvalues or not real; call model.float()"
            )
    return batch[0], batch[1]


@contextmanager
def _as_it_was(model: nn.Module) -> Iterator[None]:
    """Random state restored, gradients on in any context, attention as it is twice differentiable."""
    with (
        global_randomness(gpus=gpus(model)),
        torch.inference_mode(False),
        torch.enable_grad(),
        sdpa_kernel(SDPBackend.MATH),
    ):
        yield


@dataclass(frozen=True)
class _GaussNewton:
    """Products with J^T H J, from the graphs of one run.

    Attributes:
        parameters: stand-ins of those that are trained.
        outputs: of the run, on its graph.
        weights: one for each output; the gradient of sum <weights, outputs> is J^T weights.
        pulled: that gradient, whose own gradient for the weights is J v.
        ends: the same outputs, where the graph of the loss begins.
        slopes: the loss's gradient there.
    """

    parameters: Vector
    outputs: Vector
    weights: Vector
    pulled: Vector
    ends: Vector
    slopes: Vector

    @classmethod
    def of(cls, model: nn.Module, loss: Loss, inputs: Any, target: Any) -> _GaussNewton:
        """Of one run of the model."""
        standing = for_parameters(model, lambda _, one: one.detach().requires_grad_(one.requires_grad))
        distinct = {id(one): one for one in standing.values()}
        parameters = [one for one in distinct.values() if one.requires_grad]
        output = _run(model, standing, inputs)
        outputs = [one for one in tensors(output) if one.requires_grad]
        if not outputs:
            raise ModelError(
                f"no output of {type(model).__name__} depends on a parameter that requires a gradient; "
                f"return tensors, in tuples, lists or mappings, and do not detach them"
            )
        if not all(one.isfinite().all() for one in outputs):
            raise NonFiniteError(
                f"{type(model).__name__} has outputs that are not finite; check its parameters"
            )
        ends = [one.detach().requires_grad_() for one in outputs]
        value = _loss(loss, _replaced(output, iter(ends)), target)
        slopes = _gradients([value], ends, create_graph=True)
        weights = [torch.zeros_like(one, requires_grad=True) for one in outputs]
        pulled = _gradients(outputs, parameters, weights, create_graph=True)
        matrix = cls(parameters, outputs, weights, pulled, ends, slopes)
        matrix.require_second_derivative()
        return matrix

    def require_second_derivative(self) -> None:
        """Raise ``ModelError`` unless <u, J v> is <J^T u, v>: autograd may drop a path in silence."""
        u, v = _normal(self.outputs, 1), _normal(self.parameters, 2)
        forth = _gradients(self.pulled, self.weights, v)
        back = _gradients(self.outputs, self.parameters, u)
        unit = max(torch.finfo(one.dtype).eps for one in self.parameters) ** 0.5
        size = _norm(u) * _norm(forth) + _norm(back) * _norm(v)
        if abs(_dot(u, forth) - _dot(back, v)) > unit * size:
            raise ModelError(
                "the model cannot be differentiated twice: an operation of its own has no second "
                "derivative; replace it by operations of torch"
            )

    def times(self, vector: Vector) -> Vector:
        """G v."""
        forth = _gradients(self.pulled, self.weights, vector)
        bent = _gradients(self.slopes, self.ends, forth)
        back = _gradients(self.outputs, self.parameters, bent)
        if not all(one.isfinite().all() for one in back):
            raise NonFiniteError(
                "a product with the Gauss-Newton matrix is not finite; check parameters, inputs and loss"
            )
        return back


def _run(model: nn.Module, parameters: Mapping[str, Tensor], inputs: Any) -> Any:
    """The model's output, from stand-ins of its parameters and copies of its buffers."""
    buffers = for_buffers(model, lambda _, one: one.clone())
    args, kwargs = arguments(inputs)
    try:
        return run(model, {**parameters, **buffers}, args, kwargs)
    except Exception as error:
        raise ModelError(
            f"{type(model).__name__} does not run on the batch's inputs ({first_line(error)}); give "
            f"them as in training, on the model's device"
        ) from error


def _loss(loss: Loss, output: Any, target: Any) -> Tensor:
    """The loss, checked."""
    try:
        value = loss(output, target)
    except Exception as error:
        raise ModelError(
            f"the loss does not take the model's output and the target ({first_line(error)}); give a "
            f"function of these two"
        ) from error
    if not isinstance(value, Tensor) or value.numel() != 1:
        what = f"of shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
        raise ModelError(f"the loss is {what}, no scalar tensor; take its mean over the batch")
    if not value.isfinite():
        raise NonFiniteError(f"the loss is {value.item()} on this batch; check parameters and target")
    if not value.requires_grad:
        raise ModelError("the loss does not depend on the model's output; compute it without detaching")
    return value.reshape(())


def _replaced(output: Any, values: Iterator[Tensor]) -> Any:
    """The same output with other tensors in place of those that require a gradient."""
    return mapped(output, lambda one: next(values) if one.requires_grad else one)


def _gradients(
    of: Sequence[Tensor],
    at: Sequence[Tensor],
    along: Sequence[Tensor] | None = None,
    *,
    create_graph: bool = False,
) -> Vector:
    """The gradient of sum <along, of>, zero where nothing depends on it; its graph is kept."""
    chosen = [place for place, one in enumerate(of) if one.requires_grad]
    if not chosen:
        return [torch.zeros_like(one) for one in at]
    try:
        found = torch.autograd.grad(
            [of[place] for place in chosen],
            at,
            None if along is None else [along[place] for place in chosen],
            retain_graph=True,
            create_graph=create_graph,
            allow_unused=True,
        )
    except RuntimeError as error:
        raise ModelError(
            f"the model or the loss cannot be differentiated twice ({first_line(error)}); replace the "
            f"operation that this names"
        ) from error
    return [torch.zeros_like(b) if a is None else a for a, b in zip(found, at, strict=True)]


def _largest_eigenvalue(matrix: _GaussNewton, tolerance: float, most_products: int) -> Sharpness:
    """By Lanczos iteration from a fixed start, without reorthogonalization.

    Lost orthogonality repeats eigenvalues that have converged and moves none, so three vectors do.
    """
    current = _normal(matrix.parameters, 0)
    current = _scaled(current, 1 / _norm(current))
    previous: Vector | None = None
    diagonal: list[float] = []
    beside: list[float] = []
    largest, residual = 0.0, math.inf
    unit = max(torch.finfo(one.dtype).eps for one in current)
    for count in range(1, most_products + 1):
        following = matrix.times(current)
        scale = _norm(following)
        diagonal.append(_dot(current, following))
        following = _less(following, current, diagonal[-1])
        if previous is not None:
            following = _less(following, previous, beside[-1])
        rest = _norm(following)
        value, share = _top(diagonal, beside)
        largest = max(largest, scale)
        floor = ROUNDING * unit * largest
        if value <= floor:
            value = 0.0
        residual = rest * share / value if value else math.inf
        if residual <= tolerance:
            return Sharpness(value, residual, count)
        if rest * share <= floor:
            # Exact but for rounding: nothing is left to find, or there is no curvature to be found.
            return Sharpness(value, 0.0, count)
        beside.append(rest)
        previous, current = current, _scaled(following, 1 / rest)
    raise ModelError(
        f"the largest eigenvalue has not converged after {most_products} products (residual "
        f"{residual:.1e}, tolerance {tolerance:g}); raise most_products or tolerance"
    )


def _top(diagonal: Sequence[float], beside: Sequence[float]) -> tuple[float, float]:
    """The largest eigenvalue of a tridiagonal matrix, and the last entry of its vector in size."""
    last = len(diagonal) - 1
    values, vectors = eigh_tridiagonal(
        np.array(diagonal), np.array(beside), select="i", select_range=(last, last)
    )
    return float(values[0]), abs(float(vectors[-1, 0]))


def _normal(like: Vector, seed: int) -> Vector:
    """Normal numbers of the same shapes, the same at every call."""
    random = torch.Generator("cpu").manual_seed(seed)
    return [
        torch.randn(one.shape, generator=random, dtype=one.dtype, device="cpu").to(one.device)
        for one in like
    ]


def _dot(a: Vector, b: Vector) -> float:
    return math.fsum(torch.sum(x.double() * y.double()).item() for x, y in zip(a, b, strict=True))


def _norm(a: Vector) -> float:
    return math.sqrt(_dot(a, a))


def _scaled(a: Vector, factor: float) -> Vector:
    return [factor * x for x in a]


def _less(a: Vector, b: Vector, factor: float) -> Vector:
    """A - factor b."""
    return [x - factor * y for x, y in zip(a, b, strict=True)]
