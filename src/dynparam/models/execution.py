"""One run of a torch model that leaves no trace, to see which layers it executes and in which order.

The model's own tensors do not take part: parameters are replaced by detached stand-ins of the same
values, buffers by copies (``torch.func.functional_call``). Hooks are removed again and training flags
restored, also if the model fails.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import Node
from torch.func import functional_call

from dynparam.models.graph import node_of, walk_back
from dynparam.support.errors import ModelError

ROUNDING = 1e-2
"""How far, relative to its norm, the output of a subclass may be from that of the class it extends."""

Forward = Callable[..., Tensor]


@dataclass(frozen=True)
class Execution:
    """What a run has shown of the modules watched.

    Attributes:
        counts: how often each was executed, in the order of first execution.
        last: those whose output reaches the model's output through no other of them, in that order.
        altered: those whose output is not what the class they extend computes.
    """

    counts: Mapping[str, int]
    last: tuple[str, ...]
    altered: frozenset[str]


def execute(
    model: nn.Module, watched: Mapping[str, tuple[nn.Module, Forward]], sample_input: Any
) -> Execution:
    """Run ``model`` once in evaluation mode and watch modules, each with the forward it should have.

    ``sample_input`` is a tensor, a tuple of arguments, or a mapping of keyword arguments. Raises
    ``ModelError`` if the model does not run on it.
    """
    notes = _Notes()
    args, kwargs = arguments(sample_input)
    with ExitStack() as stack:
        for name, (module, forward) in watched.items():
            stack.callback(module.register_forward_hook(partial(_note, notes, name, forward)).remove)
        stack.enter_context(_evaluating(model))
        stack.enter_context(torch.random.fork_rng(gpus(model)))
        stack.enter_context(torch.enable_grad())
        try:
            output = functional_call(model, _stand_ins(model), args, kwargs)
        except Exception as error:
            raise ModelError(
                f"{type(model).__name__} does not run on sample_input ({error}); give one batch, as in "
                "training, on the model's device"
            ) from error
    reached = walk_back(map(node_of, tensors(output)), notes.nodes).ends
    return Execution(
        counts=dict(notes.counts),
        last=tuple(name for name in notes.counts if name in reached),
        altered=frozenset(notes.altered),
    )


@dataclass
class _Notes:
    """What hooks write down during a run; ``nodes`` are the executions' places in autograd's graph."""

    counts: Counter[str] = field(default_factory=Counter)
    nodes: dict[Node, str] = field(default_factory=dict)
    altered: set[str] = field(default_factory=set)


def _note(
    notes: _Notes, name: str, forward: Forward, module: nn.Module, args: tuple[Any, ...], output: Any
) -> Any:
    """A forward hook. Returns a copy, whose node no later operation in place can replace."""
    notes.counts[name] += 1
    if not _computes(module, forward, args, output):
        notes.altered.add(name)
    if not isinstance(output, Tensor):
        return output
    copy = output.clone()
    if copy.grad_fn is not None:
        notes.nodes[copy.grad_fn] = name
    return copy


def _computes(module: nn.Module, forward: Forward, args: tuple[Any, ...], output: Any) -> bool:
    """Whether ``output`` is what ``forward`` gives; certain if it is the module's own."""
    if getattr(module.forward, "__func__", None) is forward:
        return True
    if not isinstance(output, Tensor):
        return False
    with torch.no_grad():
        expected = forward(module, *args)
        if output.shape != expected.shape:
            return False
        return bool(torch.dist(output, expected) <= ROUNDING * torch.linalg.vector_norm(expected))


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


def _stand_ins(model: nn.Module) -> dict[str, Tensor]:
    """Tensors for one run: parameters that all need a gradient, frozen ones too, and copied buffers."""
    found = {name: buffer.clone() for name, buffer in model.named_buffers()}
    for name, parameter in model.named_parameters():
        found[name] = parameter.detach().requires_grad_(parameter.is_floating_point())
        # A forward pass may read what others have hung onto a parameter.
        vars(found[name]).update(vars(parameter))
    return found


def arguments(sample_input: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Positional and keyword arguments, with tensors copied: a model may work in place."""

    def copied(value: Any) -> Any:
        """A copy of a tensor, anything else itself."""
        return value.clone() if isinstance(value, Tensor) else value

    if isinstance(sample_input, Mapping):
        return (), {key: copied(value) for key, value in sample_input.items()}
    args = sample_input if isinstance(sample_input, tuple) else (sample_input,)
    return tuple(copied(value) for value in args), {}


def tensors(output: Any) -> Iterator[Tensor]:
    """The tensors in nested tuples, lists and mappings."""
    if isinstance(output, Tensor):
        yield output
    elif isinstance(output, Mapping):
        yield from tensors(list(output.values()))
    elif isinstance(output, list | tuple):
        for item in output:
            yield from tensors(item)
