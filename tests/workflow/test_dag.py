"""What depends on what: planned jobs, one whole reduced run, and what edits make run again."""

import csv
import hashlib
import json
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from dynparam.cluster.work import job_count
from dynparam.configuration.config import Config
from dynparam.configuration.loading import load
from dynparam.data.official import FOLDER, MEMBERS
from dynparam.provenance.sidecars import ADDED, Sidecar
from dynparam.report import contents
from dynparam.training.settings import all_runs
from tests.thesis import CONFIG
from tests.workflow.sandbox import (
    CURVES,
    DOMAIN,
    PAIR,
    PANELS,
    PARAMETRIZATIONS,
    REDUCED,
    TRAINED,
    CifarData,
    Sandbox,
    every_finding,
    jobs,
)

# The networks of config/reduced.yaml: that of the figures, and those of the domain study.
NETWORK, OTHER_NETWORKS = "300-15", ("200-10", "200-50")
EPOCHS, OTHER_EPOCHS = 10, 5
ALL_PARAMETRIZATIONS = ("ntk", "standard", "mup", *PARAMETRIZATIONS)
FAMILIES = ("equal", "constant_ratio", "square_root", "fifth_root")
OTHER_IMAGES = ("another_subset", "pooled_draw", "train_on_test_split")
NORMALIZATIONS = ("per_channel", "per_image", "unit_range")
IN_TRIALS = ("asymptotic_first_layer", "floor", "redrawn_subset")
CHOICES_IN_LAW = ("default", *OTHER_IMAGES, *NORMALIZATIONS, *IN_TRIALS)

RETRIEVE = {"retrieve_cifar10"}
DATA = RETRIEVE | {f"extract_pair {PAIR}"}
PROBES = jobs("probe_alignment", CURVES)
EXPECTATIONS = jobs("expect_slopes", CURVES)
FITS = jobs("fit_slopes", CURVES)
COMPARE = {"compare_slopes slopes"}
PROBE_FIGURES = jobs("plot_figure", PANELS)
ARCHITECTURE = {"plot_architecture fig3_1"}

WIDE_NAMES = [f"wide/{curve}" for curve in CURVES]
EXACT = jobs("probe_law", [f"exact/{curve}" for curve in CURVES])
WIDE = jobs("probe_law", WIDE_NAMES)
EXPECT_WIDE = jobs("expect_wide", CURVES)
LAW_FITS = jobs("fit_exact", [f"exact/{curve}" for curve in CURVES])
LAW_FITS |= jobs("fit_wide", WIDE_NAMES)
WIDE_FIGURES = jobs("plot_wide", [f"{figure}_wide" for figure in PANELS])
LAW = EXACT | WIDE | EXPECT_WIDE | LAW_FITS | WIDE_FIGURES

ORDERS = jobs(
    "probe_orders", [f"{name}_{family}" for name in ALL_PARAMETRIZATIONS for family in FAMILIES]
)
JUDGE_TABLE = {"judge_table1_1 table1_1"}
ORDER_FIGURES = {"plot_table1_1 table1_1", "plot_conditions conditions"}
SWEEPS = jobs("sweep_r", ("n_min", "geometric_mean", "n_max"))
EDGES = {"find_edges edges", "find_edges exponents"}
SWEEP_FIGURE = {"plot_sweep r_sweep"}
SHARPNESS_ON_IMAGES = jobs("sharpness_of_widths", ("widths", "limits"))
SHARPNESS_ON_IMAGES |= {"sharpness_of_rates rates"}
NORMALIZED = {"sharpness_of_normalization normalization"}
JUDGE_SHARPNESS = jobs("judge_sharpness", ("verdicts", "thesis"))
SHARPNESS_FIGURE = {"plot_sharpness companion_sharpness"}
SHARPNESS = SHARPNESS_ON_IMAGES | NORMALIZED | JUDGE_SHARPNESS | SHARPNESS_FIGURE
TRAINED_ON_OTHERS = (*OTHER_IMAGES, "official_test_split")
EXTRACT_CHOICES = jobs("extract_choice", [f"{choice}/{PAIR}" for choice in TRAINED_ON_OTHERS])
EXTRACT_CHOICES |= {f"extract_pool {PAIR}"}
CHOICES = jobs("measure_choice", [f"{choice}-law" for choice in CHOICES_IN_LAW])
CHOICES |= jobs("measure_choice", ["default-dense", "float64-dense"])
CHANGES = {"compare_choices changes"}
IN_PROTOCOL = ("dampened", "dropped_batch", "running_loss")
IN_ROUNDING = ("bfloat16_products", "float64_training", "primal")
CHOICES_IN_TRAINING = (
    "default",
    *TRAINED_ON_OTHERS,
    *NORMALIZATIONS,
    *IN_PROTOCOL,
    *IN_ROUNDING,
    "same_parametrization",
)
TRAIN_CHOICES = jobs("train_choice", [f"curves/{choice}" for choice in CHOICES_IN_TRAINING])
CHANGES_TRAINED = {"compare_trained training"}
OPEN_CHOICES_PAGE = {"write_ledger open-choices"}
OPEN_CHOICES_FIGURE = {"plot_ledger open_choices"}
TRAINED_FIGURE = {"plot_trained open_choices_training"}
ON_SLOPES = CHOICES | CHANGES | OPEN_CHOICES_PAGE | OPEN_CHOICES_FIGURE
ON_CURVES = TRAIN_CHOICES | CHANGES_TRAINED | OPEN_CHOICES_PAGE | TRAINED_FIGURE
OPEN_CHOICES = EXTRACT_CHOICES | ON_SLOPES | ON_CURVES
LAZY_FAMILIES = ("constant_ratio", "sharpening")
LAZY_TRAINED = jobs("measure_linearization", ("ntk", "dynamic"))
LAZY_STEPS = jobs("measure_index", LAZY_FAMILIES)
LAZY_TRIALS = LAZY_TRAINED | LAZY_STEPS | jobs("measure_kernel_change", LAZY_FAMILIES)
LAZY_TRIALS |= {"measure_identities identities"}
LAZY_VERDICTS = {"judge_laziness verdicts"}
LAZY_FIGURE = {"plot_laziness companion_laziness"}
LAZY_JUDGED = LAZY_VERDICTS | LAZY_FIGURE
LAZY = LAZY_TRIALS | LAZY_JUDGED
SOFTMAX_FIGURE = {"plot_softmax companion_softmax"}
SOFTMAX = {"measure_softmax eigenvalues", "judge_softmax verdicts"} | SOFTMAX_FIGURE
ISOMETRY_FIGURE = {"plot_isometry companion_isometry"}
ISOMETRY = {"measure_isometry measured", "judge_isometry verdicts"} | ISOMETRY_FIGURE
ATTENTION_FIGURE = {"plot_attention companion_attentional_bm"}
ATTENTION = {"measure_attention measured", "judge_attention verdicts"} | ATTENTION_FIGURE
NATURAL_FIGURE = {"plot_natural companion_natural_gradient"}
NATURAL = {"measure_natural residuals", "judge_natural verdicts"} | NATURAL_FIGURE
CONTINUAL_FIGURE = {"plot_continual companion_continual"}
CONTINUAL = jobs("measure_continual", ("errors", "expected")) | CONTINUAL_FIGURE
CONTINUAL |= {"judge_continual verdicts"}
# Judging is part of the job that measures.
MEASURE_CONCEPTS = jobs("measure_concepts", ("measured", "verdicts"))
CONCEPTS_FIGURE = {"plot_concepts companion_concepts"}
CONCEPTS = MEASURE_CONCEPTS | CONCEPTS_FIGURE
FIELDS_FIGURE = {"plot_fields companion_receptive_fields"}
FIELDS = {f"measure_fields {PAIR}", "judge_fields verdicts"} | FIELDS_FIGURE
COMPANIONS = SHARPNESS | LAZY | SOFTMAX | ISOMETRY | ATTENTION | NATURAL | CONTINUAL
COMPANIONS |= CONCEPTS | FIELDS
JUDGE_COMPANIONS = JUDGE_SHARPNESS | LAZY_VERDICTS | MEASURE_CONCEPTS
JUDGED = ("softmax", "isometry", "attention", "natural", "continual", "fields")
JUDGE_COMPANIONS |= {f"judge_{name} verdicts" for name in JUDGED}
COMPANION_FIGURES = SHARPNESS_FIGURE | LAZY_FIGURE | SOFTMAX_FIGURE | ISOMETRY_FIGURE
COMPANION_FIGURES |= ATTENTION_FIGURE | NATURAL_FIGURE | CONTINUAL_FIGURE
COMPANION_FIGURES |= CONCEPTS_FIGURE | FIELDS_FIGURE
JUDGED_COMPANIONS = JUDGE_COMPANIONS | COMPANION_FIGURES
FLUCTUATIONS_FIGURE = {"plot_fluctuations fluctuations"}
JUDGE_FLUCTUATIONS = {"judge_fluctuations verdicts"}
SPREAD = {"spread_of_seeds spread"}
FLUCTUATIONS = {"measure_fluctuations trials"} | SPREAD | JUDGE_FLUCTUATIONS | FLUCTUATIONS_FIGURE
DELAY_PARTS = ("series_1", "series_2", "families", "variants", "narrow_layers")
MEASURE_DELAYS = jobs("measure_delays", DELAY_PARTS)
DELAYS_JUDGED = {"judge_delays verdicts", "plot_delays delay_law"}
DELAYS = MEASURE_DELAYS | DELAYS_JUDGED
THROUGH_TABLES = [f"{PAIR}/100-5/{name}" for name in ("spectral", "dynamic")]
THROUGH_MEASURED = jobs("measure_through", [f"measured/{name}" for name in THROUGH_TABLES])
THROUGH_JUDGED = {"judge_through verdicts", "plot_through through_training"}
THROUGH = THROUGH_MEASURED | jobs("collect_through", THROUGH_TABLES) | THROUGH_JUDGED
RATED = ("spectral", "dynamic", "spectral_dynamic", "dynamic_spectral")
RATE_TABLES = [f"best_rate/{PAIR}/100-10/{name}" for name in RATED]
DECAY_TABLES = [
    f"weight_decay/{PAIR}/100-10/{name}" for name in ("spectral", "dynamic", "r-1-4", "r-1-2")
]
RATES, DECAYS, SIZE_RATES, ARM_SEEDS = 6, 2, 5, 2
VALIDATED = {f"extract_validated {PAIR}"}
TRAIN_ARMS = jobs("train_arms", [f"trained/{name}" for name in (*RATE_TABLES, *DECAY_TABLES)])
ARMS = TRAIN_ARMS | jobs("collect_arms", [*RATE_TABLES, *DECAY_TABLES])
RATES_JUDGED = {"judge_rates verdicts", "list_best_rates best", "plot_rates best_rate"}
DECAY_JUDGED = {"judge_decay verdicts", "plot_decay weight_decay"}
ARMS_JUDGED = RATES_JUDGED | DECAY_JUDGED
BEYOND_JUDGED = JUDGE_FLUCTUATIONS | FLUCTUATIONS_FIGURE | DELAYS_JUDGED | THROUGH_JUDGED | ARMS_JUDGED
BEYOND = FLUCTUATIONS | DELAYS | THROUGH | ARMS | ARMS_JUDGED | VALIDATED
JUDGE_BEYOND = {job for job in BEYOND_JUDGED if not job.startswith("plot_")}
ON_SPREAD = FLUCTUATIONS - {"measure_fluctuations trials"}
TRAINED_BEYOND = ON_SPREAD | THROUGH | ARMS | ARMS_JUDGED
BEYOND_FIGURES = {job for job in BEYOND_JUDGED if job.startswith("plot_")}
STUDIES = ORDERS | JUDGE_TABLE | ORDER_FIGURES | SWEEPS | EDGES | SWEEP_FIGURE | OPEN_CHOICES
STUDY_FIGURES = WIDE_FIGURES | ORDER_FIGURES | SWEEP_FIGURE | OPEN_CHOICES_FIGURE | TRAINED_FIGURE
STUDY_FIGURES |= COMPANION_FIGURES | BEYOND_FIGURES

OF_ORDERS = JUDGE_TABLE | ORDER_FIGURES
JUDGED_ON_SLOPES = (
    OF_ORDERS | EDGES | SWEEP_FIGURE | CHANGES | OPEN_CHOICES_PAGE | OPEN_CHOICES_FIGURE | WIDE_FIGURES
)
JUDGED_STUDIES = JUDGED_ON_SLOPES | CHANGES_TRAINED | TRAINED_FIGURE | JUDGED_COMPANIONS

ONE_STEP = PROBES | EXPECTATIONS | FITS | COMPARE | PROBE_FIGURES | LAW

TASKS = tuple(TRAINED.values())
EXTRACT_DRAWS = {f"extract_pair {PAIR}.draw-1"}
EXTRACT = jobs("extract_pair", TASKS) | EXTRACT_DRAWS
MAIN_RUNS = [f"{task}/{NETWORK}/{name}" for task in TASKS for name in PARAMETRIZATIONS]
DOMAIN_SEEDS = {
    f"{PAIR}/{network}{draw}/{name}": seeds
    for network in OTHER_NETWORKS
    for draw, seeds in (("", "0-1"), (".draw-1", "2-3"))
    for name in PARAMETRIZATIONS
}
DOMAIN_RUNS = list(DOMAIN_SEEDS)
TRAIN_DOMAIN = jobs("train_seeds", [f"{run}/{seeds}" for run, seeds in DOMAIN_SEEDS.items()])
TABLES = [*(f"{task}/{name}" for task in TASKS for name in PARAMETRIZATIONS), *DOMAIN_RUNS]
TRAIN = jobs("train_seeds", [f"{run}/0-2" for run in MAIN_RUNS]) | TRAIN_DOMAIN
COLLECT = jobs("collect_curves", TABLES)
CLAIMS = {"judge_claims claims"}
CURVE_FIGURES = jobs("plot_curves", TRAINED)
DOMAIN_FIGURE = {f"plot_domain {DOMAIN}"}
DRAW_TRAINED = CURVE_FIGURES | DOMAIN_FIGURE
TRAINING = TRAIN | COLLECT | CLAIMS | DRAW_TRAINED
PAGE = {"assemble_report report", "compare_published published"}
SOURCES = {"write_sources sources"}
EVERYTHING = RETRIEVE | EXTRACT | ONE_STEP | ARCHITECTURE | TRAINING | STUDIES | COMPANIONS | PAGE
EVERYTHING |= SOURCES | BEYOND
# The dense engine and the law engine are one command, so an edit of one repeats both.
ON_TRIALS = STUDIES - EXTRACT_CHOICES - TRAIN_CHOICES - CHANGES_TRAINED - TRAINED_FIGURE
ON_BOTH_ENGINES = (ONE_STEP - EXPECTATIONS - EXPECT_WIDE) | ON_TRIALS | LAZY_STEPS | LAZY_JUDGED
ON_BOTH_ENGINES |= DELAYS | FLUCTUATIONS - SPREAD
ON_IMAGES = EVERYTHING - ARCHITECTURE - RETRIEVE - NORMALIZED - (LAZY_TRIALS - LAZY_TRAINED) - ISOMETRY
ON_IMAGES -= ATTENTION | CONCEPTS | DELAYS | {"measure_fluctuations trials"}

FIGURES = (
    "fig3_1",
    *PANELS,
    *TRAINED,
    DOMAIN,
    *(f"{figure}_wide" for figure in PANELS),
    "table1_1",
    "conditions",
    "r_sweep",
    "open_choices",
    "open_choices_training",
    "companion_laziness",
    "companion_sharpness",
    "companion_softmax",
    "companion_isometry",
    "companion_attentional_bm",
    "companion_natural_gradient",
    "companion_continual",
    "companion_concepts",
    "companion_receptive_fields",
    "fluctuations",
    "delay_law",
    "through_training",
    "best_rate",
    "weight_decay",
)

TRIAL_COLUMNS = [
    "curve",
    "parametrization",
    "ratio",
    "n",
    "n_min",
    "trial",
    "layer",
    "alignment",
    "preactivation_rms",
    "update_rms",
    "gradient_norm",
    "own_rms",
    "relative_square",
]
SLOPE_COLUMNS = [
    "figure",
    "curve",
    "parametrization",
    "layer",
    "asymptotic",
    "expected",
    "slope",
    "ci_low",
    "ci_high",
    "verdict",
    "note",
    "expected_exact",
    "expected_exact_error",
    "deviation",
    "drawn_slope",
    "drawn_low",
    "drawn_high",
    "joint_statistic",
    "joint_layers",
    "joint_freedom",
    "joint_p",
]
CURVE_COLUMNS = [
    "task",
    "parametrization",
    "seed",
    "epoch",
    "train_loss",
    "test_loss",
    "train_accuracy",
    "test_accuracy",
]
CLAIM_COLUMNS = [
    "claim",
    "source",
    "metric",
    "role",
    "value",
    "ci_low",
    "ci_high",
    "p_value",
    "p_holm",
    "verdict",
    "note",
]
MORE_PLACES = {
    "train_loss": ("jumps",),
    "test_loss": ("best",),
    "train_accuracy": (),
    "test_accuracy": ("best",),
}
LAYERS, WIDTHS, TRIALS, SEEDS, CHOICE_SEEDS = 6, 6, 20, 3, 2


def on_dense(curve: str) -> set[str]:
    return {f"{rule} {curve}" for rule in ("probe_alignment", "expect_slopes", "fit_slopes")}


def of_curve(curve: str) -> set[str]:
    law = {f"{rule} {window}/{curve}" for rule, window in (("fit_exact", "exact"), ("fit_wide", "wide"))}
    trials = {f"probe_law {window}/{curve}" for window in ("exact", "wide")}
    return on_dense(curve) | law | trials | {f"expect_wide {curve}"}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def digests(root: Path, patterns: Iterable[str]) -> dict[str, str]:
    paths = sorted(path for pattern in patterns for path in root.glob(pattern))
    return {str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest() for p in paths}


def fill_archive(sandbox: Sandbox) -> None:
    """Empty archived tables of all runs of the thesis: enough to plan with."""
    for run in all_runs(load(Config, [sandbox.root / "config/thesis.yaml"])).values():
        for kind in ("csv", "json"):
            path = sandbox.root / f"results/archive/{run.place}.{kind}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()


@pytest.fixture
def untouched(invented: CifarData, tmp_path: Path) -> Sandbox:
    """A fresh copy to plan the reduced run in: it would take more images than these."""
    return Sandbox.create(tmp_path / "repository", CifarData(invented.environment, {}), REDUCED)


class TestPlans:
    """Dry runs of an untouched repository."""

    def test_the_thesis(self, untouched):
        fill_archive(untouched)
        before = untouched.files()
        dry = untouched.snakemake("-n", overlay=False)
        assert dry.code == 0, dry.text
        assert re.search(r"Using workflow specific profile \S*profiles/default", dry.text)
        assert dry.counts == {
            "retrieve_cifar10": 1,
            "extract_pair": 8,
            "probe_alignment": 4,
            "expect_slopes": 4,
            "fit_slopes": 4,
            "compare_slopes": 1,
            "plot_figure": 2,
            "plot_architecture": 1,
            "probe_law": 8,
            "expect_wide": 4,
            "fit_exact": 4,
            "fit_wide": 4,
            "plot_wide": 2,
            "probe_orders": 20,
            "judge_table1_1": 1,
            "plot_table1_1": 1,
            "plot_conditions": 1,
            "sweep_r": 3,
            "find_edges": 1,
            "plot_sweep": 1,
            "sharpness_of_widths": 1,
            "sharpness_of_rates": 1,
            "sharpness_of_normalization": 1,
            "judge_sharpness": 1,
            "plot_sharpness": 1,
            "measure_linearization": 2,
            "measure_kernel_change": 2,
            "measure_index": 2,
            "measure_identities": 1,
            "judge_laziness": 1,
            "plot_laziness": 1,
            "extract_pool": 1,
            "extract_choice": 4,
            "measure_choice": 12,
            "compare_choices": 1,
            "train_choice": 15,
            "compare_trained": 1,
            "write_ledger": 1,
            "plot_ledger": 1,
            "plot_trained": 1,
            "measure_softmax": 1,
            "judge_softmax": 1,
            "plot_softmax": 1,
            "measure_isometry": 1,
            "judge_isometry": 1,
            "plot_isometry": 1,
            "measure_attention": 1,
            "judge_attention": 1,
            "plot_attention": 1,
            "measure_natural": 1,
            "judge_natural": 1,
            "plot_natural": 1,
            "measure_continual": 1,
            "judge_continual": 1,
            "plot_continual": 1,
            "measure_concepts": 1,
            "plot_concepts": 1,
            "measure_fields": 2,
            "judge_fields": 1,
            "plot_fields": 1,
            "measure_delays": 6,
            "judge_delays": 1,
            "plot_delays": 1,
            "measure_fluctuations": 1,
            "spread_of_seeds": 1,
            "judge_fluctuations": 1,
            "plot_fluctuations": 1,
            "audit_through": 8,
            "collect_through": 8,
            "judge_through": 1,
            "plot_through": 1,
            "extract_validated": 2,
            "audit_arms": 40,
            "collect_arms": 40,
            "judge_rates": 1,
            "list_best_rates": 1,
            "plot_rates": 1,
            "judge_decay": 1,
            "plot_decay": 1,
            "write_findings": 1,
            "write_summary": 1,
            "write_sources": 1,
            "write_companions": 1,
            "write_companion": 9,
            "compare_published": 1,
            "assemble_report": 1,
            "audit_archive": 42,
            "collect_curves": 84,
            "judge_claims": 1,
            "plot_curves": 2,
            "plot_domain": 1,
            "everything": 1,
            "total": 410,
        }
        for stage in (stage for one in contents.COMPANIONS for stage in one.stages):
            assert job_count(stage, CONFIG) == dry.counts[stage.name]
        assert untouched.files() == before
        assert not any((untouched.root / name).exists() for name in ("data", "figures"))
        assert [path.name for path in (untouched.root / "results").iterdir()] == ["archive"]

    def test_an_overlay_keeps_the_order_of_panels(self, untouched):
        title = {"figures": {"titles": {"fig3_2_dynamic_ratio": "Other"}}}
        dry = untouched.snakemake("fig3_2", "-n", "-p", change=title)
        command = next(line for line in dry.text.splitlines() if "dynparam plot probe fig3_2" in line)
        assert tuple(re.findall(r'"(fig3_2_\w+)":"', command)) == PANELS["fig3_2"]

    def test_each_job_is_that_of_its_curve_or_figure(self, untouched):
        assert untouched.plan() == EVERYTHING

    @pytest.mark.parametrize("figure", PANELS)
    def test_a_figure_needs_its_own_panels_alone(self, untouched, figure):
        panels = set().union(*(on_dense(curve) for curve in PANELS[figure]))
        assert untouched.plan(figure) == DATA | panels | {f"plot_figure {figure}"}

    def test_the_architecture_needs_no_data(self, untouched):
        assert untouched.plan("fig3_1") == ARCHITECTURE

    def test_the_comparison_draws_nothing(self, untouched):
        elsewhere = TRAIN_DOMAIN | EXTRACT_DRAWS | jobs("collect_curves", DOMAIN_RUNS)
        drawn = PROBE_FIGURES | ARCHITECTURE | DRAW_TRAINED | STUDY_FIGURES
        assert (
            untouched.plan("comparison")
            == EVERYTHING - drawn - elsewhere - STUDIES - COMPANIONS - BEYOND - PAGE - SOURCES
        )

    def test_a_study_needs_no_other(self, untouched):
        of_table = {job for job in ORDERS if not job.startswith("probe_orders standard_")}
        assert untouched.plan("table1_1") == DATA | of_table | JUDGE_TABLE | {"plot_table1_1 table1_1"}
        assert untouched.plan("r_sweep") == DATA | SWEEPS | EDGES | SWEEP_FIGURE
        assert untouched.plan("companion_sharpness") == DATA | SHARPNESS
        assert untouched.plan("companion_laziness") == DATA | LAZY
        assert untouched.plan("companion_softmax") == DATA | SOFTMAX
        assert untouched.plan("companion_isometry") == ISOMETRY
        assert untouched.plan("companion_continual") == DATA | CONTINUAL
        assert untouched.plan("companion_concepts") == CONCEPTS
        assert untouched.plan("companion_receptive_fields") == DATA | FIELDS
        assert untouched.plan("delay_law") == DELAYS
        assert untouched.plan("through_training") == DATA | THROUGH
        rates = jobs("train_arms", [f"trained/{name}" for name in RATE_TABLES])
        rates |= jobs("collect_arms", RATE_TABLES)
        assert untouched.plan("best_rate") == RETRIEVE | VALIDATED | rates | RATES_JUDGED
        assert untouched.plan("open_choices") == DATA | OPEN_CHOICES - TRAINED_FIGURE
        assert untouched.plan("open_choices_training") == (
            DATA | (EXTRACT_CHOICES | ON_CURVES) - OPEN_CHOICES_PAGE - {f"extract_pool {PAIR}"}
        )

    def test_the_reduced_configuration_makes_the_same_in_its_own_directory(self, untouched):
        """So that what the whole run below shows holds for it."""
        command = ("--configfile", "config/reduced.yaml")
        names = {row["output_file"] for row in untouched.summary(*command, overlay=False)}
        beside = {row["output_file"] for row in untouched.summary()}
        own = {"results": "results/reduced", "data": "data"}
        assert names == {f"{own[top]}/{rest}" for top, rest in (name.split("/", 1) for name in beside)}

    def test_what_came_with_the_clone_is_not_taken_for_the_runs_own(self, untouched):
        """Published figures and pages are tracked: a run makes its own beside them."""
        pages = ("docs/open-choices", "docs/findings", "docs/companions", "docs/companions/sharpness")
        for name in ("figures/fig3_2", "figures/conditions", *pages):
            for suffix in (".png", ".svg", ".pdf", ".csv", ".json", ".md"):
                file = (untouched.root / name).with_suffix(suffix)
                file.parent.mkdir(exist_ok=True)
                file.write_text("of another run")
        jobs_of_targets = {
            "fig3_2": "plot_figure fig3_2",
            "conditions": "plot_conditions conditions",
            "open_choices": "write_ledger open-choices",
            "findings": "write_findings findings",
            "companions": "write_companions companions",
        }
        beside = {
            f"write_companion companions/{one}" for one in ("sharpness", "lazy_or_rich", "isometry")
        }
        pages = {name: f"results/pages/{name}.md" for name in ("findings", "companions")}
        change = {"findings": {"page": pages["findings"], "companions": pages["companions"]}}
        planned = untouched.plan(*jobs_of_targets, change=change)
        assert beside | set(jobs_of_targets.values()) <= planned
        assert "plot_figure fig3_2" in untouched.plan("report", change=change)

    def test_a_redrawn_subset_takes_the_pool(self, untouched):
        plan = untouched.plan("fig3_2", change={"probe": {"subset": "redrawn"}})
        assert f"extract_pool {PAIR}" in plan
        assert f"extract_pair {PAIR}" not in plan

    def test_the_pool_has_every_image_of_both_classes(self, extracted):
        extracted.make(f"data/processed/{PAIR}.pool.npz")
        with np.load(extracted.root / f"data/processed/{PAIR}.pool.npz") as arrays:
            assert np.bincount(arrays["train_labels"]).tolist() == [50, 50]
            assert len(arrays["test_labels"]) == 0


class TestWholeRun:
    """The reduced configuration, run whole."""

    def test_declared_files_exist(self, finished):
        members = [f"data/raw/{FOLDER}/{member}" for member in MEMBERS]
        per_curve = [
            f"results/{kind}/{curve}.{suffix}"
            for kind in ("probe", "expected", "fits")
            for curve in CURVES
            for suffix in ("csv", "json")
        ]
        figures = [
            f"results/figures/{figure}.{suffix}"
            for figure in FIGURES
            for suffix in ("png", "svg", "pdf", "csv", "json")
        ]
        comparison = [
            f"results/comparison/{table}.{kind}"
            for table in ("slopes", "claims", "sources", "published")
            for kind in ("csv", "md", "html", "json")
        ]
        pairs = [f"data/processed/{task}.{suffix}" for task in TASKS for suffix in ("npz", "json")]
        shards = [f"shards/{run}/0-2" for run in MAIN_RUNS]
        shards += [f"shards/{run}/{seeds}" for run, seeds in DOMAIN_SEEDS.items()]
        training = [
            f"results/training/{name}.{suffix}"
            for name in (*TABLES, *shards)
            for suffix in ("csv", "json")
        ]
        others = [*comparison, *pairs, *training]
        declared = [*members, "data/raw/cifar10.json", *per_curve, *figures, *others]
        sizes = {
            name: path.stat().st_size for name in declared if (path := finished.root / name).is_file()
        }
        assert [name for name in declared if not sizes.get(name)] == []

    def test_pictures_are_what_their_names_say(self, finished):
        for figure in FIGURES:
            stem = finished.root / "results/figures" / figure
            assert stem.with_suffix(".png").read_bytes().startswith(b"\x89PNG\r\n")
            assert stem.with_suffix(".pdf").read_bytes().startswith(b"%PDF-")
            assert b"<svg" in stem.with_suffix(".svg").read_bytes()
            assert rows(stem.with_suffix(".csv"))

    @pytest.mark.parametrize("curve", CURVES)
    def test_trials_keep_their_contract(self, finished, curve):
        table = rows(finished.root / f"results/probe/{curve}.csv")
        assert list(table[0]) == TRIAL_COLUMNS
        assert len(table) == WIDTHS * TRIALS * LAYERS
        assert {row["curve"] for row in table} == {curve}
        assert len({(row["n"], row["trial"], row["layer"]) for row in table}) == len(table)

    def test_slopes_keep_their_contract(self, finished):
        table = rows(finished.root / "results/comparison/slopes.csv")
        assert list(table[0]) == SLOPE_COLUMNS
        assert [(row["figure"], row["curve"], row["layer"]) for row in table] == [
            (figure + window, curve, str(layer))
            for window in ("", "_wide")
            for figure, curves in PANELS.items()
            for curve in curves
            for layer in range(1, LAYERS + 1)
        ]
        for row in table:
            assert float(row["ci_low"]) <= float(row["slope"]) <= float(row["ci_high"])
            assert row["verdict"]
            assert row["note"]

    @pytest.mark.parametrize("name", TABLES)
    def test_curves_keep_their_contract(self, finished, name):
        table = rows(finished.root / f"results/training/{name}.csv")
        assert list(table[0]) == CURVE_COLUMNS
        runs = [(row["seed"], row["epoch"]) for row in table]
        first, last = map(int, DOMAIN_SEEDS.get(name, f"0-{SEEDS - 1}").split("-"))
        seeds, epochs = range(first, last + 1), OTHER_EPOCHS if name in DOMAIN_SEEDS else EPOCHS
        assert runs == [(str(seed), str(epoch)) for seed in seeds for epoch in range(epochs + 1)]
        task, *_, parametrization = name.split("/")
        assert {(row["task"], row["parametrization"]) for row in table} == {(task, parametrization)}

    def test_claims_keep_their_contract(self, finished):
        table = rows(finished.root / "results/comparison/claims.csv")
        assert list(table[0]) == CLAIM_COLUMNS
        assert [(row["source"], row["metric"]) for row in table] == [
            (figure, f"{metric} {at}")
            for figure in ("Fig. 3.4", "Fig. 3.5")
            for metric in CURVE_COLUMNS[4:]
            for at in ("epoch 1", "epoch 5", "epoch 10", "area", *MORE_PLACES[metric])
        ]
        for row in table:
            assert float(row["ci_low"]) <= float(row["ci_high"])
            assert row["claim"]
            assert row["verdict"]
            assert row["note"]

    def test_sidecars_tell_where_files_come_from(self, finished):
        root = finished.root
        sidecars = [
            root / "data/raw/cifar10.json",
            *root.glob("results/*/*.json"),
            *root.glob("results/training/[!.]*/**/*.json"),
            *root.glob("results/law/*/**/*.json"),
            *root.glob("results/open_choices/*/*.json"),
            *root.glob("results/lazy_or_rich/*/*.json"),
        ]
        figures_and_tables = 1 + 3 * len(CURVES) + 2 + len(FIGURES) + len(TABLES) + len(TRAIN)
        figures_and_tables += len(PAGE | SOURCES | OPEN_CHOICES_PAGE)
        law = len(EXACT | WIDE | EXPECT_WIDE | LAW_FITS)
        studies = len(ORDERS | JUDGE_TABLE | SWEEPS | {"edges"} | CHOICES | CHANGES)
        studies += len(TRAIN_CHOICES | CHANGES_TRAINED | (COMPANIONS - SHARPNESS - COMPANION_FIGURES))
        studies += len(("widths", "rates", "normalization", "verdicts"))
        studies += len(FLUCTUATIONS | DELAYS | RATES_JUDGED | {"judge_through", "judge_decay"})
        studies -= len(("plot_fluctuations", "plot_delays", "plot_rates"))
        studies -= len(("measure_concepts", "measure_continual"))  # two tables each, one sidecar
        assert len(sidecars) == figures_and_tables + law + studies
        for sidecar in sidecars:
            record = Sidecar.model_validate_json(sidecar.read_text(encoding="utf-8"))
            assert record.model_fields_set >= ADDED, sidecar
            assert record.code, sidecar
            assert record.command, sidecar
            assert record.place == sidecar.relative_to(root).as_posix()
            assert record.outputs, sidecar
            for name, digest in record.outputs.items():
                assert hashlib.sha256((sidecar.parent / name).read_bytes()).hexdigest() == digest
            for name, digest in record.inputs.items():
                assert hashlib.sha256((root / name).read_bytes()).hexdigest() == digest

    def test_the_crate_waits_for_all_and_is_part_of_nothing(self, finished):
        assert finished.plan("crate") == {"export_crate run"}
        assert not list(finished.root.glob("results/crate"))

    def test_every_file_agrees_with_all_it_rests_on(self, finished):
        """Each figure, table and page; and the hash of none is taken from what is not there."""
        outcome = finished.dynparam("verify", "results", "data", "--json")
        assert outcome.code == 0, outcome.text
        found = json.loads(outcome.stdout)
        states = {one["state"] for file in found["files"] for one in every_finding(file)}
        assert states == {"agrees"}, outcome.stdout

    def test_every_job_has_its_log_and_benchmark(self, finished):
        beside = {"find_edges exponents", "judge_sharpness thesis"}
        beside |= {"sharpness_of_widths limits", "measure_continual expected"}
        tables = "slopes|claims|table1_1|changes|training|open-choices"
        tables += "|trials|spread|best|identities|verdicts|eigenvalues|measured|errors|residuals"
        tables += "|sources|published"
        single = f"(?<!plot_table1_1/)(?:{tables})"
        window = "(?<=fit_)(exact/exact|wide/wide)(?=/)"
        names = [
            re.sub(
                window,
                lambda both: both[0].split("/")[0],
                re.sub(
                    f"/{single}$", "", re.sub("/(curves|trained|measured)/", "/", job.replace(" ", "/"))
                ),
            )
            for job in EVERYTHING - beside - VALIDATED
        ]
        results = finished.root / "results"
        for name in names:
            assert (results / "logs" / f"{name}.log").is_file()
            header, values = (results / "benchmarks" / f"{name}.tsv").read_text().splitlines()
            assert dict(zip(header.split("\t"), values.split("\t"), strict=True))["s"] > "0"

    @pytest.mark.parametrize("curve", CURVES)
    def test_the_log_of_a_long_job_has_progress(self, finished, curve):
        log = (finished.root / f"results/logs/probe_alignment/{curve}.log").read_text()
        assert re.search(rf"^{curve}: 100 % done, 0 s left$", log, re.MULTILINE)

    def test_nothing_unfinished_remains(self, finished):
        products = [*finished.root.glob("results/**/*")]
        runs = finished.root / "results/training/.runs"
        hidden = [path for path in products if path.name.startswith(".")]
        assert {path.name for path in hidden} == {".unfinished", ".runs"}
        assert not [path for path in products if path.parent.name == ".unfinished"]
        names = [path.name for path in runs.rglob("*") if path.is_file()]
        trained = [job.rsplit("/", 1)[1].split("-") for job in TRAIN]
        seeds = [seed for first, last in trained for seed in range(int(first), int(last) + 1)]
        # Choices keep theirs there too; the control's are those of the default.
        choices = len(CHOICES_IN_TRAINING) - 1
        seeds += choices * len(PARAMETRIZATIONS) * list(range(CHOICE_SEEDS))
        seeds += (len(RATED) * RATES + 2 * DECAYS + 2 * SIZE_RATES) * list(range(ARM_SEEDS))
        assert sorted(names) == sorted(f"seed-{seed:04d}.json" for seed in seeds)

    def test_repeated_it_has_nothing_to_do(self, clone):
        again = clone.make()
        assert "Nothing to be done" in again.text
        assert again.counts == {}

    def test_one_core_gives_the_same_bytes(self, finished, data, tmp_path):
        """A probe and a training, which use all cores they are given, and what is made of them."""
        alone = Sandbox.create(tmp_path / "repository", data, REDUCED)
        curve, trained = "fig3_3_dynamic", f"{PAIR}/dynamic"
        targets = [f"results/fits/{curve}.csv", f"results/training/{trained}.csv"]
        alone.make(*targets, cores=1)
        patterns = ("results/**/*.csv", "data/processed/*.npz")
        found, expected = digests(alone.root, patterns), digests(finished.root, patterns)
        shard = f"results/training/shards/{PAIR}/{NETWORK}/dynamic/0-2.csv"
        made = {*targets, f"results/probe/{curve}.csv", shard, f"data/processed/{PAIR}.npz"}
        assert found.keys() == made
        assert found == {name: expected[name] for name in found}
        shutil.rmtree(alone.root / "data" / "raw")  # large


class TestRunsAgain:
    """What is repeated in a finished run, and nothing else."""

    def test_a_lost_picture_is_drawn_again(self, clone, finished):
        (clone.root / "results/figures/fig3_2.png").unlink()
        assert clone.plan("fig3_2") == {"plot_figure fig3_2"}
        outcome = clone.make("fig3_2")
        assert outcome.counts == {"plot_figure": 1, "fig3_2": 1, "total": 2}
        pictures = ["results/figures/*.png", "results/figures/*.csv"]
        assert digests(clone.root, pictures) == digests(finished.root, pictures)

    @pytest.mark.parametrize(
        ("module", "repeated"),
        [
            ("presentation.figure_style", PROBE_FIGURES | ARCHITECTURE | DRAW_TRAINED | STUDY_FIGURES),
            (
                "presentation.pages",
                COMPARE | CLAIMS | JUDGE_TABLE | JUDGE_COMPANIONS | CONCEPTS_FIGURE | JUDGE_BEYOND,
            ),
            (
                "statistics.slopes",
                FITS
                | COMPARE
                | PROBE_FIGURES
                | LAW_FITS
                | JUDGED_ON_SLOPES
                | CLAIMS
                | DRAW_TRAINED
                | ((SHARPNESS | LAZY | ISOMETRY | ATTENTION | NATURAL) & JUDGED_COMPANIONS)
                | DELAYS_JUDGED
                | JUDGE_FLUCTUATIONS
                | FLUCTUATIONS_FIGURE
                | ARMS_JUDGED,
            ),
            (
                "theory.mean_field",
                EXPECTATIONS
                | COMPARE
                | PROBE_FIGURES
                | EXPECT_WIDE
                | WIDE_FIGURES
                | OF_ORDERS
                | FLUCTUATIONS,
            ),
            ("engines.gaussian_columns", ON_BOTH_ENGINES),
            ("engines.law_step", ON_BOTH_ENGINES),
            ("statistics.differences", CLAIMS | DRAW_TRAINED | NATURAL & JUDGED_COMPANIONS),
            ("experiments.training_curves.claims", CLAIMS | DRAW_TRAINED),
            ("experiments.training_curves.figure", CURVE_FIGURES),
            ("training.protocol", TRAINING | ON_CURVES | TRAINED_BEYOND),
            (
                "experiments.open_choices.trained",
                # The words of its verdicts are part of a form, which the changes of slopes read too.
                CHANGES_TRAINED | TRAINED_FIGURE | CHANGES | OPEN_CHOICES_PAGE | OPEN_CHOICES_FIGURE,
            ),
            (
                "theory.relu_kernels",
                SHARPNESS
                | LAZY_STEPS
                | LAZY_JUDGED
                | SOFTMAX
                | ISOMETRY
                | CONTINUAL
                | NATURAL & JUDGED_COMPANIONS,
            ),
            ("theory.fisher", SHARPNESS | SOFTMAX),
            ("data.pairs", ON_IMAGES),
        ],
    )
    def test_an_edit_repeats_its_stages_and_what_follows(self, clone, module, repeated):
        clone.append(module, "\nADDED = 1\n")
        assert clone.plan() == repeated | PAGE | SOURCES

    def test_edits_that_change_no_result_repeat_nothing(self, clone):
        for module in (
            "presentation.figure_style",
            "statistics.slopes",
            "engines.gaussian_columns",
            "engines.network",
            "data.pairs",
        ):
            clone.append(module, '\n# A comment.\n\n"""A string that documents."""\n')
        for module in ("support.progress", "data.download", "provenance.record", "data.retrieval"):
            clone.append(module, "\nADDED = 1\n")
        assert clone.plan() == set()

    def test_an_edited_module_really_runs(self, clone, finished):
        clone.append("experiments.training_curves.figure", '\nprint("the edited copy")\n')
        outcome = clone.make()
        assert outcome.counts == {
            "plot_curves": 2,
            "write_sources": 1,
            "compare_published": 1,
            "assemble_report": 1,
            "everything": 1,
            "total": 6,
        }
        logs = [clone.root / f"results/logs/plot_curves/{figure}.log" for figure in TRAINED]
        assert all("the edited copy" in log.read_text() for log in logs)
        can_reach_all_code = {"sources.csv", "published.csv"}  # they take seconds
        made_again = can_reach_all_code | {f"{figure}.csv" for figure in TRAINED}
        others = [one for one in finished.root.glob("results/*/*.csv") if one.name not in made_again]
        for path in others:
            same = clone.root / path.relative_to(finished.root)
            assert same.stat().st_mtime_ns == path.stat().st_mtime_ns
        assert "Nothing to be done" in clone.make().text

    @pytest.mark.parametrize(
        ("change", "repeated"),
        [
            pytest.param(
                {"probe": {"curves": {"fig3_3_dynamic": {"narrow": {"coefficient": 5}}}}},
                of_curve("fig3_3_dynamic") | COMPARE | {"plot_figure fig3_3"} | WIDE_FIGURES | ON_SLOPES,
                id="one curve",
            ),
            pytest.param(
                {"probe": {"learning_rate": 0.2}},
                ONE_STEP | ON_TRIALS,
                id="learning rate",
            ),
            pytest.param(
                {"inputs": {"normalization": "unit_range"}},
                # Alternatives that choose another normalization are what they were.
                (
                    ONE_STEP
                    | TRAINING
                    | SOFTMAX
                    | CONTINUAL
                    | NATURAL
                    | FIELDS
                    | TRAINED_BEYOND
                    | (SHARPNESS - NORMALIZED)
                    | STUDIES - EXTRACT_CHOICES
                )
                - jobs("measure_choice", [f"{name}-law" for name in NORMALIZATIONS])
                - jobs("train_choice", [f"curves/{name}" for name in NORMALIZATIONS]),
                id="normalization",
            ),
            pytest.param(
                {"data": {"seed": 1}},
                # Its images are the default's now, which are extracted anew.
                ON_IMAGES - {f"extract_choice another_subset/{PAIR}"},
                id="data seed",
            ),
            pytest.param(
                {"fit": {"seed": 1}},
                FITS
                | COMPARE
                | PROBE_FIGURES
                | CLAIMS
                | DRAW_TRAINED
                | LAW_FITS
                | JUDGED_STUDIES
                | BEYOND_JUDGED,
                id="bootstrap",
            ),
            pytest.param(
                {"protocol": {"momentum": 0.5}},
                TRAINING | ON_CURVES | TRAINED_BEYOND,
                id="momentum",
            ),
            pytest.param(
                {"protocol": {"dampening": 0.9}},
                (TRAINING | ON_CURVES | TRAINED_BEYOND) - {"train_choice curves/dampened"},
                id="dampening",
            ),
            pytest.param(
                {"open_choices": {"training": {"epochs": 3}}},
                ON_CURVES | CHANGES | OPEN_CHOICES_FIGURE,
                id="epochs of choices",
            ),
            pytest.param(
                {"claims": {"epochs": [2]}},
                CLAIMS | DRAW_TRAINED | OPEN_CHOICES_PAGE,
                id="epochs of claims",
            ),
            pytest.param(
                {"comparison": {"tolerance": 0.3}},
                COMPARE
                | PROBE_FIGURES
                | WIDE_FIGURES
                | CHANGES
                | OPEN_CHOICES_PAGE
                | OPEN_CHOICES_FIGURE,
                id="tolerance",
            ),
            pytest.param(
                {"sharpness": {"normalization": {"trials": 3}}},
                NORMALIZED | JUDGE_SHARPNESS | SHARPNESS_FIGURE | OPEN_CHOICES_PAGE,
                id="networks with normalized outputs",
            ),
            pytest.param(
                {"sharpness": {"tolerances": {"flat": 0.1}}},
                JUDGE_SHARPNESS | SHARPNESS_FIGURE | OPEN_CHOICES_PAGE,
                id="tolerance of sharpness",
            ),
            pytest.param(
                {"law": {"exact_trials": 6}},
                EXACT
                | LAW_FITS - jobs("fit_wide", WIDE_NAMES)
                | COMPARE
                | WIDE_FIGURES
                | OPEN_CHOICES_PAGE,
                id="exact trials",
            ),
            pytest.param(
                {"figures": {"dpi": 60}},
                (
                    PROBE_FIGURES
                    | ARCHITECTURE
                    | CLAIMS
                    | DRAW_TRAINED
                    | JUDGED_STUDIES
                    | JUDGED_COMPANIONS
                    | BEYOND_JUDGED
                    | SPREAD
                )
                - MEASURE_CONCEPTS,
                id="dpi",
            ),
            pytest.param(
                {"figures": {"titles": {"fig3_2_dynamic_ratio": "Other"}}},
                {"plot_figure fig3_2", "plot_wide fig3_2_wide"}
                | CHANGES
                | OPEN_CHOICES_PAGE
                | OPEN_CHOICES_FIGURE,
                id="panel title",
            ),
            pytest.param(
                {"figures": {"architecture": {"fig3_1": {"n_min": 30}}}},
                ARCHITECTURE | OPEN_CHOICES_PAGE,
                id="fig3_1",
            ),
            pytest.param(
                {
                    "source": {"archive": "elsewhere.tar.gz", "mirrors": [], "attempts": 1},
                    "jobs": {"probe_threads": 1, "training_threads": 2, "seeds_at_once": 1},
                    "data": {"pairs": {"cat-dog": ["cat", "dog"]}},
                },
                OPEN_CHOICES_PAGE,  # which quotes any part of the configuration, and takes a second
                id="nothing that matters",
            ),
        ],
    )
    def test_a_setting_repeats_its_stages_and_what_follows(self, finished, change, repeated):
        assert finished.plan(change=change) == repeated | PAGE | SOURCES
