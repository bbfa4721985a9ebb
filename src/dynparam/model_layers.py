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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import Node
from torch.func import functional_call
from torch.nn.modules.batchnorm import _NormBase

from dynparam.errors import ModelError

WEIGHT_LAYERS: tuple[type[nn.Module], ...] = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
"""Modules whose parameter ``weight`` is a matrix W^l (n_l, n_{l-1}), kernel axes flattened."""

NORMALIZATIONS = (_NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)
"""Modules whose parameters act entry by entry, whatever their number of axes."""

ROUNDING = 1e-2
"""How far, relative to its norm, the output of a subclass may be from that of the layer it extends."""


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

    The run is in evaluation mode, on copies of the buffers. It leaves parameters, gradients, buffers,
    training flags, hooks and torch's random state as they were, also if it fails. The readout is the
    layer whose output reaches the model's output through no other weight layer.

    Args:
        model: any module whose weight layers are ``WEIGHT_LAYERS`` or subclasses that compute the same.
        sample_input: what the model is called with: a tensor, a tuple of arguments, or a mapping of
            keyword arguments, on the model's device.
        layers: instead, the names of the weight layers in order; the last is the readout unless
            ``readout`` says otherwise.
        readout: the name or names of the readout layers, if the model has several heads.
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
    modules = _weight_modules(model, unchanged)
    _check_parameters(model, modules, unchanged)
    if layers is not None:
        order, reached = _named(modules, layers)
    else:
        order, reached = _executed(model, modules, sample_input)
    heads = _readouts(order, reached, readout)
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


def _weight_modules(model: nn.Module, unchanged: Sequence[str]) -> dict[str, nn.Module]:
    """Weight layers by name, in order of registration."""
    modules = {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, WEIGHT_LAYERS) and not is_listed(name, unchanged)
    }
    # The parent of such a module reads its weights itself: it is judged in its place.
    attention = [
        name for name, module in model.named_modules() if isinstance(module, nn.MultiheadAttention)
    ]
    modules = {name: module for name, module in modules.items() if not is_listed(name, attention)}
    for name, module in modules.items():
        if not isinstance(module._parameters.get("weight"), nn.Parameter):
            raise ModelError(
                f"the weight of {_told(name, module)} is computed from other parameters; remove its "
                "parametrization (weight_norm, spectral_norm, pruning) first"
            )
    if not modules:
        raise ModelError(
            f"{type(model).__name__} has no weight layer; it needs nn.Linear or nn.Conv layers "
            "that are neither quantized nor scripted"
        )
    return modules


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
                raise ModelError(
                    f"{name} belongs to {told}, whose fan_in and fan_out are not defined here; use "
                    f"Linear or Conv layers, or list {module_name or name!r} in unchanged"
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
    model: nn.Module, modules: Mapping[str, nn.Module], sample_input: Any
) -> tuple[list[str], list[str]]:
    """Names in the order of their execution, and those that reach the output through no other layer."""
    marks: list[tuple[str, Node | None]] = []
    output = _run(model, modules, sample_input, marks)
    counts = Counter(name for name, _ in marks)
    for name, module in modules.items():
        if counts[name] > 1 and _is_trained(module):
            raise ModelError(
                f"{_told(name, module)} is executed {counts[name]} times in one pass; give each use a "
                "module of its own, call it once on all inputs joined, or list it in unchanged"
            )
        if counts[name] == 0 and _is_trained(module):
            raise ModelError(
                f"{_told(name, module)} is never executed; give a sample_input that reaches it, remove "
                "it, or list it in unchanged"
            )
    reached = _reached(output, {node: name for name, node in marks if node is not None})
    return list(counts), [name for name in counts if name in reached]


def _run(
    model: nn.Module,
    modules: Mapping[str, nn.Module],
    sample_input: Any,
    marks: list[tuple[str, Node | None]],
) -> Any:
    """The model's output; each execution of a layer appends its name and its place in the graph."""
    # Stand-ins: the model's own tensors see neither an update of a buffer nor a graph.
    parameters = {name: _stand_in(parameter) for name, parameter in model.named_parameters()}
    buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
    args, kwargs = _arguments(sample_input)
    devices = {p.device.index or 0 for p in model.parameters() if p.device.type == "cuda"}
    with ExitStack() as stack:
        for name, module in modules.items():
            stack.callback(module.register_forward_hook(partial(_mark, name, marks)).remove)
        stack.enter_context(_evaluating(model))
        stack.enter_context(torch.random.fork_rng(sorted(devices)))
        stack.enter_context(torch.enable_grad())
        try:
            return functional_call(model, {**parameters, **buffers}, args, kwargs)
        except ModelError:
            raise
        except Exception as error:
            raise ModelError(
                f"{type(model).__name__} does not run on sample_input ({error}); give one batch, as in "
                "training, on the model's device"
            ) from error


def _stand_in(parameter: nn.Parameter) -> Tensor:
    """The same values outside of any graph but with one's own gradient, and the same attributes."""
    tensor = parameter.detach().requires_grad_(parameter.is_floating_point())
    vars(tensor).update(vars(parameter))
    return tensor


def _mark(
    name: str,
    marks: list[tuple[str, Node | None]],
    module: nn.Module,
    args: tuple[Any, ...],
    output: Tensor,
) -> Tensor:
    """Record an execution; the copy is a node of its own, which no operation in place can replace."""
    base = next(kind for kind in WEIGHT_LAYERS if isinstance(module, kind))
    if getattr(module.forward, "__func__", None) is not base.forward:
        _check_meaning(name, module, base.forward, args, output)
    copy = output.clone()
    marks.append((name, copy.grad_fn))
    return copy


def _check_meaning(
    name: str, module: nn.Module, forward: Callable[..., Tensor], args: tuple[Any, ...], output: Tensor
) -> None:
    """Refuse a subclass that does not compute what the layer it extends computes."""
    with torch.no_grad():
        expected = forward(module, *args)
        same = isinstance(output, Tensor) and output.shape == expected.shape
        if not same or torch.dist(output, expected) > ROUNDING * torch.linalg.vector_norm(expected):
            raise ModelError(
                f"{_told(name, module)} does not compute what its weight and bias alone give; use the "
                "plain layer, or list it in unchanged"
            )


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode without calling ``train``, which a model may have overridden."""
    flags = [(module, module.training) for module in model.modules()]
    try:
        for module, _ in flags:
            module.training = False
        yield
    finally:
        for module, flag in flags:
            module.training = flag


def _arguments(sample_input: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Positional and keyword arguments, with tensors copied: a model may work in place."""

    def copied(value: Any) -> Any:
        return value.clone() if isinstance(value, Tensor) else value

    if isinstance(sample_input, Mapping):
        return (), {key: copied(value) for key, value in sample_input.items()}
    args = sample_input if isinstance(sample_input, tuple) else (sample_input,)
    return tuple(copied(value) for value in args), {}


def _reached(output: Any, layers: Mapping[Node, str]) -> set[str]:
    """The layers found first on all ways back from the output."""
    found: set[str] = set()
    seen: set[Node] = set()
    waiting = [tensor.grad_fn for tensor in _tensors(output)]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if node in layers:
            found.add(layers[node])
        else:
            waiting.extend(parent for parent, _ in node.next_functions)
    return found


def _tensors(output: Any) -> Iterator[Tensor]:
    """The tensors in nested tuples, lists and mappings."""
    if isinstance(output, Tensor):
        yield output
    elif isinstance(output, Mapping):
        yield from _tensors(list(output.values()))
    elif isinstance(output, list | tuple):
        for item in output:
            yield from _tensors(item)


def _readouts(
    order: Sequence[str], reached: Sequence[str], named: str | Sequence[str] | None
) -> set[str]:
    """The readout: as named, or the only layer that reaches the output by itself."""
    if named is not None:
        heads = {named} if isinstance(named, str) else set(named)
        for name in sorted(heads - set(order)):
            raise ModelError(f"readout names {name!r}, which is none of the layers {', '.join(order)}")
        return heads
    if len(reached) == 1:
        return set(reached)
    if not reached:
        raise ModelError(
            "no way leads back from the model's output to a weight layer; name the readout, for example "
            f"readout=[{order[-1]!r}]"
        )
    raise ModelError(
        f"{len(reached)} layers reach the model's output through no other; name those that are "
        f"readouts, for example readout={list(reached)!r}"
    )


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
