"""The wings: what lies where, and that an import against their order is found and named."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "dynparam"
NO_WINGS = {"documents", "regression", "slurm", "workflow"}
"""Folders of tests about what is not in the package."""


def folders(path: Path) -> set[str]:
    return {one.name for one in path.iterdir() if one.is_dir() and one.name != "__pycache__"}


WINGS = sorted(folders(PACKAGE))
EXPERIMENTS = sorted(folders(PACKAGE / "experiments"))


def test_the_package_holds_wings_alone():
    files = {one.name for one in PACKAGE.iterdir() if one.is_file()}
    assert files == {"__init__.py", "__main__.py", "py.typed"}


@pytest.mark.parametrize("place", [*WINGS, *(f"experiments/{name}" for name in EXPERIMENTS)])
def test_a_wing_says_what_it_is_and_nothing_else(place):
    tree = ast.parse((PACKAGE / place / "__init__.py").read_text())
    assert len(tree.body) == 1
    assert ast.get_docstring(tree)


def test_tests_mirror_the_wings():
    assert folders(ROOT / "tests") - NO_WINGS <= set(WINGS)
    assert not NO_WINGS & set(WINGS)
    assert folders(ROOT / "tests" / "experiments") <= set(EXPERIMENTS)


@pytest.fixture
def house(tmp_path):
    """A copy of the package, with its contracts."""
    leave_out = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PACKAGE, tmp_path / "src" / "dynparam", ignore=leave_out)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(house: Path) -> tuple[bool, str]:
    """Whether all contracts are kept, and what import-linter says."""
    run = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=house,
        env={**os.environ, "PYTHONPATH": str(house / "src"), "COLUMNS": "200"},
        capture_output=True,
        text=True,
    )
    return run.returncode == 0, run.stdout + run.stderr


def test_the_house_as_it_is_keeps_its_contracts(house):
    kept, words = lint(house)
    assert kept, words
    assert "3 kept, 0 broken" in words


LAYERS = "The wings, and what each may import"
INDEPENDENCE = "No experiment imports another"
ARITHMETIC = "Theory is arithmetic"


@pytest.mark.parametrize(
    ("module", "imported", "contract"),
    [
        ("support.tables", "dynparam.theory.widths", LAYERS),
        ("trials.one_step", "dynparam.training.runs", LAYERS),
        ("experiments.alignments.settings", "dynparam.experiments.r_sweep.settings", INDEPENDENCE),
        ("theory.widths", "torch", ARITHMETIC),
        ("theory.orders", "pandas", ARITHMETIC),
        ("theory.conditions", "pydantic", ARITHMETIC),
    ],
)
def test_a_broken_contract_is_named(house, module, imported, contract):
    path = house.joinpath("src", "dynparam", *module.split(".")).with_suffix(".py")
    # Inside a function too: what is imported late is imported.
    path.write_text(f"{path.read_text()}\n\ndef broken():\n    import {imported}\n")
    kept, words = lint(house)
    assert not kept
    broken = {name for name in (LAYERS, INDEPENDENCE, ARITHMETIC) if f"{name} BROKEN" in words}
    assert broken == {contract}, words
    assert f"dynparam.{module} -> {imported}" in words


def test_a_wing_without_a_floor_is_named(house):
    (house / "src" / "dynparam" / "cellar").mkdir()
    (house / "src" / "dynparam" / "cellar" / "__init__.py").write_text('"""No floor."""\n')
    kept, words = lint(house)
    assert not kept
    assert "dynparam.cellar" in words
