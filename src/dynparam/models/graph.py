"""How the weight layers of a model feed each other, read off autograd's graph of one forward pass."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from torch import Tensor
from torch.autograd.graph import Node, get_gradient_edge

End = TypeVar("End", int, str)

KEEPING_ORDERS = frozenset(
    {
        *("Add", "Cat", "Sub"),
        *("Elu", "Gelu", "LeakyRelu", "Relu", "Silu", "Tanh"),
        *("AdaptiveAvgPool2D", "AvgPool2D", "MaxPool2DWithIndices"),
        *("Alias", "Clone", "Permute", "ReshapeAlias", "Squeeze", "T", "ToCopy", "Transpose"),
        *("UnsafeView", "Unsqueeze", "View"),
    }
)
"""Operations that leave the size of a layer's outputs, and of what is carried back, of one order.

A product of two activations, a normalization or an average over units does not.
"""


@dataclass(frozen=True)
class LayerGraph:
    """Where the inputs of each weight layer come from, and what happens on the way.

    Attributes:
        sources: for each layer the earlier ones, by index, that reach it through no other layer.
        sees_input: for each layer, whether the model's input reaches it through no other layer.
        operations: names of what is computed between the layers, as autograd calls it.
    """

    sources: tuple[tuple[int, ...], ...]
    sees_input: tuple[bool, ...]
    operations: frozenset[str]

    @property
    def outside(self) -> tuple[str, ...]:
        """The operations that the theory of orders does not cover."""
        return tuple(sorted(self.operations - KEEPING_ORDERS))


def node_of(tensor: Tensor) -> Node | None:
    """Autograd's node of a tensor as it is now: a later change in place gives it another one.

    Hold on to it: autograd hands out one Python object for a node only while somebody does. ``None`` if
    the tensor has no gradient, so that no layer is behind it.
    """
    return get_gradient_edge(tensor).node if tensor.requires_grad else None


def layer_graph(
    model_inputs: Sequence[Node], layer_inputs: Sequence[Node | None], layer_outputs: Sequence[Node]
) -> LayerGraph:
    """Walk back from every layer's input to the outputs of layers, or to the model's inputs.

    The nodes (``node_of``) are those of one forward pass with gradients, the layers in the order of
    execution; ``model_inputs`` are those of leaves. Parameters met on the way (of a normalization, say)
    count as the operation ``parameter``.
    """
    ends = {node: index for index, node in enumerate(layer_outputs)}
    walks = [walk_back([node], ends, model_inputs) for node in layer_inputs]
    return LayerGraph(
        sources=tuple(tuple(sorted(walk.ends)) for walk in walks),
        sees_input=tuple(walk.sees_input for walk in walks),
        operations=frozenset[str]().union(*(walk.operations for walk in walks)),
    )


@dataclass
class Walk(Generic[End]):
    """What is met on all ways back from some nodes.

    Attributes:
        ends: the ends reached first on each of them.
        sees_input: whether one reaches the model's input.
        operations: what is computed on them, by autograd's names; ``parameter`` for a parameter.
    """

    ends: set[End] = field(default_factory=set)
    sees_input: bool = False
    operations: set[str] = field(default_factory=set)


def walk_back(
    starts: Iterable[Node | None], ends: Mapping[Node, End], model_inputs: Collection[Node] = ()
) -> Walk[End]:
    """Walk back through autograd's graph from ``starts`` until ``ends``, ``model_inputs`` or leaves."""
    walk = Walk[End]()
    waiting, seen = list(starts), set[Node]()
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if node in ends:
            walk.ends.add(ends[node])
        elif node in model_inputs:
            walk.sees_input = True
        elif hasattr(node, "variable"):
            walk.operations.add("parameter")
        else:
            walk.operations.add(_operation(node))
            waiting += [following for following, _ in node.next_functions]
    return walk


def _operation(node: Node) -> str:
    """``Relu`` of ``ReluBackward0``; an average over an image's pixels is a pooling."""
    name = re.sub(r"Backward\d*$", "", str(node.name()))
    return "AdaptiveAvgPool2D" if name == "Mean" and _over_pixels(node) else name


def _over_pixels(node: Node) -> bool:
    """Whether a mean is taken over the last two dimensions of four."""
    size = getattr(node, "_saved_self_sym_sizes", ())
    # Autograd keeps negative dimensions as 64-bit numbers without a sign, and none as None.
    saved = getattr(node, "_saved_dim", None) or ()
    dims = {dim - 2**64 if dim >= 2**63 else dim for dim in saved}
    return len(size) == 4 and {dim % 4 for dim in dims} <= {2, 3} and bool(dims)
