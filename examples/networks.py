"""The architectures of the examples and of docs/own-model/architectures.md, by their width n."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

OUTPUTS = 2
TOKENS = 13
LENGTH = 16


def bottleneck(n: int) -> int:
    """A narrow width that grows slower: 6 sqrt(n), as the thesis's n_min."""
    return round(6 * math.sqrt(n))


def chain(*widths: int) -> nn.Sequential:
    """Linear layers with ReLU between them."""
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(widths[:-1]):
        layers += [nn.Linear(fan_in, fan_out), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(*widths[-2:]))


def mlp(n: int) -> nn.Module:
    """Four layers of equal widths."""
    return chain(64, n, n, n, OUTPUTS)


def bottleneck_mlp(n: int) -> nn.Module:
    """The thesis's network with a narrow layer in the middle."""
    return chain(64, n, bottleneck(n), n, OUTPUTS)


def autoencoder(n: int) -> nn.Module:
    """Its output is as large as its input, its code as narrow as a bottleneck."""
    return chain(64, n, bottleneck(n), n, 64)


def cnn(n: int) -> nn.Module:
    """Convolutions with a narrow one among them, an average over positions, and a readout."""
    return nn.Sequential(
        nn.Conv2d(3, n, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(n, bottleneck(n), 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(bottleneck(n), n, 1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(n, OUTPUTS),
    )


class ResidualBlock(nn.Module):
    """Down to a bottleneck and up again, each with BatchNorm, beside a skip."""

    def __init__(self, n: int) -> None:
        """Both widths follow from ``n`` channels."""
        super().__init__()
        self.down = nn.Conv2d(n, bottleneck(n), 3, padding=1, bias=False)
        self.up = nn.Conv2d(bottleneck(n), n, 1, bias=False)
        self.first, self.second = nn.BatchNorm2d(bottleneck(n)), nn.BatchNorm2d(n)

    def forward(self, x: Tensor) -> Tensor:
        """Images (N, n, side, side) to the same shape."""
        branch = self.second(self.up(self.first(self.down(x)).relu()))
        return (x + branch).relu()


def resnet(n: int) -> nn.Module:
    """Two residual blocks between a convolution and a readout."""
    stem = nn.Conv2d(3, n, 3, padding=1, bias=False), nn.BatchNorm2d(n), nn.ReLU()
    tail = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(n, OUTPUTS)
    return nn.Sequential(*stem, ResidualBlock(n), ResidualBlock(n), *tail)


class VisionTransformer(nn.Module):
    """Patches, places, an encoder layer of torch, an average over patches, and a readout."""

    def __init__(self, n: int, heads: int = 4) -> None:
        """Feed-forward layers are as narrow as a bottleneck."""
        super().__init__()
        self.patches = nn.Conv2d(3, n, 2, 2)
        self.places = nn.Embedding(16, n)
        self.encoder = nn.TransformerEncoderLayer(
            n, heads, bottleneck(n), dropout=0.0, batch_first=True, norm_first=True
        )
        self.norm, self.head = nn.LayerNorm(n), nn.Linear(n, OUTPUTS)

    def forward(self, images: Tensor) -> Tensor:
        """Images (N, 3, 8, 8) to outputs (N, 2)."""
        h = self.patches(images).flatten(2).transpose(1, 2)
        h = h + self.places(torch.arange(h.shape[1], device=h.device))
        return self.head(self.norm(self.encoder(h)).mean(1))


class GPTBlock(nn.Module):
    """Causal attention and a feed-forward branch through a bottleneck, each behind a LayerNorm."""

    def __init__(self, n: int, heads: int) -> None:
        """``n`` is a multiple of ``heads``; a logit is divided by the root of its d_head = n / heads."""
        super().__init__()
        self.before_attention, self.before_branch = nn.LayerNorm(n), nn.LayerNorm(n)
        self.attention = nn.MultiheadAttention(n, heads, batch_first=True)
        self.down, self.up = nn.Linear(n, bottleneck(n)), nn.Linear(bottleneck(n), n)

    def forward(self, h: Tensor) -> Tensor:
        """(N, T, n) to the same shape; position t sees those up to t."""
        causal = nn.Transformer.generate_square_subsequent_mask(h.shape[1], h.device, h.dtype)
        seen = self.before_attention(h)
        h = h + self.attention(seen, seen, seen, attn_mask=causal, need_weights=False)[0]
        return h + self.up(nn.functional.gelu(self.down(self.before_branch(h))))


class GPT(nn.Module):
    """A decoder-only transformer over characters."""

    def __init__(self, n: int, blocks: int = 2, heads: int = 4) -> None:
        """Tokens and places are embedded; the readout has weights of its own."""
        super().__init__()
        self.tokens, self.places = nn.Embedding(TOKENS, n), nn.Embedding(LENGTH, n)
        self.blocks = nn.Sequential(*(GPTBlock(n, heads) for _ in range(blocks)))
        self.norm, self.head = nn.LayerNorm(n), nn.Linear(n, TOKENS)

    def forward(self, text: Tensor) -> Tensor:
        """Tokens (N, T) to logits (N, T, 13) of the next one."""
        places = torch.arange(text.shape[1], device=text.device)
        return self.head(self.norm(self.blocks(self.tokens(text) + self.places(places))))


class Recurrent(nn.Module):
    """Torch's recurrent layer between two linear ones."""

    def __init__(self, n: int) -> None:
        """All are of width ``n``."""
        super().__init__()
        self.stem, self.rnn, self.head = nn.Linear(4, n), nn.RNN(n, n, batch_first=True), nn.Linear(n, 2)

    def forward(self, x: Tensor) -> Tensor:
        """Sequences (N, T, 4) to outputs (N, 2)."""
        return self.head(self.rnn(self.stem(x).relu())[0][:, -1])
