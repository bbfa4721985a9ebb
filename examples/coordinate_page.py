"""Run the example of docs/coordinate-check.md: ``python -m examples.coordinate_page``.

What it prints goes into the page; its figure, table and provenance go into ``figures/``.
"""

from __future__ import annotations

import contextlib
import io
import re
import tempfile
import time
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from dynparam.models.check_result import CoordinateCheck
from dynparam.presentation.figure_style import save
from dynparam.provenance.record import write_sidecar
from dynparam.support.files import write_text
from examples.frame import DPI

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "coordinate-check.md"
PNG = ROOT / "figures" / "coordinate_check.png"
CODE = re.compile(r"```python\n(.*?)```", re.DOTALL)
OUTPUT = re.compile(r"(```text\n)(.*?)(\n```)", re.DOTALL)


class Settings(BaseModel):
    """What the figure depends on: the code of the page's example."""

    code: str


def example(page: str) -> str:
    """The code of a page, all blocks together."""
    return "".join(CODE.findall(page))


def shown(page: str) -> str:
    """What the page says that its code prints; the empty string if it says nothing."""
    found = OUTPUT.search(page)
    return found[2] if found else ""


def run(code: str) -> tuple[str, CoordinateCheck]:
    """What the code prints, and the check it leaves behind; files it writes are thrown away."""
    names: dict[str, Any] = {"__name__": "page"}
    printed = io.StringIO()
    with (
        tempfile.TemporaryDirectory() as directory,
        contextlib.chdir(directory),
        contextlib.redirect_stdout(printed),
    ):
        exec(compile(code, str(PAGE), "exec"), names)  # noqa: S102 - the page's own example
    check = names["check"]
    if not isinstance(check, CoordinateCheck):
        raise TypeError("the example leaves no coordinate check named check")
    return printed.getvalue().strip(), check


def main() -> None:
    """Renew the page's output, and its figure."""
    started = time.monotonic()
    page = PAGE.read_text(encoding="utf-8")
    printed, check = run(example(page))
    written = save(check.plot(), check.table, PNG, DPI)
    settings, sidecar = Settings(code=example(page)), PNG.with_suffix(".json")
    write_sidecar(sidecar, written, settings, started=started, message=check.message)
    write_text(PAGE, OUTPUT.sub(lambda found: found[1] + printed + found[3], page))


if __name__ == "__main__":
    main()
