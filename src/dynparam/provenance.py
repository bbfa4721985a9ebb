"""Sidecars: beside every file a person may pick up, a JSON that says where it came from."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import psutil
from pydantic import BaseModel

from dynparam.config import digest
from dynparam.errors import DataError
from dynparam.files import sha256, write_text

PRODUCTS = (
    ":(top,exclude)figures",
    ":(top,exclude)results",
    ":(top,exclude)docs/assumptions.md",
    ":(top,exclude)docs/findings.md",
)
"""Tracked files that a commit's code makes: their change does not make the code another."""

PACKAGES = (
    "dynparam",
    "matplotlib",
    "numpy",
    "pandas",
    "pydantic",
    "scipy",
    "snakemake",
    "torch",
    "torchvision",
)


def write_sidecar(
    sidecar: Path,
    outputs: Sequence[Path],
    settings: BaseModel,
    *,
    inputs: Sequence[Path] = (),
    started: float,
    **details: Any,
) -> None:
    """Write ``sidecar`` for files that have just been computed.

    Args:
        sidecar: the JSON file to write.
        outputs: the files it documents.
        settings: the configuration they depend on, seeds included.
        inputs: the files they were computed from.
        started: ``time.monotonic()`` at the start of the work.
        details: further entries.
    """
    record = {
        "outputs": {path.name: sha256(path) for path in outputs},
        # The directory tells files of one name apart; the whole path would be this machine's own.
        "inputs": {f"{path.parent.name}/{path.name}": sha256(path) for path in inputs},
        "config": settings.model_dump(mode="json"),
        "config_sha256": digest(settings),
        "git": git_state(),
        "versions": versions(),
        "hardware": hardware(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "wall_seconds": round(time.monotonic() - started, 3),
        **details,
    }
    write_text(sidecar, json.dumps(record, indent=2, ensure_ascii=False) + "\n")


def read_sidecar(path: Path) -> dict[str, Any]:
    """A sidecar's record. Raises ``DataError`` if it is missing or not JSON."""
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        raise DataError(f"{path}: not a readable sidecar; run the rule of its results again") from None


@cache
def git_state() -> Mapping[str, Any]:
    """Commit and dirty flag of the checkout this library runs from; null outside a checkout."""
    root = Path(__file__).parent
    commit = _git(root, "rev-parse", "HEAD")
    if commit is None:
        return {"commit": None, "dirty": None}
    # Results and figures are products of the commit, not part of the code that made them.
    changes = _git(root, "status", "--porcelain", "--", ":/", *PRODUCTS)
    return {"commit": commit, "dirty": changes != ""}


def versions() -> dict[str, str]:
    """Versions of Python and of the installed packages that matter to results."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def hardware() -> dict[str, Any]:
    """Processor, cores, memory, and threads or GPU when torch is in use."""
    found: dict[str, Any] = {
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
    }
    torch = sys.modules.get("torch")
    if torch is not None:
        found["torch_threads"] = torch.get_num_threads()
        if torch.cuda.is_available():
            found["gpu"] = torch.cuda.get_device_name()
    return found


def _processor() -> str:
    """The processor's name; Linux keeps it in /proc/cpuinfo."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _git(directory: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(directory), *arguments],
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
