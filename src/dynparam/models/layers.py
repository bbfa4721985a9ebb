"""The weight layers of any torch model, in the order in which it executes them.

A layer of the thesis is htilde^l = W^l h^{l-1} with W^l of shape (n_l, n_{l-1}). ``nn.Linear`` is one.
A convolution is one too, shared by all positions: W^l is its kernel with the axes behind the first
flattened, h^{l-1} the patch under the kernel. So for both

- fan_in, which plays n_{l-1}, is the number of inputs that one output sums: input features, or input
  channels per group times the kernel's area;
- fan_out, which plays n_l and is the layer's width, is the number of output features or channels.

Positions are not width: their number stays the same as a network is widened, and so does the area.
``docs/theory.md`` derives that all rules of ``parametrization`` keep their orders with these numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from dynparam.models.execution import Forward, execute
from dynparam.support.errors import ModelError

WEIGHT_LAYERS: tuple[type[nn.Module], ...] = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
"""Modules whose parameter ``weight`` is a matrix W^l (n_l, n_{l-1}), kernel axes flattened."""

NORMALIZATIONS = (_NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)
"""Modules whose parameters act entry by entry, whatever their number of axes."""


@dataclass(frozen=True)
class WeightLayer:
    """One weight layer of a model.

    Attributes:
        name: the module's name in the model, as in ``model.get_submodule(name)``.
        fan_in: n_{l-1}, inputs that one output sums; input channels per group times kernel area.
        fan_out: n_l, the layer's width: output features or channels.
        has_bias: whether it adds a bias.
        readout: whether it is a readout, l = L; all other layers are hidden.
        module: the module itself.
    """

    name: str
    fan_in: int
    fan_out: int
    has_bias: bool
    readout: bool
    module: nn.Module = field(compare=False, repr=False)


def find_layers(
    model: nn.Module,
    sample_input: Any = None,
    *,
    layers: Sequence[str] | None = None,
    readout: str | Sequence[str] | None = None,
    unchanged: Sequence[str] = (),
) -> tuple[WeightLayer, ...]:
    """The weight layers of ``model`` in execution order, found by running it once or as named.

    The run (``execution``) leaves parameters, gradients, buffers, training flags, hooks and torch's
    random state as they were, also if it fails. The readout is the layer whose output reaches that of
    the model through no other weight layer.

    Args:
        model: any module whose weight layers are ``WEIGHT_LAYERS`` or subclasses that compute the same.
        sample_input: what the model is called with: a tensor, a tuple of arguments, or a mapping of
            keyword arguments, on the model's device.
        layers: instead, the names of the weight layers in order; the last is the readout unless
            ``readout`` says otherwise.
        readout: the name or names of the readout layers, if the model has several heads; none, ``()``,
            if the readout is left out.
        unchanged: names of modules or parameters to leave out.

    Raises ``ModelError``, which names the module, for what cannot be scaled: tied weights, a layer that
    is executed twice or never, a matrix of another kind of module, parameters without values, several
    layers that may be the readout.
    """
    if (sample_input is None) == (layers is None):
        raise ModelError(
            "give either sample_input, to run the model on, or layers, their names in order"
        )
    _check_names(model, unchanged)
    every = _weight_modules(model)
    modules = {name: module for name, module in every.items() if not is_listed(name, unchanged)}
    _check_modules(model, modules)
    _check_parameters(model, modules, unchanged)
    if layers is not None:
        order, last = _named(modules, layers)
    else:
        left_out = {name: module for name, module in every.items() if name not in modules}
        order, last = _executed(model, modules, left_out, sample_input)
    heads = _readouts(order, last, readout)
    return tuple(_weight_layer(name, modules[name], name in heads) for name in order)


def other_parameters(
    model: nn.Module, layers: Iterable[WeightLayer]
) -> tuple[tuple[str, str, nn.Parameter], ...]:
    """(module's name, parameter's name, parameter) of all that is no weight or bias of ``layers``."""
    taken = {
        id(parameter)
        for layer in layers
        for parameter in (layer.module.weight, layer.module.bias)
        if parameter is not None
    }
    return tuple(
        (*_split(name), parameter)
        for name, parameter in model.named_parameters()
        if id(parameter) not in taken
    )


def is_listed(name: str, listed: Iterable[str]) -> bool:
    """Whether ``name``, of a module or parameter, or a module around it is listed."""
    return any(name == entry or name.startswith(f"{entry}.") for entry in listed)


def _weight_modules(model: nn.Module) -> dict[str, nn.Module]:
    """All weight layers by name, in order of registration."""
    modules = dict(model.named_modules())
    # Attention reads the weights of its output layer itself and is judged in its place.
    attention = [name for name, module in modules.items() if isinstance(module, nn.MultiheadAttention)]
    return {
        name: module
        for name, module in modules.items()
        if isinstance(module, WEIGHT_LAYERS) and not is_listed(name, attention)
    }


def _check_modules(model: nn.Module, modules: Mapping[str, nn.Module]) -> None:
    """Refuse a model without weight layers, and weights that are not parameters."""
    if not modules:
        raise ModelError(
            f"{type(model).__name__} has no weight layer; it needs nn.Linear or nn.Conv layers "
            "that are neither quantized nor scripted"
        )
    for name, module in modules.items():
        if not isinstance(module.weight, nn.Parameter):
            raise ModelError(
                f"the weight of {_told(name, module)} is computed from other parameters; remove its "
                "parametrization (weight_norm, spectral_norm, pruning) first"
            )


def _check_names(model: nn.Module, unchanged: Sequence[str]) -> None:
    if isinstance(unchanged, str):
        raise ModelError(f"unchanged must be a list of names; write unchanged=[{unchanged!r}]")
    known = {name for name, _ in model.named_modules()} | {name for name, _ in model.named_parameters()}
    for name in unchanged:
        if name not in known:
            raise ModelError(
                f"unchanged names {name!r}, which the model does not have; take a name from "
                "model.named_modules() or model.named_parameters()"
            )


def _check_parameters(
    model: nn.Module, modules: Mapping[str, nn.Module], unchanged: Sequence[str]
) -> None:
    """Refuse parameters without values, tied ones, and matrices whose fan_in is not known."""
    owners: dict[int, tuple[str, bool]] = {}
    for module_name, module in model.named_modules():
        for own_name, parameter in module.named_parameters(recurse=False):
            name = f"{module_name}.{own_name}".lstrip(".")
            told = _told(module_name, module)
            _check_values(name, told, parameter)
            if not parameter.requires_grad:
                continue
            of_layer = module_name in modules and own_name in ("weight", "bias")
            first, of_first_layer = owners.setdefault(parameter.data_ptr(), (name, of_layer))
            if first != name and (of_layer or of_first_layer):
                raise ModelError(
                    f"{name} and {first} are tied, but each layer needs a learning rate of its own; "
                    "untie them, or list both modules in unchanged"
                )
            known = of_layer or isinstance(module, NORMALIZATIONS) or is_listed(name, unchanged)
            if parameter.ndim > 1 and not known:
                whole = module_name and not any(True for _ in module.children())
                raise ModelError(
                    f"{name} belongs to {told}, whose fan_in and fan_out are not defined here; use "
                    f"Linear or Conv layers, or list {module_name if whole else name!r} in unchanged"
                )


def _check_values(name: str, told: str, parameter: nn.Parameter) -> None:
    """Refuse a parameter of module ``told`` that cannot be drawn."""
    if isinstance(parameter, nn.UninitializedParameter):
        raise ModelError(f"{name} of {told} has no shape yet; run the model on one batch first")
    if parameter.is_meta:
        raise ModelError(f"{name} of {told} is on the meta device; give it values by to_empty first")
    if parameter.numel() == 0:
        raise ModelError(f"{name} of {told} has no width; remove the module")
    if parameter.requires_grad and not parameter.is_floating_point():
        raise ModelError(
            f"{name} of {told} is of type {parameter.dtype}; only floating-point weights can be drawn"
        )


def _named(modules: Mapping[str, nn.Module], names: Sequence[str]) -> tuple[list[str], list[str]]:
    """The names in the user's order, and the last of them as the readout."""
    names = [names] if isinstance(names, str) else list(names)
    for name, count in Counter(names).items():
        if count > 1:
            raise ModelError(f"layers names {name!r} {count} times; name every layer once")
        if name not in modules:
            raise ModelError(f"layers names {name!r}, which is no weight layer of the model")
    for name, module in modules.items():
        if name not in names and _is_trained(module):
            raise ModelError(
                f"layers leaves out {_told(name, module)}; name it, or list it in unchanged"
            )
    return names, names[-1:]


def _executed(
    model: nn.Module,
    modules: Mapping[str, nn.Module],
    left_out: Mapping[str, nn.Module],
    sample_input: Any,
) -> tuple[list[str], list[str]]:
    """Names in the order of their execution, and those that reach the output through no other layer.

    The latter may be of layers that are left out.
    """
    watched = {name: (module, _forward(module)) for name, module in {**modules, **left_out}.items()}
    run = execute(model, watched, sample_input)
    for name, module in modules.items():
        if name in run.altered:
            raise ModelError(
                f"{_told(name, module)} does not compute what its weight and bias alone give; use the "
                "plain layer, or list it in unchanged"
            )
        count = run.counts.get(name, 0)
        if count > 1 and _is_trained(module):
            raise ModelError(
                f"{_told(name, module)} is executed {count} times in one pass; give each use a module "
                "of its own, call it once on all inputs joined, or list it in unchanged"
            )
        if count == 0 and _is_trained(module):
            raise ModelError(
                f"{_told(name, module)} is never executed; give a sample_input that reaches it, remove "
                "it, or list it in unchanged"
            )
    return [name for name in run.counts if name in modules], list(run.last)


def _forward(module: nn.Module) -> Forward:
    """The forward of the class in ``WEIGHT_LAYERS`` that ``module`` belongs to."""
    return next(kind for kind in WEIGHT_LAYERS if isinstance(module, kind)).forward


def _readouts(order: Sequence[str], last: Sequence[str], named: str | Sequence[str] | None) -> set[str]:
    """The readouts: as named, or the only layer that reaches the output by itself."""
    if named is not None:
        heads = {named} if isinstance(named, str) else set(named)
        for name in sorted(heads - set(order)):
            raise ModelError(f"readout names {name!r}, which is none of the layers {', '.join(order)}")
        return heads
    if not last:
        raise ModelError(
            "no way leads back from the model's output to a weight layer; name the readout, for example "
            f"readout=[{order[-1]!r}]"
        )
    candidates = [name for name in last if name in order]
    if len(candidates) > 1:
        raise ModelError(
            f"{len(candidates)} layers reach the model's output through no other; name those that are "
            f"readouts, for example readout={candidates!r}"
        )
    return set(candidates)


def _weight_layer(name: str, module: nn.Module, readout: bool) -> WeightLayer:
    weight = module.weight
    if not isinstance(weight, Tensor):
        raise TypeError(f"{name} has no weight")
    return WeightLayer(
        name=name,
        fan_in=weight[0].numel(),
        fan_out=weight.shape[0],
        has_bias=module.bias is not None,
        readout=readout,
        module=module,
    )


def _is_trained(module: nn.Module) -> bool:
    return any(parameter.requires_grad for parameter in module.parameters(recurse=False))


def _split(name: str) -> tuple[str, str]:
    module, _, parameter = name.rpartition(".")
    return module, parameter


def _told(name: str, module: nn.Module) -> str:
    return f"{name or 'the model'} ({type(module).__name__})"
