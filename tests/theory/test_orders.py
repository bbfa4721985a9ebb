import itertools
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dynparam.engines.law import one_steps
from dynparam.statistics.slopes import log_slope
from dynparam.support.errors import ConfigError
from dynparam.theory.mean_field import mean_field
from dynparam.theory.orders import Node, graph_orders, orders
from dynparam.theory.parametrization import NAMES, layer_rules, layer_scales
from dynparam.theory.widths import Widths
from tests.drawn_fractions import fractions

EXPONENTS = st.lists(fractions(0, 1, max_denominator=6), min_size=1, max_size=6)
R = fractions(0, Fraction(1, 2), max_denominator=8)


@pytest.mark.parametrize(
    ("name", "narrow", "alignment"),
    [
        ("spectral", Fraction(1), Fraction(0)),  # Fig. 3.2, constant ratio: the claim is Theta(1)
        (
            "spectral",
            Fraction(1, 2),
            Fraction(-1),
        ),  # Fig. 3.2, dynamic ratio: two narrowing layers, n_min/n each
        ("spectral", Fraction(1, 5), Fraction(-8, 5)),  # Fig. 3.3, spectral
        ("dynamic", Fraction(1, 5), Fraction(0)),  # Fig. 3.3, dynamic
        ("dynamic", Fraction(1, 2), Fraction(0)),
    ],
)
def test_claims_of_the_thesis(name, narrow, alignment):
    found = orders(name, [0, 1, narrow, 1, narrow, 1, 0])
    assert found.alignment == (alignment,) * 6


@given(hidden=EXPONENTS, r=R)
def test_dynamic_keeps_preactivations_and_alignments(hidden, r):
    """Eqs. 2.18, 2.19 and 2.31 hold for any growth of the hidden widths and any r."""
    found = orders("dynamic", [Fraction(0), *hidden, Fraction(0)], r)
    assert found.preactivation[:-1] == (Fraction(0),) * len(hidden)
    assert found.preactivation[-1] <= 0
    assert found.alignment == (Fraction(0),) * (len(hidden) + 1)


@given(hidden=EXPONENTS.map(lambda widths: sorted(widths, reverse=True)))
def test_dynamic_updates_are_equation_2_79_where_widths_do_not_grow(hidden):
    """|Delta htilde_i| = sqrt(n_min^{2r} / n_l) as long as no layer is wider than the one before."""
    found = orders("dynamic", [max(hidden), *hidden, Fraction(0)], Fraction(1, 2))
    assert found.update[:-1] == tuple((min(hidden) - a) / 2 for a in hidden)


def test_a_widening_layer_spreads_the_update_beyond_equation_2_79():
    """W^l carries a narrow layer's Theta(1) updates to all wide units: Theta(1), not sqrt(n_min/n)."""
    found = orders("dynamic", [0, 1, Fraction(1, 5), 1, 0])
    assert found.update[:3] == (Fraction(-2, 5), Fraction(0), Fraction(0))


@settings(deadline=None)
@given(hidden=EXPONENTS, r=R)
def test_updates_follow_the_narrowest_layer_so_far(hidden, r):
    """Dynamic's |Delta htilde^l_i|^2 = n_min^{2r} / min(n_1 ... n_l) in hidden layers."""
    found = orders("dynamic", [0, *hidden, 0], r).update
    narrowest = [min(hidden[: layer + 1]) for layer in range(len(hidden))]
    assert found[:-1] == tuple(r * min(hidden) - a / 2 for a in narrowest)
    assert found[-1] == 0


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None)
@given(hidden=EXPONENTS, r=R)
def test_contributions_differ_by_initial_variances_alone(name, hidden, r):
    """C_k = D_L / sigma_k^2 * prod_j t_j with t_j = g_j^2 n_{j-1} sigma_j^2."""
    widths = [Fraction(0), *hidden, Fraction(0)]
    shapes = list(itertools.pairwise(widths))
    rules = layer_rules(name, len(shapes), r)
    g = [rule.multiplier.order(*shape, min(hidden)) for rule, shape in zip(rules, shapes, strict=True)]
    sigma = [rule.sigma.order(*shape, min(hidden)) for rule, shape in zip(rules, shapes, strict=True)]
    t = [2 * a + shape[0] + 2 * b for a, shape, b in zip(g, shapes, sigma, strict=True)]
    output = max(Fraction(0), sum(t))
    assert orders(name, widths, r).contribution == tuple(output - 2 * b + sum(t) for b in sigma)


def test_table_1_1_at_equal_widths():
    """ntk: updates of n^(-1/2); mup and spectral: Theta(1); preactivations Theta(1) in all."""
    equal = [0, 1, 1, 1, 0]
    for name, update in (
        ("ntk", Fraction(-1, 2)),
        ("mup", Fraction(0)),
        ("spectral", Fraction(0)),
        ("dynamic", Fraction(0)),
    ):
        found = orders(name, equal)
        assert found.preactivation[:-1] == (Fraction(0),) * 3
        assert found.update[:-1] == (update,) * 3


def test_standard_parametrization_explodes():
    """With g = 1 the first step of the hidden layers grows with width (footnote 7 of Sec. 2.5)."""
    assert orders("standard", [0, 1, 1, 0]).alignment == (Fraction(0), Fraction(1), Fraction(1))


@pytest.mark.parametrize("name", NAMES)
@given(quarters=st.lists(st.integers(0, 4), min_size=1, max_size=6))
def test_slope_of_the_finite_width_value_tends_to_the_exponent(name, quarters):
    """From n = 1e12 on, slopes of the closed form are the exact exponents.

    The window is 1e12 to 1e16. Terms of another order are smaller by n^(1/4) >= 1e3 at its lower end
    and by 1e4 at its upper one; up to seven of them change log(value) by 7e-3, the slope by 1e-3.
    """
    found = orders(name, [0, *(Fraction(q, 4) for q in quarters), 0])
    windows = {12: [], 16: []}
    for decade, values in windows.items():
        widths = Widths((3, *(10 ** (decade * q // 4) for q in quarters), 2))
        values.append(mean_field(widths, layer_scales(name, widths), 0.1, 3.0).alignment)
    slopes = log_slope([10**12, 10**16], np.concatenate(list(windows.values())))
    assert slopes == pytest.approx(np.array(found.alignment, float), abs=2e-3)


HALF, ONE, NONE = Fraction(1, 2), Fraction(1), Fraction(0)


def skipped(narrow):
    """A wide layer, a narrow branch around which its outputs pass, and a readout of the sum."""
    return [
        Node(NONE, ONE, sees_input=True),
        Node(ONE, narrow, sources=(0,)),
        Node(narrow, ONE, sources=(1,)),
        Node(ONE, NONE, sources=(0, 2)),
    ]


def test_a_skip_carries_signal_and_gradient_past_the_bottleneck():
    """Spectral, by hand: g_1 = n^(1/2), s_1 = 1, g_4 = n^(-1/2), s_4 = n^(-1).

    Past the branch the readout sees ||h||^2 = n, so that f is of size n^(-1/2), and the first and the
    last layer contribute Theta(1). Through the branch, n_min = n^(1/2), it is as in a chain: n_min/n.
    """
    found = graph_orders("spectral", skipped(HALF), HALF)
    chain = orders("spectral", [0, 1, HALF, 1, 0])
    assert found.preactivation == (*chain.preactivation[:3], -HALF)
    assert found.alignment == (NONE, -HALF, -HALF, NONE)
    assert chain.alignment == (-HALF,) * 4


def test_a_skip_changes_nothing_where_everything_is_theta_one():
    found = graph_orders("dynamic", skipped(HALF), HALF)
    assert found == orders("dynamic", [0, 1, HALF, 1, 0])


@pytest.mark.parametrize("name", NAMES)
@given(hidden=EXPONENTS)
def test_side_by_side_copies_are_one_layer(name, hidden):
    """Every layer twice, both copies seen by both of the next: widths and orders stay what they are."""
    widths = [NONE, *hidden, NONE]
    nodes = []
    for layer, (fan_in, fan_out) in enumerate(itertools.pairwise(widths[:-1])):
        sources = (2 * layer - 2, 2 * layer - 1) if layer else ()
        nodes += [Node(fan_in, fan_out, sources, sees_input=not layer)] * 2
    nodes.append(Node(hidden[-1], NONE, (len(nodes) - 2, len(nodes) - 1)))
    found, chain = graph_orders(name, nodes, min(hidden)), orders(name, widths)
    for quantity in ("preactivation", "update", "alignment"):
        *below, last = getattr(chain, quantity)
        assert getattr(found, quantity) == (*(value for value in below for _ in range(2)), last)


def test_biases_keep_preactivations_up_where_signals_shrink():
    """Spectral behind a narrowing layer: h shrinks; a bias of eq. 2.2 is like an input that does not."""
    chain = [
        Node(NONE, ONE, sees_input=True),
        Node(ONE, HALF, (0,)),
        Node(HALF, ONE, (1,)),
        Node(ONE, NONE, (2,)),
    ]
    biased = [Node(n.fan_in, n.fan_out, n.sources, n.sees_input, bias=True) for n in chain]
    assert graph_orders("spectral", chain, HALF).preactivation[2] == Fraction(-1, 4)
    assert graph_orders("spectral", biased, HALF).preactivation[2] == NONE


def test_depthwise_convolution():
    """n groups of one channel: fan_in is the kernel's area, and nothing averages over channels."""
    nodes = [
        Node(NONE, ONE, sees_input=True),
        Node(NONE, ONE, (0,), groups=ONE),
        Node(ONE, NONE, (1,)),
    ]
    assert graph_orders("dynamic", nodes, ONE).preactivation == (NONE, NONE, -HALF)


def test_every_group_sees_the_bias():
    """Spectral, by hand: s = 1 in the depthwise layer, whose units see one small output each.

    Behind the narrow layer h_i is of size n^(-1/4), which a unit passes on. A bias has size 1.
    """
    nodes = [
        Node(NONE, ONE, sees_input=True),
        Node(ONE, HALF, (0,)),
        Node(HALF, ONE, (1,)),
        Node(NONE, ONE, (2,), groups=ONE),
        Node(ONE, NONE, (3,)),
    ]
    assert graph_orders("spectral", nodes, HALF).preactivation[3] == Fraction(-1, 4)
    nodes[3] = Node(NONE, ONE, (2,), groups=ONE, bias=True)
    found = graph_orders("spectral", nodes, HALF)
    assert found.preactivation[3] == NONE
    # Its own share, g^2 (h_i^2 + 1) ||delta||^2 with g^2 = n.
    assert found.contribution[3] == 1 + 2 * found.gradient[3]


def test_a_cross_term_meets_groups():
    """Spectral, one depthwise layer in a branch through two narrow ones: n^(-3/2) as without it."""
    nodes = [
        Node(NONE, ONE, sees_input=True),
        Node(ONE, NONE, (0,)),
        Node(NONE, ONE, (1,)),
        Node(NONE, ONE, (2,), groups=ONE),
        Node(ONE, NONE, (3,)),
        Node(NONE, ONE, (4,)),
        Node(ONE, NONE, (0, 5)),
    ]
    found = graph_orders("spectral", nodes, NONE)
    assert found.alignment == (NONE, *(Fraction(-3, 2),) * 5, NONE)


@pytest.mark.parametrize(
    ("narrow", "chained", "beside"),
    [(HALF, Fraction(-1, 4), Fraction(-1, 4)), (Fraction(1, 5), Fraction(-2, 5), Fraction(-1, 10))],
)
def test_the_input_beside_layers_counts_with_its_fixed_size(narrow, chained, beside):
    """Spectral, by hand: ||h^2||^2 = n^(2 narrow - 1), and s_3 = n^(-narrow/2) on n^narrow inputs.

    Alone it gives preactivations of n^((narrow - 1)/2). The image beside it has ||x||^2 = Theta(1),
    which is the larger part where h^2 vanishes, and no larger one because fan_in grows.
    """
    nodes = [
        Node(NONE, ONE, sees_input=True),
        Node(ONE, narrow, (0,)),
        Node(narrow, ONE, (1,)),
        Node(ONE, NONE, (2,)),
    ]
    assert graph_orders("spectral", nodes, narrow).preactivation[2] == chained
    nodes[2] = Node(narrow, ONE, (1,), sees_input=True)
    found = graph_orders("spectral", nodes, narrow)
    assert found.preactivation[2] == beside
    # Its own share, g_3^2 ||seen||^2 ||delta^3||^2 with g_3^2 = n / n^narrow.
    assert found.contribution[2] == 1 - narrow + 2 * (beside + narrow / 2) + 2 * found.gradient[2]


def test_a_layer_that_leads_nowhere():
    nodes = [Node(NONE, ONE, sees_input=True), Node(ONE, ONE, (0,)), Node(ONE, NONE, (0,))]
    with pytest.raises(ConfigError, match="layer 2 does not reach the readout"):
        graph_orders("dynamic", nodes, ONE)


@pytest.mark.parametrize(
    ("hidden", "output", "names"),
    [
        ((ONE, NONE, ONE), HALF, ("ntk", "dynamic")),
        ((ONE, HALF, ONE), ONE, ("ntk", "dynamic", "spectral", "mup")),
        ((HALF, HALF), ONE, ("ntk", "dynamic", "spectral", "mup")),
        ((ONE, HALF, ONE), HALF, ()),
        ((ONE, ONE, ONE), ONE, ()),
    ],
)
def test_an_output_that_outgrows_a_hidden_layer_has_no_orders(hidden, output, names):
    """Unless the target outweighs it, as at the bottleneck in the first row under spectral and mup.

    Where orders are given, sampled gradients and alignments follow them from n = 400 to 6400, to within
    0.1 for terms of lower order and the scatter of 100 trials.
    """
    for name in ("ntk", "dynamic", "spectral", "mup"):
        if name in names:
            with pytest.raises(ConfigError, match=f"output's width grows with exponent {output}"):
                orders(name, [0, *hidden, output])
        else:
            found = orders(name, [0, *hidden, output])
            gradient, alignment = sampled_slopes(name, (*hidden, output))
            assert gradient == pytest.approx(np.array(found.gradient, float), abs=0.1)
            assert alignment == pytest.approx(np.array(found.alignment, float), abs=0.1)


def sampled_slopes(name, growth, trials=100):
    """Slopes of mean gradient norms and alignments on the law engine, at a step of no length."""
    n, means = (400, 6400), []
    for width in n:
        widths = Widths((4, *(round(width ** float(a)) if a else 8 for a in growth)))
        target = np.tile(np.eye(1, widths.sizes[-1]), (trials, 1))
        generators = [torch.Generator().manual_seed(trial) for trial in range(trials)]
        found = one_steps(
            widths, layer_scales(name, widths), np.full(trials, 2.0), target, 1e-8, generators
        )
        means.append((found.gradient_norm.mean(0), found.alignment.mean(0)))
    return [log_slope(n, np.stack(values)) for values in zip(*means, strict=True)]


def test_bad_exponents():
    with pytest.raises(ConfigError, match="negative"):
        orders("ntk", [0, -1, 0])
    with pytest.raises(ConfigError, match="hidden layer"):
        orders("ntk", [0, 0])
    with pytest.raises(ConfigError, match="unknown parametrization"):
        orders("ntp", [0, 1, 0])
