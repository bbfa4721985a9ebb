"""What the official CIFAR-10 files are: their names and hashes, and the check of both."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

from dynparam.data.settings import ClassName
from dynparam.support.errors import DataError
from dynparam.support.files import sha256
from dynparam.support.regular_files import read_bytes

FOLDER = "cifar-10-batches-py"

CIFAR10_CLASSES: tuple[str, ...] = get_args(ClassName)
"""The ten classes, in the order of their labels 0 to 9."""

MEMBERS: dict[str, str] = {
    "batches.meta": "f962466ef690d46b226450fb9aadc74ba4bc64a76aa526b5827fe4bc5c7125cb",
    "data_batch_1": "54636561a3ce25bd3e19253c6b0d8538147b0ae398331ac4a2d86c6d987368cd",
    "data_batch_2": "766b2cef9fbc745cf056b3152224f7cf77163b330ea9a15f9392beb8b89bc5a8",
    "data_batch_3": "0f00d98ebfb30b3ec0ad19f9756dc2630b89003e10525f5e148445e82aa6a1f9",
    "data_batch_4": "3f7bb240661948b8f4d53e36ec720d8306f5668bd0071dcb4e6c947f78e9682b",
    "data_batch_5": "d91802434d8376bbaeeadf58a737e3a1b12ac839077e931237e0dcd43adcb154",
    "test_batch": "f53d8d457504f7cff4ea9e021afcf0e0ad8e24a91f3fc42091b8adef61157831",
}
"""The official files and their SHA-256; an archive may be repacked, its members may not change."""

MAX_HASHES_BYTES = 2**16
"""The largest file of hashes that is read."""

HASHES_VARIABLE = "DYNPARAM_CIFAR10_HASHES"


def expected_hashes() -> Mapping[str, str]:
    """The SHA-256 that each member must have: official unless the environment says otherwise.

    ``DYNPARAM_CIFAR10_HASHES`` may name a JSON file of the form of ``MEMBERS``, for a CIFAR-shaped
    archive of one's own. Raises ``DataError`` if that file cannot be used.
    """
    path = os.environ.get(HASHES_VARIABLE)
    if not path:
        return MEMBERS
    try:
        hashes = json.loads(read_bytes(Path(path), MAX_HASHES_BYTES).decode())
    except (DataError, ValueError, RecursionError):
        hashes = None
    if (
        not isinstance(hashes, dict)
        or hashes.keys() != MEMBERS.keys()
        or not all(isinstance(one, str) and re.fullmatch("[0-9a-f]{64}", one) for one in hashes.values())
    ):
        raise DataError(
            f"{HASHES_VARIABLE} names {path}, which is not a JSON file with the SHA-256 of "
            f"{', '.join(MEMBERS)}; correct it, or unset the variable to use the official data"
        )
    return hashes


def verify(folder: Path, hashes: Mapping[str, str], origin: str) -> None:
    """Compare files in ``folder`` with their SHA-256. Raises ``DataError`` naming ``origin``."""
    for name, expected in hashes.items():
        path = folder / name
        if not (path.is_file() and os.access(path, os.R_OK)):
            raise DataError(f"{origin}: {name} is missing or unreadable; get a complete copy")
        if sha256(path) != expected:
            raise DataError(f"{origin}: {name} does not have the expected SHA-256; get another copy")
