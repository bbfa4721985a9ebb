"""What there is to show of a run, and what the page says of a file that is not there."""

import json
import re
from pathlib import Path

import pytest

from dynparam.configuration.config import Config
from dynparam.configuration.loading import load
from dynparam.experiments.delay_law.stages import places
from dynparam.experiments.registry import EXPERIMENTS
from dynparam.report import contents
from dynparam.support.errors import DataError
from tests.thesis import CONFIG

ROOT = Path(__file__).parents[2]


def settings(root: Path, **changes) -> Config:
    paths = {name: str(root / name) for name in ("data", "results", "figures")}
    text = json.dumps({"paths": paths, **changes})
    return load(Config, [ROOT / "config" / "thesis.yaml", text])


def test_figures_come_in_the_order_of_the_registry(tmp_path):
    shown = [(one.name, figure.name) for one, figure in contents.all_figures(settings(tmp_path))]
    order = [one.name for one in EXPERIMENTS]
    assert [name for name, _ in shown] == sorted((name for name, _ in shown), key=order.index)
    assert [figure for _, figure in shown if figure.startswith("fig3")] == [
        "fig3_1",
        "fig3_2",
        "fig3_2_wide",
        "fig3_3",
        "fig3_3_wide",
        "fig3_4",
        "fig3_5",
    ]


def test_figures_of_the_thesis_are_titled_and_placed_by_their_number(tmp_path):
    """And those of other names by what they show."""
    shown = {figure.name: figure for _, figure in contents.all_figures(settings(tmp_path))}
    for name, figure in shown.items():
        if number := re.match(r"fig(\d)_(\d)", name):
            assert re.match(rf"Fig\. {number[1]}\.{number[2]}[: ]", figure.title)
            assert f"Fig. {number[1]}.{number[2]}" in figure.source
        assert ("great widths" in figure.title) == name.endswith("_wide")
    for name, words in {
        "fig3_2": "spectral parametrization",
        "fig3_3": "spectral and dynamic",
        "fig3_4": "airplane and automobile",
        "fig3_5": "bird and cat",
        "claim_domain": "claims on training",
        "r_sweep": "edge",
        "companion_sharpness": "Sharpness",
        "companion_laziness": "Lazy or rich",
        "open_choices": "open choices",
    }.items():
        assert words in shown[name].title


@pytest.mark.parametrize(("key", "figure"), [("sweep", "r_sweep"), ("domain", "claim_domain")])
def test_a_figure_that_is_not_drawn_is_left_out_alone(tmp_path, key, figure):
    drawn = [shown.name for _, shown in contents.all_figures(settings(tmp_path))]
    left = contents.all_figures(settings(tmp_path, figures={key: None}))
    assert [shown.name for _, shown in left] == [name for name in drawn if name != figure]
    assert figure in drawn


@pytest.mark.parametrize(
    ("figure", "results"),
    [
        ("fig3_1", []),
        ("r_sweep", ["sweep/n_min.csv", "sweep/geometric_mean.csv", "sweep/n_max.csv"]),
        (
            "companion_sharpness",
            [f"sharpness/{one}.csv" for one in ("widths", "limits", "normalization", "rates")],
        ),
        ("open_choices", ["open_choices/changes.csv"]),
        (
            "weight_decay",
            [f"arms/{place}.csv" for place, _ in CONFIG.weight_decay.tables()],
        ),
        ("best_rate", [f"arms/{place}.csv" for place, _ in CONFIG.best_rate.tables()]),
        ("delay_law", places(CONFIG.delay_law)),
        ("fluctuations", ["fluctuations/trials.csv", "fluctuations/spread.csv"]),
        ("companion_softmax", ["softmax_fisher/eigenvalues.csv"]),
        ("companion_isometry", ["isometry/measured.csv"]),
        ("companion_attentional_bm", ["attentional_boltzmann/measured.csv"]),
        ("companion_natural_gradient", ["natural_gradient/residuals.csv"]),
        ("companion_continual", [f"continual_learning/{one}.csv" for one in ("errors", "expected")]),
        ("companion_concepts", ["concept_retrieval/measured.csv"]),
        (
            "companion_receptive_fields",
            [f"receptive_fields/{one}.csv" for one in ("airplane-automobile", "bird-cat")],
        ),
        (
            "through_training",
            [
                f"through_training/{task}/{network}/{one}.csv"
                for task in ("airplane-automobile", "bird-cat")
                for network in ("1000-50", "10000-500")
                for one in ("spectral", "dynamic")
            ],
        ),
        ("fig3_4", [f"training/airplane-automobile/{one}.csv" for one in ("spectral", "dynamic")]),
        ("fig3_5", [f"training/bird-cat/{one}.csv" for one in ("spectral", "dynamic")]),
    ],
)
def test_a_figure_is_drawn_from_the_results_of_its_own(tmp_path, figure, results):
    (shown,) = [one for _, one in contents.all_figures(settings(tmp_path)) if one.name == figure]
    assert list(shown.results) == results


def test_the_findings_come_before_other_documents_and_may_be_left_out(tmp_path):
    with_findings = contents.all_documents(settings(tmp_path))
    assert [document.anchor for document in with_findings] == [
        "findings",
        "companions",
        "open-choices",
    ]
    without = contents.all_documents(
        settings(tmp_path, findings=dict.fromkeys(("page", "summary", "companions")))
    )
    assert [document.anchor for document in without] == ["open-choices"]


def test_audits_are_needed_where_the_archive_is_used(tmp_path):
    def audits(reuse):
        needed = contents.needed(settings(tmp_path, training={"reuse": reuse}))
        return [path for path, _ in needed if path.is_relative_to(tmp_path / "results" / "audit")]

    assert audits("none") == []
    assert len(audits("archive")) == len(set(audits("archive"))) > 3


def test_each_missing_file_names_the_target_that_makes_it(tmp_path):
    """Planted one after another; the page can be made when all are there."""
    chosen = settings(
        tmp_path,
        findings={
            "page": str(tmp_path / "findings.md"),
            "summary": None,
            "companions": str(tmp_path / "companions.md"),
        },
        open_choices={"page": str(tmp_path / "open-choices.md")},
    )
    needed = list(contents.needed(chosen))
    assert len({path for path, _ in needed}) == len(needed)
    for path, target in needed:
        with pytest.raises(DataError) as error:
            contents.missing(chosen)
        assert str(error.value) == (
            f"{path}: the report needs this file; make it with snakemake --cores all {target}"
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    contents.missing(chosen)


def test_what_findings_quote_lies_among_the_results(tmp_path):
    chosen = settings(tmp_path)
    quoted = list(contents.quoted(chosen))
    assert len(quoted) == len(set(quoted)) > 5
    assert all(path.suffix == ".csv" and path.is_relative_to(tmp_path) for path in quoted)
