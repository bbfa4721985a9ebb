"""`dynparam status`: what is done, running, interrupted and failed, and the time left."""

import pytest

from dynparam.configuration.config import Config
from dynparam.configuration.loading import load
from dynparam.training import status
from dynparam.training.run_files import Record, RunFiles, Status
from dynparam.training.settings import Run, all_runs, for_run
from dynparam.training.status import RunStatus, report, run_status, seconds_left
from tests.training_runs import write_pair
from tests.workflow.sandbox import REPOSITORY

RUN = Run("airplane-automobile", "300-15", "dynamic", range(3), main=True)
CURVE = ((0.5, 0.5, 0.5, 0.5),) * 11


@pytest.fixture
def config(tmp_path, monkeypatch):
    """The reduced configuration with its files below a temporary directory, nothing done yet."""
    files = [str(REPOSITORY / "config" / name) for name in ("thesis.yaml", "reduced.yaml")]
    found = load(Config, files)
    paths = found.paths.model_copy(update={"results": tmp_path / "results", "data": tmp_path / "data"})
    return found.model_copy(update={"paths": paths})


@pytest.fixture
def files(config):
    images = write_pair(config.paths.data / "processed" / f"{RUN.task}.npz")
    root = config.paths.results / "training" / ".runs"
    return RunFiles(root, for_run(config, RUN.task, RUN.network), RUN.parametrization, images)


def record(seed, seconds=10.0, diverged_at=None):
    return Record(seed, CURVE, diverged_at, seconds, {})


def test_before_anything_all_runs_wait(config):
    text = report(config)
    for run in all_runs(config).values():
        assert run.name in text
    assert "Nothing has been measured yet" in text


def test_finished_running_and_failed_runs_are_counted(config, files):
    files.finish(record(0))
    files.note(Status(1, "running", 4, 10, 8.0))
    files.note(Status(2, "failed", 0, 10, 0.0, message="disk full"))
    found = run_status(config, RUN)
    assert (found.done, found.count("running"), found.count("failed")) == (1, 1, 1)
    assert found.epochs_left == 6 + 10
    assert sorted(found.epoch_seconds) == [1.0, 2.0]
    assert seconds_left(found, [found]) == pytest.approx(16 * 1.5)
    text = report(config)
    assert "seed 2: failed, epoch 0 of 10: disk full" in text
    assert "seed 1: running, epoch 4 of 10" in text


def test_a_process_that_has_gone_is_seen_as_interrupted(config, files, monkeypatch):
    files.note(Status(0, "running", 4, 10, 8.0))
    monkeypatch.setattr("dynparam.training.run_files.psutil.pid_exists", lambda pid: False)
    assert run_status(config, RUN).count("interrupted") == 1
    assert "its process has gone" in report(config)


def test_diverged_runs_are_counted(config, files):
    files.finish(record(0, diverged_at=7))
    assert run_status(config, RUN).diverged == 1


def test_seeds_beyond_the_configured_ones_do_not_count(config, files):
    files.finish(record(3))
    files.note(Status(4, "running", 1, 10, 1.0))
    found = run_status(config, RUN)
    assert (found.done, found.unfinished) == (0, ())


def test_unmeasured_runs_are_estimated_by_their_weights():
    measured = RunStatus(RUN, 0, 3, 0, (), 10, 100.0, (2.0, 2.0))
    waiting = RunStatus(RUN, 0, 0, 0, (), 10, 300.0)
    assert seconds_left(waiting, [measured, waiting]) == pytest.approx(3 * 10 * 6.0)
    assert seconds_left(waiting, [waiting]) is None
    assert seconds_left(measured, [measured]) == 0.0


def test_the_time_of_an_epoch_is_the_median():
    """Of the same runs, or per weight of all others; one that was slow once does not count."""
    measured = RunStatus(RUN, 0, len(RUN.seeds) - 1, 0, (), 10, 100.0, (1.0, 9.0, 2.0))
    assert seconds_left(measured, [measured]) == pytest.approx(10 * 2.0)
    larger = RunStatus(RUN, 0, 1, 0, (), 10, 1000.0, (30.0, 10.0))
    waiting = RunStatus(RUN, 0, 0, 0, (), 10, 50.0)
    # 1, 9, 2, 3 and 1 hundredths of a second a weight
    found = seconds_left(waiting, [measured, larger, waiting])
    assert found == pytest.approx(len(RUN.seeds) * 10 * 50 * 0.02)


def test_a_diverged_run_s_seconds_are_those_of_its_own_epochs(config, files):
    """A curve has a row for the initialization, which took no epoch."""
    files.finish(Record(0, CURVE[:4], 3, 6.0, {}))
    assert run_status(config, RUN).epoch_seconds == (2.0,)


def test_the_archive_is_counted(config, tmp_path):
    archive = tmp_path / "archive"
    place = archive / f"{RUN.place}.csv"
    place.parent.mkdir(parents=True)
    place.write_text("task,seed\na,0\na,1\n")
    training = config.training.model_copy(update={"archive": archive, "reuse": "archive"})
    config = config.model_copy(update={"training": training})
    assert run_status(config, RUN).archived == 2
    assert "snakemake --cores all archive" in report(config)


def test_durations_are_readable():
    assert status._duration(None) == "?"
    assert status._duration(3723.4) == "1:02:03"
