"""The coordinate check of one's own model: how sizes, updates and alignments move with its width.

A model is built at several widths, parametrized, and trained for a step or more on one batch. At every
step each weight layer is looked at as the thesis looks at its own network: the size of htilde^l, that of
Delta htilde^l on the same batch, and |<dL/dhtilde^l, Delta htilde^l>| (eq. 2.31).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from fractions import Fraction
from functools import partial
from itertools import product
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

from dynparam.models.check_result import SIZES, CoordinateCheck, Question, why_zero
from dynparam.models.expected import LayeredNetwork
from dynparam.models.inputs import doubled, mapped
from dynparam.models.optimizers import KINDS, rule_of
from dynparam.models.trial import Experiment, Loss, MakeOptimizer, Trial
from dynparam.support.errors import ConfigError, ModelError, NonFiniteError
from dynparam.support.numbers import positive, real, whole
from dynparam.support.progress import progress
from dynparam.theory.parametrization import HALF, Optimizer


def half_squared_error(output: Tensor, target: Tensor) -> Tensor:
    """The thesis's loss: the batch mean of 1/2 ||f - y||^2, f and y both (batch, ...)."""
    return (output - target).square().sum() / (2 * len(output))


def coordinate_check(
    make_model: Callable[[int], nn.Module],
    widths: Sequence[int],
    *,
    sample_input: Any,
    target: Any,
    parametrization: str | None = "dynamic",
    learning_rate: float = 0.1,
    r: Fraction | float = HALF,
    momentum: float = 0.0,
    optimizer: Optimizer | MakeOptimizer = "sgd",
    loss: Loss = half_squared_error,
    n_min: Callable[[int], int] | None = None,
    steps: int = 1,
    seeds: int = 20,
    confidence: float = 0.95,
    tolerance: float = 0.2,
    **options: Any,
) -> CoordinateCheck:
    """Measure a model at several widths, and judge how its layers scale.

    Everything is computed in float64, in the mode (training or evaluation) that ``make_model`` leaves
    the model in; random layers see the same random numbers before and after a step. The caller's tensors
    and random state are left as they were.

    Args:
        make_model: builds the model of a width; called once for each width and seed.
        widths: two at least, ascending; what "width" means is the model's affair.
        sample_input: one batch: a tensor, a tuple of arguments or a mapping of keyword arguments.
        target: what ``loss`` compares the model's output with.
        parametrization: as ``models.apply.apply`` takes it; ``None`` leaves initial values and the one
            learning rate to the model as it comes.
        learning_rate: the global eta.
        r: of ``dynamic``.
        momentum: of SGD; shows from the second step on.
        optimizer: ``sgd``, ``adam`` or ``adamw``, or what makes an optimizer of torch from groups of
            parameters. Theory knows SGD, and Adam and its like, whose steps have the size of their rate.
        loss: of one batch; its gradient has to be Theta(1) where outputs are, as the thesis's is.
        n_min: gives the n_min of a width, instead of its smallest hidden width.
        steps: how many steps of SGD on the batch are taken and looked at. Conditions are judged at each,
            the regime at the last. At step 1 it is that of initial weights, so that a network on a
            plateau looks lazy there and may become rich later: take more steps to see it.
        seeds: how many independent initializations at each width.
        confidence: level of the intervals of slopes.
        tolerance: largest difference of slopes that counts as equal.
        options: further arguments of ``apply.apply``: layers, readout, unchanged, gain, zero_biases.

    Raises ``ConfigError`` for too few widths, seeds or steps, ``ModelError`` for a model that cannot be
    handled or whose layers differ between widths, ``NonFiniteError`` naming the width, the seed and the
    layer where a value is not finite or everything is zero.

    Examples:
        >>> def make(width):
        ...     layers = nn.Linear(8, width, bias=False), nn.Linear(width, 2, bias=False)
        ...     return nn.Sequential(layers[0], nn.ReLU(), layers[1])
        >>> batch = {"sample_input": torch.eye(8), "target": torch.eye(8)[:, :2]}
        >>> check = coordinate_check(make, (32, 128, 512), seeds=10, **batch)
        >>> print(f"{check.verdict}, {check.regime} at step {check.last_step}")
        holds, rich at step 1
        >>> print(*check.orders.alignment)  # the exact exponents
        0 0
    """
    rule, make_optimizer = _optimizer(optimizer, learning_rate, momentum)
    question = Question(
        parametrization, r, real("confidence", confidence), real("tolerance", tolerance), rule
    )
    experiment = Experiment(
        make_model,
        mapped(sample_input, doubled),
        target,
        loss,
        question,
        positive("learning_rate", learning_rate),
        make_optimizer,
        n_min,
        options,
    )
    table, networks = _measured(
        experiment, _checked_widths(widths), _checked_seeds(seeds), whole("steps", steps)
    )
    return CoordinateCheck(table, networks, question)


def _measured(
    experiment: Experiment, widths: Sequence[int], seeds: int, steps: int
) -> tuple[pd.DataFrame, dict[int, LayeredNetwork]]:
    """A row for each width, seed, step and layer; and the layers at each width."""
    rows: list[pd.DataFrame] = []
    networks: dict[int, LayeredNetwork] = {}
    drawn: dict[tuple[int, bytes], int] = {}
    with progress("coordinate check", float(sum(widths) * seeds)) as advance, _in_float64():
        for width, seed in product(widths, range(seeds)):
            trial = Trial(experiment, width, seed)
            _require_new(drawn, width, seed, trial.fingerprint())
            if seed == 0:
                networks[width] = trial.network()
            rows += [trial.step(number) for number in range(1, steps + 1)]
            advance(width)
    _require_same_layers(networks)
    table = pd.concat(rows, ignore_index=True)
    _require_even_zeros(table)
    return table, networks


def _optimizer(
    optimizer: Optimizer | MakeOptimizer, learning_rate: Any, momentum: Any
) -> tuple[Optimizer | None, MakeOptimizer]:
    """The rule of rates that an optimizer takes, ``None`` if none is known, and what makes it."""
    rate, momentum = positive("learning_rate", learning_rate), real("momentum", momentum)
    if optimizer == "sgd":
        return "sgd", partial(torch.optim.SGD, lr=rate, momentum=momentum)
    if momentum:
        raise ConfigError(f"momentum is {momentum}, which is an option of sgd; leave it out")
    if not isinstance(optimizer, str):
        tried = optimizer([{"params": [nn.Parameter(torch.zeros(1))], "lr": rate}])
        return rule_of(type(tried)), optimizer
    if optimizer not in KINDS:
        raise ConfigError(f"unknown optimizer {optimizer!r}; choose one of {', '.join(KINDS)}")
    make: Callable[..., torch.optim.Optimizer] = KINDS[optimizer]
    return optimizer, partial(make, lr=rate, weight_decay=0.0)


@contextmanager
def _in_float64() -> Iterator[None]:
    """Tensors that a model or a loss makes are in float64 as well, unless it says otherwise."""
    kept = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(kept)


def _checked_widths(widths: Sequence[int]) -> tuple[int, ...]:
    found = tuple(whole("a width", width) for width in widths)
    if len(found) < 2 or list(found) != sorted(set(found)):
        raise ConfigError(f"widths are {found}; give at least two, ascending, of at least 1")
    return found


def _checked_seeds(seeds: Any) -> int:
    if whole("seeds", seeds) < 2:
        raise ConfigError(f"seeds is {seeds}; an interval needs at least two, a good one twenty")
    return whole("seeds", seeds)


def _require_new(drawn: dict[tuple[int, bytes], int], width: int, seed: int, fingerprint: bytes) -> None:
    """Refuse a network that another seed had: repeated, it is no independent repetition."""
    first = drawn.setdefault((width, fingerprint), seed)
    if first != seed:
        raise ModelError(
            f"the networks of seeds {first} and {seed} at width {width} are one and the same, so that "
            "there is no interval: make_model sets a seed itself, or draws nothing; let it draw new "
            "numbers in every call"
        )


def _require_even_zeros(table: pd.DataFrame) -> None:
    """Refuse a quantity that is zero in some trials: no power of the width is."""
    for (step, _), rows in table.groupby(["step", "layer"]):
        for quantity in SIZES:
            zero = rows[quantity] == 0
            if zero.any() and not zero.all():
                row = rows[zero].iloc[0]
                raise NonFiniteError(
                    f"{quantity} of {row['name']} is 0 at width {row['width']}, seed {row['seed']}, "
                    f"step {step}: {why_zero(row.to_dict())}"
                )


def _require_same_layers(networks: Mapping[int, LayeredNetwork]) -> None:
    (first, network), *others = networks.items()
    names = [layer.name for layer in network.layers]
    for width, other in others:
        found = [layer.name for layer in other.layers]
        if found != names:
            raise ModelError(
                f"the model has layers {', '.join(names)} at width {first} and {', '.join(found)} at "
                f"width {width}; make_model must change widths only"
            )
