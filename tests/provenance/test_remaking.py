"""Files made again: from nothing but their inputs, by no code of the directory they lie in."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dynparam.configuration.choices import load_open_choices
from dynparam.configuration.config import Config
from dynparam.configuration.jobs import ConfiguredStages
from dynparam.configuration.loading import load
from dynparam.provenance import remaking
from dynparam.provenance.sidecars import as_text, checksum
from dynparam.provenance.verification import Verifier
from dynparam.report.stages import STAGES

ROOT = Path(__file__).parents[2]
CONFIG = load(Config, [ROOT / "config" / "thesis.yaml"])
CONFIGURED = ConfiguredStages(
    CONFIG, load_open_choices(ROOT / "config" / "open_choices.yaml", CONFIG), STAGES
)
REPEATABLE = {tuple(stage.command.split()) for stage in STAGES.values() if stage.repeatable}
SMALL = '{"figures": {"dpi": 40}}'
PROGRAM = Path(sys.executable).with_name("dynparam")
LIST = (
    "import sys, dynparam.cli.main, dynparam.provenance.remaking\n"
    "import matplotlib.pyplot, pandas, scipy.stats\n"
    "print(*sorted({name.partition('.')[0] for name in sys.modules}), sep='\\n')"
)


def draw(directory, **environment):
    """A figure without inputs, drawn in ``directory`` as people do."""
    options = ["--config", str(ROOT / "config" / "thesis.yaml"), "--config", SMALL]
    done = subprocess.run(
        [PROGRAM, "plot", "architecture", "fig3_1", "--output", "figures/fig3_1.png", *options],
        cwd=directory,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def names():
    """The first parts of the names of all modules that drawing imports, the interpreter's own too."""
    listed = subprocess.run([sys.executable, "-c", LIST], capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.split() if name.isidentifier() and name != "__main__"]


@pytest.fixture(scope="module")
def received(tmp_path_factory, names):
    """A run with a figure, and beside it whatever an import, a start-up or a setting may find."""
    run = tmp_path_factory.mktemp("received")
    draw(run)
    mark = f"import os\nopen({str(run / 'marks')!r}, 'a').write(__name__ + '\\n')\n"
    planted = [*names, "torch", "typer", "usercustomize", "sitecustomize", "conftest", "setup", "json"]
    for directory in (run, run / "figures", run / "src", run / "lib", run / "results"):
        for number, name in enumerate(sorted(set(planted))):
            place = directory / name / "__init__.py" if number % 2 else directory / f"{name}.py"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(mark)
        (directory / "dynparam").mkdir(exist_ok=True)
        for module in ("__init__.py", "__main__.py"):
            (directory / "dynparam" / module).write_text(mark)
        (directory / "evil.pth").write_text(
            f"import os; open({str(run / 'marks')!r}, 'a').write('pth')\n"
        )
        (directory / "matplotlibrc").write_text("figure.facecolor: red\nsavefig.facecolor: red\n")
        (directory / "pyvenv.cfg").write_text(f"home = {directory}\n")
        (directory / "python311._pth").write_text(".\nimport site\n")
    for program in ("git", "python", "python3", "fc-list", "tar"):
        (run / "lib" / program).write_text(f"#!/bin/sh\necho {program} >> '{run / 'marks'}'\n")
        (run / "lib" / program).chmod(0o755)
    return run


def check(received):
    return Verifier(CONFIGURED).check(received / "figures" / "fig3_1.png")


def remade(received):
    """What is found of the files made again, by name."""
    found = remaking.make_again(check(received), REPEATABLE)
    return {one.subject: (one.state, one.note) for one in found}


SAME = {f"fig3_1.{kind}": ("agrees", "byte for byte") for kind in ("csv", "pdf", "png", "svg")}


def test_what_is_planted_would_leave_its_mark(received):
    """The control: Python that begins its search there runs it."""
    for arguments in (["-c", "import pandas"], ["-m", "dynparam"], ["-c", "import typing"]):
        done = subprocess.run([sys.executable, *arguments], cwd=received, capture_output=True)
        assert (received / "marks").exists(), done
        (received / "marks").unlink()


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"PYTHONPATH": "{run}:{run}/src"},
        {"PYTHONPATH": "."},
        {"PYTHONHOME": "{run}/lib", "PYTHONUSERBASE": "{run}/lib"},
        {"PYTHONSTARTUP": "{run}/setup.py", "PYTHONINSPECT": "1", "PYTHONSAFEPATH": ""},
        {"MATPLOTLIBRC": "{run}/matplotlibrc", "MPLCONFIGDIR": "{run}"},
        {"PATH": "{run}/lib:.:{path}", "VIRTUAL_ENV": "{run}/lib"},
    ],
    ids=" ".join,
)
def test_nothing_received_is_run(received, environment, monkeypatch):
    monkeypatch.chdir(received)
    path = os.environ["PATH"]
    for name, value in environment.items():
        monkeypatch.setenv(name, value.format(run=received, path=path))
    monkeypatch.setattr(sys, "path", ["", ".", str(received), str(received / "src"), *sys.path])
    assert remade(received) == SAME
    assert not (received / "marks").exists()


@pytest.mark.parametrize(
    ("program", "note"),
    [
        ((sys.executable, "-c", "import sys; sys.exit('a warning\\nthe sentence\\n')"), "the sentence"),
        ((sys.executable, "-c", "import sys; sys.exit(3)"), "it failed"),
        ((sys.executable, "-c", "import time; time.sleep(60)"), "it takes more than 0.5 seconds"),
        (("/nowhere/python",), "it cannot be started (No such file or directory)"),
    ],
)
def test_a_program_that_fails_is_told_by_its_last_words(received, monkeypatch, program, note):
    monkeypatch.setattr(remaking, "TIMEOUT_SECONDS", 0.5 if "sleep" in program[-1] else 60)
    monkeypatch.setattr(remaking, "PROGRAM", program)
    assert remade(received) == {"figures/fig3_1.png": ("not compared", note)}


def test_nothing_received_is_run_by_the_program(received):
    options = ["--config", str(ROOT / "config" / "thesis.yaml"), "--config", SMALL]
    done = subprocess.run(
        [PROGRAM, "verify", "--redraw", "figures/fig3_1.png", "--json", *options],
        cwd=received,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (received / "marks").exists()


def test_this_library_is_imported_from_a_checkout_that_verifies_itself(monkeypatch, tmp_path):
    """Though it lies in the verified directory, and what else lies there is not."""
    library = str(ROOT / "src")
    monkeypatch.setattr(sys, "path", [str(ROOT), library, "", *sys.path])
    found = remaking._imported_from(ROOT)
    assert library in found
    assert str(ROOT) not in found
    assert "" not in found
    assert set(remaking._imported_from(tmp_path)) >= {str(ROOT), library}


@pytest.fixture
def changed(tmp_path):
    """A small run whose sidecar can be rewritten; its checksum fits as a careful hand would see to."""
    draw(tmp_path)
    sidecar = tmp_path / "figures" / "fig3_1.json"

    def rewrite(**changes):
        record = {**json.loads(sidecar.read_text()), **changes}
        record["checksum"] = checksum(record)
        sidecar.write_bytes(as_text(record).encode("utf-8", "replace"))
        return remade(tmp_path)

    return rewrite


def test_commands_that_lead_out_are_not_run(changed, tmp_path, monkeypatch):
    started = []
    monkeypatch.setattr(remaking.subprocess, "run", lambda *given, **_: started.append(given))
    known = ["dynparam", "plot", "architecture", "fig3_1"]
    sidecar = tmp_path / "figures" / "fig3_1.json"
    config = json.loads(sidecar.read_text())["config"]
    for command in (
        [*known, "--results", "/etc"],
        [*known, "--results=/etc"],
        [*known, "--results", "../other"],
        [*known, "a\0b"],
        [*known, "\x1b[2J"],
        [*known, *["x"] * 200],
        [*known, "x" * 100_000],
    ):
        (found,) = changed(command=command).values()
        assert found[0] == "not compared"
        assert found[1].startswith("its command is none of this program's"), command
    for extra in ({"paths": {"results": "/etc"}}, {"a": ["../b"]}, {"a": "x" * 100_000}):
        (found,) = changed(command=known, config=config | extra).values()
        assert found[1].startswith("its command is none of this program's"), extra
    assert started == []


def test_outputs_and_configurations_that_a_command_names_are_left_out():
    command = ["dynparam", "plot", "x", "--output", "/a", "--config=/b", "--config", "/c", "--output=/d"]
    assert remaking._kept(command) == ["plot", "x"]


def test_a_command_that_fails_or_takes_too_long_is_told(changed, monkeypatch):
    (found,) = changed(config={"figures": {"dpi": -1}}).values()
    assert found[0] == "not compared"
    assert "key 'network' is missing" in found[1]
    assert "Traceback" not in found[1]
    monkeypatch.setattr(remaking, "TIMEOUT_SECONDS", 0.01)
    (found,) = changed().values()
    assert found == ("not compared", "it takes more than 0.01 seconds")
