"""What a coordinate check shows: slopes over width, what theory expects of them, and verdicts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from dynparam.models.check_figure import coordinate_figure, save_figure
from dynparam.models.expected import LayeredNetwork, OutsideTheoryError, expected_orders
from dynparam.presentation.numbers import bracketed, fixed, signed, with_interval
from dynparam.statistics.estimates import Estimate
from dynparam.statistics.measured_conditions import COLUMNS, SEVERITY, relation_verdict
from dynparam.statistics.slopes import slope_of_log_means
from dynparam.statistics.verdicts import ClaimVerdict, equivalence
from dynparam.support.errors import ConfigError
from dynparam.theory.conditions import Quantity, Relation
from dynparam.theory.orders import Orders
from dynparam.theory.parametrization import Optimizer

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Regime = Literal["rich", "lazy", "unstable", "undecided"]
"""Whether a step moves the narrowest hidden layers' preactivations by Theta(1) (rich), less and less as
the network widens (lazy), or more and more (unstable). It is that of one step: a network on a plateau
may be lazy at step 1 and rich later."""

STEPS_FURTHER = 20
"""How many times as many steps a check that is not rich suggests to look at."""

QUANTITIES: tuple[Quantity, ...] = ("preactivation", "update", "alignment")

SIZES: tuple[str, ...] = tuple(COLUMNS[quantity] for quantity in QUANTITIES)
"""Their columns in the table."""


@dataclass(frozen=True)
class Question:
    """What a check asks; the fields are arguments of ``models.coordinate_check.coordinate_check``.

    Attributes:
        parametrization: its name; ``None`` for a model as it comes.
        r: of ``dynamic``.
        confidence: level of the intervals.
        tolerance: largest difference of slopes that counts as equal.
        optimizer: the rule of rates; ``None`` for an optimizer that theory does not know.
    """

    parametrization: str | None
    r: Fraction | float
    confidence: float
    tolerance: float
    optimizer: Optimizer | None = "sgd"


@dataclass(frozen=True)
class CoordinateCheck:
    """The result of a coordinate check.

    Attributes:
        table: a row for each width, seed, step and layer, with columns width, n_min, seed, step, layer,
            name, fan_in, fan_out, preactivation_rms, update_rms, gradient_norm, alignment. Sizes are
            root mean squares over the batch and the layer's units; the alignment is summed over both.
        networks: the layers at each width.
        question: what was asked.
    """

    table: pd.DataFrame
    networks: Mapping[int, LayeredNetwork]
    question: Question

    @cached_property
    def orders(self) -> Orders | None:
        """The exact exponents of the first step, or ``None``; ``why_no_orders`` has the reason."""
        try:
            return self._expected_orders()
        except OutsideTheoryError:
            return None

    @property
    def why_no_orders(self) -> str | None:
        """Why theory expects nothing of this model; ``None`` if it does."""
        try:
            self._expected_orders()
        except OutsideTheoryError as reason:
            return str(reason)
        return None

    def _expected_orders(self) -> Orders:
        asked = self.question
        return expected_orders(self.networks, asked.parametrization, asked.r, asked.optimizer)

    @cached_property
    def slopes(self) -> pd.DataFrame:
        """Slopes of every step, layer and quantity over width.

        Columns: step, layer, name, quantity; expected, the exact exponent (a ``Fraction``, or ``None``
        after the first step); slope, ci_low, ci_high of the mean over seeds, Student's interval; agrees,
        whether slope and exponent are equal to within the tolerance; condition, its equation in the
        thesis; verdict, whether it holds.
        """
        rows = [
            self._slope_row(step, layer, quantity)
            for step in sorted(self.table["step"].unique())
            for layer in range(1, self.depth + 1)
            for quantity in QUANTITIES
        ]
        return pd.DataFrame(rows)

    @property
    def depth(self) -> int:
        """The number L of weight layers."""
        return len(next(iter(self.networks.values())).layers)

    @property
    def verdict(self) -> ClaimVerdict:
        """Whether hidden preactivations and all alignments keep their size and outputs do not grow.

        Eqs. 2.18, 2.31 and 2.19, at every step looked at: the worst verdict of their rows. What is zero
        in every trial is not judged.
        """
        verdicts = set(self.slopes["verdict"])
        return next((one for one in SEVERITY if one in verdicts), ClaimVerdict.UNDECIDED)

    @property
    def last_step(self) -> int:
        """The number of the last step looked at, from 1: that at which the regime is judged."""
        return int(self.table["step"].max())

    @property
    def regime(self) -> Regime:
        """How the narrowest hidden layers move at ``last_step``, and at no other.

        A first step says nothing of the steps after a plateau: look again with more ``steps``.
        """
        rows = self.slopes[self.slopes["quantity"] == "update"]
        rows = rows[(rows["step"] == self.last_step) & rows["layer"].isin(self._narrowest())]
        low, high = rows["ci_low"].max(), rows["ci_high"].min()
        tolerance = self.question.tolerance
        if rows["ci_low"].min() >= -tolerance and rows["ci_high"].max() <= tolerance:
            return "rich"
        if high < -tolerance:
            return "lazy"
        return "unstable" if low > tolerance else "undecided"

    def sentences(self) -> list[str]:
        """What is not as it should be, or not judged, a sentence for each layer and quantity."""
        found = self.slopes[self.slopes["verdict"].isin([ClaimVerdict.FAILS, ClaimVerdict.UNDECIDED])]
        zero = self.slopes[self.slopes["slope"].isna()]
        return [
            *(_sentence(row) for row in found.to_dict("records")),
            *(self._of_zero(row) for row in zero.to_dict("records")),
        ]

    def _of_zero(self, row: Mapping[Any, Any]) -> str:
        """What is zero in every trial, and why."""
        trials = self.table[(self.table["step"] == row["step"]) & (self.table["layer"] == row["layer"])]
        why = why_zero(trials.iloc[0].to_dict())
        return f"Not judged at {row['name']}, step {row['step']}: its {row['quantity']} is 0; {why}."

    @property
    def message(self) -> str:
        """What the check concludes, as it stands above its picture."""
        kept = f"With {self._name()}, sizes and alignments are kept: {self.verdict}"
        return f"{kept}; regime at step {self.last_step}: {self.regime}"

    def plot(self, path: Path | str | None = None, *, step: int = 1) -> Figure:
        """Sizes, updates and alignments against width on log axes, one line a layer, with slopes.

        With a ``path`` the figure is saved there, in the format that its ending names. Raises
        ``ConfigError`` for a step that was not taken.
        """
        if step not in set(self.table["step"]):
            raise ConfigError(f"step {step} was not taken; choose one of 1 to {self.last_step}")
        figure = coordinate_figure(
            self.table[self.table["step"] == step],
            self.slopes[self.slopes["step"] == step],
            self.message,
        )
        if path is not None:
            save_figure(figure, Path(path))
        return figure

    def __str__(self) -> str:
        rows = [
            {
                "step": str(row["step"]),
                "layer": f"{row['layer']} {row['name']}",
                "quantity": row["quantity"],
                "expected": "" if row["expected"] is None else str(row["expected"]),
                "slope": "0 in all trials"
                if math.isnan(row["slope"])
                else with_interval(row["slope"], row["ci_low"], row["ci_high"]),
                "agrees": row["agrees"],
                "verdict": row["verdict"],
            }
            for row in self.slopes.to_dict("records")
        ]
        shown = pd.DataFrame(rows)
        if shown["step"].nunique() == 1:
            shown = shown.drop(columns="step")
        return "\n\n".join([self._title(), _left_aligned(shown), *self._closing()])

    def _title(self) -> str:
        widths = ", ".join(map(str, self.networks))
        seeds = self.table["seed"].nunique()
        return f"{self._name()}, widths {widths}, {seeds} seeds each; slopes of means against width"

    def _name(self) -> str:
        """Of the parametrization, with its optimizer if that is not SGD."""
        name = self.question.parametrization or "the model as it comes"
        if self.question.optimizer == "sgd":
            return name
        return f"{name} under {self.question.optimizer or 'another optimizer'}"

    def _closing(self) -> list[str]:
        kept = f"Sizes and alignments are kept: {self.verdict}."
        lines = [f"{kept} Regime at step {self.last_step}: {self.regime}.", *self._of_one_step()]
        reason = self.why_no_orders
        if reason is not None:
            lines.append(f"Theory expects nothing here: {reason}.")
        return ["\n".join([*lines, *self.sentences()])]

    def _of_one_step(self) -> list[str]:
        """What a regime other than rich leaves open, and how to look again."""
        if self.regime == "rich":
            return []
        return [
            f"It is judged at step {self.last_step}: a network on a plateau may become rich later; look "
            f"again with steps={STEPS_FURTHER * self.last_step}."
        ]

    def _slope_row(self, step: int, layer: int, quantity: Quantity) -> dict[str, Any]:
        rows = self.table[(self.table["step"] == step) & (self.table["layer"] == layer)]
        found = self._fit(rows, COLUMNS[quantity])
        expected = self._expected(step, layer, quantity)
        condition, relation = _condition(quantity, readout=self._is_readout(layer))
        tolerance = self.question.tolerance
        if math.isnan(found.value):
            expected = relation = None
        return {
            "step": step,
            "layer": layer,
            "name": rows["name"].iloc[0],
            "quantity": quantity,
            "expected": expected,
            **found.row("slope"),
            "agrees": ""
            if expected is None
            else equivalence(*found.interval, float(expected), tolerance),
            "condition": condition,
            "verdict": ""
            if relation is None
            else relation_verdict(relation, *found.interval, tolerance),
        }

    def _fit(self, rows: pd.DataFrame, column: str) -> Estimate:
        widths = list(self.networks)
        if not rows[column].any():
            return Estimate(*(math.nan,) * 5)
        values = [rows.loc[rows["width"] == width, column].to_numpy(float)[:, None] for width in widths]
        return slope_of_log_means(widths, values, confidence=self.question.confidence)

    def _expected(self, step: int, layer: int, quantity: Quantity) -> Fraction | None:
        # Exponents are those of initial weights; later steps start from others.
        if step > 1 or self.orders is None:
            return None
        exponents: Sequence[Fraction] = getattr(self.orders, quantity)
        return exponents[layer - 1]

    def _is_readout(self, layer: int) -> bool:
        return next(iter(self.networks.values())).layers[layer - 1].readout

    def _narrowest(self) -> list[int]:
        """The hidden layers, from 1, that are of the smallest width at every width looked at."""
        return [
            index + 1
            for index in range(self.depth)
            if not self._is_readout(index + 1)
            and all(
                network.layers[index].fan_out
                == min(layer.fan_out for layer in network.layers if not layer.readout)
                for network in self.networks.values()
            )
        ]


def _left_aligned(table: pd.DataFrame) -> str:
    """A table of words, as text."""
    shown = pd.DataFrame({name: [name, *table[name]] for name in table})
    padded = shown.apply(lambda column: column.str.ljust(column.str.len().max()))
    return "\n".join(line.rstrip() for line in padded.agg("  ".join, axis=1))


def why_zero(row: Mapping[Any, Any]) -> str:
    """Which of the causes makes a quantity of a row of the table zero, and what to do."""
    if row["preactivation_rms"] == 0:
        return (
            "its preactivations are 0, since its weights or all its inputs are: start from other "
            "weights, or judge later steps"
        )
    if row["gradient_norm"] == 0:
        return (
            "no gradient reaches it, since weights behind it are 0 or the units between are all silent: "
            "start from other weights, widen these layers, or judge later steps"
        )
    return "the step moves it by nothing: learning_rate is lost to rounding, or nothing before it learns"


def _condition(quantity: Quantity, *, readout: bool) -> tuple[str, Relation | None]:
    """The thesis's condition on a quantity, and what it wants of its exponent."""
    if quantity == "alignment":
        return "2.31", "zero"
    if quantity == "preactivation":
        return ("2.19", "at_most_zero") if readout else ("2.18", "zero")
    return "", None


def _sentence(row: Mapping[Any, Any]) -> str:
    interval = bracketed(row["ci_low"], row["ci_high"], partial(signed, digits=2))
    where = f"{row['name']}, step {row['step']}"
    slope = f"width^{fixed(row['slope'], 2)} {interval}"
    return f"{row['condition']} {row['verdict']} at {where}: its {row['quantity']} goes as {slope}."
