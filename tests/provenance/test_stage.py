"""Stages: what running one does, and that those of the workflow are what they say."""

import inspect
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from dynparam.configuration.config import Config
from dynparam.configuration.loading import load
from dynparam.experiments.architecture.settings import for_architecture
from dynparam.experiments.architecture.stages import PLOT
from dynparam.provenance import stage as stages
from dynparam.provenance.code_digest import PACKAGE
from dynparam.provenance.record import read_sidecar
from dynparam.provenance.stage import Made, Stage, flat, require, run, whole
from dynparam.report.stages import EVERY, STAGES
from dynparam.settings.base import pick
from dynparam.settings.shared import Fit
from dynparam.support.errors import DataError
from dynparam.support.files import atomic_path, sha256, write_text

ROOT = Path(__file__).parents[2]
THESIS = ROOT / "config" / "thesis.yaml"
CONFIGS = {
    "thesis": load(Config, [THESIS]),
    "reduced": load(Config, [THESIS, ROOT / "config" / "reduced.yaml"]),
}
SETTINGS = Fit(seed=3, confidence=0.9, resamples=100)


@dataclass(frozen=True)
class Invented(Stage[Fit]):
    """A stage of a test, whose code is not that of the package."""

    def digest(self, package: Path = PACKAGE) -> str:
        return "0123456789abcdef"


def invented(make, inputs=stages.nothing, **details) -> Invented:
    return Invented("invented", Fit, make, inputs, **details)


def copied(settings, files, output):
    """Copy a file."""
    write_text(output, files.read_text())
    return Made([output], {"trials": 7}, said="copied")


def beside(settings, source):
    return source


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "source.csv"
    path.write_text("a\n")
    return path


class TestRun:
    def test_it_makes_the_file_and_its_sidecar(self, tmp_path, source):
        output = tmp_path / "out" / "copy.csv"
        made = run(invented(copied, beside), SETTINGS, output, source=source)
        assert made.said == "copied"
        record = read_sidecar(tmp_path / "out" / "copy.json")
        assert record["code"] == {"stage": "copied", "digest": "0123456789abcdef"}
        assert record["outputs"] == {"copy.csv": sha256(output)}
        assert list(record["inputs"].values()) == [sha256(source)]
        assert record["config"] == SETTINGS.model_dump()
        assert record["trials"] == 7
        assert 0 <= record["wall_seconds"] < 60

    def test_a_stage_of_the_workflow_records_its_code(self, tmp_path):
        settings = for_architecture(CONFIGS["reduced"], "fig3_1")
        run(PLOT, settings, tmp_path / "fig3_1.png", figure="fig3_1")
        record = read_sidecar(tmp_path / "fig3_1.json")
        assert record["code"] == {"stage": "plot_architecture", "digest": PLOT.digest()}
        assert {path.suffix for path in tmp_path.iterdir()} == {".png", ".svg", ".pdf", ".csv", ".json"}

    def test_the_stage_may_say_where_the_sidecar_goes(self, tmp_path):
        def make(settings, files, output):
            write_text(output / "member", "b")
            return Made([output / "member"], sidecar=output / "all.json")

        run(invented(make), SETTINGS, tmp_path / "raw")
        assert read_sidecar(tmp_path / "raw" / "all.json")["outputs"].keys() == {"member"}
        assert not (tmp_path / "raw.json").exists()

    def test_nothing_is_recorded_of_nothing_made(self, tmp_path):
        run(invented(lambda settings, files, output: Made([], recorded=False)), SETTINGS, tmp_path / "x")
        assert list(tmp_path.iterdir()) == []

    def test_missing_inputs_name_the_remedy(self, tmp_path, source):
        """Before anything is made."""

        def inputs(settings, source):
            return {"here": source, "away": [tmp_path / "b.csv", tmp_path / "c.csv"]}

        def make(settings, files, output):
            raise AssertionError("its inputs are missing")

        with pytest.raises(DataError) as error:
            run(invented(make, inputs, remedy="make tea"), SETTINGS, tmp_path / "x.csv", source=source)
        assert str(error.value) == (
            f"{tmp_path / 'b.csv'} and 1 more: there is no such file yet; run: make tea"
        )
        assert list(tmp_path.iterdir()) == [source]

    def test_each_function_gets_the_parameters_it_names(self, tmp_path, source):
        seen = {}

        def inputs(settings, source, both):
            seen["inputs"] = both
            return [source]

        def make(settings, files, output, own, both):
            seen["make"] = (files, own, both)
            return Made([], recorded=False)

        run(invented(make, inputs), SETTINGS, tmp_path / "x", source=source, own=1, both=2, none=3)
        assert seen == {"inputs": 2, "make": ([source], 1, 2)}

    def test_a_parameter_that_is_not_given_is_an_error(self, tmp_path):
        with pytest.raises(TypeError, match="source"):
            run(invented(copied, beside), SETTINGS, tmp_path / "x")

    def test_threads_are_set_before_the_work(self, tmp_path):
        found = []

        def make(settings, files, output):
            found.append(torch.get_num_threads())
            return Made([], recorded=False)

        before = torch.get_num_threads()
        try:
            run(invented(make), SETTINGS, tmp_path / "x", threads=before + 1)
            run(invented(make), SETTINGS, tmp_path / "x")
        finally:
            torch.set_num_threads(before)
        assert found == [before + 1, before + 1], "left alone if no number is given"


class TestFailure:
    def test_nothing_half_written_is_kept(self, tmp_path):
        def make(settings, files, output):
            with atomic_path(output) as partial:
                partial.write_text("half")
                raise DataError("the disk of a test is full; get another")

        with pytest.raises(DataError, match="get another"):
            run(invented(make), SETTINGS, tmp_path / "x.csv")
        assert list(tmp_path.iterdir()) == []

    def test_finished_work_is_kept_until_the_sidecar_is_there(self, tmp_path, monkeypatch):
        log, gone = tmp_path / "trials.jsonl", tmp_path / "gone.jsonl"
        log.write_text("{}\n")

        def make(settings, files, output):
            write_text(output, "a")
            return Made([output], finished=[log, gone])

        def refuse(sidecar, *values, **details):
            raise DataError(f"{sidecar}: cannot be written; free some space")

        with monkeypatch.context() as patch:
            patch.setattr(stages, "write_sidecar", refuse)
            with pytest.raises(DataError, match="cannot be written"):
                run(invented(make), SETTINGS, tmp_path / "x.csv")
        assert log.exists()
        run(invented(make), SETTINGS, tmp_path / "x.csv")
        assert not log.exists()
        assert (tmp_path / "x.json").exists()


def test_nested_files_are_flat_in_their_order():
    a, b, c, d = (Path(name) for name in "abcd")
    assert list(flat({"x": [a, (b,)], "y": {"z": c}, "w": d})) == [a, b, c, d]
    assert list(flat(a)) == [a]
    assert list(flat(())) == []


def test_one_missing_file_is_named_alone(tmp_path):
    require([], "x")
    with pytest.raises(DataError, match=r"a: there is no such file yet; run: dynparam data pair PAIR$"):
        require([tmp_path / "a"], "dynparam data pair PAIR")
    with pytest.raises(DataError, match=r": a directory, not a regular file; run: x$"):
        require([tmp_path], "x")  # a directory is no file


def test_names_and_groups_follow_from_function_and_command():
    one = Invented("plot coins", Fit, copied)
    assert (one.name, one.group) == ("copied", "plot")
    assert Invented("fit", Fit, copied).group == ""


def test_a_stage_of_one_job_takes_whole_blocks():
    config = CONFIGS["thesis"]
    assert list(whole(Config)(config)) == [config]
    assert list(whole(PLOT.settings)(config)) == [pick(PLOT.settings, config)]


def named(function) -> set[str]:
    """The parameters of a stage's function besides settings, inputs and the file to write."""
    return set(inspect.signature(function).parameters) - {"settings", "files", "output"}


def test_no_stage_hides_another():
    assert len(STAGES) == len(EVERY) > 25
    assert len({stage.command for stage in EVERY}) == len(EVERY)


@pytest.mark.parametrize("name", STAGES)
class TestStagesOfTheWorkflow:
    def test_parameters_are_those_of_its_functions(self, name):
        """``threads`` is taken by ``run``."""
        stage = STAGES[name]
        declared = [one.name for one in stage.parameters]
        assert len(declared) == len(set(declared))
        assert set(declared) - {"threads"} == named(stage.make) | named(stage.inputs)

    def test_its_functions_take_what_they_are_given(self, name):
        stage = STAGES[name]
        assert list(inspect.signature(stage.make).parameters)[:3] == ["settings", "files", "output"]
        assert next(iter(inspect.signature(stage.inputs).parameters)) == "settings"

    def test_its_help_is_in_sentences(self, name):
        stage = STAGES[name]
        assert re.fullmatch(r"[A-Z][^\n]*[^.]\.", stage.make.__doc__)
        assert all(re.fullmatch(r"[A-Za-z][^\n]*\.", one.help) for one in stage.parameters)

    def test_its_examples_are_its_command(self, name):
        command = ["dynparam", *STAGES[name].command.split()]
        assert all(line.split()[: len(command)] == command for line in STAGES[name].examples)

    @pytest.mark.parametrize("config", CONFIGS)
    def test_its_jobs_have_its_settings(self, name, config):
        stage = STAGES[name]
        jobs = list(stage.jobs(CONFIGS[config]))
        assert all(type(job) is stage.settings for job in jobs)
        # What a rule hands over as text is read back as it was.
        assert all(stage.settings.model_validate_json(job.model_dump_json()) == job for job in jobs)

    def test_names_in_a_configuration_are_completed(self, name):
        for one in STAGES[name].parameters:
            if one.names is not None:
                assert list(one.names(CONFIGS["thesis"]))
                assert one.flag == ""


def test_digests_tell_stages_apart_and_do_not_depend_on_the_place(tmp_path):
    digests = {name: stage.digest() for name, stage in STAGES.items()}
    assert len(set(digests.values())) == len(digests)
    assert all(re.fullmatch("[0-9a-f]{16}", digest) for digest in digests.values())
    copy = tmp_path / "dynparam"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    assert {name: stage.digest(copy) for name, stage in STAGES.items()} == digests


def test_the_function_that_names_inputs_counts(tmp_path):
    """What it names decides on the result, though no result is computed in it."""
    copy = tmp_path / "dynparam"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    place = copy / "experiments/lazy_or_rich/stages.py"
    text = place.read_text()
    line = "def trial_files(settings: LazinessStage, results: Path) -> Files:\n"
    assert text.count(line) == 1
    place.write_text(text.replace(line, f"{line}    results = results.parent\n"))
    changed = {name for name, stage in STAGES.items() if stage.digest(copy) != stage.digest()}
    assert {"judge_laziness", "plot_laziness"} <= changed
    assert not changed & {"measure_index", "measure_linearization", "judge_sharpness"}


@pytest.mark.parametrize(
    ("module", "experiment"),
    [
        ("delay_law/cases", "delays"),
        ("fluctuations/kinds", "fluctuations"),
        ("isometry/bottlenecks", "isometry"),
        ("natural_gradient/controls", "natural"),
        ("softmax_fisher/tables", "softmax"),
    ],
)
def test_what_judges_share_with_measurements_counts(tmp_path, module, experiment):
    """It stands in no module of settings, edits of which repeat nothing."""
    copy = tmp_path / "dynparam"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    with (copy / "experiments" / f"{module}.py").open("a") as file:
        file.write("ADDED = 1\n")
    both = (STAGES[f"{work}_{experiment}"] for work in ("measure", "judge"))
    assert all(stage.digest(copy) != stage.digest() for stage in both)


@pytest.mark.parametrize(
    ("place", "more"),
    [
        ("experiments/r_sweep/findings.py", "\nMORE = 1\n"),
        ("experiments/r_sweep/findings.md.j2", "More.\n"),
        ("experiments/r_sweep/findings.ja.md.j2", "More.\n"),
        ("presentation/sentences.md.j2", "More.\n"),
    ],
)
def test_what_findings_load_by_name_counts(tmp_path, place, more):
    """The modules and templates of experiments, which no code names."""
    copy = tmp_path / "dynparam"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    with (copy / place).open("a") as file:
        file.write(more)
    changed = {name for name, stage in STAGES.items() if stage.digest(copy) != stage.digest()}
    assert changed == {"write_findings", "write_summary"}
