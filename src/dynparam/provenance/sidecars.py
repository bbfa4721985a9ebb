"""What a sidecar holds, how the sidecar of a file is found, and what the files behind it add up to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from dynparam.provenance.reading import Budget, SpentError, entries_below
from dynparam.support.errors import DataError
from dynparam.support.ranges import ranges_text
from dynparam.support.regular_files import RefusedError, read_bytes

ADDED = frozenset(
    {"seeds", "code", "command", "place", "total_wall_seconds", "training_seconds", "checksum"}
)
"""Keys that sidecars written before they were introduced lack."""

TRIAL_COUNTS = frozenset({"trials", "exact_trials", "dense_trials"})
"""Keys that count trials; a trial's random numbers follow from its number."""

AGAIN = "run the rule of its files again"

MAX_SIDECAR_BYTES = 8 * 2**20
"""Largest sidecar that is read; those of a run have up to 200 kB."""

MAX_SIDECARS_BYTES = 256 * 2**20
"""Most that all sidecars of a verification hold together; they are kept in memory."""

MAX_NESTING = 40
"""Most mappings and lists one in the other that a sidecar may have."""

MAX_LISTED = 10_000
"""Most files that a sidecar may list as outputs, and as inputs."""


class Commit(BaseModel):
    """The commit of the code, and whether files differed from it; both null outside a checkout.

    ``why`` says why they are null, or why files may have differed, where git could not tell.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    commit: str | None
    dirty: bool | None
    why: str | None = None


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
    return read_text_too(path)[0]


def read_text_too(path: Path, budget: Budget | None = None) -> tuple[dict[str, Any], str]:
    """A sidecar's entries and its text; what is read is counted in ``budget``.

    Raises ``DataError`` if there is no readable sidecar: also for one that is no regular file, or
    larger, deeper or longer than any run's.
    """
    values, text = read_json(path, budget)
    try:
        record = Sidecar.model_validate(values)
    except ValidationError as error:
        key = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise DataError(f"{path}: not a sidecar (key {key!r}); {AGAIN}") from None
    if max(len(record.inputs), len(record.outputs)) > MAX_LISTED:
        raise DataError(f"{path}: lists more than {MAX_LISTED} files; {AGAIN}")
    return dict(values), text


def read_json(path: Path, budget: Budget | None = None) -> tuple[Any, str]:
    """The values in a JSON file that may be a sidecar, and its text. Raises ``DataError``."""
    try:
        content = read_bytes(path, MAX_SIDECAR_BYTES)
        if budget is not None:
            budget.spend(files=1, size=len(content))
        text = content.decode()
        values = json.loads(text)
    except RefusedError as error:
        raise DataError(f"{path}: not a readable sidecar ({error}); {AGAIN}") from None
    except (ValueError, RecursionError):
        raise DataError(f"{path}: not a readable sidecar; {AGAIN}") from None
    if _is_too_deep(values):
        raise DataError(f"{path}: not a readable sidecar (nested too deep); {AGAIN}")
    return values, text


def find_sidecar(file: Path) -> Path | None:
    """The sidecar that lists ``file`` among its outputs; ``file`` itself if it is one.

    It lies beside the file, under the same name or that of a file made with it, or a directory above.
    """
    return Sidecars().find(file)


class Sidecars:
    """Finds the sidecars of files; each is read once."""

    def __init__(self, budget: Budget | None = None) -> None:
        """What is read is counted in ``budget``."""
        self._budget = budget
        self._read: dict[Path, tuple[dict[str, Any], str] | DataError] = {}
        self._listed: dict[Path, dict[str, Path]] = {}
        self._kept = 0

    def read(self, path: Path) -> tuple[dict[str, Any], str]:
        """A sidecar's entries and text. Raises ``DataError`` if there is no readable sidecar."""
        if path not in self._read:
            try:
                values, text = read_text_too(path, self._budget)
                self._read[path] = (values, text)
                self._kept += len(text)
            except DataError as error:
                self._read[path] = error
            if self._kept > MAX_SIDECARS_BYTES:
                raise SpentError(f"{MAX_SIDECARS_BYTES // 2**20} MiB of sidecars")
        found = self._read[path]
        if isinstance(found, DataError):
            raise found
        return found

    def outputs(self, path: Path) -> Mapping[str, str]:
        """The files that a sidecar lists, with their hashes; none if it is no readable one."""
        try:
            return dict(self.read(path)[0]["outputs"])
        except DataError:
            return {}

    def is_one(self, path: Path) -> bool:
        """Whether a file is a readable sidecar."""
        try:
            self.read(path)
        except DataError:
            return False
        return True

    def find(self, file: Path, root: Path | None = None) -> Path | None:
        """The sidecar of ``file`` as ``find_sidecar`` has it, in no directory outside of ``root``."""
        if file.suffix == ".json" and self.is_one(file):
            return file
        own = file.with_suffix(".json")
        if own.is_file() and file.name in self.outputs(own):
            return own
        for directory in (file.parent, file.parent.parent):
            if root is None or directory.is_relative_to(root):
                listed = self._all_listed(directory)
                names = {file.relative_to(directory).as_posix(), file.name}
                found = [listed[name] for name in names if name in listed]
                if found:
                    return min(found)
        return None

    def _all_listed(self, directory: Path) -> Mapping[str, Path]:
        """For every name that a sidecar in a directory lists, the first one that does."""
        if directory not in self._listed:
            found: dict[str, Path] = {}
            for sidecar in sorted(directory.glob("*.json")):
                for name in self.outputs(sidecar):
                    found.setdefault(name, sidecar)
            self._listed[directory] = found
        return self._listed[directory]


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
    sidecars = Sidecars()
    waiting = list(inputs)
    while waiting:
        sidecar = sidecars.find(waiting.pop().absolute())
        if sidecar is None or sidecar in found:
            continue
        record = found[sidecar] = sidecars.read(sidecar)[0]
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


def _is_too_deep(values: Any) -> bool:
    """Whether mappings and lists are nested deeper than those of any sidecar."""
    level = [values]
    for _ in range(MAX_NESTING):
        inside: list[Any] = []
        for one in level:
            if isinstance(one, Mapping):
                inside.extend(one.values())
            elif isinstance(one, list):
                inside.extend(one)
        level = inside
    return bool(level)


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
    sidecars = Sidecars()
    return [path for path in _json_below(directory) if sidecars.is_one(path)]


def suspects_below(directory: Path) -> list[Path]:
    """What is named like a sidecar below a directory and is none, but may have been one.

    Such is a file that cannot be read as JSON at all, and one with a sidecar's main entries.
    """
    found = []
    for path in _json_below(directory):
        try:
            values, _ = read_json(path)
            if isinstance(values, dict) and {"outputs", "config_sha256"} <= values.keys():
                read_sidecar(path)
        except DataError:
            found.append(path)
    return found


def _json_below(directory: Path) -> list[Path]:
    return [path for path in entries_below(directory) if path.suffix == ".json"]
