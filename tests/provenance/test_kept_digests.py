"""The file that keeps the digests of all stages between dry runs."""

import json
import os
import shutil

import pytest

from dynparam.provenance import kept_digests as module
from dynparam.provenance.code_digest import PACKAGE
from dynparam.provenance.kept_digests import kept_digests
from dynparam.report.stages import STAGES

STAGE = STAGES["plot_architecture"]


@pytest.fixture
def package(tmp_path):
    copy = tmp_path / "dynparam"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


@pytest.fixture
def worked_out(monkeypatch):
    """The stages whose digests were worked out, in order."""
    found = []
    digest = type(STAGE).digest
    monkeypatch.setattr(
        type(STAGE), "digest", lambda stage, package: found.append(stage.name) or digest(stage, package)
    )
    return found


def test_digests_are_those_of_the_stages(tmp_path):
    found = kept_digests(STAGES.values(), tmp_path / "digests.json")
    assert found == {name: stage.digest() for name, stage in STAGES.items()}


def test_the_same_code_is_read_once(tmp_path, package, worked_out):
    file = tmp_path / "kept" / "digests.json"
    first = kept_digests([STAGE], file, package)
    assert kept_digests([STAGE], file, package) == first
    assert worked_out == [STAGE.name]


@pytest.mark.parametrize("edited", ["experiments/architecture/figure.py", "report/report.css"])
def test_an_edit_is_seen_whatever_its_time(tmp_path, package, worked_out, edited):
    file = tmp_path / "digests.json"
    kept_digests([STAGE], file, package)
    path = package / edited
    time = path.stat().st_mtime_ns
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    os.utime(path, ns=(time, time))
    kept_digests([STAGE], file, package)
    assert worked_out == [STAGE.name] * 2


def test_another_version_of_a_library_is_seen(tmp_path, package, worked_out, monkeypatch):
    file = tmp_path / "digests.json"
    kept_digests([STAGE], file, package)
    monkeypatch.setattr(module.importlib.metadata, "version", lambda name: "0.1")
    kept_digests([STAGE], file, package)
    assert worked_out == [STAGE.name] * 2


@pytest.mark.parametrize("text", ["", "{", "[]", '{"state": "1"}', "\0"])
def test_a_damaged_file_is_written_anew(tmp_path, package, text):
    file = tmp_path / "digests.json"
    file.write_text(text)
    found = kept_digests([STAGE], file, package)
    for wrong in ({"another_stage": "0"}, {STAGE.name: None}, "none"):
        file.write_text(json.dumps({**json.loads(file.read_text()), "digests": wrong}))
        assert kept_digests([STAGE], file, package) == found
    assert json.loads(file.read_text())["digests"] == found == {STAGE.name: STAGE.digest()}
