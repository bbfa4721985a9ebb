"""What all tests share."""

import pytest
import torch


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """Tests run side by side on all cores; two threads each would wait for one another."""
    torch.set_num_threads(1)
