"""What the figure says, in a sentence: clauses, and the verdicts that decide them."""

from __future__ import annotations

from dynparam.experiments.best_rate.judge import OWN_BEST
from dynparam.experiments.best_rate.settings import BestRateSettings
from dynparam.provenance.judged_message import Clause
from dynparam.training.arms.quantities import SPEED, TEST_LOSS


def clauses(settings: BestRateSettings) -> tuple[Clause, ...]:
    """Of speed and of the test loss, for the second of the two schemes that are compared."""
    first, second = settings.compared
    speed, loss = (SPEED.wording,), (TEST_LOSS.wording,)
    return (
        Clause(
            f"each at its best rate, {second} trains faster than {first}",
            f"each at its best rate, {second} trains no faster than {first}",
            speed,
            part=OWN_BEST,
        ),
        Clause("its best test loss is lower", "its best test loss is higher", loss, part=OWN_BEST),
    )
