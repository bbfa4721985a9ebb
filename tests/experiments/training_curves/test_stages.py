"""The figures of curves as their jobs make them: which runs, and what stands below."""

import json
import time
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from dynparam.experiments.training_curves.claims import judge_all
from dynparam.experiments.training_curves.domain import domain_table
from dynparam.experiments.training_curves.domain_figure import domain_data
from dynparam.experiments.training_curves.settings import for_claims
from dynparam.experiments.training_curves.stages import (
    audit_files,
    curve_files,
    figure_files,
    figures,
    judge_claims,
    plot_curves,
    plot_domain,
    quoted,
)
from dynparam.provenance.experiment import Files
from dynparam.provenance.record import write_sidecar
from dynparam.provenance.stage import Made
from dynparam.support.tables import read_csv, write_csv
from dynparam.training import archive, origins
from dynparam.training.archive import CurveFile
from dynparam.training.audit_result import AuditResult
from dynparam.training.origins import source_details
from tests.experiments.training_curves.test_claims import BOTH, both, claims_stage
from tests.findings_run import CONFIG, configured
from tests.training.test_archive import curve_table, origin
from tests.training_runs import run_stage

RESULTS = Path("results")
FILES = Files(RESULTS, Path("figures"))


def drawn(folder: Path, audit: AuditResult | None) -> Made:
    """Fig. 3.5 of two seeds of each parametrization, seven asked for, trained here or archived."""
    paths = {}
    for name in CONFIG.training.parametrizations:
        table = curve_table().assign(parametrization=name, test_loss=lambda rows: rows["train_loss"])
        paths[name] = folder / f"{name}.csv"
        write_csv(table, paths[name])
        details = source_details(CurveFile(table, (origin((0, 1)),)), audit)
        sidecar = paths[name].with_suffix(".json")
        write_sidecar(sidecar, [paths[name]], run_stage(), started=time.monotonic(), **details)
    settings = for_claims(configured({"training.seeds": 7, "figures.dpi": 40}))
    return plot_curves(settings, paths, folder / "own.png", "fig3_5")


def test_the_caption_tells_how_many_seeds_are_configured(tmp_path):
    """Two seeds are there of both parametrizations, seven are asked for."""
    made = drawn(tmp_path, None)
    assert made.details["caption"].startswith("2 of the 7 configured seeds per curve; ")
    assert made.details["message"].startswith("bird-cat: ")
    assert [path.name for path in made.files] == ["own.png", "own.svg", "own.pdf", "own.csv"]


def test_an_audit_is_told_in_the_sidecar_and_not_in_the_picture(tmp_path):
    """The same curves give the same pixels, whether trained here or archived and audited."""
    result = AuditResult(1, 2, 3.2e-7, 0.0, 1e-3, 5e-3, "cpu, 2 threads")
    here, archived = drawn(tmp_path / "here", None), drawn(tmp_path / "archived", result)
    assert result.sentence() in archived.details["caption"]
    assert "audit" not in here.details["caption"]
    for one, other in zip(here.files, archived.files, strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_curves_are_those_of_the_figure_s_task():
    settings = for_claims(CONFIG)
    assert curve_files(settings, RESULTS) == {
        (figure, name): RESULTS / "training" / task / f"{name}.csv"
        for figure, task in (("fig3_4", "airplane-automobile"), ("fig3_5", "bird-cat"))
        for name in ("spectral", "dynamic")
    }
    assert figure_files(settings, RESULTS, "fig3_5") == {
        name: RESULTS / "training" / "bird-cat" / f"{name}.csv" for name in ("spectral", "dynamic")
    }
    told = {shown.name: shown.results for shown in figures(CONFIG)}
    assert told["fig3_4"] == (
        "training/airplane-automobile/spectral.csv",
        "training/airplane-automobile/dynamic.csv",
    )
    tasks = {json.dumps(path.split("/")[1]) for path in told["claim_domain"]}
    assert tasks == {json.dumps(task) for task in CONFIG.domain.tasks}


def test_audits_are_those_of_the_archive_alone():
    with_archive = configured({}) if CONFIG.training.reuse == "archive" else None
    assert with_archive is not None
    found = audit_files(with_archive, FILES)
    assert found["bird-cat/10000-500/dynamic"] == RESULTS / "audit/bird-cat/10000-500/dynamic.json"
    assert audit_files(configured({"training.reuse": "none"}), FILES) == {}


def test_findings_quote_claims_curves_and_other_networks_where_they_are_drawn():
    claims = RESULTS / "comparison" / "claims.csv"
    curves = list(curve_files(for_claims(CONFIG), RESULTS).values())
    other = Path("figures/claim_domain.csv")
    assert list(quoted(CONFIG, FILES)) == [claims, *curves, other]
    assert list(quoted(configured({"figures.domain": None}), FILES)) == [claims, *curves]


@pytest.fixture
def read(monkeypatch):
    """Curves are read without the sidecars that tell their runs."""
    monkeypatch.setattr(archive, "read_collected", lambda path: SimpleNamespace(table=read_csv(path)))


def written(root, *curves):
    """Two tables of curves as files."""
    root.mkdir(parents=True)
    paths = (root / "spectral.csv", root / "dynamic.csv")
    for table, path in zip(curves, paths, strict=True):
        write_csv(table, path)
    return paths


def test_claims_are_judged_on_the_curves_of_each_figure(tmp_path, monkeypatch, read):
    """Each file beside the sentence on its audit, by task and parametrization."""
    settings = claims_stage()
    files, curves = {}, {}
    for shift, (figure, task) in enumerate(settings.figures.training.items()):
        given = both(0.1 * (1 + shift), task=task)
        for name, table, path in zip(BOTH, given, written(tmp_path / task, *given), strict=True):
            files[figure, name], curves[figure, name] = path, table
    sentences = {}
    monkeypatch.setattr(
        origins,
        "audit_sentences",
        lambda csvs: sentences.update(csvs) or {name: f"of {name}" for name in csvs},
    )
    judge_claims(settings, files, tmp_path / "claims.csv")
    assert sentences == {
        f"{task}, {name}": tmp_path / task / f"{name}.csv"
        for task in settings.figures.training.values()
        for name in BOTH
    }
    expected = judge_all(settings, {key: read_csv(path) for key, path in files.items()})
    write_csv(expected, tmp_path / "expected.csv")
    assert (tmp_path / "claims.csv").read_bytes() == (tmp_path / "expected.csv").read_bytes()
    assert "of bird-cat, dynamic" in (tmp_path / "claims.md").read_text()


def test_other_networks_are_drawn_beside_the_protocol_s_ratio(tmp_path, read, saved):
    settings = claims_stage()
    protocol = settings.protocol.model_copy(update={"n": 40, "n_min": 10})
    figures = settings.figures.model_copy(update={"dpi": 40})
    settings = settings.model_copy(update={"protocol": protocol, "figures": figures})
    curves = {
        ("bird-cat", n, n_min): both(n / 100, last=4)
        for n, n_min in ((40, 10), (20, 5), (40, 40), (40, 20))
    }
    files = {key: [written(tmp_path / f"{key[1]}-{key[2]}", *given)] for key, given in curves.items()}
    plot_domain(settings, files, tmp_path / "own.png")
    ((figure, data, dpi),) = saved
    assert dpi == 40
    tables = {
        key: [tuple(read_csv(path) for path in paths) for paths in draws] for key, draws in files.items()
    }
    table = domain_table(settings, tables)
    pd.testing.assert_frame_equal(data, domain_data(table, (40, 10)))
    assert figure.axes[-2].get_xlabel() == r"$n$, at $n/n_{\min}=4$"
