"""The Makefile: what its help lists, what it says before it fetches torch, how a figure is named."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "Makefile").read_text()
TOOLS = ("ls", "make", "sh", "test")
OF_MAKE = ("MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS")
"""What a make tells those that it starts."""

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")


def make(*arguments, **environment):
    """Make as somebody types it, even if the tests themselves were started by ``make test``."""
    inherited = {name: value for name, value in os.environ.items() if name not in OF_MAKE}
    return subprocess.run(
        ["make", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**inherited, **environment},
    )


def test_the_help_lists_targets_that_there_are():
    told = make("help")
    assert told.returncode == 0
    listed = set(re.findall(r"^make (\w+)", told.stdout, re.MULTILINE))
    assert listed >= {"env", "figure", "reproduce", "test", "clean"}
    for target in listed:
        assert re.search(rf"^{target}:", TEXT, re.MULTILINE), target
    assert all(len(line) <= 100 for line in told.stdout.splitlines())
    assert "CPU build" in told.stdout


def test_a_figure_is_a_target_of_the_workflow():
    planned = make("-n", "figure", "FIG=fig3_3")
    assert planned.returncode == 0
    assert planned.stdout.splitlines()[-1] == "snakemake --cores all fig3_3"


def test_without_a_name_nothing_is_set_up(tmp_path):
    told = make("figure", f"VENV={tmp_path / 'venv'}")
    assert told.returncode == 2
    assert told.stderr.splitlines()[0] == "make figure: which one? Name it: make figure FIG=fig3_3"
    assert not (tmp_path / "venv").exists()


@pytest.fixture
def machine(tmp_path):
    """A PATH with a few tools and an invented ``uname``, and a place for the environment."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in TOOLS:
        (programs / name).symlink_to(shutil.which(name))

    def add(name, says=""):
        (programs / name).write_text(f"#!{shutil.which('sh')}\necho {says}\n")
        (programs / name).chmod(0o755)

    add("uname", "Linux")
    return tmp_path, add


def hint(place, *options):
    told = make(
        "--no-print-directory",
        "torch-hint",
        f"VENV={place / 'venv'}",
        *options,
        PATH=f"{place / 'programs'}",
    )
    assert told.returncode == 0, told.stderr
    return told.stdout


def test_where_there_is_no_gpu_it_says_how_to_take_a_cpu_build(machine):
    place, _ = machine
    assert 'make env TORCH_OPTIONS="--index-url ADDRESS"' in hint(place)


@pytest.mark.parametrize("why", ["a GPU", "another system", "a build was chosen", "torch is there"])
def test_it_says_nothing_where_nothing_is_to_be_said(machine, why):
    place, add = machine
    options = ()
    if why == "a GPU":
        add("nvidia-smi")
    elif why == "another system":
        add("uname", "Darwin")
    elif why == "a build was chosen":
        options = ("TORCH_OPTIONS=--index-url anywhere",)
    else:
        (place / "venv" / "lib" / "python3.11" / "site-packages" / "torch").mkdir(parents=True)
    assert hint(place, *options) == ""


def test_it_comes_before_torch_is_fetched(tmp_path):
    """Of the environment to run, and of the one to test."""
    for target in ("env", "lint"):
        planned = make("-n", target, f"VENV={tmp_path / 'venv'}").stdout
        assert 0 < planned.index("about to fetch torch") < planned.index("requirements-torch.txt")
