"""Verdicts: which of two networks is the lazier, and which the richer, at the end of training.

Runs of one seed begin at the same normal numbers and see the same batches under both parametrizations:
ratios and differences are paired. Ratios are geometric means over seeds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dynparam.experiments.through_training.settings import ThroughStage
from dynparam.experiments.through_training.tables import WHOLE_NETWORK
from dynparam.statistics.estimates import Estimate, mean_of
from dynparam.statistics.judged import CLAIM, CONTROL, SHOWN, Accepted, Row, below, beyond, known, table
from dynparam.support.arrays import FloatArray

LAZY, RICH = "dynamic", "spectral"
"""The parametrizations that are compared, where both were trained: the one said to be lazier first."""

MOVEMENT = "movement of weights"
COSINE = "cosine of the kernel with its start"
CENTRED = "cosine of the centred kernel with its start"
PARTICIPATION = "participation ratio"
CLASSES = "variance between over within classes"
TRACE = "trace of the kernel"
CROSSING = "step at which the traces are equal"
SHARES = {
    "trace": "layer's share in the trace of the kernel",
    "contribution": "layer's share in the contributions",
}
SEEDS = "largest ratio of two seeds' movement"

OVER = f"{LAZY} over {RICH}"
LESS = f"{LAZY} less {RICH}"
TURNED = f"{RICH} over {LAZY}"

TWO = 2
"""Fewest seeds of an interval."""

Tables = Mapping[tuple[str, str, str], pd.DataFrame]
"""The tables by task, network and parametrization."""


@dataclass(frozen=True)
class Compared:
    """The runs of one task and network under both parametrizations.

    Attributes:
        task: the pair of classes.
        network: its widths, as in ``1000-50``.
        lazy: the table of ``LAZY``.
        rich: that of ``RICH``.
        level: of the intervals.
    """

    task: str
    network: str
    lazy: pd.DataFrame
    rich: pd.DataFrame
    level: float

    @property
    def setting(self) -> str:
        """Task and network, as tables name them."""
        return f"{self.task}, {self.network}"

    def pairs(self, column: str, layer: int, step: int) -> tuple[FloatArray, FloatArray]:
        """The values of ``LAZY`` and of ``RICH`` by seed, of the seeds that have both, (seeds,)."""
        lazy, rich = (_values(one, column, layer, step) for one in (self.lazy, self.rich))
        both = lazy.dropna().index.intersection(rich.dropna().index)
        return lazy[both].to_numpy(float), rich[both].to_numpy(float)

    def ratio(self, column: str, layer: int, step: int) -> Estimate:
        """``LAZY`` over ``RICH``."""
        lazy, rich = self.pairs(column, layer, step)
        return geometric_mean(lazy / rich, self.level)

    def difference(self, column: str, layer: int, step: int) -> Estimate:
        """``LAZY`` less ``RICH``."""
        lazy, rich = self.pairs(column, layer, step)
        return mean(lazy - rich, self.level)


def judged(tables: Tables, settings: ThroughStage) -> pd.DataFrame:
    """The table of verdicts (``statistics.judged``). Raises ``DataError`` if a control agrees.

    Without both parametrizations there is nothing to compare, and values are shown alone.
    """
    rows = [row for compared in all_compared(tables, settings) for row in _compared(compared)]
    for (task, network, name), probes in tables.items():
        rows += _shown(f"{task}, {network}, {name}", probes, settings.fit.confidence)
    return table(rows)


def all_compared(tables: Tables, settings: ThroughStage) -> Iterator[Compared]:
    """Task by task and network by network, where both parametrizations were trained."""
    through = settings.through_training
    if not {LAZY, RICH} <= set(through.parametrizations):
        return
    for task in through.tasks:
        for network in through.networks:
            lazy, rich = (tables[task, network.name, name] for name in (LAZY, RICH))
            yield Compared(task, network.name, lazy, rich, settings.fit.confidence)


def geometric_mean(ratios: FloatArray, level: float) -> Estimate:
    """The geometric mean of positive ratios (seeds,) with Student's interval of their logarithms.

    Its standard error is that of the logarithm. One ratio alone has no interval.

    >>> found = geometric_mean(np.array([2.0, 8.0]), 0.95)
    >>> round(found.value, 9), bool(found.ci_low < 1)
    (4.0, True)
    """
    logs = mean(np.log(ratios), level)
    value, low, high = np.exp([logs.value, logs.ci_low, logs.ci_high]).tolist()
    return Estimate(value, low, high, logs.standard_error, logs.degrees_of_freedom)


def mean(values: FloatArray, level: float) -> Estimate:
    """The mean of values (seeds,) with Student's interval; one alone is shown without."""
    if len(values) == 1:
        return Estimate(float(values[0]), np.nan, np.nan, np.nan, 0)
    return mean_of(values, level)


def crossing(first: FloatArray, second: FloatArray, steps: FloatArray) -> float:
    """The step at which ``second`` (steps,) catches up with ``first``; nan if it never does, or leads.

    Between two looks the logarithm of their ratio is taken as linear in the logarithm of the step.

    >>> crossing(np.array([8.0, 8, 8]), np.array([2.0, 4, 16]), np.array([1.0, 10, 1000]))
    100.0
    """
    ahead = np.log(second) - np.log(first)
    later = np.flatnonzero(ahead >= 0)
    if not len(later) or later[0] == 0 or steps[later[0] - 1] <= 0:
        return float("nan")
    at, before = later[0], later[0] - 1
    share = -ahead[before] / (ahead[at] - ahead[before])
    start, end = np.log(steps[[before, at]])
    return float(round(np.exp(start + share * (end - start)), 9))


def hidden_layers(probes: pd.DataFrame) -> range:
    """The numbers of the hidden layers of a table's networks."""
    return range(1, int(probes["layer"].max()))


def last_step(probes: pd.DataFrame) -> int:
    """The step of the last look."""
    return int(probes["step"].max())


def _compared(one: Compared) -> Iterator[Row]:
    """Rows of one task and network: at the end of training, and of the traces from its beginning on."""
    # Runs that diverged end before the others.
    last = min(last_step(one.lazy), last_step(one.rich))
    yield from _lazier(one, last)
    yield from _richer(one, last)
    yield from _traces(one, last)
    yield from _controls(one, last)


def _lazier(one: Compared, last: int) -> Iterator[Row]:
    layers = range(1, int(one.lazy["layer"].max()) + 1)
    for layer in (WHOLE_NETWORK, *layers):
        where = "all layers" if layer == WHOLE_NETWORK else f"W^{layer}"
        setting, found = f"{one.setting}, {where}", one.ratio("movement", layer, last)
        yield _claimed(one, "weights", f"{MOVEMENT}, {OVER}", setting, 1.0, found, below(1.0))
    for column, quantity in (("cosine", COSINE), ("centred_cosine", CENTRED)):
        found = one.difference(column, WHOLE_NETWORK, last)
        yield _claimed(one, "kernel", f"{quantity}, {LESS}", one.setting, 0.0, found, beyond(0.0))


def _richer(one: Compared, last: int) -> Iterator[Row]:
    """Features behind the first layer, which sees the images themselves: fewer directions, by class."""
    for layer in hidden_layers(one.lazy):
        setting = f"{one.setting}, h^{layer}"
        found = one.ratio("participation", layer, last)
        quantity = f"{PARTICIPATION}, {OVER}"
        if layer == 1:
            yield Row("features", quantity, setting, SHOWN, 1.0, found)
        else:
            yield _claimed(one, "features", quantity, setting, 1.0, found, beyond(1.0))
        found = one.ratio("class_ratio", layer, last)
        yield Row("features", f"{CLASSES}, {OVER}", setting, SHOWN, 1.0, found)


def _traces(one: Compared, last: int) -> Iterator[Row]:
    """The trace is smaller under ``RICH`` at first and larger at the end."""
    for step, accepted in ((0, below(1.0)), (last, beyond(1.0))):
        lazy, rich = one.pairs("trace", WHOLE_NETWORK, step)
        found = geometric_mean(rich / lazy, one.level)
        quantity = f"{TRACE}, {TURNED}"
        setting = f"{one.setting}, step {step}"
        yield _claimed(one, "kernel", quantity, setting, 1.0, found, accepted)
    yield from _crossing(one)


def _crossing(one: Compared) -> Iterator[Row]:
    """Where the traces are equal, of the seeds in which they become so."""
    lazy, rich = (
        probes[probes["layer"] == WHOLE_NETWORK].pivot(index="seed", columns="step", values="trace")
        for probes in (one.lazy, one.rich)
    )
    steps = lazy.columns.intersection(rich.columns)
    seeds = lazy.index.intersection(rich.index)
    found = np.array(
        [
            crossing(
                lazy.loc[seed, steps].to_numpy(), rich.loc[seed, steps].to_numpy(), steps.to_numpy(float)
            )
            for seed in seeds
        ]
    )
    reached = found[np.isfinite(found)]
    if len(reached):
        note = f"in {len(reached)} of {len(found)} seeds"
        measured = geometric_mean(reached, one.level)
        yield Row("kernel", CROSSING, one.setting, SHOWN, np.nan, measured, note=note)


def _controls(one: Compared, last: int) -> Iterator[Row]:
    """What is wrong and must be refuted, where there is an interval."""
    lazy, rich = one.pairs("movement", WHOLE_NETWORK, last)
    if len(lazy) < TWO:
        return
    wrong = f"the same rows the other way round: {RICH} said to be the lazier"
    found = geometric_mean(rich / lazy, one.level)
    quantity = f"{MOVEMENT}, {TURNED}"
    yield Row("weights", quantity, one.setting, CONTROL, 1.0, found, below(1.0), wrong)
    for name, values in ((LAZY, lazy), (RICH, rich)):
        setting, largest = f"{one.setting}, {name}", known(float(values.max() / values.min()))
        wrong = f"said to differ as {RICH} does from {LAZY}"
        yield Row("weights", SEEDS, setting, CONTROL, found.value, largest, beyond(found.value), wrong)


def _claimed(
    one: Compared,
    part: str,
    quantity: str,
    setting: str,
    bound: float,
    found: Estimate,
    accepted: Accepted,
) -> Row:
    """A claim; what one seed shows has no interval, and is shown without a verdict."""
    if np.isfinite(found.value) and not np.isfinite(found.standard_error):
        return Row(part, quantity, setting, SHOWN, bound, found, note="one seed")
    return Row(part, quantity, setting, CLAIM, bound, found, accepted)


def _shown(setting: str, probes: pd.DataFrame, level: float) -> Iterator[Row]:
    """What a parametrization's networks are at the end of training, without a verdict."""
    last = last_step(probes)

    def at(column: str, layer: int) -> Estimate:
        """The mean over seeds."""
        return mean(_values(probes, column, layer, last).dropna().to_numpy(float), level)

    for layer in range(1, int(probes["layer"].max()) + 1):
        where = f"{setting}, W^{layer}"
        yield Row("weights", MOVEMENT, where, SHOWN, np.nan, at("movement", layer))
        for column, part in (("trace", "kernel"), ("contribution", "contributions")):
            for step in dict.fromkeys((0, last)):
                found = _share(probes, column, layer, step, level)
                yield Row(part, SHARES[column], f"{where}, step {step}", SHOWN, np.nan, found)
    for column, quantity in (("cosine", COSINE), ("centred_cosine", CENTRED), ("trace", TRACE)):
        yield Row("kernel", quantity, setting, SHOWN, np.nan, at(column, WHOLE_NETWORK))
    for layer in hidden_layers(probes):
        for column, quantity in (("participation", PARTICIPATION), ("class_ratio", CLASSES)):
            found = at(column, layer)
            yield Row("features", quantity, f"{setting}, h^{layer}", SHOWN, np.nan, found)


def _share(probes: pd.DataFrame, column: str, layer: int, step: int, level: float) -> Estimate:
    """The share of a layer in a sum over all, mean over seeds."""
    own, whole = (_values(probes, column, one, step) for one in (layer, WHOLE_NETWORK))
    return mean((own / whole).dropna().to_numpy(float), level)


def _values(probes: pd.DataFrame, column: str, layer: int, step: int) -> pd.Series:
    """The values of a column at one layer and step, by seed."""
    at = (probes["layer"].to_numpy() == layer) & (probes["step"].to_numpy() == step)
    found = pd.Series(probes[column].to_numpy(float)[at], index=probes["seed"].to_numpy()[at])
    return found.sort_index()
