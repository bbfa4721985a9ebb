"""Whether files still agree with their sidecars, and with all the files they were made from.

Nothing is computed anew here (``remaking`` does that): hashes are compared, from a figure down to the
files of CIFAR-10. A sidecar may come from anyone: its paths are followed only within the run's
directory, and files are only read.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Protocol

from dynparam.provenance.sidecars import (
    ADDED,
    Sidecar,
    as_text,
    checksum,
    find_sidecar,
    is_hidden,
    is_inside,
    read_sidecar,
    root_of,
    sidecars_below,
)
from dynparam.settings.base import values_digest
from dynparam.support.errors import DataError
from dynparam.support.files import sha256

State = Literal["agrees", "differs", "missing", "older", "not recorded", "not compared"]

SEARCHED = ("results", "data", "figures")
"""Where a file is looked for whose sidecar does not tell its whole path."""

SOURCES = (".yaml", ".yml", ".j2")
"""Files that people write; all others come from a stage, which leaves a sidecar."""

UNKNOWN = "no sidecar tells where it came from"

LEADS_OUT = "leads out of the run's directory, or is no path; not followed"


@dataclass(frozen=True)
class Finding:
    """What was found of one thing that a sidecar records.

    Attributes:
        kind: what sort of thing.
        subject: which one.
        state: ``older`` is of another commit or configuration, which is no fault.
        note: details, in words.
    """

    kind: Literal["sidecar", "output", "input", "configuration", "code", "made again"]
    subject: str
    state: State
    note: str = ""


@dataclass(frozen=True)
class Checked:
    """A sidecar, or a file that has none, with what was found of it and of all it rests on.

    Attributes:
        name: the file's path from the run's directory.
        findings: what its own record says against what is there.
        rests_on: the sidecars of its inputs, each only where it is met first.
        path: the sidecar, ``None`` if there is none.
        root: the run's directory.
        record: the sidecar's content, ``None`` if it cannot be read.
    """

    name: str
    findings: tuple[Finding, ...]
    rests_on: tuple[Checked, ...] = ()
    path: Path | None = None
    root: Path | None = None
    record: Sidecar | None = field(default=None, repr=False)

    def all_findings(self) -> Iterator[Finding]:
        """The findings of it and of all it rests on."""
        yield from self.findings
        for node in self.rests_on:
            yield from node.all_findings()


class KnownSettings(Protocol):
    """The settings of the jobs of the present configuration."""

    def has(self, config_sha256: str) -> bool:
        """Whether a job has these settings."""
        ...

    def differences(self, recorded: Mapping[str, Any]) -> list[str]:
        """How recorded settings differ from the likest of a job."""
        ...

    def code_digest(self, stage: str) -> str | None:
        """The digest of the present code of a stage; ``None`` if there is none of that name."""
        ...


class Verifier:
    """Checks files; what several of them rest on is looked at once."""

    def __init__(self, configured: KnownSettings, root: Path | None = None) -> None:
        """``configured`` is the present configuration; ``root`` a run's directory, else it is found."""
        self._configured = configured
        self._root = None if root is None else _absolute(root)
        self._hashes: dict[Path, str] = {}
        self._places: dict[Path, list[Path]] = {}
        self._met: set[Path] = set()

    def _present_code(self, record: Sidecar) -> str | None:
        """The digest that the record's stage has now."""
        return None if record.code is None else self._configured.code_digest(record.code.stage)

    def check(self, path: Path) -> Checked:
        """Check the file ``path`` and all it rests on. Raises ``DataError`` if there is no such file."""
        path = _absolute(path)
        sidecar = find_sidecar(path) if path.is_file() else None
        if sidecar is None and path.with_suffix(".json").is_file():
            sidecar = path.with_suffix(".json")
        if sidecar is None and not path.is_file():
            raise DataError(f"{path}: there is no such file and no sidecar of it; check the path")
        if sidecar is None:
            sidecar = self._sidecar_by_content(path)
        if sidecar is None:
            return Checked(path.name, (Finding("sidecar", path.name, "missing", UNKNOWN),))
        self._met = {sidecar}
        checked = self._check_sidecar(sidecar)
        findings = checked.findings
        if path != sidecar and not self._is_listed(path, checked):
            findings = (
                Finding("output", path.name, "differs", "its sidecar does not list it"),
                *findings,
            )
        name = _relative(path, checked.root) if checked.root else path.name
        return replace(checked, name=name, findings=findings)

    def _check_sidecar(self, sidecar: Path) -> Checked:
        try:
            values = read_sidecar(sidecar)
        except DataError as error:
            return Checked(sidecar.name, (_unreadable(sidecar, error),), path=sidecar)
        record = Sidecar.model_validate(values)
        root = self._root or root_of(sidecar, record.place) or _likely_root(sidecar)
        inputs = {key: self._locate(key, digest, sidecar, root) for key, digest in record.inputs.items()}
        findings = (
            _own_checksum(sidecar, values),
            *(self._output(sidecar, name, digest) for name, digest in record.outputs.items()),
            *self._configuration(record),
            _code(record, self._present_code(record)),
            *(self._input(key, record.inputs[key], path) for key, path in inputs.items()),
        )
        behind = tuple(self._behind([path for path in inputs.values() if path is not None]))
        return Checked(_relative(sidecar, root), findings, behind, sidecar, root, record)

    def _behind(self, inputs: Sequence[Path]) -> Iterator[Checked]:
        for path in inputs:
            sidecar = find_sidecar(path) or _beside(path)
            if sidecar is None and path.suffix not in SOURCES:
                yield Checked(path.name, (Finding("sidecar", path.name, "missing", UNKNOWN),))
            elif sidecar is not None and sidecar not in self._met:
                self._met.add(sidecar)
                yield self._check_sidecar(sidecar)

    def _output(self, sidecar: Path, name: str, digest: str) -> Finding:
        if not is_inside(name):
            return Finding("output", name, "differs", LEADS_OUT)
        found = sidecar.parent / name
        if not found.is_file() and "/" not in name:
            # Sidecars once kept the names of their files only.
            deeper = sorted(sidecar.parent.glob(f"*/{_literal(name)}"))
            found = next((path for path in deeper if path.is_file()), found)
        return self._compared("output", name, digest, found)

    def _input(self, key: str, digest: str, path: Path | None) -> Finding:
        if not is_inside(key):
            return Finding("input", key, "differs", LEADS_OUT)
        if path is None:
            return Finding("input", key, "missing", "no file of that name and content")
        finding = self._compared("input", key, digest, path)
        if finding.state == "differs":
            return Finding("input", key, "differs", self._why_it_differs(path))
        return finding

    def _why_it_differs(self, path: Path) -> str:
        sidecar = find_sidecar(path)
        record = Sidecar.model_validate(read_sidecar(sidecar)) if sidecar else None
        if record is not None and self._sha256(path) in record.outputs.values():
            return f"made again on {record.created}, after what rests on it"
        return "changed after it was made"

    def _compared(self, kind: Literal["output", "input"], name: str, digest: str, path: Path) -> Finding:
        if not path.is_file():
            return Finding(kind, name, "missing")
        try:
            agrees = self._sha256(path) == digest
        except OSError as error:
            return Finding(kind, name, "missing", f"cannot be read ({error.strerror})")
        return Finding(kind, name, "agrees" if agrees else "differs")

    def _configuration(self, record: Sidecar) -> Iterator[Finding]:
        if values_digest(record.config) != record.config_sha256:
            note = "the recorded values do not have the recorded digest"
            yield Finding("configuration", record.config_sha256, "differs", note)
        elif self._configured.has(record.config_sha256):
            yield Finding("configuration", record.config_sha256, "agrees")
        else:
            changes = self._configured.differences(record.config)
            told = ", ".join(changes[:3]) + (", ..." if len(changes) > 3 else "")
            note = f"not that of the present configuration{f' ({told})' if told else ''}"
            yield Finding("configuration", record.config_sha256, "older", note)

    def _locate(self, key: str, digest: str, sidecar: Path, root: Path) -> Path | None:
        """Where an input lies: at its path from the root, else wherever a file of its content ends so.

        Sidecars once kept the last two parts of a path only.
        """
        if not is_inside(key):
            return None
        if (root / key).is_file():
            return root / key
        above = [*(root / place for place in SEARCHED), *sidecar.parents]
        near = (directory / key for directory in above if (directory / key).is_file())
        far = (path for path in self._files(root) if path.as_posix().endswith(f"/{key}"))
        return next((path for path in (*near, *far) if self._sha256(path) == digest), None)

    def _sidecar_by_content(self, path: Path) -> Path | None:
        """The sidecar of a file that has been copied elsewhere or renamed, known by its hash."""
        root = self._root or Path.cwd()
        for sidecar in self._files(root):
            if sidecar.suffix == ".json":
                try:
                    outputs = read_sidecar(sidecar)["outputs"]
                except DataError:
                    continue
                if self._sha256(path) in outputs.values():
                    return sidecar
        return None

    def _is_listed(self, path: Path, checked: Checked) -> bool:
        """Whether a sidecar lists ``path``, or a file of its content if it has been copied."""
        if checked.record is None or checked.path is None:
            return True
        beside = path.is_relative_to(checked.path.parent)
        name = path.relative_to(checked.path.parent).as_posix() if beside else path.name
        outputs = checked.record.outputs
        return bool({name, path.name} & outputs.keys()) or self._sha256(path) in outputs.values()

    def _files(self, root: Path) -> list[Path]:
        if root not in self._places:
            self._places[root] = [
                path
                for place in SEARCHED
                for path in sorted((root / place).rglob("*"))
                if path.is_file() and not is_hidden(path, root)
            ]
        return self._places[root]

    def _sha256(self, path: Path) -> str:
        if path not in self._hashes:
            self._hashes[path] = sha256(path)
        return self._hashes[path]


def wanted_files(paths: Iterable[Path]) -> list[Path]:
    """Files as given, and of a directory all sidecars. Raises ``DataError`` if one has none."""
    found = []
    for path in paths:
        inside = sidecars_below(path) if path.is_dir() else [path]
        if not inside:
            raise DataError(f"{path}: there are no sidecars in this directory; name another")
        found += inside
    return found


def _own_checksum(sidecar: Path, values: dict[str, object]) -> Finding:
    recorded = values.get("checksum")
    if recorded is None and not values.keys() & ADDED:
        return Finding("sidecar", sidecar.name, "not recorded", "written before sidecars had checksums")
    # The text too: a changed blank or the order of keys would leave the values as they are.
    whole = sidecar.read_text(encoding="utf-8") == as_text(values) and recorded == checksum(values)
    if whole:
        return Finding("sidecar", sidecar.name, "agrees")
    return Finding("sidecar", sidecar.name, "differs", "changed after it was written")


def _code(record: Sidecar, present: str | None) -> Finding:
    commit = record.git.commit[:12] if record.git.commit else "unknown commit"
    made = f"{commit}{', with changes' if record.git.dirty else ''}"
    if record.code is None:
        return Finding("code", made, "not recorded", "no digest of the code")
    if present is None:
        return Finding("code", made, "older", f"the present code has no stage {record.code.stage!r}")
    if present == record.code.digest:
        return Finding("code", made, "agrees", record.code.stage)
    return Finding("code", made, "older", f"{record.code.stage} has changed since, or its libraries")


def _unreadable(sidecar: Path, error: DataError) -> Finding:
    """What is wrong with a sidecar that cannot be read; manifests of old had no provenance in them."""
    try:
        values = json.loads(sidecar.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        values = None
    if isinstance(values, dict) and not {"outputs", "config_sha256", "checksum"} & values.keys():
        return Finding("sidecar", sidecar.name, "not recorded", "a manifest without provenance")
    return Finding("sidecar", sidecar.name, "differs", str(error).removeprefix(f"{sidecar}: "))


def _beside(path: Path) -> Path | None:
    """The file that ought to be the sidecar of ``path``, ``None`` if nothing is there."""
    beside = path.with_suffix(".json")
    return beside if beside.is_file() else None


def _likely_root(sidecar: Path) -> Path:
    """The nearest directory above that looks like a run's, else the sidecar's own."""
    for directory in sidecar.parents:
        if any((directory / name).exists() for name in ("config/thesis.yaml", ".git", "results")):
            return directory
    return sidecar.parent


def _absolute(path: Path) -> Path:
    """``path`` from the top, without ``..``; links stay as they are."""
    return Path(os.path.abspath(path))


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


def _literal(name: str) -> str:
    """``name`` for a glob that is to match nothing else."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)
