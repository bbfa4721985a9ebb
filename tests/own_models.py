"""Models that tests of ``apply`` share."""

from itertools import pairwise

import torch
from torch import nn


def chain(sizes, *, bias=False, dtype=torch.float64):
    """A plain MLP of the given widths with ReLU."""
    modules = []
    for fan_in, fan_out in pairwise(sizes):
        modules += [nn.Linear(fan_in, fan_out, bias=bias, dtype=dtype), nn.ReLU()]
    return nn.Sequential(*modules[:-1])


class ResidualMLP(nn.Module):
    """h + up(relu(down(h))) in two blocks of width n with n_min inside; registered out of order."""

    def __init__(self, n_in=6, n=24, n_min=8, n_out=3):
        super().__init__()
        self.head = nn.Linear(n, n_out)
        self.up = nn.ModuleList(nn.Linear(n_min, n) for _ in range(2))
        self.norm = nn.LayerNorm(n)
        self.down = nn.ModuleList(nn.Linear(n, n_min) for _ in range(2))
        self.stem = nn.Linear(n_in, n)

    def forward(self, x):
        h = self.stem(x)
        for down, up in zip(self.down, self.up, strict=True):
            h = h + up(down(self.norm(h).relu()).relu_())
        return self.head(h.relu())


RESIDUAL_ORDER = ["stem", "down.0", "up.0", "down.1", "up.1", "head"]


class BottleneckCNN(nn.Module):
    """1x1 to n channels, then 1x1 to n_min, 3x3, 1x1 back to n, mean over positions, readout."""

    def __init__(self, n=24, n_min=8, *, n_in=3, n_out=2, bias=False, groups=1, kernel=3):
        super().__init__()
        around = {"padding": kernel // 2, "padding_mode": "circular", "groups": groups}
        self.stem = nn.Conv2d(n_in, n, 1, bias=bias)
        self.reduce = nn.Conv2d(n, n_min, 1, bias=bias)
        self.spatial = nn.Conv2d(n_min, n_min, kernel, bias=bias, **around)
        self.expand = nn.Conv2d(n_min, n, 1, bias=bias)
        self.head = nn.Linear(n, n_out, bias=bias)

    def forward(self, x):
        for layer in (self.stem, self.reduce, self.spatial, self.expand):
            x = layer(x).relu()
        return self.head(x.mean((2, 3)))


CNN_ORDER = ["stem", "reduce", "spatial", "expand", "head"]
