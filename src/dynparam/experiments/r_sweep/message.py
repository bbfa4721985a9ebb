"""What the figure of the r-sweep says, in a sentence, with the verdicts of its edges."""

from __future__ import annotations

import pandas as pd

from dynparam.statistics.verdicts import Verdict


def sweep_message(edges: pd.DataFrame, steps: int) -> str:
    """Where drift and gradients start to grow. ``edges`` is ``edges.summary``."""
    drift, growth = (
        edges.loc[edges["statistic"] == one, "verdict"].tolist() for one in ("drift", "growth")
    )
    return f"{_of_drift(drift)}; {_of_growth(growth, steps)}"


def _of_drift(verdicts: list[str]) -> str:
    agree, differ = verdicts.count(Verdict.AGREES), verdicts.count(Verdict.DISAGREES)
    if agree == len(verdicts):
        return "Drift grows once updates pass the root of n_min, whichever width they are a power of"
    if differ == len(verdicts):
        return "Drift does not start to grow where updates pass the root of n_min"
    undecided = len(verdicts) - agree - differ
    return (
        f"Drift grows once updates pass the root of n_min for {agree} of {len(verdicts)} widths that "
        f"they are a power of, {undecided} undecided"
    )


def _of_growth(verdicts: list[str], steps: int) -> str:
    if set(verdicts) == {Verdict.AGREES}:
        return f"so do gradients in {steps} steps"
    if Verdict.DISAGREES in verdicts:
        return f"gradients in {steps} steps do not"
    return f"whether gradients do in {steps} steps is undecided"
