"""Checkpoints are whole, verified, and of the right run, or they are not used."""

import math
import os
import struct
import subprocess
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from dynparam.support.errors import CheckpointError, DynparamError
from dynparam.training import checkpoints
from dynparam.training.checkpoints import Place, load, save, set_aside

PLACE = Place(2, 3, (0.1, 1 / 3, math.inf), ((1.0, 2.0, 0.5, 0.25), (1e-300, 0.1 + 0.2, 1.0, 0.0)), 7.5)


def tensors(dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    return {
        f"{kind}_{layer}": torch.randn(4 + layer, 3, generator=generator, dtype=torch.float64).to(dtype)
        for kind in ("weights", "velocity")
        for layer in (1, 2, 11)
    }


@pytest.fixture
def path(tmp_path):
    """A checkpoint of run/0."""
    path = tmp_path / "runs" / "seed-0000.safetensors"
    save(path, "run/0", PLACE, tensors())
    return path


def assert_holds(path, identity, place, expected):
    found, read = load(path, identity)
    assert found == place
    assert read.keys() == expected.keys()
    for name, tensor in read.items():
        assert tensor.dtype == expected[name].dtype
        assert torch.equal(tensor, expected[name])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_what_is_saved_is_loaded(tmp_path, dtype):
    path = tmp_path / "a" / "checkpoint.safetensors"
    save(path, "x", PLACE, tensors(dtype))
    assert_holds(path, "x", PLACE, tensors(dtype))
    assert list(path.parent.iterdir()) == [path]


def test_the_beginning_is_a_place(tmp_path):
    save(tmp_path / "c.safetensors", "x", Place(), {})
    assert load(tmp_path / "c.safetensors", "x") == (Place(), {})


def test_a_network_of_a_stack(tmp_path):
    """Views of larger tensors, transposed ones too, are saved as what they show."""
    whole = torch.arange(24.0).reshape(2, 3, 4)
    save(
        tmp_path / "c.safetensors",
        "x",
        Place(),
        {"weights_1": whole[1], "velocity_1": whole.clone()[0].mT},
    )
    assert_holds(
        tmp_path / "c.safetensors", "x", Place(), {"weights_1": whole[1], "velocity_1": whole[0].T}
    )


def test_numbers_that_are_not_finite_come_back(tmp_path):
    bad = torch.tensor([math.nan, math.inf, -math.inf, -0.0])
    save(tmp_path / "c.safetensors", "x", Place(batch_losses=(math.nan,)), {"weights_1": bad})
    place, read = load(tmp_path / "c.safetensors", "x")
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
    "a directory": lambda p: (p.unlink(), p.mkdir()),
    "absent": Path.unlink,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_seen(path, damage):
    DAMAGE[damage](path)
    with pytest.raises(CheckpointError, match=r"seed-0000\.safetensors: .*checkpoint"):
        load(path, "run/1" if damage == "another run's name" else "run/0")


@settings(max_examples=100, deadline=None)
@given(share=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_any_flipped_bit_is_seen(tmp_path_factory, share, bit):
    """Wherever it is: in the length, the header, or a tensor."""
    path = tmp_path_factory.mktemp("flip") / "c.safetensors"
    save(path, "run/0", PLACE, {"weights_1": tensors()["weights_1"]})
    flip(path, int(share * path.stat().st_size), 1 << bit)
    with pytest.raises(CheckpointError):
        load(path, "run/0")


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
    for identity in ("run/0", "run/1"):
        with pytest.raises(CheckpointError, match="checksum does not fit its content"):
            load(path, identity)


def test_a_checkpoint_of_another_run(path):
    with pytest.raises(CheckpointError, match=r"seed-0000.safetensors: .* belongs to another run"):
        load(path, "run/1")


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


@pytest.mark.parametrize(
    "error", [SafetensorError("I/O error: No space left on device (os error 28)"), OSError(28, "full")]
)
def test_a_failing_write_keeps_the_older_checkpoint(path, monkeypatch, error):
    def half_written(host, partial, metadata):
        Path(partial).write_bytes(b"half")
        raise error

    monkeypatch.setattr(checkpoints, "save_file", half_written)
    with pytest.raises(
        DynparamError, match=r"seed-0000\.safetensors: cannot be written \(.*; free some"
    ):
        save(path, "run/0", Place(9), tensors())
    assert_holds(path, "run/0", PLACE, tensors())
    assert list(path.parent.iterdir()) == [path]


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
