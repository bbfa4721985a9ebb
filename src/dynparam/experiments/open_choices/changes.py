"""What the alternatives to the choices change: every slope of Figs. 3.2 and 3.3, paired, with interval.

The slope under a choice and its difference from the default's come from trials that share their random
numbers. Most of what scatter is left is that of the images' norms, which is taken out of both
(``statistics.slopes.slope_per_square``). A
claim of the thesis shows, does not show, or is undecided under a choice, by the interval of that
choice's own slope.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

import numpy as np
import pandas as pd

from dynparam.experiments.open_choices.entries import DEFAULT, OpenChoices
from dynparam.experiments.open_choices.settings import OpenChoicesStage
from dynparam.settings.shared import shown_curves
from dynparam.statistics.estimates import Estimate, student
from dynparam.statistics.slopes import PER_SQUARE, slope_of_log_means, slope_per_square
from dynparam.statistics.verdicts import equivalence
from dynparam.support.arrays import FloatArray
from dynparam.support.errors import DataError
from dynparam.trials.claims import showing
from dynparam.trials.networks import asymptotic_exponents
from dynparam.trials.settings import Engine

COLUMNS = (
    "alternative",
    "engine",
    "curve",
    "layer",
    "default",
    "default_low",
    "default_high",
    "slope",
    "ci_low",
    "ci_high",
    "change",
    "change_low",
    "change_high",
    "shows_by_default",
    "shows",
    "exponent",
    "at_exponent_by_default",
    "at_exponent",
)
"""The columns of ``results/open_choices/changes.csv``; slopes are d log(mean alignment) / d log(n).

``exponent`` is the exact one as n grows, the same under all choices, and the last two say whether the
slopes agree with it to within the tolerance.
"""

Trials = Mapping[tuple[str, Engine], pd.DataFrame]
"""(choice, engine) -> its trials, as ``experiments.open_choices.trials.measure_choice`` gives them."""


def all_changes(settings: OpenChoicesStage, open_choices: OpenChoices, trials: Trials) -> pd.DataFrame:
    """A row in ``COLUMNS`` for every measured alternative, curve and layer.

    The default's slopes are those on the law engine, with its many trials. An alternative on the same
    engine has a slope of its own; that of one on the dense engine is the default's plus the paired
    change, their errors added as independent ones. Raises ``DataError`` if trials do not pair.
    """
    known = {choice: _arranged(table) for choice, table in trials.items()}
    rows = [
        row
        for name, alternative in open_choices.measured().items()
        for row in _changes_of(settings, name, alternative.engine, known)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


Arranged = dict[str, dict[int, dict[int, FloatArray]]]
"""Curve -> layer -> n -> alignment and relative ||x||^2 (trials, 2)."""


def _arranged(trials: pd.DataFrame) -> Arranged:
    found: Arranged = {}
    for row, values in trials.groupby(["curve", "layer", "n"])[["alignment", "relative_square"]]:
        curve, layer, n = cast(tuple[str, int, int], row)
        found.setdefault(curve, {}).setdefault(layer, {})[n] = values.to_numpy(float)
    return found


def _changes_of(
    settings: OpenChoicesStage, name: str, engine: Engine, known: Mapping[tuple[str, Engine], Arranged]
) -> Iterator[tuple[object, ...]]:
    """The rows of an alternative."""
    confidence = settings.fit.confidence
    chosen, paired, exact = known[name, engine], known[DEFAULT, engine], known[DEFAULT, "law"]
    for curve in shown_curves(settings.panels):
        _require_pairs(name, curve, chosen, paired)
        exponents = asymptotic_exponents(settings.network, settings.probe.curve(curve))
        for layer, by_width in exact[curve].items():
            default = _slope(by_width, confidence)
            change = _change(chosen[curve][layer], paired[curve][layer], confidence)
            slope = (
                _slope(chosen[curve][layer], confidence)
                if engine == "law"
                else _sum(default, change, confidence)
            )
            values = [
                value for line in (default, slope, change) for value in (line.value, *line.interval)
            ]
            claim, tolerance = settings.probe.curve(curve).claim, settings.comparison.tolerance
            shown = [str(showing(claim, *line.interval, tolerance)) for line in (default, slope)]
            exponent = float(exponents[layer - 1])
            at = [str(equivalence(*line.interval, exponent, tolerance)) for line in (default, slope)]
            yield name, engine, curve, layer, *values, *shown, exponent, *at


def _require_pairs(name: str, curve: str, chosen: Arranged, paired: Arranged) -> None:
    """Raise ``DataError`` unless both have as many trials in every layer at every width."""
    shapes = [
        {layer: {n: len(values) for n, values in widths.items()} for layer, widths in table.items()}
        for table in (chosen.get(curve, {}), paired.get(curve, {}))
    ]
    if not shapes[0] or shapes[0] != shapes[1]:
        raise DataError(
            f"the trials of {curve} under {name} do not pair with the default's; measure both again"
        )


def _slope(by_width: dict[int, FloatArray], confidence: float) -> Estimate:
    return slope_per_square(list(by_width), list(by_width.values()), confidence=confidence)


def _change(chosen: dict[int, FloatArray], paired: dict[int, FloatArray], confidence: float) -> Estimate:
    """The slope under a choice less the default's; zero to the bit where all trials are equal."""
    both = [np.hstack([chosen[n], paired[n]]) for n in paired]
    powers = np.hstack([PER_SQUARE, np.negative(PER_SQUARE)])
    line = slope_of_log_means(list(paired), both, powers.tolist(), confidence=confidence)
    equal = all(np.array_equal(chosen[n], paired[n]) for n in paired)
    return student(0.0, 0.0, line.degrees_of_freedom, confidence) if equal else line


def _sum(first: Estimate, second: Estimate, confidence: float) -> Estimate:
    """The sum of two independent slopes, with Welch's and Satterthwaite's degrees of freedom."""
    lines = (first, second)
    variance = sum(line.standard_error**2 for line in lines)
    spread = sum(line.standard_error**4 / line.degrees_of_freedom for line in lines)
    freedom = variance**2 / spread if spread > 0 else first.degrees_of_freedom
    return student(first.value + second.value, float(np.sqrt(variance)), round(freedom), confidence)
