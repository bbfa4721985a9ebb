"""Commands made from stages: what they print, and what their help tells."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from dynparam.cli import stage as made_from
from dynparam.data.settings import DataStage
from dynparam.provenance.stage import Made, Parameter, Stage
from tests.findings_run import CONFIG

PARAMETERS = (
    Parameter("pair", "A pair.", names=lambda config: config.data.pairs),
    Parameter("count", "How many.", "--count", int, 7),
    Parameter("place", "Where.", "--place", Path, None, shown="worked out"),
    Parameter("needed", "Must be given.", "--needed"),
)
RUNNER = CliRunner(env={"COLUMNS": "200", "TERM": "dumb"})


def make(settings, files, output):
    """Make something of a pair."""


@pytest.fixture
def app(monkeypatch):
    """A program with the command ``of-stage`` that says ``said``, and what it was called with."""
    stage = Stage("group of-stage", DataStage, make, parameters=PARAMETERS, examples=("one", "two"))
    group, seen = typer.Typer(), []
    group.callback()(lambda: None)

    def run(given_stage, settings, output, **given):
        assert given_stage is stage
        seen.append((settings, output, given))
        return Made([], said=given["needed"])

    monkeypatch.setattr(made_from, "run", run)
    made_from.add({"group": group}, [stage])
    return group, seen


@pytest.mark.parametrize(("said", "printed"), [("done", "done\n"), ("", "")])
def test_a_command_prints_what_its_stage_says_and_no_empty_line(app, said, printed):
    group, seen = app
    line = ["of-stage", "bird-cat", "--needed", said, "--output", "file"]
    found = RUNNER.invoke(group, [*line, "--config", f"only={CONFIG.model_dump_json()}"])
    assert (found.exit_code, found.stdout) == (0, printed)
    ((settings, output, given),) = seen
    assert settings == DataStage(data=CONFIG.data)
    assert output == Path("file")
    assert given == {"pair": "bird-cat", "count": 7, "place": None, "needed": said}


def test_the_help_tells_defaults_and_what_must_be_given(app):
    group, _ = app
    told = RUNNER.invoke(group, ["of-stage", "--help"]).stdout
    for part in ("Make something of a pair.", "A pair.", "Examples:", "one", "two"):
        assert part in told
    for option, end in {
        "--count": "[default: 7]",
        "--place": "[default: (worked out)]",
        "--needed": "[required]",
        "--output": "[required]",
    }.items():
        assert next(row for row in told.splitlines() if option in row).rstrip(" │|").endswith(end)
    assert RUNNER.invoke(group, ["of-stage", "bird-cat", "--output", "file"]).exit_code == 2
