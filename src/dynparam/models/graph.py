"""How the weight layers of a model feed each other, read off autograd's graph of one forward pass."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
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


RESHAPING = frozenset(
    {
        *("Alias", "AsStrided", "Clone", "Expand", "Permute", "ReshapeAlias", "Select", "Slice"),
        *("Squeeze", "T", "ToCopy", "Transpose", "UnsafeView", "Unsqueeze", "View"),
    }
)
"""Operations that move entries, or leave some out, and compute nothing."""

PADDING = frozenset({"ConstantPadNd", "ReflectionPad1D", "ReflectionPad2D", "ReflectionPad3D"}) | {
    "ReplicationPad1D",
    "ReplicationPad2D",
    "ReplicationPad3D",
}
"""Operations that set borders around a signal."""

PICKING = frozenset({"Embedding", "EmbeddingBag"})
"""Operations that pick rows of a table, so that what they give is a signal."""

ENTRY_BY_ENTRY = frozenset(
    {
        *("Add", "Addcdiv", "Addcmul", "Cat", "Div", "Lerp", "MaskedFill", "Maximum", "Minimum"),
        *("Mul", "Pow", "Rsub", "Stack", "Sub", "Where"),
        *("FusedRmsNorm", "NativeBatchNorm", "NativeGroupNorm", "NativeLayerNorm"),
    }
)
"""Operations that join tensors entry by entry, or one after another: no sum over units with weights."""


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


@dataclass(frozen=True)
class Reached:
    """The ends reached first on the ways back from a model's output.

    Attributes:
        directly: those with a way that passes no matrix.
        through_a_matrix: those whose every way passes a product with a matrix of parameters.
    """

    directly: frozenset[str]
    through_a_matrix: frozenset[str]


class WeightedGraph:
    """Autograd's graph behind some outputs, and where matrices of parameters enter it.

    A branch is a *weight* if it leads back to a parameter of two axes or more, and to no signal: to no
    input of the model, no end, and no rows picked out of a table. A node is a *product* if it is no
    operation entry by entry and joins a weight with another branch, or picks rows of one.
    """

    def __init__(
        self,
        starts: Iterable[Node | None],
        ends: Mapping[Node, str],
        matrices: Mapping[int, str],
        inputs: Collection[int],
    ) -> None:
        """Look at the graph from ``starts`` back to ``ends``.

        ``matrices`` are parameters of two axes or more by the ``id`` of their tensors, ``inputs`` the
        ids of the model's inputs.
        """
        self._starts = [node for node in starts if node is not None]
        self._ends, self._matrices, self._inputs = ends, matrices, inputs
        self._signal: dict[Node, bool] = {}
        self._weights: dict[Node, frozenset[str]] = {}
        for node in self._inner_first():
            self._summarize(node)

    def products(self) -> Iterator[tuple[Node, frozenset[str]]]:
        """Every product, and the names of the matrices in it."""
        for node in self._signal:
            matrices = self._matrices_of(node)
            if matrices:
                yield node, matrices

    def reached(self) -> Reached:
        """The ends, by whether a product lies between them and the output."""
        found: dict[bool, set[str]] = {False: set(), True: set()}
        waiting = [(node, False) for node in self._starts]
        seen: set[tuple[Node, bool]] = set()
        while waiting:
            state = waiting.pop()
            if state in seen:
                continue
            seen.add(state)
            node, passed = state
            if node in self._ends:
                found[passed].add(self._ends[node])
                continue
            passed = passed or bool(self._matrices_of(node))
            waiting += [(child, passed) for child in _children(node)]
        return Reached(frozenset(found[False]), frozenset(found[True] - found[False]))

    def _inner_first(self) -> list[Node]:
        """Every node after all that lie behind it."""
        order: list[Node] = []
        done: set[Node] = set()
        waiting = [(node, False) for node in self._starts]
        while waiting:
            node, opened = waiting.pop()
            if opened:
                order.append(node)
            elif node not in done:
                done.add(node)
                waiting.append((node, True))
                if node not in self._ends:
                    waiting += [(child, False) for child in _children(node)]
        return order

    def _summarize(self, node: Node) -> None:
        if node in self._ends:
            self._signal[node], self._weights[node] = True, frozenset()
        elif (variable := getattr(node, "variable", None)) is not None:
            name = self._matrices.get(id(variable))
            self._signal[node] = id(variable) in self._inputs
            self._weights[node] = frozenset() if name is None else frozenset({name})
        else:
            behind = _children(node)
            self._signal[node] = _operation(node) in PICKING or any(map(self._signal.get, behind))
            self._weights[node] = frozenset[str]().union(*(self._weights[child] for child in behind))

    def _matrices_of(self, node: Node) -> frozenset[str]:
        """The matrices that enter a product; none if the node is no product."""
        operation = _operation(node)
        if node in self._ends or hasattr(node, "variable") or operation in ENTRY_BY_ENTRY:
            return frozenset()
        behind = [child for child, _ in node.next_functions]
        weights = [child for child in behind if child is not None and self._is_weight(child)]
        # A branch without a node is data that nobody differentiates.
        joined = any(child is None or self._signal[child] for child in behind)
        if operation in RESHAPING or not (joined or operation in PICKING):
            return frozenset()
        return frozenset[str]().union(*(self._weights[child] for child in weights))

    def _is_weight(self, node: Node) -> bool:
        return bool(self._weights[node]) and not self._signal[node]


def between(end: Node | None, starts: Collection[Node]) -> set[Node]:
    """The nodes from ``end`` back to ``starts``, which are left out."""
    waiting = [] if end is None else [end]
    found: set[Node] = set()
    while waiting:
        node = waiting.pop()
        if node in starts or node in found:
            continue
        found.add(node)
        waiting += _children(node)
    return found


def operations(nodes: Iterable[Node]) -> frozenset[str]:
    """What nodes compute, by autograd's names; leaves compute nothing."""
    return frozenset(_operation(node) for node in nodes if not hasattr(node, "variable"))


def _children(node: Node) -> list[Node]:
    return [child for child, _ in node.next_functions if child is not None]


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
