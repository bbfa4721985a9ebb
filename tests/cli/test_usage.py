"""The command line as a reader of its help and of its pages, docs/cli*.md, uses it."""

import json
import os
import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest
import typer

from dynparam.cli import main, options
from dynparam.configuration.config import Config
from dynparam.configuration.loading import load
from dynparam.experiments.alignments import stages as alignments
from dynparam.experiments.training_curves import stages as training_curves
from dynparam.provenance import verification_tree
from dynparam.support.errors import AuditError, DataError, InterruptedRunError
from dynparam.training import summary
from dynparam.training.settings import all_runs

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").glob("cli*.md"))
PAGE = "\n".join(path.read_text() for path in PAGES)
PROGRAM = Path(sys.executable).with_name("dynparam")


def commands(group=None, path=()):
    """Every command without subcommands, by its words."""
    group = group or typer.main.get_command(main.app)
    found = {}
    for name, command in group.commands.items():
        below = hasattr(command, "commands")
        found |= commands(command, (*path, name)) if below else {(*path, name): command}
    return found


COMMANDS = commands()
EXAMPLES = [
    line for command in COMMANDS.values() for line in (command.epilog or "").splitlines() if line
]
LINES = [line for line in EXAMPLES if line.startswith("dynparam ")]
PAGE_LINES = re.findall(r"^    (dynparam (?!COMMAND).*)$", PAGE, re.MULTILINE)


def parse(monkeypatch, line):
    """The words of the command that a line is parsed to; nothing is run."""
    seen = []
    app = typer.main.get_command(main.app)
    for words, command in commands(app).items():
        monkeypatch.setattr(command, "callback", lambda words=words, **_: seen.append(words))
    app.main(shlex.split(line)[1:], standalone_mode=False)
    return seen[0]


@pytest.mark.parametrize("line", [*LINES, *PAGE_LINES])
def test_every_example_is_a_real_command_line(monkeypatch, line):
    if line.endswith((" --install-completion", " --help", " -h")):
        return
    words = parse(monkeypatch, line)
    assert line.startswith(f"dynparam {' '.join(words)}")


def test_a_wrong_example_would_be_noticed(monkeypatch):
    with pytest.raises(Exception, match="No such option"):
        parse(monkeypatch, "dynparam status --jsn")


def test_every_command_has_an_example_of_its_own():
    for words, command in COMMANDS.items():
        assert f"dynparam {' '.join(words)}" in (command.epilog or ""), words
        assert command.help, words


def test_the_page_lists_every_command_and_which_print_json():
    rows = re.findall(r"^\| `dynparam ([\w ]+)`? ?[^|]*\|[^|]*\| ?(yes)?", PAGE, re.MULTILINE)
    listed = {tuple(words.split()): bool(json_) for words, json_ in rows}
    drawn = {words for words in COMMANDS if words[0] == "plot"}
    plots = re.search(r"figures: (.*?) \|", PAGE)[1]
    assert {("plot", name) for name in re.findall(r"`(\w+)`", plots)} == drawn
    has_json = {
        words: any("--json" in parameter.opts for parameter in command.params)
        for words, command in COMMANDS.items()
        if words not in drawn
    }
    assert {words: flag for words, flag in listed.items() if words != ("plot",)} == has_json


def test_the_page_and_the_help_tell_the_same_exit_codes():
    told = set(re.findall(r"^\| (\d[\d +n]*) \|", PAGE, re.MULTILINE))
    assert told == set(re.findall(r"(128 \+ n|\b[0-4]\b)(?= )", options.EXIT_CODES))


def test_exit_codes_are_those_of_the_errors():
    report = verification_tree
    assert (report.AGREES, report.DIFFERS, report.MISSING) == (0, 1, 3)
    assert (DataError.exit_code, AuditError.exit_code) == (1, 4)
    assert InterruptedRunError("stopped", 15).exit_code == 143


def test_every_option_that_the_page_names_exists():
    known = {
        opt for command in COMMANDS.values() for parameter in command.params for opt in parameter.opts
    }
    # Typer's own, and Snakemake's.
    known |= {"--help", "--install-completion", "--show-completion", "--cores", "--configfile"}
    assert set(re.findall(r"--[a-z][\w-]*", PAGE)) <= known


def test_names_are_completed_from_the_configuration(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert options.complete_tasks("air") == ["airplane-automobile"]
    assert options.complete_tasks("automobile") == [], "a name is typed from its beginning on"
    assert options.complete_curves("fig3_3") == ["fig3_3_spectral", "fig3_3_dynamic"]
    figures = {
        stage.command: options.completion(stage.parameters[0].names)
        for stage in (alignments.PLOT, training_curves.PLOT)
    }
    assert figures["plot probe"]("") == ["fig3_2", "fig3_3"]
    assert figures["plot curves"]("fig3_5") == ["fig3_5"]
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "thesis.yaml").write_text("wrong")
    assert options.complete_tasks("") == [], "a wrong configuration must not spoil the prompt"


def test_completion_reaches_the_shell(tmp_path):
    environment = {
        "_DYNPARAM_COMPLETE": "complete_bash",
        "COMP_WORDS": "dynparam train bi",
        "COMP_CWORD": "2",
    }
    done = run(tmp_path, **environment)
    assert done.stdout.split() == ["bird-cat"]


def run(place, *arguments, program=(PROGRAM,), **environment):
    return subprocess.run(
        [*program, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=place,
        env={**os.environ, **environment},
    )


def test_help_is_quick():
    """Neither torch nor pandas nor matplotlib, for the whole register of commands."""
    heavy = "{'torch', 'pandas', 'matplotlib', 'scipy', 'snakemake', 'rocrate'}"
    code = f"import sys, dynparam.cli.main; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_missing_inputs_name_the_command_that_makes_them(tmp_path):
    for arguments, sentence in (
        (["train", "bird-cat", "dynamic"], "run: dynparam data pair bird-cat\n"),
        (["audit", "bird-cat", "dynamic"], "run: dynparam data pair bird-cat\n"),
        (["compare"], "run: snakemake --cores all comparison\n"),
        (["train", "bird-kat", "dynamic"], "(did you mean 'bird-cat'?)\n"),
        (["probe", "fig3_3_dynamc"], "(did you mean 'fig3_3_dynamic'?)\n"),
    ):
        done = run(tmp_path, *arguments)
        assert done.returncode == 1
        assert done.stderr.startswith("dynparam: ")
        assert done.stderr.endswith(sentence)
        assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel of the committed sources, unpacked where no configuration lies."""
    import shutil

    place = tmp_path_factory.mktemp("wheel")
    source = place / "source"
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "src", source / "src", symlinks=True, ignore=ignored)
    shutil.copytree(ROOT / "config", source / "config")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w"]
    done = subprocess.run([*build, place, source], capture_output=True, text=True, cwd=place)
    assert done.returncode == 0, done.stderr
    (found,) = place.glob("*.whl")
    with zipfile.ZipFile(found) as archive:
        archive.extractall(place / "site")
    return place


def test_the_wheel_works_where_there_is_no_configuration(wheel, tmp_path):
    for name in ("thesis.yaml", "open_choices.yaml"):
        packaged = wheel / "site" / "dynparam" / "settings" / "defaults" / name
        assert packaged.read_bytes() == (ROOT / "config" / name).read_bytes()
    program = (sys.executable, "-m", "dynparam")
    done = run(tmp_path, "status", "--json", program=program, PYTHONPATH=str(wheel / "site"))
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["runs"]) == len(
        all_runs(load(Config, [ROOT / "config" / "thesis.yaml"]))
    )
    version = run(tmp_path, "--version", program=program, PYTHONPATH=str(wheel / "site"))
    assert re.fullmatch(r"dynparam \d+\.\d+\.\d+\n", version.stdout)


def test_the_wheel_asks_for_what_the_library_needs_and_serves_as_one(wheel, tmp_path):
    (found,) = (wheel / "site").glob("*.dist-info/METADATA")
    needs = re.findall(r"^Requires-Dist: ([\w-]+)(.*)$", found.read_text(), re.MULTILINE)
    core = {name for name, rest in needs if "extra ==" not in rest}
    library = {"matplotlib", "numpy", "pandas", "pydantic", "scipy", "torch"}
    assert core == library | {"pyyaml", "rich", "typer"}
    code = """
import dynparam, torch
from torch import nn
model = nn.Sequential(nn.Embedding(9, 32), nn.TransformerEncoderLayer(32, 2, 8), nn.Linear(32, 9))
tokens = torch.zeros(2, 4, dtype=torch.int64)
applied = dynparam.apply(model, "dynamic", learning_rate=0.01, optimizer="adamw", sample_input=tokens)
model(tokens).sum().backward()
applied.optimizer(weight_decay=0.1).step()
print(dynparam.__file__, len(applied.layers))
"""
    program = (sys.executable, "-c", code)
    done = run(tmp_path, program=program, PYTHONPATH=str(wheel / "site"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(wheel / "site" / "dynparam" / "__init__.py"), "8"]


def test_the_wheel_holds_every_template_and_caption(wheel):
    """What modules read beside themselves, so that pages can be made where there is no checkout."""
    sources = ROOT / "src" / "dynparam"
    beside = [path for path in sources.rglob("*") if path.suffix in {".j2", ".rst", ".css", ".js"}]
    assert len(beside) > 20
    for path in beside:
        packaged = wheel / "site" / "dynparam" / path.relative_to(sources)
        assert packaged.read_bytes() == path.read_bytes()


def test_a_profile_is_measured_and_printed_as_json(tmp_path):
    sizes = ["--from", "30", "--to", "300", "--count", "2", "--trials", "3"]
    done = run(
        tmp_path, "measure", "--widths", "1,1,1", "--parametrization", "dynamic", *sizes, "--json"
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["networks"]["300"][1:-1] == [300, 300, 300]
    assert {row["verdict"] for row in found["measured"]} <= {"agrees", "disagrees", "undecided"}


def test_curves_are_summarized():
    columns = ["seed", "epoch", "train_loss", "test_loss", "train_accuracy", "test_accuracy"]
    rows = [(0, 0, 1, 1, 0, 0), (0, 1, 0.2, 0.4, 1, 1), (1, 0, 1, 1, 0, 0), (1, 1, 0.4, 0.6, 1, 0.5)]
    curves = pd.DataFrame([*rows, (2, 0, 9, 9, 0, 0)], columns=columns)
    found = summary.summarize(curves)
    assert summary.summarize(curves[::-1]) == found, "a run ends with its last epoch, not its last row"
    assert found["seeds"] == [0, 1, 2]
    assert found["ended_early"] == [2]
    assert found["mean"]["test_loss"] == pytest.approx(0.5)
    assert found["standard_deviation"]["test_loss"] == pytest.approx(0.1 * 2**0.5)
    assert "3 seeds, epoch 1: train loss 0.3" in summary.sentence(found)
    one = summary.summarize(pd.DataFrame(rows[:2], columns=columns))
    assert one["standard_deviation"]["test_loss"] is None


def test_paths_and_defaults_come_from_one_configuration():
    assert options.DEFAULT_CONFIG == ["config/thesis.yaml"]
    assert load(Config, options.DEFAULT_CONFIG) == load(Config, [ROOT / "config" / "thesis.yaml"])
