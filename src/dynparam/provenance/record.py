"""Sidecars: beside every file a person may pick up, a JSON that says where it came from."""

from __future__ import annotations

import importlib.metadata
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

from dynparam.provenance.sidecars import ancestry, as_text, checksum, seeds_behind, training_seconds
from dynparam.provenance.sidecars import read_sidecar as read_sidecar
from dynparam.settings.base import digest
from dynparam.support.files import sha256, write_text

PRODUCTS = (
    ":(top,exclude)figures",
    ":(top,exclude)results",
    ":(top,exclude)docs/open-choices.*",
    ":(top,exclude)docs/findings.*",
    ":(top,exclude)docs/companions.*",
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
    /,
    *,
    inputs: Sequence[Path] = (),
    started: float,
    code: Mapping[str, str] | None = None,
    **details: Any,
) -> None:
    """Write ``sidecar`` for files that have just been computed.

    Args:
        sidecar: the JSON file to write.
        outputs: the files it documents.
        settings: the configuration they depend on, seeds included.
        inputs: the files they were computed from.
        started: ``time.monotonic()`` at the start of the work.
        code: the stage that made them and the digest of its code; ``None`` for what is no stage.
        details: further entries.
    """
    config = settings.model_dump(mode="json")
    behind = [record for path, record in ancestry(inputs).items() if path != sidecar.absolute()]
    wall_seconds = round(time.monotonic() - started, 3)
    record = {
        "outputs": {_below(path, sidecar.parent) or path.name: sha256(path) for path in outputs},
        "inputs": {_place(path): sha256(path) for path in inputs},
        "config": config,
        "config_sha256": digest(settings),
        "seeds": seeds_behind([{"config": config, "outputs": {}, **details}, *behind]),
        "code": None if code is None else dict(code),
        "command": command(sys.argv),
        "place": _below(sidecar, Path.cwd()),
        "git": git_state(),
        "versions": versions(),
        "hardware": hardware(),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "wall_seconds": wall_seconds,
        "total_wall_seconds": round(wall_seconds + sum(one["wall_seconds"] for one in behind), 3),
        "training_seconds": training_seconds(details, inputs),
        **details,
    }
    write_text(sidecar, as_text({**record, "checksum": checksum(record)}))


def command(arguments: Sequence[str]) -> list[str] | None:
    """The command line of this process as a record keeps it, ``None`` if it is not dynparam's.

    The configuration is left out, which has an entry of its own. Paths outside of the working directory
    keep their last two parts: the rest would be this machine's own.
    """
    program = Path(arguments[0])
    if "dynparam" not in (program.stem, program.parent.name):
        return None
    kept = ["dynparam"]
    waiting = iter(arguments[1:])
    for argument in waiting:
        if argument == "--config":
            next(waiting, None)
        elif not argument.startswith("--config="):
            option, equals, value = argument.rpartition("=")
            absolute = Path(value).is_absolute()
            kept.append(f"{option}{equals}{_place(Path(value)) if absolute else value}")
    return kept


def _place(path: Path) -> str:
    """A path from the working directory; its last two parts if it lies elsewhere.

    The directory tells files of one name apart; the whole path would be this machine's own.
    """
    return _below(path, Path.cwd()) or f"{path.parent.name}/{path.name}"


def _below(path: Path, directory: Path) -> str | None:
    """A path from ``directory``, ``None`` if it does not lie there."""
    try:
        return Path(os.path.abspath(path)).relative_to(os.path.abspath(directory)).as_posix()
    except ValueError:
        return None


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


@cache
def versions() -> Mapping[str, str]:
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
