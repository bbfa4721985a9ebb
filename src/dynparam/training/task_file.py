"""The images of an extracted pair as training takes them, read once for the audits of a process."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import torch

from dynparam.data.images import load_pair
from dynparam.data.settings import Normalization
from dynparam.support.files import sha256
from dynparam.training.protocol import Task
from dynparam.training.settings import RunStage


def read_task(settings: RunStage, images: Path, device: torch.device) -> Task:
    """The images of an extracted pair, normalized and in the precision of the run.

    The last one is kept: products of all images take longer than the epochs of an audit, and several
    audits share them. Raises ``DataError`` for what is no extracted pair.
    """
    dtype = getattr(torch, settings.protocol.dtype)
    return _read(images, sha256(images), settings.inputs.normalization, dtype, device)


@lru_cache(maxsize=1)
def _read(
    images: Path, digest: str, normalization: Normalization, dtype: torch.dtype, device: torch.device
) -> Task:
    """The images of the file of this ``digest``, by which another one of the same name is read anew."""
    return Task.of_pair(load_pair(images), normalization, dtype, device)
