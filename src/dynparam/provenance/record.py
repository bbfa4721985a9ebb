"""Sidecars: beside every file a person may pick up, a JSON that says where it came from."""

from __future__ import annotations

import importlib.metadata
import logging
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel

from dynparam.provenance.sidecars import ancestry, as_text, checksum, seeds_behind, training_seconds
from dynparam.provenance.sidecars import read_sidecar as read_sidecar
from dynparam.settings.base import digest
from dynparam.support.files import sha256, write_text

logger = logging.getLogger(__name__)

PRODUCTS = (
    ":(top,exclude)figures",
    ":(top,exclude)results",
    ":(top,exclude)docs/open-choices.*",
    ":(top,exclude)docs/findings.*",
    ":(top,exclude)docs/companions",
    ":(top,exclude)docs/companions.*",
)
"""Tracked files that a commit's code makes: their change does not make the code another."""

CODE = (":(top)src", ":(top)workflow", ":(top,glob)*.py")
"""Where Python and Snakemake find code: a file here that git does not know may be run. Elsewhere it is
not: a configuration of one's own beside the Snakefile does not make the code another."""

REDIRECTING = (
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX", "GIT_NAMESPACE"),
    *("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES"),
)
"""Variables that have git look at another repository than that of the directory."""

NO_COMMIT: Mapping[str, Any] = {"commit": None, "dirty": None}

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
    """Commit and dirty flag of the checkout whose code this is; both null outside of one.

    Where there is a checkout and no commit can be told, ``why`` says so, and a warning if git failed.
    """
    source = Path(__file__)
    if not any((place / ".git").exists() for place in source.parents):
        return NO_COMMIT
    head = _git(source.parent, "rev-parse", "HEAD")
    if head.text is None:
        logger.warning("no commit is recorded: %s", head.why)
        return {**NO_COMMIT, "why": head.why}
    if not _git(source.parent, "ls-files", "--", source.name).text:
        return {**NO_COMMIT, "why": "the code is no part of the checkout that it lies in"}
    # Results and figures are products of the commit, not part of the code that made them.
    changed = _git(source.parent, "status", "--porcelain", "--untracked-files=no", "--", ":/", *PRODUCTS)
    added = _git(source.parent, "ls-files", "--others", "--exclude-standard", "--", *CODE)
    for answer in (changed, added):
        if answer.text is None:
            logger.warning("whether files differ from the commit is not known: %s", answer.why)
            return {"commit": head.text, "dirty": True, "why": answer.why}
    return {"commit": head.text, "dirty": bool(changed.text or added.text)}


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
    """Processor, cores, memory if psutil is here, and threads or GPU when torch is in use."""
    found: dict[str, Any] = {
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
    }
    if find_spec("psutil"):  # it comes with the workflow; the first look does without
        import psutil

        found["memory_gib"] = round(psutil.virtual_memory().total / 2**30, 1)
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


class _Answer(NamedTuple):
    """What git printed, or ``None`` and why there is nothing."""

    text: str | None
    why: str = ""


def _git(directory: Path, *arguments: str) -> _Answer:
    # Inside a hook of git these name the repository that is being committed to.
    environment = {key: value for key, value in os.environ.items() if key not in REDIRECTING}
    try:
        done = subprocess.run(
            ["git", "--no-optional-locks", "-C", str(directory), *arguments],
            capture_output=True,
            text=True,
            timeout=30,
            env=environment,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return _Answer(None, f"git cannot be asked ({error})")
    if done.returncode:
        said = done.stderr.strip().partition("\n")[0] or f"exit status {done.returncode}"
        return _Answer(None, f"git says: {said}")
    return _Answer(done.stdout.strip())
