import pytest
import torch
from torch import nn

from dynparam.models.graph import layer_graph, node_of


class Residual(nn.Module):
    """Layers a, b, c, d: b and c form a branch that a skips; ReLU works in place."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c, self.d = (
            nn.Linear(5, 8),
            nn.Linear(8, 3),
            nn.Linear(3, 8),
            nn.Linear(8, 2),
        )

    def forward(self, x):
        h = self.a(x).relu_()
        h = h + self.c(self.b(h).relu_())
        return self.d(self.between(h))

    def between(self, h):
        return h


class Pictures(nn.Module):
    """Two convolutions side by side, concatenated, averaged over ``dims``."""

    def __init__(self, dims):
        super().__init__()
        self.dims = dims
        self.a, self.b, self.c = nn.Conv2d(3, 4, 1), nn.Conv2d(3, 6, 3, padding=1), nn.Linear(10, 2)

    def forward(self, x):
        h = torch.cat([self.a(x), self.b(x)], dim=1)
        return self.c(h.mean(self.dims).flatten(1)[:, :10])


class Centred(Pictures):
    """The same less an average that all pixels, channels and images share."""

    def forward(self, x):
        h = torch.cat([self.a(x), self.b(x)], dim=1)
        return self.c((h - h.mean(self.dims)).mean((2, 3)).flatten(1)[:, :10])


def graph_of(model, x):
    inputs, outputs = [], []

    def look(module, args, output):
        inputs.append(node_of(args[0]))
        outputs.append(node_of(output))

    for module in model.children():
        if isinstance(module, nn.Linear | nn.Conv2d):
            module.register_forward_hook(look)
    x.requires_grad_()
    model(x)
    return layer_graph([node_of(x)], inputs, outputs)


def test_a_residual_branch():
    graph = graph_of(Residual(), torch.randn(4, 5))
    assert graph.sources == ((), (0,), (1,), (0, 2))
    assert graph.sees_input == (True, False, False, False)
    assert graph.operations == {"Relu", "Add"}
    assert graph.outside == ()


def test_layers_side_by_side():
    graph = graph_of(Pictures((2, 3)), torch.randn(4, 3, 5, 5))
    assert graph.sources == ((), (), (0, 1))
    assert graph.sees_input == (True, True, False)


@pytest.mark.parametrize(("dims", "outside"), [((2, 3), False), ((-1, -2), False), ((1,), True)])
def test_a_mean_over_pixels_keeps_orders_and_one_over_channels_does_not(dims, outside):
    graph = graph_of(Pictures(dims), torch.randn(4, 3, 5, 5))
    assert ("Mean" in graph.outside) == outside


@pytest.mark.parametrize("dims", [None, (), (0, 1, 2, 3)])
def test_a_mean_over_everything_keeps_no_order(dims):
    graph = graph_of(Centred(dims), torch.randn(4, 3, 5, 5))
    assert "Mean" in graph.outside


@pytest.mark.parametrize(
    ("between", "name"),
    [
        (nn.LayerNorm(8).forward, "NativeLayerNorm"),
        (lambda h: h * h, "Mul"),
        (lambda h: h.softmax(1), "Softmax"),
        (lambda h: h.sigmoid(), "Sigmoid"),
        # An average over units, in a last dimension of three.
        (lambda h: h - h.view(-1, 4, 2).mean(-1).repeat_interleave(2, 1), "Mean"),
    ],
)
def test_operations_that_theory_does_not_cover_are_named(between, name):
    model = Residual()
    model.between = between
    assert name in graph_of(model, torch.randn(4, 5)).outside


def test_a_parameter_on_the_way_is_named():
    model = Residual()
    shift = torch.zeros(8, requires_grad=True)
    model.between = lambda h: h + shift
    assert graph_of(model, torch.randn(4, 5)).outside == ("parameter",)


def test_a_tensor_without_gradient_has_no_layer_behind_it():
    assert node_of(torch.zeros(3)) is None
