"""The code digests that decide which stages an edit repeats."""

import shutil
from pathlib import Path

import pytest

from dynparam.provenance.code_digest import PACKAGE, stage_digest

COMMANDS = (
    "extract_pair",
    "probe_alignment",
    "expect_slopes",
    "fit_slopes",
    "compare_slopes",
    "plot_figure",
    "plot_architecture",
)


@pytest.fixture
def package(tmp_path):
    copy = tmp_path / "dynparam"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def digests(package: Path) -> dict[str, str]:
    return {command: stage_digest(command, package) for command in COMMANDS}


def changed_by(package: Path, module: str, text: str) -> set[str]:
    """The commands whose digest changes when ``text`` is appended to a module."""
    before = digests(package)
    with (package / f"{module.replace('.', '/')}.py").open("a") as file:
        file.write(text)
    return {command for command, digest in digests(package).items() if digest != before[command]}


EDIT = "\nADDED = 1\n"


@pytest.mark.parametrize(
    ("module", "commands"),
    [
        ("experiments.alignments.page", {"compare_slopes"}),
        ("experiments.alignments.figure", {"plot_figure"}),
        ("engines.gaussian_columns", {"probe_alignment"}),
        ("engines.network", {"probe_alignment"}),
        ("data.download", set()),
        ("statistics.slopes", {"fit_slopes", "compare_slopes", "plot_figure"}),
        ("support.progress", set()),
        ("provenance.record", set()),
        ("configuration.config", set()),
    ],
)
def test_an_edit_touches_the_stages_that_use_it(package, module, commands):
    assert changed_by(package, module, EDIT) == commands


def test_a_shared_module_touches_all_its_users(package):
    touched = changed_by(package, "theory.parametrization", EDIT)
    assert {"probe_alignment", "expect_slopes"} <= touched
    assert not touched & {"extract_pair", "plot_architecture"}


@pytest.mark.parametrize("text", ["\n# a comment\n", '\n"""A string that documents."""\n', "\n\n\n"])
def test_words_and_spaces_touch_nothing(package, text):
    assert changed_by(package, "theory.parametrization", text) == set()


def test_an_edited_command_touches_itself_alone(package):
    cli = package / "cli" / "probe.py"
    before = digests(package)
    source = cli.read_text()
    changed = source.replace("torch.set_num_threads(threads)", "torch.set_num_threads(threads + 1)")
    assert changed != source
    cli.write_text(changed)
    after = digests(package)
    assert {c for c in COMMANDS if after[c] != before[c]} == {"probe_alignment"}


def test_unknown_command():
    with pytest.raises(ValueError, match="no command function 'nothing'"):
        stage_digest("nothing")


def test_library_versions_count(package, monkeypatch):
    before = digests(package)
    monkeypatch.setattr("importlib.metadata.version", lambda name: "0.0")
    after = digests(package)
    assert {c for c in COMMANDS if after[c] != before[c]} == set(COMMANDS)
