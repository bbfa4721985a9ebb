"""One run of a torch model that leaves no trace, to see which layers it executes and in which order.

The model's own tensors do not take part: parameters are replaced by detached stand-ins of the same
values, buffers by copies (``stand_ins``). Hooks are removed again and training flags
restored, also if the model fails. Every operation with a parameter is recorded, in watched modules or
not, in autograd's graph.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import Node

from dynparam.models.attention import opened
from dynparam.models.graph import (
    PADDING,
    RESHAPING,
    Reached,
    WeightedGraph,
    between,
    node_of,
    operations,
)
from dynparam.models.inputs import arguments, mapped, tensors
from dynparam.models.stand_ins import for_buffers, for_parameters, run
from dynparam.models.weights import Forward, held
from dynparam.support.errors import ModelError
from dynparam.support.randomness import global_randomness

ROUNDING = 1e-2
"""How far, relative to its norm, the output of a subclass may be from that of the class it extends."""

CONVOLUTION = "Convolution"
"""Autograd's name of it."""


@dataclass(frozen=True)
class Execution:
    """What a run has shown of the modules watched.

    Attributes:
        counts: how often each was executed, in the order of first execution.
        last: those whose output reaches the model's output through no other of them, in that order.
        behind: those of ``last`` that reach it only through a matrix that belongs to none of them.
        altered: those whose output is not what the class they extend computes.
        ungraded: those that were executed without gradients.
        reused: those whose weight also multiplies in another place.
    """

    counts: Mapping[str, int]
    last: tuple[str, ...]
    behind: frozenset[str]
    altered: frozenset[str]
    ungraded: frozenset[str]
    reused: frozenset[str]


def execute(
    model: nn.Module, watched: Mapping[str, tuple[nn.Module, Forward]], sample_input: Any
) -> Execution:
    """Run ``model`` once in evaluation mode and watch modules, each with the forward it should have.

    ``sample_input`` is as ``inputs.arguments`` takes it. Raises ``ModelError`` if the model does not run
    on it.
    """
    try:
        return _executed(model, watched, sample_input, with_buffers=True)
    except ModelError:
        # Not every operation can be differentiated for a buffer.
        return _executed(model, watched, sample_input, with_buffers=False)


def _executed(
    model: nn.Module,
    watched: Mapping[str, tuple[nn.Module, Forward]],
    sample_input: Any,
    *,
    with_buffers: bool,
) -> Execution:
    notes, inputs, buffers = _Notes(), _Leaves(), _Leaves()
    args, kwargs = mapped(arguments(sample_input), inputs.of)
    with _watching(model, watched, notes):
        parameters = for_parameters(model, _parameter)
        copies = for_buffers(model, buffers.named_copy if with_buffers else _copy)
        try:
            output = run(model, parameters | copies, args, kwargs)
        except Exception as error:
            raise ModelError(why_it_fails(model, error)) from error
    matrices = {id(one): name for name, one in (parameters | buffers.named).items() if is_matrix(one)}
    ends = [*map(node_of, tensors(output))]
    weights = {name: held(name, module)[0].full_name for name, (module, _) in watched.items()}
    return notes.execution(
        weights,
        WeightedGraph(ends, {}, matrices, inputs.ids),
        WeightedGraph(ends, notes.nodes, matrices, inputs.ids).reached(),
    )


@contextmanager
def _watching(
    model: nn.Module, watched: Mapping[str, tuple[nn.Module, Forward]], notes: _Notes
) -> Iterator[None]:
    """Hooks that write into ``notes``, evaluation mode, gradients, and random states kept."""
    with ExitStack() as stack:
        stack.enter_context(opened(module for module, _ in watched.values()))
        for name, (module, forward) in watched.items():
            hook = partial(_note, notes, name, forward)
            stack.callback(module.register_forward_hook(hook, with_kwargs=True).remove)
        stack.enter_context(_evaluating(model))
        stack.enter_context(global_randomness(gpus=gpus(model)))
        stack.enter_context(torch.enable_grad())
        yield


def why_it_fails(model: nn.Module, error: Exception) -> str:
    """The sentence on a forward pass that failed: what it said, and what to do about such a failure."""
    said = first_line(error)
    types = sorted({str(one.dtype).removeprefix("torch.") for one in model.parameters()})
    if "indices" in said:
        remedy = "an embedding takes whole numbers: give tensors of type int64"
    elif any(word in said for word in ("dtype", "scalar type", "same type")):
        remedy = (
            f"the model is in {' and '.join(types)} (a coordinate check runs in float64): give tensors "
            "of its type, and make those in forward with that of its input"
        )
    else:
        remedy = "give one batch, as in training, on the model's device"
    return f"{type(model).__name__} does not run on sample_input ({said}); {remedy}"


def first_line(error: Exception) -> str:
    """What an error says, in one line."""
    return str(error).strip().partition("\n")[0] or type(error).__name__


def is_matrix(tensor: Tensor) -> bool:
    """Whether more than one axis is longer than 1: others act entry by entry."""
    return sum(size > 1 for size in tensor.shape) > 1


def _reused(
    graph: WeightedGraph, weights: Mapping[str, str], inside: Mapping[str, set[Node]]
) -> Iterator[str]:
    """The modules whose weight is in a product that is not among the nodes of their own calls.

    ``weights`` has the names of their weights, of which several may share one.
    """
    for node, matrices in graph.products():
        for weight in matrices:
            sharing = [name for name in inside if weights[name] == weight]
            if sharing and not any(node in inside[name] for name in sharing):
                yield from sharing


@dataclass
class _Leaves:
    """Copies that need a gradient, made of leaves, so that a model may change them in place."""

    kept: list[Tensor] = field(default_factory=list)
    named: dict[str, Tensor] = field(default_factory=dict)

    @property
    def ids(self) -> frozenset[int]:
        """Those of the leaves."""
        return frozenset(map(id, self.kept))

    def of(self, tensor: Tensor) -> Tensor:
        """A copy of a floating-point tensor whose leaf is kept; of others, themselves."""
        if not tensor.is_floating_point():
            return tensor
        self.kept.append(tensor.detach().requires_grad_())
        return self.kept[-1].clone()

    def named_copy(self, name: str, buffer: Tensor) -> Tensor:
        """The same of a buffer that is a matrix, to be seen where it multiplies; of others a copy."""
        if not (is_matrix(buffer) and buffer.is_floating_point()):
            return buffer.clone()
        found = self.of(buffer)
        self.named[name] = self.kept[-1]
        return found


@dataclass
class _Notes:
    """What hooks write down during a run.

    ``nodes`` are the executions' places in autograd's graph, ``inside`` the nodes of each call.
    """

    counts: Counter[str] = field(default_factory=Counter)
    nodes: dict[Node, str] = field(default_factory=dict)
    inside: dict[str, set[Node]] = field(default_factory=dict)
    altered: set[str] = field(default_factory=set)
    ungraded: set[str] = field(default_factory=set)

    def execution(self, weights: Mapping[str, str], whole: WeightedGraph, reached: Reached) -> Execution:
        """What they come to, with the whole graph and what of the layers it reaches first."""
        last = reached.directly | reached.through_a_matrix
        return Execution(
            counts=dict(self.counts),
            last=tuple(name for name in self.counts if name in last),
            behind=reached.through_a_matrix,
            altered=frozenset(self.altered),
            ungraded=frozenset(self.ungraded),
            reused=frozenset(_reused(whole, weights, self.inside)),
        )


def _note(
    notes: _Notes,
    name: str,
    forward: Forward,
    module: nn.Module,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    output: Any,
) -> Any:
    """A forward hook. Returns a copy, whose node no later operation in place can replace."""
    notes.counts[name] += 1
    starts = [node for node in map(node_of, tensors((args, kwargs))) if node is not None]
    nodes = set[Node]().union(*(between(node_of(one), starts) for one in tensors(output)))
    notes.inside.setdefault(name, set()).update(nodes)
    if not (_computes(module, forward, args, kwargs, output) or _only_pads(module, nodes)):
        notes.altered.add(name)
    if not isinstance(output, Tensor):
        return output
    copy = output.clone()
    if copy.grad_fn is None:
        notes.ungraded.add(name)
    else:
        notes.nodes[copy.grad_fn] = name
    return copy


def _computes(
    module: nn.Module, forward: Forward, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any
) -> bool:
    """Whether ``output`` is what ``forward`` gives; certain if it is the module's own."""
    if getattr(module.forward, "__func__", None) is forward:
        return True
    if not isinstance(output, Tensor):
        return False
    with torch.no_grad():
        try:
            expected = forward(module, *args, **kwargs)
        except Exception:  # what its class cannot take, it computes otherwise
            return False
        if output.shape != expected.shape:
            return False
        return bool(torch.dist(output, expected) <= ROUNDING * torch.linalg.vector_norm(expected))


def _only_pads(module: nn.Module, nodes: Sequence[Node] | set[Node]) -> bool:
    """Whether a convolution with the module's own weight is all there is, but for borders."""
    weight = module.weight
    leaves = [node for node in nodes if getattr(node, "variable", None) is weight]
    found = [node for node in nodes if operations([node]) == {CONVOLUTION}]
    if len(found) != 1 or len(leaves) != 1 or getattr(found[0], "_saved_transposed", True):
        return False
    taken = [child for child, _ in found[0].next_functions]
    moved = operations(nodes) <= PADDING | RESHAPING | {CONVOLUTION}
    return moved and leaves[0] in taken


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


def gpus(model: nn.Module) -> list[int]:
    """Indices of the GPUs that hold parameters, whose random state a run may use."""
    return sorted({p.device.index or 0 for p in model.parameters() if p.device.type == "cuda"})


def _parameter(name: str, parameter: Tensor) -> Tensor:
    """A stand-in that needs a gradient, for frozen ones too."""
    found = parameter.detach().requires_grad_(parameter.is_floating_point())
    # A forward pass may read what others have hung onto a parameter.
    vars(found).update(vars(parameter))
    return found


def _copy(name: str, buffer: Tensor) -> Tensor:
    return buffer.clone()
