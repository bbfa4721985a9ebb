"""The house's rules for rules: what each states, and in which order."""

import re

import pytest
from snakemake.scheduling.job_scheduler import JobScheduler

from tests.workflow.sandbox import REPOSITORY

ORDER = [
    "input",
    "output",
    "params",
    "log",
    "benchmark",
    "threads",
    "resources",
    "message",
    "shell",
]
REQUIRED = {"output", "log", "benchmark", "threads", "message", "shell"}
OWN = {"log", "benchmark"}
"""What a rule made of another by ``use rule ... as ... with`` must not share with it."""


def blocks() -> dict[str, tuple[str, list[str]]]:
    """Name -> first line and directives of every rule in workflow/rules."""
    found = {}
    for path in sorted((REPOSITORY / "workflow" / "rules").glob("*.smk")):
        text = path.read_text(encoding="utf-8")
        for block in re.finditer(r"^((?:use )?rule .*):\n((?:(?: {4}.*)?\n)+)", text, re.MULTILINE):
            name = re.findall(r"rule (\w+)|as (\w+)", block[1])[-1]
            directives = re.findall(r"^ {4}(\w+):", block[2], re.MULTILINE)
            found[next(filter(None, name))] = (block[1], directives)
    return found


BLOCKS = blocks()


def test_all_rules_are_seen():
    assert {
        "retrieve_cifar10",
        "extract_pair",
        "extract_pool",
        "probe_alignment",
        "expect_slopes",
        "fit_slopes",
        "compare_slopes",
        "plot_figure",
        "plot_architecture",
        "train_seeds",
        "audit_archive",
        "collect_curves",
        "extend_archive",
        "judge_claims",
        "plot_curves",
        "plot_domain",
    } <= set(BLOCKS)


@pytest.mark.parametrize("rule", BLOCKS)
def test_a_rule_says_what_it_does_and_leaves_traces(rule):
    head, directives = BLOCKS[rule]
    assert set(directives) >= OWN
    said = set(directives)
    while head.startswith("use rule"):
        head, inherited = BLOCKS[head.split()[2]]
        said |= set(inherited)
    assert said >= REQUIRED
    assert not {"run", "script", "notebook"} & said


@pytest.mark.parametrize("rule", BLOCKS)
def test_directives_are_in_the_house_order(rule):
    _, directives = BLOCKS[rule]
    if "wildcard_constraints" in directives:
        place = directives.index("wildcard_constraints")
        assert "params" not in directives[:place]
    known = [name for name in directives if name != "wildcard_constraints"]
    assert known == [name for name in ORDER if name in known]
    assert set(known) <= set(ORDER)


def test_the_hook_that_ends_the_rate_limit_sets_what_the_scheduler_asks_for():
    """Another version of Snakemake may call it otherwise, and the hook would do nothing, in silence."""
    asked = JobScheduler.schedule.__code__.co_names
    assert "workflow.scheduler.job_rate_limiter = None" in (REPOSITORY / "workflow/Snakefile").read_text(
        "utf-8"
    )
    assert "job_rate_limiter" in asked
