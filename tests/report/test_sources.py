"""What the source documents claim: which verdicts decide each claim, and how it then comes out."""

import re
import shutil
from dataclasses import replace
from importlib import import_module
from typing import NamedTuple

import pandas as pd
import pytest

from dynparam.experiments.registry import EXPERIMENTS
from dynparam.presentation.verdicts import tone
from dynparam.provenance import source_claims
from dynparam.provenance.experiment import Files
from dynparam.provenance.source_claims import (
    DOCUMENTS,
    REPORT,
    THESIS,
    SourceClaim,
    decided,
)
from dynparam.report.contents import quoted
from dynparam.report.sources import (
    ELSEWHERE,
    FORM,
    SECTIONS,
    VIEW,
    all_claims,
    shown,
    summary,
    table,
    tallied,
    write,
)
from dynparam.support.errors import DataError
from dynparam.support.tables import read_csv
from tests.findings_run import CONFIG
from tests.thesis import ROOT


@pytest.fixture(scope="module")
def made(invented_run, tmp_path_factory):
    """The files of an invented run, for this module alone: a test that changes one puts it back."""
    return shutil.copytree(invented_run, tmp_path_factory.mktemp("made"), dirs_exist_ok=True)


@pytest.fixture(scope="module")
def every_claim(made):
    """All claims of the run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made)
        return all_claims(CONFIG)


@pytest.fixture(scope="module")
def claims(every_claim):
    """The table of all claims."""
    return table(every_claim)


def claim(*words):
    """A claim that these verdicts decide."""
    return SourceClaim(THESIS, "Sec. 1", "It holds.", "It was measured.", tuple(words))


@pytest.mark.parametrize(
    ("words", "verdict", "counts"),
    [
        (["agrees", "holds"], "holds", (2, 0, 0)),
        (["holds", "undecided"], "undecided", (1, 1, 0)),
        (["undecided"], "undecided", (0, 1, 0)),
        (["holds", "fails", "undecided"], "in part", (1, 1, 1)),
        (["agrees", "disagrees"], "in part", (1, 0, 1)),
        (["fails", "disagrees"], "fails", (0, 0, 2)),
        (["undecided", "fails"], "fails", (0, 1, 1)),
        ([], "not tested", (0, 0, 0)),
    ],
)
def test_a_claim_holds_if_every_verdict_is_for_it(words, verdict, counts):
    one = claim(*words)
    assert one.verdict == verdict
    assert (one.right, one.undecided, one.wrong) == counts


@pytest.mark.parametrize(
    ("words", "verdict"),
    [
        (["fails", "undecided"], "not in this window"),
        (["fails", "holds"], "in part"),
        (["undecided"], "undecided"),
        (["holds"], "holds"),
        ([], "not tested"),
    ],
)
def test_what_fails_and_holds_beyond_is_not_in_this_window(words, verdict):
    assert replace(claim(*words), holds_beyond=True).verdict == verdict


def test_rows_without_a_verdict_decide_nothing():
    assert decided(["agrees", "", float("nan"), None, "fails"]) == ("agrees", "fails")


def test_every_verdict_has_a_look():
    names = {word: tone(word).name for word in source_claims.VERDICTS}
    assert names == {
        "holds": "good",
        "in part": "bad",
        "not in this window": "bad",
        "fails": "bad",
        "undecided": "open",
        "not tested": "open",
    }


class Case(NamedTuple):
    """What decides a claim: rows of a table, chosen here by other means than there."""

    begins: str
    file: str
    rows: dict[str, str]
    column: str = "verdict"
    compares: bool = True
    shared: tuple[str, ...] = ("-",)


SLOPES, CLAIMS = "results/comparison/slopes.csv", "results/comparison/claims.csv"
ENTRIES, EDGES = "results/table1_1/table1_1.csv", "results/sweep/edges.csv"
VERDICTS = "results/{}/verdicts.csv"
DOMAIN = "results/figures/claim_domain.csv"

CASES = [
    Case(
        "spectral, n_min = 1/5 n: what a layer contributes has",
        SLOPES,
        {"figure": "fig3_2_wide", "curve": "fig3_2_constant_ratio"},
    ),
    Case(
        "spectral, n_min = 6 n^(1/2): what a layer contributes has",
        SLOPES,
        {"figure": "fig3_2_wide", "curve": "fig3_2_dynamic_ratio"},
    ),
    Case(
        "spectral, n_min = 150 n^(1/5): what a layer contributes has",
        SLOPES,
        {"figure": "fig3_3_wide", "curve": "fig3_3_spectral"},
    ),
    Case(
        "dynamic, n_min = 150 n^(1/5): what a layer contributes has",
        SLOPES,
        {"figure": "fig3_3_wide", "curve": "fig3_3_dynamic"},
    ),
    Case(
        "The entries are the exponents of the preactivation",
        ENTRIES,
        {"quantity": "preactivation"},
        "claim",
        False,
    ),
    Case("The entries are the exponents of the own part", ENTRIES, {"quantity": "own"}, "claim", False),
    Case(
        "The entries are the exponents of the whole update",
        ENTRIES,
        {"quantity": "update"},
        "claim",
        False,
    ),
    Case("The entries are the exponents of the cosine", ENTRIES, {"quantity": "cosine"}, "claim", False),
    Case(
        "Dynamic parametrization meets",
        "results/figures/conditions.csv",
        {"parametrization": "dynamic"},
        "measured",
        False,
    ),
    Case("The largest update that keeps", EDGES, {"statistic": "drift"}),
    Case("Over several steps too", EDGES, {"statistic": "growth"}),
    Case("Dynamic has the lower training loss", CLAIMS, {"metric": "train_loss area"}, compares=False),
    Case("Dynamic has the lower test loss", CLAIMS, {"metric": "test_loss epoch 100"}, compares=False),
    Case("Dynamic has the higher test accuracy", CLAIMS, {"metric": "test_accuracy .*"}, compares=False),
    Case(
        "In other networks with a bottleneck too, dynamic has the lower training",
        DOMAIN,
        {"metric": "train_loss", "epoch": "area", "n": "(?!10000).*"},
        compares=False,
    ),
    Case(
        "In other networks with a bottleneck too, dynamic has the lower test",
        DOMAIN,
        {"metric": "test_loss", "epoch": "50", "n": "(?!10000).*"},
        compares=False,
    ),
    Case(
        "In other networks with a bottleneck too, dynamic has the higher test",
        DOMAIN,
        {"metric": "test_accuracy", "epoch": "50", "n": "(?!10000).*"},
        compares=False,
    ),
    Case(
        "In layers of few units",
        VERDICTS.format("fluctuations"),
        {
            "quantity": r"(standard deviation of log|exponent of sum 1/n_l in the standard) .*",
            "experiment": "networks",
        },
    ),
    Case(
        "Under the NTK parametrization a wide network trains",
        VERDICTS.format("lazy_or_rich"),
        {"experiment": "linearization", "quantity": r"exponent of n in \|f .*, ntk"},
        shared=("The kernel of the random",),
    ),
    Case(
        "Under the NTK parametrization the kernel",
        VERDICTS.format("lazy_or_rich"),
        {"quantity": "exponent of n in the kernel change, ntk|exponent of n_min, dynamic, r = 0"},
    ),
    Case(
        "Under mup, and under dynamic",
        VERDICTS.format("lazy_or_rich"),
        {"quantity": "exponent of n_min, (mup|dynamic, r = 1/2)"},
    ),
    Case(
        "Which layers are lazy",
        VERDICTS.format("lazy_or_rich"),
        {"experiment": "laziness index", "quantity": "exponent .*"},
    ),
    Case(
        "The kernel of the random initial weights",
        VERDICTS.format("lazy_or_rich"),
        {"experiment": "linearization", "quantity": r"exponent of n in \|f .*, ntk"},
        shared=("Under the NTK parametrization a wide",),
    ),
    Case(
        "The largest eigenvalue of the Fisher information follows",
        VERDICTS.format("sharpness"),
        {"experiment": "widths"},
    ),
    Case(
        "With batch normalization",
        VERDICTS.format("sharpness"),
        {
            "experiment": "normalization",
            "quantity": "slope",
            "setting": "proportional inputs, (none|mean|batch)",
        },
    ),
    Case(
        "Layer normalization does not",
        VERDICTS.format("sharpness"),
        {"experiment": "normalization", "quantity": "slope", "setting": "proportional inputs, layer"},
    ),
    Case(
        "The learning rate can then",
        VERDICTS.format("sharpness"),
        {
            "setting": "ntk|mup|spectral|dynamic|standard|proportional inputs, mean",
            "quantity": "largest rate times sharpness|slope",
        },
    ),
    Case(
        "With cross-entropy too",
        VERDICTS.format("softmax_fisher"),
        {"quantity": "mean over .*|sum of .*|e_1 / refined|outliers .*"},
    ),
    Case("Softmax spreads", VERDICTS.format("softmax_fisher"), {"quantity": "spread .* squared loss"}),
    Case(
        "The metric of the input space",
        VERDICTS.format("softmax_fisher"),
        {"quantity": ".*input metric.*"},
    ),
    Case(
        "Free probability",
        VERDICTS.format("isometry"),
        {"quantity": "share of .*|multiplicity .*|mean eigen.*|largest .* wide limit"},
    ),
    Case(
        "In very deep networks",
        VERDICTS.format("isometry"),
        {"quantity": "largest eigenvalue over the identity.*|exponent of L in the largest eigen.*"},
    ),
    Case(
        "The largest eigenvalue tells",
        VERDICTS.format("isometry"),
        {"quantity": "largest stable.*|exponent of L in the stable.*"},
    ),
    Case(
        "With the right hyperparameters",
        VERDICTS.format("natural_gradient"),
        {"quantity": r"residual over .*", "setting": "(exact|block diagonal|block tridiagonal), .*"},
    ),
    Case(
        "K-FAC too",
        VERDICTS.format("natural_gradient"),
        {"experiment": "gaussian|images", "setting": "K-FAC, .*"},
    ),
    Case(
        "This is a property of the NTK regime",
        VERDICTS.format("natural_gradient"),
        {"quantity": "exponent of n of what one full step leaves.*"},
    ),
    Case(
        "The replica method",
        VERDICTS.format("continual_learning"),
        {"quantity": "error of .* over theory"},
    ),
    Case(
        "Transfer works without loss",
        VERDICTS.format("continual_learning"),
        {"quantity": "error after the same task again.*"},
    ),
    Case(
        "How similar the tasks are",
        VERDICTS.format("continual_learning"),
        {"quantity": "critical sim.*"},
    ),
    Case(
        "Its likelihood is easier", VERDICTS.format("attentional_boltzmann"), {"experiment": "partition"}
    ),
    Case(
        "Attention selects one Gaussian",
        VERDICTS.format("attentional_boltzmann"),
        {"experiment": "mixture"},
    ),
    Case(
        "Its typical course of learning",
        VERDICTS.format("attentional_boltzmann"),
        {"experiment": "growth|escape"},
    ),
    Case(
        "Repeated inference in a trained autoencoder",
        VERDICTS.format("concept_retrieval"),
        {
            "quantity": "inferences until .*|least distance .*|the same of the autoencoder .*",
        },
    ),
    Case(
        "Local receptive fields make",
        VERDICTS.format("receptive_fields"),
        {"quantity": "displacement by (a square|noise), change", "setting": "windows.*"},
    ),
]


def chosen(file, case):
    """The rows of a table that are to decide a claim: claims, where there are roles, that fit."""
    rows = pd.read_csv(file)
    if "experiment" in rows and "role" in rows:
        rows = rows[rows["role"] == "claim"]
    for column, pattern in case.rows.items():
        rows = rows[[re.fullmatch(pattern, str(text)) is not None for text in rows[column]]]
    return rows


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.begins)
def test_these_rows_decide_a_claim(made, claims, case):
    """As many as there are, each outcome by itself; and the file is the one that is named."""
    (found,) = claims[claims["claim"].str.startswith(case.begins)].to_dict("records")
    words = list(chosen(made / case.file, case)[case.column].dropna())
    right = sum(word in ("agrees", "holds") for word in words)
    wrong = sum(word in ("disagrees", "fails") for word in words)
    assert len(words) > 0
    told = found["right"], found["wrong"], found["undecided"]
    assert told == (right, wrong, len(words) - right - wrong)
    assert found["evidence"] == case.file


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.begins)
def test_a_claim_fails_with_its_rows(made, claims, case):
    """Refuted where they held, they make it fail; of the same rows the rest does not."""
    (name,) = claims.loc[claims["claim"].str.startswith(case.begins), "experiment"]
    (experiment,) = (one for one in EXPERIMENTS if one.name == name)
    path = made / case.file
    before = path.read_bytes()
    rows = pd.read_csv(path)
    rows.loc[chosen(path, case).index, case.column] = "disagrees" if case.compares else "fails"
    rows.to_csv(path, index=False)
    try:
        module = import_module(experiment.module("sources"))
        after = {
            one.claim: one.verdict
            for one in module.claims(CONFIG, Files(made / "results", made / "results/figures"))
        }
    finally:
        path.write_bytes(before)
    failed = {text for text, verdict in after.items() if verdict == "fails"}
    own = {text for text in after if text.startswith(case.begins)}
    known = set(claims.loc[claims["verdict"] == "fails", "claim"]) - own
    assert {text for text in failed - known if not text.startswith(case.shared)} == own


def test_what_is_read_off_a_curve_is_judged_by_its_interval(made, claims):
    """Flat to within the tolerance, or falling; the exponent does not decide."""
    words = dict(zip(claims["claim"], claims["verdict"], strict=True))
    read = {text.split(":")[0]: word for text, word in words.items() if "as the network widens" in text}
    # Planted slopes: 0.3, -0.7, -1.3 and 0.01, each with an interval of 0.02 to either side.
    assert read == {
        # Flat at great widths, where its planted slope is its exponent, 0.
        "spectral, n_min = 1/5 n": "not in this window",
        "spectral, n_min = 6 n^(1/2)": "holds",
        "spectral, n_min = 150 n^(1/5)": "holds",
        "dynamic, n_min = 150 n^(1/5)": "holds",
    }


@pytest.mark.parametrize("figure", ["fig3_2_wide", "fig3_2"])
def test_a_claim_that_does_not_hold_beyond_fails(made, figure):
    """One layer that rises at great widths is enough; one that falls in the window changes nothing."""
    path = made / SLOPES
    before = path.read_bytes()
    rows = pd.read_csv(path)
    chosen = rows.query("figure == @figure and curve == 'fig3_2_constant_ratio' and layer == 3").index
    rows.loc[chosen, ["ci_low", "ci_high"]] = 0.2, 0.3
    rows.to_csv(path, index=False)
    try:
        module = import_module("dynparam.experiments.alignments.sources")
        found = module.claims(CONFIG, Files(made / "results", made / "figures"))
        first = next(one for one in found if one.claim.startswith("spectral, n_min = 1/5 n"))
    finally:
        path.write_bytes(before)
    assert first.verdict == ("fails" if figure == "fig3_2_wide" else "not in this window")


def test_every_experiment_with_verdicts_says_what_its_sources_claim(every_claim):
    """All but those that test no claim: the picture, what is left open, and networks in training."""
    silent = {one.name for one in EXPERIMENTS} - {one.name for one in every_claim}
    assert silent == {
        "architecture",
        "best_rate",
        "delay_law",
        "open_choices",
        "through_training",
        "weight_decay",
    }


def test_claims_stand_in_the_order_of_the_documents(every_claim):
    places = [(DOCUMENTS.index(one.claim.document), one.claim.source) for one in every_claim]
    report = [source for document, source in places if document == 1]
    assert [document for document, _ in places] == sorted(document for document, _ in places)
    assert report == sorted(report)
    assert set(report) == set(SECTIONS)


def test_the_table_is_of_its_form(claims, tmp_path):
    paths = write(claims, tmp_path / "sources.csv")
    read = read_csv(paths[0], FORM).fillna("")
    pd.testing.assert_frame_equal(read, claims, check_dtype=False)
    assert [path.suffix for path in paths] == [".csv", ".md", ".html"]
    assert summary(claims) in paths[1].read_text()
    for text in claims["claim"]:
        assert text in paths[1].read_text()


def test_untested_claims_say_why(claims):
    untested = claims[claims["verdict"] == "not tested"]
    assert set(untested["claim"]) > {one.claim for one in ELSEWHERE}
    assert untested["measured"].str.startswith("Not tested").all()
    assert not untested["evidence"].any()


def test_claims_are_counted():
    words = ["holds"] * 3 + ["in part"] * 2 + ["fails", "undecided", "undecided", "not tested"]
    assert tallied(words) == (
        "Of 9 claims 3 hold, 2 hold in part, 1 fails, 2 are undecided, and 1 is not tested"
    )
    assert tallied(["holds", "not in this window"]) == (
        "Of 2 claims 1 holds and 1 does not show in its window of widths"
    )
    assert tallied(["holds"]) == "Of 1 claim 1 holds"


def test_each_document_is_counted_by_itself():
    rows = [
        {"document": THESIS, "verdict": "holds"},
        {"document": REPORT, "verdict": "fails"},
        {"document": REPORT, "verdict": "fails"},
    ]
    assert summary(pd.DataFrame(rows)) == (
        "Of 1 claim of the thesis 1 holds. Of 2 claims of the report 2 fail."
    )


def test_the_report_counts_them_by_their_tone(claims):
    count, part = shown(claims, ROOT / "sources.csv")
    verdicts = list(claims["verdict"])
    assert count.tones == {
        "good": verdicts.count("holds"),
        "bad": sum(map(verdicts.count, ("fails", "in part", "not in this window"))),
        "open": verdicts.count("undecided") + verdicts.count("not tested"),
    }
    assert part.anchor == count.anchor == VIEW.name
    assert part.sections[-1].table is claims


def test_no_other_file_is_read(made, claims, tmp_path, monkeypatch):
    """With nothing but the files that the rule waits for, the table is the same."""
    for path in quoted(CONFIG):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes((made / path).read_bytes())
    monkeypatch.chdir(tmp_path)
    pd.testing.assert_frame_equal(table(all_claims(CONFIG)), claims)


def test_a_missing_table_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=r"comparison/slopes\.csv"):
        all_claims(CONFIG)


def test_the_first_screen_of_the_readme_counts_them():
    """In the words of the page that the last full run made."""
    page = " ".join((ROOT / "docs/companions.md").read_text("utf-8").split())
    (told,) = re.findall(
        r"\*\*(Of \d+ claims of the thesis .*?\.) (Of \d+ claims of the report .*?\.)\*\*", page
    )
    first = " ".join((ROOT / "README.md").read_text("utf-8").partition("\n## ")[0].split())
    for sentence in told:
        assert sentence in first
