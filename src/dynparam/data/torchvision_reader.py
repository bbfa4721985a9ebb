"""Read the files of CIFAR-10 through torchvision, whose import is the difficult part."""

from __future__ import annotations

import functools
import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch


def read_cifar10(
    root: Path, *, train: bool, official: bool
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images ``(N, 3, 32, 32)`` and labels ``(N,)`` of a split below ``root``, in its own order.

    The files are unpickled, so verify them first. Unless they are ``official``, torchvision's own
    list of MD5 sums is set aside.
    """
    dataset_class = import_datasets().CIFAR10
    if not official:
        dataset_class = _without_checksums(dataset_class)
    dataset = dataset_class(root=root, train=train, download=False)
    images = np.ascontiguousarray(dataset.data.transpose(0, 3, 1, 2))
    return images, np.asarray(dataset.targets, dtype=np.int64)


def import_datasets() -> Any:
    """Import ``torchvision.datasets``, even a CUDA build of it beside a CPU build of torch.

    Such a pair lacks the compiled operators that torchvision annotates while it is imported. They
    have no part in reading data sets, so declaring their names is enough.
    """
    try:
        return importlib.import_module("torchvision.datasets")
    except RuntimeError as error:
        if "operator torchvision::nms does not exist" not in str(error):
            raise
        _declare_operators()
        return importlib.import_module("torchvision.datasets")


@functools.cache  # a declaration lasts as long as its Library object
def _declare_operators() -> torch.library.Library:
    import torch

    library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for name in ("nms", "qnms"):
        schema = f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
        library.define(schema)  # type: ignore[no-untyped-call]
    return library


def _without_checksums(dataset_class: Any) -> Any:
    return type(
        "CIFAR10",
        (dataset_class,),
        {
            "train_list": [(name, None) for name, _ in dataset_class.train_list],
            "test_list": [(name, None) for name, _ in dataset_class.test_list],
            "meta": dataset_class.meta | {"md5": None},
        },
    )
