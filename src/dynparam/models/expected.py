"""What theory expects of one's own model: exact exponents, from its layers' shapes and their graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from dynparam.models.graph import LayerGraph
from dynparam.models.layers import WeightLayer
from dynparam.support.errors import ConfigError
from dynparam.theory.orders import Node, Orders, graph_orders
from dynparam.theory.parametrization import Optimizer

LARGEST_DENOMINATOR = 12
"""Growth exponents of widths are taken for fractions with at most this denominator."""

ROUNDING = 0.03
"""How far, in its logarithm, a width may be from a power law besides its rounding to an integer."""


@dataclass(frozen=True)
class LayeredNetwork:
    """The weight layers of the model at one width.

    Attributes:
        layers: in execution order.
        n_min: the smallest hidden width, or the one that was given.
        graph: how they feed each other.
        frozen: the layers that are not trained, those included that are not in ``layers`` since nothing
            before them is trained either.
    """

    layers: tuple[WeightLayer, ...]
    n_min: int
    graph: LayerGraph
    frozen: tuple[str, ...] = ()


class OutsideTheoryError(Exception):
    """Why theory expects nothing of a model, in words."""


def expected_orders(
    networks: Mapping[int, LayeredNetwork],
    parametrization: str | None,
    r: Fraction | float,
    optimizer: Optimizer | None = "sgd",
) -> Orders:
    """The exact exponents of a model's layers, from how their widths grow and how they feed each other.

    ``networks`` are the layers at each of two widths or more; the others are those of ``orders.orders``,
    or ``None`` for a model as it comes and for an optimizer that theory does not know. Raises
    ``OutsideTheoryError`` where theory of ``orders`` ends.
    """
    if optimizer is None:
        raise OutsideTheoryError("theory knows SGD, and Adam and its like, and no other optimizer")
    if parametrization is None:
        raise OutsideTheoryError("the model came with initial values and a learning rate of its own")
    shapes = list(networks.values())
    graph = shapes[0].graph
    _require_known(shapes)
    nodes = [
        Node(
            fan_in=_growth(networks, f"fan_in of {layer.name}", [s.layers[k].fan_in for s in shapes]),
            fan_out=_growth(networks, f"width of {layer.name}", [s.layers[k].fan_out for s in shapes]),
            sources=graph.sources[k],
            sees_input=graph.sees_input[k],
            groups=_growth(networks, f"groups of {layer.name}", [_groups(s.layers[k]) for s in shapes]),
            bias=layer.has_bias,
        )
        for k, layer in enumerate(shapes[0].layers)
    ]
    n_min = _growth(networks, "n_min", [s.n_min for s in shapes])
    try:
        return graph_orders(parametrization, nodes, n_min, r, optimizer)
    except ConfigError as error:
        raise OutsideTheoryError(str(error)) from None


def _require_known(networks: Sequence[LayeredNetwork]) -> None:
    graph = networks[0].graph
    if any(network.graph != graph for network in networks):
        raise OutsideTheoryError("layers feed each other in another way at another width")
    if networks[0].frozen:
        raise OutsideTheoryError(f"layers are frozen: {', '.join(networks[0].frozen)}")
    if graph.outside:
        raise OutsideTheoryError(f"between its layers the model computes {', '.join(graph.outside)}")
    readouts = [layer.name for layer in networks[0].layers if layer.readout]
    if readouts != [networks[0].layers[-1].name]:
        raise OutsideTheoryError(f"its readouts are {', '.join(readouts)}, not the last layer alone")
    for index, sources in enumerate(graph.sources):
        if not sources and not graph.sees_input[index]:
            name = networks[0].layers[index].name
            raise OutsideTheoryError(f"{name} sees neither the model's input nor a layer before it")
        if any(source >= index for source in sources):
            raise OutsideTheoryError("layers are not named in the order in which they feed each other")


def _growth(networks: Mapping[int, LayeredNetwork], what: str, values: Sequence[int]) -> Fraction:
    """The exponent a in values = c width^a, up to rounding; ``OutsideTheoryError`` if there is none."""
    log_width, log_value = np.log(list(networks)), np.log(values)
    raw = (log_value[-1] - log_value[0]) / (log_width[-1] - log_width[0])
    exponent = Fraction(float(raw)).limit_denominator(LARGEST_DENOMINATOR)
    if exponent < 0:
        raise OutsideTheoryError(
            f"the {what}, {', '.join(map(str, values))}, shrinks as the width grows"
        )
    offsets = log_value - float(exponent) * log_width
    allowed = ROUNDING + 0.5 / min(values)
    if max(abs(offsets - offsets.mean())) > allowed:
        raise OutsideTheoryError(f"the {what}, {', '.join(map(str, values))}, is no power of the width")
    return exponent


def _groups(layer: WeightLayer) -> int:
    groups = getattr(layer.module, "groups", 1)
    return int(groups) if isinstance(groups, int) else 1
