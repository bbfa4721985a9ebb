"""The configuration for CI, `config/reduced.yaml`, run whole as a person would run it."""

import csv
import json

import pytest

from dynparam.data.official import HASHES_VARIABLE
from dynparam.data.retrieval import ARCHIVE_VARIABLE
from dynparam.provenance.sidecars import ADDED, Sidecar, find_sidecar
from tests.cifar10_archive import write_archive
from tests.workflow.conftest import OFFICIAL
from tests.workflow.sandbox import CifarData, Sandbox, every_finding

IMAGES_PER_BATCH = 4000  # 2000 of a class in the training split: the thesis's 1000 + 1000


@pytest.fixture(params=["official" if OFFICIAL else "invented"])
def enough_images(request, data, tmp_path):
    """Real data where there are some, else an invented archive as large as the thesis needs."""
    if OFFICIAL:
        return data
    archive, hashes = tmp_path / "cifar-10-python.tar.gz", tmp_path / "hashes.json"
    hashes.write_text(json.dumps(write_archive(archive, IMAGES_PER_BATCH)))
    return CifarData({ARCHIVE_VARIABLE: str(archive), HASHES_VARIABLE: str(hashes)}, {})


def test_the_reduced_configuration_runs_whole(enough_images, tmp_path):
    """Every slope is measured, and none disagrees with theory.

    A slope disagrees by chance if its estimate is off by the tolerance plus half an interval, more
    than four standard errors: less than 48 * 6e-5 = 0.3 % of the seeds.
    """
    sandbox = Sandbox.create(tmp_path / "repository", enough_images, overlay={})
    done = sandbox.snakemake("--cores", "2", "--configfile", "config/reduced.yaml", overlay=False)
    assert done.code == 0, done.text
    results = sandbox.root / "results" / "reduced"
    with (results / "comparison" / "slopes.csv").open(newline="") as file:
        verdicts = [row["verdict"] for row in csv.DictReader(file)]
    assert len(verdicts) == 48
    assert "disagrees" not in verdicts
    pictures = {path.name for path in (results / "figures").glob("*.png")}
    thesis = ("fig3_1", "fig3_2", "fig3_3", "fig3_4", "fig3_5", "claim_domain")
    beyond = (
        "fig3_2_wide",
        "fig3_3_wide",
        "table1_1",
        "conditions",
        "r_sweep",
        *(
            f"companion_{name}"
            for name in ("laziness", "sharpness", "softmax", "isometry", "attentional_bm")
        ),
    )
    figures = (*thesis, *beyond, "open_choices", "open_choices_training")
    assert pictures == {f"{figure}.png" for figure in figures}
    with (results / "comparison" / "claims.csv").open(newline="") as file:
        claims = list(csv.DictReader(file))
    more = {"train_loss": ["jumps"], "test_loss": ["best"], "test_accuracy": ["best"]}
    assert [(row["source"], row["metric"]) for row in claims] == [
        (figure, f"{metric} {at}")
        for figure in ("Fig. 3.4", "Fig. 3.5")
        for metric in ("train_loss", "test_loss", "train_accuracy", "test_accuracy")
        for at in ("epoch 1", "epoch 5", "epoch 10", "area", *more.get(metric, []))
    ]
    assert all(float(row["ci_low"]) <= float(row["ci_high"]) and row["verdict"] for row in claims)
    with (results / "figures" / "claim_domain.csv").open(newline="") as file:
        networks = {(row["n"], row["n_min"]) for row in csv.DictReader(file)}
    assert networks == {("200", "10"), ("200", "50"), ("300", "15")}
    assert (results / "report" / "report.html").stat().st_size > 1e5
    assert not (sandbox.root / "figures").exists(), "the figures of the full run stay apart"
    assert_all_is_accounted_for(sandbox, results)


def assert_all_is_accounted_for(sandbox, results):
    """Every figure, table and page has a complete sidecar, and agrees with all it rests on."""
    made = [
        path for path in results.rglob("*") if path.suffix in {".csv", ".png", ".pdf", ".md", ".html"}
    ]
    sidecars = {path: find_sidecar(path) for path in made}
    assert len(made) > 60
    assert [path for path, sidecar in sidecars.items() if sidecar is None] == []
    for sidecar in set(sidecars.values()):
        record = Sidecar.model_validate_json(sidecar.read_text(encoding="utf-8"))
        assert record.model_fields_set >= ADDED, sidecar
        assert record.seeds or "fig3_1" in sidecar.name, sidecar
    done = sandbox.dynparam("verify", str(results), "--json")
    assert done.code == 0, done.text
    files = json.loads(done.stdout)["files"]
    assert {file["name"] for file in files} >= {
        str(s.relative_to(sandbox.root)) for s in sidecars.values()
    }
    states = {finding["state"] for file in files for finding in every_finding(file)}
    # The command is given the thesis's configuration, not the reduced one.
    assert states == {"agrees", "older"}
