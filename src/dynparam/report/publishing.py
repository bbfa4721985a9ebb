"""Figures and pages of a run put where the repository keeps them, with their sidecars."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dynparam.configuration.config import Config
from dynparam.presentation.sentences import counted, joined
from dynparam.provenance.sidecars import ancestry, read_sidecar
from dynparam.report.published import FIGURE, PAGE, Publication, publications
from dynparam.settings.base import named
from dynparam.support.errors import DataError, DynparamError
from dynparam.support.files import atomic_path, sha256


def publish(settings: Config, names: Sequence[str], git: Mapping[str, Any]) -> str:
    """Copy figures and pages of a finished run to where the repository keeps them.

    All is checked before the first file is copied: that the code is committed now, that it was when the
    files and what they rest on were made, and that every file is the one that its sidecar describes.

    Args:
        settings: the configuration of the run.
        names: of figures and pages; none for all.
        git: the state of the checkout, as ``provenance.record.git_state`` has it.

    Returns:
        what was copied, and what of it changed, in a sentence.

    Raises:
        ConfigError: if a name is that of no figure and no page.
        DataError: if a file is missing, is not that of its sidecar, or was made by uncommitted code.
        DynparamError: if the code is not committed, or a file cannot be written.
    """
    _require_committed(git)
    known = {one.name: one for one in publications(settings)}
    chosen = [named(known, name, "the figures and pages of a run") for name in names or known]
    for one in chosen:
        _require_whole(one)
    _require_made_by_commits(chosen)
    changed = [one.name for one in chosen if _is_other(one)]
    for one in chosen:
        for path in one.files:
            _copy(path, one.published(path))
    return _said(settings, chosen, changed)


def _require_committed(git: Mapping[str, Any]) -> None:
    if git["commit"] is None:
        why = git.get("why", "the code lies in no checkout")
        raise DynparamError(f"what is published names its commit, and there is none ({why}); use git")
    if git["dirty"]:
        raise DynparamError(
            "the checkout differs from its commit; commit the changes (git status lists them), then "
            "publish"
        )


def _require_whole(one: Publication) -> None:
    """Every file is there, and is the one that its sidecar describes."""
    again = f"snakemake --cores all {one.target}"
    for path in one.files:
        if not path.is_file():
            raise DataError(f"{path}: there is no such file yet; run: {again}")
    recorded = read_sidecar(one.sidecar)["outputs"]
    for path in one.files:
        if path != one.sidecar and recorded.get(path.name) != sha256(path):
            raise DataError(
                f"{path}: is not the file that {one.sidecar} describes; delete it, and run: {again}"
            )


def _require_made_by_commits(chosen: Sequence[Publication]) -> None:
    """Neither they nor what they rest on was made by code that no commit has."""
    for sidecar, record in ancestry(one.compared for one in chosen).items():
        if record["git"]["dirty"] is not False:
            made = next(iter(record["outputs"]), sidecar.name)
            raise DataError(
                f"{sidecar.parent / made}: was made by code that is not committed; delete it, and run: "
                f"snakemake --cores all"
            )


def _is_other(one: Publication) -> bool:
    """Whether the published file is missing or holds something else."""
    published = one.published(one.compared)
    return not published.is_file() or sha256(published) != sha256(one.compared)


def _copy(path: Path, place: Path) -> None:
    with atomic_path(place) as partial:
        shutil.copyfile(path, partial)


def _said(settings: Config, chosen: Sequence[Publication], changed: Sequence[str]) -> str:
    counts = {kind: sum(one.kind == kind for one in chosen) for kind in (FIGURE, PAGE)}
    places = {FIGURE: settings.published.figures, PAGE: settings.published.pages}
    copied = [f"{counted(n, kind)} to {places[kind]}" for kind, n in counts.items() if n]
    told = f"other than before: {joined(changed)}" if changed else "what they hold is as before"
    return f"Copied {joined(copied)}; {told}."
