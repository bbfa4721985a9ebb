"""What a run of the workflow prints while it runs: its progress, the time left, and logs of failed jobs.

Snakemake's own output lists every file of every job. It is still printed by a dry run, and with
``--verbose``, ``--printshellcmds`` or ``--quiet``; ``.snakemake/log`` has it of every run.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from dynparam.support.errors import DynparamError
from dynparam.support.progress import Advance, progress, say

RESOURCES = Path("workflow/resources.yaml")

LABEL = "Run"

UNMEASURED_SECONDS = 1.0
"""What a job counts whose rule has not been measured."""

LOG_LINES = 20
"""So many lines are shown of a failed job's log, the last ones."""

NOISE = (
    "Assuming unrestricted shared filesystem usage",
    "Building DAG of jobs",
    "Using shell:",
    "Select jobs to execute",
    "Group jobs: inactive",
    "Complete log(s):",
    "Elapsed time:",
)
"""How messages begin that say nothing of this run; Snakemake gives them no event to know them by."""


OF_JOBS = (LogEvent.JOB_INFO, LogEvent.JOB_FINISHED, LogEvent.JOB_ERROR)


class Display:
    """One line of progress for all jobs of a run, in proportion to the time that their rules take."""

    def __init__(self, seconds: Callable[[str], float]) -> None:
        """``seconds`` are those that a job of a rule takes, if only roughly."""
        self._seconds = seconds
        self._open = ExitStack()
        self._advance: Advance | None = None
        self._running: dict[int, tuple[str, str]] = {}
        self._done = self._total = 0

    def begin(self, jobs: Mapping[str, int]) -> None:
        """A run of so many jobs of each rule begins."""
        work = sum(count * self._seconds(rule) for rule, count in jobs.items())
        self._total = sum(jobs.values())
        self._advance = self._open.enter_context(progress(LABEL, work))

    def start(self, job: int, rule: str, label: str) -> None:
        """A job starts; ``label`` says what it does, and is empty for a mere list of files."""
        self._running[job] = (rule, label)
        if label:
            self._move(0.0)

    def finish(self, job: int) -> None:
        """A job has ended as it should."""
        rule, _ = self._running.pop(job, ("", ""))
        if rule:
            self._done += 1
            self._move(self._seconds(rule))
        if self._done == self._total:
            self.close()

    def fail(self, rule: str, job: int, logs: Sequence[str]) -> None:
        """A job has failed: say what it was to do, and show the ends of its logs."""
        _, label = self._running.pop(job, (rule, ""))
        say(f"Failed: {label or rule} (rule {rule})")
        for log in logs:
            for line in _end_of(Path(log)):
                say(line)

    def close(self) -> None:
        """End the line of progress; what is said from now on stands below it."""
        self._open.close()
        self._advance = None

    def _move(self, amount: float) -> None:
        if self._advance is not None:
            labels = [label for _, label in self._running.values() if label]
            more = f" and {len(labels) - 1} more" if len(labels) > 1 else ""
            now = f": {labels[-1]}{more}" if labels else ""
            self._advance(amount, f"{self._done} of {self._total} jobs{now}")


def _end_of(log: Path) -> list[str]:
    """The name of a log and its last lines."""
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        return [f"{log}: cannot be read ({error.strerror})"]
    if not lines:
        return [f"{log} is empty."]
    head = f"{log}:" if len(lines) <= LOG_LINES else f"The last {LOG_LINES} lines of {log}:"
    return [head, *(f"    {line}" for line in lines[-LOG_LINES:])]


def measured_seconds(resources: Path) -> Callable[[str], float]:
    """The seconds that a job of each rule took when it was measured (``workflow/resources.yaml``)."""
    # Snakemake imports its plugins whatever it runs: what reads settings waits until it is needed.
    from dynparam.cluster.requests import read_needs

    try:
        rules = read_needs(resources).rules
    except DynparamError:
        rules = {}

    def seconds(rule: str) -> float:
        """Those of one rule."""
        return rules[rule].seconds if rule in rules else UNMEASURED_SECONDS

    return seconds


class LogHandler(LogHandlerBase):
    """Snakemake's records as a ``Display``; nothing where Snakemake's own output is wanted."""

    def __post_init__(self) -> None:
        """Find out whether this handler is to print."""
        wanted = self.common_settings
        self._silent = bool(
            wanted.dryrun or wanted.verbose or wanted.printshellcmds or wanted.quiet or wanted.stdout
        )
        self._display: Display | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Show what a record says."""
        if self._silent:
            return
        event, said = getattr(record, "event", None), record.__dict__
        if event == LogEvent.RUN_INFO:
            # Not earlier: this runs in a thread of its own, and the Snakefile imports the same modules.
            self._display = Display(measured_seconds(RESOURCES))
            self._display.begin({rule: n for rule, n in said["stats"].items() if rule != "total"})
        elif event in OF_JOBS:
            if self._display is not None:
                _shown_job(self._display, event, said)
        elif event is None or record.levelno >= logging.WARNING:
            self._tell(record.getMessage(), record.levelno)

    def _tell(self, text: str, level: int) -> None:
        """Print a message that says anything of this run.

        Of a failed command Snakemake prints all arguments, the configuration among them; its log says
        more.
        """
        if (level < logging.WARNING and text.startswith(NOISE)) or "CalledProcessError" in text:
            return
        for line in text.splitlines():
            say(line)

    def close(self) -> None:
        """End the line of progress."""
        if self._display is not None:
            self._display.close()
        super().close()

    @property
    def writes_to_stream(self) -> bool:
        """Whether it takes the place of Snakemake's own output."""
        return not self._silent

    @property
    def writes_to_file(self) -> bool:
        """It writes no file."""
        return False

    @property
    def has_filter(self) -> bool:
        """It chooses among records itself."""
        return True

    @property
    def has_formatter(self) -> bool:
        """It words them itself."""
        return True

    @property
    def needs_rulegraph(self) -> bool:
        """It draws no graph."""
        return False


def _shown_job(display: Display, event: str, said: Mapping[str, Any]) -> None:
    if event == LogEvent.JOB_INFO:
        display.start(said["jobid"], said["rule_name"], said["rule_msg"] or "")
    elif event == LogEvent.JOB_FINISHED:
        display.finish(said["job_id"])
    else:
        display.fail(said["rule_name"], said["jobid"], said["log"])
