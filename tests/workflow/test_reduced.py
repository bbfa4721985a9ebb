"""What the reduced run finds: the configuration for CI, ``config/reduced.yaml``."""

import csv

from dynparam.provenance.sidecars import ADDED, Sidecar, find_sidecar

FIGURES_BEYOND = (
    "fig3_2_wide",
    "fig3_3_wide",
    "table1_1",
    "conditions",
    "r_sweep",
    "fluctuations",
    "open_choices",
    "open_choices_training",
    "through_training",
    "delay_law",
    "best_rate",
    "weight_decay",
    *(
        f"companion_{name}"
        for name in (
            "laziness",
            "sharpness",
            "softmax",
            "isometry",
            "attentional_bm",
            "natural_gradient",
            "continual",
            "concepts",
            "receptive_fields",
        )
    ),
)


def test_no_slope_disagrees_with_theory(finished):
    """A slope disagrees by chance if its estimate is off by the tolerance plus half an interval, more
    than four standard errors: less than 48 * 6e-5 = 0.3 % of the seeds.
    """
    with (finished.root / "results/comparison/slopes.csv").open(newline="") as file:
        verdicts = [row["verdict"] for row in csv.DictReader(file)]
    assert len(verdicts) == 48
    assert "disagrees" not in verdicts


def test_every_figure_is_drawn(finished):
    pictures = {path.name for path in (finished.root / "results/figures").glob("*.png")}
    thesis = ("fig3_1", "fig3_2", "fig3_3", "fig3_4", "fig3_5", "claim_domain")
    assert pictures == {f"{figure}.png" for figure in (*thesis, *FIGURES_BEYOND)}
    with (finished.root / "results/figures/claim_domain.csv").open(newline="") as file:
        networks = {(row["n"], row["n_min"]) for row in csv.DictReader(file)}
    assert networks == {("200", "10"), ("200", "50"), ("300", "15")}
    assert (finished.root / "results/report/report.html").stat().st_size > 1e5


def test_every_file_has_a_complete_sidecar(finished):
    """Each figure, table and page."""
    made = [
        path
        for path in (finished.root / "results").rglob("*")
        if path.suffix in {".csv", ".png", ".svg", ".pdf", ".md", ".html"}
    ]
    sidecars = {path: find_sidecar(path) for path in made}
    assert len(made) > 60
    assert [path for path, sidecar in sidecars.items() if sidecar is None] == []
    for sidecar in set(sidecars.values()):
        record = Sidecar.model_validate_json(sidecar.read_text(encoding="utf-8"))
        assert record.model_fields_set >= ADDED, sidecar
        assert record.seeds or "fig3_1" in sidecar.name, sidecar
