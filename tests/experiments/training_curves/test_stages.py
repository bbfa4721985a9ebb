"""The figures of curves as their jobs make them: which runs, and what stands below."""

import json
import time
from pathlib import Path

from dynparam.experiments.training_curves.settings import for_claims
from dynparam.experiments.training_curves.stages import (
    audit_files,
    curve_files,
    figure_files,
    figures,
    plot_curves,
    quoted,
)
from dynparam.provenance.experiment import Files
from dynparam.provenance.record import write_sidecar
from dynparam.support.tables import write_csv
from dynparam.training.archive import CurveFile
from dynparam.training.origins import source_details
from tests.findings_run import CONFIG, configured
from tests.training.test_archive import curve_table, origin
from tests.training_runs import run_stage

RESULTS = Path("results")
FILES = Files(RESULTS, Path("figures"))


def test_the_caption_tells_how_many_seeds_are_configured(tmp_path):
    """Two seeds are there of both parametrizations, seven are asked for."""
    paths = {}
    for name in CONFIG.training.parametrizations:
        table = curve_table().assign(parametrization=name, test_loss=lambda rows: rows["train_loss"])
        paths[name] = tmp_path / f"{name}.csv"
        write_csv(table, paths[name])
        details = source_details(CurveFile(table, (origin((0, 1)),)), None)
        sidecar = paths[name].with_suffix(".json")
        write_sidecar(sidecar, [paths[name]], run_stage(), started=time.monotonic(), **details)
    settings = for_claims(configured({"training.seeds": 7, "figures.dpi": 40}))
    made = plot_curves(settings, paths, tmp_path / "own.png", "fig3_5")
    assert made.details["caption"].startswith("2 of the 7 configured seeds per curve; ")
    assert [path.name for path in made.files] == ["own.png", "own.pdf", "own.csv"]


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
