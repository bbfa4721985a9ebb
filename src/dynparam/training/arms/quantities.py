"""What runs are compared by: a column of their curves, and where on them."""

from __future__ import annotations

from typing import NamedTuple

from dynparam.training.arms.curves import Place


class Quantity(NamedTuple):
    """A column of the curves at a place: its wording, and whether less of it is better."""

    wording: str
    metric: str
    place: Place
    lower: bool


SPEED = Quantity("training loss, mean over epochs", "train_loss", "area", lower=True)

TEST_LOSS = Quantity("test loss, best epoch", "test_loss", "best", lower=True)

QUANTITIES = (
    SPEED,
    TEST_LOSS,
    Quantity("test loss, last epoch", "test_loss", "last", lower=True),
    Quantity("test accuracy, best epoch", "test_accuracy", "best", lower=False),
    Quantity("test accuracy, last epoch", "test_accuracy", "last", lower=False),
)
"""What is compared. A run's best epoch is that of its validation images."""
