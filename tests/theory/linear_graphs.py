"""Exact second moments of shares in linear networks, by counting paths and pairings of weights.

Layers z^v = g_v W^v h form a graph; h are the outputs of the sources, added or concatenated. Input
and output have one coordinate, and the loss is linear: the output's gradient is 1. With a the part
of dL/dz^k that comes through layer l, layer k's share in the alignment of layer l is

    g_k^2 ||h^{k-1}||^2 <a, dL/dz^k>,

a polynomial in Gaussian weights. The expectation of its square is a sum over four paths at a time and
over all ways to pair equal weights (Wick's theorem). Each term is a product of variances and widths, and
is positive, so the largest power of n is the exponent: nothing here knows of norms or independence.
"""

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

INPUT, BIAS = "input", "bias"
Place = int | str


@dataclass(frozen=True)
class Graph:
    """Layers 0, 1, ... by their sources; one without any sees the input, and the last is the readout."""

    sources: tuple[tuple[int, ...], ...]
    added: bool = False
    biased: frozenset[int] = frozenset()

    @property
    def last(self) -> int:
        """The readout."""
        return len(self.sources) - 1

    def paths(self, first: int, last: int) -> list[tuple[Place, ...]]:
        """From one layer up to another, both included."""
        if first == last:
            return [(first,)]
        return [(*path, last) for u in self.sources[last] for path in self.paths(first, u)]

    def origins(self, layer: int) -> list[tuple[Place, ...]]:
        """Paths up to a layer from the input or a bias."""
        found = [] if self.sources[layer] else [(INPUT, layer)]
        found += [(BIAS, layer)] if layer in self.biased else []
        return found + [(*path, layer) for u in self.sources[layer] for path in self.origins(u)]


@dataclass(frozen=True)
class Term:
    """The product of variances of ``weights``, fan_ins of ``biases`` and widths of ``free``."""

    weights: tuple[int, ...] = ()
    biases: tuple[int, ...] = ()
    free: tuple[int, ...] = ()


def share_square(graph: Graph, k: int, last: int) -> tuple[Counter[Term], Counter[Term]]:
    """E(share of k in ``last``)^2 / g_k^4 as two factors, each a sum of terms: before k, and behind."""
    return Counter(_input_square(graph, k)), Counter(_gradient_square(graph, k, last))


def _gradient_square(graph: Graph, k: int, last: int) -> Iterator[Term]:
    """Of E<a, dL/dz^k>^2."""
    paths = graph.paths(k, graph.last)
    through = [path for path in paths if last in path]
    for four in itertools.product(through, paths, through, paths):
        yield from _pairings(graph, four, [((0, k), (1, k)), ((2, k), (3, k))])


def _input_square(graph: Graph, k: int) -> Iterator[Term]:
    """Of E(||h^{k-1}||^2 + fan_in if biased)^2."""
    paths = [path for u in graph.sources[k] for path in graph.origins(u)]
    pairs = [(p, q) for p, q in itertools.product(paths, repeat=2) if graph.added or p[-1] == q[-1]]
    fixed = [] if graph.sources[k] else [Term()]
    fixed += [Term(biases=(k,))] if k in graph.biased else []
    for (p, q), (r, s) in itertools.product(pairs, repeat=2):
        same = [((0, p[-1]), (1, q[-1])), ((2, r[-1]), (3, s[-1]))]
        yield from _pairings(graph, (p, q, r, s), same)
    for a, b in itertools.product(fixed, repeat=2):
        yield Term(biases=a.biases + b.biases)
    for (p, q), a in itertools.product(pairs, 2 * fixed):
        for term in _pairings(graph, (p, q), [((0, p[-1]), (1, q[-1]))]):
            yield Term(term.weights, term.biases + a.biases, term.free)


def _pairings(
    graph: Graph, paths: Sequence[tuple[Place, ...]], same: Sequence[tuple[tuple, tuple]]
) -> Iterator[Term]:
    """Of the expectation of the product of W^v[i_v, i_u] along all paths, summed over indices.

    An index belongs to a (path, place); those in ``same`` are equal from the start, and paired weights
    have equal indices.
    """
    uses: dict[int, list] = defaultdict(list)
    for number, path in enumerate(paths):
        for below, layer in itertools.pairwise(path):
            uses[layer].append(((number, layer), (number, below)))
    for chosen in itertools.product(*(_perfect_matchings(found) for found in uses.values())):
        pairs = list(itertools.chain(*chosen))
        if all(_can_be_equal(graph, one[1][1], other[1][1]) for one, other in pairs):
            equal = [*same, *(ends for one, other in pairs for ends in zip(one, other, strict=True))]
            indices = {(number, place) for number, path in enumerate(paths) for place in path}
            yield Term(
                weights=tuple(one[0][1] for one, _ in pairs),
                biases=tuple(one[0][1] for one, _ in pairs if one[1][1] == BIAS),
                free=tuple(place for _, place in _classes(indices, equal) if isinstance(place, int)),
            )


def _can_be_equal(graph: Graph, one: Place, other: Place) -> bool:
    """Whether weights of a layer that meet these two places may be the same weight."""
    return one == other or (graph.added and isinstance(one, int) and isinstance(other, int))


def _perfect_matchings(items: Sequence) -> list[list[tuple]]:
    if not items:
        return [[]]
    first, rest = items[0], items[1:]
    return [
        [(first, other), *others]
        for place, other in enumerate(rest)
        for others in _perfect_matchings([*rest[:place], *rest[place + 1 :]])
    ]


def _classes(indices: set, equal: Sequence[tuple]) -> set:
    """One index of each class of equal ones."""
    parent = {index: index for index in indices}

    def root(index):
        while parent[index] != index:
            index = parent[index]
        return index

    for one, other in equal:
        parent[root(one)] = root(other)
    return {root(index) for index in indices}


def exponent(term: Term, variances: Sequence, fan_ins: Sequence, widths: Sequence):
    """Of n in a term, from those of the layers' variances, fan_ins and widths."""
    return (
        sum(variances[v] for v in term.weights)
        + sum(fan_ins[v] for v in term.biases)
        + sum(widths[v] for v in term.free)
    )


def value(term: Term, variances: Sequence, fan_ins: Sequence, widths: Sequence) -> float:
    """A term as a number, from those of the layers."""
    return (
        math.prod(variances[v] for v in term.weights)
        * math.prod(fan_ins[v] for v in term.biases)
        * math.prod(widths[v] for v in term.free)
    )
