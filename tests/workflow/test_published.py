"""A run leaves the tracked tree as it was, and compares its own files with those there."""

import csv
import json
import shutil
import subprocess
from collections.abc import Mapping

import pytest

from tests.workflow.sandbox import REPOSITORY, Sandbox, every_finding

OWN = {"overlay.yaml"}
"""What a sandbox has and a repository has not."""

KEPT = {"figures": "results/figures", "docs": "results/pages"}
"""Where a repository keeps what a run makes, and where the run does."""


def git(*arguments: str, given: str = "") -> list[str]:
    done = subprocess.run(
        ["git", *arguments], cwd=REPOSITORY, input=given, capture_output=True, text=True, check=False
    )
    if done.returncode > 1:  # 1 is git's answer if it finds nothing to list
        raise RuntimeError(done.stderr)
    return done.stdout.splitlines()


def behind_a_link(path: str) -> bool:
    """Whether the repository has a link on this way; a copy has the files themselves."""
    place = REPOSITORY / path
    return any(one.is_symlink() for one in (place, *place.parents))


def told_by_git(made: Mapping[str, bytes]) -> set[str]:
    """What ``git status`` would tell of these files in the repository, by path."""
    tracked = set(git("ls-files"))
    changed = {path for path in made.keys() & tracked if made[path] != (REPOSITORY / path).read_bytes()}
    others = made.keys() - tracked - OWN
    return changed | others - set(git("check-ignore", "--stdin", given="\n".join(others)))


@pytest.mark.skipif(not (REPOSITORY / ".git").exists(), reason="no checkout, so nothing is tracked")
class TestTree:
    """What git would tell after a run."""

    def test_a_run_leaves_it_clean(self, finished):
        made = finished.files()
        assert any(path.startswith("results/figures/") for path in made)
        own = {path: held for path, held in made.items() if not behind_a_link(path)}
        assert len(own) > len(made) / 2
        assert told_by_git(own) == set()

    def test_a_run_that_wrote_there_would_be_told(self):
        """Into a tracked file, beside it, and with the archive spared."""
        stray = {"figures/fig3_2.csv": b"n", "docs/own.md": b"", "figures/own.png": b""}
        ignored = {"results/own/a.csv": b"", "data/raw/a": b"", "results/figures/fig3_2.csv": b"n"}
        assert told_by_git({**stray, **ignored}) == set(stray)
        assert told_by_git({"results/archive/own.csv": b""}) == {"results/archive/own.csv"}


def answers(sandbox: Sandbox) -> dict[str, str]:
    with (sandbox.root / "results/comparison/published.csv").open(encoding="utf-8", newline="") as file:
        return {row["name"]: row["verdict"] for row in csv.DictReader(file)}


def test_nothing_is_published_in_a_sandbox(finished):
    assert set(answers(finished).values()) == {"not published"}


@pytest.fixture
def published(clone: Sandbox) -> Sandbox:
    """The finished run with its own figures and pages published, however they came there."""
    for kept, made in KEPT.items():
        shutil.copytree(clone.root / made, clone.root / kept)
    return clone


def test_what_is_published_is_compared_and_nothing_else_repeats(published):
    assert published.plan() == {"compare_published published", "assemble_report report"}
    published.make("published")
    assert set(answers(published).values()) == {"equal"}
    assert published.plan("published") == set()
    path = published.root / "figures/fig3_2.csv"
    head, first, *rest = path.read_text().splitlines()
    path.write_text("\n".join([head, first.replace("spectral", "dynamic"), *rest, ""]))
    published.make("published")
    assert {name for name, verdict in answers(published).items() if verdict != "equal"} == {"fig3_2"}
    assert answers(published)["fig3_2"] == "disagrees"


def test_what_is_published_agrees_with_all_behind_it(published):
    outcome = published.dynparam("verify", "figures", "docs", "--json")
    assert outcome.code == 0, outcome.text
    files = json.loads(outcome.stdout)["files"]
    assert len(files) == len(answers(published))
    assert {one["state"] for file in files for one in every_finding(file)} == {"agrees"}


def test_a_sandbox_has_no_commit_and_publishes_nothing(clone):
    outcome = clone.dynparam("publish")
    outcome.assert_refused("what is published names its commit")
    assert not any((clone.root / place).exists() for place in KEPT)


def test_a_run_ends_with_at_most_ten_lines(clone):
    """Of all its output, which lists no file of a job."""
    (clone.root / "results/figures/fig3_1.png").unlink()
    outcome = clone.make()
    told = outcome.text[outcome.text.index("Done in ") :].splitlines()
    assert len(told) <= 10
    assert told[1] == "Report: results/report/report.html"
    assert told[-1].startswith("Published figures: 0 of ")
    assert len(outcome.text) < 3000, outcome.text
    assert "results/logs" not in outcome.text
    clone_of_figure = clone.snakemake("fig3_1", "--cores", "1", "--forcerun", "plot_architecture")
    end = clone_of_figure.text[clone_of_figure.text.index("Done in ") :].splitlines()
    assert end[1:] == ["results/figures/fig3_1.{png,svg,pdf,csv,json}"]
