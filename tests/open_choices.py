"""The open choices with the thesis's configuration, and invented trials and curves, that tests share."""

from pathlib import Path

import numpy as np
import pandas as pd

from dynparam.configuration.choices import load_open_choices
from dynparam.configuration.config import Config
from dynparam.configuration.loading import load
from dynparam.experiments.open_choices.arms import COLUMNS as ARM_COLUMNS
from dynparam.experiments.open_choices.entries import DEFAULT
from dynparam.experiments.open_choices.settings import for_choice_curves
from dynparam.experiments.open_choices.trained import all_trained
from dynparam.experiments.open_choices.trials import COLUMNS
from dynparam.settings.shared import shown_curves

ROOT = Path(__file__).parents[1]
ENTRIES = ROOT / "config" / "open_choices.yaml"
CONFIG = load(Config, [ROOT / "config" / "thesis.yaml"])
OPEN_CHOICES = load_open_choices(ENTRIES, CONFIG)
WIDTHS = (100, 300, 1000)
BY_DEFAULT = {"train_loss": -0.05, "test_loss": 0.0, "train_accuracy": 0.0, "test_accuracy": -0.03}
"""The planted differences of invented curves, second arm less first."""


def invented_trials(shifts=None, trials=30, spread=0.05, seed=0):
    """Trials of every choice: n^slope times an image's ||x||^2 times noise, which all choices share.

    The slope is 0 where the claim is flat and -1 where it is decreasing, plus ``shifts``: choice to
    shift, or to a shift of each curve.
    """
    shifts = shifts or {}
    generator = np.random.default_rng(seed)
    noise = 1 + spread * generator.standard_normal((4, len(WIDTHS), trials, 6))
    square = generator.uniform(0.5, 1.5, (4, len(WIDTHS), trials))
    unshifted = _table(noise, square, 0.0)
    return {
        (choice, engine): (
            _table(noise, square, shifts[choice]) if choice in shifts else unshifted.copy()
        )
        for choice, engine in OPEN_CHOICES.needed_trials()
        if choice == DEFAULT or choice in OPEN_CHOICES.measured()
    }


def _table(noise, square, shift):
    rows = []
    for place, curve in enumerate(shown_curves(CONFIG.panels)):
        own = shift[curve] if isinstance(shift, dict) else shift
        slope = own - (CONFIG.probe.curve(curve).claim == "decreasing")
        for column, n in enumerate(WIDTHS):
            for trial, layers in enumerate(noise[place, column]):
                x = square[place, column, trial]
                for layer, value in enumerate(layers, start=1):
                    rows.append((curve, n, 10, trial, layer, float(n) ** slope * value * x, x))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def invented_curves(effects=None, *, spread=0.004, own=0.0, seed=0, seeds=None, epochs=None):
    """Curves of every choice: levels that fall alike, and a difference of the arms from epoch 0 on.

    The difference of a seed is that of ``BY_DEFAULT`` plus noise of size ``spread`` that all choices
    share, plus noise of size ``own`` of each choice, plus ``effects``: choice to column to shift. The
    control's two arms are the same.
    """
    curves = CONFIG.open_choices.training
    count = curves.seeds if seeds is None else seeds
    last = curves.epochs if epochs is None else epochs
    generator = np.random.default_rng(seed)
    shared = spread * generator.standard_normal((count, len(BY_DEFAULT)))
    found = {}
    for choice in OPEN_CHOICES.needed_curves():
        shift = np.array([(effects or {}).get(choice, {}).get(name, 0.0) for name in BY_DEFAULT])
        scatter = shared + own * generator.standard_normal(shared.shape)
        apart = np.array(list(BY_DEFAULT.values())) + shift + scatter
        same = choice in {one.name for one in OPEN_CHOICES.controls}
        found[choice] = _curves(np.zeros_like(apart) if same else apart, last, same)
    return found


def _curves(apart, last, same):
    names = ("spectral", "spectral" if same else "dynamic")
    rows = [
        (arm, curves_task(), names[place], seed, epoch, *level)
        for place, arm in enumerate(("first", "second"))
        for seed, differences in enumerate(apart)
        for epoch in range(last + 1)
        for level in [np.array([0.5, 0.5, 0.6, 0.6]) / (1 + epoch / 9) + place * differences]
    ]
    return pd.DataFrame(rows, columns=list(ARM_COLUMNS))


def curves_task():
    """The pair of classes that choices are trained on."""
    return CONFIG.open_choices.training.task


def invented_trained(effects=None, **noise):
    """``results/open_choices/training.csv`` of invented curves."""
    curves = invented_curves(effects, **noise)
    return all_trained(for_choice_curves(CONFIG), OPEN_CHOICES, curves)
