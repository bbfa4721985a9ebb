"""Whether files still agree with their sidecars, and with all the files they were made from.

Nothing is computed anew here (``remaking`` does that): hashes are compared, from a figure down to the
files of CIFAR-10. A sidecar may come from anyone: its paths are followed only within the run's
directory, files are only read, and only regular ones, and there is an end to how many and how much
(``reading``).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Protocol

from dynparam.provenance.reading import Budget, entries_below, sha256
from dynparam.provenance.sidecars import (
    ADDED,
    Sidecar,
    Sidecars,
    as_text,
    checksum,
    is_inside,
    read_json,
    root_of,
    sidecars_below,
    suspects_below,
)
from dynparam.settings.base import values_digest
from dynparam.support.errors import DataError
from dynparam.support.regular_files import RefusedError, refusal

State = Literal["agrees", "differs", "missing", "older", "not recorded", "not compared"]

SEARCHED = ("results", "data", "figures")
"""Where a file is looked for whose sidecar does not tell its whole path."""

SOURCES = (".yaml", ".yml", ".j2")
"""Files that people write; all others come from a stage, which leaves a sidecar."""

UNKNOWN = "no sidecar tells where it came from"

LEADS_OUT = "leads out of the run's directory, or is no path; not followed"

MAX_CHAIN = 50
"""Most records that rest one on another; those of a run are less than ten."""

TOO_LONG = f"more than {MAX_CHAIN} records rest one on another; not followed"


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
        inputs: where its inputs were found, by their recorded paths.
    """

    name: str
    findings: tuple[Finding, ...]
    rests_on: tuple[Checked, ...] = ()
    path: Path | None = None
    root: Path | None = None
    record: Sidecar | None = field(default=None, repr=False)
    inputs: Mapping[str, Path] = field(default_factory=dict, repr=False)

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
        self._given = None if root is None else _absolute(root)
        self._root = self._given
        self._budget = Budget()
        self._sidecars = Sidecars(self._budget)
        self._hashes: dict[Path, str] = {}
        self._places: dict[Path, dict[str, list[Path]]] = {}
        self._met: set[Path] = set()

    def _present_code(self, record: Sidecar) -> str | None:
        """The digest that the record's stage has now."""
        return None if record.code is None else self._configured.code_digest(record.code.stage)

    def check(self, path: Path) -> Checked:
        """Check the file ``path`` and all it rests on.

        Raises ``DataError`` if there is no such file, or no regular one, and ``SpentError`` if there is
        more to read than any run has.
        """
        path = _absolute(path)
        self._root = self._given
        if (reason := refusal(path, self._given)) is not None:
            raise DataError(f"{path}: {reason}; name a file of a run")
        sidecar = self._own_sidecar(path)
        if sidecar is None and not path.is_file():
            raise DataError(f"{path}: there is no such file and no sidecar of it; check the path")
        if sidecar is None:
            sidecar = self._sidecar_by_content(path)
        if sidecar is None:
            return Checked(path.name, (Finding("sidecar", path.name, "missing", UNKNOWN),))
        self._met = {sidecar}
        checked = self._check_sidecar(sidecar, 1)
        findings = checked.findings
        if path != sidecar and not self._is_listed(path, checked):
            findings = (
                Finding("output", path.name, "differs", "its sidecar does not list it"),
                *findings,
            )
        name = _relative(path, checked.root) if checked.root else path.name
        return replace(checked, name=name, findings=findings)

    def _own_sidecar(self, path: Path) -> Path | None:
        """The sidecar that lists a file, else what lies where its sidecar ought to be."""
        found = self._sidecars.find(path, self._root) if path.is_file() else None
        return found or _beside(path)

    def _check_sidecar(self, sidecar: Path, depth: int) -> Checked:
        likely = self._root or _likely_root(sidecar)
        if (reason := refusal(sidecar, likely)) is not None:
            finding = Finding("sidecar", sidecar.name, "differs", reason)
            return Checked(_relative(sidecar, likely), (finding,), path=sidecar)
        try:
            values, text = self._sidecars.read(sidecar)
        except DataError as error:
            return Checked(sidecar.name, (_unreadable(sidecar, error),), path=sidecar)
        record = Sidecar.model_validate(values)
        root = self._root_of(sidecar, record)
        inputs = {key: self._locate(key, digest, sidecar, root) for key, digest in record.inputs.items()}
        read = {key: path for key, path in inputs.items() if path is not None and path.is_file()}
        findings = (
            _own_checksum(sidecar, values, text),
            *(self._output(sidecar, name, digest, root) for name, digest in record.outputs.items()),
            *self._configuration(record),
            _code(record, self._present_code(record)),
            *(self._input(key, record.inputs[key], path, root) for key, path in inputs.items()),
        )
        behind = tuple(self._behind([*read.values()], root, depth))
        return Checked(_relative(sidecar, root), findings, behind, sidecar, root, record, read)

    def _root_of(self, sidecar: Path, record: Sidecar) -> Path:
        """The run's directory; that of what is behind a file never reaches beyond that of the file."""
        if self._given is not None:
            return self._given
        root = root_of(sidecar, record.place)
        if root is None or not _may_be_run(root, sidecar):
            root = _likely_root(sidecar)
        if self._root is None:
            self._root = root
        return root if root.is_relative_to(self._root) else self._root

    def _behind(self, inputs: Sequence[Path], root: Path, depth: int) -> Iterator[Checked]:
        for path in inputs:
            if refusal(path, root) is not None:
                continue
            sidecar = self._sidecars.find(path, root) or _beside(path)
            if sidecar is None and path.suffix not in SOURCES:
                yield Checked(path.name, (Finding("sidecar", path.name, "missing", UNKNOWN),))
            elif sidecar is not None and sidecar not in self._met:
                self._met.add(sidecar)
                if depth >= MAX_CHAIN:
                    name = sidecar.name
                    yield Checked(name, (Finding("sidecar", name, "differs", TOO_LONG),))
                else:
                    yield self._check_sidecar(sidecar, depth + 1)

    def _output(self, sidecar: Path, name: str, digest: str, root: Path) -> Finding:
        if not is_inside(name):
            return Finding("output", name, "differs", LEADS_OUT)
        found = sidecar.parent / name
        if not os.path.lexists(found) and "/" not in name:
            # Sidecars once kept the names of their files only.
            deeper = sorted(sidecar.parent.glob(f"*/{_literal(name)}"))
            found = next((path for path in deeper if _is_readable(path, root)), found)
        return self._compared("output", name, digest, found, root)

    def _input(self, key: str, digest: str, path: Path | None, root: Path) -> Finding:
        if not is_inside(key):
            return Finding("input", key, "differs", LEADS_OUT)
        if path is None:
            return Finding("input", key, "missing", "no file of that name and content")
        finding = self._compared("input", key, digest, path, root)
        if finding.state == "differs" and not finding.note:
            return Finding("input", key, "differs", self._why_it_differs(path, root))
        return finding

    def _why_it_differs(self, path: Path, root: Path) -> str:
        sidecar = self._sidecars.find(path, root)
        record = Sidecar.model_validate(self._sidecars.read(sidecar)[0]) if sidecar else None
        if record is not None and self._sha256(path) in record.outputs.values():
            return f"made again on {record.created}, after what rests on it"
        return "changed after it was made"

    def _compared(
        self, kind: Literal["output", "input"], name: str, digest: str, path: Path, root: Path
    ) -> Finding:
        if (reason := refusal(path, root)) is not None:
            return Finding(kind, name, "differs", reason)
        if not path.is_file():
            return Finding(kind, name, "missing")
        try:
            agrees = self._sha256(path) == digest
        except RefusedError as error:
            return Finding(kind, name, "differs", str(error))
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

        Sidecars once kept the last two parts of a path only. Nothing outside of the root is looked at.
        """
        if not is_inside(key):
            return None
        self._budget.spend()
        if os.path.lexists(root / key):
            return root / key
        # The first of two parts may be the name of the root itself.
        above = (place for place in sidecar.parents if (place / key).is_relative_to(root))
        near = (directory / key for directory in (*(root / place for place in SEARCHED), *above))
        far = (path for path in self._files(root, Path(key).name) if path.as_posix().endswith(f"/{key}"))
        return next((path for path in (*near, *far) if self._has_content(path, digest, root)), None)

    def _has_content(self, path: Path, digest: str, root: Path) -> bool:
        """Whether a file may be read and has this hash."""
        if not _is_readable(path, root):
            return False
        try:
            return self._sha256(path) == digest
        except (RefusedError, OSError):
            return False

    def _sidecar_by_content(self, path: Path) -> Path | None:
        """The sidecar of a file that has been copied elsewhere or renamed, known by its hash."""
        root = self._root or Path.cwd()
        try:
            digest = self._sha256(path)
        except OSError as error:
            raise DataError(f"{path}: cannot be read ({error.strerror}); check the path") from None
        for sidecar in self._files(root, suffix=".json"):
            if _is_readable(sidecar, root) and digest in self._sidecars.outputs(sidecar).values():
                return sidecar
        return None

    def _is_listed(self, path: Path, checked: Checked) -> bool:
        """Whether a sidecar lists ``path``, or a file of its content if it has been copied."""
        if checked.record is None or checked.path is None:
            return True
        beside = path.is_relative_to(checked.path.parent)
        name = path.relative_to(checked.path.parent).as_posix() if beside else path.name
        outputs = checked.record.outputs
        if {name, path.name} & outputs.keys():
            return True
        return any(self._has_content(path, digest, path.parent) for digest in outputs.values())

    def _files(self, root: Path, name: str = "", suffix: str = "") -> list[Path]:
        """What there is under a run's directories of that name, or that suffix, in order."""
        if root not in self._places:
            found: dict[str, list[Path]] = {}
            for place in SEARCHED:
                for path in entries_below(root / place, self._budget):
                    for kind in {path.name, path.suffix}:
                        found.setdefault(kind, []).append(path)
            self._places[root] = found
        return self._places[root].get(name or suffix, [])

    def _sha256(self, path: Path) -> str:
        if path not in self._hashes:
            self._hashes[path] = sha256(path)
            self._budget.spend(files=1, size=path.stat().st_size)
        return self._hashes[path]


def wanted_files(paths: Iterable[Path]) -> list[Path]:
    """Files as given, and of a directory all sidecars, damaged ones too.

    Raises ``DataError`` if a directory has none.
    """
    found = []
    for path in paths:
        # What cannot be read at all may have been a sidecar: it is not passed over.
        inside = sorted({*sidecars_below(path), *suspects_below(path)}) if path.is_dir() else [path]
        if not inside:
            raise DataError(f"{path}: there are no sidecars in this directory; name another")
        found += inside
    return found


def _own_checksum(sidecar: Path, values: dict[str, Any], text: str) -> Finding:
    recorded = values.get("checksum")
    if recorded is None and not values.keys() & ADDED:
        return Finding("sidecar", sidecar.name, "not recorded", "written before sidecars had checksums")
    # The text too: a changed blank or the order of keys would leave the values as they are.
    whole = text == as_text(values) and recorded == checksum(values)
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
        values, _ = read_json(sidecar)
    except DataError:
        values = None
    if isinstance(values, dict) and not {"outputs", "config_sha256", "checksum"} & values.keys():
        return Finding("sidecar", sidecar.name, "not recorded", "a manifest without provenance")
    return Finding("sidecar", sidecar.name, "differs", str(error).removeprefix(f"{sidecar}: "))


def _beside(path: Path) -> Path | None:
    """What lies where the sidecar of ``path`` ought to, ``None`` if nothing does."""
    beside = path.with_suffix(".json")
    return beside if os.path.lexists(beside) else None


def _likely_root(sidecar: Path) -> Path:
    """The nearest directory above that looks like a run's, else the sidecar's own."""
    return next((place for place in sidecar.parents if _looks_like_run(place)), sidecar.parent)


def _may_be_run(root: Path, sidecar: Path) -> bool:
    """Whether a sidecar may say that ``root`` is its run's directory, which bounds what is read.

    Its own directory is, and one that looks like a run's, or has the sidecar in a directory of a run's.
    """
    inside = sidecar.relative_to(root).parts
    return len(inside) == 1 or (
        _looks_like_run(root) or (inside[0] in (*SEARCHED, "docs") and not _is_too_high(root))
    )


def _looks_like_run(directory: Path) -> bool:
    marks = ("config/thesis.yaml", ".git", "results")
    return not _is_too_high(directory) and any((directory / mark).exists() for mark in marks)


def _is_too_high(directory: Path) -> bool:
    """Whether a directory is one that holds much besides a run: of a home, of temporary files."""
    home = Path(os.path.expanduser("~"))
    return directory in {Path(directory.anchor), home, home.parent, Path(tempfile.gettempdir())}


def _is_readable(path: Path, root: Path) -> bool:
    """Whether a path leads to a regular file in the run's directory."""
    return path.is_file() and refusal(path, root) is None


def _absolute(path: Path) -> Path:
    """``path`` from the top, without ``..``; links stay as they are."""
    return Path(os.path.abspath(path))


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name


def _literal(name: str) -> str:
    """``name`` for a glob that is to match nothing else."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)
