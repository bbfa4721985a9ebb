"""Pairs of classes that are none: each is one sentence, and nothing is unpacked beyond its bounds."""

import io
import os
import pickle
import random
import struct
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest

from dynparam.data.images import MAX_IMAGES, load_pair
from dynparam.support.errors import DataError


def arrays(**changes):
    """Six training and four test images of two classes, with other arrays; None leaves one out."""
    numbers = np.random.default_rng(0)
    found = {}
    for key, count in (("train", 6), ("test", 4)):
        found[f"{key}_images"] = numbers.integers(0, 256, (count, 3, 32, 32), dtype=np.uint8)
        found[f"{key}_labels"] = np.arange(count, dtype=np.uint8) % 2
    return {name: array for name, array in (found | changes).items() if array is not None}


def members(**changes):
    """The same as the members of an archive, by name; bytes are taken as they are."""
    found = {}
    for name, array in arrays(**changes).items():
        if isinstance(array, bytes):
            found[f"{name}.npy"] = array
            continue
        content = io.BytesIO()
        np.lib.format.write_array(content, array, allow_pickle=True)
        found[f"{name}.npy"] = content.getvalue()
    return found


def packed(path, entries, method=zipfile.ZIP_STORED):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of a name that is there twice
        with zipfile.ZipFile(path, "w", method) as archive:
            for name, content in entries:
                archive.writestr(name, content)


def with_arrays(**changes):
    return lambda path: packed(path, members(**changes).items())


def header(descr, shape, order=False):
    """The beginning of a member that says what it holds, and holds nothing."""
    told = repr({"descr": descr, "fortran_order": order, "shape": shape}).encode()
    told += b" " * (64 - (len(told) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(told)) + told


IMAGES, LABELS = arrays()["train_images"], arrays()["train_labels"]


class Told:
    """Shows whether a pickle was opened."""

    opened = False

    def __reduce__(self):
        return setattr, (Told, "opened", True)


def bomb(path):
    """A member of a head and a few images, and 128 MiB of zeros behind them, packed into a few kB."""
    entries = members()
    entries["train_images.npy"] = entries["train_images.npy"] + bytes(2**27)
    packed(path, entries.items(), zipfile.ZIP_DEFLATED)


def lying(path):
    """The directory of the archive says that a member is small, and it is not."""
    bomb(path)
    content = path.read_bytes()
    real = zipfile.ZipFile(path).getinfo("train_images.npy").file_size
    path.write_bytes(content.replace(struct.pack("<I", real), struct.pack("<I", 18_560)))


def encrypted(path):
    with_arrays()(path)
    content = bytearray(path.read_bytes())
    place = content.find(b"PK\x01\x02")
    content[place + 8] |= 1
    path.write_bytes(bytes(content))


def truncated(path):
    with_arrays()(path)
    path.write_bytes(path.read_bytes()[:-300])


def twice(path):
    packed(path, [*members().items(), *members(train_labels=1 - LABELS).items()])


def linked(path):
    path.symlink_to("/dev/zero")


def sparse(path):
    path.touch()
    os.truncate(path, 2**42)


def many(path):
    packed(path, [*members().items(), *((f"{k}.npy", b"") for k in range(20_000))])


BAD = {
    "nothing": lambda path: None,
    "FIFO": os.mkfifo,
    "device": linked,
    "directory": Path.mkdir,
    "circle": lambda path: path.symlink_to(path),
    "sparse": sparse,
    "empty": Path.touch,
    "text": lambda path: path.write_text("a pair"),
    "truncated": truncated,
    "encrypted": encrypted,
    "pickle": lambda path: path.write_bytes(pickle.dumps(Told())),
    "one array": lambda path: path.write_bytes(members()["train_labels.npy"]),
    "bomb": bomb,
    "a bomb that lies": lying,
    "a header of 100 GB": with_arrays(train_images=header("|u1", (2**25, 3, 32, 32))),
    "a header of too many labels": with_arrays(train_labels=header("|u1", (10**12,))),
    "a header of a negative shape": with_arrays(train_labels=header("|u1", (-1,))),
    "a header that is no Python": with_arrays(train_labels=b"\x93NUMPY\x01\x00\x04\x00((((" + bytes(9)),
    "a header too long": with_arrays(train_labels=b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**31)),
    "a header alone": with_arrays(train_labels=header("|u1", (6,))),
    "bytes behind the labels": with_arrays(train_labels=header("|u1", (6,)) + bytes(7)),
    "no header": with_arrays(train_labels=bytes(6)),
    "members surplus": lambda path: packed(path, members(more=LABELS).items()),
    "20000 members": many,
    "a member missing": with_arrays(test_labels=None),
    "members twice": twice,
    "a member that is no array": lambda path: packed(path, [*members().items(), ("a.txt", b"a")]),
    "a member elsewhere": lambda path: packed(path, [("../" + k, v) for k, v in members().items()]),
    "objects": with_arrays(train_labels=np.array([Told()] * 6)),
    "images as objects": with_arrays(train_images=IMAGES.astype(object)),
    "one number": with_arrays(train_labels=np.array(1, np.uint8)),
    "images without dimensions": with_arrays(train_images=np.array(1, np.uint8)),
    "floating point": with_arrays(train_images=IMAGES / 255),
    "labels in floating point": with_arrays(train_labels=LABELS.astype(float)),
    "wide integers": with_arrays(train_images=IMAGES.astype("<i4")),
    "big-endian": with_arrays(train_labels=LABELS.astype(">u2")),
    "signed": with_arrays(train_labels=LABELS.astype(np.int8)),
    "truth values": with_arrays(train_labels=LABELS.astype(bool)),
    "texts": with_arrays(train_labels=LABELS.astype(str)),
    "complex": with_arrays(train_images=IMAGES.astype(complex)),
    "times": with_arrays(train_labels=LABELS.astype("datetime64[s]")),
    "records": with_arrays(train_labels=np.zeros(6, [("a", np.uint8)])),
    "Fortran's order": with_arrays(train_images=np.asfortranarray(IMAGES)),
    "labels of 2": with_arrays(train_labels=LABELS + 1),
    "test labels of 255": with_arrays(test_labels=np.array([0, 1, 255, 0], np.uint8)),
    "one class": with_arrays(train_labels=LABELS * 0),
    "no training images": with_arrays(train_images=IMAGES[:0], train_labels=LABELS[:0]),
    "labels too few": with_arrays(train_labels=LABELS[:-1]),
    "images flat": with_arrays(train_images=IMAGES.reshape(6, 3072)),
    "channels last": with_arrays(train_images=IMAGES.transpose(0, 2, 3, 1).copy()),
    "labels in two dimensions": with_arrays(train_labels=LABELS[:, None]),
}


@pytest.mark.parametrize("make", BAD.values(), ids=BAD)
def test_a_bad_pair_is_one_sentence(make, tmp_path):
    path = tmp_path / "pair.npz"
    make(path)
    with pytest.raises(DataError) as error:
        load_pair(path)
    assert str(error.value).startswith(f"{path}: ")
    assert str(error.value).endswith("; extract it again")
    assert str(error.value).isprintable()
    assert not Told.opened


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_good_pair_is_read(method, tmp_path):
    path = tmp_path / "pair.npz"
    packed(path, members().items(), method)
    for name, array in arrays().items():
        np.testing.assert_array_equal(getattr(load_pair(path), name), array)


def test_a_pool_has_no_test_images(tmp_path):
    path = tmp_path / "pool.npz"
    with_arrays(test_images=IMAGES[:0], test_labels=LABELS[:0])(path)
    assert load_pair(path).test_images.shape == (0, 3, 32, 32)
    assert MAX_IMAGES >= 10**6


def test_flipped_bits_are_told_or_change_nothing(tmp_path):
    """Of 200 flips in an archive none changes an array unnoticed: its checksums see those of content."""
    path, numbers = tmp_path / "pair.npz", random.Random(3)
    with_arrays()(path)
    content, told = path.read_bytes(), 0
    for _ in range(200):
        flipped = bytearray(content)
        flipped[numbers.randrange(len(content))] ^= 1 << numbers.randrange(8)
        path.write_bytes(flipped)
        try:
            pair = load_pair(path)
        except DataError:
            told += 1
            continue
        for name, array in arrays().items():
            np.testing.assert_array_equal(getattr(pair, name), array)
    assert told > 190
