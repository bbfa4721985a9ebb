"""What the jobs of the r-sweep depend on."""

import pytest
from pydantic import ValidationError

from dynparam.experiments.r_sweep.settings import Sweep, for_edges, for_sweep
from dynparam.support.errors import ConfigError
from tests.findings_run import CONFIG, configured
from tests.sweeps import sweep_block


def test_a_sweep_depends_on_its_own_reference_and_the_block():
    job = for_sweep(configured({"sweep.seed": 7, "sweep.steps": 9, "probe.seed": 3}), "n_max")
    assert job.sweep.references == ("n_max",)
    assert (job.sweep.seed, job.sweep.steps) == (7, 9)
    assert job.probe.learning_rate == CONFIG.probe.learning_rate
    assert list(job.data.pairs) == [CONFIG.probe.pair]
    with pytest.raises(ConfigError, match=r"no 'mean' in sweep.references"):
        for_sweep(CONFIG, "mean")


@pytest.mark.parametrize(
    "changes",
    [
        {"probe.seed": 3},
        {"probe.trials": 77},
        {"probe.widths.count": 4},
        {"probe.curves.fig3_2_dynamic_ratio.narrow.coefficient": "7"},
    ],
)
def test_what_only_the_probe_depends_on_does_not_repeat_a_sweep(changes):
    assert for_sweep(configured(changes), "n_min") == for_sweep(CONFIG, "n_min")


def test_edges_depend_on_all_references_and_on_no_title():
    judged = for_edges(CONFIG)
    assert judged.sweep == CONFIG.sweep
    assert judged.figures.titles == judged.figures.architecture == {}


@pytest.mark.parametrize(
    ("key", "wrong", "right"),
    [
        ("r", [0, "9/8"], [0, 1]),
        ("r", ["-1/8", 1], [0, 1]),
        ("r", ["1/2"], ["1/2", "5/8"]),
        ("r", [0, "1/2", "1/4"], [0, "1/4", "1/2"]),
        ("r", [0, "1/2", "1/2"], [0, "1/2", 1]),
        ("steps", 1, 2),
        ("onset", 1, 1.01),
        ("tolerance", 0, 0.01),
        ("references", [], ["n_max"]),
        ("references", ["mean"], ["n_min", "n_max"]),
        ("narrow", {"coefficient": 3, "exponent": 0}, {"coefficient": 3, "exponent": "1/9"}),
    ],
)
def test_what_lies_beyond_a_limit_is_refused_and_the_limit_is_not(key, wrong, right):
    with pytest.raises(ValidationError, match=key):
        Sweep.model_validate(sweep_block(**{key: wrong}))
    Sweep.model_validate(sweep_block(**{key: right}))
