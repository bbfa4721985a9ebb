"""The open choices with the thesis's configuration, and invented trials for it, that tests share."""

from pathlib import Path

import numpy as np
import pandas as pd

from dynparam.configuration.choices import load_open_choices
from dynparam.configuration.config import Config
from dynparam.configuration.loading import load
from dynparam.experiments.open_choices.entries import DEFAULT
from dynparam.experiments.open_choices.trials import COLUMNS
from dynparam.settings.shared import shown_curves

ROOT = Path(__file__).parents[1]
ENTRIES = ROOT / "config" / "open_choices.yaml"
CONFIG = load(Config, [ROOT / "config" / "thesis.yaml"])
OPEN_CHOICES = load_open_choices(ENTRIES, CONFIG)
WIDTHS = (100, 300, 1000)


def invented_trials(shifts=None, trials=30, spread=0.05, seed=0):
    """Trials of every choice: n^slope times an image's ||x||^2 times noise, which all choices share.

    The slope is 0 where the claim is flat and -1 where it is decreasing, plus ``shifts``: choice to
    shift, or to a shift of each curve.
    """
    shifts = shifts or {}
    generator = np.random.default_rng(seed)
    noise = 1 + spread * generator.standard_normal((4, len(WIDTHS), trials, 6))
    square = generator.uniform(0.5, 1.5, (4, len(WIDTHS), trials))
    return {
        (choice, engine): _table(noise, square, shifts.get(choice, 0.0))
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
