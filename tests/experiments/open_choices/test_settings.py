"""What the changes of slopes, their figure and their page depend on."""

import pytest

from dynparam.experiments.open_choices.settings import for_choice_run, for_open_choices
from tests.findings_run import CONFIG, configured


@pytest.mark.parametrize(
    "changes",
    [
        {"figures.titles.fig3_3_dynamic": "another title"},
        {"figures.dpi": 77},
        {"comparison.tolerance": 0.3},
        {"fit.confidence": 0.9},
        {"probe.curves.fig3_3_dynamic.claim": "decreasing"},
        {"open_choices.trials": 77},
    ],
)
def test_the_changes_and_their_figure_depend_on(changes):
    assert for_open_choices(configured(changes)) != for_open_choices(CONFIG)


@pytest.mark.parametrize("changes", [{"training.seeds": 77}, {"sweep.seed": 77}, {"claims.jump": 0.5}])
def test_what_others_depend_on_repeats_nothing(changes):
    assert for_open_choices(configured(changes)) == for_open_choices(CONFIG)


@pytest.mark.parametrize("place", ["area", "last", "best"])
@pytest.mark.parametrize("column", ["train_loss", "test_loss", "train_accuracy", "test_accuracy"])
def test_losses_and_accuracies_have_a_tolerance_each(column, place):
    changed = {
        "open_choices.training.loss_tolerance": 7,
        "open_choices.training.accuracy_tolerance": 0.5,
    }
    curves = configured(changed).open_choices.training
    assert curves.tolerance(f"{column} {place}") == (7 if column.endswith("loss") else 0.5)


def test_runs_of_a_choice_have_the_network_of_the_block():
    """Whatever the protocol says; the rest is the protocol's."""
    block = {"n": 300, "n_min": 30, "epochs": 7, "task": "bird-cat"}
    changed = {f"open_choices.training.{key}": value for key, value in block.items()}
    run = for_choice_run(configured(changed | {"protocol.learning_rate": 0.03}))
    found = run.protocol
    assert (found.n, found.n_min, found.epochs, found.learning_rate) == (300, 30, 7, 0.03)
    assert list(run.data.pairs) == ["bird-cat"]
