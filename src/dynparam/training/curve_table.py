"""The content of a table of curves: a row per seed and epoch, and nothing that no training writes."""

from __future__ import annotations

import io
import re

import numpy as np
import pandas as pd

from dynparam.support.ranges import ranges_text
from dynparam.support.tables import ANY, TEXT, WHOLE
from dynparam.theory.parametrization import NAMES
from dynparam.training.summary import METRICS, VALIDATED_METRICS

HOLDS = {
    "task": TEXT,
    "parametrization": TEXT,
    "seed": WHOLE,
    "epoch": WHOLE,
    **dict.fromkeys(METRICS, ANY),
}
"""What each column of a table of curves holds; what a run that diverged ended with is no number."""

COLUMNS = tuple(HOLDS)
"""The columns of a table of curves."""

VALIDATED_COLUMNS = (*COLUMNS[:4], *VALIDATED_METRICS)
"""Those of curves that show a third set of images."""

LOSSES = ["train_loss", "test_loss"]

ACCURACIES = ["train_accuracy", "test_accuracy"]

NUMBER = r"(-?[0-9]+(\.[0-9]+)?(e[-+][0-9]+)?|-?inf|)"

ROW = re.compile(rf"[a-z]+-[a-z]+,[a-z_]+,[0-9]{{1,18}},[0-9]{{1,7}}(,{NUMBER}){{4}}")
"""A row as ``tables.write_csv`` writes it: NaN is empty."""


def parse_table(content: bytes) -> pd.DataFrame:
    """The table in a file's content. Raises ``ValueError`` that says what is wrong.

    >>> parse_table(b"task,seed")
    Traceback (most recent call last):
    ValueError: its columns are not those of a table of curves
    """
    try:
        lines = content.decode().removesuffix("\n").split("\n")
    except UnicodeDecodeError:
        raise ValueError("it is no text") from None
    if lines[0] != ",".join(COLUMNS):
        raise ValueError("its columns are not those of a table of curves")
    wrong = next((k for k, line in enumerate(lines[1:], 2) if not ROW.fullmatch(line)), None)
    if wrong is not None:
        raise ValueError(f"line {wrong} is no row of a table of curves")
    if len(lines) == 1:
        raise ValueError("it has no rows")
    return pd.read_csv(io.BytesIO(content))


def require_runs(
    table: pd.DataFrame, seeds: list[int], diverged: dict[int, int], epochs: int, task: str
) -> None:
    """Raise ``ValueError`` unless a table holds whole runs of ``seeds`` and nothing else.

    All are of one parametrization. Each has its epochs 0 to ``epochs`` in order, or ends in the epoch
    it ``diverged`` in, the only one whose numbers are not all finite.
    """
    tasks, names = (table[column].unique().tolist() for column in COLUMNS[:2])
    if tasks != [task]:
        raise ValueError(f"it holds curves of {', '.join(tasks)}, and its sidecar is of {task}")
    if len(names) > 1 or names[0] not in NAMES:
        raise ValueError(f"it holds curves of {', '.join(names)}, and not of one parametrization")
    found = sorted(table["seed"].unique().tolist())
    if found != seeds:
        raise ValueError(
            f"it holds the seeds {ranges_text(found)}, and its sidecar names {ranges_text(seeds)}"
        )
    for name, run in table.groupby("seed"):
        seed = int(str(name))
        last = diverged.get(seed, epochs)
        if run["epoch"].tolist() != list(range(last + 1)):
            raise ValueError(
                f"seed {seed} lacks some of its epochs 0 to {last}, or has them twice or out of order"
            )
        _require_numbers(run, seed, diverges=seed in diverged)


def _require_numbers(run: pd.DataFrame, seed: int, *, diverges: bool) -> None:
    values = run[list(METRICS)].to_numpy(float)
    infinite = np.flatnonzero(~np.isfinite(values).all(axis=1)).tolist()
    if infinite != [len(run) - 1] * diverges:
        where = f"are not finite in epoch {infinite[0]}" if infinite else "are all finite"
        says = f"diverged in epoch {len(run) - 1}" if diverges else "did not diverge"
        raise ValueError(f"the numbers of seed {seed} {where}, and by its sidecar it {says}")
    if (run[LOSSES] < 0).any(axis=None):
        raise ValueError(f"seed {seed} has a negative loss")
    if ((run[ACCURACIES] < 0) | (run[ACCURACIES] > 1)).any(axis=None):
        raise ValueError(f"seed {seed} has an accuracy that is no share of images")
