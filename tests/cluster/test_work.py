"""What all jobs of an experiment take together: counted by hand from the measurements."""

import pytest

from dynparam.cluster.requests import Need, read_needs
from dynparam.cluster.work import Work, job_count, work
from dynparam.experiments.registry import EXPERIMENTS
from dynparam.support.errors import ConfigError
from tests.thesis import CONFIG, ROOT, with_block

STAGES = {one.name: one.stages for one in EXPERIMENTS}
NEEDS = read_needs(ROOT / "workflow/resources.yaml")


def needs(**rules):
    """The measurements of these rules alone, as (MB, s)."""
    measured = {rule: Need(mem_mb=mem_mb, seconds=s) for rule, (mem_mb, s) in rules.items()}
    return NEEDS.model_copy(update={"rules": measured})


def test_time_is_that_of_all_jobs_and_memory_that_of_the_largest():
    """Two pairs of classes are measured, each in a job; one judges and one draws."""
    found = needs(measure_fields=(500, 20.0), judge_fields=(160, 3.0), plot_fields=(210, 6.0))
    assert work(STAGES["receptive_fields"], CONFIG, found) == Work(4, 49.0, 500)


def test_fewer_names_in_the_configuration_are_fewer_jobs():
    one_pair = with_block("receptive_fields", pairs=["bird-cat"])
    found = needs(measure_fields=(500, 20.0), judge_fields=(160, 3.0), plot_fields=(210, 6.0))
    assert work(STAGES["receptive_fields"], one_pair, found) == Work(3, 29.0, 500)


def test_a_stage_has_a_job_for_each_choice():
    counts = {stage.name: job_count(stage, CONFIG) for stage in STAGES["lazy_or_rich"]}
    assert counts == {
        "measure_linearization": 2,
        "measure_kernel_change": 2,
        "measure_index": 2,
        "measure_identities": 1,
        "judge_laziness": 1,
        "plot_laziness": 1,
    }


def test_a_rule_that_was_not_measured_is_told():
    with pytest.raises(ConfigError, match="no measurements of plot_fields; add them"):
        work(STAGES["receptive_fields"], CONFIG, needs(measure_fields=(1, 1), judge_fields=(1, 1)))
