"""The table of planted trials that the tests of Table 1.1 share."""

import pytest

from dynparam.experiments.measured_orders import table1_1
from tests.planted import all_planted, stage


@pytest.fixture(scope="session")
def planted_table():
    """Made once for all files; who changes it copies it."""
    return table1_1.table1_1(stage(), all_planted(stage()))


@pytest.fixture(scope="module")
def settings():
    return stage()


@pytest.fixture(scope="module")
def table(planted_table):
    return planted_table.copy()
