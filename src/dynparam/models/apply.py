"""A parametrization for one's own torch model: initial values and optimizer groups (Sec. 2.5).

In the learning-rate form a parametrization is a standard deviation and a learning rate for each
parameter. A weight V^l (n_l, n_{l-1}) of a layer with multiplier g_l and scale sigma_l gets

    V^l_ij ~ N(0, (g_l gamma_l sigma_l)^2),   eta_l = eta g_l^2                   (eqs. 2.80-2.81)

and a bias, which is a weight on the constant input sqrt(n_{l-1}) (eq. 2.2), the same with
g_l sqrt(n_{l-1}) in place of g_l. ``apply`` draws the values into the model and returns the rates.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Literal

import pandas as pd
import torch
from torch import Tensor, nn

from dynparam.models.layers import Kept, WeightLayer, find_layers, first_names, other_parameters
from dynparam.models.optimizers import KINDS, TOLD, ParameterGroup, rule_of
from dynparam.support.errors import ConfigError, ModelError
from dynparam.support.numbers import positive, whole
from dynparam.theory.parametrization import (
    HALF,
    LayerRule,
    Optimizer,
    RateRule,
    layer_rules,
    rate_rules,
)

Role = Literal["hidden", "readout", "unchanged", "frozen"]

EPS = 1e-8
"""What Adam adds to the size of a gradient's entry, where that is of order one: torch's own."""

COLUMNS = ("layer", "parameter", "role", "fan_in", "fan_out", "init_std", "learning_rate")

RELU_GAIN = math.sqrt(2)
"""gamma_l of a layer followed by ReLU, which halves the second moment (Sec. 2.2)."""


@dataclass(frozen=True)
class Setting:
    """What ``apply`` set for one parameter of the model.

    Attributes:
        layer: the name of its module, empty for the model itself.
        parameter: its name in the module, such as weight or bias.
        role: of a hidden layer or a readout; unchanged, with its initial values kept and the global
            learning rate; or frozen, with its values kept and in no group.
        fan_in: n_{l-1} of the layer; None without a layer.
        fan_out: n_l of the layer, likewise.
        init_std: standard deviation of the initial values; None if they were kept.
        learning_rate: None if frozen.
        tensor: the parameter itself.
        eps: what Adam adds to the size of a gradient's entry, of the order of these entries; None for
            SGD.
    """

    layer: str
    parameter: str
    role: Role
    fan_in: int | None
    fan_out: int | None
    init_std: float | None
    learning_rate: float | None
    tensor: nn.Parameter = field(compare=False, repr=False)
    eps: float | None = None

    @property
    def name(self) -> str:
        """The parameter's name in the model."""
        return f"{self.layer}.{self.parameter}" if self.layer else self.parameter

    @property
    def is_bias(self) -> bool:
        """Whether it is the bias of a weight layer."""
        return self.role in ("hidden", "readout") and self.tensor.ndim == 1


@dataclass(frozen=True)
class Applied:
    """A parametrization as it was applied to a model.

    Attributes:
        parametrization: its name.
        learning_rate: the global learning rate eta.
        r: the power of n_min in ``dynamic``; without meaning for the others.
        n_min: the smallest hidden width, or as given.
        layers: the weight layers in execution order.
        settings: one per parameter of the model, layers first.
        rule: the optimizer that the learning rates are for.
    """

    parametrization: str
    learning_rate: float
    r: float
    n_min: int
    layers: tuple[WeightLayer, ...]
    settings: tuple[Setting, ...]
    rule: Optimizer = "sgd"

    @property
    def parameter_groups(self) -> list[dict[str, Any]]:
        """Groups for the optimizer that the rates are for, one per parameter: params, lr, name, eps.

        New lists and dictionaries each time, since an optimizer writes into those it is given. One of
        another kind raises ``ConfigError`` when it takes them.
        """
        return [
            ParameterGroup.of(
                self.rule, setting.tensor, setting.name, setting.learning_rate, setting.eps
            )
            for setting in self.settings
            if setting.learning_rate is not None
        ]

    def optimizer(
        self,
        kind: type[torch.optim.Optimizer] | None = None,
        *,
        weight_decay: float = 0.0,
        **options: Any,
    ) -> torch.optim.Optimizer:
        """The optimizer of these groups; by default torch's of the name in ``rule``.

        With ``weight_decay`` every weight shrinks by the share ``learning_rate`` times ``weight_decay``
        in a step, in every layer. ``options`` are further arguments of ``kind``.

        Raises ``ConfigError`` for an optimizer that steps in another way than the rates are for, and for
        the decay of ``torch.optim.Adam``, which goes through its division; that of ``AdamW`` does not.

        Examples:
            >>> model = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 2))
            >>> found = apply(
            ...     model, "dynamic", learning_rate=1e-3, optimizer="adamw", sample_input=torch.eye(8)
            ... )
            >>> type(found.optimizer(weight_decay=0.1)).__name__
            'AdamW'
        """
        kind = kind or KINDS[self.rule]
        if rule_of(kind) != rule_of(KINDS[self.rule]):
            raise ConfigError(
                f"these learning rates are for {TOLD[self.rule]}, and {kind.__name__} steps in another "
                "way; call apply with the optimizer that trains, sgd, adam or adamw"
            )
        make: Callable[..., torch.optim.Optimizer] = kind
        groups = self.parameter_groups
        if weight_decay:
            if issubclass(kind, torch.optim.Adam) and not issubclass(kind, torch.optim.AdamW):
                raise ConfigError("the weight decay of Adam is divided by the gradient; take AdamW")
            for group in groups:
                group["weight_decay"] = weight_decay * self.learning_rate / group["lr"]
        return make(groups, lr=self.learning_rate, **options)

    @property
    def table(self) -> pd.DataFrame:
        """One row per parameter: layer, parameter, role, fan_in, fan_out, init_std, learning_rate."""
        rows = [[getattr(setting, column) for column in COLUMNS] for setting in self.settings]
        frame = pd.DataFrame(rows, columns=list(COLUMNS))
        whole = dict.fromkeys(("fan_in", "fan_out"), "Int64")
        return frame.astype(whole).astype(dict.fromkeys(("init_std", "learning_rate"), float))

    def __str__(self) -> str:
        power = f", r = {self.r:g}" if self.parametrization == "dynamic" else ""
        title = (
            f"{self.parametrization}{power}, n_min = {self.n_min}, learning rate {self.learning_rate:g} "
            f"of {TOLD[self.rule]}"
        )
        shown = self.table.astype(object)
        rows = shown.where(shown.notna(), "-").to_string(
            index=False, float_format=lambda value: f"{value:.4g}"
        )
        return f"{title}\n{rows}"


def apply(
    model: nn.Module,
    name: str,
    *,
    learning_rate: float,
    r: Fraction | float = HALF,
    sample_input: Any = None,
    layers: Sequence[str] | None = None,
    readout: str | Sequence[str] | None = None,
    unchanged: Sequence[str] = (),
    n_min: int | None = None,
    gain: float | Mapping[str, float] = RELU_GAIN,
    zero_biases: bool = True,
    seed: int = 0,
    optimizer: Optimizer = "sgd",
) -> Applied:
    """Initialize ``model`` in place for parametrization ``name``; return its optimizer groups.

    The groups are for the optimizer that is named: ``torch.optim.SGD``, with or without momentum, or
    Adam and AdamW, whose rates follow another rule (``theory.parametrization.rate_rules``). Nothing else
    of the model changes: no attribute, hook or forward; a second call with the same arguments sets the
    same again.

    Args:
        model: a module whose weight layers are ``nn.Linear``, ``nn.Conv1d``, ``2d``, ``3d``,
            ``nn.Embedding`` or ``nn.MultiheadAttention``, on any device.
        name: ``ntk``, ``mup``, ``spectral``, ``dynamic`` or ``standard``, as in
            ``theory.parametrization.layer_rules``.
        learning_rate: the global eta; a parameter's learning rate is eta times its squared multiplier,
            and under Adam times the factor of ``rate_rules``.
        r: of ``dynamic``, in [0, 1/2].
        sample_input: what the model is called with; finds the layers and their order (``find_layers``).
        layers: the names of the weight layers in order, instead of ``sample_input``.
        readout: names of the readouts, where there are several heads.
        unchanged: names of modules or parameters that keep their initial values and get eta itself.
        n_min: instead of the smallest width of a hidden layer.
        gain: gamma of hidden layers, for their nonlinearity; sqrt(2) is ReLU's. A mapping names layers,
            readouts too; those that it leaves out keep sqrt(2), readouts 1.
        zero_biases: start biases at zero; ``False`` draws them as in eq. 2.2.
        seed: of the normal numbers, drawn on the CPU: all weights in order, then all biases.
        optimizer: ``sgd``, ``adam`` or ``adamw``: what trains the model.

    Parameters of normalizations and other vectors are ``unchanged``; those that need no gradient are
    ``frozen``. Both are in the table.

    Raises ``ConfigError`` for a wrong value and ``ModelError`` for a model that cannot be handled
    (``find_layers``), or one without a hidden layer. The model is then as it was.

    Examples:
        >>> hidden = nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 4), nn.ReLU()
        >>> model = nn.Sequential(*hidden, nn.Linear(4, 2))
        >>> applied = apply(model, "dynamic", learning_rate=0.1, sample_input=torch.zeros(1, 64))
        >>> weights = [setting for setting in applied.settings if setting.parameter == "weight"]
        >>> [round(setting.learning_rate, 5) for setting in weights]  # 0.1 * 4 / fan_in; 0.1 / 4
        [0.00625, 0.025, 0.025]
        >>> optimizer = torch.optim.SGD(applied.parameter_groups)
    """
    learning_rate = positive("learning_rate", learning_rate)
    rules = _Rules.of(name, r, optimizer)
    found = find_layers(model, sample_input, layers=layers, readout=readout, unchanged=unchanged)
    smallest = narrowest(found, n_min)
    gains = _gains(model, found, gain)
    settings: list[Setting] = []
    for layer in found:
        settings += rules.settings(layer, smallest, gains[layer.name], learning_rate)
    settings = _one_per_parameter(settings)
    for module, parameter, tensor in other_parameters(model, found):
        eps = rules.eps(tensor.numel() * smallest)
        settings.append(
            Setting(module, parameter, "unchanged", None, None, None, learning_rate, tensor, eps)
        )
    kept = Kept.of(model, unchanged).parameters
    settings = [_excepted(setting, kept, zero_biases, learning_rate) for setting in settings]
    _draw(settings, seed)
    _clear_padding(found, settings)
    return Applied(name, learning_rate, float(r), smallest, found, tuple(settings), optimizer)


def _one_per_parameter(settings: Sequence[Setting]) -> list[Setting]:
    """Layers that share a parameter, as those of attention do, have one setting: that of the first."""
    found: dict[int, Setting] = {}
    for setting in settings:
        first = found.setdefault(id(setting.tensor), setting)
        if first.fan_in == setting.fan_in and first.init_std != setting.init_std:
            raise ConfigError(
                f"gain differs between layers that {setting.name} holds; give q_proj, k_proj and v_proj "
                "the same"
            )
    return list(found.values())


def narrowest(layers: Sequence[WeightLayer], given: Any) -> int:
    """n_min = min(n_1 ... n_{L-1}) over the hidden layers (Sec. 2.3.2), or as given.

    Raises ``ModelError`` if there is no hidden layer, ``ConfigError`` if what is given is no width.
    """
    hidden = [layer.fan_out for layer in layers if not layer.readout]
    if not hidden:
        names = ", ".join(repr(layer.name) for layer in layers)
        raise ModelError(
            f"the model has no hidden layer, only the readout {names}; a parametrization needs at least "
            "one weight layer before it"
        )
    if given is None:
        return min(hidden)
    return whole("n_min", given)


def _gains(
    model: nn.Module, layers: Sequence[WeightLayer], gain: float | Mapping[str, float]
) -> dict[str, float]:
    """gamma_l by layer."""
    if isinstance(gain, Mapping):
        named, hidden = dict(zip(first_names(model, gain), gain.values(), strict=True)), RELU_GAIN
    else:
        named, hidden = {}, gain
    known = {layer.name: 1.0 if layer.readout else hidden for layer in layers}
    for name in named:
        if name not in known:
            raise ConfigError(f"gain names {name!r}, which is none of the layers {', '.join(known)}")
    return {name: positive(f"the gain of {name}", value) for name, value in (known | named).items()}


@dataclass(frozen=True)
class _Rules:
    """The rules of hidden layers and readouts, for values and for rates."""

    values: tuple[LayerRule, LayerRule]
    rates: tuple[RateRule, RateRule]
    by_sign: bool

    @classmethod
    def of(cls, name: str, r: Fraction | float, optimizer: Optimizer) -> _Rules:
        """Those of a parametrization and an optimizer."""
        (hidden, readout), (fast, last) = layer_rules(name, 2, r), rate_rules(name, 2, r, optimizer)
        return cls((hidden, readout), (fast, last), optimizer != "sgd")

    def eps(self, entries: int) -> float | None:
        """Of the order of a gradient's entries, of which there are so many in its norm; None for SGD."""
        return EPS / math.sqrt(entries) if self.by_sign else None

    def settings(self, layer: WeightLayer, n_min: int, gain: float, eta: float) -> list[Setting]:
        """The settings of a layer's weight and, if there is one, its bias."""
        shape = (layer.fan_in, layer.fan_out, n_min)
        rule, rate = self.values[layer.readout], self.rates[layer.readout]
        multiplier, std = rule.multiplier.value(*shape), gain * rule.sigma.value(*shape)
        role: Role = "readout" if layer.readout else "hidden"
        # A bias is a weight on the constant input sqrt(n_{l-1}) (eq. 2.2).
        effective = multiplier, multiplier * math.sqrt(layer.fan_in)
        factors = rate.weight.value(*shape), rate.bias.value(*shape)
        eps = self.eps(1 if layer.readout else layer.fan_out * n_min)
        return [
            Setting(
                one.module,
                one.name,
                role,
                layer.fan_in,
                layer.fan_out,
                g * std,
                eta * (factor if self.by_sign else g * g),
                one.tensor,
                eps,
            )
            for one, g, factor in zip(layer.parameters, effective, factors, strict=False)
        ]


def _excepted(setting: Setting, kept: frozenset[int], zero_biases: bool, eta: float) -> Setting:
    """The setting, or what replaces it: for frozen parameters, listed ones, and biases from zero."""
    if not setting.tensor.requires_grad:
        return replace(setting, role="frozen", init_std=None, learning_rate=None, eps=None)
    if id(setting.tensor) in kept:
        return replace(setting, role="unchanged", init_std=None, learning_rate=eta)
    if zero_biases and setting.is_bias:
        return replace(setting, init_std=0.0)
    return setting


def _draw(settings: Sequence[Setting], seed: int) -> None:
    """Fill the parameters with normal numbers, all weights before all biases.

    So the weights do not depend on whether a model has biases.
    """
    generator = torch.Generator("cpu").manual_seed(seed)
    drawn = [setting for setting in settings if setting.init_std is not None]
    with torch.no_grad():
        for setting in sorted(drawn, key=lambda setting: setting.is_bias):
            setting.tensor.copy_(_normal(setting.tensor, setting.init_std or 0.0, generator))


def _clear_padding(layers: Sequence[WeightLayer], settings: Sequence[Setting]) -> None:
    """Rows of embeddings that stand for padding are zero, and no gradient moves them."""
    drawn = {id(setting.tensor) for setting in settings if setting.init_std is not None}
    for layer in layers:
        row = getattr(layer.module, "padding_idx", None)
        (weight, *_) = layer.parameters
        if row is not None and id(weight.tensor) in drawn:
            with torch.no_grad():
                weight.tensor[row] = 0


def _normal(like: Tensor, std: float, generator: torch.Generator) -> Tensor:
    """Normal numbers of a parameter's shape, in its precision but at least float32."""
    dtype = torch.promote_types(like.dtype, torch.float32)
    return torch.empty(like.shape, dtype=dtype, device="cpu").normal_(0.0, std, generator=generator)
