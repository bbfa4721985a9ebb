"""What the figures of training say: other curves, another sentence."""

import pandas as pd
import pytest

from dynparam.experiments.training_curves.message import compared, curves_message, domain_message
from tests.experiments.training_curves.test_claims import both, claims_stage


def claims(**verdicts):
    """Claims with these verdicts, named by their metrics."""
    metrics = [name.replace("__", " ").replace("epoch", "epoch ") for name in verdicts]
    return pd.DataFrame({"metric": metrics, "verdict": list(verdicts.values())})


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        (
            {
                "train_loss__area": "holds",
                "test_loss__epoch100": "holds",
                "test_accuracy__best": "fails",
            },
            "dynamic is better than spectral in mean training loss and test loss at epoch 100, worse in "
            "best test accuracy",
        ),
        ({"train_loss__area": "fails"}, "dynamic is worse than spectral in mean training loss"),
        (
            {"train_loss__area": "undecided", "test_loss__epoch5": "holds"},
            "dynamic is better than spectral in test loss at epoch 5, undecided in mean training loss",
        ),
        ({"test_loss__best": "undecided"}, "dynamic is undecided in best test loss"),
        ({}, "nothing tells dynamic from spectral"),
    ],
)
def test_each_side_is_said_with_its_quantities(verdicts, said):
    assert compared(claims(**verdicts), "dynamic", "spectral") == said


@pytest.mark.parametrize(("shift", "side"), [(0.1, "better"), (-0.1, "worse")])
def test_the_primary_claims_of_a_figure_are_judged_on_its_curves(shift, side):
    """The mean training loss and, though it is not primary, the last test accuracy; no other."""
    settings = claims_stage(epochs=(1, 3), primary=("train_loss area",))
    said = curves_message(settings, "bird-cat", "Fig. 3.5", *both(shift, last=3))
    assert said.startswith(f"bird-cat: dynamic is {side} than spectral in mean training loss")
    assert said.count("loss") == 1
    assert "test accuracy at epoch 3" in said


def test_a_single_seed_decides_nothing():
    first, second = (table[table["seed"] == table["seed"].min()] for table in both(0.1, last=3))
    said = curves_message(claims_stage(epochs=(1, 3)), "bird-cat", "Fig. 3.5", first, second)
    assert said == "bird-cat: too few seeds to tell dynamic from spectral"


def domain(speed, accuracy):
    """Two networks with these verdicts on their mean training loss and on their test accuracy."""
    rows = [
        ("t", n, 10, metric, epoch, verdict)
        for n, verdicts in ((100, (speed[0], accuracy[0])), (200, (speed[1], accuracy[1])))
        for metric, epoch, verdict in (
            ("train_loss", "area", verdicts[0]),
            ("train_loss", "50", "holds"),
            ("test_accuracy", "1", "holds"),
            ("test_accuracy", "50", verdicts[1]),
            ("test_accuracy", "best", "holds"),
        )
    ]
    return pd.DataFrame(rows, columns=["task", "n", "n_min", "metric", "epoch", "verdict"])


def test_cases_of_the_domain_are_counted_for_both_sides():
    """At the last epoch and over all epochs alone, whatever holds elsewhere."""
    assert domain_message(domain(("holds", "fails"), ("fails", "undecided")), ("a", "b")) == (
        "Of 2 cases b has the lower mean training loss in 1, a in 1; b has the higher final test "
        "accuracy in 0, a in 1"
    )
    assert "b has the lower mean training loss in 2, a in 0" in domain_message(
        domain(("holds", "holds"), ("holds", "holds")), ("a", "b")
    )
