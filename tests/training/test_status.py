"""`dynparam status`: what is done, running, interrupted and failed, and the time left."""

import json
import shutil

import pytest

from dynparam.configuration.config import Config
from dynparam.configuration.loading import load
from dynparam.support import locks
from dynparam.training import status
from dynparam.training.records import Record
from dynparam.training.run_files import RunFiles, Status
from dynparam.training.settings import Run, all_runs, for_run
from dynparam.training.status import RunStatus, report, report_json, run_status, seconds_left
from tests.special_files import SPECIAL, put
from tests.training_runs import ORIGIN, write_pair
from tests.workflow.sandbox import REPOSITORY

RUN = Run("airplane-automobile", "300-15", "dynamic", range(3), main=True)
ROW, LOST = (0.5, 0.5, 0.5, 0.5), (float("nan"), 0.5, 0.5, 0.5)
EPOCHS = 10


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


@pytest.fixture
def held(files):
    """The run of seed 1 is held, as by a process that trains it."""
    lock = locks.take(files.lock(1))
    yield
    lock.release()


def record(seed, seconds=10.0, diverged_at=None):
    curve = (ROW,) * (EPOCHS + 1) if diverged_at is None else (*(ROW,) * diverged_at, LOST)
    return Record(seed, curve, diverged_at, seconds, ORIGIN)


def told(config):
    """The report, all of whose files could be used."""
    text, sound = report(config)
    assert sound
    return text


def test_before_anything_all_runs_wait(config):
    text = told(config)
    for run in all_runs(config).values():
        assert run.name in text
    assert "Nothing has been measured yet" in text


def test_finished_running_and_failed_runs_are_counted(config, files, held):
    files.finish(record(0))
    files.note(Status(1, "running", 4, 10, 8.0))
    files.note(Status(2, "failed", 0, 10, 0.0, message="disk full"))
    found = run_status(config, RUN)
    assert (found.done, found.count("running"), found.count("failed")) == (1, 1, 1)
    assert found.epochs_left == 6 + 10
    assert sorted(found.epoch_seconds) == [1.0, 2.0]
    assert seconds_left(found, [found]) == pytest.approx(16 * 1.5)
    text = told(config)
    assert "seed 2: failed, epoch 0 of 10: disk full" in text
    assert "seed 1: running, epoch 4 of 10" in text


def test_a_process_that_has_gone_is_seen_as_interrupted(config, files, held):
    """Its own id, this process's, is no sign of life."""
    files.note(Status(0, "running", 4, 10, 8.0))
    files.note(Status(1, "running", 4, 10, 8.0))
    found = run_status(config, RUN)
    assert (found.count("interrupted"), found.count("running")) == (1, 1)
    assert "seed 0: interrupted, epoch 4 of 10: its process has gone" in told(config)


def test_what_a_kill_left_of_a_finished_run_does_not_count(config, files):
    files.finish(record(0))
    files.note(Status(0, "running", 9, 10, 9.0))
    found = run_status(config, RUN)
    assert (found.done, found.unfinished) == (1, ())
    assert found.epochs_left == 2 * 10


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
    files.finish(record(0, 6.0, diverged_at=3))
    assert run_status(config, RUN).epoch_seconds == (2.0,)


def test_the_archive_is_counted(config, tmp_path):
    archive = tmp_path / "archive"
    place = archive / f"{RUN.place}.csv"
    place.parent.mkdir(parents=True)
    place.write_text("task,seed\na,0\na,1\n")
    training = config.training.model_copy(update={"archive": archive, "reuse": "archive"})
    config = config.model_copy(update={"training": training})
    assert run_status(config, RUN).archived == 2
    assert "snakemake --cores all archive" in told(config)


def test_durations_are_readable():
    assert status._duration(None) == "?"
    assert status._duration(3723.4) == "1:02:03"
    assert status._duration(8.64e10) == "1000000 days, 0:00:00"
    for long in (8.65e10, 1e300, float("inf")):
        assert status._duration(long) == "more than 1000000 days"


def test_the_state_that_a_finished_run_left_does_not_count(config, files):
    """Between the writing of its record and the end of its state."""
    files.finish(record(0))
    files.note(Status(0, "running", 10, 10, 8.0))
    found = run_status(config, RUN)
    assert (found.done, found.unfinished, found.epochs_left) == (1, (), 2 * EPOCHS)


@pytest.fixture
def three(config, files, tmp_path):
    """A finished run, a running one, and an archived table of one seed."""
    training = config.training.model_copy(update={"archive": tmp_path / "archive"})
    config = config.model_copy(update={"training": training})
    files.finish(record(0))
    files.finish(record(1, seconds=1e11))
    files.note(Status(2, "running", 4, 10, 8.0))
    lock = locks.take(files.lock(2))
    table = tmp_path / "archive" / f"{RUN.place}.csv"
    table.parent.mkdir(parents=True)
    table.write_text("task,seed\na,0\n")
    yield config, files, table
    lock.release()


def faulty(config):
    """What the one file that cannot be used is told with, in text and as JSON, behind all the rest."""
    text, sound = report(config)
    as_json, sound_too = report_json(config)
    assert (sound, sound_too) == (False, False)
    names = list(all_runs(config))
    rows = [line.split()[0] for line in text.splitlines()[2 : 2 + len(names)]]
    assert rows == names
    found = json.loads(as_json, parse_constant=pytest.fail)
    assert [run["run"] for run in found["runs"]] == names
    problems = {run["run"]: run["problems"] for run in found["runs"] if run["problems"]}
    for name, sentences in problems.items():
        for sentence in sentences:
            assert f"{name}: {sentence}" in text.splitlines()
    return problems, {run["run"]: run for run in found["runs"]}[RUN.name]


@pytest.mark.parametrize("kind", SPECIAL)
def test_a_bad_record_hides_nothing_else(three, kind):
    config, files, _ = three
    put(files.directory / "seed-0001.json", kind)
    problems, run = faulty(config)
    (sentence,) = problems.pop(RUN.name)
    assert problems == {}
    assert "seed-0001.json: not a run's record (" in sentence
    assert (run["trained_here"], run["running"], run["archived"]) == (1, 1, 1)


@pytest.mark.parametrize("kind", SPECIAL)
def test_a_bad_state_hides_nothing_else(three, kind):
    config, files, _ = three
    put(files.directory / "seed-0002.status", kind)
    problems, run = faulty(config)
    (sentence,) = problems.pop(RUN.name)
    assert "seed-0002.status: not a run's state (" in sentence
    assert (run["trained_here"], run["running"], run["archived"]) == (2, 0, 1)


@pytest.mark.parametrize("kind", SPECIAL)
def test_a_bad_table_hides_nothing_else(three, kind):
    config, _, table = three
    put(table, kind)
    problems, run = faulty(config)
    (sentence,) = problems.pop(RUN.name)
    assert problems == {}
    assert f"{RUN.place}.csv: not a table of curves (" in sentence
    assert (run["trained_here"], run["running"], run["archived"]) == (2, 1, None)


@pytest.mark.parametrize("kind", sorted(SPECIAL.keys() - {"empty file", "bytes that are no text"}))
def test_a_bad_pair_hides_nothing_else(three, kind):
    """It has no digest, so nothing is known of the runs on it; those on other images are shown."""
    config, _, _ = three
    put(config.paths.data / "processed" / f"{RUN.task}.npz", kind)
    problems, run = faulty(config)
    assert set(problems) == {name for name, run in all_runs(config).items() if run.images == RUN.images}
    assert all(f"{RUN.task}.npz: " in sentence for (sentence,) in problems.values())
    assert (run["trained_here"], run["running"], run["archived"]) == (0, 0, 1)


def test_a_file_for_a_directory_hides_nothing_else(three):
    config, files, _ = three
    shutil.rmtree(files.directory)
    files.directory.touch()
    problems, run = faulty(config)
    (sentence,) = problems[RUN.name]
    assert "cannot be listed (Not a directory)" in sentence
    assert (run["trained_here"], run["archived"]) == (0, 1)


def test_names_of_files_that_are_told_obey_nothing(three, tmp_path):
    """The directory's own name may hold anything."""
    config, _, _ = three
    archive = tmp_path / "a\x1b[2J\nb"
    put(archive / f"{RUN.place}.csv", "FIFO")
    training = config.training.model_copy(update={"archive": archive})
    text, sound = report(config.model_copy(update={"training": training}))
    assert not sound
    assert "\x1b" not in text
    assert sum(f"{RUN.place}.csv: not a table" in line for line in text.splitlines()) == 1
    assert all(line.isprintable() for line in text.splitlines())


def test_the_longest_times_are_told(three):
    """Three thousand years for a run; sums and quotients stay numbers."""
    config, files, _ = three
    files.note(Status(2, "running", 1, 10, 1e11))
    text = told(config)
    assert "more than 1000000 days" in text
    json.loads(report_json(config)[0], parse_constant=pytest.fail)
