"""What the figures of the open choices say, in a sentence, with the verdicts of their tables."""

from __future__ import annotations

import pandas as pd

from dynparam.experiments.open_choices.trained import Conclusion
from dynparam.presentation.sentences import joined, words
from dynparam.trials.claims import Showing


def moved(changes: pd.DataFrame) -> pd.DataFrame:
    """The slopes in which a claim shows by default and not under an alternative, or the reverse.

    Slopes in which either is undecided are not among them.
    """
    decided = changes[["shows_by_default", "shows"]].isin([Showing.YES, Showing.NO]).all(axis=1)
    return changes[decided & (changes["shows_by_default"] != changes["shows"])]


def changes_message(changes: pd.DataFrame) -> str:
    """How many alternatives change what shows in a slope, and which."""
    names = moved(changes)["alternative"].unique().tolist()
    return _told(names, changes["alternative"].nunique(), "changes what shows in a slope")


def trained_message(trained: pd.DataFrame) -> str:
    """How many alternatives change a conclusion on training, and which; how much is undecided."""
    choices = trained[trained["role"] == "choice"]
    changed = choices[choices["conclusion"] == Conclusion.CHANGED]
    said = _told(
        changed["alternative"].unique().tolist(),
        choices["alternative"].nunique(),
        "changes a conclusion on training",
    )
    undecided = int((choices["conclusion"] == Conclusion.UNDECIDED).sum())
    return f"{said}; {undecided} of {len(choices)} comparisons are undecided" if undecided else said


def _told(names: list[str], count: int, does: str) -> str:
    """``1 of 10 alternatives changes ...: asymptotic first layer``."""
    if not names:
        return f"None of {count} alternatives {does}"
    verb = does if len(names) == 1 else does.replace("changes", "change", 1)
    return f"{len(names)} of {count} alternatives {verb}: {joined([words(name) for name in names])}"
