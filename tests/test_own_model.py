"""``apply``: a parametrization in one's own model."""

import subprocess
import sys

import torch
from torch import nn

import dynparam
from dynparam.mlp import MLP, draw_weights
from dynparam.parametrization import layer_scales
from dynparam.widths import Widths

WIDTHS = Widths((12, 20, 6, 20, 3))


def chain(sizes=WIDTHS.sizes, bias=False):
    """A plain torch MLP in float64."""
    layers = []
    for fan_in, fan_out in zip(sizes, sizes[1:], strict=False):
        layers += [nn.Linear(fan_in, fan_out, bias=bias, dtype=torch.float64), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def test_importing_the_package_imports_no_torch():
    code = "import dynparam, sys; assert 'torch' not in sys.modules; assert callable(dynparam.apply)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_draws_are_the_librarys_times_the_multiplier():
    model = chain()
    dynparam.apply(
        model, "dynamic", learning_rate=0.1, sample_input=torch.zeros(1, 12, dtype=torch.float64), seed=3
    )
    scales = layer_scales("dynamic", WIDTHS)
    weights = draw_weights(WIDTHS, scales, torch.Generator().manual_seed(3), torch.float64)
    x = torch.randn(5, 12, dtype=torch.float64)
    torch.testing.assert_close(model(x), MLP(weights, scales.multiplier)(x))
