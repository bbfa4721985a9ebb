"""All experiments: what each must have, and that nothing outside knows one of them by name."""

import ast
import re
from collections import Counter
from importlib import import_module
from pathlib import Path

import pytest

from dynparam.configuration.config import Config
from dynparam.configuration.loading import load
from dynparam.experiments.registry import EXPERIMENTS
from dynparam.provenance.code_digest import PACKAGE
from dynparam.provenance.experiment import Files
from dynparam.report.contents import all_documents, all_figures, all_tables
from dynparam.report.findings import TEMPLATES
from dynparam.report.stages import STAGES
from dynparam.settings.base import Block

ROOT = Path(__file__).parents[2]
THESIS = ROOT / "config" / "thesis.yaml"
CONFIGS = {
    "thesis": load(Config, [THESIS]),
    "reduced": load(Config, [THESIS, ROOT / "config" / "reduced.yaml"]),
}
BY_NAME = {experiment.name: experiment for experiment in EXPERIMENTS}

WITHOUT_STAGES = {"own_widths"}
"""Folders that no rule asks for: ``dynparam measure`` and ``dynparam orders`` do."""

MAY_KNOW = {
    "configuration.config": "puts the blocks of all experiments together",
    "configuration.choices": "applies a choice the thesis leaves open to the whole configuration",
    "experiments.registry": "lists the experiments",
    "configuration.jobs": "looks settings up among those under every open choice too",
    "report.stages": "writes the page of open choices, which is checked against the whole configuration",
    "cli.demo": "shows the thesis's main figure in small, which is one of alignments",
    "cli.probe": "probe, expect, compare and measure find their files when people call them",
    "cli.orders": "prints orders of anyone's widths",
}
"""The modules outside of ``experiments/NAME`` that import from one, each with its reason."""


def known_by(module: Path) -> set[str]:
    """The experiments that a module imports from, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names |= set(re.findall(r"dynparam\.experiments\.\w+", node.value))
    found = {name.split(".")[2] for name in names if name.startswith("dynparam.experiments.")}
    return found - {"registry"}


def outside() -> dict[str, Path]:
    """The modules of the package that belong to no experiment, by name."""
    paths = {path: path.relative_to(PACKAGE).with_suffix("").parts for path in PACKAGE.rglob("*.py")}
    return {
        ".".join(parts): path
        for path, parts in paths.items()
        if parts[0] != "experiments" or len(parts) == 2
    }


def test_nothing_outside_knows_an_experiment_by_name():
    assert {name for name, path in outside().items() if known_by(path)} == set(MAY_KNOW)


def test_rules_know_their_own_experiment_alone():
    for path in (ROOT / "workflow").rglob("*.smk"):
        found = set(re.findall(r"dynparam\.experiments\.(\w+)", path.read_text(encoding="utf-8")))
        assert found - {"registry"} <= {path.stem}, path


def test_every_folder_is_registered():
    folders = {path.parent.name for path in (PACKAGE / "experiments").glob("*/__init__.py")}
    assert folders - WITHOUT_STAGES == set(BY_NAME)
    assert len(BY_NAME) == len(EXPERIMENTS)


@pytest.mark.parametrize("name", BY_NAME)
class TestExperiment:
    def test_its_folder_says_what_it_asks(self, name):
        assert re.match(r"\S.*[.?]", import_module(BY_NAME[name].package).__doc__)

    def test_it_says_what_it_is(self, name):
        assert BY_NAME[name].title
        assert BY_NAME[name].source
        assert BY_NAME[name].stages

    def test_its_stages_are_its_own(self, name):
        for stage in BY_NAME[name].stages:
            assert stage.make.__module__ == BY_NAME[name].module("stages")
            assert STAGES[stage.name] is stage

    def test_it_has_rules(self, name):
        assert (ROOT / "workflow" / "rules" / f"{name}.smk").is_file()

    def test_its_figures_and_tables_have_captions_and_no_caption_is_left_over(self, name):
        shown = {figure.name for figure in BY_NAME[name].figures(CONFIGS["thesis"])}
        shown |= {table.name for table in BY_NAME[name].tables}
        captions = {path.stem: path for path in (PACKAGE / "experiments" / name).glob("captions/*.rst")}
        assert set(captions) == shown
        assert all(path == BY_NAME[name].caption(stem) for stem, path in captions.items())
        assert all(len(path.read_text(encoding="utf-8").split()) > 10 for path in captions.values())

    def test_findings_have_words_and_numbers(self, name):
        """Template and module come together, and the page of findings waits for what they quote."""
        for words in TEMPLATES.values():
            place = PACKAGE / "experiments" / name / words
            assert place.is_file() == BY_NAME[name].has("findings")
        quoted = list(BY_NAME[name].quoted(CONFIGS["thesis"], Files(Path("r"), Path("f"))))
        assert bool(quoted) == BY_NAME[name].has("findings")

    @pytest.mark.parametrize("config", CONFIGS)
    def test_borrowed_jobs_are_of_stages_of_others(self, name, config):
        own = BY_NAME[name].stages
        others = {stage.settings for stage in STAGES.values() if stage not in own}
        jobs = list(BY_NAME[name].borrowed(CONFIGS[config]))
        assert all(isinstance(job, Block) and type(job) in others for job in jobs)


def test_the_trials_of_table_1_1_are_borrowed():
    """Of ``probe_alignment``, one job for each parametrization and family."""
    config = CONFIGS["thesis"]
    curves = [tuple(job.probe.curves) for job in BY_NAME["measured_orders"].borrowed(config)]
    assert curves == [
        (f"{parametrization}_{family}",)
        for parametrization in config.exponents.parametrizations
        for family in config.exponents.families
    ]


@pytest.mark.parametrize("config", CONFIGS)
def test_figures_tables_and_documents_are_told_apart(config):
    shown = [figure for _, figure in all_figures(CONFIGS[config])]
    documents = list(all_documents(CONFIGS[config]))
    for names in (
        [figure.name for figure in shown],
        [table.place for table in all_tables()],
        [document.path for document in documents],
        [document.anchor for document in documents],
        [document.target for document in documents],
    ):
        assert [name for name, times in Counter(names).items() if times > 1] == []
    assert all(figure.title for figure in shown)
    assert all(len(figure.results) == len(set(figure.results)) for figure in shown)


@pytest.mark.parametrize("config", CONFIGS)
def test_no_target_is_the_name_of_a_rule(config):
    """Targets are rules: one of the name of another would be refused when the workflow is read."""
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "workflow").rglob("*.smk"))
    text += (ROOT / "workflow" / "Snakefile").read_text(encoding="utf-8")
    rules = set(re.findall(r"^(?:use )?rule (?:\w+ as )?(\w+)", text, re.MULTILINE))
    targets = {figure.name for _, figure in all_figures(CONFIGS[config])}
    targets |= {table.target for table in all_tables()}
    assert {"all", "report", "plot_sweep", "plot_architecture"} <= rules
    assert not targets & rules
