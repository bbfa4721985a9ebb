"""What a run prints while it runs: a small workflow of Snakemake, and record by record."""

import logging
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from snakemake_interface_logger_plugins.common import LogEvent

import snakemake_logger_plugin_dynparam
from dynparam.cluster import display
from dynparam.cluster.display import Display, LogHandler, measured_seconds
from dynparam.support import progress

ROOT = Path(__file__).parents[2]
PROFILE = ROOT / "workflow/profiles/default"

SNAKEFILE = """
from snakemake.logging import logger

rule all:
    input: "b.txt"

rule first:
    output: "a.txt"
    log: "a.log"
    message: "Making the first"
    shell: "(echo of the first; echo x > {output}) > {log} 2>&1"

rule second:
    input: "a.txt"
    output: "b.txt"
    log: "b.log"
    message: "Making the second"
    shell: "(seq 1 100; echo dynparam: the reason; COMMAND {output}) > {log} 2>&1"

onsuccess:
    logger.info("All is well.")
"""


def run(folder: Path, command: str, *options: str) -> tuple[int, str]:
    """Exit status and output of a workflow of two jobs under the default profile."""
    (folder / "Snakefile").write_text(SNAKEFILE.replace("COMMAND", command))
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "1", "--workflow-profile", PROFILE, *options],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_run_prints_progress_and_its_end_and_nothing_of_its_files(tmp_path):
    code, text = run(tmp_path, "touch")
    assert code == 0
    lines = [line for line in text.splitlines() if not line.startswith("Using workflow specific")]
    assert lines == ["Run: 100 % done, 0 s left  3 of 3 jobs", "All is well."]
    code, text = run(tmp_path, "touch")
    assert "Nothing to be done" in text


def test_a_failed_job_shows_the_end_of_its_log_and_no_command(tmp_path):
    code, text = run(tmp_path, "false")
    assert code != 0
    assert "Failed: Making the second (rule second)" in text
    assert "The last 20 lines of b.log:\n    82\n" in text
    assert text.count("dynparam: the reason") == 1
    assert not {"seq 1 100", "Traceback", "of the first", "All is well."} & set(text.splitlines())
    assert "set -euo pipefail" not in text


@pytest.mark.parametrize("options", [["--dry-run"], ["--verbose"], ["--printshellcmds"]])
def test_snakemakes_own_output_is_there_for_the_asking(tmp_path, options):
    _, text = run(tmp_path, "touch", *options)
    assert "output: a.txt" in text or "Making the first" in text
    assert "reason" in text.lower()
    assert "Run: " not in text


def test_the_log_file_of_snakemake_has_it_all(tmp_path):
    run(tmp_path, "false")
    (log,) = (tmp_path / ".snakemake/log").iterdir()
    assert "Making the second" in log.read_text()
    assert "seq 1 100" in log.read_text()


@pytest.fixture
def lines(capsys, monkeypatch):
    """What has been printed, every advance on a line, at one second a line."""
    seconds = iter(range(10_000))
    monkeypatch.setattr(progress.time, "monotonic", lambda: float(next(seconds)))
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.0)
    return lambda: capsys.readouterr().err.splitlines()


def test_time_left_follows_the_work_and_not_the_number_of_jobs(lines):
    """Two of three jobs are done, and three quarters of the work are left."""
    shown = Display({"short": 1.0, "long": 6.0}.__getitem__)
    shown.begin({"short": 2, "long": 1})
    for job in (1, 2):
        shown.start(job, "short", f"Making {job}")
        shown.finish(job)
    shown.start(3, "long", "Making 3")
    said = lines()
    assert said[-1].startswith("Run: 25 % done, ")
    assert said[-1].endswith(" left  2 of 3 jobs: Making 3")
    left = [float(re.search(r"(\d+) s left", line)[1]) for line in said]
    # Four advances in four seconds, then a fifth: a quarter took five seconds.
    assert left[-1] == 15


def test_several_jobs_at_once_are_counted_and_a_list_of_files_is_not_named(lines):
    shown = Display(lambda rule: 1.0)
    shown.begin({"a": 2, "all": 1})
    shown.start(1, "a", "Making 1")
    shown.start(2, "a", "Making 2")
    assert lines()[-1].endswith("0 of 3 jobs: Making 2 and 1 more")
    shown.finish(2)
    shown.finish(1)
    shown.start(3, "all", "")
    assert lines()[-1].endswith("2 of 3 jobs")
    shown.finish(99)  # which no record told of
    assert lines() == []


def test_a_log_that_is_not_there_or_empty_is_told(lines, tmp_path):
    empty = tmp_path / "empty.log"
    empty.touch()
    Display(lambda rule: 1.0).fail("a", 1, [str(tmp_path / "none.log"), str(empty)])
    said = lines()
    assert said[0] == "Failed: a (rule a)"
    assert "cannot be read (No such file or directory)" in said[1]
    assert said[2] == f"{empty} is empty."


def test_the_measured_seconds_are_those_of_the_resources(tmp_path):
    seconds = measured_seconds(ROOT / "workflow/resources.yaml")
    assert seconds("measure_delays") > 10 * seconds("plot_figure") > 0
    assert seconds("no rule") == display.UNMEASURED_SECONDS
    broken = tmp_path / "resources.yaml"
    broken.write_text("rules: [")
    assert measured_seconds(broken)("measure_delays") == display.UNMEASURED_SECONDS
    assert measured_seconds(tmp_path / "none.yaml")("a") == display.UNMEASURED_SECONDS


def handler(**wanted):
    settings = dict.fromkeys(("dryrun", "verbose", "printshellcmds", "quiet", "stdout"), None)
    return LogHandler(SimpleNamespace(**settings | wanted), None)


def record(level, text, **said):
    made = logging.LogRecord("snakemake", level, "", 0, text, (), None)
    made.__dict__.update(said)
    return made


def test_warnings_and_errors_are_shown_in_full_and_noise_is_not(lines):
    shown = handler()
    shown.emit(record(logging.WARNING, "a warning\nof two lines"))
    shown.emit(record(logging.ERROR, "MissingInputException: b.txt", event=LogEvent.ERROR))
    for text in display.NOISE:
        shown.emit(record(logging.INFO, f"{text} and so on"))
    assert lines() == ["a warning", "of two lines", "MissingInputException: b.txt"]


@pytest.mark.parametrize("wanted", ["dryrun", "verbose", "printshellcmds", "quiet", "stdout"])
def test_it_is_silent_where_snakemakes_own_output_is_wanted(lines, wanted):
    shown = handler(**{wanted: True})
    shown.emit(record(logging.ERROR, "an error"))
    assert lines() == []
    assert not shown.writes_to_stream
    assert handler().writes_to_stream


def test_snakemake_finds_the_plugin_by_the_name_of_its_package():
    assert snakemake_logger_plugin_dynparam.LogHandler is LogHandler
