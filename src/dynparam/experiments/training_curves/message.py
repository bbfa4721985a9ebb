"""What the figures of training say, in a sentence, with the verdicts of the claims."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from dynparam.experiments.training_curves.claims import judge_curves
from dynparam.experiments.training_curves.domain_figure import PANELS as DOMAIN_PANELS
from dynparam.experiments.training_curves.domain_figure import of_panel
from dynparam.experiments.training_curves.settings import ClaimsStage
from dynparam.presentation.sentences import joined
from dynparam.statistics.verdicts import ClaimVerdict
from dynparam.support.errors import DataError

PLACES = {"area": "mean", "best": "best"}
"""Where on a curve, as a word before the quantity; other places are epochs."""

SIDES = {
    ClaimVerdict.HOLDS: "better",
    ClaimVerdict.FAILS: "worse",
    ClaimVerdict.UNDECIDED: "undecided",
}


def curves_message(
    settings: ClaimsStage, task: str, source: str, first: pd.DataFrame, second: pd.DataFrame
) -> str:
    """In which of the claims' primary quantities, and in test accuracy, dynamic is better on a task.

    The curves are judged as ``claims.judge_curves`` does; of too few seeds for that, it says so.
    """
    one, other = settings.training.parametrizations
    try:
        claims = judge_curves(settings, source, first, second)
    except DataError:
        return f"{task}: too few seeds to tell {other} from {one}"
    last = f"test_accuracy epoch {max(settings.claims.epochs)}"
    asked = dict.fromkeys([*settings.claims.endpoints, last])
    return f"{task}: {compared(claims[claims['metric'].isin(list(asked))], other, one)}"


def compared(claims: pd.DataFrame, second: str, first: str) -> str:
    """``dynamic is better than spectral in mean training loss, undecided in test accuracy``."""
    parts: list[str] = []
    for verdict, side in SIDES.items():
        metrics = claims.loc[claims["verdict"] == verdict, "metric"]
        if not metrics.empty:
            than = f" than {first}" if not parts and verdict != ClaimVerdict.UNDECIDED else ""
            parts.append(f"{side}{than} in {joined([_worded(one) for one in metrics])}")
    return f"{second} is {', '.join(parts)}" if parts else f"nothing tells {second} from {first}"


def domain_message(table: pd.DataFrame, names: Sequence[str]) -> str:
    """In how many cases, networks on tasks, each of two parametrizations is better."""
    first, second = names
    accuracy, _, loss, _ = DOMAIN_PANELS
    speed = of_panel(table, loss)
    final = of_panel(table, accuracy)
    final = final[final["epoch"].astype(str) != "best"]
    return (
        f"Of {len(speed)} cases {second} has the lower mean training loss in "
        f"{_count(speed, ClaimVerdict.HOLDS)}, {first} in {_count(speed, ClaimVerdict.FAILS)}; {second} "
        f"has the higher final test accuracy in {_count(final, ClaimVerdict.HOLDS)}, {first} in "
        f"{_count(final, ClaimVerdict.FAILS)}"
    )


def _count(rows: pd.DataFrame, verdict: ClaimVerdict) -> int:
    return int((rows["verdict"] == verdict).sum())


def _worded(metric: str) -> str:
    """``mean training loss`` for ``train_loss area``; ``test loss at epoch 50``."""
    column, _, place = metric.partition(" ")
    name = column.replace("train_", "training ").replace("_", " ")
    return f"{PLACES[place]} {name}" if place in PLACES else f"{name} at {place}"
