"""What the findings say of Figs. 3.2 and 3.3: numbers of the finished tables, ready for sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from dynparam.experiments.alignments.message import arrival
from dynparam.experiments.alignments.page import told_apart, whole_curves
from dynparam.experiments.alignments.settings import ComparisonStage, for_comparison
from dynparam.experiments.alignments.tables import READINGS, SLOPES, WIDE
from dynparam.presentation.verdicts import COMPARISONS
from dynparam.provenance.experiment import Files
from dynparam.settings.widths import NarrowWidth
from dynparam.statistics.joint import among
from dynparam.statistics.verdicts import Verdict, equivalence
from dynparam.theory.widths import INPUT_WIDTH
from dynparam.trials.settings import ASYMPTOTIC

TEMPLATES = {"en": "findings.md.j2", "ja": "findings.ja.md.j2"}
"""The sentences, in this folder."""


@dataclass(frozen=True)
class Slopes:
    """Slopes of one figure's curve, layer by layer.

    Attributes:
        figure: the figure that shows it.
        curve: its name in the configuration.
        parametrization: that of its networks.
        narrow: how n_min grows along it.
        measured: slopes over the figure's widths.
        exact: the same, expected exactly; nan at the widths of the law engine.
        asymptotic: exact exponents as n grows.
        half_width: of the intervals of ``measured``, on average.
        visible: in how many layers the thesis's claim shows.
    """

    figure: str
    curve: str
    parametrization: str
    narrow: NarrowWidth
    measured: tuple[float, ...]
    exact: tuple[float, ...]
    asymptotic: tuple[float, ...]
    half_width: float
    visible: int

    @property
    def layers(self) -> str:
        """All layers: ``1 to 6``."""
        return f"1 to {len(self.measured)}"


@dataclass(frozen=True)
class Rivals:
    """Both parametrizations along the same bottleneck."""

    narrow: NarrowWidth
    spectral: Slopes
    dynamic: Slopes


class Found:
    """The questions the template asks."""

    n_0 = INPUT_WIDTH

    def __init__(
        self,
        settings: ComparisonStage,
        directory: str,
        slopes: pd.DataFrame,
        wide: Mapping[str, pd.DataFrame],
        changes: pd.DataFrame,
    ) -> None:
        """Answer from the tables of slopes and of the open choices, and the data of ``law.figures``.

        ``directory`` is where the figures lie.
        """
        self._settings = settings
        self._directory = directory
        self._slopes = slopes
        self._wide = wide
        self._changes = changes

    def files(self, figures: Iterable[str], kind: str) -> str:
        """The files of figures: ```figures/fig3_2.csv```, separated by commas."""
        return ", ".join(f"`{self._directory}/{figure}.{kind}`" for figure in figures)

    def slopes(self, figure: str, curve: str) -> Slopes:
        """The slopes of a curve in a figure of the comparison table."""
        rows = self._rows([figure])
        rows = rows[rows["curve"] == curve].sort_values("layer")
        if rows.empty:
            raise KeyError(f"slopes of {curve} in {figure}")
        configured = self._settings.probe.curve(curve)
        notes = rows["note"]
        return Slopes(
            figure=figure,
            curve=curve,
            parametrization=configured.parametrization,
            narrow=configured.narrow,
            measured=tuple(rows["slope"].tolist()),
            exact=tuple(rows["expected_exact"].tolist()),
            asymptotic=tuple(rows["asymptotic"].tolist()),
            half_width=float((rows["ci_high"] - rows["ci_low"]).mean() / 2),
            visible=int((notes.str.contains("visible") & ~notes.str.contains("not visible")).sum()),
        )

    def verdicts(self, figures: Iterable[str]) -> dict[str, int]:
        """How many slopes of the figures agree, disagree, are undecided, and how many there are."""
        return _counts(self._rows(figures)["verdict"].tolist())

    def exponents(self, figures: Iterable[str]) -> dict[str, int]:
        """The same for measured slopes beside the exact exponents, not the slopes expected there."""
        tolerance = self._settings.comparison.tolerance
        columns = self._rows(figures)[["ci_low", "ci_high", "asymptotic"]].to_numpy(float).tolist()
        return _counts([equivalence(low, high, exact, tolerance) for low, high, exact in columns])

    def rivals(self) -> list[Rivals]:
        """Spectral and dynamic parametrization wherever a figure has both along one bottleneck."""
        return [
            Rivals(spectral.narrow, spectral, dynamic)
            for spectral in self._window("spectral")
            for dynamic in self._window("dynamic")
            if spectral.narrow == dynamic.narrow and spectral.narrow.exponent < 1
        ]

    def constant_ratio(self) -> Slopes | None:
        """The first curve of spectral parametrization at a constant ratio, if there is one."""
        return next((one for one in self._window("spectral") if one.narrow.exponent == 1), None)

    def asymptotic_reading(self, curve: Slopes) -> dict[str, Any] | None:
        """A curve's slopes if n_0 counts as Theta(1) in eq. 3.4, and how many are at their exponents.

        None if that alternative was not measured.
        """
        table = self._changes
        rows = table[(table["alternative"] == ASYMPTOTIC) & (table["curve"] == curve.curve)]
        if rows.empty:
            return None
        agree = int((rows["at_exponent"] == Verdict.AGREES).sum())
        return {"slopes": rows["slope"].tolist(), "agree": agree, "all": len(rows)}

    def steep(self) -> list[Slopes]:
        """The curves of spectral parametrization whose exponents are below zero."""
        return [one for one in self._window("spectral") if min(one.asymptotic) < 0]

    def wide_curves(self) -> Iterator[Slopes]:
        """All curves at the widths of the law engine."""
        for figure, continued in self._settings.law.figures.items():
            for curve in self._settings.panels[continued]:
                yield self.slopes(figure, curve)

    def continuations(self, curve: Slopes) -> list[str]:
        """The figures that continue a curve's figure."""
        return [wide for wide, shown in self._settings.law.figures.items() if shown == curve.figure]

    def crosses(self) -> bool:
        """Whether n_1 passes n_0 among the widths of the probe, and eq. 3.4 minds."""
        widths = self._settings.probe.widths
        as_written = self._settings.probe.first_layer == "written"
        wide = self._settings.network.hidden[0] == "wide"
        return as_written and wide and widths.smallest < self.n_0 < widths.largest

    def bends(self, curve: Slopes) -> bool:
        """Whether the local slopes of a curve leave their exponents up to n_0 and keep them beyond."""
        arrival = self.arrival([curve])
        return arrival is not None and arrival > max(self._local(curve)["n"].min(), self.n_0)

    def less_steep(self, curves: Iterable[Slopes]) -> bool:
        """Whether some layer's exact slope is less steep than its exponent, in each of the curves."""
        tolerance = self._settings.comparison.tolerance
        return all(
            max(a - b for a, b in zip(one.exact, one.asymptotic, strict=True)) > tolerance
            for one in curves
        )

    def arrival(self, curves: Sequence[Slopes]) -> float | None:
        """The n from which on all local slopes of these curves keep to their exponents, if they do."""
        local = pd.concat([self._local(one) for one in curves])
        return arrival(local, self._settings.comparison.tolerance)

    def exact_error(self) -> float:
        """The standard error of the exact slopes on the probe's widths, on average."""
        return float(self._slopes["expected_exact_error"].mean())

    def whole_curves(self) -> dict[str, Any] | None:
        """The tests of all layers of a curve together: which curves are told apart, and the least p.

        ``chance`` is that of so small a p among as many curves, independent of each other. None if
        trials are too few for a test.
        """
        whole = whole_curves(self._slopes)
        if whole.empty:
            return None
        least = whole.iloc[int(whole["joint_p"].argmin())]
        return {
            "apart": told_apart(whole, self._settings.fit.confidence),
            "curves": len(whole),
            "curve": least["curve"],
            "statistic": float(least["joint_statistic"]),
            "layers": int(least["joint_layers"]),
            "freedom": float(least["joint_freedom"]),
            "p": float(least["joint_p"]),
            "chance": among(float(least["joint_p"]), len(whole)),
        }

    def half_width(self, figures: Iterable[str]) -> float:
        """Half the width of the intervals of the figures' slopes, on average."""
        rows = self._rows(figures)
        return float((rows["ci_high"] - rows["ci_low"]).mean() / 2)

    def _rows(self, figures: Iterable[str]) -> pd.DataFrame:
        return self._slopes[self._slopes["figure"].isin(list(figures))]

    def _window(self, parametrization: str) -> list[Slopes]:
        """The curves of a parametrization in the figures of panels, each once."""
        panels = self._settings.panels
        shown = {curve: figure for figure in reversed(panels) for curve in panels[figure]}
        curves = dict.fromkeys(curve for figure in panels for curve in panels[figure])
        return [
            self.slopes(shown[curve], curve)
            for curve in curves
            if self._settings.probe.curve(curve).parametrization == parametrization
        ]

    def _local(self, curve: Slopes) -> pd.DataFrame:
        """The local slopes of a curve at the widths of the law engine; none if no figure shows them."""
        parts = [self._wide[figure] for figure in self.continuations(curve)]
        if not parts:
            return pd.DataFrame(columns=["n", "value", "asymptotic"])
        table = pd.concat(parts)
        return table[(table["kind"] == "slope") & (table["curve"] == curve.curve)]


def _counts(verdicts: Sequence[str]) -> dict[str, int]:
    return {name: verdicts.count(name) for name in COMPARISONS} | {"all": len(verdicts)}


def found(config: Any, files: Files) -> Found:
    """What the findings ask of a run."""
    return Found(
        for_comparison(config),
        str(files.figures),
        files.table("comparison/slopes", SLOPES),
        {figure: files.plotted(figure, WIDE) for figure in config.law.figures},
        files.table("open_choices/changes", READINGS),
    )
