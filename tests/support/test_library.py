"""The library alone, without what only the workflow needs."""

import re
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
IMPORTED_AS = {"markdown-it-py": "markdown_it", "pyyaml": "yaml"}

BLOCKING = """
import sys

class Without:
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in {names!r}:
            return self.finder.find_spec(name, path, target)

    def find_distributions(self, *given):
        return getattr(self.finder, "find_distributions", lambda *_: ())(*given)

sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]
"""
"""An interpreter that does not find some packages, as if they were not installed."""


def names(requirements):
    found = [re.match(r"[\w-]+", one)[0] for one in requirements]
    return {IMPORTED_AS.get(one, one) for one in found}


MISSING = names(PROJECT["optional-dependencies"]["workflow"]) - {"jinja2"}
"""Without jinja2, which torch needs itself."""


def run(code, cwd):
    program = BLOCKING.format(names=MISSING) + textwrap.dedent(code)
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd)


def test_the_package_needs_what_the_project_says_and_no_more():
    library = ("matplotlib", "numpy", "pandas", "pydantic", "scipy", "torch")
    assert names(PROJECT["dependencies"]) == {*library, *("rich", "typer", "yaml")}


@pytest.mark.parametrize(
    "code",
    [
        """
        import dynparam, torch
        from torch import nn
        make = lambda n: nn.Sequential(nn.Linear(8, n), nn.ReLU(), nn.Linear(n, 2))
        x = torch.randn(4, 8)
        options = {"learning_rate": 1e-3, "optimizer": "adamw", "sample_input": x}
        applied = dynparam.apply(make(16), "dynamic", **options)
        print(applied)
        applied.optimizer(weight_decay=0.1)
        batch = {"sample_input": x, "target": torch.ones(4, 2), "seeds": 2}
        check = dynparam.coordinate_check(make, (16, 32), **batch)
        print(check)
        check.plot("check.png")
        loss = lambda f, y: (f - y).square().mean()
        print(dynparam.sharpness(make(16), loss, (x, torch.ones(4, 2))))
        """,
        """
        from dynparam import Widths, layer_scales, learning_rate_form
        from dynparam.engines import dense, descent, empirical_ntk, law, natural_gradient
        from dynparam.support.memory import free_bytes
        from dynparam.theory import fisher, kernels, mean_field, orders
        assert free_bytes() > 2**20
        print(layer_scales("dynamic", Widths((4, 8, 2))))
        """,
    ],
    ids=["own_model", "theory_and_engines"],
)
def test_without_the_workflow_the_library_works(code, tmp_path):
    done = run(code, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout


COMMAND = "import sys; sys.argv = {words!r}; from dynparam.__main__ import main; main()"


def test_a_command_that_needs_more_says_what_to_install(tmp_path):
    words = ["dynparam", "orders", "--widths", "1,1", "--parametrization", "ntk"]
    done = run(COMMAND.format(words=words), tmp_path)
    assert done.returncode == 1
    assert re.fullmatch(r"dynparam: this command needs \w+, .*'dynparam\[workflow\]'\n", done.stderr)


def test_the_demo_needs_the_package_alone(tmp_path):
    small = (
        "probe={widths: {smallest: 60, largest: 120, count: 2}, curves: {fig3_3_spectral: {narrow: "
        "{coefficient: 5}}, fig3_3_dynamic: {narrow: {coefficient: 5}}}}"
    )
    words = ["dynparam", "demo", "--trials", "3", "--config", small]
    done = run(COMMAND.format(words=words), tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Images: noise made here" in done.stdout
    assert (tmp_path / "results" / "own" / "demo" / "fig3_3.png").is_file()
