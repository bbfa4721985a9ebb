"""Alignments in graphs: exact second moments of linear networks, and ReLU networks that are drawn."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynparam.theory.orders import Node, graph_orders, orders
from dynparam.theory.parametrization import NAMES, layer_rules
from tests.drawn_fractions import fractions
from tests.theory.linear_graphs import Graph, exponent, share_square, value

FIXED, ROOT, WIDE = Fraction(0), Fraction(1, 2), Fraction(1)
EXPONENTS = st.lists(st.sampled_from([FIXED, ROOT, WIDE]), min_size=3, max_size=3)
SOURCES = st.tuples(
    st.just(()), st.just((0,)), st.sampled_from([(0,), (1,), (0, 1)]), st.sampled_from([(2,), (0, 2)])
)

TWO_NARROW = ((), (0,), (1,), (2,), (3,), (0, 4))
"""A wide layer, a branch of four layers around which its outputs pass, and a readout of both."""


def fan_ins(graph, widths, of_input):
    """Numbers of inputs, or their exponents, from those of the layers' widths."""
    together = max if isinstance(widths[0], Fraction) else sum
    return [
        (widths[sources[0]] if graph.added else together(widths[u] for u in sources))
        if sources
        else of_input
        for sources in graph.sources
    ]


def expected(name, graph, widths):
    """``graph_orders`` of a graph whose widths grow with the exponents ``widths``."""
    nodes = [
        Node(fan_in, fan_out, sources, sees_input=not sources, bias=layer in graph.biased)
        for layer, (fan_in, fan_out, sources) in enumerate(
            zip(fan_ins(graph, widths, FIXED), widths, graph.sources, strict=True)
        )
    ]
    return graph_orders(name, nodes, min(widths[:-1]))


def counted(graph, widths):
    """Exponents of the root of the second moment of alignments, by counting paths and pairings, by name.

    The loss is linear there; with 1/2 ||f - y||^2 all of them exceed these by twice that of ||f - y||.
    """
    layers = range(len(widths))
    factors = {
        (k, last): share_square(graph, k, last)
        for k, last in itertools.product(layers, repeat=2)
        if graph.paths(k, last)
    }
    inputs = fan_ins(graph, widths, FIXED)
    found = {}
    for name in NAMES:
        shapes = zip(layer_rules(name, len(widths)), inputs, widths, strict=True)
        scales = [scale_exponents(rule, *shape, min(widths[:-1])) for rule, *shape in shapes]
        variances = [2 * (g + sigma) for g, sigma in scales]
        shares = {
            (k, last): 2 * scales[k][0]
            + sum(max(exponent(term, variances, inputs, widths) for term in terms) for terms in both) / 2
            for (k, last), both in factors.items()
        }
        found[name] = [max(a for (_, at), a in shares.items() if at == last) for last in layers]
    return found


def scale_exponents(rule, fan_in, fan_out, n_min):
    return rule.multiplier.order(fan_in, fan_out, n_min), rule.sigma.order(fan_in, fan_out, n_min)


def assert_counted(graph, widths):
    """That ``graph_orders`` finds, under every parametrization, what paths and pairings count."""
    for name, alignment in counted(graph, widths).items():
        found = expected(name, graph, widths)
        assert [a - 2 * found.gradient[-1] for a in found.alignment] == alignment, name


GRAPHS = {
    "a branch that ends at the readout": (Graph(((), (0,), (1,), (0, 2))), (WIDE, FIXED, ROOT, FIXED)),
    "the same, added": (Graph(((), (0,), (1,), (0, 2)), added=True), (WIDE, ROOT, WIDE, FIXED)),
    "a skip over one layer": (Graph(((), (0,), (0, 1))), (WIDE, FIXED, FIXED)),
    "a skip over one layer, added": (Graph(((), (0,), (0, 1)), added=True), (WIDE, WIDE, FIXED)),
    "two narrow layers in a branch": (Graph(TWO_NARROW), (WIDE, FIXED, WIDE, FIXED, WIDE, FIXED)),
    "two narrow layers, added": (
        Graph(TWO_NARROW, added=True),
        (WIDE, ROOT, WIDE, FIXED, WIDE, FIXED),
    ),
    "a skip in a skip": (
        Graph(((), (0,), (1,), (2,), (1, 3), (0, 4))),
        (WIDE, ROOT, WIDE, FIXED, FIXED, FIXED),
    ),
    "a skip in a skip that is narrow": (
        Graph(((), (0,), (1,), (1, 2), (3,), (0, 4))),
        (WIDE, FIXED, WIDE, FIXED, WIDE, FIXED),
    ),
    "one skip after another": (
        Graph(((), (0,), (0, 1), (2,), (2, 3))),
        (WIDE, FIXED, WIDE, FIXED, FIXED),
    ),
    "side by side": (Graph(((), (0,), (0,), (1, 2))), (WIDE, FIXED, WIDE, FIXED)),
    "side by side behind a narrow layer": (
        Graph(((), (0,), (1,), (1,), (2, 3))),
        (WIDE, FIXED, ROOT, WIDE, FIXED),
    ),
    "a wide layer below the narrow one where paths part": (
        Graph(((), (0,), (1,), (2,), (2, 3))),
        (WIDE, ROOT, WIDE, FIXED, FIXED),
    ),
    "biases": (
        Graph(TWO_NARROW, biased=frozenset({1, 2, 4})),
        (WIDE, FIXED, WIDE, FIXED, WIDE, FIXED),
    ),
    "a bias below the branch": (
        Graph(((), (0,), (1,), (0, 2)), biased=frozenset({0, 2})),
        (WIDE, FIXED, WIDE, FIXED),
    ),
    "two inputs": (Graph(((), (), (0, 1), (1, 2))), (WIDE, WIDE, FIXED, FIXED)),
}


def test_counting_is_exact():
    """Against closed forms: a chain's ||dL/dz^1||^4, and a narrow branch with a skip, both by hand.

    For a fixed vector u and W with entries of variance s, E||W^T u||^4 = s^2 n (n + 2) ||u||^4. With the
    skip, outputs are added and the branch has one unit. Then u = W_3^T, v = W_2^T u, a = W_1^T v, and
    <a, delta> = ||W_1||^2 v^2 + v <W_1, u>, where W_1, W_2 and u are independent rows of n entries.
    """
    n, s = 5, (1.0, 0.3, 0.7, 0.5)
    chain = Graph(((), (0,), (1,), (2,)))
    _, terms = share_square(chain, 0, 3)
    moments = [s[1] ** 2 * 5 * 7, s[2] ** 2 * 4 * 6, s[3] ** 2 * 3 * 5]
    assert total(terms, s, (1, 5, 4, 3), (5, 4, 3, 1)) == pytest.approx(np.prod(moments))
    skip = Graph(((), (0,), (1,), (0, 2)), added=True)
    _, terms = share_square(skip, 0, 1)
    u_fourth = s[3] ** 2 * n * (n + 2)
    v_fourth = 3 * s[2] ** 2 * u_fourth
    exact = s[1] ** 2 * n * (n + 2) * v_fourth + s[2] * s[1] * u_fourth
    assert total(terms, s, (1, n, 1, n), (n, 1, n, 1)) == pytest.approx(exact)


def total(terms, *layers):
    """A sum of terms as a number."""
    return sum(times * value(term, *layers) for term, times in terms.items())


@pytest.mark.parametrize("kind", GRAPHS)
def test_alignments_in_graphs_are_those_that_paths_and_pairings_count(kind):
    assert_counted(*GRAPHS[kind])


@settings(deadline=None, max_examples=30)
@given(sources=SOURCES, hidden=EXPONENTS, added=st.booleans(), biased=st.frozensets(st.integers(0, 2)))
def test_alignments_in_any_small_graph_are_counted(sources, hidden, added, biased):
    """Concatenated outputs may be of any widths; added ones are given those of one."""
    if len(set(itertools.chain(*sources))) < 3:
        return
    widths = (*([hidden[0]] * 3 if added else hidden), FIXED)
    assert_counted(Graph(sources, added, biased), widths)


@pytest.mark.parametrize("name", NAMES)
@settings(deadline=None)
@given(hidden=st.lists(fractions(0, 1, max_denominator=6), min_size=1, max_size=6))
def test_in_a_chain_the_largest_share_decides(name, hidden):
    """All shares have one sign there: [A_l] = max_{k <= l} [C_k]."""
    found = orders(name, [0, *hidden, 0])
    assert found.alignment == tuple(itertools.accumulate(found.contribution, max))


CROSSOVER = 0.1
"""By how much terms of lower order change slopes at the widths below, at most."""

DRAWN = {
    "two narrow layers in a branch": ("spectral", 2, (2**9, 2**14), 240, {1: -2, 2: -2, 3: -2, 4: -2}),
    "a skip over one layer": ("spectral", 2, (2**8, 2**13), 400, {1: -2}),
    "side by side behind a narrow layer": ("mup", 4, (2**9, 2**13), 400, {2: Fraction(-1, 2)}),
    "a skip in a skip that is narrow": ("spectral", 2, (2**9, 2**14), 240, {1: -2, 2: -2, 3: -2, 4: -2}),
}
"""The parametrization, the fixed width, two values of n, trials, and what one sign would let expect."""


@pytest.mark.parametrize("kind", DRAWN)
def test_mean_absolute_alignments_of_relu_networks_have_the_exponents(kind):
    """All slopes lie within four standard errors and the crossover, and those of one sign do not.

    Were the exponents right up to the crossover, one of the twenty slopes would fail for fewer than
    0.2 % of seeds. Layers inside a skip have either sign, the others one.
    """
    name, fixed, ns, trials, one_sign = DRAWN[kind]
    graph, exponents = GRAPHS[kind]
    logs, errors = [], []
    for n in ns:
        widths = [round(n ** float(a)) if a else fixed for a in exponents[:-1]] + [2]
        generator, given = np.random.default_rng(n), scales(name, graph, widths)
        found = np.concatenate([drawn(graph, widths, given, 10, generator) for _ in range(trials // 10)])
        size = abs(found)
        logs.append(np.log(size.mean(0)))
        errors.append(size.std(0) / size.mean(0) / trials**0.5)
        up = (found > 0).mean(0)
        for layer in range(len(widths)):
            assert up[layer] > 0.1 if layer in one_sign else up[layer] == 0
    slope = (logs[1] - logs[0]) / np.log(ns[1] / ns[0])
    allowed = CROSSOVER + 4 * np.hypot(*errors) / np.log(ns[1] / ns[0])
    assert (abs(slope - np.array(expected(name, graph, exponents).alignment, float)) < allowed).all()
    for layer, wrong in one_sign.items():
        assert abs(slope[layer] - float(wrong)) > allowed[layer]


def scales(name, graph, widths):
    """Multipliers g and standard deviations of g W, of layers followed by ReLU but for the last."""
    found = []
    rules = layer_rules(name, len(widths))
    for rule, *shape in zip(rules, fan_ins(graph, widths, 1), widths, strict=True):
        g = rule.multiplier.value(*shape, min(widths[:-1]))
        gain = 1 if len(found) == graph.last else 2**0.5
        found.append((g, g * gain * rule.sigma.value(*shape, min(widths[:-1]))))
    return found


def drawn(graph, widths, scales, trials, generator):
    """Signed alignments over eta, (trials, layers), of ReLU networks to first order in eta.

    ``scales`` are each layer's multiplier and standard deviation of g W. The image is 1, and y is
    (1, 0, ...).
    """
    inputs, products, masks, outputs = [], [], [], []
    for width, sources, (_, std), fan_in in zip(
        widths, graph.sources, scales, fan_ins(graph, widths, 1), strict=True
    ):
        inputs.append(joined(graph, [outputs[u] for u in sources], np.ones((trials, 1), np.float32)))
        products.append(generator.standard_normal((trials, width, fan_in), np.float32))
        products[-1] *= np.float32(std)
        z = np.matvec(products[-1], inputs[-1])
        masks.append(z > 0)
        outputs.append(np.maximum(z, 0))
    gradient = [np.zeros((trials, width), np.float32) for width in widths]
    gradient[-1] = z - np.eye(1, widths[-1], dtype=np.float32)
    for layer in range(graph.last, 0, -1):
        gradient[layer] *= masks[layer] if layer < graph.last else 1
        carried = np.vecmat(gradient[layer], products[layer])
        ends = [] if graph.added else np.cumsum([widths[u] for u in graph.sources[layer]])[:-1]
        parts = itertools.cycle(np.split(carried, ends, axis=1))
        for u, part in zip(graph.sources[layer], parts, strict=False):
            gradient[u] += part
    gradient[0] *= masks[0]
    moved = []
    for layer, (g, _) in enumerate(scales):
        moved.append(-(g**2) * (inputs[layer] ** 2).sum(1, keepdims=True) * gradient[layer])
        sources = graph.sources[layer]
        if sources:
            below = joined(graph, [moved[u] * masks[u] for u in sources], None)
            moved[-1] += np.matvec(products[layer], below)
    return np.stack([(d * u).sum(1) for d, u in zip(gradient, moved, strict=True)], axis=1)


def joined(graph, parts, of_input):
    """Outputs of sources, added or concatenated; without sources, the input."""
    if not parts:
        return of_input
    return sum(parts) if graph.added else np.concatenate(parts, axis=1)
