"""Verdicts: errors beside theory, whether the same task helps, and how similar one has to be to help."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from dynparam.experiments.continual_learning.settings import ContinualStage
from dynparam.statistics.estimates import UNKNOWN, Estimate, mean_of, student
from dynparam.statistics.judged import CLAIM, CONTROL, SHOWN, Row, below, beyond, equal, table
from dynparam.support.arrays import FloatArray
from dynparam.support.errors import DataError

KEY = ["part", "scales", "first", "second", "noise"]
"""The columns that tell pairs of tasks apart, but for their similarity."""

SAME = 1.0
"""The similarity of a task with itself."""

HALF = 0.5
"""rho* of targets whose powers are the eigenvalues, without noise."""

AGAIN = "error after the same task again, less that before it"

CRITICAL = "critical similarity rho*"

ON_ITSELF = "error after another task before it, less that without: the same task"

LAZINESS = "laziness index of the narrowest layer, in theory"

POOL = "error of another task alone over theory, on a finite pool"

NOT_HALF = "1/2, as of powers that are the eigenvalues"


@dataclass(frozen=True)
class Pair:
    """The trials of two tasks in a row.

    Attributes:
        part: "gaussian", "smooth" or "images".
        scales: the parametrization of the kernel.
        first: N_A.
        second: N_B.
        noise: variance of the noise.
        errors: by similarity and column, (trials,).
        expected: in theory, by similarity and column.
        confidence: of intervals.
    """

    part: str
    scales: str
    first: int
    second: int
    noise: float
    errors: dict[float, dict[str, FloatArray]]
    expected: dict[float, dict[str, float]]
    confidence: float

    def setting(self, similarity: float | None = None) -> str:
        """What the table calls it."""
        kernel = f"{self.scales}, " if self.part == "images" else ""
        noise = f", noise {self.noise:g}" if self.noise else ""
        rho = "" if similarity is None else f", rho = {similarity:g}"
        return f"{kernel}N = {self.first}, {self.second}{noise}{rho}"

    def mean(self, name: str, similarity: float) -> Estimate:
        """The mean over trials of an error."""
        return mean_of(self.errors[similarity][name], self.confidence)

    def ratio(self, name: str, similarity: float) -> Estimate:
        """The same over theory."""
        return self.mean(name, similarity).over(self.expected[similarity][name])

    def difference(self, name: str, less: str) -> Estimate:
        """Of two errors of the same task again, trial by trial."""
        own = self.errors[SAME]
        return mean_of(own[name] - own[less], self.confidence)

    def critical(self) -> Estimate:
        """rho*: where the error after A and B, a line in rho in the mean, crosses that of B alone.

        The line is that through rho = 0 and 1. A ratio of two means over the same trials, with the
        interval of its linearization. ``UNKNOWN`` if either similarity was not measured.
        """
        if not {0.0, SAME} <= set(self.errors):
            return UNKNOWN
        at = {
            rho: self.errors[rho]["error_second"] - self.errors[rho]["error_alone"]
            for rho in (0.0, SAME)
        }
        above, fall = at[0.0], at[0.0] - at[SAME]
        if fall.mean() == 0:
            return UNKNOWN
        value = float(above.mean() / fall.mean())
        scatter = mean_of((above - value * fall) / fall.mean(), self.confidence)
        return student(value, scatter.standard_error, scatter.degrees_of_freedom, self.confidence)


def pairs(measured: pd.DataFrame, expected: pd.DataFrame, settings: ContinualStage) -> list[Pair]:
    """The trials by pair of tasks, in the table's order.

    Raises ``DataError`` if something was measured of which no expectation is there.
    """
    theory = dict(list(expected.groupby(KEY, sort=False)))
    found = []
    for key, rows in measured.groupby(KEY, sort=False):
        if key not in theory:
            raise DataError(f"no expectation of the tasks {key} that were measured; measure both again")
        own = theory[key].set_index("similarity")
        names = [*_columns(own), "critical", "laziness"]
        errors = {
            float(str(rho)): {name: one[name].to_numpy(float) for name in _columns(one)}
            for rho, one in rows.groupby("similarity", sort=False)
        }
        if missing := set(errors) - set(own.index):
            raise DataError(f"no expectation at the similarities {sorted(missing)}; measure both again")
        numbers = {
            rho: dict(zip(names, own[names].to_numpy(float)[own.index.tolist().index(rho)], strict=True))
            for rho in errors
        }
        part, scales, first, second, noise = key
        found.append(
            Pair(
                str(part),
                str(scales),
                int(str(first)),
                int(str(second)),
                float(str(noise)),
                errors,
                numbers,
                settings.fit.confidence,
            )
        )
    return found


def judged(measured: pd.DataFrame, expected: pd.DataFrame, settings: ContinualStage) -> pd.DataFrame:
    """The table of verdicts (``statistics.judged``). Raises ``DataError`` if a control agrees."""
    rows: list[Row] = []
    begun: set[object] = set()
    for pair in pairs(measured, expected, settings):
        if pair.part == "smooth":
            rows += _control(pair, settings)
            continue
        before = (pair.part, pair.scales, pair.first, pair.noise)
        if pair.part == "images" and pair.scales not in begun:
            rows.append(_laziness(pair))
        if before not in begun:
            rows += _beginning(pair, settings)
        begun |= {before, pair.scales}
        rows += _errors(pair, settings)
        rows += _again(pair)
        rows += _pool(pair, settings)
        if 0.0 in pair.errors:
            rows += _critical(pair, settings)
    return table(rows)


def _beginning(pair: Pair, settings: ContinualStage) -> Iterator[Row]:
    """The error on A after A, which further tasks begin with."""
    limit = settings.continual_learning.tolerances.error
    kernel = f"{pair.scales}, " if pair.part == "images" else ""
    setting = f"{kernel}N = {pair.first}" + (f", noise {pair.noise:g}" if pair.noise else "")
    note = f"theory {pair.expected[SAME]['error_first']:.4g}"
    found = pair.ratio("error_first", SAME)
    yield equal(pair.part, "error of the first task over theory", setting, 1.0, found, limit, note)


def _laziness(pair: Pair) -> Row:
    """How lazy the network of a kernel is, at the settings' widths."""
    index = pair.expected[SAME]["laziness"]
    note = "the curves are those of the network where this is far below 1"
    return Row(pair.part, LAZINESS, pair.scales, SHOWN, index, UNKNOWN, note=note)


def _errors(pair: Pair, settings: ContinualStage) -> Iterator[Row]:
    """Errors after both tasks, over theory."""
    limit = settings.continual_learning.tolerances.error
    for similarity in pair.errors:
        for name, what in (
            ("error_second", "error of the second task after the first over theory"),
            ("error_back", "error of the first task after the second over theory"),
        ):
            # Of the same task again both are one number.
            if name == "error_second" or similarity != SAME:
                note = f"theory {pair.expected[similarity][name]:.4g}"
                found, where = pair.ratio(name, similarity), pair.setting(similarity)
                yield equal(pair.part, what, where, 1.0, found, limit, note)


def _pool(pair: Pair, settings: ContinualStage) -> Iterator[Row]:
    """What a pool adds to errors: some of its draws are copies, of which theory does not know."""
    own = settings.continual_learning.images
    if pair.part == "images" and own.curve.other in pair.errors:
        setting = f"{pair.scales}, N = {pair.second} of {own.pool}"
        found = pair.ratio("error_alone", own.curve.other)
        note = f"N/P = {pair.second / own.pool:g}"
        yield Row(pair.part, POOL, setting, SHOWN, 1.0, found, note=note)


def _again(pair: Pair) -> Iterator[Row]:
    """Whether the same task again lowers the error, where theory says so, or raises it."""
    own = pair.expected[SAME]
    gain = own["error_second"] - own["error_first"]
    accepted = below(0.0) if gain < 0 else beyond(0.0)
    found = pair.difference("error_second", "error_first")
    word = "transfer" if gain < 0 else "forgetting"
    yield Row(
        pair.part, AGAIN, pair.setting(), CLAIM, 0.0, found, accepted, f"{word}: theory {gain:.3g}"
    )


def _critical(pair: Pair, settings: ContinualStage) -> Iterator[Row]:
    limit = settings.continual_learning.tolerances.similarity
    expected = pair.expected[SAME]["critical"]
    yield equal(pair.part, CRITICAL, pair.setting(), expected, pair.critical(), limit)


def _control(pair: Pair, settings: ContinualStage) -> Iterator[Row]:
    """Targets smoother than the kernel: not even the same task helps, and rho* is not 1/2."""
    yield from _critical(pair, settings)
    own = pair.expected[SAME]
    accepted = beyond(0.0) if own["error_second"] > own["error_alone"] else below(0.0)
    found = pair.difference("error_second", "error_alone")
    yield Row(pair.part, ON_ITSELF, pair.setting(), CLAIM, 0.0, found, accepted, "smooth targets")
    limit = settings.continual_learning.tolerances.similarity
    yield equal(
        pair.part, CRITICAL, pair.setting(), HALF, pair.critical(), limit, NOT_HALF, role=CONTROL
    )


def _columns(rows: pd.DataFrame) -> list[str]:
    return [str(name) for name in rows.columns if str(name).startswith("error_")]
