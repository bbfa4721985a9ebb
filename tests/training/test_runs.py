"""Runs: equal however they are shared out, resumed or interrupted, and honest about what failed."""

import math
import os
import shutil
import signal
import sys
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors import SafetensorError

from dynparam.support.errors import ConfigError, DataError, DynparamError, InterruptedRunError
from dynparam.training import checkpoints, protocol, run_files, runs, stack_run
from dynparam.training.checkpoints import load
from dynparam.training.curve_table import COLUMNS
from dynparam.training.protocol import Networks, Stack, checkpoint_bytes, memory_bytes
from dynparam.training.run_files import statuses
from dynparam.training.runs import curve_table, origins, train_seeds
from dynparam.training.stack_run import Plan, curve_row
from tests.special_files import SPECIAL, put
from tests.training_runs import TASK, TEST, TRAIN, files_of, invented_pair, plan_of, run_stage

ROOT = Path(__file__).parents[2]
PROGRAM = Path(sys.executable).with_name("dynparam")
BATCHES = 5
VARIANTS = {
    "plain": {},
    "running": {"training_loss": "running"},
    "primal": {"first_layer": "primal"},
    "bfloat16": {"products": "bfloat16"},
    "bfloat16 primal": {"products": "bfloat16", "first_layer": "primal"},
    "float64 dropped": {"dtype": "float64", "last_batch": "dropped", "training_loss": "running"},
}


pytestmark = pytest.mark.usefixtures("quick_runs")


@pytest.fixture(scope="module")
def stage():
    return run_stage()


def trained(root, stage, seeds, parametrization="dynamic", **plan):
    """The records of a training below ``root``."""
    files = files_of(root, stage, parametrization)
    return train_seeds(plan_of(stage, parametrization, **plan), seeds, invented_pair(), files)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """The record of seed 0 of a variant, trained in one go."""

    @cache
    def record(variant):
        (found,) = trained(tmp_path_factory.mktemp("whole"), run_stage(**VARIANTS[variant]), [0])
        return found

    return record


def curves(records):
    return {record.seed: (record.curve, record.diverged_at) for record in records}


@pytest.fixture
def at_batch(monkeypatch):
    """Let something happen in the n-th batch trained from now on, before or after it is trained."""

    def arm(number, happens, after=False):
        original, count = Stack.train_batch, [0]

        def train_batch(self, images):
            count[0] += 1
            if count[0] == number and not after:
                happens()
            losses = original(self, images)
            if count[0] == number and after:
                happens()
            return losses

        monkeypatch.setattr(Stack, "train_batch", train_batch)
        return lambda: monkeypatch.setattr(Stack, "train_batch", original)

    return arm


def fail():
    raise RuntimeError("the process dies here")


def terminate(number=signal.SIGTERM):
    os.kill(os.getpid(), number)


@pytest.fixture
def stacks_of_two(monkeypatch):
    """As on a GPU, two networks at once."""
    monkeypatch.setattr(Plan, "stack_size", property(lambda plan: 2))


def test_curves_are_those_of_the_engine(tmp_path, stage):
    """A row for the initial network and one for every epoch, evaluated by itself."""
    (record,) = trained(tmp_path, stage, [3])
    task = protocol.Task.of_pair(invented_pair(), "half_range", torch.float32, torch.device("cpu"))
    stack = Networks(stage, TASK, task, "dynamic").draw([3])
    expected = [curve_row(stack.evaluate(), 0)]
    for epoch in range(1, 5):
        for batch in protocol.batch_order(stage, TASK, 3, epoch):
            stack.train_batch(batch[None])
        expected.append(curve_row(stack.evaluate(), 0))
    assert record.curve == tuple(expected)
    assert record.curve[-1][0] < record.curve[0][0]
    assert (record.seed, record.diverged_at) == (3, None)
    assert record.seconds > 0
    assert record.origin["device"] == "cpu, 1 threads"
    assert record.origin["git"] == {"commit": "abc", "dirty": False}


def test_running_loss_is_the_mean_over_the_epochs_images(tmp_path, monkeypatch):
    """Weighted by the sizes of batches; epoch 0 has none and is evaluated."""
    seen, original = [], Stack.train_batch

    def train_batch(self, images):
        losses = original(self, images)
        seen.append((float(losses[0]), images.shape[1]))
        return losses

    monkeypatch.setattr(Stack, "train_batch", train_batch)
    (running,) = trained(tmp_path / "running", run_stage(training_loss="running"), [0])
    (evaluated,) = trained(tmp_path / "evaluated", run_stage(), [0])
    assert running.curve[0] == evaluated.curve[0]
    for epoch in range(1, 5):
        batches = seen[(epoch - 1) * BATCHES : epoch * BATCHES]
        assert sum(size for _, size in batches) == 22
        expected = sum(loss * size for loss, size in batches) / 22
        assert running.curve[epoch][0] == pytest.approx(expected, rel=1e-14)
        assert running.curve[epoch][0] != evaluated.curve[epoch][0]
        assert running.curve[epoch][1:] == evaluated.curve[epoch][1:]


@pytest.mark.parametrize("variant", VARIANTS)
def test_sharding_changes_nothing(tmp_path, variant):
    stage = run_stage(**VARIANTS[variant])
    together = trained(tmp_path / "together", stage, [0, 1, 2])
    apart = [trained(tmp_path / "apart", stage, [seed])[0] for seed in (2, 0, 1)]
    assert curves(together) == curves(apart)
    assert [record.seed for record in together] == [0, 1, 2]
    assert len({record.curve for record in together}) == 3


def test_stacks_give_the_same_curves(tmp_path, stage, stacks_of_two, monkeypatch):
    """Three seeds, two at once; on a CPU even to the bit, as products of a stack are done one by one."""
    together = trained(tmp_path / "together", stage, [0, 1, 2])
    monkeypatch.setattr(Plan, "stack_size", 1)
    assert curves(together) == curves(trained(tmp_path / "apart", stage, [0, 1, 2]))


@pytest.mark.parametrize("places", [(2 * BATCHES + 2, 2 * BATCHES + 4), (BATCHES + 2, 2 * BATCHES + 2)])
@pytest.mark.parametrize("training_loss", ["evaluated", "running"])
def test_seeds_at_different_places_are_not_stacked(
    tmp_path, places, training_loss, stacks_of_two, at_batch, monkeypatch
):
    """Stopped in other batches of one epoch, or in one batch of other epochs: trained apart."""
    stage = run_stage(training_loss=training_loss)
    whole = trained(tmp_path / "whole", stage, [0, 1])
    for seed, batch in enumerate(places):
        disarm = at_batch(batch, terminate)
        with pytest.raises(InterruptedRunError):
            trained(tmp_path / "cut", stage, [seed])
        disarm()
    assert curves(trained(tmp_path / "cut", stage, [0, 1])) == curves(whole)


def test_seeds_at_one_place_are_stacked(tmp_path, stage, stacks_of_two, at_batch, monkeypatch):
    """Stopped one by one in the same batch, or not begun: together in stacks that are full."""
    for seed in (1, 3):
        disarm = at_batch(BATCHES + 2, terminate)
        with pytest.raises(InterruptedRunError):
            trained(tmp_path / "cut", stage, [seed])
        disarm()
    stacks, original = [], Networks.draw

    def draw(self, seeds):
        stacks.append(list(seeds))
        return original(self, seeds)

    monkeypatch.setattr(Networks, "draw", draw)
    found = trained(tmp_path / "cut", stage, [0, 1, 2, 3, 4])
    assert sorted(stacks) == [[0, 2], [1, 3], [4]]
    assert curves(found) == curves(trained(tmp_path / "whole", stage, [0, 1, 2, 3, 4]))


def test_seeds_that_are_added_are_trained_alone(tmp_path, stage, monkeypatch):
    drawn, original = [], Networks.draw

    def draw(self, seeds):
        drawn.extend(seeds)
        return original(self, seeds)

    monkeypatch.setattr(Networks, "draw", draw)
    first = trained(tmp_path, stage, [1, 3])
    more = trained(tmp_path, stage, [0, 1, 2, 3])
    assert drawn == [1, 3, 0, 2]
    assert [record.seed for record in more] == [0, 1, 2, 3]
    assert more[1] == first[0]
    assert more[3] == first[1]
    assert trained(tmp_path, stage, [3, 2]) == [more[3], more[2]]
    assert drawn == [1, 3, 0, 2]


def test_finished_runs_are_read_where_nothing_can_be_trained(tmp_path, stage, monkeypatch):
    before = trained(tmp_path, stage, [0])
    monkeypatch.setattr(runs, "free_memory_bytes", lambda device: 0)
    assert trained(tmp_path, stage, [0]) == before


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_run_that_dies_goes_on_from_its_checkpoint(tmp_path, variant, at_batch, uninterrupted):
    stage, whole = run_stage(**VARIANTS[variant]), uninterrupted(variant)
    batches = len(protocol.batch_order(stage, TASK, 0, 1))
    disarm = at_batch(2 * batches + 2, fail)
    with pytest.raises(RuntimeError, match="dies here"):
        trained(tmp_path / "cut", stage, [0])
    disarm()
    files, count = files_of(tmp_path / "cut", stage), []
    place, _ = load(files.checkpoint(0), files.run_identity(0), files.form)
    assert (place.epoch, place.batch, place.curve) == (2, 0, whole.curve[:3])
    at_batch(1, lambda: count.append(1))
    assert curves(trained(tmp_path / "cut", stage, [0])) == curves([whole])
    assert count == [1]
    assert [path.name for path in files.directory.iterdir()] == ["seed-0000.json"]


@pytest.mark.parametrize("batch", [1, BATCHES, BATCHES + 2, 4 * BATCHES])
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_signal_in_any_batch_saves_all(tmp_path, variant, batch, at_batch, uninterrupted):
    """Also in the last batch of an epoch, when its loss is still to be recorded."""
    stage = run_stage(**VARIANTS[variant])
    each = len(protocol.batch_order(stage, TASK, 0, 1))
    disarm = at_batch(min(batch, 4 * each), terminate)
    with pytest.raises(
        InterruptedRunError, match=r"SIGTERM in epoch \d of seeds \[0\]; all is saved, and"
    ):
        trained(tmp_path / "cut", stage, [0], checkpoint_epochs=100)
    disarm()
    files = files_of(tmp_path / "cut", stage)
    place, _ = load(files.checkpoint(0), files.run_identity(0), files.form)
    assert place.epoch * each + place.batch == min(batch, 4 * each)
    assert place.batch > 0
    assert curves(trained(tmp_path / "cut", stage, [0])) == curves([uninterrupted(variant)])


def test_handlers_of_signals_are_put_back(tmp_path, stage, at_batch):
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    at_batch(3, lambda: terminate(signal.SIGINT), after=True)
    with pytest.raises(InterruptedRunError, match="SIGINT in epoch 1"):
        trained(tmp_path, stage, [0])
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


def test_interrupted_again_and_again(tmp_path, stage, at_batch):
    """Twenty batches, stopped in every third, two seeds: the curves of one go."""
    whole = trained(tmp_path / "whole", stage, [0, 1])
    for _ in range(40):
        disarm = at_batch(3, terminate)
        try:
            found = trained(tmp_path / "cut", stage, [0, 1])
            break
        except InterruptedRunError:
            continue
        finally:
            disarm()
    assert curves(found) == curves(whole)


def test_a_stack_is_resumed_in_groups_that_are_equally_far(tmp_path, stage, stacks_of_two, at_batch):
    """Seed 0 is ahead of 1 and 2: it goes on alone, they together."""
    whole = trained(tmp_path / "whole", stage, [0, 1, 2])
    for seeds, batch in (([0], 12), ([1, 2], 7)):
        disarm = at_batch(batch, terminate)
        with pytest.raises(InterruptedRunError):
            trained(tmp_path / "cut", stage, seeds)
        disarm()
    assert curves(trained(tmp_path / "cut", stage, [0, 1, 2])) == curves(whole)


@pytest.mark.parametrize("damage", ["cut", "flipped", "foreign", "empty"])
def test_an_unusable_checkpoint_is_set_aside(tmp_path, stage, damage, at_batch, capsys):
    whole = trained(tmp_path / "whole", stage, [0])
    disarm = at_batch(12, terminate)
    with pytest.raises(InterruptedRunError):
        trained(tmp_path / "cut", stage, [0])
    disarm()
    path = files_of(tmp_path / "cut", stage).checkpoint(0)
    content = bytearray(path.read_bytes())
    if damage == "cut":
        del content[-100:]
    elif damage == "flipped":
        content[-100] ^= 4
    elif damage == "empty":
        content.clear()
    else:  # of the same widths, under another learning rate
        other = run_stage(learning_rate=0.04)
        disarm = at_batch(12, terminate)
        with pytest.raises(InterruptedRunError):
            trained(tmp_path / "other", other, [0])
        disarm()
        content = bytearray(files_of(tmp_path / "other", other).checkpoint(0).read_bytes())
    path.write_bytes(content)
    capsys.readouterr()
    assert curves(trained(tmp_path / "cut", stage, [0])) == curves(whole)
    told = capsys.readouterr().err.splitlines()[0]
    assert told.startswith(f"{path}: ")
    assert told.endswith("it is set aside as seed-0000.unusable-1.safetensors, and seed 0 starts anew")
    assert ("belongs to another run" in told) == (damage == "foreign")
    assert path.with_name("seed-0000.unusable-1.safetensors").read_bytes() == content


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """A checkpoint of seed 0, its place and its tensors, as training saves them in epoch 3."""
    files = files_of(tmp_path_factory.mktemp("begun"), run_stage())
    kept = {}

    def keep(path, identity, place, tensors):
        kept.update({place.epoch: (place, {name: tensor.clone() for name, tensor in tensors.items()})})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoints, "save", keep)
        train_seeds(plan_of(run_stage()), [0], invented_pair(), files)
    return kept[2]


WRONG = {
    "an epoch of text": lambda place, tensors: (replace(place, epoch="2"), tensors),
    "rows for other epochs": lambda place, tensors: (replace(place, epoch=3), tensors),
    "a negative time": lambda place, tensors: (replace(place, seconds=-1.0), tensors),
    "a batch beyond the last": lambda place, tensors: (replace(place, batch=BATCHES + 1), tensors),
    "losses that are not kept": lambda place, tensors: (replace(place, batch_losses=(1.0,)), tensors),
    "no velocity": lambda place, tensors: (place, {k: v for k, v in tensors.items() if "w" in k}),
    "one row for all": lambda place, tensors: (
        place,
        {**tensors, "weights_2": tensors["weights_2"][:1]},
    ),
    "integers": lambda place, tensors: (place, {**tensors, "weights_2": tensors["weights_2"].int()}),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_checkpoint_made_wrong_is_set_aside(tmp_path, stage, begun, wrong, uninterrupted, capsys):
    """Its checksum and its run's name are right; what it holds would stop the training or bend it."""
    files = files_of(tmp_path, stage)
    checkpoints.save(files.checkpoint(0), files.run_identity(0), *WRONG[wrong](*begun))
    content = files.checkpoint(0).read_bytes()
    assert curves(trained(tmp_path, stage, [0])) == curves([uninterrupted("plain")])
    assert f"{files.checkpoint(0)}: " in capsys.readouterr().err
    assert (files.directory / "seed-0000.unusable-1.safetensors").read_bytes() == content


@pytest.mark.parametrize("kind", SPECIAL)
def test_what_is_no_checkpoint_is_set_aside(tmp_path, stage, kind, uninterrupted):
    files = files_of(tmp_path, stage)
    put(files.checkpoint(0), kind)
    assert curves(trained(tmp_path, stage, [0])) == curves([uninterrupted("plain")])
    assert os.path.lexists(files.directory / "seed-0000.unusable-1.safetensors")


@pytest.mark.parametrize("kind", SPECIAL)
def test_what_is_no_record_stops_the_training_and_stays(tmp_path, stage, kind):
    """A link to nothing too: what it led to may come back with its disk."""
    path = files_of(tmp_path, stage).directory / "seed-0001.json"
    put(path, kind)
    before = os.lstat(path)
    with pytest.raises(DataError, match=r"seed-0001\.json: not a run's record \(.*; delete it to train"):
        trained(tmp_path, stage, [0, 1])
    after = os.lstat(path)
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_checkpoints_come_as_often_as_asked(tmp_path, monkeypatch):
    """None after the last epoch, whose record follows at once."""
    saved, original = [], checkpoints.save

    def save(path, identity, place, tensors):
        saved.append((path.name[:9], place.epoch, place.batch))
        original(path, identity, place, tensors)

    monkeypatch.setattr(checkpoints, "save", save)
    trained(tmp_path, run_stage(epochs=6), [0, 1], checkpoint_epochs=2)
    assert saved == [(f"seed-000{seed}", epoch, 0) for seed in (0, 1) for epoch in (2, 4)]


def test_the_frequency_of_checkpoints_changes_nothing(tmp_path, stage):
    found = [trained(tmp_path / str(k), stage, [0], checkpoint_epochs=k) for k in (1, 3, 100)]
    assert curves(found[0]) == curves(found[1]) == curves(found[2])


def test_time_spent_adds_up_over_interruptions(tmp_path, stage, at_batch, monkeypatch):
    """A clock that advances with the batches: two before the stop, the rest after it."""
    clock, original = [0.0], Stack.train_batch

    def train_batch(self, images):
        clock[0] += 10
        return original(self, images)

    monkeypatch.setattr(Stack, "train_batch", train_batch)
    monkeypatch.setattr(stack_run, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    disarm = at_batch(7, terminate)
    with pytest.raises(InterruptedRunError):
        trained(tmp_path, stage, [0])
    disarm()
    clock[0] = 10**6
    (record,) = trained(tmp_path, stage, [0])
    assert record.seconds == 10 * 4 * BATCHES


def diverging(monkeypatch, seed):
    """Draw one seed's weights so large that it overflows within the first epochs."""
    original = protocol.initial_weights

    def initial_weights(settings, task, scales, drawn):
        weights = original(settings, task, scales, drawn)
        return [40 * w for w in weights] if drawn == seed else weights

    monkeypatch.setattr(protocol, "initial_weights", initial_weights)


@pytest.mark.parametrize("training_loss", ["evaluated", "running"])
def test_a_diverging_sibling_harms_nobody(tmp_path, training_loss, stacks_of_two, monkeypatch, capsys):
    stage = run_stage(training_loss=training_loss)
    whole = trained(tmp_path / "whole", stage, [0, 2])
    diverging(monkeypatch, seed=1)
    capsys.readouterr()
    found = {record.seed: record for record in trained(tmp_path / "one", stage, [0, 1, 2])}
    assert list(found) == [0, 1, 2]
    assert curves([found[0], found[2]]) == curves(whole)
    lost = found[1]
    assert lost.diverged_at is not None
    assert len(lost.curve) == lost.diverged_at + 1
    assert all(math.isfinite(value) for row in lost.curve[:-1] for value in row)
    assert not all(math.isfinite(value) for value in lost.curve[-1])
    told = capsys.readouterr().err
    assert f"seed 1 diverged: its loss is not finite after epoch {lost.diverged_at}\n" in told
    assert {p.name for p in files_of(tmp_path / "one", stage).directory.iterdir()} == {
        f"seed-000{seed}.json" for seed in (0, 1, 2)
    }
    again = {record.seed: record for record in trained(tmp_path / "one", stage, [0, 1, 2])}
    assert again[0] == found[0]
    assert again[1].diverged_at == lost.diverged_at


def test_an_interruption_after_a_sibling_diverged(tmp_path, stage, stacks_of_two, monkeypatch, at_batch):
    diverging(monkeypatch, seed=1)
    whole = trained(tmp_path / "whole", stage, [0, 1])
    assert whole[1].diverged_at < 3
    disarm = at_batch(3 * BATCHES + 2, terminate)
    with pytest.raises(InterruptedRunError, match=r"in epoch 4 of seeds \[0\];"):
        trained(tmp_path / "cut", stage, [0, 1])
    disarm()
    found = trained(tmp_path / "cut", stage, [0, 1])
    assert curves(found)[0] == curves(whole)[0]
    assert found[1].diverged_at == whole[1].diverged_at


@pytest.mark.parametrize("rate", [1e3, 1e30])
def test_a_huge_learning_rate_is_recorded_as_divergence(tmp_path, rate, capsys):
    stage = run_stage(learning_rate=rate)
    records = trained(tmp_path, stage, [0, 1])
    told = capsys.readouterr().err
    for record in records:
        assert 1 <= record.diverged_at <= 2
        assert len(record.curve) == record.diverged_at + 1
        sentence = (
            f"seed {record.seed} diverged: its loss is not finite after epoch {record.diverged_at}"
        )
        assert sentence in told
    (origin,) = origins(records)
    assert origin["diverged"] == {str(record.seed): record.diverged_at for record in records}
    table = curve_table(TASK, "dynamic", records)
    assert table["epoch"].tolist() == [epoch for r in records for epoch in range(r.diverged_at + 1)]


@pytest.fixture
def counted(monkeypatch):
    """Of every training the total that its progress is told, and the amounts that are done."""
    found = []

    @contextmanager
    def progress(label, total):
        amounts = []
        found.append((total, amounts))
        yield lambda amount, note="": amounts.append(amount)

    monkeypatch.setattr(runs, "progress", progress)
    return found


@pytest.mark.parametrize(
    ("lost", "seeds"), [((), [0]), ((), [0, 2]), ((1,), [0, 1]), ((1,), [1]), ((1, 2), [0, 1, 2])]
)
def test_progress_ends_with_its_total(tmp_path, stage, stacks_of_two, monkeypatch, counted, lost, seeds):
    """Whatever diverges; and an interrupted training counts what is left."""
    for seed in lost:
        diverging(monkeypatch, seed)
    trained(tmp_path, stage, seeds)
    ((total, amounts),) = counted
    assert total == stage.protocol.epochs * len(seeds)
    assert sum(amounts) == total


def test_progress_of_a_resumed_run_is_that_of_its_epochs_left(tmp_path, stage, at_batch, counted):
    disarm = at_batch(2 * BATCHES + 2, terminate)
    with pytest.raises(InterruptedRunError):
        trained(tmp_path, stage, [0])
    disarm()
    trained(tmp_path, stage, [0])
    left = stage.protocol.epochs - 2
    assert [(total, sum(amounts)) for total, amounts in counted] == [(left + 2, 2), (left, left)]


def test_table_and_origins(tmp_path, stage):
    records = trained(tmp_path, stage, [2, 0])
    table = curve_table(TASK, "dynamic", records)
    assert tuple(table.columns) == COLUMNS
    assert table["seed"].tolist() == [2] * 5 + [0] * 5
    assert table["epoch"].tolist() == [*range(5)] * 2
    assert set(table["task"]) == {TASK}
    assert set(table["parametrization"]) == {"dynamic"}
    assert table.iloc[7, 4:].tolist() == list(records[1].curve[2])
    (origin,) = origins(records)
    assert origin["seeds"] == {str(record.seed): record.seconds for record in records}
    assert origin["diverged"] == {}
    elsewhere = replace(records[1], origin={**records[1].origin, "device": "a GPU"})
    assert [(entry["device"], list(entry["seeds"])) for entry in origins([records[0], elsewhere])] == [
        ("cpu, 1 threads", ["2"]),
        ("a GPU", ["0"]),
    ]
    assert curve_table(TASK, "dynamic", []).empty


def test_states_while_training_and_after(tmp_path, stage, at_batch, monkeypatch):
    files = files_of(tmp_path, stage)
    monkeypatch.setattr(run_files.StatusNotes, "running", run_files.StatusNotes.stopped)
    monkeypatch.setattr(
        run_files.StatusNotes, "running", lambda self, done, seconds: self._all("running", done, seconds)
    )
    seen = []
    disarm = at_batch(7, lambda: seen.extend(statuses(files.directory)))
    trained(tmp_path, stage, [0])
    disarm()
    assert [(s.seed, s.state, s.epoch, s.epochs) for s in seen] == [(0, "running", 1, 4)]
    assert list(statuses(files.directory)) == []
    disarm = at_batch(12, terminate)
    with pytest.raises(InterruptedRunError) as stopped:
        trained(tmp_path, stage, [1])
    disarm()
    (status,) = statuses(files.directory)
    assert (status.seed, status.state, status.epoch) == (1, "interrupted", 2)
    assert status.message == str(stopped.value)


def test_a_checkpoint_that_cannot_be_written(tmp_path, stage, monkeypatch):
    """The older one stays, the state tells why, and the run goes on from there when there is room."""
    whole, original, count = trained(tmp_path / "whole", stage, [0]), checkpoints.save_file, [0]

    def save_file(*arguments, **options):
        count[0] += 1
        if count[0] == 3:
            raise SafetensorError("I/O error: No space left on device (os error 28)")
        return original(*arguments, **options)

    monkeypatch.setattr(checkpoints, "save_file", save_file)
    with pytest.raises(DynparamError, match=r"seed-0000\.safetensors: cannot be written .*; free some"):
        trained(tmp_path / "cut", stage, [0])
    files = files_of(tmp_path / "cut", stage)
    (status,) = statuses(files.directory)
    assert (status.state, status.epoch) == ("failed", 3)
    assert "No space left" in status.message
    assert load(files.checkpoint(0), files.run_identity(0), files.form)[0].epoch == 2
    assert curves(trained(tmp_path / "cut", stage, [0])) == curves(whole)


def test_the_first_failure_is_the_one_that_is_told(tmp_path, stage, monkeypatch):
    """On a full disk the state cannot be written either; the sentence is still the checkpoint's."""

    def full(*arguments, **options):
        raise OSError(28, "No space left on device")

    def training_fills_the_disk(*arguments, **options):
        monkeypatch.setattr(Path, "write_text", full)
        full()

    monkeypatch.setattr(checkpoints, "save_file", training_fills_the_disk)
    with pytest.raises(
        DynparamError, match=r"seed-0000\.safetensors: cannot be written \(No space left"
    ):
        trained(tmp_path, stage, [0])


def test_a_run_directory_that_cannot_be_written(tmp_path, stage):
    files = files_of(tmp_path, stage)
    (tmp_path / "runs").write_text("a file where a directory should be")
    with pytest.raises(
        DynparamError, match=r"/runs/.*: cannot be written .*choose a writable directory"
    ):
        train_seeds(plan_of(stage), [0], invented_pair(), files)


def test_too_little_memory(tmp_path, stage, monkeypatch):
    wide = run_stage(n=4000, n_min=200)
    needed = f"{memory_bytes(wide, 1) / 2**20:.1f} MiB"
    monkeypatch.setattr(runs, "free_memory_bytes", lambda device: 2**26)
    with pytest.raises(
        ConfigError, match=rf"n = 4000 needs about {needed} of memory on cpu, and 64.0 MiB are"
    ):
        trained(tmp_path, wide, [0, 1])
    monkeypatch.setattr(runs, "free_memory_bytes", lambda device: memory_bytes(stage, 1))
    trained(tmp_path / "just", stage, [0])


def test_memory_counts_the_networks_that_train_together(tmp_path, stage, stacks_of_two, monkeypatch):
    monkeypatch.setattr(runs, "free_memory_bytes", lambda device: memory_bytes(stage, 2) - 1)
    trained(tmp_path, stage, [0])
    with pytest.raises(ConfigError, match=r"; lower protocol\.n or jobs\.seeds_at_once"):
        trained(tmp_path, stage, [0, 1, 2])


def test_too_little_disk(tmp_path, monkeypatch):
    wide = run_stage(n=4000, n_min=200)
    needed = f"{2 * checkpoint_bytes(wide) / 2**20:.1f} MiB"
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=10 * 2**20))
    with pytest.raises(
        ConfigError, match=rf"checkpoints need {needed} of disk, and 10.0 MiB are free; free"
    ):
        trained(tmp_path, wide, [0])


def test_a_checkpoint_is_as_large_as_foretold(tmp_path, at_batch):
    for first_layer in ("dual", "primal"):
        stage = run_stage(first_layer=first_layer, n=300, n_min=40)
        disarm = at_batch(1, terminate)
        with pytest.raises(InterruptedRunError):
            trained(tmp_path, stage, [0])
        disarm()
        size = files_of(tmp_path, stage).checkpoint(0).stat().st_size
        assert checkpoint_bytes(stage) <= size < checkpoint_bytes(stage) + 10_000


def test_images_that_do_not_fit_the_settings(tmp_path, stage):
    """Extracted under other numbers of images: named, not trained on a part of them."""
    for train in (20, 24):
        files = files_of(tmp_path / str(train), stage)
        with pytest.raises(DynparamError, match=r"image"):
            train_seeds(plan_of(stage), [0], invented_pair(train=train), files)


@pytest.mark.parametrize("more", [(1, 0), (-2, 0), (0, 1), (0, -2)])
def test_a_pair_of_other_counts_is_not_trained(tmp_path, more):
    """Of either split, one more or fewer."""
    settings = run_stage()
    pair = invented_pair(TRAIN + more[0], TEST + more[1])
    told = f"the pair holds {TRAIN + more[0]} training, {TEST + more[1]} test and 0 validation images"
    files = files_of(tmp_path, settings)
    with pytest.raises(ConfigError, match=told):
        train_seeds(plan_of(settings), [0], pair, files)
    assert not list(files.directory.glob("*"))
