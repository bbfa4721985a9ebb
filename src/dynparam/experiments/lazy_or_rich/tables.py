"""The forms of the tables that this experiment reads."""

from __future__ import annotations

from dynparam.support.tables import COUNT, GAPS, NUMBER, TEXT, WHOLE, Form

LINEARIZATION = Form(
    {
        "parametrization": TEXT,
        "n": COUNT,
        "trial": WHOLE,
        "discrepancy": NUMBER,
        "discrepancy_limit": NUMBER,
        "kernel_change": NUMBER,
        "loss": NUMBER,
        "rank": COUNT,
    },
    key=("parametrization", "n", "trial"),
    complete=True,
)
"""Trained networks beside their linearizations (``linearization.measure``)."""

KERNEL_CHANGE = Form(
    {
        "family": TEXT,
        "parametrization": TEXT,
        "r": NUMBER,
        "step": NUMBER,
        "n": COUNT,
        "n_min": COUNT,
        "trial": WHOLE,
        "kernel_change": GAPS,
        "steps": COUNT,
        "loss": GAPS,
        "outcome": ("reached", "stopped", "diverged"),
        "rank": COUNT,
    },
    key=("family", "parametrization", "r", "step", "n", "trial"),
)
"""Kernels before and after training (``kernel_change.measure``)."""

INDEX = Form(
    {
        "family": TEXT,
        "engine": ("law", "dense"),
        "parametrization": TEXT,
        "n": COUNT,
        "n_min": COUNT,
        "trial": WHOLE,
        "layer": COUNT,
        "index": NUMBER,
        "expected": NUMBER,
    },
    key=("family", "engine", "parametrization", "n", "trial", "layer"),
)
"""Measured laziness indices (``indices.measure``)."""

IDENTITIES = Form(
    {
        "identity": ("kernel", "outputs", "control"),
        "r": NUMBER,
        "momentum": NUMBER,
        "difference": NUMBER,
    },
    key=("identity", "r", "momentum"),
)
"""Relative differences of dynamic parametrization and ntk with its output scale (``identities``)."""
