"""Sharpness of any model: against the exact matrix and its dual, and what is refused."""

import copy
from collections import OrderedDict
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import nn
from torch.autograd.functional import hessian
from torch.nn.functional import cross_entropy, mse_loss

import dynparam
from dynparam.engines import empirical_ntk
from dynparam.engines.network import MLP, draw_weights
from dynparam.models.sharpness import sharpness
from dynparam.support.errors import ConfigError, ModelError, NonFiniteError
from dynparam.theory import fisher
from dynparam.theory.parametrization import NAMES, layer_scales
from dynparam.theory.widths import Widths

EXACT = 1e-8
"""Tolerance of the iteration where values are compared: the eigenvalue is better than that."""


def normal(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def labels(count, classes, seed=5):
    return torch.randint(classes, (count,), generator=torch.Generator().manual_seed(seed))


def half_squared(f, y):
    return (f - y).square().sum() / (2 * len(f))


def jacobian(run, parameters):
    """Of all outputs for all parameters, a backward pass for each output: (outputs, weights)."""
    output = run(parameters)
    rows = []
    for one in output.flatten():
        found = torch.autograd.grad(one, parameters, retain_graph=True, allow_unused=True)
        pairs = zip(found, parameters, strict=True)
        rows.append(torch.cat([(torch.zeros_like(p) if g is None else g).flatten() for g, p in pairs]))
    return torch.stack(rows)


def exact(model, loss, inputs, target):
    """The largest eigenvalue of J^T H J as a matrix, of one row for each weight."""
    model = copy.deepcopy(model)
    output = model(inputs).detach()
    slopes = jacobian(lambda _: model(inputs), [p for p in model.parameters() if p.requires_grad])
    bend = hessian(lambda f: loss(f, target), output).reshape(output.numel(), output.numel())
    return torch.linalg.eigvalsh(slopes.T @ bend @ slopes)[-1].item()


class Residual(nn.Module):
    """Attention, layer normalization and a skip, as in a transformer."""

    def __init__(self):
        super().__init__()
        self.into = nn.Linear(3, 8)
        self.norm = nn.LayerNorm(8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.out = nn.Linear(8, 2)

    def forward(self, x):
        h = self.into(x)
        n = self.norm(h)
        h = h + self.attention(n, n, n, need_weights=False)[0]
        return self.out(h.mean(dim=1))


def seeded(make):
    torch.manual_seed(1)
    return make().double()


MODELS = {
    "mlp": (lambda: nn.Sequential(nn.Linear(4, 9), nn.ReLU(), nn.Linear(9, 2)), (7, 4)),
    "tanh": (lambda: nn.Sequential(nn.Linear(4, 9), nn.Tanh(), nn.Linear(9, 2)), (7, 4)),
    "conv": (
        lambda: nn.Sequential(
            nn.Conv2d(1, 3, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(12, 2)
        ),
        (5, 1, 6, 6),
    ),
    "batch norm": (
        lambda: nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 2)),
        (8, 4),
    ),
    "attention": (Residual, (5, 4, 3)),
}

LOSSES = {
    "half squared": (half_squared, lambda t: normal(t, 2, seed=3)),
    "mse": (mse_loss, lambda t: normal(t, 2, seed=3)),
    "cross-entropy": (cross_entropy, lambda t: labels(t, 2)),
    "summed cross-entropy": (
        lambda f, y: cross_entropy(f, y, reduction="sum", label_smoothing=0.1),
        lambda t: labels(t, 2),
    ),
    "coupled over the batch": (
        lambda f, y: ((f - f.mean(0)) - y).square().sum(),
        lambda t: normal(t, 2, seed=3),
    ),
}


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", MODELS)
def test_it_is_that_of_the_matrix(name, loss):
    make, shape = MODELS[name]
    model, inputs = seeded(make), normal(*shape, seed=2)
    function, targets = LOSSES[loss]
    target = targets(len(inputs))
    found = sharpness(model, function, (inputs, target), tolerance=EXACT)
    assert found.value == pytest.approx(exact(model, function, inputs, target), rel=1e-7)
    assert found.learning_rate == 2 / found.value
    assert found.residual <= EXACT


@pytest.mark.parametrize("name", NAMES)
def test_it_is_that_of_the_kernel_of_the_thesis_s_network(name):
    widths = Widths((7, 25, 10, 25, 3))
    scales = layer_scales(name, widths)
    weights = draw_weights(widths, scales, torch.Generator().manual_seed(4), torch.float64)
    images = normal(6, 7, seed=1)
    kernel = empirical_ntk.ntk(weights, scales.multiplier, images).numpy()
    found = dynparam.sharpness(
        MLP(weights, scales.multiplier), half_squared, (images, torch.zeros(6, 3)), tolerance=EXACT
    )
    assert found.value == pytest.approx(fisher.sharpness(kernel), rel=1e-9)


def test_for_softmax_it_is_the_fisher_information_from_its_definition():
    """The mean over inputs and classes of p_c grad log p_c grad log p_c^T."""
    model, inputs = seeded(MODELS["tanh"][0]), normal(6, 4, seed=2)
    p = model(inputs).softmax(1).detach()
    scores = jacobian(lambda _: model(inputs).log_softmax(1), list(model.parameters())).reshape(6, 2, -1)
    information = torch.einsum("tc,tcw,tcv->wv", p, scores, scores) / 6
    expected = torch.linalg.eigvalsh(information)[-1].item()
    found = sharpness(model, cross_entropy, (inputs, labels(6, 2)), tolerance=EXACT)
    assert found.value == pytest.approx(expected, rel=1e-8)


def test_gradient_descent_is_stable_below_its_rate_and_not_above():
    model, inputs = seeded(MODELS["mlp"][0]), normal(7, 4, seed=2)
    with torch.no_grad():
        target = model(inputs) + 1e-6 * normal(7, 2, seed=8)
    rate = sharpness(model, half_squared, (inputs, target)).learning_rate

    def last_over_first(factor):
        trained = copy.deepcopy(model)
        values = []
        for _ in range(100):
            loss = half_squared(trained(inputs), target)
            values.append(loss.item())
            slopes = torch.autograd.grad(loss, list(trained.parameters()))
            with torch.no_grad():
                for parameter, slope in zip(trained.parameters(), slopes, strict=True):
                    parameter -= factor * rate * slope
        return values[-1] / values[0]

    assert last_over_first(0.97) < 1
    assert last_over_first(1.05) > 10


def test_frozen_parameters_do_not_count():
    model, inputs, target = seeded(MODELS["mlp"][0]), normal(7, 4, seed=2), labels(7, 2)
    every = sharpness(model, cross_entropy, (inputs, target), tolerance=EXACT).value
    model[0].requires_grad_(False)
    found = sharpness(model, cross_entropy, (inputs, target), tolerance=EXACT).value
    assert found == pytest.approx(exact(model, cross_entropy, inputs, target), rel=1e-7)
    assert found < 0.95 * every
    assert not model[0].weight.requires_grad


def test_shared_parameters_count_once():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False)
            self.second.weight = self.first.weight

        def forward(self, x):
            return self.second(self.first(x).tanh())

    model, inputs, target = seeded(Tied), normal(5, 3, seed=2), normal(5, 3, seed=3)
    found = sharpness(model, half_squared, (inputs, target), tolerance=EXACT).value
    weight = model.first.weight.detach().clone()
    slopes = jacobian(lambda w: (inputs @ w[0].T).tanh() @ w[0].T, [weight.requires_grad_()])
    expected = torch.linalg.matrix_norm(slopes, 2).item() ** 2 / 5
    assert found == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("training", [True, False])
def test_the_mode_is_the_model_s_own(training):
    model = seeded(MODELS["batch norm"][0]).train(training)
    inputs, target = normal(8, 4, seed=2), labels(8, 2)
    found = sharpness(model, cross_entropy, (inputs, target), tolerance=EXACT).value
    assert found == pytest.approx(exact(model, cross_entropy, inputs, target), rel=1e-7)
    assert model.training is training


def test_dropout_is_drawn_once():
    """Another mask at every product would be no matrix, and would not converge."""
    model = seeded(lambda: nn.Sequential(nn.Linear(4, 40), nn.Dropout(0.5), nn.Linear(40, 2)))
    torch.manual_seed(3)
    found = sharpness(model, half_squared, (normal(6, 4), normal(6, 2)), tolerance=EXACT)
    torch.manual_seed(3)
    again = sharpness(model, half_squared, (normal(6, 4), normal(6, 2)), tolerance=EXACT)
    assert found == again


class Both(NamedTuple):
    logits: torch.Tensor
    hidden: torch.Tensor


class Several(nn.Module):
    """Outputs of which one depends on another."""

    def __init__(self, kind):
        super().__init__()
        self.kind, self.first, self.last = kind, nn.Linear(4, 6), nn.Linear(6, 2)

    def forward(self, x):
        hidden = self.first(x).tanh()
        logits = self.last(hidden)
        return self.kind(logits, hidden)


KINDS = {
    "tuple": (lambda a, b: (a, b), lambda out: out),
    "list": (lambda a, b: [a, [b, "words"]], lambda out: (out[0], out[1][0])),
    "named tuple": (Both, lambda out: (out.logits, out.hidden)),
    "mapping": (lambda a, b: {"a": a, "b": b, "n": 3}, lambda out: (out["a"], out["b"])),
    "ordered": (lambda a, b: OrderedDict(a=a, b=b), lambda out: (out["a"], out["b"])),
}


@pytest.mark.parametrize("kind", KINDS)
def test_several_outputs_are_one_vector(kind):
    make, parts = KINDS[kind]
    model, inputs = seeded(lambda: Several(make)), normal(5, 4, seed=2)

    def loss(output, target):
        logits, hidden = parts(output)
        return cross_entropy(logits, target) + 3 * hidden.square().mean()

    found = sharpness(model, loss, (inputs, labels(5, 2)), tolerance=EXACT).value
    joined = copy.deepcopy(model)
    joined.kind = lambda a, b: torch.cat([a, b], dim=1)

    def joined_loss(output, target):
        return cross_entropy(output[:, :2], target) + 3 * output[:, 2:].square().mean()

    assert found == pytest.approx(exact(joined, joined_loss, inputs, labels(5, 2)), rel=1e-7)


def test_inputs_may_be_several_or_named():
    class Sum(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Linear(3, 2)

        def forward(self, x, *, scale):
            return self.w(x) * scale

    model, x, y = seeded(Sum), normal(4, 3), normal(4, 2)
    named = sharpness(model, half_squared, ({"x": x, "scale": 2.0}, y), tolerance=EXACT).value
    alone = sharpness(model.w, lambda f, y: half_squared(2 * f, y), (x, y), tolerance=EXACT).value
    assert named == pytest.approx(alone, rel=1e-9)
    pair = sharpness(nn.Bilinear(2, 3, 2).double(), half_squared, ((normal(4, 2), normal(4, 3)), y))
    assert pair.value > 0


def test_encoders_of_torch_are_taken():
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.1, batch_first=True)
    model = nn.Sequential(nn.Linear(3, 8), layer, nn.Flatten(), nn.Linear(32, 2)).double().eval()
    inputs, target = normal(5, 4, 3), labels(5, 2)
    found = sharpness(model, cross_entropy, (inputs, target), tolerance=EXACT).value
    assert found == pytest.approx(exact(model, cross_entropy, inputs, target), rel=1e-7)


def test_single_precision_is_good_to_its_digits():
    model, inputs, target = seeded(MODELS["conv"][0]), normal(5, 1, 6, 6, seed=2), labels(5, 2)
    expected = exact(model, cross_entropy, inputs, target)
    found = sharpness(model.float(), cross_entropy, (inputs.float(), target))
    assert found.value == pytest.approx(expected, rel=1e-4)


def test_a_wide_spectrum_is_no_obstacle():
    """The largest of 400 eigenvalues close together, in many fewer products than there are."""
    model = nn.Linear(400, 1, bias=False).double()
    sizes = torch.linspace(0.5, 1, 400, dtype=torch.float64)
    found = sharpness(model, lambda f, y: f.square().sum() / 2, (torch.diag(sizes), None))
    assert found.value == pytest.approx(1, rel=1e-4)
    assert found.products < 150


def test_equal_eigenvalues_are_found_at_once():
    model = nn.Linear(5, 3, bias=False).double()
    found = sharpness(model, lambda f, y: f.square().sum(), (torch.eye(5, dtype=torch.float64), None))
    assert found.value == pytest.approx(2, rel=1e-12)
    assert found.products <= 2


@pytest.mark.parametrize(
    ("loss", "make"),
    [
        (lambda f, y: f.mean(), MODELS["mlp"][0]),
        (lambda f, y: (f - y).abs().mean(), MODELS["mlp"][0]),
        (lambda f, y: -(f - y).square().mean(), MODELS["mlp"][0]),
    ],
)
def test_without_curvature_every_rate_is_stable(loss, make):
    found = sharpness(seeded(make), loss, (normal(7, 4), normal(7, 2)))
    assert found.value == pytest.approx(0, abs=1e-9)
    assert found.learning_rate > 1e8


def test_silent_units_leave_no_curvature():
    model = seeded(lambda: nn.Sequential(nn.Linear(4, 9), nn.ReLU(), nn.Linear(9, 2, bias=False)))
    nn.init.constant_(model[0].bias, -100.0)
    found = sharpness(model, half_squared, (normal(7, 4), normal(7, 2)))
    assert found.value == 0
    assert found.learning_rate == float("inf")


def test_the_model_is_left_as_it_was():
    model = seeded(MODELS["batch norm"][0])
    model[0].weight.grad = torch.ones_like(model[0].weight)
    state = {key: value.clone() for key, value in model.state_dict().items()}
    inputs, target = normal(8, 4, seed=2), labels(8, 2)
    kept, random = inputs.clone(), torch.get_rng_state()
    with torch.no_grad():
        sharpness(model, cross_entropy, (inputs, target))
    assert all((value == state[key]).all() for key, value in model.state_dict().items())
    assert (model[0].weight.grad == 1).all()
    assert all(p.grad is None for p in model[1:].parameters())
    assert (inputs == kept).all()
    assert not inputs.requires_grad
    assert (torch.get_rng_state() == random).all()


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_it_works_where_gradients_are_off(context):
    model, inputs, target = seeded(MODELS["mlp"][0]), normal(7, 4, seed=2), labels(7, 2)
    expected = sharpness(model, cross_entropy, (inputs, target))
    with context():
        assert sharpness(model, cross_entropy, (inputs, target)) == expected


def frozen():
    return seeded(MODELS["mlp"][0]).requires_grad_(False)


def spoiled(value):
    model = seeded(MODELS["mlp"][0])
    nn.init.constant_(model[0].weight, value)
    return model


def half_spoiled():
    """Of its two outputs one is not finite."""
    model = seeded(lambda: Several(lambda logits, hidden: (logits, hidden)))
    nn.init.constant_(model.last.bias, float("nan"))
    return model


class Detached(nn.Linear):
    def forward(self, x):
        return super().forward(x).detach()


class Once(torch.autograd.Function):
    """A function whose gradient has none."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.sin()

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, g):
        return g * ctx.saved_tensors[0].cos()


class Rough(nn.Linear):
    def forward(self, x):
        return Once.apply(super().forward(x))


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_a_lost_second_derivative_is_told_whatever_its_sign(sign):
    class Signed(Rough):
        """Its first derivatives change their sign, and so does what the second ones lack."""

        def forward(self, x):
            """Outputs times the sign."""
            return sign * super().forward(x)

    model = seeded(lambda: Signed(4, 2).double())
    with pytest.raises(ModelError, match="cannot be differentiated twice"):
        sharpness(model, half_squared, GOOD)


GOOD = (normal(7, 4), normal(7, 2))
HALF = tuple(one.bfloat16() for one in GOOD)


@pytest.mark.parametrize(
    ("make", "loss", "batch", "kind", "words"),
    [
        (frozen, half_squared, GOOD, ModelError, "Sequential has no parameter that requires a gradient"),
        (nn.ReLU, half_squared, GOOD, ModelError, "ReLU has no parameter that requires a gradient"),
        (lambda: len, half_squared, GOOD, ModelError, "model is a builtin_function_or_method; give a"),
        (lambda: nn.LazyLinear(2), half_squared, GOOD, ModelError, "weight has no shape yet; run"),
        (lambda: nn.Linear(4, 2).half(), half_squared, GOOD, ModelError, r"float16, .*model\.float"),
        (
            lambda: nn.Linear(4, 2).bfloat16(),
            half_squared,
            HALF,
            ModelError,
            r"bfloat16, .*model\.float",
        ),
        (
            lambda: nn.Linear(4, 2, dtype=torch.complex64),
            half_squared,
            GOOD,
            ModelError,
            "weight is in torch.complex64",
        ),
        (
            lambda: Detached(4, 2).double(),
            half_squared,
            GOOD,
            ModelError,
            "no output of Detached depends",
        ),
        (lambda: nn.Linear(5, 2).double(), half_squared, GOOD, ModelError, "Linear does not run on the"),
        (lambda: nn.Linear(4, 2), half_squared, GOOD, ModelError, "does not run on the batch's inputs"),
        (
            lambda: Rough(4, 2).double(),
            half_squared,
            GOOD,
            ModelError,
            "cannot be differentiated twice: an operation of its own",
        ),
        (
            MODELS["mlp"][0],
            lambda f, y: (f - y).square().mean(1),
            GOOD,
            ModelError,
            r"the loss is of shape \(7,\), no scalar tensor; take its mean",
        ),
        (MODELS["mlp"][0], lambda f, y: 1.0, GOOD, ModelError, "the loss is float, no scalar tensor"),
        (MODELS["mlp"][0], lambda f, y: (f.detach() - y).mean(), GOOD, ModelError, "without detaching"),
        (MODELS["mlp"][0], lambda f: f.mean(), GOOD, ModelError, "the loss does not take the model's"),
        (MODELS["mlp"][0], cross_entropy, (GOOD[0], labels(5, 2)), ModelError, "the loss does not take"),
        (lambda: spoiled(float("nan")), half_squared, GOOD, NonFiniteError, "has outputs that are not"),
        (lambda: spoiled(float("inf")), half_squared, GOOD, NonFiniteError, "has outputs that are not"),
        (half_spoiled, lambda f, y: f[1].mean(), GOOD, NonFiniteError, "has outputs that are not"),
        (
            MODELS["mlp"][0],
            half_squared,
            (GOOD[0], GOOD[1] * float("nan")),
            NonFiniteError,
            "the loss is nan on this batch",
        ),
        (
            MODELS["mlp"][0],
            lambda f, y: (f - f.detach()).abs().sqrt().sum(),
            GOOD,
            NonFiniteError,
            "a product with the Gauss-Newton matrix is not finite",
        ),
        (
            MODELS["mlp"][0],
            half_squared,
            GOOD[0],
            ConfigError,
            r"batch must be a pair \(inputs, target\)",
        ),
        (MODELS["mlp"][0], half_squared, (*GOOD, 1), ConfigError, r"batch must be a pair"),
        (MODELS["mlp"][0], half_squared, (), ConfigError, r"batch must be a pair"),
    ],
)
def test_what_cannot_be_is_one_sentence(make, loss, batch, kind, words):
    model = make()
    if isinstance(model, nn.Sequential):
        model = model.double()
    with pytest.raises(kind, match=words) as told:
        sharpness(model, loss, batch)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("tolerance", [0, 1, -1e-3, float("nan")])
def test_a_tolerance_is_a_share(tolerance):
    with pytest.raises(ConfigError, match=r"tolerance is .* between 0 and 1"):
        sharpness(nn.Linear(4, 2).double(), half_squared, GOOD, tolerance=tolerance)


@pytest.mark.parametrize("most", [0, 2.5, True])
def test_products_are_counted(most):
    with pytest.raises(ConfigError, match=r"most_products is .* integer of at least 1"):
        sharpness(nn.Linear(4, 2).double(), half_squared, GOOD, most_products=most)


def test_no_convergence_is_told_with_the_remedy():
    model = seeded(MODELS["mlp"][0])
    with pytest.raises(
        ModelError, match=r"not converged after 3 products \(residual .*; raise most_products"
    ):
        sharpness(model, half_squared, GOOD, most_products=3, tolerance=1e-12)


def test_results_repeat_to_the_last_digit():
    model = seeded(MODELS["attention"][0])
    batch = normal(5, 4, 3), labels(5, 2)
    first, second = (sharpness(model, cross_entropy, batch) for _ in range(2))
    assert first == second
    assert np.isfinite(first.value)


def test_a_loss_of_one_number_is_a_scalar_whatever_its_shape():
    model = seeded(MODELS["mlp"][0])
    expected = sharpness(model, half_squared, GOOD)
    for shape in ((1,), (1, 1)):
        found = sharpness(model, lambda f, y, shape=shape: half_squared(f, y).reshape(shape), GOOD)
        assert found == expected


def test_the_residual_is_that_of_the_vector_that_was_found():
    """A diagonal matrix, where the iteration is the textbook's with full reorthogonalization."""
    sizes = torch.linspace(0.2, 1, 12, dtype=torch.float64)
    model = nn.Linear(12, 1, bias=False).double()
    found = sharpness(
        model, lambda f, y: f.square().sum() / 2, (torch.diag(sizes), None), tolerance=0.05
    )
    matrix = np.diag(sizes.numpy() ** 2)
    start = torch.randn(1, 12, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    krylov = [start.numpy().ravel()]
    for _ in range(found.products - 1):
        krylov.append(matrix @ krylov[-1])
    basis = np.linalg.qr(np.array(krylov).T)[0]
    values, vectors = np.linalg.eigh(basis.T @ matrix @ basis)
    v = basis @ vectors[:, -1]
    assert found.value == pytest.approx(values[-1], rel=1e-9)
    expected = np.linalg.norm(matrix @ v - values[-1] * v) / values[-1]
    assert found.residual == pytest.approx(expected, rel=1e-6)
    assert 0.0001 < found.residual < 0.05
    one_less = np.linalg.qr(np.array(krylov[:-1]).T)[0]
    values, vectors = np.linalg.eigh(one_less.T @ matrix @ one_less)
    v = one_less @ vectors[:, -1]
    assert np.linalg.norm(matrix @ v - values[-1] * v) > 0.05 * values[-1], "it stops at the first"


def test_curvature_in_other_units_is_found_as_well():
    """A loss in units of 10^-12 or 10^12, in both precisions; only rounding is none."""
    for dtype, accuracy in ((torch.float64, 1e-7), (torch.float32, 1e-3)):
        model, batch = seeded(MODELS["mlp"][0]).to(dtype), tuple(one.to(dtype) for one in GOOD)
        expected = sharpness(model, half_squared, batch).value
        for unit in (1e-12, 1e12):
            found = sharpness(model, lambda f, y, unit=unit: unit * half_squared(f, y), batch)
            assert found.value == pytest.approx(unit * expected, rel=accuracy)


def test_nothing_is_iterated_that_only_rounding_has_left():
    """Three eigenvalues, the smallest 10^-12 of the largest, among 397 zeros: three products are all."""
    inputs = torch.zeros(3, 400)
    inputs[range(3), range(3)] = torch.logspace(0, -6, 3)
    torch.manual_seed(0)
    model = nn.Linear(400, 1, bias=False)
    for tolerance in (1e-4, 1e-12):
        found = sharpness(model, lambda f, y: f.square().sum() / 2, (inputs, None), tolerance=tolerance)
        assert found.value == pytest.approx(1, rel=1e-6)
        assert found.products <= 6


def test_a_mapping_that_the_model_keeps_is_left_as_it_was():
    class Keeps(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer, self.kept = nn.Linear(4, 2), {}

        def forward(self, x):
            self.kept = {"out": self.layer(x)}
            return self.kept

    model = seeded(Keeps)
    sharpness(model, lambda f, y: half_squared(f["out"], y), GOOD)
    assert model.kept["out"].grad_fn is not None, "the output of the run, not a stand-in of it"
