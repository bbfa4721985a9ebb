"""Archives of arrays: what numpy reads, and the same bytes whatever Python writes them."""

import hashlib
import io
import struct
import sys
import zipfile

import numpy as np
import pytest

from dynparam.data.npz import write_npz

ARRAYS = {
    "images": np.arange(24, dtype=np.uint8).reshape(2, 3, 4),
    "labels": np.array([0, 1], dtype=np.uint8),
    "none": np.zeros((0, 5), dtype=np.uint8),
}
# Of numpy.savez on Python 3.11.4 and later.
SHA256 = "79b8f95d39d96c790878c95a3ca1b2baba5394dff92f387a55c185fb1cba5822"


def written(arrays):
    file = io.BytesIO()
    write_npz(file, arrays)
    return file.getvalue()


def head_before_3_11_4(self, zip64=None):
    """The head of a member as Python 3.11.3 writes it: small sizes stay where they were."""
    moment = self.date_time
    date = (moment[0] - 1980) << 9 | moment[1] << 5 | moment[2]
    time = moment[3] << 11 | moment[4] << 5 | moment[5] // 2
    extra = self.extra
    if zip64:
        extra += struct.pack("<HHQQ", 1, 16, self.file_size, self.compress_size)
    name, flags = self._encodeFilenameFlags()
    fixed = (b"PK\3\4", 20, 0, flags, self.compress_type, time, date, self.CRC)
    sizes = (self.compress_size, self.file_size, len(name), len(extra))
    return struct.pack("<4s2B4HL2L2H", *fixed, *sizes) + name + extra


def test_numpy_reads_what_was_written():
    found = np.load(io.BytesIO(written(ARRAYS)))
    assert found.files == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype
        assert np.array_equal(found[name], array)
    assert zipfile.ZipFile(io.BytesIO(written(ARRAYS))).testzip() is None


@pytest.mark.skipif(sys.version_info < (3, 11, 4), reason="numpy.savez writes other bytes there")
def test_bytes_are_those_of_numpy():
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **ARRAYS)
    assert written(ARRAYS) == file.getvalue()


def test_an_older_python_writes_the_same_bytes(monkeypatch):
    before = written(ARRAYS)
    monkeypatch.setattr(zipfile.ZipInfo, "FileHeader", head_before_3_11_4)
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **ARRAYS)
    assert file.getvalue() != before, "numpy's own archive depends on it"
    assert written(ARRAYS) == before


def test_bytes_are_those_of_the_archived_curves():
    """A fixed archive has the SHA-256 that it had when this was written."""
    assert hashlib.sha256(written(ARRAYS)).hexdigest() == SHA256


def test_arrays_of_objects_are_refused():
    with pytest.raises(ValueError, match="Object arrays cannot be saved"):
        written({"objects": np.array([None])})
