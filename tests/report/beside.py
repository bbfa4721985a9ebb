"""A small run with published copies of all its figures and pages, as files below a directory."""

import json
import shutil
import time
from pathlib import Path

import pytest

from dynparam.configuration.config import Config
from dynparam.configuration.loading import load
from dynparam.provenance import record
from dynparam.provenance.record import write_sidecar
from dynparam.report.published import FIGURE, Publication, publications

ROOT = Path(__file__).parents[2]
COMMITTED = {"commit": "0123456789abcdef", "dirty": False}

TABLE = "n,slope,verdict\n1000,-1.6012345,agrees\n2000,1.2e-09,agrees\n"
PAGE = "# A page\n\n1. **It holds** in 24 of 24 slopes, -1.60 to\n   -1.18 (`results/a.csv`).\n"


def settings(root: Path) -> Config:
    """The thesis's configuration with all places below ``root``."""
    pages = {name: f"{root}/results/pages/{name}.md" for name in ("page", "summary", "companions")}
    changes = {
        "paths": {name: f"{root}/{name}" for name in ("data", "results")}
        | {"figures": f"{root}/results/figures"},
        "published": {"figures": f"{root}/figures", "pages": f"{root}/docs"},
        "findings": pages,
        "open_choices": {"page": f"{root}/results/pages/open-choices.md"},
    }
    return load(Config, [ROOT / "config/thesis.yaml", json.dumps(changes)])


def write(one: Publication, config: Config, content: str = "", trials: int = 30) -> None:
    """A figure or page of the run with its sidecar; ``trials`` is what it depends on."""
    one.compared.parent.mkdir(parents=True, exist_ok=True)
    one.compared.write_text(content or (TABLE if one.kind == FIGURE else PAGE))
    outputs = [path for path in one.files if path != one.sidecar]
    for path in outputs:
        if path != one.compared:
            path.write_bytes(b"a picture")
    probe = config.probe.model_copy(update={"trials": trials})
    write_sidecar(one.sidecar, outputs, probe, started=time.monotonic())


def publish_all(config: Config) -> None:
    """Copy what was written to where it is kept."""
    for one in publications(config):
        one.folder.mkdir(parents=True, exist_ok=True)
        for path in one.files:
            shutil.copy(path, one.published(path))


def make(root: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    """A run made by committed code, and its published copies, which are equal."""
    monkeypatch.setattr(record, "git_state", lambda: COMMITTED)
    config = settings(root)
    for one in publications(config):
        write(one, config)
    publish_all(config)
    return config
