"""The columns of the table of best rates, described once."""

from __future__ import annotations

from math import log2

from dynparam.presentation.judged import short
from dynparam.presentation.tables import Column, TableView


def rate(value: float, edge: object) -> str:
    """A rate, and whether none beyond it was tried: ``0.4``, ``0.00625 (the smallest tried)``."""
    return f"{short(value)} (the {edge} tried)" if isinstance(edge, str) and edge else short(value)


def octaves(low: float, high: float) -> str:
    """A range of rates: ``0.05 to 0.4, 3 octaves``."""
    return f"{short(low)} to {short(high)}, {log2(high / low):.3g} octaves"


BEST = TableView(
    "best-rates",
    "Every scheme at its best rate",
    (
        Column("task"),
        Column("n", numeric=True),
        Column("n_min", numeric=True),
        Column("seeds", numeric=True),
        Column("initial scales", "whose initial function networks have", ("initialization",)),
        Column("rates", "whose layerwise learning rates they train at"),
        Column(
            "best rate",
            "the eta that the validation images choose",
            ("best_rate", "edge"),
            rate,
            numeric=True,
        ),
        Column(
            "nearly as good", "rates whose validation score is close", ("near_low", "near_high"), octaves
        ),
        Column(
            "largest",
            "the largest rate at which all runs end with less training loss than they began with",
            ("largest_learning",),
            short,
            missing="none",
            numeric=True,
        ),
        Column("training loss", "mean over epochs", ("train_loss_area",), short, numeric=True),
        Column("test loss", "best epoch", ("test_loss_best",), short, numeric=True),
        Column("test loss, last", "last epoch", ("test_loss_last",), short, numeric=True),
        Column("test accuracy", "best epoch", ("test_accuracy_best",), short, numeric=True),
        Column("test accuracy, last", "last epoch", ("test_accuracy_last",), short, numeric=True),
    ),
    ("task", "n", "initial scales", "rates"),
)
