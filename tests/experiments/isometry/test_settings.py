"""Settings of the experiment on depth: what its jobs depend on, and what is refused."""

import pytest
from pydantic import ValidationError

from dynparam.experiments.isometry.settings import for_isometry, for_isometry_trials
from dynparam.theory.isometry import isometry as theory
from tests import isometry
from tests.findings_run import CONFIG, configured


@pytest.mark.parametrize(
    ("key", "value"), [("trials", 4), ("depths", [4, 8]), ("clipped", 0.4), ("descent.steps", 40)]
)
def test_what_is_measured_changes_both(key, value):
    changed = configured({f"isometry.{key}": value})
    assert for_isometry_trials(changed) != for_isometry_trials(CONFIG)
    assert for_isometry(changed) != for_isometry(CONFIG)


def test_nothing_else_reaches_a_measurement():
    changed = configured({"data.seed": 4, "fit.confidence": 0.9, "figures.dpi": 50})
    assert for_isometry_trials(changed) == for_isometry_trials(CONFIG)


BOTTLENECKS = isometry.SMALL["bottlenecks"]
DESCENT = isometry.SMALL["descent"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"depths": [8, 4]}, "depths are not increasing"),
        ({"depths": [4]}, "depths"),
        ({"depths": [1, 4]}, "depths.0"),
        ({"depths": [3, 4]}, "depths has 3"),
        ({"depths": [4.5, 8]}, "depths.0"),
        ({"descent": {**DESCENT, "depths": [6, 4]}}, r"descent\.depths are not increasing"),
        ({"descent": {**DESCENT, "noise": 0}}, "noise"),
        ({"bottlenecks": {**BOTTLENECKS, "depths": [4, 4]}}, r"bottlenecks\.depths are not increasing"),
        ({"bottlenecks": {**BOTTLENECKS, "n_min": 13}}, r"bottlenecks\.n_min \(13\) exceeds"),
        ({"bottlenecks": {**BOTTLENECKS, "r": "3/4"}}, "r\n"),
        ({"bottlenecks": {**BOTTLENECKS, "parametrizations": ["sp"]}}, "parametrizations"),
        ({"clipped": 4 / 3}, "leaves no eigenvalue at the top of 6 layers; choose it below 1.2"),
        ({"clipped": 1.2}, "top of 6 layers; choose it below 1.2"),
        ({"clipped": 1.15, "depths": [4, 12]}, "top of 12 layers; choose it below 1.09"),
        ({"clipped": 1.15, "descent": {**DESCENT, "depths": [4, 12]}}, "top of 12 layers"),
        ({"clipped": 1.15, "control_depth": 12}, "top of 12 layers"),
        ({"clipped": 0}, "clipped"),
        ({"clipped": float("nan")}, "clipped"),
        ({"three_layers": {"units": 40, "clipped": 1.5}}, "clipped"),
        ({"units": 5}, "units"),
        ({"trials": 1}, "trials"),
        ({"trials": True}, "trials is true"),
        ({"near": 0.5}, "near"),
    ],
)
def test_what_cannot_be_measured_is_refused_with_its_key(changes, message):
    with pytest.raises(ValidationError, match=message):
        isometry.config(**changes)


def test_what_is_accepted_leaves_eigenvalues_at_the_top_of_every_depth():
    """The deeper, the fewer: c (L-1)/L grows with L."""
    own = isometry.settings(clipped=1.19)
    for depth in (*own.depths, *own.descent.depths, own.control_depth):
        assert theory(depth, own.clipped).top_mass > 0
    assert theory(6, 1.2).top_mass == pytest.approx(0.0)
