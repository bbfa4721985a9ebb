"""Several trainings on one directory of runs: each run is trained once, by one process at a time."""

import errno
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from functools import cache
from itertools import count
from pathlib import Path

import pandas as pd
import pytest

from dynparam.support.errors import DynparamError, InterruptedRunError
from dynparam.training import checkpoints, runs
from dynparam.training.run_files import Status, statuses
from dynparam.training.runs import curve_table, train_seeds
from dynparam.training.stack_run import Plan, StackRun
from tests.training_processes import start, wait_for
from tests.training_runs import TASK, files_of, invented_pair, plan_of, run_stage

ROOT = Path(__file__).parents[2]
BATCHES = 5
EPOCHS = 4

pytestmark = pytest.mark.usefixtures("quick_runs")


@pytest.fixture
def run(tmp_path):
    """Start trainings on runs below ``tmp_path``; all of them end with the test."""
    started, number = [], count()

    def begin(seeds, **options):
        started.append(start(tmp_path, f"training-{next(number)}", seeds, **options))
        return started[-1]

    yield begin
    for training in started:
        training.end()


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The bytes of a table of curves that one process trained by itself."""

    @cache
    def table(*seeds, **changes):
        training = start(tmp_path_factory.mktemp("alone"), "alone", seeds, **changes)
        return training.succeeded()

    return table


def trained(root, seeds, stage=None, **plan):
    """The curves of a training in this process."""
    stage = stage or run_stage()
    return train_seeds(plan_of(stage, **plan), seeds, invented_pair(), files_of(root, stage))


def left(root, **changes):
    """The names of the files of runs."""
    return sorted(path.name for path in files_of(root, run_stage(**changes)).directory.iterdir())


def records(*seeds):
    return [f"seed-{seed:04d}.json" for seed in seeds]


def states(root):
    return [(status.seed, status.state) for status in statuses(files_of(root, run_stage()).directory)]


def assert_every_epoch_once(table, seeds, epochs=EPOCHS):
    for seed in seeds:
        assert table[table["seed"] == seed]["epoch"].tolist() == list(range(epochs + 1))


# Races: whoever is first, all end with the same bytes.


@pytest.mark.parametrize("ranges", [
    [[0], [0]],
    [[0], [0], [0]],
    [[0, 1], [0, 1]],
    [[0, 1], [1, 0]],
    [[0, 1, 2], [1, 2, 3]],
    [[0, 1], [1, 2], [2, 0]],
    [[0, 1, 2, 3], [2]],
], ids=str)  # fmt: skip
@pytest.mark.parametrize("stack_size", [1, 2])
def test_trainings_at_once_make_what_one_alone_makes(tmp_path, run, alone, ranges, stack_size):
    """A stack of two, as on a GPU; on a CPU its products are those of one network by itself."""
    trainings = [run(seeds, stack_size=stack_size, epochs=8) for seeds in ranges]
    for training, seeds in zip(trainings, ranges, strict=True):
        assert training.succeeded() == alone(*seeds, epochs=8)
        assert_every_epoch_once(pd.read_csv(training.table), seeds, 8)
    wanted = sorted({seed for seeds in ranges for seed in seeds})
    assert left(tmp_path, epochs=8) == records(*wanted)
    # No run was trained twice.
    assert sum(training.batches() for training in trainings) <= len(wanted) * 8 * BATCHES


def test_a_training_that_begins_in_the_middle_of_another_waits_for_its_record(tmp_path, run, alone):
    first = run([0], held_in_batch=2 * BATCHES + 2).waits_in_its_batch()
    second = run([0]).waits_for_another()
    assert f"seed 0 (process {first.pid} on {socket.gethostname()})" in second.told()
    first.goes_on()
    assert first.succeeded() == second.succeeded() == alone(0)
    assert (first.batches(), second.batches()) == (EPOCHS * BATCHES, 0)
    assert left(tmp_path) == records(0)


def test_one_that_waits_says_so_once(tmp_path, run):
    first = run([0, 1], stack_size=2, held_in_batch=2).waits_in_its_batch()
    second = run([0, 1]).waits_for_another()
    first.goes_on().succeeded()
    second.succeeded()
    assert second.told().count("trained elsewhere") == 1


def test_free_runs_are_trained_before_waiting(tmp_path, run, alone):
    first = run([0], held_in_batch=2).waits_in_its_batch()
    second = run([0, 1, 2]).waits_for_another()
    assert second.batches() == 2 * EPOCHS * BATCHES
    assert set(records(1, 2)) < set(left(tmp_path))
    first.goes_on()
    assert first.succeeded() == alone(0)
    assert second.succeeded() == alone(0, 1, 2)
    assert second.batches() == 2 * EPOCHS * BATCHES


def test_stacks_that_cross_end(tmp_path, run, alone):
    """Each holds what the other wants next; neither waits while it holds anything."""
    first = run([0, 1, 2, 3], stack_size=2, held_in_batch=2).waits_in_its_batch()
    second = run([3, 2, 1, 0], stack_size=2, held_in_batch=2).waits_in_its_batch()
    first.goes_on()
    second.goes_on()
    assert first.succeeded() == alone(0, 1, 2, 3)
    assert second.succeeded() == alone(3, 2, 1, 0)
    assert first.batches() == second.batches() == EPOCHS * BATCHES
    assert left(tmp_path) == records(0, 1, 2, 3)


def test_another_s_unfinished_writing_is_left_alone(tmp_path, run, alone):
    """A partial file belongs to the process that holds the run."""
    first = run([0], held_in_batch=2 * BATCHES + 2).waits_in_its_batch()
    partial = files_of(tmp_path, run_stage()).directory / ".seed-0000.0123456789ab.safetensors"
    partial.write_bytes(b"half")
    second = run([0]).waits_for_another()
    assert partial.read_bytes() == b"half"
    partial.unlink()
    first.goes_on()
    assert first.succeeded() == second.succeeded() == alone(0)


def test_a_checkpoint_is_set_aside_by_who_holds_the_run_alone(tmp_path, run, alone):
    first = run([0], held_in_batch=2 * BATCHES + 2).waits_in_its_batch()
    checkpoint = files_of(tmp_path, run_stage()).checkpoint(0)
    checkpoint.write_bytes(b"damaged")
    second = run([0]).waits_for_another()
    assert checkpoint.read_bytes() == b"damaged"
    first.goes_on()
    assert first.succeeded() == second.succeeded() == alone(0)
    assert left(tmp_path) == records(0)


# Holders that die, stop, or cannot be seen.


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_training_begun_at_once_after_another_was_ended_goes_on(tmp_path, run, alone, number):
    first = run([0], held_in_batch=2 * BATCHES + 2).waits_in_its_batch().signal(number).goes_on()
    assert first.ended() == (-9 if number == signal.SIGKILL else 128 + number)
    second = run([0])
    assert second.succeeded() == alone(0)
    assert "trained elsewhere" not in second.told()
    assert second.batches() <= 2 * BATCHES
    assert left(tmp_path) == records(0)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_one_that_waits_goes_on_where_another_was_ended(tmp_path, run, alone, number):
    first = run([0], held_in_batch=2 * BATCHES + 2).waits_in_its_batch()
    second = run([0]).waits_for_another()
    first.signal(number).goes_on()
    assert first.ended() == (-9 if number == signal.SIGKILL else 128 + number)
    assert second.succeeded() == alone(0)
    assert 0 < second.batches() <= 2 * BATCHES
    assert left(tmp_path) == records(0)


def test_a_stopped_process_keeps_its_run(tmp_path, run, alone):
    first = run([0], held_in_batch=2 * BATCHES + 2).waits_in_its_batch().signal(signal.SIGSTOP).goes_on()
    second = run([0]).waits_for_another()
    assert states(tmp_path) == [(0, "running")]
    third = run([0, 1]).waits_for_another()
    assert second.process.is_alive()
    first.signal(signal.SIGCONT)
    assert first.succeeded() == second.succeeded() == alone(0)
    assert third.succeeded() == alone(0, 1)
    assert (second.batches(), third.batches()) == (0, EPOCHS * BATCHES)
    assert left(tmp_path) == records(0, 1)


HELD = """
import sys
from pathlib import Path
from tests.training_processes import train
train(Path(sys.argv[1]), "held", [0], 12, 1, 1, {})
"""


@pytest.fixture
def in_another_namespace(tmp_path):
    """A training whose process ids and host name are those of a container; held in its third epoch."""
    if (unshare := shutil.which("unshare")) is None:
        pytest.skip("needs unshare of util-linux")
    command = [unshare, "--user", "--map-root-user", "--pid", "--uts", "--fork", "--kill-child"]
    if subprocess.run([*command, "true"], capture_output=True).returncode:
        pytest.skip("this system allows no namespaces of one's own")
    files_of(tmp_path, run_stage())
    with subprocess.Popen([*command, sys.executable, "-c", HELD, str(tmp_path)], cwd=ROOT) as process:
        yield process
        process.kill()


def test_a_holder_in_another_namespace_of_processes(tmp_path, in_another_namespace, run, alone):
    """Its id, 1, is that of quite another process here, and its host's name may be anything."""
    wait_for((tmp_path / "held.reached").exists, "the container does not train")
    assert states(tmp_path) == [(0, "running")]
    second = run([0]).waits_for_another()
    assert f"seed 0 (process 1 on {socket.gethostname()})" in second.told()
    in_another_namespace.kill()
    assert second.succeeded() == alone(0)
    assert 0 < second.batches() <= 2 * BATCHES
    assert left(tmp_path) == records(0)


@pytest.mark.parametrize("host", [None, "elsewhere"])
@pytest.mark.parametrize("pid", [None, 1, 2**22 + 1], ids=["this process", "another", "nobody"])
def test_no_process_is_judged_by_its_id(tmp_path, run, alone, pid, host):
    """A note of whoever trained before: nobody trains now, whatever has that number today."""
    files = files_of(tmp_path, run_stage())
    files.note(Status(0, "running", 2, EPOCHS, 1.5))
    path = files.directory / "seed-0000.status"
    note = {**json.loads(path.read_text()), "pid": pid or os.getpid()}
    path.write_text(json.dumps({**note, "host": host or note["host"]}))
    assert states(tmp_path) == [(0, "interrupted")]
    training = run([0])
    assert training.succeeded() == alone(0)
    assert "trained elsewhere" not in training.told()
    assert left(tmp_path) == records(0)


@pytest.mark.parametrize("noted", ["interrupted", "failed"])
def test_a_run_that_is_held_is_running(tmp_path, run, noted):
    """Whatever was noted before, and whichever process that was."""
    first = run([0], held_in_batch=2).waits_in_its_batch()
    files = files_of(tmp_path, run_stage())
    files.note(Status(0, noted, 2, EPOCHS, 1.5, message="for some reason"))
    assert [(s.state, s.message) for s in statuses(files.directory)] == [("running", "")]
    first.goes_on().succeeded()


def test_looking_at_the_state_disturbs_nobody(tmp_path, run, alone):
    """However often it is done, while several want the run."""
    first, second = run([0], epochs=8), run([0], epochs=8)
    directory = files_of(tmp_path, run_stage(epochs=8)).directory
    while first.process.is_alive() or second.process.is_alive():
        list(statuses(directory))
    assert first.succeeded() == second.succeeded() == alone(0, epochs=8)
    assert left(tmp_path, epochs=8) == records(0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_one_that_waits(tmp_path, run, alone, number):
    first = run([0], held_in_batch=2 * BATCHES + 2).waits_in_its_batch()
    before = left(tmp_path)
    second = run([0, 1]).waits_for_another().signal(number)
    assert second.ended() == 128 + number
    last = second.told().splitlines()[-1]
    assert last.startswith(f"dynparam: {number.name} while waiting for seeds [0]")
    assert sorted([*before, *records(1)]) == left(tmp_path)
    assert first.goes_on().succeeded() == alone(0)
    assert left(tmp_path) == records(0, 1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_that_comes_before_the_wait_ends_it_too(tmp_path, run, number, monkeypatch):
    """In the last epoch of a free run, after which there is nothing but waiting."""
    first = run([0], held_in_batch=2).waits_in_its_batch()
    original = StackRun._finish

    def finish(self, *given, **more):
        os.kill(os.getpid(), number)
        return original(self, *given, **more)

    monkeypatch.setattr(StackRun, "_finish", finish)
    with pytest.raises(InterruptedRunError, match="while waiting for seeds") as stopped:
        trained(tmp_path, [0, 1])
    assert stopped.value.exit_code == 128 + number
    first.goes_on().succeeded()


# One reading of the checkpoint.


def stopped_after(monkeypatch, root, batch, stage, seeds=(0,)):
    """Stop a training in a batch; its checkpoint stays."""
    original, number = StackRun._keep_losses, count(1)

    def keep_losses(self, losses):
        original(self, losses)
        if next(number) == batch:
            os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patch:
        patch.setattr(StackRun, "_keep_losses", keep_losses)
        with pytest.raises(InterruptedRunError):
            trained(root, list(seeds), stage)


@pytest.mark.parametrize("training_loss", ["evaluated", "running"])
@pytest.mark.parametrize(
    ("earlier", "later"), [(BATCHES + 2, 3 * BATCHES + 3), (3 * BATCHES + 3, BATCHES + 2)]
)
@pytest.mark.parametrize("reading", [1, 2])
def test_a_checkpoint_replaced_after_a_reading(
    tmp_path, monkeypatch, training_loss, earlier, later, reading
):
    """Whatever is put in its place: what was read is one moment of the run, and all go on from there."""
    stage = run_stage(training_loss=training_loss)
    whole = trained(tmp_path / "whole", [0], stage)
    for name, batch in (("cut", earlier), ("other", later)):
        stopped_after(monkeypatch, tmp_path / name, batch, stage)
    path, other = (files_of(tmp_path / name, stage).checkpoint(0) for name in ("cut", "other"))
    original, readings = checkpoints.load, count(1)

    def load(*given):
        found = original(*given)
        if next(readings) == reading:
            shutil.copyfile(other, path.with_name("next"))
            path.with_name("next").replace(path)
        return found

    monkeypatch.setattr(checkpoints, "load", load)
    (found,) = trained(tmp_path / "cut", [0], stage)
    assert found.curve == whole[0].curve
    assert left(tmp_path / "cut", training_loss=training_loss) == records(0)


@pytest.mark.parametrize("reading", [1, 2])
def test_a_checkpoint_that_vanishes_after_a_reading(tmp_path, monkeypatch, reading):
    whole = trained(tmp_path / "whole", [0])
    stopped_after(monkeypatch, tmp_path / "cut", 2 * BATCHES + 2, run_stage())
    original, readings = checkpoints.load, count(1)

    def load(path, identity, form):
        found = original(path, identity, form)
        if next(readings) == reading:
            path.unlink()
        return found

    monkeypatch.setattr(checkpoints, "load", load)
    assert trained(tmp_path / "cut", [0])[0].curve == whole[0].curve


def test_a_record_that_appears_before_the_run_is_held(tmp_path, monkeypatch):
    """Another process finished it after this one looked: it is read, and nothing is trained."""
    (whole,) = trained(tmp_path / "whole", [0])
    files = files_of(tmp_path / "cut", run_stage())
    original = runs._require_room

    def require_room(*given):
        files.finish(whole)
        original(*given)

    monkeypatch.setattr(runs, "_require_room", require_room)
    monkeypatch.setattr(runs.Networks, "draw", lambda *given: pytest.fail("it is trained again"))
    assert trained(tmp_path / "cut", [0]) == [whole]
    assert left(tmp_path / "cut") == records(0)


@pytest.mark.parametrize("change", [
    lambda curve: curve[:-1],
    lambda curve: (*curve, curve[-1]),
    lambda curve: (),
    lambda curve: (*curve[:2], *curve),
], ids=["a row short", "a row more", "none", "mixed"])  # fmt: skip
@pytest.mark.parametrize("rate", [0.05, 1e30], ids=["whole", "diverged"])
def test_a_record_has_a_row_for_every_epoch(tmp_path, monkeypatch, change, rate):
    """The last guard: it is not written, and the sentence says what to do."""
    stage = run_stage(learning_rate=rate)
    original = StackRun._finish

    def finish(self, seed, diverged_at):
        place = self.places[seed]
        self.places[seed] = replace(place, curve=change(place.curve))
        original(self, seed, diverged_at)

    monkeypatch.setattr(StackRun, "_finish", finish)
    with pytest.raises(DynparamError, match=r"seed 0 has \d+ rows .* not kept"):
        trained(tmp_path, [0], stage)
    assert not [name for name in left(tmp_path, learning_rate=rate) if name.endswith((".json", ".lock"))]


@pytest.mark.parametrize("change", [
    lambda curve: curve[:-1], lambda curve: (*curve, curve[-1]), lambda curve: ()
], ids=["a row short", "a row more", "none"])  # fmt: skip
def test_a_checkpoint_whose_curve_does_not_fit_its_epoch_is_set_aside(
    tmp_path, monkeypatch, change, capsys
):
    """A run never begins with what the last guard would refuse at its end."""
    (whole,) = trained(tmp_path / "whole", [0])
    stopped_after(monkeypatch, tmp_path / "cut", 2 * BATCHES + 2, run_stage())
    files = files_of(tmp_path / "cut", run_stage())
    path, identity = files.checkpoint(0), files.run_identity(0)
    place, tensors = checkpoints.load(path, identity, files.form)
    checkpoints.save(path, identity, replace(place, curve=change(place.curve)), tensors)
    (found,) = trained(tmp_path / "cut", [0])
    assert found.curve == whole.curve
    assert "it is set aside as seed-0000.unusable-1.safetensors" in capsys.readouterr().err


# What is left over.


@pytest.mark.parametrize("leftover", [
    "seed-0000.safetensors", "seed-0000.status", "seed-0000.lock",
    ".seed-0000.0123456789ab.safetensors", ".seed-0000.0123456789ab.json",
])  # fmt: skip
@pytest.mark.parametrize("seeds", [[0], [0, 1]])
def test_what_a_kill_left_of_a_finished_run_goes(tmp_path, leftover, seeds):
    """It came after the record was written and before the rest was removed."""
    before = trained(tmp_path, [0])
    (files_of(tmp_path, run_stage()).directory / leftover).write_bytes(b"x")
    assert trained(tmp_path, seeds)[:1] == before
    assert left(tmp_path) == records(*seeds)


SAVES = """
import os, signal, sys
from pathlib import Path
from dynparam.training import checkpoints
from tests.training_processes import train

def save_file(tensors, path, metadata):
    for name in (".tmpAbC123", path.name):  # the library writes under a name of its own, then renames
        path.with_name(name).write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)

checkpoints.save_file = save_file
train(Path(sys.argv[1]), "killed", [0], 0, 1, 1, {})
"""


def test_what_a_kill_left_of_a_checkpoint_goes(tmp_path, alone, run):
    """Files of the library's own names too, and those of this run alone: others write theirs."""
    files_of(tmp_path, run_stage())
    done = subprocess.run([sys.executable, "-c", SAVES, str(tmp_path)], cwd=ROOT)
    assert done.returncode == -signal.SIGKILL
    assert len(left(tmp_path)) == 3  # the lock, the note, and a directory of what is written
    other = files_of(tmp_path, run_stage()).directory / ".seed-0001.0123456789ab"
    other.mkdir()
    assert run([0]).succeeded() == alone(0)
    assert left(tmp_path) == [other.name, *records(0)]


def test_while_a_checkpoint_is_written_its_files_are_known(tmp_path, monkeypatch):
    """All that lies there at any moment has the run's name."""
    seen, original = set(), checkpoints.save_file

    def save_file(tensors, path, metadata):
        original(tensors, path, metadata=metadata)
        seen.update(left(tmp_path))

    monkeypatch.setattr(checkpoints, "save_file", save_file)
    trained(tmp_path, [0])
    assert seen
    assert all(name.startswith(("seed-0000.", ".seed-0000.")) for name in seen)
    assert left(tmp_path) == records(0)


def test_what_is_left_of_a_finished_run_is_no_unfinished_run(tmp_path):
    """Nor does anything of another seed go with it."""
    trained(tmp_path, [0])
    files = files_of(tmp_path, run_stage())
    for name in ("seed-0001.safetensors", "seed-0001.status", ".seed-0001.0123456789ab.json"):
        (files.directory / name).write_bytes(b"x")
    (files.directory / "seed-0000.status").write_bytes(b"x")
    trained(tmp_path, [0])
    assert left(tmp_path) == [
        ".seed-0001.0123456789ab.json", "seed-0000.json", "seed-0001.safetensors", "seed-0001.status",
    ]  # fmt: skip


def test_a_finished_run_is_read_where_nothing_can_be_removed(tmp_path, monkeypatch):
    before = trained(tmp_path, [0])
    (files_of(tmp_path, run_stage()).directory / "seed-0000.status").write_bytes(b"x")

    def refuse(*given, **more):
        raise PermissionError(errno.EACCES, "Permission denied")

    original = os.open

    def only_read(path, flags, *given, **more):
        return refuse() if flags & os.O_CREAT else original(path, flags, *given, **more)

    monkeypatch.setattr(Path, "unlink", refuse)
    monkeypatch.setattr(os, "open", only_read)
    assert trained(tmp_path, [0]) == before


def test_nothing_is_left_when_training_fails(tmp_path, monkeypatch):
    """Of the lock; the state says what happened."""

    def fail(*given):
        raise RuntimeError("the process dies here")

    monkeypatch.setattr(runs.Networks, "draw", fail)
    with pytest.raises(RuntimeError, match="dies here"):
        trained(tmp_path, [0])
    assert left(tmp_path) == []


# File systems without locks.


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.EINVAL])
def test_a_file_system_without_locks_is_refused(tmp_path, monkeypatch, number):
    """Nothing is trained that could be trained twice, and nothing is left there."""

    def flock(file, how):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)
    monkeypatch.setattr(runs.Networks, "draw", lambda *given: pytest.fail("it is trained"))
    with pytest.raises(DynparamError) as refused:
        trained(tmp_path, [0])
    said = str(refused.value)
    assert str(files_of(tmp_path, run_stage()).directory) in said
    assert f"({os.strerror(number)})" in said
    assert "--runs, --output or paths.results" in said
    assert left(tmp_path) == []


def test_finished_runs_are_read_where_there_are_no_locks(tmp_path, monkeypatch):
    before = trained(tmp_path, [0])
    (files_of(tmp_path, run_stage()).directory / "seed-0000.status").write_bytes(b"x")

    def flock(file, how):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(fcntl, "flock", flock)
    assert trained(tmp_path, [0]) == before


@pytest.mark.parametrize("state", ["running", "interrupted", "failed"])
def test_where_locks_cannot_be_seen_the_note_is_believed(tmp_path, monkeypatch, state):
    """Another machine may see locks on a file system where this one sees none."""
    files = files_of(tmp_path, run_stage())
    files.note(Status(0, state, 2, EPOCHS, 1.5))
    (files.directory / "seed-0000.lock").write_bytes(b"")

    def flock(file, how):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(fcntl, "flock", flock)
    assert states(tmp_path) == [(0, state)]


# Diverging runs.


def test_the_record_of_a_diverged_run_does_not_wait_for_the_stack(tmp_path, run, alone):
    """Its lock ends with its record, while its sibling is still being trained."""
    changes = {"learning_rate": 1e30}
    first = run([0, 1], stack_size=2, **changes)
    second = run([1, 0], **changes)
    assert first.succeeded() == alone(0, 1, **changes)
    assert second.succeeded() == alone(1, 0, **changes)
    assert left(tmp_path, **changes) == records(0, 1)


def test_a_run_is_free_once_its_record_is_written(tmp_path, monkeypatch):
    """One of a stack diverges; another process has its record while the stack goes on."""
    from tests.training.test_runs import diverging

    diverging(monkeypatch, seed=1)
    monkeypatch.setattr(Plan, "stack_size", property(lambda plan: 2))
    seen, original = [], StackRun._train_epoch

    def train_epoch(self):
        seen.append({name for name in left(tmp_path) if name.startswith("seed-0001")})
        original(self)

    monkeypatch.setattr(StackRun, "_train_epoch", train_epoch)
    found = trained(tmp_path, [0, 1])
    assert found[1].diverged_at < EPOCHS - 1
    assert seen[-1] == set(records(1))
    assert curve_table(TASK, "dynamic", found)["seed"].tolist().count(0) == EPOCHS + 1
