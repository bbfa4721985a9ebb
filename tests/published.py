"""The published figures, drawn anew from their plotted data on a sheet of any width."""

from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from dynparam.experiments.alignments.figure import probe_figure
from dynparam.experiments.alignments.wide_figure import wide_figure
from dynparam.experiments.architecture.figure import architecture_figure
from dynparam.experiments.measured_orders.conditions_figure import condition_figure
from dynparam.experiments.measured_orders.table1_1_figure import table1_1_figure
from dynparam.experiments.open_choices.figure import open_choices_figure
from dynparam.experiments.open_choices.trained_figure import trained_figure
from dynparam.experiments.training_curves.domain_figure import domain_figure
from dynparam.experiments.training_curves.figure import training_figure
from dynparam.presentation.figure_style import Sheet
from dynparam.theory.widths import bottleneck
from tests.thesis import CONFIG, ROOT

Draw = Callable[[pd.DataFrame, Sheet], Figure]

FIGURES = ROOT / "figures"

OF_DATA = {
    "companion_attentional_bm": ("attentional_boltzmann", "boltzmann_figure", ""),
    "companion_concepts": ("concept_retrieval", "concepts_figure", ""),
    "companion_continual": ("continual_learning", "continual_figure", ""),
    "companion_isometry": ("isometry", "isometry_figure", ""),
    "companion_laziness": ("lazy_or_rich", "laziness_figure", "for_laziness"),
    "companion_natural_gradient": ("natural_gradient", "natural_gradient_figure", "for_natural"),
    "companion_receptive_fields": ("receptive_fields", "fields_figure", "for_fields"),
    "companion_sharpness": ("sharpness", "sharpness_figure", "for_verdicts"),
    "companion_softmax": ("softmax_fisher", "softmax_figure", "for_softmax"),
    "best_rate": ("best_rate", "best_rate_figure", "for_best_rates"),
    "delay_law": ("delay_law", "delay_figure", "for_delays"),
    "fluctuations": ("fluctuations", "fluctuations_figure", "for_fluctuations"),
    "r_sweep": ("r_sweep", "sweep_figure", "for_edges"),
    "through_training": ("through_training", "through_figure", "for_through"),
    "weight_decay": ("weight_decay", "weight_decay_figure", "for_decay"),
}
"""Experiment, function, and the settings that the function takes besides the data."""


def draw(name: str, sheet: Sheet, folder: Path = FIGURES) -> Figure:
    """The figure of that name from ``NAME.csv`` in a folder."""
    data = pd.read_csv(folder / f"{name}.csv")
    if "seed" not in data:  # no seed is drawn by itself
        data = data.assign(seed=pd.NA)
    return DRAWN[name](data, sheet)


def _of_data(experiment: str, function: str, settings: str) -> Draw:
    place = f"dynparam.experiments.{experiment}"
    drawn = getattr(import_module(f"{place}.figure"), function)
    if not settings:
        return lambda data, sheet: drawn(data, sheet)
    stage: Any = getattr(import_module(f"{place}.settings"), settings)(CONFIG)
    return lambda data, sheet: drawn(data, stage, sheet)


def _panels(
    figure: Callable[[Mapping[str, pd.DataFrame], Sheet], Figure], data: pd.DataFrame, sheet: Sheet
) -> Figure:
    """A figure with a panel for each curve, under its title."""
    titles = CONFIG.figures.titles
    return figure({titles[curve]: rows for curve, rows in data.groupby("curve", sort=False)}, sheet)


def _architecture(data: pd.DataFrame, sheet: Sheet) -> Figure:
    widths = data["width"]
    return architecture_figure(bottleneck(int(widths.max()), int(widths.min())), sheet)


def _training(data: pd.DataFrame, sheet: Sheet) -> Figure:
    return training_figure(f"{data['task'].iloc[0]}, 35 of 100 seeds", data, sheet)


def _domain(data: pd.DataFrame, sheet: Sheet) -> Figure:
    once = ["task", "n", "n_min", "metric", "epoch"]
    table = data.drop(columns="panel").drop_duplicates(once)
    return domain_figure(table, (CONFIG.protocol.n, CONFIG.protocol.n_min), sheet)


def _choices(data: pd.DataFrame, sheet: Sheet) -> Figure:
    return open_choices_figure(data, CONFIG.figures.titles, CONFIG.comparison.tolerance, sheet)


DRAWN: dict[str, Draw] = {
    "fig3_1": _architecture,
    "fig3_2": partial(_panels, probe_figure),
    "fig3_3": partial(_panels, probe_figure),
    "fig3_2_wide": partial(_panels, wide_figure),
    "fig3_3_wide": partial(_panels, wide_figure),
    "fig3_4": _training,
    "fig3_5": _training,
    "claim_domain": _domain,
    "table1_1": lambda data, sheet: table1_1_figure(data, CONFIG.exponents, sheet),
    "conditions": lambda data, sheet: condition_figure(data, CONFIG.exponents, sheet),
    "open_choices": _choices,
    "open_choices_training": lambda data, sheet: trained_figure(
        data, CONFIG.training.parametrizations, sheet
    ),
} | {name: _of_data(*places) for name, places in OF_DATA.items()}
"""By name."""
