"""Where training runs: the processor or a GPU, and how much memory is free there."""

from __future__ import annotations

import torch

from dynparam.support.errors import ConfigError
from dynparam.support.memory import free_bytes
from dynparam.training.settings import Device


def resolve_device(name: Device) -> torch.device:
    """The device of that name; ``auto`` is a GPU where there is one. Float32 products stay float32.

    Raises ``ConfigError`` if a GPU is asked for and absent.
    """
    present = torch.cuda.is_available()
    if name == "cuda" and not present:
        raise ConfigError(
            "device cuda is asked for, and this torch finds no GPU; choose auto or cpu "
            "(jobs.training_device), or install a CUDA build of torch"
        )
    torch.set_float32_matmul_precision("highest")  # TF32 keeps 10 of float32's 23 digits
    return torch.device("cuda" if present and name != "cpu" else "cpu")


def device_name(device: torch.device) -> str:
    """What provenance calls the device: the GPU's name, or the threads used on the processor."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"cpu, {torch.get_num_threads()} threads"


def free_memory_bytes(device: torch.device) -> int:
    """Memory that a new computation on the device can have."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return free_bytes()
