"""Where training runs; a GPU is played by torch's own answers."""

from types import SimpleNamespace

import psutil
import pytest
import torch

from dynparam.support.errors import ConfigError
from dynparam.training.devices import device_name, free_memory_bytes, resolve_device

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def precision():
    """Restore the precision of products that a device sets."""
    before = torch.get_float32_matmul_precision()
    yield
    torch.set_float32_matmul_precision(before)


@pytest.fixture(params=[True, False])
def present(request, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: request.param)
    return request.param


def test_auto_is_a_gpu_where_there_is_one(present):
    assert resolve_device("auto").type == ("cuda" if present else "cpu")
    assert resolve_device("cpu") == CPU


def test_a_gpu_that_is_absent(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(
        ConfigError, match=r"cuda is asked for, .* no GPU; choose auto or cpu \(jobs\.tr"
    ):
        resolve_device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert resolve_device("cuda").type == "cuda"


@pytest.mark.parametrize("name", ["auto", "cpu"])
def test_float32_products_stay_float32(name, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    torch.set_float32_matmul_precision("medium")
    resolve_device(name)
    assert torch.get_float32_matmul_precision() == "highest"


def test_names(monkeypatch):
    assert device_name(CPU) == f"cpu, {torch.get_num_threads()} threads"
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"a GPU {device.index}")
    assert device_name(torch.device("cuda", 1)) == "a GPU 1"


def test_free_memory(monkeypatch):
    """What is free, not what is built in; and of the processor's, what caches would give back too."""
    assert 0 < free_memory_bytes(CPU) <= psutil.virtual_memory().total
    memory = SimpleNamespace(total=9, available=6, used=3, free=2)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    assert free_memory_bytes(CPU) == 6
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (5, 7))
    assert free_memory_bytes(torch.device("cuda")) == 5
