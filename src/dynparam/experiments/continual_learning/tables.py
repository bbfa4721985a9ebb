"""The forms of the tables that this experiment reads."""

from __future__ import annotations

from dynparam.support.tables import COUNT, NUMBER, TEXT, WHOLE, Form

MEASURED = Form(
    {
        "part": ("gaussian", "smooth", "images"),
        "scales": TEXT,
        "first": COUNT,
        "second": COUNT,
        "noise": NUMBER,
        "similarity": NUMBER,
        "trial": WHOLE,
        "error_first": NUMBER,
        "error_second": NUMBER,
        "error_alone": NUMBER,
        "error_back": NUMBER,
    },
    key=("part", "scales", "first", "second", "noise", "similarity", "trial"),
)
"""Errors of every draw of two tasks (``measure.measure``)."""

EXPECTED = Form(
    {
        "part": ("gaussian", "smooth", "images"),
        "scales": TEXT,
        "first": COUNT,
        "second": COUNT,
        "noise": NUMBER,
        "similarity": NUMBER,
        "critical": NUMBER,
        "laziness": NUMBER,
        "error_first": NUMBER,
        "error_second": NUMBER,
        "error_alone": NUMBER,
        "error_back": NUMBER,
    },
    key=("part", "scales", "first", "second", "noise", "similarity"),
)
"""The same in theory, on the modes of the kernel that was measured."""
