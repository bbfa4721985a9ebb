"""A finished run as an RO-Crate: a directory or zip whose metadata say what made every file of it.

The crate follows RO-Crate 1.1 and the profiles Process Run Crate and Workflow Run Crate: the workflow is
its main entity, and every sidecar becomes an action with its software, inputs and outputs. CIFAR-10 and
the images drawn from it are not in the crate; they are referred to by their hashes. The same run gives
the same bytes, and nothing is fetched from the network.
"""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml
from rocrate.model.contextentity import ContextEntity
from rocrate.rocrate import ROCrate

from dynparam.provenance.sidecars import Sidecar, is_inside, read_sidecar, sidecars_below
from dynparam.settings.shared import Paths
from dynparam.support.errors import DataError
from dynparam.support.files import atomic_path, naming_write_errors, sha256

PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}

TERMS = "https://w3id.org/ro/terms/workflow-run/context"
"""Defines ``sha256``, which the context of RO-Crate 1.1 lacks."""

MAIN = Path("workflow/Snakefile")

CITATION = Path("CITATION.cff")

SOURCES = ("CITATION.cff", "LICENSE", "README.md", "Snakefile", "pyproject.toml", "requirements.lock")

SOURCE_FOLDERS = {"config": ".yaml", "workflow/rules": ".smk"}
"""What the workflow is run from, besides the package itself, which the commit names."""

CIFAR10 = "https://www.cs.toronto.edu/~kriz/cifar.html"

MIT = "https://spdx.org/licenses/MIT"

FORMATS = {
    ".cff": "text/yaml",
    ".csv": "text/csv",
    ".html": "text/html",
    ".json": "application/json",
    ".md": "text/markdown",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".yaml": "text/yaml",
}

ZIP_DATE = (1980, 1, 1, 0, 0, 0)
"""The date of every member of a zip: another would make other bytes of the same run."""


@dataclass(frozen=True)
class FinishedRun:
    """A finished run.

    Attributes:
        root: its directory, from which all paths start.
        records: sidecars by their path.
        data: where images lie, whose files stay out of the crate.
    """

    root: Path
    records: Mapping[Path, Sidecar]
    data: Path

    def is_data(self, path: Path) -> bool:
        """Whether a path from the root is one of images."""
        return path.is_relative_to(self.data) or path.suffix == ".npz"

    def results(self) -> dict[Path, str]:
        """The files that the sidecars list, images left out, with their recorded SHA-256."""
        return {
            sidecar.parent / name: digest
            for sidecar, record in self.records.items()
            for name, digest in record.outputs.items()
            if not self.is_data(sidecar.parent / name)
        }


def read_run(root: Path, paths: Paths, pages: Iterable[Path]) -> FinishedRun:
    """The run below ``root``, its sidecars checked against their files.

    ``pages`` are written documents with sidecars, passed over if they are not made. Raises ``DataError``
    if there are no figures, or a file is missing or not the one that its sidecar records.
    """
    outside = [path for path in (paths.figures, paths.results, paths.data) if path.is_absolute()]
    if outside:
        raise DataError(f"{outside[0]}: a crate needs relative paths in the block 'paths'; set them")
    places = [root / place for place in (paths.figures, paths.results, paths.data)]
    found = [sidecar for place in places for sidecar in sidecars_below(place)]
    found += [root / page.with_suffix(".json") for page in pages]
    records = {
        path.relative_to(root): Sidecar.model_validate(read_sidecar(path))
        for path in dict.fromkeys(found)
        if path.is_file()
    }
    run = FinishedRun(root, records, paths.data)
    if not any(path.is_relative_to(paths.figures) for path in records):
        raise DataError(f"{places[0]}: there are no figures with sidecars; run: snakemake --cores all")
    for path, digest in run.results().items():
        if not is_inside(path.as_posix()) or not (root / path).is_file():
            raise DataError(f"{path}: a sidecar lists it, and it is not here; make it again")
        if sha256(root / path) != digest:
            raise DataError(f"{path}: not the file its sidecar describes; see dynparam verify {path}")
    return run


def write_crate(run: FinishedRun, output: Path) -> None:
    """Write the crate: a zip if ``output`` ends in ``.zip``, else a new directory.

    Raises ``DataError`` if the directory exists or the workflow's files are not below the run's root.
    """
    if output.suffix != ".zip" and output.exists():
        raise DataError(f"{output}: is there already; remove it or choose another name")
    crate = build_crate(run)
    with naming_write_errors(output):
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}.") as scratch:
            folder = Path(scratch) / "crate"
            crate.write(folder)
            if output.suffix == ".zip":
                with atomic_path(output) as partial:
                    _zip(folder, partial)
            else:
                folder.replace(output)


def build_crate(run: FinishedRun) -> ROCrate:
    """The crate's entities; no file is copied yet."""
    missing = [name for name in (*SOURCES, str(MAIN)) if not (run.root / name).is_file()]
    if missing:
        raise DataError(f"{run.root / missing[0]}: a crate needs it; run this in the repository")
    crate = ROCrate(version="1.1")
    crate.metadata.extra_contexts.append(TERMS)
    _describe(crate, run)
    workflow = crate.add_workflow(
        run.root / MAIN,
        MAIN.as_posix(),
        main=True,
        lang="snakemake",
        properties=_properties(run.root / MAIN, name="The workflow from CIFAR-10 to figures"),
    )
    files = {path: _add_file(crate, run, path) for path in _all_files(run)}
    software = _add_software(crate, run)
    actions = [
        _add_action(crate, run, sidecar, record, software) for sidecar, record in run.records.items()
    ]
    whole = crate.add_action(
        workflow,
        "#run",
        object=[files[Path("config/thesis.yaml")], _cifar10(crate)],
        result=[files[path] for path in run.results()],
        properties={
            "name": "The run of the workflow",
            "endTime": max(record.created for record in run.records.values()),
        },
    )
    crate.root_dataset["mentions"] = [whole, *actions]
    return crate


def _describe(crate: ROCrate, run: FinishedRun) -> None:
    """Name, description, date, licence, authors and profiles of the root."""
    citation = yaml.safe_load((run.root / CITATION).read_text(encoding="utf-8"))
    crate.name = f"{citation['title']}: a finished run"
    crate.description = " ".join(citation["abstract"].split())
    crate.datePublished = max(record.created for record in run.records.values())
    crate.license = _context(crate, MIT, "CreativeWork", name="MIT License", url=MIT)
    crate.keywords = ", ".join(citation["keywords"])
    crate.creator = [_author(crate, author) for author in citation["authors"]]
    crate.root_dataset["citation"] = [_reference(crate, one) for one in citation["references"]]
    crate.root_dataset["conformsTo"] = [
        _context(crate, address, "CreativeWork", name=name, version=address.rsplit("/", 1)[1])
        for address, name in PROFILES.items()
    ]


def _author(crate: ROCrate, author: Mapping[str, str]) -> ContextEntity:
    if "name" in author:
        return _context(crate, f"#{_slug(author['name'])}", "Organization", name=author["name"])
    name = f"{author['given-names']} {author['family-names']}"
    return _context(crate, f"#{_slug(name)}", "Person", name=name)


def _reference(crate: ROCrate, reference: Mapping[str, Any]) -> ContextEntity:
    kind = "Thesis" if reference["type"] == "thesis" else "ScholarlyArticle"
    authors = [_author(crate, author) for author in reference["authors"]]
    return _context(
        crate,
        f"#{_slug(reference['title'])}",
        kind,
        name=reference["title"],
        author=authors,
        datePublished=str(reference["year"]),
    )


def _all_files(run: FinishedRun) -> Iterator[Path]:
    """Paths of all files of the crate but the main workflow, each once."""
    sources = [Path(name) for name in SOURCES]
    for folder, suffix in SOURCE_FOLDERS.items():
        sources += sorted(p.relative_to(run.root) for p in (run.root / folder).glob(f"*{suffix}"))
    sidecars = [path for path in run.records if not run.is_data(path)]
    pages = [path for path in run.results() if path.suffix == ".md"]
    yield from dict.fromkeys([*sources, *pages, *sorted([*run.results(), *sidecars])])


def _add_file(crate: ROCrate, run: FinishedRun, path: Path) -> Any:
    return crate.add_file(run.root / path, path.as_posix(), properties=_properties(run.root / path))


def _properties(path: Path, **more: str) -> dict[str, Any]:
    return {
        "name": path.name,
        "encodingFormat": FORMATS.get(path.suffix, "text/plain"),
        "contentSize": str(path.stat().st_size),
        "sha256": sha256(path),
        **more,
    }


def _add_software(crate: ROCrate, run: FinishedRun) -> dict[str, ContextEntity]:
    """An application for every stage and version of it, by ``_instrument``."""
    found: dict[str, ContextEntity] = {}
    for record in run.records.values():
        name = _instrument(record)
        if name not in found:
            stage = record.code.stage if record.code else "an unrecorded stage"
            commit = record.git.commit or "unknown commit"
            found[name] = _context(
                crate,
                name,
                "SoftwareApplication",
                name=f"dynparam, {stage}",
                softwareVersion=f"{record.versions.get('dynparam', 'unknown')} ({commit})",
                softwareRequirements=[
                    f"{package}=={version}" for package, version in record.versions.items()
                ],
            )
    return found


def _instrument(record: Sidecar) -> str:
    commit = (record.git.commit or "unknown")[:12]
    return f"#dynparam/{record.code.stage if record.code else 'unrecorded'}/{commit}"


def _add_action(
    crate: ROCrate,
    run: FinishedRun,
    sidecar: Path,
    record: Sidecar,
    software: Mapping[str, ContextEntity],
) -> ContextEntity:
    """The making of a sidecar's files."""
    end = datetime.fromisoformat(record.created)
    outputs = {sidecar.parent / name: digest for name, digest in record.outputs.items()}
    properties: dict[str, Any] = {
        "name": f"Making {sidecar.with_suffix('').as_posix()}",
        "startTime": (end - timedelta(seconds=round(record.wall_seconds))).isoformat(),
        "endTime": record.created,
        "actionStatus": "http://schema.org/CompletedActionStatus",
    }
    if record.command:
        properties["description"] = " ".join(record.command)
    return crate.add_action(
        software[_instrument(record)],
        f"#making/{sidecar.with_suffix('').as_posix()}",
        object=[_entity(crate, run, Path(key), digest) for key, digest in record.inputs.items()],
        # An audit makes no file but its record.
        result=[_entity(crate, run, path, digest) for path, digest in outputs.items()]
        or [_entity(crate, run, sidecar, "")],
        properties=properties,
    )


def _entity(crate: ROCrate, run: FinishedRun, path: Path, digest: str) -> Any:
    """The file of a recorded path if it is in the crate, else a thing known by its hash."""
    known = crate.get(path.as_posix())
    if known is not None:
        return known
    address = f"#file/{digest or path.as_posix()}"
    kind = f"{'images of CIFAR-10' if run.is_data(path) else 'file'}, not in the crate"
    more = {"isBasedOn": _cifar10(crate)} if run.is_data(path) else {}
    return crate.get(address) or _context(
        crate, address, "CreativeWork", name=path.as_posix(), description=kind, sha256=digest, **more
    )


def _cifar10(crate: ROCrate) -> ContextEntity:
    return crate.get(CIFAR10) or _context(
        crate,
        CIFAR10,
        "CreativeWork",
        name="CIFAR-10",
        url=CIFAR10,
        description="Not in the crate: dynparam data retrieve brings it, verified by SHA-256.",
    )


def _context(crate: ROCrate, address: str, kind: str, **properties: Any) -> ContextEntity:
    known = crate.get(address)
    if known is not None:
        return known
    entity = crate.add(ContextEntity(crate, address, properties={"@type": kind}))
    for key, value in properties.items():
        entity[key] = value
    return entity


def _slug(text: str) -> str:
    return quote("-".join("".join(c if c.isalnum() else " " for c in text.lower()).split()))


def _zip(folder: Path, output: Path) -> None:
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                member = zipfile.ZipInfo(path.relative_to(folder).as_posix(), ZIP_DATE)
                member.external_attr = 0o644 << 16
                member.compress_type = zipfile.ZIP_DEFLATED
                with path.open("rb") as source, archive.open(member, "w") as target:
                    shutil.copyfileobj(source, target)
