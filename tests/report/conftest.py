"""An invented run for the findings and for the claims of the sources, made once."""

from pathlib import Path

import pytest

from tests import findings_run
from tests.locks import locked


@pytest.fixture(scope="session")
def invented_run(shared: Path) -> Path:
    """The files of a run (``findings_run``), not to be changed; made by the first worker that asks."""
    root = shared / "invented_run"
    with locked(shared / "invented_run.lock"):
        if not (root / "complete").exists():
            root.mkdir(exist_ok=True)
            findings_run.make(root)
            (root / "complete").touch()
    return root
