"""Parametrizations: pure rules, widths in, multipliers and initial standard deviations out.

A parametrization assigns to every layer l a multiplier g_l and a scale sigma_l (Sec. 2.1):

    htilde^l = g_l W^l h^{l-1},   W^l_ij ~ N(0, (gamma_l sigma_l)^2),

with gamma_l = sqrt(2) for l < L, making up for ReLU, and gamma_L = 1. Each g_l and sigma_l is a
product of powers of widths, so a rule is written once, as exponents (``Monomial``): evaluated on
integers it gives ``layer_scales``, evaluated on growth exponents the exact orders of ``orders.py``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, get_args

from dynparam.support.errors import ConfigError
from dynparam.theory.widths import Widths

ParametrizationName = Literal["ntk", "mup", "spectral", "dynamic", "standard"]
NAMES: tuple[str, ...] = get_args(ParametrizationName)

FirstLayer = Literal["written", "asymptotic"]
"""How eq. 3.4 is read in the first layer of spectral parametrization: as it is written, or as n grows.

It has two cases, n_{l-1} <= n_l and n_{l-1} > n_l. Which one is that of the first layer depends on n_0
as a number ("written"), or n_0 counts as Theta(1), at most n_1 at every n ("asymptotic").
"""

Optimizer = Literal["sgd", "adam", "adamw"]
"""What trains: by gradients (with momentum or none), or by steps of the size of the learning rate alone.

Adam divides every entry of the gradient by its own size, so that the first step is eta times its sign.
"""

HALF = Fraction(1, 2)


@dataclass(frozen=True)
class Monomial:
    """fan_in^a * fan_out^b * max(fan_in, fan_out)^c * n_min^d of a layer; a, b, c, d exact."""

    fan_in: Fraction = Fraction(0)
    fan_out: Fraction = Fraction(0)
    larger: Fraction = Fraction(0)
    n_min: Fraction = Fraction(0)

    def value(self, fan_in: int, fan_out: int, n_min: int) -> float:
        """The monomial at integer widths (integers of any size)."""
        bases = (fan_in, fan_out, max(fan_in, fan_out), n_min)
        powers = (self.fan_in, self.fan_out, self.larger, self.n_min)
        return math.prod(math.pow(base, power) for base, power in zip(bases, powers, strict=True))

    def order(self, fan_in: Fraction, fan_out: Fraction, n_min: Fraction) -> Fraction:
        """The monomial's exponent when each width is n to the given exponent."""
        return (
            self.fan_in * fan_in
            + self.fan_out * fan_out
            + self.larger * max(fan_in, fan_out)
            + self.n_min * n_min
        )

    def __mul__(self, other: Monomial) -> Monomial:
        """The product, whose powers are sums."""
        return Monomial(
            self.fan_in + other.fan_in,
            self.fan_out + other.fan_out,
            self.larger + other.larger,
            self.n_min + other.n_min,
        )


@dataclass(frozen=True)
class LayerRule:
    """How one layer's multiplier g_l and scale sigma_l follow from its widths."""

    multiplier: Monomial
    sigma: Monomial


@dataclass(frozen=True)
class RateRule:
    """How the learning rates of a layer's weights and biases follow from its widths, over eta."""

    weight: Monomial
    bias: Monomial


@dataclass(frozen=True)
class LayerScales:
    """The scales of every layer l = 1 ... L; entry l - 1 belongs to layer l.

    Attributes:
        multiplier: g_l.
        init_std: gamma_l sigma_l, the true standard deviation of the weights W^l_ij.
    """

    multiplier: tuple[float, ...]
    init_std: tuple[float, ...]

    @property
    def signal(self) -> tuple[float, ...]:
        """s_l = g_l sigma_l gamma_l: the standard deviation of the product g_l W^l_ij."""
        return tuple(g * std for g, std in zip(self.multiplier, self.init_std, strict=True))


@dataclass(frozen=True)
class LearningRateForm:
    """The same trajectory with g_l = 1: scales of ordinary layers and optimizer groups (Sec. 2.5).

    Attributes:
        init_std: g_l gamma_l sigma_l, the standard deviation of layer l's weights (eq. 2.81).
        learning_rate_factor: g_l^2, by which layer l's learning rate exceeds eta (eq. 2.80).
        bias_init_std: g_l gamma_l sigma_l sqrt(n_{l-1}), of layer l's biases (eq. 2.2).
        bias_learning_rate_factor: g_l^2 n_{l-1}, the same for layer l's biases (eq. 2.2).
    """

    init_std: tuple[float, ...]
    learning_rate_factor: tuple[float, ...]
    bias_init_std: tuple[float, ...]
    bias_learning_rate_factor: tuple[float, ...]


def layer_rules(
    name: str, depth: int, r: Fraction | float = HALF, first_layer: FirstLayer = "written"
) -> tuple[LayerRule, ...]:
    """The rules of the layers 1 ... depth of parametrization ``name``.

    - ``ntk``: eqs. 2.5-2.6.
    - ``mup``: maximal update, layer by layer; for equal hidden widths dynamic with r = 1/2 (Sec. 2.4).
    - ``spectral``: eqs. 3.3-3.4; sigma_l is one over the root of the larger of fan_in and fan_out. With
      ``first_layer`` "asymptotic" it is n_1^(-1/2) in the first hidden layer, however large n_0 is.
    - ``dynamic``: eqs. 2.73-2.77, with r in [0, 1/2] (eq. 2.67).
    - ``standard``: g_l = 1 with He's hidden and LeCun's readout initialization (eq. 2.87).

    Raises ``ConfigError`` for an unknown name or, if the name is ``dynamic``, for r outside [0, 1/2].

    Examples:
        >>> hidden, readout = layer_rules("dynamic", depth=2)
        >>> hidden.multiplier.value(fan_in=100, fan_out=50, n_min=25)  # sqrt(n_min / fan_in)
        0.5
        >>> n = Fraction(1)  # The same rule where all widths grow as n.
        >>> hidden.multiplier.order(fan_in=n, fan_out=n, n_min=n)
        Fraction(0, 1)
    """
    if name not in NAMES:
        raise ConfigError(f"unknown parametrization {name!r}; choose one of {', '.join(NAMES)}")
    inverse_root_fan_in = Monomial(fan_in=-HALF)
    root_of_ratio = Monomial(fan_in=-HALF, fan_out=HALF)
    one = Monomial()
    if name == "ntk":
        return (LayerRule(inverse_root_fan_in, one),) * depth
    if name == "mup":
        hidden = LayerRule(root_of_ratio, Monomial(fan_out=-HALF))
        readout = LayerRule(inverse_root_fan_in, inverse_root_fan_in)
    elif name == "spectral":
        hidden = readout = LayerRule(root_of_ratio, Monomial(larger=-HALF))
        if first_layer == "asymptotic" and depth > 1:
            first = LayerRule(root_of_ratio, Monomial(fan_out=-HALF))
            return (first, *(hidden,) * (depth - 2), readout)
    elif name == "standard":
        hidden = readout = LayerRule(one, inverse_root_fan_in)
    else:
        r = _checked_r(r)
        hidden = LayerRule(Monomial(fan_in=-HALF, n_min=r), Monomial(n_min=-r))
        readout = LayerRule(inverse_root_fan_in, Monomial(n_min=-r))
    return (*(hidden,) * (depth - 1), readout)


def rate_rules(
    name: str, depth: int, r: Fraction | float = HALF, optimizer: Optimizer = "sgd"
) -> tuple[RateRule, ...]:
    """The learning rates of the layers 1 ... depth without multipliers, in units of eta.

    Under SGD they are g_l^2, and g_l^2 n_{l-1} for biases (eqs. 2.80 and 2.2). Under Adam a step moves
    every weight by its rate eta_l, so that a layer's own part of its update has the norm
    eta_l n_{l-1} sqrt(n_l), to constants. If it is to be m in hidden layers and Theta(1) in an output,

        eta_l = eta m / (n_{l-1} sqrt(n_l)),   eta_L = eta / n_{L-1},   biases: eta m / sqrt(n_l), eta,

    with m = n_min^r under ``dynamic``, sqrt(n_l) under ``spectral`` and ``mup``, and 1 under ``ntk``;
    under ``standard`` every rate is eta. This is not in the thesis; ``docs/theory/adam.md`` derives it.

    Raises ``ConfigError`` as ``layer_rules`` does, and for an optimizer of another name.

    Examples:
        >>> hidden, readout = rate_rules("dynamic", depth=2, optimizer="adam")
        >>> hidden.weight.value(fan_in=100, fan_out=16, n_min=4)  # sqrt(4) / (100 * sqrt(16))
        0.005
        >>> readout.weight.value(fan_in=100, fan_out=2, n_min=4)
        0.01
    """
    rules = layer_rules(name, depth, r)
    if optimizer == "sgd":
        squares = [rule.multiplier * rule.multiplier for rule in rules]
        return tuple(RateRule(square, square * Monomial(fan_in=Fraction(1))) for square in squares)
    if optimizer not in get_args(Optimizer):
        raise ConfigError(
            f"unknown optimizer {optimizer!r}; choose one of {', '.join(get_args(Optimizer))}"
        )
    if name == "standard":
        return (RateRule(Monomial(), Monomial()),) * depth
    size = {
        "dynamic": Monomial(n_min=_checked_r(r)) if name == "dynamic" else Monomial(),
        "ntk": Monomial(),
    }.get(name, Monomial(fan_out=HALF))
    bias = size * Monomial(fan_out=-HALF)
    hidden = RateRule(bias * Monomial(fan_in=Fraction(-1)), bias)
    return (*(hidden,) * (depth - 1), RateRule(Monomial(fan_in=Fraction(-1)), Monomial()))


def layer_scales(
    name: str,
    widths: Widths | Sequence[int],
    r: Fraction | float = HALF,
    first_layer: FirstLayer = "written",
) -> LayerScales:
    """The multipliers and initial standard deviations of parametrization ``name`` (Sec. 2.4, 3.1).

    ``widths`` are n_0 ... n_L; ``r`` matters to ``dynamic`` alone, ``first_layer`` to ``spectral``
    (``layer_rules``). Raises ``ConfigError`` for an unknown name, bad widths, no hidden layer, or r
    outside [0, 1/2].

    Examples:
        >>> scales = layer_scales("dynamic", (64, 16, 4, 16, 2))
        >>> scales.multiplier  # sqrt(4 / fan_in), and 1 / sqrt(16) at the readout
        (0.25, 0.5, 1.0, 0.25)
        >>> [round(std, 3) for std in scales.init_std]  # sqrt(2 / 4), and 1 / sqrt(4) at the readout
        [0.707, 0.707, 0.707, 0.5]
        >>> for reading in get_args(FirstLayer):  # sqrt(2 / 64), and sqrt(2 / 16)
        ...     scales = layer_scales("spectral", (64, 16, 4, 2), first_layer=reading)
        ...     print(f"{reading}: {scales.init_std[0]:.3f}")
        written: 0.177
        asymptotic: 0.354
    """
    widths = widths if isinstance(widths, Widths) else Widths(tuple(widths))
    n_min = widths.n_min
    rules = layer_rules(name, widths.depth, r, first_layer)
    layers = list(zip(rules, widths.layers(), strict=True))
    multiplier = tuple(rule.multiplier.value(*shape, n_min) for rule, shape in layers)
    sigma = tuple(rule.sigma.value(*shape, n_min) for rule, shape in layers)
    gamma = relu_gains(widths.depth)
    return LayerScales(multiplier, tuple(a * b for a, b in zip(gamma, sigma, strict=True)))


def hybrid_scales(initial: LayerScales, rates: LayerScales) -> LayerScales:
    """Scales of networks that start as under ``initial`` and train at the rates of ``rates``.

    At given widths a parametrization is initial standard deviations of g_l W^l and learning-rate
    factors g_l^2, nothing else (Sec. 2.5), so that both can be chosen apart. Raises ``ConfigError`` if
    the two have different depths.

    Examples:
        >>> widths = (64, 16, 4, 16, 2)
        >>> small, fast = layer_scales("spectral", widths), layer_scales("dynamic", widths)
        >>> both = hybrid_scales(small, fast)
        >>> both.multiplier == fast.multiplier
        True
        >>> all(math.isclose(a, b) for a, b in zip(both.signal, small.signal))
        True
    """
    if len(initial.multiplier) != len(rates.multiplier):
        raise ConfigError(
            f"initial scales of {len(initial.multiplier)} layers and rates of {len(rates.multiplier)} "
            f"are not of one network; give both for the same widths"
        )
    pairs = zip(initial.signal, rates.multiplier, strict=True)
    return LayerScales(rates.multiplier, tuple(signal / g for signal, g in pairs))


def scales_of_update(widths: Widths | Sequence[int], update_norm: float) -> LayerScales:
    """Scales by which all hidden layers move by parts of their own of one norm (eqs. 2.68-2.71).

    ``update_norm`` is the order of that norm. It may be any positive number: n_min^r is dynamic
    parametrization, for r beyond 1/2 too. Behind a narrower layer the whole update is larger by
    sqrt(n_l / min(n_1 ... n_l)), where eq. 2.40 asks for one norm. Raises ``ConfigError`` for bad
    widths, no hidden layer, or a number that is not positive and finite.

    Examples:
        >>> widths = Widths((64, 16, 4, 16, 2))
        >>> scales_of_update(widths, widths.n_min**0.5) == layer_scales("dynamic", widths, r=HALF)
        True
    """
    widths = widths if isinstance(widths, Widths) else Widths(tuple(widths))
    if not (update_norm > 0 and math.isfinite(update_norm)):
        raise ConfigError(f"the size of updates is {update_norm}; it must be positive and finite")
    if not widths.hidden:
        raise ConfigError("updates of one size need at least one hidden layer; this network has none")
    inverse_root = [1 / math.sqrt(fan_in) for fan_in, _ in widths.layers()]
    gamma = relu_gains(widths.depth)
    return LayerScales(
        multiplier=(*(update_norm * value for value in inverse_root[:-1]), inverse_root[-1]),
        init_std=tuple(gain / update_norm for gain in gamma),
    )


def learning_rate_form(
    name: str,
    widths: Widths | Sequence[int],
    r: Fraction | float = HALF,
    optimizer: Optimizer = "sgd",
) -> LearningRateForm:
    """Parametrization ``name`` as initial standard deviations and learning-rate factors (Sec. 2.5).

    A network without multipliers, initialized with ``init_std`` and trained by SGD (momentum or
    none) with learning rate eta * factor in each layer, computes the same functions at every step. For
    Adam the factors are those of ``rate_rules``. Raises as ``layer_scales`` does.

    Examples:
        >>> form = learning_rate_form("dynamic", (64, 16, 4, 16, 2))
        >>> form.learning_rate_factor  # the squared multipliers
        (0.0625, 0.25, 1.0, 0.0625)
        >>> [round(std, 3) for std in form.init_std]  # sqrt(2 / fan_in), and 1 / sqrt(n_min fan_in)
        [0.177, 0.354, 0.707, 0.125]
    """
    widths = widths if isinstance(widths, Widths) else Widths(tuple(widths))
    scales = layer_scales(name, widths, r)
    fan_ins, n_min = widths.sizes[:-1], widths.n_min
    rules = list(zip(rate_rules(name, widths.depth, r, optimizer), widths.layers(), strict=True))
    return LearningRateForm(
        init_std=scales.signal,
        learning_rate_factor=tuple(rule.weight.value(*shape, n_min) for rule, shape in rules),
        bias_init_std=tuple(s * math.sqrt(n) for s, n in zip(scales.signal, fan_ins, strict=True)),
        bias_learning_rate_factor=tuple(rule.bias.value(*shape, n_min) for rule, shape in rules),
    )


def relu_gains(depth: int) -> tuple[float, ...]:
    """gamma_l: sqrt(2) for the layers followed by ReLU, 1 for the readout (Sec. 2.2)."""
    return (*(math.sqrt(2),) * (depth - 1), 1.0)


def _checked_r(r: Fraction | float) -> Fraction:
    if not 0 <= r <= HALF:
        raise ConfigError(f"r = {r} is outside [0, 1/2]; dynamic parametrization needs 0 <= r <= 1/2")
    return Fraction(r)


HALF = Fraction(1, 2)
