import json
import subprocess
import time

import pytest

from dynparam import provenance
from dynparam.blocks import Fit
from dynparam.files import sha256
from dynparam.provenance import git_state, hardware, versions, write_sidecar

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


def test_inputs_of_one_name_are_told_apart(tmp_path):
    sources = [tmp_path / kind / "curve.csv" for kind in ("probe", "fits")]
    for source in sources:
        source.parent.mkdir()
        source.write_text(source.parent.name)
    write_sidecar(tmp_path / "out.json", [], SETTINGS, inputs=sources, started=time.monotonic())
    record = json.loads((tmp_path / "out.json").read_text())
    assert record["inputs"] == {f"{s.parent.name}/curve.csv": sha256(s) for s in sources}


@pytest.fixture
def repository(tmp_path, monkeypatch):
    package = tmp_path / "src" / "dynparam"
    package.mkdir(parents=True)
    (package / "provenance.py").write_text("")
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


def test_changed_code_is_dirty_and_a_new_figure_is_not(repository):
    (repository / "figures").mkdir()
    (repository / "figures" / "fig3_2.png").write_text("x")
    assert git_state()["dirty"] is False
    git_state.cache_clear()
    (repository / "src" / "new.py").write_text("x")
    assert git_state()["dirty"] is True


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
