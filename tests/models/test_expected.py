"""What theory expects of a model: the growth of its widths, and where theory ends."""

from dataclasses import replace
from fractions import Fraction

import pytest
from torch import nn

from dynparam.models.expected import LayeredNetwork, OutsideTheoryError, expected_orders
from dynparam.models.graph import LayerGraph
from dynparam.models.layers import find_layers
from dynparam.theory.orders import Node, graph_orders, orders
from tests.own_models import chain

CHAIN = LayerGraph(((), (0,), (1,), (2,)), (True, False, False, False), frozenset())


def networks(narrow, widths=(100, 400, 1600), graphs=None):
    """A chain n_0 = 5, n, narrow(n), n, 2 at every width."""
    found = {}
    for place, n in enumerate(widths):
        sizes = (5, n, narrow(n), n, 2)
        layers = find_layers(chain(sizes), layers=["0", "2", "4", "6"])
        graph = CHAIN if graphs is None else graphs[place]
        found[n] = LayeredNetwork(layers, min(sizes[1:-1]), graph)
    return found


@pytest.mark.parametrize("name", ["ntk", "mup", "spectral", "dynamic", "standard"])
@pytest.mark.parametrize(
    ("narrow", "exponent"),
    [
        (lambda n: n, Fraction(1)),
        (lambda n: n // 4, Fraction(1)),
        (lambda n: round(3 * n**0.5), Fraction(1, 2)),
        (lambda n: round(20 * n**0.2), Fraction(1, 5)),
        (lambda n: 7, Fraction(0)),
    ],
)
def test_orders_are_those_of_the_growth_of_the_widths(name, narrow, exponent):
    for r in (Fraction(0), Fraction(1, 2)):
        found = expected_orders(networks(narrow), name, r)
        assert found == orders(name, [0, 1, exponent, 1, 0], r)


@pytest.mark.parametrize(
    "narrow",
    [
        {100: 2, 400: 3, 1600: 5},
        {100: 2, 400: 3, 1600: 4},
        {100: 2, 400: 6, 1600: 25},  # n/65, rounded
        {100: 30, 400: 62, 1600: 120},
    ],
)
def test_small_widths_may_be_rounded_far(narrow):
    """Half a unit is a quarter of a width of 2: 3 in the middle lies below or above the line.

    However wide the others are. And a width may be off by 3 % besides.
    """
    assert expected_orders(networks(narrow.get), "dynamic", Fraction(1, 2)) is not None


@pytest.mark.parametrize(("groups", "exponent"), [(lambda n: n // 4, 1), (lambda n: 4, 0)])
def test_the_groups_of_a_convolution_may_grow(groups, exponent):
    """Groups of four channels, more and more of them; or four groups, larger and larger."""
    graph = LayerGraph(((), (0,), (1,)), (True, False, False), frozenset())
    found = {}
    for n in (64, 256, 1024):
        grouped = nn.Conv1d(n, n, 1, groups=groups(n), bias=False)
        ends = nn.Conv1d(5, n, 1, bias=False), nn.Conv1d(n, 2, 1, bias=False)
        layers = find_layers(nn.Sequential(ends[0], grouped, ends[1]), layers=["0", "1", "2"])
        found[n] = LayeredNetwork(layers, n, graph)
    one, none = Fraction(1), Fraction(0)
    nodes = [
        Node(none, one, sees_input=True),
        Node(1 - Fraction(exponent), one, (0,), groups=Fraction(exponent)),
        Node(one, none, (1,)),
    ]
    for name in ("dynamic", "spectral", "ntk"):
        assert expected_orders(found, name, 0.5) == graph_orders(name, nodes, one)


@pytest.mark.parametrize("middle", [30, 54, 67, 120])
def test_one_width_off_the_line_is_no_power_law(middle):
    """60 would be on it, in the middle; too small is as wrong as too large."""
    with pytest.raises(OutsideTheoryError, match=rf"width of 2, 30, {middle}, 120, is no power"):
        expected_orders(networks({100: 30, 400: middle, 1600: 120}.get), "dynamic", 0.5)


def test_widths_that_shrink_are_outside():
    with pytest.raises(OutsideTheoryError, match="width of 2, 80, 40, 20, shrinks"):
        expected_orders(networks({100: 80, 400: 40, 1600: 20}.get), "dynamic", 0.5)


def test_graphs_must_be_the_same_at_every_width():
    other = replace(CHAIN, sees_input=(True, False, True, False))
    for graphs in ([other, CHAIN, CHAIN], [CHAIN, CHAIN, other]):
        with pytest.raises(OutsideTheoryError, match="in another way at another width"):
            expected_orders(networks(lambda n: n, graphs=graphs), "dynamic", 0.5)


def test_unknown_operations_and_readouts_are_outside():
    outside = replace(
        CHAIN, operations=frozenset({"Softmax", "Relu", "Tanh", "Mul", "parameter", "Bmm"})
    )
    told = "^between its layers the model computes Bmm, Mul, Softmax, parameter$"
    with pytest.raises(OutsideTheoryError, match=told):
        expected_orders(networks(lambda n: n, graphs=[outside] * 3), "dynamic", 0.5)
    known = networks(lambda n: n)
    for n, network in known.items():
        layers = tuple(replace(layer, readout=layer.name == "0") for layer in network.layers)
        known[n] = replace(network, layers=layers)
    with pytest.raises(OutsideTheoryError, match="its readouts are 0, not the last layer alone"):
        expected_orders(known, "dynamic", 0.5)


@pytest.mark.parametrize("second", [1, 2, 3])
def test_layers_out_of_order_are_outside(second):
    """A layer is fed by earlier ones: not by itself, nor by a later one."""
    turned = replace(CHAIN, sources=((), (second,), (0,), (1,)))
    with pytest.raises(OutsideTheoryError, match="not named in the order"):
        expected_orders(networks(lambda n: n, graphs=[turned] * 3), "dynamic", 0.5)


def test_a_model_as_it_comes_has_no_orders():
    with pytest.raises(OutsideTheoryError, match="the model came with"):
        expected_orders(networks(lambda n: n), None, 0.5)
