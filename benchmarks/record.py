"""What every benchmark writes: its tables, and when, where and with what they were taken."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from dynparam.configuration.loading import load
from dynparam.provenance.record import git_state, hardware, versions
from dynparam.settings.base import Block
from dynparam.support.files import write_text

QUICK_SECONDS = 0.1
"""How long ``--quick`` measures a rate of the machine."""

ROOT = Path(__file__).parents[1]
Settings = TypeVar("Settings", bound=Block)


def parser(description: str, output: Path) -> argparse.ArgumentParser:
    """The options that all benchmarks have: ``--output`` and ``--quick``."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--output", type=Path, default=output)
    made.add_argument("--quick", action="store_true", help="tiny networks: does the script run?")
    return made


def settings(model: type[Settings], *, quick: bool) -> Settings:
    """The thesis's configuration, or blocks of it, at reduced widths if ``quick``."""
    files = ["thesis.yaml", "reduced.yaml"] if quick else ["thesis.yaml"]
    return load(model, [ROOT / "config" / name for name in files])


def write(output: Path, command: str, tables: Mapping[str, Any]) -> None:
    """Write ``tables`` as JSON, with the command, the time, the commit, versions and hardware."""
    record = {
        "command": f"python -m benchmarks.{command}",
        **tables,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "git": dict(git_state()),
        "versions": versions(),
        "hardware": hardware(),
    }
    write_text(output, json.dumps(record, indent=2) + "\n")
