"""What the changes of slopes, their figure and their page depend on."""

import pytest

from dynparam.experiments.open_choices.settings import for_open_choices
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
