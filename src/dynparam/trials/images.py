"""The images that trials see."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from dynparam.data.images import Pair, draw_subset, normalize, one_hot
from dynparam.support.randomness import seed_sequence
from dynparam.trials.settings import ProbeStage


class TrialImages:
    """The normalized images of a pair, and the draw of one of them for a trial (Sec. 3.1)."""

    def __init__(self, settings: ProbeStage, pair: Pair) -> None:
        """Normalize the training images once; inputs (images, n_0), targets one-hot (images, 2)."""
        self._settings = settings
        self._labels = pair.train_labels
        dtype = getattr(torch, settings.probe.dtype)
        inputs = normalize(pair.train_images, settings.inputs.normalization)
        self.inputs = torch.from_numpy(inputs).to(dtype)
        self.targets = torch.from_numpy(one_hot(self._labels)).to(dtype)

    def mean_square(self) -> float:
        """The expectation of ||x||^2 over draws; both classes count equally if redrawn stratified."""
        square = self.inputs.double().square().sum(1).numpy()
        if self._settings.probe.subset == "redrawn" and self._settings.data.stratified:
            classes = np.unique(self._labels)
            return float(np.mean([square[self._labels == label].mean() for label in classes]))
        return float(square.mean())

    def draw(self, generator: torch.Generator, *trial: str | int) -> tuple[Tensor, Tensor]:
        """A random image (n_0,) and its target (2,); a redrawn subset follows from ``trial``."""
        if self._settings.probe.subset == "redrawn":
            data = self._settings.data
            numbers = np.random.default_rng(seed_sequence(data.seed, "subset", *trial))
            subset = draw_subset(self._labels, data.train_images, data.stratified, numbers)
            chosen = subset[_one_of(len(subset), generator)]
        else:
            chosen = _one_of(len(self._labels), generator)
        return self.inputs[chosen], self.targets[chosen]


def _one_of(count: int, generator: torch.Generator) -> int:
    """A random number below ``count``."""
    return int(torch.randint(count, (), generator=generator))
