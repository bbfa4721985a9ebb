"""Published networks, built small: ``apply`` and ``coordinate_check`` on each, and the table of it.

    python -m tests.models.zoo     writes the table into docs/own-model/architectures.md

A network works, or is refused in one sentence that names the layers; with the list that the refusal
gives as ``unchanged`` it works as well.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional

import dynparam
from dynparam.data.torchvision_reader import import_datasets
from dynparam.support.errors import ModelError
from examples.frame import between, table_of

import_datasets()  # before torchvision itself: it declares what an installation for CPUs lacks

from torchvision import models  # noqa: E402
from torchvision.models import convnext, efficientnet, mobilenetv3, regnet  # noqa: E402

PAGE = Path(__file__).parents[2] / "docs" / "own-model" / "architectures.md"
BEGIN, END = "<!-- zoo: python -m tests.models.zoo -->", "<!-- end of the zoo -->"

CLASSES = 2
WIDTHS = (8, 16)
IMAGES = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
TOKENS = torch.randint(0, 11, (4, 6), generator=torch.Generator().manual_seed(0))

Make = Callable[[int], nn.Module]


@dataclass(frozen=True)
class Exhibit:
    """A network of the zoo: what builds it at a width, and one batch."""

    make: Make
    sample_input: torch.Tensor
    target: torch.Tensor


def _resnet(n: int, block: Any) -> nn.Module:
    return models.ResNet(block, [1, 1, 1, 1], num_classes=CLASSES, width_per_group=n)


def _convnext(n: int) -> nn.Module:
    block = convnext.CNBlockConfig
    return models.ConvNeXt([block(n, 2 * n, 1), block(2 * n, None, 1)], num_classes=CLASSES)


def _efficientnet(n: int, kind: Any) -> nn.Module:
    setting = [kind(2, 3, 1, n, n, 1), efficientnet.MBConvConfig(2, 3, 2, n, 2 * n, 1)]
    return models.EfficientNet(setting, dropout=0.0, num_classes=CLASSES, last_channel=4 * n)


def _mobilenet_v2(n: int) -> nn.Module:
    setting = [[1, 16, 1, 1], [2, 24, 2, 2]]
    return models.MobileNetV2(CLASSES, n / 32, inverted_residual_setting=setting, round_nearest=1)


def _mobilenet_v3(n: int) -> nn.Module:
    block = partial(mobilenetv3.InvertedResidualConfig, dilation=1, width_mult=1.0)
    setting = [
        block(n, 3, 2 * n, n, True, "RE", stride=1),
        block(n, 3, 2 * n, 2 * n, False, "HS", stride=2),
    ]
    return models.MobileNetV3(setting, last_channel=4 * n, num_classes=CLASSES)


def _regnet(n: int, squeeze: float | None) -> nn.Module:
    parameters = regnet.BlockParams([1, 1], [n, 2 * n], [n, n], [1.0, 1.0], [2, 2], squeeze)
    return models.RegNet(parameters, num_classes=CLASSES, stem_width=n)


def _swin(n: int, kind: Any) -> nn.Module:
    return models.SwinTransformer(
        [4, 4], n, [1, 2], [2, 2], [4, 4], num_classes=CLASSES, stochastic_depth_prob=0.0, **kind
    )


class Decoder(nn.Module):
    """A decoder-only transformer: causal attention of plain linear layers."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.token, self.place = nn.Embedding(11, n), nn.Embedding(6, n)
        self.norms = nn.ModuleList(nn.LayerNorm(n) for _ in range(3))
        self.mix, self.out = nn.Linear(n, 3 * n), nn.Linear(n, n)
        self.up, self.down, self.head = nn.Linear(n, 4 * n), nn.Linear(4 * n, n), nn.Linear(n, 11)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        h = self.token(tokens) + self.place(torch.arange(tokens.shape[1], device=tokens.device))
        q, k, v = self.mix(self.norms[0](h)).chunk(3, dim=2)
        h = h + self.out(functional.scaled_dot_product_attention(q, k, v, is_causal=True))
        h = h + self.down(functional.gelu(self.up(self.norms[1](h))))
        return self.head(self.norms[2](h))[:, -1, :CLASSES]


class Autoencoder(nn.Module):
    """Convolutions down, and transposed ones up again."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.encode = nn.Sequential(
            nn.Conv2d(3, n, 3, 2, 1), nn.ReLU(), nn.Conv2d(n, 2 * n, 3, 2, 1), nn.ReLU()
        )
        self.decode = nn.Sequential(
            nn.ConvTranspose2d(2 * n, n, 2, 2), nn.ReLU(), nn.ConvTranspose2d(n, 3, 2, 2)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.decode(self.encode(x))


def upsampling(n: int) -> nn.Module:
    """The same with convolutions behind an enlargement, which have a fan_in."""
    return nn.Sequential(
        *(nn.Conv2d(3, n, 3, 2, 1), nn.ReLU(), nn.Conv2d(n, 2 * n, 3, 2, 1), nn.ReLU()),
        *(nn.Upsample(scale_factor=2), nn.Conv2d(2 * n, n, 3, 1, 1), nn.ReLU()),
        *(nn.Upsample(scale_factor=2), nn.Conv2d(n, 3, 3, 1, 1)),
    )


def _of_images(make: Make) -> Exhibit:
    return Exhibit(make, IMAGES, torch.ones(len(IMAGES), CLASSES))


V2 = {
    "block": models.swin_transformer.SwinTransformerBlockV2,
    "downsample_layer": models.swin_transformer.PatchMergingV2,
}

ZOO: dict[str, Exhibit] = {
    **{
        name: _of_images(make)
        for name, make in {
            "ResNet, bottlenecks": partial(_resnet, block=models.resnet.Bottleneck),
            "DenseNet": lambda n: models.DenseNet(n, (2, 2), 2 * n, num_classes=CLASSES),
            "ConvNeXt": _convnext,
            "EfficientNet": partial(_efficientnet, kind=efficientnet.MBConvConfig),
            "EfficientNet V2": partial(_efficientnet, kind=efficientnet.FusedMBConvConfig),
            "MobileNet V2": _mobilenet_v2,
            "MobileNet V3": _mobilenet_v3,
            "RegNet X": partial(_regnet, squeeze=None),
            "RegNet Y": partial(_regnet, squeeze=1.0),
            "MNASNet": lambda n: models.MNASNet(n / 32, num_classes=CLASSES, dropout=0.0),
            "ShuffleNet V2": lambda n: models.ShuffleNetV2(
                [1, 1, 1], [n, 2 * n, 4 * n, 8 * n, 16 * n], num_classes=CLASSES
            ),
            "Vision transformer": lambda n: models.VisionTransformer(
                32, 8, 1, 2, n, 2 * n, num_classes=CLASSES
            ),
            "Swin": partial(_swin, kind={}),
            "Swin V2": partial(_swin, kind=V2),
        }.items()
    },
    "decoder-only transformer": Exhibit(Decoder, TOKENS, torch.ones(len(TOKENS), CLASSES)),
    "autoencoder, transposed convolutions": Exhibit(Autoencoder, IMAGES, IMAGES),
    "autoencoder, enlargements": Exhibit(upsampling, IMAGES, IMAGES),
}


@dataclass(frozen=True)
class Visit:
    """What ``apply`` and ``coordinate_check`` say of a network.

    Attributes:
        refusal: the sentence, if it is refused as it is.
        unchanged: the list that the sentence gives.
        layers: the weight layers found, with that list.
        readouts: those of them that are readouts.
        checked: the names of the layers that the check looked at.
    """

    refusal: str
    unchanged: list[str]
    layers: int
    readouts: list[str]
    checked: list[str]


def visit(exhibit: Exhibit) -> Visit:
    """Try a network as it comes, then with what its refusal says to list."""
    torch.manual_seed(0)
    refusal, unchanged = "", []
    try:
        applied = _applied(exhibit, unchanged)
    except ModelError as error:
        refusal = str(error)
        unchanged = _listed(refusal)
        applied = _applied(exhibit, unchanged)
    check = dynparam.coordinate_check(
        exhibit.make,
        WIDTHS,
        sample_input=exhibit.sample_input,
        target=exhibit.target,
        seeds=2,
        learning_rate=1e-3,
        unchanged=unchanged,
    )
    readouts = [layer.name for layer in applied.layers if layer.readout]
    return Visit(refusal, unchanged, len(applied.layers), readouts, list(check.table["name"].unique()))


def _applied(exhibit: Exhibit, unchanged: list[str]) -> dynparam.Applied:
    return dynparam.apply(
        exhibit.make(WIDTHS[0]),
        "dynamic",
        learning_rate=0.1,
        sample_input=exhibit.sample_input,
        unchanged=unchanged,
    )


def _listed(refusal: str) -> list[str]:
    """The names that a refusal says to list: a whole list, or one name."""
    _, found, names = refusal.partition("unchanged=")
    if found:
        return list(ast.literal_eval(names))
    return [refusal.rpartition("or list ")[2].partition(" in unchanged")[0].strip("'")]


def table() -> str:
    """What every network's visit shows, for the page."""
    rows = []
    for name, exhibit in ZOO.items():
        seen = visit(exhibit)
        kept = ", ".join(f"`{one}`" for one in seen.unchanged) or "-"
        rows.append([name, seen.layers, ", ".join(f"`{one}`" for one in seen.readouts) or "none", kept])
    headers = ["network", "weight layers", "readout", "to list in `unchanged`"]
    return table_of(rows, headers)


def written(page: str, found: str) -> str:
    """The page with another table between its marks."""
    return between(page, BEGIN, END, found)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), table()), encoding="utf-8")
