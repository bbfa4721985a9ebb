import json
import subprocess
import time
from pathlib import Path

import pytest

from dynparam.provenance import record as provenance
from dynparam.provenance.code_digest import LIBRARIES
from dynparam.provenance.record import git_state, hardware, versions, write_sidecar
from dynparam.provenance.remaking import DRAWING
from dynparam.provenance.sidecars import checksum, read_sidecar, seeds_behind, training_seconds
from dynparam.settings.shared import Fit
from dynparam.support.files import sha256
from tests.training_runs import run_stage

SETTINGS = Fit(seed=3, confidence=0.9, resamples=100)


def test_sidecar_says_where_a_file_came_from(tmp_path):
    source, output = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text("a")
    output.write_text("b")
    started = time.monotonic() - 2
    write_sidecar(tmp_path / "out.json", [output], SETTINGS, inputs=[source], started=started, trials=7)
    record = json.loads((tmp_path / "out.json").read_text())
    assert record["outputs"] == {"out.csv": sha256(output)}
    assert record["inputs"] == {f"{tmp_path.name}/in.csv": sha256(source)}
    assert record["config"]["seed"] == 3
    assert len(record["config_sha256"]) == 16
    assert record["trials"] == 7
    assert 2 <= record["wall_seconds"] < 60
    assert {"commit", "dirty"} == set(record["git"])
    assert {"python", "numpy", "torch", "snakemake"} <= set(record["versions"])
    assert record["hardware"]["cores"] >= 1
    assert str(tmp_path.parent) not in (tmp_path / "out.json").read_text(), "no path of this machine"
    assert record["place"] is None
    assert record["code"] is None, "a test is no stage"
    assert record["checksum"] == checksum(record)


def test_paths_start_from_the_working_directory(tmp_path, monkeypatch):
    source, output = tmp_path / "data" / "in.csv", tmp_path / "results" / "deep" / "out.csv"
    for path in (source, output):
        path.parent.mkdir(parents=True)
        path.write_text("a")
    monkeypatch.chdir(tmp_path)
    sidecar = Path("results/out.json")
    write_sidecar(sidecar, [Path("results/deep/out.csv")], SETTINGS, inputs=[source], started=0.0)
    record = read_sidecar(sidecar)
    assert list(record["inputs"]) == ["data/in.csv"]
    assert list(record["outputs"]) == ["deep/out.csv"]
    assert record["place"] == "results/out.json"


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [
        (["pytest", "x"], None),
        (["/venv/bin/dynparam", "fit", "a.csv"], ["dynparam", "fit", "a.csv"]),
        (["dynparam/__main__.py", "fit", "a.csv"], ["dynparam", "fit", "a.csv"]),
        (["dynparam", "fit", "--config", "{}", "--config=x", "a"], ["dynparam", "fit", "a"]),
        (["dynparam", "x", "/else/where/a.csv"], ["dynparam", "x", "where/a.csv"]),
        (["dynparam", "x", "--output=/else/where/a.csv"], ["dynparam", "x", "--output=where/a.csv"]),
        (["dynparam", "x", "--output", "{here}/a.csv"], ["dynparam", "x", "--output", "a.csv"]),
        (["dynparam", "x", "--config"], ["dynparam", "x"]),
    ],
)
def test_command_lines_hold_no_configuration_and_no_place_of_this_machine(arguments, kept):
    filled = [argument.replace("{here}", str(Path.cwd())) for argument in arguments]
    assert provenance.command(filled) == kept


def test_seeds_and_trials_are_gathered_from_all_that_is_behind():
    probe = {"config": {"probe": {"seed": 3, "trials": 30}, "data": {"seed": 0}}, "outputs": {}}
    exact = {"config": {"probe": {"seed": 3, "trials": 2000}}, "outputs": {}}
    assert seeds_behind([probe, exact, probe]) == {
        "data.seed": [0],
        "probe.seed": [3],
        "probe.trials": ["0-29", "0-1999"],
    }


def test_runs_are_told_by_their_seeds_and_their_time_is_added_up():
    config = {"data": {"pairs": {"bird-cat": []}}, "protocol": {"n": 40, "n_min": 8}}
    runs = [{"seeds": {"0": 1.5, "1": 2.0}, "diverged": {}}, {"seeds": {"4": 0.25}, "diverged": {}}]
    record = {"config": config, "outputs": {}, "runs": runs}
    assert seeds_behind([record]) == {"training.runs": ["bird-cat 40-8: 0-1,4"]}
    assert training_seconds(record, []) == 3.75


def test_training_behind_a_figure_counts_each_run_once(tmp_path, monkeypatch):
    """A collected table tells its runs, and so do the tables of single jobs that it was made of."""
    monkeypatch.chdir(tmp_path)
    chain = {"shard": 2.0, "table": 2.0, "figure": None}
    inputs = []
    for name, seconds in chain.items():
        Path(f"{name}.csv").write_text(name)
        more = {} if seconds is None else {"runs": [{"seeds": {"0": seconds}, "diverged": {}}]}
        write_sidecar(
            Path(f"{name}.json"), [Path(f"{name}.csv")], run_stage(), inputs=inputs, started=0.0, **more
        )
        inputs = [Path(f"{name}.csv")]
    assert training_seconds({}, [Path("figure.csv")]) == 2.0
    assert training_seconds({}, [Path("table.csv")]) == 2.0
    assert training_seconds({}, [Path("table.csv"), Path("shard.csv")]) == 4.0, "both are named"


def test_inputs_of_one_name_are_told_apart(tmp_path):
    sources = [tmp_path / kind / "curve.csv" for kind in ("probe", "fits")]
    for source in sources:
        source.parent.mkdir()
        source.write_text(source.parent.name)
    write_sidecar(tmp_path / "out.json", [], SETTINGS, inputs=sources, started=time.monotonic())
    record = json.loads((tmp_path / "out.json").read_text())
    assert record["inputs"] == {f"{s.parent.name}/curve.csv": sha256(s) for s in sources}


TRACKED = (
    "docs/theory.md",
    "docs/findings.md",
    "config/thesis.yaml",
    "figures/fig3_3.png",
    ".gitignore",
)


@pytest.fixture
def repository(tmp_path, monkeypatch):
    package = tmp_path / "src" / "dynparam"
    package.mkdir(parents=True)
    (package / "provenance.py").write_text("")
    for name in TRACKED:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    for command in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "m"],
    ):
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True)
    monkeypatch.setattr(provenance, "__file__", str(package / "provenance.py"))
    git_state.cache_clear()
    yield tmp_path
    git_state.cache_clear()


def test_clean_checkout(repository):
    head = subprocess.run(
        ["git", "-C", str(repository), "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    )
    assert git_state() == {"commit": head.stdout.strip(), "dirty": False}


@pytest.mark.parametrize(
    ("changed", "dirty"),
    [
        ("figures/fig3_2.png", False),
        ("figures/fig3_3.png", False),
        ("results/archive/x.csv", False),
        ("docs/findings.md", False),
        ("docs/companions.json", False),
        ("docs/companions/sharpness.md", False),
        ("docs/open-choices.json", False),
        ("docs/theory.md", True),
        ("config/thesis.yaml", True),
        ("src/new.py", True),
        ("src/dynparam/provenance.py", True),
        ("src/dynparam/settings/new.yaml", True),
        ("workflow/rules/new.smk", True),
        ("figures.py", True),
        # Files of one's own that nobody runs: the archive asks for them by --configfile.
        ("mine.yaml", False),
        ("config/mine.yaml", False),
        ("notes/what I tried.txt", False),
        (".wheels/package.whl", False),
        ("scripts/submit.py", False),
    ],
)
def test_changed_code_is_dirty_and_a_product_or_file_of_ones_own_is_not(repository, changed, dirty):
    (repository / changed).parent.mkdir(parents=True, exist_ok=True)
    (repository / changed).write_text("x")
    assert git_state()["dirty"] is dirty


def test_a_missing_file_is_a_change(repository):
    (repository / "config" / "thesis.yaml").unlink()
    assert git_state()["dirty"] is True


@pytest.mark.parametrize("question", ["status", "ls-files"])
def test_what_git_cannot_tell_is_not_called_clean(repository, monkeypatch, caplog, question):
    """The commit is known, and asking for changes fails or takes too long."""
    ask = provenance._git

    def failing(directory, what, *more):
        """Too slow to say what has changed; that the code is tracked can be told."""
        slow = what == question and (what == "status" or provenance.CODE[-1] in more)
        return provenance._Answer(None, "too slow") if slow else ask(directory, what, *more)

    monkeypatch.setattr(provenance, "_git", failing)
    found = git_state()
    assert (found["dirty"], found["why"]) == (True, "too slow")
    assert "too slow" in caplog.text


NO_COMMIT = {
    "of another user": ({"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}, "dubious ownership"),
    "no git": ({"PATH": "/nowhere"}, "git cannot be asked"),
    "no object": ({}, "git says"),
}


@pytest.mark.parametrize("case", NO_COMMIT)
def test_a_commit_that_cannot_be_had_says_why(repository, monkeypatch, caplog, case):
    variables, why = NO_COMMIT[case]
    for key, value in variables.items():
        monkeypatch.setenv(key, value)
    if case == "no object":
        (repository / ".git" / "HEAD").write_text("ref: refs/heads/none\n")
    found = git_state()
    assert (found["commit"], found["dirty"]) == (None, None)
    assert why in found["why"]
    assert why in caplog.text


def test_the_commit_of_another_checkout_is_not_taken(repository, tmp_path_factory, monkeypatch):
    """Not the one that a package lies in untracked, nor the one that a hook of git runs for."""
    head = git_state()["commit"]
    other = tmp_path_factory.mktemp("other")
    subprocess.run(["git", "init", "-q", str(other)], check=True)
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    git_state.cache_clear()
    assert git_state()["commit"] == head
    installed = repository / ".venv" / "dynparam"
    installed.mkdir(parents=True)
    (installed / "provenance.py").write_text("")
    monkeypatch.setattr(provenance, "__file__", str(installed / "provenance.py"))
    git_state.cache_clear()
    assert git_state()["commit"] is None
    assert "no part of the checkout" in git_state()["why"]


def test_outside_a_checkout(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "provenance.py"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    git_state.cache_clear()
    assert git_state() == {"commit": None, "dirty": None}
    git_state.cache_clear()


def test_versions_and_hardware_are_of_this_machine():
    import numpy
    import torch

    assert versions()["numpy"] == numpy.__version__
    assert hardware()["torch_threads"] == torch.get_num_threads()
    assert hardware()["memory_gib"] > 0


@pytest.mark.parametrize(
    ("cpuinfo", "processor"),
    [
        ("processor\t: 0\nmodel name\t: A: CPU @ 2 GHz \n\nmodel name\t: another\n", "A: CPU @ 2 GHz"),
        ("processor\t: 0\nFeatures\t: fp\n", "the machine"),
        (None, "the processor"),
    ],
)
def test_the_processor_is_called_by_its_name(monkeypatch, cpuinfo, processor):
    """By Linux's list, where that has names: not on ARM; and on other systems there is none."""

    def read_text(path, encoding):
        assert path == Path("/proc/cpuinfo")
        if cpuinfo is None:
            raise FileNotFoundError(path)
        return cpuinfo

    monkeypatch.setattr(Path, "read_text", read_text)
    monkeypatch.setattr(provenance.platform, "machine", lambda: "the machine")
    monkeypatch.setattr(provenance.platform, "processor", lambda: "the processor")
    assert hardware()["processor"] == processor


def test_every_library_that_may_change_a_result_is_recorded():
    """Those whose versions count in digests of code, and those that draw."""
    assert {*LIBRARIES, *DRAWING} <= set(provenance.versions())
