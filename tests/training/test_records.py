"""Records of finished runs: what was written comes back, and nothing else is taken for a record."""

import json
import math
import random
from dataclasses import asdict, replace

import pytest

from dynparam.support.errors import DataError
from dynparam.support.sealed import seal
from dynparam.training.checkpoints import Form
from dynparam.training.records import Record, read_record, record_line
from tests.json_values import lacking, replaced
from tests.special_files import SPECIAL, put
from tests.training_runs import ORIGIN

EPOCHS = 4

FORM = Form(epochs=EPOCHS, batches=1, sets=2, keeps_losses=False, tensors={})
OWNER = "run/3"
CURVE = tuple((1 / (epoch + 1), 0.1 + 0.2 * epoch, 0.5, 0.25) for epoch in range(EPOCHS + 1))
RECORD = Record(3, CURVE, None, 1.5, ORIGIN)
NAN, INF = math.nan, math.inf


@pytest.fixture
def path(tmp_path):
    """The file of ``RECORD``."""
    path = tmp_path / "seed-0003.json"
    path.write_text(record_line(RECORD, FORM, OWNER))
    return path


def read(path):
    return read_record(path, 3, FORM, OWNER)


def refused(path):
    """The reason why a file is not read: one sentence that names the file and the remedy."""
    with pytest.raises(DataError) as error:
        read(path)
    told = str(error.value)
    start, end = f"{path}: not a run's record (", "); delete it to train it anew"
    assert told.startswith(start)
    assert told.endswith(end)
    assert "\n" not in told
    return told[len(start) : -len(end)]


def forge(path, values):
    """Write any values with a seal that is right."""
    path.write_text(seal(values, OWNER) + "\n")
    return path


def plain():
    """The values of ``RECORD`` as JSON has them."""
    return json.loads(json.dumps(asdict(RECORD)))


def test_what_was_written_comes_back(path):
    assert read(path) == RECORD
    assert path.read_text().count("\n") == 1


@pytest.mark.parametrize(
    ("row", "at"), [((NAN, INF, 0.5, 0.5), 0), ((1.0, INF, 0.0, 1.0), 3), ((NAN, 0.5, 0.5, 0.5), EPOCHS)]
)
def test_a_diverged_run_comes_back(path, row, at):
    record = replace(RECORD, curve=(*CURVE[:at], row), diverged_at=at)
    path.write_text(record_line(record, FORM, OWNER))
    assert repr(read(path)) == repr(record)


@pytest.mark.parametrize(
    ("git", "hardware"),
    [
        ({"commit": None, "dirty": None}, {"cores": None}),
        ({"commit": "abc", "dirty": True}, {"gpu": "a GPU"}),
        ({"commit": "abc", "dirty": False}, {"processor": "", "cores": 512}),
    ],
)
def test_other_origins_come_back(path, git, hardware):
    """Outside a checkout, on a GPU, on a machine that does not name its processor."""
    origin = {**ORIGIN, "git": git, "hardware": {**ORIGIN["hardware"], **hardware}}
    record = replace(RECORD, origin=origin)
    path.write_text(record_line(record, FORM, OWNER))
    assert read(path) == record


def test_200_random_flipped_bits_are_told(path):
    whole, draw = path.read_bytes(), random.Random(0)
    for _ in range(200):
        damaged = bytearray(whole)
        damaged[draw.randrange(len(whole))] ^= 1 << draw.randrange(8)
        path.write_bytes(damaged)
        assert refused(path)


def test_every_cut_is_told(path):
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert refused(path)
    path.write_bytes(whole + b"\n")
    assert refused(path)


@pytest.mark.parametrize("kind", SPECIAL)
def test_special_files_are_told(path, kind):
    """At once, and without reading what has no end."""
    put(path, kind)
    assert refused(path)


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "{}", "null", "3", '"text"', "\x00\x00", "[" * 10**5, "9" * 10**4,
     json.dumps(asdict(RECORD)), seal({"a": 1}, OWNER)],
)  # fmt: skip
def test_what_is_no_record_is_told(path, text):
    """Other JSON, a record without a seal, a seal on something else."""
    path.write_text(text + "\n")
    assert refused(path)


@pytest.mark.parametrize("owner", ["run/4", "run/33", "other/3"])
def test_the_record_of_another_run_is_told(path, owner):
    with pytest.raises(DataError, match="it belongs to another"):
        read_record(path, 3, FORM, owner)
    with pytest.raises(DataError, match="its seed cannot be right"):
        read_record(path, 4, FORM, OWNER)


def may_stand(place, value):
    """Whether a run can have written ``value`` there, told apart by hand."""
    match place:
        case ("curve", int(), 0 | 1):
            return type(value) is float and 0 <= value < INF
        case ("curve", int(), 2 | 3):
            return type(value) is float and 0 <= value <= 1
        case ("seconds",):
            return value == 0.5 and type(value) is float
        case ("diverged_at",) | ("origin", "git", "commit" | "dirty") if value is None:
            return True
        case ("seed",):
            return value == 3 and type(value) is int
        case ("origin", "git", "dirty"):
            return type(value) is bool
        case ("origin", "versions"):
            return value == {}
        case ("origin", "hardware", "cores" | "torch_threads"):
            return (type(value) is int and value >= 0) or (value is None and place[-1] == "cores")
        case ("origin", "hardware", "memory_gib"):
            return type(value) is float and 0 <= value < INF
        case ("origin", _, _) | ("origin", "device"):
            return isinstance(value, str) and value != "\ud800"
    return False


def test_any_value_in_any_field(path):
    """Under a seal that is right: wrong types, true for 1, text for a number, NaN, depth, surrogates."""
    told = taken = 0
    for place, value, values in replaced(plain()):
        forge(path, values)
        if may_stand(place, value):
            assert json.dumps(asdict(read(path))) == json.dumps(values)
            taken += 1
        else:
            assert refused(path), (place, value)
            told += 1
    assert told > 900
    assert taken > 50


def test_fields_that_are_missing_or_too_many(path):
    for place, values in lacking(plain()):
        forge(path, values)
        if place in {("origin", "versions", "torch"), ("origin", "hardware", "torch_threads")}:
            read(path)
        else:
            assert refused(path), place


@pytest.mark.parametrize(
    ("curve", "diverged_at", "reason"),
    [
        (CURVE[:4], None, "its curve has 4 rows"),
        (CURVE + CURVE[:1], None, "its curve has 6 rows"),
        ((), None, "its curve has 0 rows"),
        (CURVE, 2, "its curve has 5 rows"),
        (CURVE[:3], 2, "epoch 2 are finite, though it diverged there"),
        ((*CURVE[:3], (NAN, 1.0, 0.5, 0.5), CURVE[4]), None, "epoch 3 are not finite"),
        ((*CURVE[:2], (1.0, INF, 0.5, 0.5), (NAN, NAN, 0.5, 0.5)), 3, "epoch 2 are not finite"),
        ((*CURVE[:3], (1.0, 1.0, NAN, 0.5)), 3, "epoch 3 is not a loss and an accuracy of each set"),
        ((*CURVE[:3], (-INF, 1.0, 0.5, 0.5)), 3, "epoch 3 is not a loss and an accuracy of each set"),
        ((*CURVE[:3], (INF, 1.0, 1.5, 0.5)), 3, "epoch 3 is not a loss and an accuracy of each set"),
        ((*CURVE, (NAN, 1.0, 0.5, 0.5)), 5, "its diverged_at cannot be right"),
        ((), -1, "its diverged_at cannot be right"),
    ],
)  # fmt: skip
def test_curves_that_no_run_has_are_neither_read_nor_written(path, curve, diverged_at, reason):
    values = {**asdict(RECORD), "curve": curve, "diverged_at": diverged_at}
    assert reason in refused(forge(path, values))
    with pytest.raises(DataError, match="the record of seed 3 is not written: ") as error:
        record_line(Record(**values), FORM, OWNER)
    assert reason in str(error.value)


@pytest.mark.parametrize(
    "change",
    [{"seconds": NAN}, {"seconds": -1.0}, {"seconds": 1}, {"seed": True}, {"origin": {}},
     {"curve": [("0.5",) * 4] * 5}],
)  # fmt: skip
def test_what_would_not_be_read_is_not_written(change):
    with pytest.raises(DataError, match="is not written: "):
        record_line(replace(RECORD, **change), FORM, OWNER)
