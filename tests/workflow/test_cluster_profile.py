"""The Slurm profile without a Slurm: what it names exists, and what jobs would ask for."""

import os
import re
import shlex

import pytest
import yaml

from dynparam.cluster.requests import read_needs
from dynparam.cluster.usage import comparison, measure
from tests.workflow.sandbox import BIN, NETWORK, PAIR, REPOSITORY, CifarData, Sandbox
from tests.workflow.test_rules_style import BLOCKS

DIRECTORY = REPOSITORY / "workflow" / "profiles" / "slurm"
PROFILE = yaml.safe_load((DIRECTORY / "config.yaml").read_text())
NEEDS = read_needs(REPOSITORY / "workflow" / "resources.yaml")
SHARD = f"results/training/shards/{PAIR}/{NETWORK}/dynamic/0-1.csv"


def test_groups_are_of_rules_that_exist():
    assert set(PROFILE["groups"]) <= set(BLOCKS)
    assert set(PROFILE["set-resources"]) <= set(BLOCKS)
    assert set(PROFILE["groups"].values()) == set(PROFILE["group-components"])


def test_long_jobs_and_gpu_jobs_have_submissions_of_their_own():
    assert not {"train_seeds", "audit_archive", "sweep_r"} & set(PROFILE["groups"])


def test_the_partitions_lie_where_the_profile_says():
    assert REPOSITORY / PROFILE["slurm-partition-config"] == DIRECTORY / "partitions.yaml"
    partitions = yaml.safe_load((DIRECTORY / "partitions.yaml").read_text())["partitions"]
    assert [name for name, limits in partitions.items() if limits.get("max_gpu")] == ["gpu"]


REFUSE = """#!/bin/sh
# Stands for Slurm's commands where there is no Slurm: submits nothing, knows nothing.
echo refused >&2
exit 1
"""


@pytest.fixture
def refusing(extracted_once, tmp_path):
    """A sandbox whose Slurm refuses every submission, so that each attempt's request is told."""
    for name in ("sbatch", "sacct", "sinfo", "scontrol", "squeue"):
        command = tmp_path / "bin" / name
        command.parent.mkdir(exist_ok=True)
        command.write_text(REFUSE)
        command.chmod(0o755)
    clone = extracted_once.clone(tmp_path / "repository")
    path = f"{tmp_path / 'bin'}:{BIN}:{os.environ['PATH']}"
    return Sandbox(clone.root, CifarData({**clone.data.environment, "PATH": path}, clone.data.overlay))


@pytest.mark.parametrize(("device", "partition"), [("cuda", "gpu"), ("cpu", "cpu")])
def test_requests_grow_with_attempts_and_the_device_decides_on_the_partition(
    refusing, device, partition
):
    change = {"jobs": {"training_device": device}}
    profile = ("--workflow-profile", "workflow/profiles/slurm")
    profile += ("--slurm-init-seconds-before-status-checks", "1")
    outcome = refusing.snakemake(SHARD, *profile, change=change)
    assert outcome.code != 0
    calls = re.findall(r"^ +(sbatch .*?) --wrap", outcome.text, re.MULTILINE)
    assert len(calls) == 1 + PROFILE["retries"]
    for attempt, call in enumerate(calls, start=1):
        options = shlex.split(call)
        assert options[options.index("-p") + 1] == partition
        assert ("--gpus=1" in options) == (device == "cuda")
        assert "--signal=TERM@120" in options
        assert int(options[options.index("-t") + 1]) == attempt * NEEDS.smallest_minutes
        asked = int(options[options.index("--mem") + 1])
        assert asked >= attempt * NEEDS.mem_mb("train_seeds")


def test_no_job_of_a_whole_run_used_more_than_jobs_ask_for(finished):
    """Held against the benchmarks that Snakemake wrote; rules with measurements are nearly all.

    The factors are there for what varies from run to run, sampled memory above all: they are not asked
    for again here.
    """
    table = comparison(NEEDS, measure(finished.root / "results" / "benchmarks"))
    table = table[table["rule"].isin(NEEDS.rules)]
    assert (table["requested_mem_mb"] >= table["mem_mb"] + NEEDS.snakemake_mb).all(), table.to_string()
    assert (table["requested_seconds"] >= table["seconds"]).all(), table.to_string()
    assert {"probe_alignment", "probe_law", "train_seeds", "plot_curves"} <= set(table["rule"])
