"""Checkpoints are whole, verified, and of the right run, or they are not used."""

import json
import math
import os
import random
import resource
import struct
import subprocess
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from dynparam.support.errors import CheckpointError, DynparamError
from dynparam.training import checkpoints
from dynparam.training.checkpoints import Form, Place, load, save, set_aside
from dynparam.training.protocol import Networks, batch_order
from tests.json_values import lacking, replaced
from tests.special_files import SPECIAL, put
from tests.training_runs import TASK, run_stage, task_of

ROW = (0.5, 0.5, 0.5, 0.5)
PLACE = Place(
    2, 3, (0.1, 1 / 3, math.inf), ((1.0, 2.0, 0.5, 0.25), (1e-300, 0.1 + 0.2, 1.0, 0.0), ROW), 7.5
)
BEGINNING = Place(curve=(ROW,))
NAN, INF = math.nan, math.inf
NAMES = {torch.float32: "F32", torch.float64: "F64", torch.int32: "I32"}


def tensors(dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    return {
        f"{kind}_{layer}": torch.randn(4 + layer, 3, generator=generator, dtype=torch.float64).to(dtype)
        for kind in ("weights", "velocity")
        for layer in (1, 2, 11)
    }


def form_of(tensors, **changes):
    """The form of runs of nine epochs of five batches with such tensors."""
    shapes = {name: (NAMES[tensor.dtype], tuple(tensor.shape)) for name, tensor in tensors.items()}
    return Form(
        **{"epochs": 9, "batches": 5, "sets": 2, "keeps_losses": True, "tensors": shapes, **changes}
    )


FORM = form_of(tensors())


@pytest.fixture
def path(tmp_path):
    """A checkpoint of run/0."""
    path = tmp_path / "runs" / "seed-0000.safetensors"
    save(path, "run/0", PLACE, tensors())
    return path


def assert_holds(path, identity, place, expected):
    found, read = load(path, identity, form_of(expected))
    assert found == place
    assert read.keys() == expected.keys()
    for name, tensor in read.items():
        assert tensor.dtype == expected[name].dtype
        assert torch.equal(tensor, expected[name])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_what_is_saved_is_loaded(tmp_path, dtype):
    path = tmp_path / "a" / "checkpoint.safetensors"
    save(path, "x", PLACE, tensors(dtype))
    assert_holds(path, "x", PLACE, tensors(dtype))
    assert list(path.parent.iterdir()) == [path]


def test_the_beginning_is_a_place(tmp_path):
    save(tmp_path / "c.safetensors", "x", BEGINNING, {})
    assert load(tmp_path / "c.safetensors", "x", form_of({})) == (BEGINNING, {})


def test_a_network_of_a_stack(tmp_path):
    """Views of larger tensors, transposed ones too, are saved as what they show."""
    whole = torch.arange(24.0).reshape(2, 3, 4)
    save(
        tmp_path / "c.safetensors",
        "x",
        BEGINNING,
        {"weights_1": whole[1], "velocity_1": whole.clone()[0].mT},
    )
    assert_holds(
        tmp_path / "c.safetensors", "x", BEGINNING, {"weights_1": whole[1], "velocity_1": whole[0].T}
    )


def test_numbers_that_are_not_finite_come_back(tmp_path):
    bad = torch.tensor([math.nan, math.inf, -math.inf, -0.0])
    lost = Place(0, 1, (math.nan,), (ROW,))
    save(tmp_path / "c.safetensors", "x", lost, {"weights_1": bad})
    place, read = load(tmp_path / "c.safetensors", "x", form_of({"weights_1": bad}))
    assert math.isnan(place.batch_losses[0])
    assert read["weights_1"].view(torch.int32).tolist() == bad.view(torch.int32).tolist()


def flip(path, position, bit=1):
    content = bytearray(path.read_bytes())
    content[position] ^= bit
    path.write_bytes(content)


def edit(path, old, new):
    content = path.read_bytes()
    assert content.count(old) == 1
    assert len(old) == len(new)
    path.write_bytes(content.replace(old, new))


def header_bytes(path):
    return 8 + struct.unpack("<Q", path.read_bytes()[:8])[0]


DAMAGE = {
    "truncated by a byte": lambda p: p.write_bytes(p.read_bytes()[:-1]),
    "truncated by half": lambda p: p.write_bytes(p.read_bytes()[: p.stat().st_size // 2]),
    "longer": lambda p: p.write_bytes(p.read_bytes() + b"\0"),
    "empty": lambda p: p.write_bytes(b""),
    "garbage": lambda p: p.write_bytes(b"not a checkpoint" * 100),
    "zeros": lambda p: p.write_bytes(bytes(p.stat().st_size)),
    "a bit of the first tensor": lambda p: flip(p, header_bytes(p)),
    "a bit of the last tensor": lambda p: flip(p, p.stat().st_size - 1),
    "another epoch": lambda p: edit(p, b'epoch\\": 2', b'epoch\\": 1'),
    "another loss": lambda p: edit(p, b"1e-300", b"1e-301"),
    "another run's name": lambda p: edit(p, b'"run/0"', b'"run/1"'),
    "tensors exchanged": lambda p: p.write_bytes(
        p.read_bytes().replace(b"weights_11", b"weights_xx").replace(b"velocity_11", b"weights_11")
    ),
    "no metadata": lambda p: checkpoints.save_file(tensors(), p),
    "no identity": lambda p: checkpoints.save_file(tensors(), p, metadata={"sha256": "0" * 64}),
    "absent": Path.unlink,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_seen(path, damage):
    DAMAGE[damage](path)
    with pytest.raises(CheckpointError, match=r"seed-0000\.safetensors: .*checkpoint"):
        load(path, "run/1" if damage == "another run's name" else "run/0", FORM)


@pytest.mark.parametrize("part", ["header", "tensors"])
def test_200_random_flipped_bits_are_seen(path, part):
    """Of the length and the header, and of the tensors."""
    whole, draw = path.read_bytes(), random.Random(0)
    places = range(header_bytes(path)) if part == "header" else range(header_bytes(path), len(whole))
    for _ in range(200):
        damaged = bytearray(whole)
        damaged[draw.choice(places)] ^= 1 << draw.randrange(8)
        path.write_bytes(damaged)
        assert refused(path)


def refused(path, form=FORM):
    """The sentence with which a checkpoint of run/0 is refused."""
    with pytest.raises(CheckpointError) as error:
        load(path, "run/0", form)
    told = str(error.value)
    assert told.startswith(f"{path}: ")
    assert "checkpoint" in told
    assert "\n" not in told
    return told


def test_cuts_at_every_kind_of_place_are_seen(path):
    """Within the length, the header, each tensor, and between them."""
    whole, header = path.read_bytes(), header_bytes(path)
    for length in (*range(0, header, 16), *range(header - 2, len(whole), 7)):
        path.write_bytes(whole[:length])
        assert refused(path)


@pytest.mark.parametrize("kind", SPECIAL)
def test_special_files_are_told(path, kind):
    put(path, kind)
    assert refused(path)


@pytest.mark.parametrize(
    "length", [0, 1, 2**12, 2**20, 90 * 10**6, 10**8, 2**31, 2**32, 2**40, 2**63 - 1, 2**63, 2**64 - 1]
)
def test_the_length_of_the_header_is_not_trusted(path, length):
    """A file of some hundred bytes that asks for up to 2^64; the memory does not grow by 50 MB."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    path.write_bytes(struct.pack("<Q", length) + path.read_bytes()[8:])
    assert refused(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kilobytes


def test_a_huge_header_is_not_read(path):
    """As long as it says it is, and readable."""
    header = json.dumps({"__metadata__": {"identity": "run/0", "more": "x" * 5_000_000}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header)
    assert "its header is larger than that of any such run" in refused(path)


def test_the_longest_place_of_a_run_fits_its_header(tmp_path):
    """Numbers of as many characters as there are, in every row and loss."""
    long = 2.2250738585072014e-308
    assert len(repr(long)) == 23
    curve, losses = ((long, long, long, long),) * 50, (long,) * 40
    form = form_of(tensors(), epochs=50, batches=40)
    save(tmp_path / "c.safetensors", "x", Place(49, 40, losses, curve, 1 / 3), tensors())
    assert load(tmp_path / "c.safetensors", "x", form)[0].curve == curve


@pytest.mark.parametrize(
    "header",
    [
        b"[" * 4000,
        b'{"a":' * 900,
        b"\xff\xfe",
        b'{"__metadata__": {"place": "\\ud800"}}',
        b'{"__metadata__": []}',
        b'{"__metadata__": {"identity": 1}}',
        b'{"a": {"dtype": "F32", "shape": [], "data_offsets": [0, 4]}}',
        b'{"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}',
        b'{"a": {"dtype": "F32", "shape": [4611686018427387904, 4], "data_offsets": [0, 4]}}',
        b'{"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}}',
        b'{"a": {"dtype": "F4", "shape": [8], "data_offsets": [0, 4]}}',
        b'{"a": {"dtype": "text", "shape": [1], "data_offsets": [0, 4]}}',
    ],
)  # fmt: skip
def test_headers_that_no_program_writes_are_told(path, header):
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(4))
    assert refused(path)


def forge(path, place=None, changed=None, **header):
    """A checkpoint of run/0 whose checksum is right, whatever it holds."""
    held = tensors() if changed is None else changed
    header = {
        "identity": "run/0",
        "place": json.dumps(asdict(PLACE)) if place is None else place,
    } | header
    header = {name: value for name, value in header.items() if value is not None}
    save_file(held, path, metadata={**header, "sha256": checkpoints._checksum(header, held)})


def may_stand(place, value):
    """Whether a run can have saved ``value`` there, told apart by hand; PLACE is in batch 3 of 5."""
    match place:
        case ("epoch",) | ("batch",):
            return type(value) is int and value == {"epoch": 2, "batch": 3}[place[0]]
        case ("seconds",):
            return type(value) is float and value == 0.5
        case ("batch_losses", int()):
            return type(value) is float and (value >= 0 or math.isnan(value))
        case ("curve", int(), 0 | 1):
            return type(value) is float and 0 <= value < INF
        case ("curve", int(), 2 | 3):
            return type(value) is float and 0 <= value <= 1
    return False


def test_any_value_in_any_field_of_the_place(path):
    """Under a checksum that is right: text for an epoch, true, negative or huge, NaN, any length."""
    told = taken = 0
    for place, value, values in replaced(json.loads(json.dumps(asdict(PLACE)))):
        forge(path, json.dumps(values))
        if may_stand(place, value):
            assert json.dumps(asdict(load(path, "run/0", FORM)[0])) == json.dumps(values)
            taken += 1
        else:
            assert refused(path), (place, value)
            told += 1
    assert told > 500
    assert taken > 20


def test_fields_that_are_missing_or_too_many(path):
    for place, values in lacking(json.loads(json.dumps(asdict(PLACE)))):
        forge(path, json.dumps(values))
        assert refused(path), place


@pytest.mark.parametrize("place", ["", "{", "null", "[]", "[" * 2000, "9" * 4500, '{"a":' * 900, "\0"])
def test_a_place_that_is_none_is_told(path, place):
    forge(path, place)
    assert "the checkpoint's place is none of this run (" in refused(path)


@pytest.mark.parametrize(
    ("changes", "form"),
    [
        ({"curve": ()}, {}),
        ({"curve": (ROW,) * 2}, {}),
        ({"curve": (ROW,) * 4}, {}),
        ({"curve": (ROW, ROW, (NAN, 0.5, 0.5, 0.5))}, {}),
        ({"curve": (ROW, ROW, (0.5, INF, 0.5, 0.5))}, {}),
        ({"epoch": 0, "curve": ()}, {}),
        ({}, {"epochs": 2}),
        ({}, {"batches": 2}),
        ({}, {"keeps_losses": False}),
        ({"batch_losses": ()}, {}),
        ({"batch_losses": (1.0,) * 4}, {}),
        ({"batch": 6, "batch_losses": (1.0,) * 6}, {}),
        ({"batch": 0}, {}),
        ({"seconds": 1e12}, {}),
    ],
)
def test_places_that_no_run_reaches_are_told(path, changes, form):
    """Each of its values could be one; together, or for this run, they cannot."""
    forge(path, json.dumps(asdict(replace(PLACE, **changes))))
    assert "the checkpoint's place is none of this run (" in refused(path, form_of(tensors(), **form))


@pytest.mark.parametrize(
    "header", [{"identity": None}, {"place": None}, {"identity": None, "place": None}, {"more": "1"},
               {"identity": "\u00e9"}, {"identity": ""}]
)  # fmt: skip
def test_other_headers_are_told(path, header):
    if "place" in header:
        held = tensors()
        rest = {"identity": "run/0"} if "identity" not in header else {}
        save_file(held, path, metadata={**rest, "sha256": checkpoints._checksum(rest, held)})
    else:
        forge(path, **header)
    assert refused(path)


OTHER_TENSORS = {
    "none": lambda t: t.clear(),
    "one missing": lambda t: t.pop("weights_2"),
    "one too many": lambda t: t.update(weights_3=torch.zeros(3)),
    "another name": lambda t: t.update(weights_3=t.pop("weights_2")),
    "0-dim": lambda t: t.update(weights_2=torch.tensor(1.0)),
    "0-dim integer": lambda t: t.update(weights_2=torch.tensor(1)),
    "a vector": lambda t: t.update(weights_2=torch.zeros(18)),
    "empty": lambda t: t.update(weights_2=torch.zeros(0, 3)),
    "transposed": lambda t: t.update(weights_2=t["weights_2"].mT.contiguous()),
    "one row for all": lambda t: t.update(weights_2=t["weights_2"][:1].contiguous()),
    "a stack": lambda t: t.update(weights_2=t["weights_2"][None].contiguous()),
}
OTHER_DTYPES = ("float64", "float16", "bfloat16", "int32", "int64", "uint8", "bool", "complex64",
                "float8_e4m3fn")  # fmt: skip


@pytest.mark.parametrize("change", [*OTHER_TENSORS, *OTHER_DTYPES])
def test_tensors_of_another_network_are_told(path, change):
    """Their checksum is right, where it is made of such tensors at all."""
    held = tensors()
    if change in OTHER_TENSORS:
        OTHER_TENSORS[change](held)
    else:
        held["weights_2"] = held["weights_2"].to(getattr(torch, change))
    if "0-dim" in change:
        save_file(held, path, metadata={"identity": "run/0", "place": "{}", "sha256": "0" * 64})
    else:
        forge(path, changed=held)
    assert "its tensors are not those of this run's network" in refused(path)


def test_no_tensor_of_another_size_is_read(path):
    """A file of a thousand million zeros, every byte of it accounted for in its header."""
    entry = {"dtype": "F32", "shape": [10**9 // 4], "data_offsets": [0, 10**9]}
    header = json.dumps({"__metadata__": {"identity": "run/0"}, "weights_2": entry}).encode()
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        file.truncate(8 + len(header) + 10**9)
    with safe_open(path, framework="pt") as file:
        assert file.get_slice("weights_2").get_shape() == [25 * 10**7]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert "its tensors are not those of this run's network" in refused(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kilobytes


@pytest.mark.parametrize("first_layer", ["dual", "primal"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("batch_size", "last_batch"), [(5, "kept"), (5, "dropped"), (11, "dropped")])
def test_the_form_of_a_run_is_what_it_trains(first_layer, dtype, batch_size, last_batch):
    stage = run_stage(
        first_layer=first_layer, dtype=dtype, batch_size=batch_size, last_batch=last_batch, epochs=7,
        training_loss="running",
    )  # fmt: skip
    stack = Networks(stage, TASK, task_of(stage), "dynamic").draw([0])
    trained = {name: tensor[0] for name, tensor in stack.tensors().items()}
    batches = len(batch_order(stage, TASK, 0, 1))
    assert Form.of(stage) == form_of(trained, epochs=7, batches=batches, keeps_losses=True)


def rewrite(path, change):
    """The checkpoint with its tensors and header entries changed, and the checksum it had."""
    with safe_open(path, framework="pt") as file:
        header = file.metadata()
        found = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    change(found, header)
    save_file(found, path, metadata=header)


def reshaped(found, header):
    found["weights_1"] = found["weights_1"].reshape(3, 5)


def retyped(found, header):
    found["weights_1"] = found["weights_1"].view(torch.int32)


def exchanged(found, header):
    found["weights_1"], found["velocity_1"] = found["velocity_1"], found["weights_1"]


def left_out(found, header):
    del found["velocity_11"]


def renamed(found, header):
    header["identity"] = "run/1"


def moved(found, header):
    header["place"] = header["place"].replace('"epoch": 2', '"epoch": 3')


@pytest.mark.parametrize("change", [reshaped, retyped, exchanged, left_out, renamed, moved])
def test_the_checksum_is_over_all_that_is_read(path, change):
    """Also over what leaves every byte of the tensors as it was."""
    rewrite(path, lambda found, header: None)
    assert_holds(path, "run/0", PLACE, tensors())
    rewrite(path, change)
    with safe_open(path, framework="pt") as file:
        form = form_of({name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
    for identity in ("run/0", "run/1"):
        with pytest.raises(CheckpointError, match="checksum does not fit its content"):
            load(path, identity, form)


def test_a_checkpoint_of_another_run(path):
    with pytest.raises(CheckpointError, match=r"seed-0000.safetensors: .* belongs to another run"):
        load(path, "run/1", FORM)


def test_setting_aside_overwrites_nothing(path):
    contents = [path.read_bytes()]
    asides = [set_aside(path)]
    for content in (b"second", b"third"):
        path.write_bytes(content)
        contents.append(content)
        asides.append(set_aside(path))
    assert [aside.name for aside in asides] == [f"seed-0000.unusable-{k}.safetensors" for k in (1, 2, 3)]
    assert [aside.read_bytes() for aside in asides] == contents
    assert not path.exists()


@pytest.mark.parametrize("kind", SPECIAL)
def test_setting_aside_takes_anything_and_overwrites_no_link(path, kind):
    put(path, kind)
    first = set_aside(path)
    put(path, kind)
    assert [aside.name[10:20] for aside in (first, set_aside(path))] == ["unusable-1", "unusable-2"]
    assert not os.path.lexists(path)


def test_what_cannot_be_set_aside_is_told(path, monkeypatch):
    def rename(self, target):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(DynparamError, match=r"unusable-1\.safetensors: cannot be written \(Permission"):
        set_aside(path)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (SafetensorError("I/O error: No space left on device (os error 28)"), "I/O error: No space"),
        (OSError(28, "full"), "full"),
        (OSError("of a library"), "of a library"),
    ],
)
def test_a_failing_write_keeps_the_older_checkpoint(path, monkeypatch, error, words):
    def half_written(host, partial, metadata):
        Path(partial).write_bytes(b"half")
        raise error

    monkeypatch.setattr(checkpoints, "save_file", half_written)
    with pytest.raises(
        DynparamError, match=rf"seed-0000\.safetensors: cannot be written \({words}.*; free some"
    ):
        save(path, "run/0", Place(9), tensors())
    assert_holds(path, "run/0", PLACE, tensors())
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("error", "words"),
    [(OSError(5, "Input/output error"), "Input/output error"), (OSError("odd"), "odd")],
)
def test_a_failing_read_is_told_in_its_own_words(path, monkeypatch, error, words):
    def fails(*_, **__):
        raise error

    monkeypatch.setattr(checkpoints, "safe_open", fails)
    with pytest.raises(CheckpointError, match=rf"not a readable checkpoint \({words}\)"):
        load(path, "run/0", FORM)


@pytest.fixture
def small_disk(tmp_path):
    """A disk of one MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True)
    except OSError as error:
        pytest.skip(f"no mount here: {error}")
    if done.returncode:
        pytest.skip(f"a file system cannot be mounted here (uid {os.getuid()}): {done.stderr.strip()}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_keeps_the_older_checkpoint(small_disk):
    path = small_disk / "seed-0000.safetensors"
    save(path, "run/0", PLACE, tensors())
    with pytest.raises(DynparamError, match=r"disk/seed-0000\.safetensors: cannot be written \(.*space"):
        save(path, "run/0", Place(9), {"weights_1": torch.ones(2**19)})
    assert_holds(path, "run/0", PLACE, tensors())
    assert list(small_disk.iterdir()) == [path]


def test_a_directory_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DynparamError, match=r"c\.safetensors: cannot be written"):
        save(tmp_path / "file" / "c.safetensors", "x", Place(), tensors())
