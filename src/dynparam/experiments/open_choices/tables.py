"""The forms of the tables that this experiment reads."""

from __future__ import annotations

from dynparam.experiments.open_choices.arms import ARMS
from dynparam.experiments.open_choices.trained import Conclusion, Standing
from dynparam.statistics.verdicts import Verdict
from dynparam.support.tables import COUNT, GAPS, NUMBER, TEXT, WHOLE, Form
from dynparam.training.curve_table import HOLDS
from dynparam.trials.claims import Showing

TRIALS = Form(
    {
        "curve": TEXT,
        "n": COUNT,
        "trial": WHOLE,
        "layer": COUNT,
        "alignment": NUMBER,
        "relative_square": NUMBER,
    },
    key=("curve", "n", "trial", "layer"),
    complete=True,
)
"""Trials under one choice (``trials.COLUMNS``)."""

CHANGES = Form(
    {
        "alternative": TEXT,
        "engine": ("law", "dense"),
        "curve": TEXT,
        "layer": COUNT,
        "default": NUMBER,
        "default_low": NUMBER,
        "default_high": NUMBER,
        "slope": NUMBER,
        "ci_low": NUMBER,
        "ci_high": NUMBER,
        "change": NUMBER,
        "change_low": NUMBER,
        "change_high": NUMBER,
        "shows_by_default": tuple(Showing),
        "shows": tuple(Showing),
        "exponent": NUMBER,
        "at_exponent_by_default": tuple(Verdict),
        "at_exponent": tuple(Verdict),
    },
    key=("alternative", "curve", "layer"),
    complete=True,
)
"""What every alternative changes (``changes.COLUMNS``)."""

CURVES = Form({"arm": ARMS, **HOLDS}, key=("arm", "seed", "epoch"))
"""Curves under one choice (``arms.COLUMNS``)."""

TRAINED = Form(
    {
        "alternative": TEXT,
        "role": ("choice", "control"),
        "endpoint": TEXT,
        "pairs": WHOLE,
        "first": GAPS,
        "default": GAPS,
        "default_low": GAPS,
        "default_high": GAPS,
        "difference": GAPS,
        "ci_low": GAPS,
        "ci_high": GAPS,
        "change": GAPS,
        "change_low": GAPS,
        "change_high": GAPS,
        "stands_by_default": tuple(Standing),
        "stands": tuple(Standing),
        "size": tuple(Verdict),
        "conclusion": tuple(Conclusion),
    },
    key=("alternative", "endpoint"),
    complete=True,
)
"""What every alternative changes in training (``trained.COLUMNS``)."""
