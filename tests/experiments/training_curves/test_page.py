from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from dynparam.experiments.training_curves import columns
from dynparam.experiments.training_curves.claims import COLUMNS, judge_curves
from dynparam.experiments.training_curves.page import (
    claims_sections,
    explanation,
    summary_sentences,
    write_claims,
)
from dynparam.presentation.pages import html_page, markdown_page
from dynparam.support.tables import read_csv
from dynparam.training.audit_result import AuditResult
from tests.experiments.training_curves.test_claims import both, claims_stage
from tests.html_elements import Elements

AUDITS = {
    "bird-cat/spectral": "seed 3 repeated for 2 epochs: relative difference 2e-07 < 0.001",
    "bird-cat/dynamic": "seed 8 repeated for 2 epochs: relative difference 1e-07 < 0.001",
}


@pytest.fixture
def table():
    loss, accuracy = "bird-cat: dynamic has the lower test loss", "bird-cat: dynamic has the higher x"
    none, other, main = (np.nan, np.nan), "secondary", "primary"
    at, cat_dog = "Fig. 3.5", "cat-dog: dynamic has the lower y"
    rows = [
        (loss, at, "test_loss epoch 1", other, -0.1234, -0.2, -0.1, *none, "holds", "x < y & z"),
        (loss, at, "test_loss epoch 5", other, -0.00012345, -0.0002, -0.0001, *none, "holds", "n"),
        (loss, at, "test_loss epoch 10", main, -0.0, -0.2, 0.1, 0.3, 0.6, "undecided", "n"),
        (loss, at, "test_loss area", main, 125.0, 0.1, 0.3, 1e-4, 2e-4, "fails", "n"),
        (accuracy, at, "test_accuracy best", other, *[np.nan] * 5, "undecided", "n"),
        (cat_dog, "Fig. 9", "y area", other, -1.0, -2.0, -0.5, *none, "holds", "n"),
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def test_a_sentence_per_task_says_where_claims_hold(table):
    assert summary_sentences(table) == [
        'bird-cat (Fig. 3.5): "dynamic has the lower test loss" holds at epochs 1, 5, fails for the '
        'area, is undecided at epoch 10; "dynamic has the higher x" is undecided everywhere.',
        'cat-dog (Fig. 9): "dynamic has the lower y" holds everywhere.',
    ]


@pytest.mark.parametrize(
    ("places", "told"),
    [
        (["epoch 5"], "at epoch 5"),
        (["area", "epoch 5"], "at epoch 5 and for the area"),
        (
            ["epoch 1", "epoch 5", "area", "best"],
            "at epochs 1, 5 and for the area and at the best epoch",
        ),
    ],
)
def test_places_of_a_verdict_are_listed(table, places, told):
    """Beside one of another verdict, so that it does not hold everywhere."""
    first = table.head(1)
    rows = [first.assign(metric=f"test_loss {place}") for place in places]
    rows.append(first.assign(metric="test_loss epoch 9", verdict="fails"))
    assert summary_sentences(pd.concat(rows)) == [
        f'bird-cat (Fig. 3.5): "dynamic has the lower test loss" holds {told}, fails at epoch 9.'
    ]


@pytest.mark.parametrize(
    ("primary", "told"),
    [
        ((), "None of them is primary. Of the others a claim"),
        (("test_loss area",), "The verdict rests on 1 primary comparison, test loss area: their"),
    ],
)
def test_the_explanation_tells_which_comparisons_count(table, primary, told):
    role = np.where(table["metric"].isin(primary), "primary", "secondary")
    assert told in explanation(table.assign(role=role), claims_stage(primary=primary))


def test_the_explanation_counts_and_names_both_sides(table):
    text = explanation(table, claims_stage(primary=("test_loss last", "test_loss area")))
    assert text.startswith(
        "6 comparisons: 3 holds, 1 fails, 2 undecided. The difference is dynamic minus "
    )
    assert (
        "rests on 2 primary comparisons, test loss epoch 10 and test loss area: their p-values" in text
    )
    assert "a jump an epoch in which the loss rises by more than 20%" in text
    assert "about one in 20 gets" in text


def test_markdown_says_what_the_table_says(table):
    text = markdown_page("Claims", claims_sections(table, AUDITS, claims_stage()))
    assert text.index("holds at epochs 1, 5") < text.index("| source") < text.index("## Audits")
    assert "## bird-cat: dynamic has the lower test loss" in text
    differences = (
        "-0.123 [-0.200, -0.100]",
        "-1.23e-04 [-2.00e-04, -1.00e-04]",
        "+0.00 [-0.20, +0.10]",
        "+125.00 [+0.10, +0.30]",
        "6.0e-01",
        "none",
    )
    for shown in differences:
        assert f" {shown} |" in text, shown
    for mark in ("✓ holds", "✗ fails", "? undecided"):
        assert mark in text
    for name, sentence in AUDITS.items():
        assert f"- {name}: {sentence}" in text


def test_html_is_self_contained_and_escaped(table):
    html = html_page("Claims", claims_sections(table, AUDITS, claims_stage()))
    page = Elements(html)
    assert {"✓ holds", "? undecided", "✗ fails", "x < y & z", "test loss epoch 10"} <= set(page.texts)
    assert "bird-cat: dynamic has the lower test loss" in page.texts
    assert set(summary_sentences(table)) <= set(page.texts)
    assert {f"{name}: {sentence}" for name, sentence in AUDITS.items()} <= set(page.texts)
    assert "x &lt; y &amp; z" in html
    assert "2e-07 &lt; 0.001" in html
    assert page.addresses == []
    assert page.all("html") == [{"lang": "en"}]


def test_every_claim_has_a_table_of_its_own(table):
    page = Elements(html_page("Claims", claims_sections(table, {}, claims_stage())))
    assert len(page.all("table")) == table["claim"].nunique() == 3


def test_without_audits_there_is_no_such_section(table):
    sections = claims_sections(table, {}, claims_stage())
    for made in (markdown_page, html_page):
        assert "Audits" not in made("Claims", sections)


def test_the_explanation_tells_the_level(table):
    text = explanation(table, claims_stage(confidence=0.9))
    assert "if the whole 90% interval lies on its side of zero" in text
    assert "about one in 10 gets" in text


def test_every_column_of_claims_shows_what_its_head_says(table):
    row = table.iloc[[1]].assign(note="told", ci_low=-0.0002, ci_high=-0.0001)
    shown = {
        column.head: column.texts(row)[0] for column in columns.CLAIMS.columns if not column.picture
    }
    assert shown == {
        "claim": "bird-cat: dynamic has the lower test loss",
        "source": "Fig. 3.5",
        "metric": "test loss epoch 5",
        "role": "secondary",
        "difference": "-1.23e-04 [-2.00e-04, -1.00e-04]",
        "Holm's p": "",
        "verdict": "✓ holds",
        "note": "told",
    }


def test_every_column_of_audits_shows_what_its_head_says():
    """Of one that passed, and three that did not: by losses, by accuracies, and without a number."""
    passed = AuditResult(3, 2, 1.2e-7, 3.4e-3, 5e-3, 6e-3, "a processor")
    audits = {
        "bird-cat/10-5/dynamic": passed,
        "cat-dog/10-5/dynamic": replace(passed, loss_difference=5.1e-3),
        "cat-dog/10-5/spectral": replace(passed, accuracy_difference=6.1e-3),
        "frog-cat/10-5/dynamic": replace(passed, loss_difference=np.nan, accuracy_difference=np.nan),
    }
    table = columns.audits_frame(audits)
    shown = {column.head: column.texts(table) for column in columns.AUDITS.columns}
    assert [{head: texts[k] for head, texts in shown.items()} for k in range(4)] == [
        {
            "run": run,
            "seed": "3",
            "epochs": "2",
            "loss differs by": loss,
            "allowed": "5.0e-03",
            "accuracy differs by": accuracy,
            "device": "a processor",
            "verdict": verdict,
        }
        for run, loss, accuracy, verdict in (
            ("bird-cat/10-5/dynamic", "1.2e-07", "3.4e-03", "✓ passed"),
            ("cat-dog/10-5/dynamic", "5.1e-03", "3.4e-03", "✗ failed"),
            ("cat-dog/10-5/spectral", "1.2e-07", "6.1e-03", "✗ failed"),
            ("frog-cat/10-5/dynamic", "nan", "nan", "✗ failed"),
        )
    ]


def test_files(table, tmp_path):
    written = write_claims(table, tmp_path / "claims.csv", AUDITS, claims_stage())
    assert [path.name for path in written] == ["claims.csv", "claims.md", "claims.html"]
    pd.testing.assert_frame_equal(read_csv(written[0]), table)


def test_judged_curves_make_a_page(tmp_path):
    judged = judge_curves(claims_stage(), "Fig. 3.5", *both(0.5))
    csv, markdown, _ = write_claims(judged, tmp_path / "claims.csv", {}, claims_stage())
    assert tuple(read_csv(csv).columns) == COLUMNS
    assert markdown.read_text().count("✓ holds") == len(judged) - 1 == 18
