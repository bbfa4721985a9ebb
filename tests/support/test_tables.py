import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynparam.support.errors import DataError
from dynparam.support.tables import read_csv, write_csv


@given(value=st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_float32_survives(tmp_path_factory, value):
    path = tmp_path_factory.mktemp("table") / "t.csv"
    write_csv(pd.DataFrame({"x": [value]}), path)
    assert np.float32(read_csv(path)["x"][0]) == np.float32(value)


def test_missing_and_broken_tables(tmp_path):
    with pytest.raises(DataError, match=r"absent.csv: not a readable table"):
        read_csv(tmp_path / "absent.csv")
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(DataError, match=r"empty.csv: not a readable table .*; run its rule again"):
        read_csv(tmp_path / "empty.csv")
