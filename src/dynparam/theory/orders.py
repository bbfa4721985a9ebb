"""Exact asymptotic exponents of the one-step probe, for any growth of the widths.

Write every width as n_l = Theta(n^{a_l}). Then each multiplier and standard deviation is a power
of n (``theory.parametrization.Monomial.order``), products add exponents, sums take the largest one: the
size of every quantity follows by max-plus arithmetic on fractions, without a float or a sample
(Secs. 2.2-2.3 of the thesis, to leading order in the learning rate).

The thesis's network is a chain of layers (``orders``). Layers that also skip others, or run side by side
and are added or concatenated, form a graph; a sum over paths takes the largest path (``graph_orders``).
In a chain all terms of an alignment have one sign. In a graph paths around the layer add terms of either
sign, and the exponent of an alignment is that of its mean absolute value.

Exponents are of *squared norms* where a name says ``_square``; alignments and multipliers as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from dynparam.support.errors import ConfigError
from dynparam.theory.parametrization import (
    HALF,
    LayerRule,
    Optimizer,
    RateRule,
    layer_rules,
    rate_rules,
)

ZERO = Fraction(0)


@dataclass(frozen=True)
class Node:
    """A weight layer among others; widths by their exponents of n.

    Attributes:
        fan_in: of the number of inputs that a unit sees (n_{l-1} in a chain).
        fan_out: of the layer's width n_l.
        sources: the earlier layers, by index, whose outputs reach this one through no other layer; none
            for a layer that sees the network's input alone.
        sees_input: whether the network's input reaches it through no other layer.
        groups: of the number of groups of a grouped convolution, whose units see one group each.
        bias: whether it has biases in the form of eq. 2.2.
    """

    fan_in: Fraction
    fan_out: Fraction
    sources: tuple[int, ...] = ()
    sees_input: bool = False
    groups: Fraction = ZERO
    bias: bool = False


@dataclass(frozen=True)
class Orders:
    """Exponents of n; entry l - 1 belongs to layer l = 1 ... L.

    Attributes:
        preactivation: of |htilde^l_i|, one coordinate (Table 1.1, first column).
        gradient: of ||dL/dhtilde^l||, a norm (eq. 2.36).
        update: of |Delta htilde^l_i|, one coordinate (Table 1.1, second column).
        contribution: of layer k's own share in the decrease of the loss,
            g_k^2 ||h^{k-1}||^2 ||dL/dhtilde^k||^2 (eq. 2.41).
        alignment: of the mean of |<dL/dhtilde^l, Delta htilde^l>|: in a chain the largest contribution
            of layers k <= l, in a graph the largest of their shares in layer l (``graph_orders``).
        multiplier: of g_l.
        deviation: of sigma_l, the standard deviation of initial weights.
        own: of |(g_l Delta W^l h^{l-1})_i|, a coordinate of the update's own part (eq. 2.30).
        cosine: of the cosine between dL/dhtilde^l and Delta htilde^l.
    """

    preactivation: tuple[Fraction, ...]
    gradient: tuple[Fraction, ...]
    update: tuple[Fraction, ...]
    contribution: tuple[Fraction, ...]
    alignment: tuple[Fraction, ...]
    multiplier: tuple[Fraction, ...]
    deviation: tuple[Fraction, ...]
    own: tuple[Fraction, ...]
    cosine: tuple[Fraction, ...]


def orders(
    name: str,
    width_exponents: Sequence[Fraction | int],
    r: Fraction | float = HALF,
    optimizer: Optimizer = "sgd",
) -> Orders:
    """Exponents of a network whose widths n_0 ... n_L grow as n to ``width_exponents``.

    A fixed width has exponent 0; for the thesis's networks a_0 = a_L = 0. The image's coordinates and
    the target's norm are Theta(1). ``r`` matters to ``dynamic`` alone; ``optimizer`` takes the step, at
    the rates of ``parametrization.rate_rules``. Raises ``ConfigError`` for an unknown name, r outside
    [0, 1/2], no hidden layer, a negative exponent, or an output that grows faster than a hidden layer
    and outweighs the target.

    Examples:
        >>> profile = (0, 1, Fraction(1, 2), 1, 0)  # hidden widths n, sqrt(n), n
        >>> orders("dynamic", profile).alignment == (0, 0, 0, 0)
        True
        >>> print(*orders("spectral", profile).alignment)
        -1/2 -1/2 -1/2 -1/2
    """
    widths = tuple(Fraction(a) for a in width_exponents)
    if len(widths) < 3:
        raise ConfigError("width exponents need an input, a hidden layer and an output at least")
    chain = [
        Node(fan_in, fan_out, (layer - 1,) if layer else (), sees_input=layer == 0)
        for layer, (fan_in, fan_out) in enumerate(pairwise(widths))
    ]
    return graph_orders(name, chain, min(widths[1:-1]), r, optimizer)


def graph_orders(
    name: str,
    nodes: Sequence[Node],
    n_min: Fraction,
    r: Fraction | float = HALF,
    optimizer: Optimizer = "sgd",
) -> Orders:
    """Exponents of layers that form a graph, in an order in which sources come first.

    The last layer is the readout; ``n_min`` is the exponent of the narrowest hidden width. Where several
    layers meet, their outputs are added or concatenated. The network's input has Theta(1) coordinates.

    A step of Adam moves weights by their rates alone, so that the own part of an update has coordinates
    of the order of the rate times the sum of |h^{l-1}_j|, in the direction of the gradient's signs. In
    its inner product with a part of the gradient it counts as the gradient itself at that length does.

    A part a of dL/dhtilde^k comes through layer l, a part b around it. Layer k's share in the alignment
    of layer l is g_k^2 ||h^{k-1}||^2 (||a||^2 + <a, b>). The sign of <a, b> is random; its size counts.

    Raises ``ConfigError`` as ``orders`` does, and for a layer that does not reach the readout.

    Examples:
        >>> n, fixed = Fraction(1), Fraction(0)
        >>> first = Node(fixed, n, sees_input=True)
        >>> block = Node(n, n, sources=(0,))
        >>> readout = Node(n, fixed, sources=(0, 1))  # sees the block and what skips it
        >>> graph_orders("dynamic", [first, block, readout], n_min=n).alignment == (0, 0, 0)
        True
    """
    smallest = min(min(node.fan_in, node.fan_out) for node in nodes)
    if smallest < 0:
        raise ConfigError(f"width exponent {smallest} is negative; widths cannot shrink to zero")
    depth = len(nodes)
    rules = zip(layer_rules(name, depth, r), rate_rules(name, depth, r, optimizer), strict=True)
    layers = [_Layer(node, *rule, n_min) for node, rule in zip(nodes, rules, strict=True)]
    incoming, forward_square = _forward_square(layers)
    _require_narrow_output(layers, forward_square[-1])
    gradient_square = _gradient_square(layers, forward_square)
    widths = [layer.node.fan_out for layer in layers]
    by_sign = optimizer != "sgd"
    own = _own(layers, incoming, gradient_square, by_sign=by_sign)
    contribution = [o + (d + a) / 2 for o, d, a in zip(own, gradient_square, widths, strict=True)]
    alignment = _alignment(layers, contribution, gradient_square)
    update_square = _update_square(layers, own, alignment, gradient_square)
    return Orders(
        preactivation=tuple((p - a) / 2 for p, a in zip(forward_square, widths, strict=True)),
        gradient=tuple(d / 2 for d in gradient_square),
        update=tuple((u - a) / 2 for u, a in zip(update_square, widths, strict=True)),
        contribution=tuple(contribution),
        alignment=tuple(alignment),
        multiplier=tuple(layer.g for layer in layers),
        deviation=tuple(layer.s - layer.g for layer in layers),
        own=tuple(own),
        cosine=tuple(
            aligned - (d + u) / 2
            for aligned, d, u in zip(alignment, gradient_square, update_square, strict=True)
        ),
    )


class _Layer:
    """A node with the exponents of its multiplier g_l, of s_l = g_l sigma_l, and of its rates."""

    def __init__(self, node: Node, rule: LayerRule, rates: RateRule, n_min: Fraction) -> None:
        shape = (node.fan_in, node.fan_out, n_min)
        self.node = node
        self.rate = rates.weight.order(*shape)
        self.bias_rate = rates.bias.order(*shape)
        self.g = rule.multiplier.order(*shape)
        self.s = self.g + rule.sigma.order(*shape)

    @property
    def carried(self) -> Fraction:
        """Of s_l^2 over the groups: what W^l, W^{lT} make of a fixed vector's squared norm, a unit."""
        return 2 * self.s - self.node.groups


def _forward_square(layers: Sequence[_Layer]) -> tuple[list[Fraction], list[Fraction]]:
    """Of what a unit of each layer sees, and of ||htilde^l||^2 (||h^l||^2): P_l = n_l s_l^2 P_{l-1}.

    A bias counts as an input of size sqrt(n_{l-1}) (eq. 2.2).
    """
    seen: list[Fraction] = []
    square: list[Fraction] = []
    for layer in layers:
        node = layer.node
        inputs = [square[source] for source in node.sources]
        if node.sees_input:
            # Beside layers' outputs the input, whose size is fixed, is of the lowest order.
            inputs.append(ZERO if node.sources else node.fan_in + node.groups)
        reaching = max(inputs) - node.groups
        seen.append(max(reaching, node.fan_in) if node.bias else reaching)
        square.append(node.fan_out + 2 * layer.s + seen[-1])
    return seen, square


def _require_narrow_output(layers: Sequence[_Layer], output_square: Fraction) -> None:
    """Raise ``ConfigError`` where W^{lT} and the gradient behind it cannot pass for independent.

    Both know f. This adds (f, f - y)^2 / ||h^l||^2 to ||dL/dhtilde^l||^2: relative to what independent
    weights carry back, n_L / n_l times the share of f in f - y.
    """
    output = layers[-1].node.fan_out
    narrowest = min(layer.node.fan_out for layer in layers[:-1])
    if output + min(ZERO, output_square) > narrowest:
        raise ConfigError(
            f"the output's width grows with exponent {output}, a hidden layer's with {narrowest}; "
            "orders hold where the output grows no faster: give it a smaller exponent"
        )


def _gradient_square(layers: Sequence[_Layer], forward_square: Sequence[Fraction]) -> list[Fraction]:
    """Of ||dL/dhtilde^l||^2 (eq. 2.36): the readout's is ||f - y||^2 >= Theta(1)."""
    back = _carried_back(layers, {len(layers) - 1: max(ZERO, forward_square[-1])})
    for index in range(len(layers)):
        if index not in back:
            raise ConfigError(f"layer {index + 1} does not reach the readout; leave it out")
    return [back[index] for index in range(len(layers))]


def _carried_back(
    layers: Sequence[_Layer], given: Mapping[int, Fraction], around: int | None = None
) -> dict[int, Fraction]:
    """What inner products of gradients, ``given`` at some layers, are at these and at all before them.

    From layer l to a source k, W^{lT} makes n_k s_l^2 <u, v> of <u, v>: D_l = n_l s_{l+1}^2 D_{l+1} in a
    chain, the largest over all paths in a graph. Paths through the layer ``around`` do not count.
    """
    back = dict(given)
    for index in reversed(range(len(layers))):
        if index == around:
            back.pop(index, None)
        if index in back:
            layer = layers[index]
            for source in layer.node.sources:
                carried = layers[source].node.fan_out + layer.carried + back[index]
                back[source] = max(back.get(source, carried), carried)
    return back


def _own(
    layers: Sequence[_Layer],
    seen: Sequence[Fraction],
    gradient_square: Sequence[Fraction],
    *,
    by_sign: bool,
) -> list[Fraction]:
    """Of a coordinate of the update's own part, by the gradient (eq. 2.30) or by its signs."""
    if not by_sign:
        # The rate of a bias is that of a weight whose input has size sqrt(n_{l-1}), which ``seen`` has.
        return [
            layer.rate + s + (d - layer.node.fan_out) / 2
            for layer, s, d in zip(layers, seen, gradient_square, strict=True)
        ]
    weights = [layer.rate + (s + layer.node.fan_in) / 2 for layer, s in zip(layers, seen, strict=True)]
    return [
        max(own, layer.bias_rate) if layer.node.bias else own
        for layer, own in zip(layers, weights, strict=True)
    ]


def _alignment(
    layers: Sequence[_Layer], contribution: Sequence[Fraction], gradient_square: Sequence[Fraction]
) -> list[Fraction]:
    """Of |<dL/dhtilde^l, Delta htilde^l>|: what layers k up to l contribute through l (eq. 2.41)."""
    return [
        max(
            contribution[k] - gradient_square[k] + product
            for k, product in _products(layers, last, gradient_square).items()
        )
        for last in range(len(layers))
    ]


def _products(
    layers: Sequence[_Layer], last: int, gradient_square: Sequence[Fraction]
) -> dict[int, Fraction]:
    """Of <a, dL/dhtilde^k> = ||a||^2 + <a, b>: a comes to layer k through ``last``, b around it.

    Independent weights make <a, b> of order ||a|| ||b|| / sqrt(n_k) by chance. Besides, its value at one
    layer is carried back to those before, as squared norms are.
    """
    through = _carried_back(layers, {last: gradient_square[last]})
    past = _carried_back(layers, {len(layers) - 1: gradient_square[-1]}, around=last)
    chance = {k: (through[k] + past[k] - layers[k].node.fan_out) / 2 for k in through.keys() & past}
    cross = _carried_back(layers, chance)
    return {k: max(square, cross.get(k, square)) for k, square in through.items()}


def _update_square(
    layers: Sequence[_Layer],
    own: Sequence[Fraction],
    alignment: Sequence[Fraction],
    gradient_square: Sequence[Fraction],
) -> list[Fraction]:
    """Of ||Delta htilde^l||^2: its own part, the part along the gradient, and what W carries elsewhere.

    Along dL/dhtilde^l the update has length alignment / ||dL/dhtilde^l||. Whatever the layers below
    move is besides spread by the Gaussian W^l over all n_l directions, n_l s_l^2 ||Delta h^{l-1}||^2.
    """
    square: list[Fraction] = []
    for layer, o, aligned, gradient in zip(layers, own, alignment, gradient_square, strict=True):
        spread = [layer.node.fan_out + layer.carried + square[k] for k in layer.node.sources]
        square.append(max([2 * aligned - gradient, layer.node.fan_out + 2 * o, *spread]))
    return square
