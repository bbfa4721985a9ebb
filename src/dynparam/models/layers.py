"""The weight layers of any torch model, in the order in which it executes them.

``weights`` says which modules are layers. Of each

- fan_in, which plays n_{l-1}, is the number of inputs that one output sums: input features, or input
  channels per group times the kernel's area;
- fan_out, which plays n_l and is the layer's width, is the number of output features or channels.

Positions are not width: their number stays the same as a network is widened, and so does the area.
``docs/theory/convolutions.md`` derives that all rules of ``parametrization`` keep their orders with
these numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.parallel import DistributedDataParallel

from dynparam.models.attention import Projection, in_attention
from dynparam.models.execution import Execution, execute, is_matrix
from dynparam.models.weights import (
    Held,
    forward_of,
    held,
    is_trained,
    listed,
    shape,
    told,
    weight_modules,
)
from dynparam.support.errors import ModelError

NORMALIZATIONS = (_NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)
"""Modules whose parameters act entry by entry, whatever their number of axes."""


@dataclass(frozen=True)
class Problem:
    """Something that stands in the way of a parametrization.

    Attributes:
        told: the sentence that names it and the remedy.
        name: what to list in ``unchanged`` to keep it as it is; ``None`` if that is no remedy.
    """

    told: str
    name: str | None = None


@dataclass(frozen=True)
class Kept:
    """What names stand for that keep their initial values, whichever of its names a module is called by.

    Attributes:
        modules: the ids of the modules named, and of those in them.
        parameters: the ids of the parameters named, and of those of these modules.
    """

    modules: frozenset[int]
    parameters: frozenset[int]

    @classmethod
    def of(cls, model: nn.Module, names: Sequence[str]) -> Kept:
        """Look the names up. Raises ``ModelError`` for one that the model does not have."""
        if isinstance(names, str):
            raise ModelError(f"unchanged must be a list of names; write unchanged=[{names!r}]")
        modules = dict(model.named_modules(remove_duplicate=False))
        parameters = dict(model.named_parameters(remove_duplicate=False))
        for name in names:
            if name not in modules and name not in parameters:
                raise ModelError(
                    f"unchanged names {name!r}, which the model does not have; take a name from "
                    "model.named_modules() or model.named_parameters()"
                )
        named = [modules[name] for name in names if name in modules]
        own = [parameters[name] for name in names if name in parameters]
        return cls(
            frozenset(id(part) for module in named for part in module.modules()),
            frozenset(map(id, [*own, *(one for module in named for one in module.parameters())])),
        )


@dataclass(frozen=True)
class WeightLayer:
    """One weight layer of a model.

    Attributes:
        name: the module's name in the model, as in ``model.get_submodule(name)``; of the layers that
            ``nn.MultiheadAttention`` holds together its name and ``q_proj``, ``k_proj`` or ``v_proj``.
        fan_in: n_{l-1}, inputs that one output sums; input channels per group times kernel area.
        fan_out: n_l, the layer's width: output features or channels.
        has_bias: whether it adds a bias.
        readout: whether it is a readout, l = L; all other layers are hidden.
        module: the module itself, or what stands for a part of one (``attention.Projection``).
    """

    name: str
    fan_in: int
    fan_out: int
    has_bias: bool
    readout: bool
    module: nn.Module = field(compare=False, repr=False)

    @property
    def parameters(self) -> tuple[Held, ...]:
        """Its weight and, if there is one, its bias; several layers of attention share theirs."""
        return held(self.name, self.module)

    @property
    def trained(self) -> bool:
        """Whether one of them needs a gradient."""
        return is_trained(self.module)


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
        model: any module whose layers are ``weights.WEIGHT_LAYERS`` or subclasses that compute the same.
        sample_input: what the model is called with: a tensor, a tuple of arguments, or a mapping of
            keyword arguments, on the model's device.
        layers: instead, the names of the weight layers in order; the last is the readout unless
            ``readout`` says otherwise. The name of ``nn.MultiheadAttention`` stands for its four.
        readout: the name or names of the readout layers, if the model has several heads; none, ``()``,
            if the readout is left out.
        unchanged: names of modules or parameters to leave out.

    A layer is hidden where any matrix lies behind it, of a module or not, trained or frozen. Names stand
    for modules: of a module that is registered twice, either name will do.

    Raises ``ModelError`` with all that cannot be scaled, by name: tied weights, a layer that is executed
    twice or never or without gradients, a matrix of another kind of module, parameters without values;
    and where several layers may be the readout.
    """
    if (sample_input is None) == (layers is None):
        raise ModelError(
            "give either sample_input, to run the model on, or layers, their names in order"
        )
    _require_unwrapped(model)
    kept = Kept.of(model, unchanged)
    every = weight_modules(model)
    modules = {name: one for name, one in every.items() if not _is_kept(one, kept)}
    problems = [*_of_modules(model, modules), *_of_parameters(model, modules, kept.parameters)]
    if layers is not None:
        order, last = _named(model, modules, layers)
        refuse(problems)
    else:
        run = _run(model, modules, every, sample_input, problems)
        problems += _of_run(modules, run)
        refuse(problems)
        order = [name for name in run.counts if name in modules]
        last = [name for name in run.last if name not in run.behind]
        if last == [] and run.last:
            readout = () if readout is None else readout
    heads = _readouts(model, order, last, readout)
    return tuple(_weight_layer(name, modules[name], name in heads) for name in order)


def other_parameters(
    model: nn.Module, layers: Iterable[WeightLayer]
) -> tuple[tuple[str, str, nn.Parameter], ...]:
    """(module's name, parameter's name, parameter) of all that is no weight or bias of ``layers``."""
    taken = {id(parameter.tensor) for layer in layers for parameter in layer.parameters}
    return tuple(
        (*_split(name), parameter)
        for name, parameter in model.named_parameters()
        if id(parameter) not in taken
    )


def first_names(model: nn.Module, names: Iterable[str]) -> list[str]:
    """The same modules by the names under which they were registered first; others as they are."""
    firsts = {id(module): name for name, module in model.named_modules()}
    modules = dict(model.named_modules(remove_duplicate=False))
    return [firsts[id(modules[name])] if name in modules else name for name in names]


def refuse(problems: Sequence[Problem]) -> None:
    """Raise ``ModelError`` with all that stands in the way, if anything does."""
    told = list(dict.fromkeys(problem.told for problem in problems))
    if not told:
        return
    if len(told) == 1:
        raise ModelError(told[0])
    names = list(dict.fromkeys(problem.name for problem in problems if problem.name is not None))
    listed = f". To keep all of these as they are, unchanged={names!r}" if names else ""
    numbered = "; ".join(f"({number}) {one}" for number, one in enumerate(told, start=1))
    raise ModelError(f"{len(told)} things stand in the way: {numbered}{listed}")


def without_gradients(told: str) -> str:
    """The sentence on a layer that is trained in vain."""
    return (
        f"{told} is trained but runs without gradients (torch.no_grad, or a checkpoint with "
        "use_reentrant=True); use use_reentrant=False, or freeze its parameters"
    )


def _require_unwrapped(model: nn.Module) -> None:
    """Refuse a model that is dealt out to several devices already."""
    if isinstance(model, nn.DataParallel | DistributedDataParallel):
        raise ModelError(
            f"the model is wrapped in {type(model).__name__}; give its .module, and wrap it afterwards"
        )


def _is_kept(module: nn.Module, kept: Kept) -> bool:
    """Whether a weight layer is named in ``unchanged``, or the attention that holds it."""
    return id(module) in kept.modules or (
        isinstance(module, Projection) and id(module.attention) in kept.modules
    )


def _of_modules(model: nn.Module, modules: Mapping[str, nn.Module]) -> Iterator[Problem]:
    """A model without weight layers, which is refused at once, and weights that are not parameters."""
    if not modules:
        raise ModelError(
            f"{type(model).__name__} has no weight layer; it needs nn.Linear or nn.Conv layers "
            "that are neither quantized nor scripted"
        )
    for name, module in modules.items():
        if not isinstance(held(name, module)[0].tensor, nn.Parameter):
            yield Problem(
                f"the weight of {told(name, module)} is computed from other parameters; remove its "
                "parametrization (weight_norm, spectral_norm, pruning) first",
                listed(name, module),
            )
        if getattr(module, "max_norm", None) is not None:
            yield Problem(
                f"{told(name, module)} rescales its rows in every pass; make it without max_norm, or "
                "list it in unchanged",
                name,
            )


def _of_parameters(
    model: nn.Module, modules: Mapping[str, nn.Module], kept: frozenset[int]
) -> Iterator[Problem]:
    """Parameters without values, tied ones, and matrices whose fan_in is not known."""
    owners: dict[int, tuple[str, bool]] = {}
    attention = in_attention(model)
    of_layers = {one.full_name for name, module in modules.items() for one in held(name, module)}
    for module_name, module in model.named_modules():
        for own_name, parameter in module.named_parameters(recurse=False):
            name = f"{module_name}.{own_name}".lstrip(".")
            whose = told(module_name, module)
            yield from _of_values(name, whose, parameter)
            if not parameter.requires_grad or isinstance(parameter, nn.UninitializedParameter):
                continue
            of_layer = name in of_layers
            first, of_first_layer = owners.setdefault(_memory(parameter), (name, of_layer))
            if first != name and (of_layer or of_first_layer):
                yield Problem(
                    f"{name} and {first} are tied, but each layer needs a learning rate of its own; "
                    "untie them, or list both modules in unchanged"
                )
            known = of_layer or isinstance(module, NORMALIZATIONS) or id(parameter) in kept
            if is_matrix(parameter) and not known and not _of_parametrized(model, module_name, modules):
                whole = module_name and not any(True for _ in module.children())
                kept_by = attention.get(id(module), module_name if whole else name)
                yield Problem(
                    f"{name} belongs to {whose}, whose fan_in and fan_out are not defined here; use "
                    f"Linear or Conv layers, or list {kept_by!r} in unchanged",
                    kept_by,
                )


def _of_parametrized(model: nn.Module, name: str, modules: Mapping[str, nn.Module]) -> bool:
    """Whether a module only computes the weight of a layer, which is told of in its place."""
    owner, found, _ = name.partition(".parametrizations.")
    return bool(found) and owner in modules


def _memory(parameter: nn.Parameter) -> int:
    """The place of its values; on the meta device, where there is none, the parameter itself."""
    return id(parameter) if parameter.is_meta else parameter.data_ptr()


def _of_values(name: str, whose: str, parameter: nn.Parameter) -> Iterator[Problem]:
    """Why a parameter of module ``whose`` cannot be drawn; of several reasons the first."""
    if isinstance(parameter, nn.UninitializedParameter):
        yield Problem(f"{name} of {whose} has no shape yet; run the model on one batch first")
    elif parameter.is_meta:
        yield Problem(f"{name} of {whose} is on the meta device; give it values by to_empty first")
    elif parameter.numel() == 0:
        yield Problem(f"{name} of {whose} has no width; remove the module")
    elif parameter.requires_grad and not parameter.is_floating_point():
        yield Problem(
            f"{name} of {whose} is of type {parameter.dtype}; only floating-point weights can be drawn"
        )


def _named(
    model: nn.Module, modules: Mapping[str, nn.Module], names: Sequence[str]
) -> tuple[list[str], list[str]]:
    """The names in the user's order, and the last of them as the readout."""
    given = first_names(model, [names] if isinstance(names, str) else names)
    names = [part for name in given for part in _parts(modules, name)]
    for name, count in Counter(names).items():
        if count > 1:
            raise ModelError(f"layers names {name!r} {count} times; name every layer once")
        if name not in modules:
            raise ModelError(f"layers names {name!r}, which is no weight layer of the model")
    refuse(
        [
            Problem(
                f"layers leaves out {told(name, module)}; name it, or list it in unchanged",
                listed(name, module),
            )
            for name, module in modules.items()
            if name not in names and is_trained(module)
        ]
    )
    return names, names[-1:]


def _parts(modules: Mapping[str, nn.Module], name: str) -> list[str]:
    """The layers of attention by its name; of anything else the name alone."""
    together = [key for key, module in modules.items() if key != name and listed(key, module) == name]
    return [*together, f"{name}.out_proj".lstrip(".")] if together else [name]


def _run(
    model: nn.Module,
    modules: Mapping[str, nn.Module],
    every: Mapping[str, nn.Module],
    sample_input: Any,
    problems: Sequence[Problem],
) -> Execution:
    """Run the model and watch all weight layers, those that are left out too.

    Where it fails and something else stands in the way, that is told: it may be the reason.
    """
    left_out = {name: module for name, module in every.items() if name not in modules}
    watched = {name: (module, forward_of(module)) for name, module in {**modules, **left_out}.items()}
    try:
        return execute(model, watched, sample_input)
    except Exception:
        refuse(problems)
        raise


def _of_run(modules: Mapping[str, nn.Module], run: Execution) -> Iterator[Problem]:
    """What the run shows of layers that cannot be scaled."""
    for name, module in modules.items():
        whose, name_to_list = told(name, module), listed(name, module)
        if name in run.altered:
            yield Problem(
                f"{whose} does not compute what its weight and bias alone give; use the plain layer, or "
                "list it in unchanged",
                name_to_list,
            )
        if not is_trained(module):
            continue
        count = run.counts.get(name, 0)
        if count > 1:
            yield Problem(
                f"{whose} is executed {count} times in one pass; give each use a module of its own, "
                "call it once on all inputs joined, or list it in unchanged",
                name_to_list,
            )
        elif count == 0:
            yield Problem(
                f"{whose} is never executed; give a sample_input that reaches it, remove it, or list it "
                "in unchanged",
                name_to_list,
            )
        elif name in run.ungraded:
            yield Problem(without_gradients(whose), name_to_list)
        if name in run.reused:
            yield Problem(
                f"the weight of {whose} also multiplies outside of it, so that two layers are tied; "
                "give each a weight of its own, or list it in unchanged",
                name_to_list,
            )


def _readouts(
    model: nn.Module, order: Sequence[str], last: Sequence[str], named: str | Sequence[str] | None
) -> set[str]:
    """The readouts: as named, or the only layer that reaches the output by itself."""
    if named is not None:
        heads = set(first_names(model, [named] if isinstance(named, str) else named))
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
    fan_in, fan_out = shape(module)
    return WeightLayer(
        name=name,
        fan_in=fan_in,
        fan_out=fan_out,
        has_bias=len(held(name, module)) > 1,
        readout=readout,
        module=module,
    )


def _split(name: str) -> tuple[str, str]:
    module, _, parameter = name.rpartition(".")
    return module, parameter
