"""What a sidecar holds, how the sidecar of a file is found, and what the files behind it add up to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from dynparam.support.errors import DataError
from dynparam.support.ranges import ranges_text

ADDED = frozenset(
    {"seeds", "code", "command", "place", "total_wall_seconds", "training_seconds", "checksum"}
)
"""Keys that sidecars written before they were introduced lack."""

TRIAL_COUNTS = frozenset({"trials", "exact_trials", "dense_trials"})
"""Keys that count trials; a trial's random numbers follow from its number."""

AGAIN = "run the rule of its files again"


class Commit(BaseModel):
    """The commit of the code, and whether files differed from it; both null outside a checkout."""

    model_config = ConfigDict(extra="allow", frozen=True)

    commit: str | None
    dirty: bool | None


class Code(BaseModel):
    """The stage whose function made the files, and the digest of all code it can reach."""

    model_config = ConfigDict(extra="allow", frozen=True)

    stage: str
    digest: str


class Sidecar(BaseModel):
    """The record beside files that were made together; further keys are allowed.

    Attributes:
        outputs: SHA-256 of each file, by its path from the sidecar's directory.
        inputs: SHA-256 of each file they were made from, by its path from the working directory of
            then (``place`` tells where that is); ``directory/name`` for one outside of it.
        config: the configuration they depend on.
        config_sha256: its digest.
        git: the commit of the code.
        versions: of Python and of the packages.
        hardware: what they were made on.
        created: when, in UTC.
        wall_seconds: time spent on making them.
        seeds: every seed and trial number behind them, that of their inputs included.
        code: the stage that made them, ``None`` if no command did.
        command: the command line, without the configuration.
        place: the sidecar's own path from the working directory, ``None`` outside of it.
        total_wall_seconds: the same for them and for all they rest on.
        training_seconds: time spent on the training runs they rest on, wherever these ran.
        checksum: digest of all the other entries.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    outputs: dict[str, str]
    inputs: dict[str, str]
    config: dict[str, Any]
    config_sha256: str
    git: Commit
    versions: dict[str, str]
    hardware: dict[str, Any]
    created: str
    wall_seconds: float
    seeds: dict[str, list[int | str]] | None = None
    code: Code | None = None
    command: list[str] | None = None
    place: str | None = None
    total_wall_seconds: float | None = None
    training_seconds: float | None = None
    checksum: str | None = None


def as_text(record: Mapping[str, Any]) -> str:
    """A record as it stands in its file."""
    return json.dumps(record, indent=2, ensure_ascii=False) + "\n"


def checksum(record: Mapping[str, Any]) -> str:
    """Digest of a record's entries but ``checksum``."""
    rest = {key: value for key, value in record.items() if key != "checksum"}
    return hashlib.sha256(as_text(rest).encode("utf-8", "surrogatepass")).hexdigest()


def read_sidecar(path: Path) -> dict[str, Any]:
    """A sidecar's entries as they stand. Raises ``DataError`` if there is no readable sidecar."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        Sidecar.model_validate(record)
    except ValidationError as error:
        key = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise DataError(f"{path}: not a sidecar (key {key!r}); {AGAIN}") from None
    except (OSError, ValueError, RecursionError):
        raise DataError(f"{path}: not a readable sidecar; {AGAIN}") from None
    return dict(record)


def find_sidecar(file: Path) -> Path | None:
    """The sidecar that lists ``file`` among its outputs; ``file`` itself if it is one.

    It lies beside the file, under the same name or that of a file made with it, or a directory above.
    """
    if file.suffix == ".json" and _outputs(file) is not None:
        return file
    for sidecar in _candidates(file):
        outputs = _outputs(sidecar) or {}
        if file.relative_to(sidecar.parent).as_posix() in outputs or file.name in outputs:
            return sidecar
    return None


def is_inside(key: str) -> bool:
    """Whether a recorded path stays within the directory it starts from."""
    path = PurePosixPath(key)
    sane = key.isprintable() and 0 < len(key) < 1000 and all(len(p) < 200 for p in path.parts)
    return sane and not path.is_absolute() and ".." not in path.parts


def root_of(sidecar: Path, place: str | None) -> Path | None:
    """The working directory a sidecar was written from, if the sidecar still lies where it did."""
    here = sidecar.absolute()
    if place is None or not is_inside(place):
        return None
    parts = PurePosixPath(place).parts
    return Path(*here.parts[: -len(parts)]) if here.parts[-len(parts) :] == parts else None


def ancestry(inputs: Iterable[Path], until: str | None = None) -> dict[Path, dict[str, Any]]:
    """The records behind ``inputs`` and behind theirs, each once, by the sidecar's path.

    Not beyond records with the entry ``until``. A file without a sidecar is a source; so is one whose
    sidecar is damaged, which ``verify`` tells.
    """
    found: dict[Path, dict[str, Any]] = {}
    waiting = list(inputs)
    while waiting:
        sidecar = find_sidecar(waiting.pop().absolute())
        if sidecar is None or sidecar in found:
            continue
        record = found[sidecar] = read_sidecar(sidecar)
        root = root_of(sidecar, record.get("place"))
        if root is not None and until not in record:
            waiting.extend(root / key for key in record["inputs"] if is_inside(key))
    return found


def seeds_behind(records: Iterable[Mapping[str, Any]]) -> dict[str, list[int | str]]:
    """Every seed and range of trial numbers in the configurations and runs of ``records``.

    The keys are those of the configuration (``probe.seed``, ``probe.trials``) and ``training.runs``.
    """
    found: dict[str, set[int | str]] = {}
    for record in records:
        for key, value in (*_configured_seeds(record["config"]), *_trained_seeds(record)):
            found.setdefault(key, set()).add(value)
    return {key: sorted(values, key=_numerically) for key, values in sorted(found.items())}


def training_seconds(record: Mapping[str, Any], inputs: Iterable[Path]) -> float:
    """Seconds of training behind a record: of its own runs, else of those its inputs hold."""
    records = [record] if "runs" in record else ancestry(inputs, until="runs").values()
    origins = [origin for one in records for origin in one.get("runs") or []]
    return round(sum(float(s) for origin in origins for s in origin["seeds"].values()), 3)


def _outputs(path: Path) -> dict[str, Any] | None:
    try:
        return dict(read_sidecar(path)["outputs"])
    except DataError:
        return None


def _candidates(file: Path) -> Iterator[Path]:
    own = file.with_suffix(".json")
    if own.is_file():
        yield own
    for directory in (file.parent, file.parent.parent):
        yield from (path for path in sorted(directory.glob("*.json")) if path != own)


def _configured_seeds(config: Mapping[str, Any], where: str = "") -> Iterator[tuple[str, int | str]]:
    for key, value in config.items():
        if isinstance(value, Mapping):
            yield from _configured_seeds(value, f"{where}{key}.")
        elif isinstance(value, int) and key == "seed":
            yield f"{where}{key}", value
        elif isinstance(value, int) and key in TRIAL_COUNTS:
            yield f"{where}{key}", f"0-{value - 1}"


def _trained_seeds(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    seeds = sorted({int(seed) for origin in record.get("runs") or [] for seed in origin["seeds"]})
    if seeds:
        (task,) = record["config"]["data"]["pairs"]
        protocol = record["config"]["protocol"]
        yield "training.runs", f"{task} {protocol['n']}-{protocol['n_min']}: {ranges_text(seeds)}"


def _numerically(value: int | str) -> tuple[int, str]:
    """Numbers by size, ranges from zero by their end."""
    end = str(value).rpartition("-")[2]
    return (int(end) if end.isdigit() else 0, str(value))


def sidecars_below(directory: Path) -> list[Path]:
    """All sidecars in a directory and those below it, hidden ones left out."""
    found = []
    for path in sorted(directory.rglob("*.json")):
        if not is_hidden(path, directory):
            try:
                read_sidecar(path)
            except DataError:
                continue
            found.append(path)
    return found


def is_hidden(path: Path, root: Path) -> bool:
    """Whether a part of the path from ``root`` on begins with a dot."""
    return any(part.startswith(".") for part in path.relative_to(root).parts)
