"""The digests of all stages, kept in a file for as long as no code changes.

To work them out is to read the syntax tree of every module: two seconds of each dry run. The file names
the state of the code that it was written for, down to the versions of libraries; under any other state
the digests are worked out again.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from dynparam.provenance.code_digest import LIBRARIES, PACKAGE, sources
from dynparam.provenance.stage import Stage
from dynparam.support.files import write_text

PLACE = Path(".snakemake", "dynparam", "digests.json")
"""Where the workflow keeps them, in the directory that it runs in."""


class _Kept(BaseModel):
    state: str
    digests: dict[str, str]


def kept_digests(stages: Iterable[Stage[Any]], file: Path, package: Path = PACKAGE) -> dict[str, str]:
    """The digest of each stage, by its name.

    Args:
        stages: all stages of the workflow.
        file: where digests are kept; written if it is missing, damaged, or of other code.
        package: the directory of the library's sources.

    Raises:
        DynparamError: if ``file`` cannot be written.
    """
    state, by_name = _state(package), {stage.name: stage for stage in stages}
    kept = _read(file)
    if kept is None or kept.state != state or kept.digests.keys() != by_name.keys():
        digests = {name: stage.digest(package) for name, stage in by_name.items()}
        kept = _Kept(state=state, digests=digests)
        write_text(file, kept.model_dump_json(indent=1) + "\n")
    return kept.digests


def _state(package: Path) -> str:
    """A SHA-256 of all that digests are made from: sources, templates, and what reads them."""
    found = hashlib.sha256(sys.version.encode())
    for name in LIBRARIES:
        found.update(f"\n{name}=={importlib.metadata.version(name)}".encode())
    for path in sorted(sources(package)):
        content = Path(path).read_bytes()
        found.update(f"\n{os.path.relpath(path, package)} {len(content)}\n".encode() + content)
    return found.hexdigest()


def _read(file: Path) -> _Kept | None:
    """What a file keeps; nothing if it is missing or damaged."""
    try:
        return _Kept.model_validate_json(file.read_bytes())
    except (OSError, ValueError):
        return None
