"""The pages of the companion experiments, and their overview, held against an invented run's tables."""

import csv
import re
import shutil
from collections import Counter
from importlib import import_module
from itertools import pairwise

import pandas as pd
import pytest

from dynparam.cluster.requests import read_needs
from dynparam.experiments.registry import EXPERIMENTS
from dynparam.presentation.formulas import FORMULA, mathml
from dynparam.presentation.plain_formulas import typeset
from dynparam.provenance.source_claims import REPORT
from dynparam.report import brief_verdicts, companions
from dynparam.report.companions import overview, page
from dynparam.report.contents import COMPANIONS
from dynparam.report.sources import SECTIONS, all_claims, summary, table
from dynparam.support.errors import ConfigError, DataError
from tests.findings_run import CONFIG, configured
from tests.markdown import links, table_cells
from tests.thesis import ROOT

NEEDS = read_needs(ROOT / "workflow/resources.yaml")
NAMES = [one.name for one in COMPANIONS]
LONGEST = 120
SLOTS = [
    "Question",
    "Why it belongs to the thesis",
    "Prediction",
    "Run it",
    "Figure",
    "Result",
    "What it does not show",
    "Files",
]

SEVERAL_JOBS = {
    "measure_linearization": 2,
    "measure_kernel_change": 2,
    "measure_index": 2,
    "measure_fields": 2,
}
"""The rules with a job for each parametrization, family of widths, or pair of classes."""

each = pytest.mark.parametrize("name", NAMES)


@pytest.fixture(scope="module")
def made(invented_run):
    """The directory of the invented run, which is where its pages are written, in plain notation."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(invented_run)
        for module in (companions, brief_verdicts):
            patch.setattr(module, "typeset", str)
        yield invented_run


@pytest.fixture(scope="module")
def pages(made):
    return {name: page(CONFIG, name, NEEDS) for name in NAMES}


@pytest.fixture(scope="module")
def whole(made):
    return overview(CONFIG, NEEDS)


@pytest.fixture(scope="module")
def claims(made):
    """The report's claims, with the experiment of each."""
    return [one for one in all_claims(CONFIG) if one.claim.document == REPORT]


@pytest.fixture
def other_run(made, tmp_path, monkeypatch):
    """A copy of the run, to be changed."""
    shutil.copytree(made / "results", tmp_path / "results")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def slots(text):
    """What stands below each heading of a page."""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def tables(text):
    """The two tables of a page's result: of claims, and of controls."""
    measured, controls = slots(text)["Result"].split("Controls hold")
    return table_cells(measured), table_cells(controls)


def rows_of(root, name):
    with (root / "results" / name / "verdicts.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def number(text):
    """A number as a page writes it, to four digits and without rounding errors."""
    value = float(text)
    return 0.0 if abs(value) < 1e-9 else float(f"{value:.4g}")


def differing(lines, rows):
    """The lines of a page that no rows of the experiment's table give."""
    return [line for line in lines if not any(fits(line, found) for found in meant(line, rows))]


def meant(line, rows):
    """The rows that a line tells: one setting, or some of those of its quantity."""
    alike = [r for r in rows if (r["experiment"], r["quantity"]) == (line["part"], line["quantity"])]
    if not line["setting"].endswith(" settings"):
        return [[r] for r in alike if r["setting"] == line["setting"]]
    return [alike]


def fits(line, rows):
    """Whether numbers and verdicts of a line are those of the rows."""
    told = [float(one) for one in re.findall(r"-?\d[\d.]*(?:e[-+]\d+)?", line["measured"])]
    values = [number(row["measured"]) for row in rows]
    if len(rows) > 1:
        words = dict(re.findall(r"\S (\w+): (\d+)", line["verdict"]))
        counts = Counter(row["verdict"] for row in rows)
        return set(told) == {min(values), max(values)} and words == {
            w: str(n) for w, n in counts.items()
        }
    (row,) = rows
    ends = [number(row[end]) for end in ("ci_low", "ci_high") if row[end]]
    interval = ends if len(set(ends)) > 1 else []
    return told == [*values, *interval] and line["verdict"].endswith(f" {row['verdict']}")


def judged(rows, role):
    return [row for row in rows if row["role"] == role and row["verdict"]]


def test_exactly_the_experiments_with_claims_of_the_report_are_companions(claims):
    """So one that is to test the report gets its words, or this fails."""
    assert {one.name for one in claims} == set(NAMES)
    assert {one.name for one in EXPERIMENTS} - set(NAMES)


@each
def test_every_page_has_the_same_slots_in_the_same_order(pages, name):
    found = slots(pages[name])
    assert list(found) == SLOTS
    assert all(len(words.split()) > 5 for words in found.values())


@each
def test_a_page_says_the_experiments_own_words(pages, name):
    own = import_module(f"dynparam.experiments.{name}.companion").COMPANION
    found = slots(pages[name])
    assert found["Question"].strip() == own.question
    assert found["Why it belongs to the thesis"].strip() == own.why
    assert found["Prediction"].strip().startswith(own.prediction)
    assert found["What it does not show"].strip().startswith(own.limits)


@each
def test_no_page_is_long(pages, name):
    assert pages[name].count("\n") <= LONGEST


@each
def test_a_page_is_short_whatever_comes_out(other_run, name):
    """Where nothing is decided, what is told one by one is most."""
    path = other_run / "results" / name / "verdicts.csv"
    rows = pd.read_csv(path)
    rows.loc[rows["role"].isin(["claim", "control"]), "verdict"] = "undecided"
    rows.to_csv(path, index=False)
    assert page(CONFIG, name, NEEDS).count("\n") <= LONGEST


def test_with_every_row_by_itself_a_page_would_be_long(made, monkeypatch):
    monkeypatch.setattr(brief_verdicts, "LISTED", 10**6)
    assert page(CONFIG, "continual_learning", NEEDS).count("\n") > LONGEST


@each
def test_numbers_and_verdicts_are_those_of_the_table(made, pages, name):
    """Read anew, row by row; and as many verdicts are told as there are."""
    rows = judged(rows_of(made, name), "claim")
    lines, _ = tables(pages[name])
    singly = {(line["part"], line["quantity"], line["setting"]) for line in lines}
    left = [r for r in rows if (r["experiment"], r["quantity"], r["setting"]) not in singly]
    several = [line for line in lines if line["setting"].endswith(" settings")]
    assert differing([line for line in lines if line not in several], rows) == []
    assert differing(several, left) == []
    told = len(lines) - len(several) + sum(int(line["setting"].split()[0]) for line in several)
    assert told == len(rows)


@pytest.mark.parametrize("column", ["measured", "verdict"])
def test_another_number_or_verdict_would_be_noticed(made, pages, column):
    rows = judged(rows_of(made, "sharpness"), "claim")
    lines, _ = tables(pages["sharpness"])
    other = {"measured": lines[3][column].replace("9", "8"), "verdict": "✗ disagrees"}
    assert differing([lines[3]], rows) == []
    assert differing([lines[3] | {column: other[column]}], rows) == [lines[3] | {column: other[column]}]


@each
def test_every_control_is_told_with_what_it_is_held_against(made, pages, name):
    rows = judged(rows_of(made, name), "control")
    _, lines = tables(pages[name])
    assert len(lines) == len(rows) > 0
    for line, row in zip(lines, rows, strict=True):
        assert (line["quantity"], line["setting"]) == (row["quantity"], row["setting"])
        assert number(line["held against"].split()[-1]) == number(row["expected"])
        assert line["what is wrong"] == row["note"]
        assert line["control"] == "✓ refuted"


@each
def test_every_claim_of_the_experiment_is_on_its_page_with_its_answer(pages, claims, name):
    result = slots(pages[name])["Result"]
    for one in (one.claim for one in claims if one.name == name):
        (line,) = (line for line in result.splitlines() if f"**{one.claim}**" in line)
        assert one.measured in line
        counts = {"for it": one.right, "undecided": one.undecided, "against it": one.wrong}
        for what, number_of in counts.items():
            assert (f"{number_of} {what}" in line) == (number_of > 0)
        assert one.verdict == "not tested" or f" {one.verdict}: " in line
        assert not one.missing or one.missing in slots(pages[name])["What it does not show"]


@pytest.mark.parametrize("name", ["isometry", "continual_learning"])
def test_a_claim_that_fails_is_shown_like_the_others(other_run, name):
    """On its page, its rows first, and in the overview."""
    path = other_run / "results" / name / "verdicts.csv"
    rows = pd.read_csv(path)
    similar = rows["quantity"].str.startswith(
        ("critical similarity", "largest stable", "exponent of L in the stable")
    )
    rows.loc[similar & (rows["role"] == "claim"), "verdict"] = "disagrees"
    rows.to_csv(path, index=False)
    text = page(CONFIG, name, NEEDS)
    lines, _ = tables(text)
    failed = {line["quantity"] for line in lines if line["verdict"] == "✗ disagrees"}
    assert failed == set(rows.loc[similar, "quantity"])
    assert lines[0]["verdict"] == "✗ disagrees"
    assert "✗ fails: " in slots(text)["Result"]
    (line,) = (
        line for line in table_cells(overview(CONFIG, NEEDS)) if f"/{name}.md" in line["question"]
    )
    assert "1 fails" in line["status"]


def test_in_the_run_as_it_is_none_of_them_fails(pages, whole):
    assert "✗ fails" not in slots(pages["isometry"])["Result"]
    assert not [line for line in table_cells(whole) if "fails" in line["status"]]


@each
def test_a_page_names_its_command_and_what_it_takes(pages, name):
    """The target is one of the workflow's; needs are those of the rules in its own file."""
    said = slots(pages[name])["Run it"]
    (target,) = re.findall(r"^    snakemake --cores all (\S+)$", said, re.MULTILINE)
    (experiment,) = (one for one in EXPERIMENTS if one.name == name)
    assert target == experiment.tables[0].target
    rules = (ROOT / "workflow/rules" / f"{name}.smk").read_text("utf-8")
    own = re.findall(r"^(?:use )?rule (?:\w+ as )?(\w+)", rules, re.MULTILINE)
    assert f"the largest one {max(NEEDS.of(rule).mem_mb for rule in own)} MB" in said
    ((jobs, minutes, seconds),) = re.findall(r"Its (\d+) jobs take (?:(\d+) min )?(\d+) s", said)
    assert int(jobs) == sum(SEVERAL_JOBS.get(rule, 1) for rule in own)
    total = sum(SEVERAL_JOBS.get(rule, 1) * NEEDS.of(rule).seconds for rule in own)
    assert 60 * int(minutes or 0) + int(seconds) == pytest.approx(total, abs=0.51)


@each
def test_links_lead_to_files_from_where_a_page_is_kept(pages, name):
    """The overview is beside the folder of the pages; the picture is the experiment's own."""
    place = ROOT / "docs" / "companions"
    for target in links(pages[name]):
        path = target.partition("#")[0]
        assert (place / ".." / path.removeprefix("../")).resolve().is_file(), target
    (figure,) = next(one for one in COMPANIONS if one.name == name).figures(CONFIG)
    assert f"](../../figures/{figure.name}.png)" in slots(pages[name])["Figure"]


def test_links_of_the_overview_lead_to_the_pages(whole):
    pages = {target for target in links(whole) if target.startswith("companions/")}
    assert pages == {f"companions/{name}.md" for name in NAMES}
    for target in set(links(whole)) - pages:
        assert (ROOT / "docs" / target).is_file(), target


def test_a_figure_of_another_name_changes_picture_and_command(made):
    """It has no caption, as in the report; for those who cannot see it the result stands there."""
    found = slots(page(configured({"isometry.figure": "own"}), "isometry", NEEDS))
    result = found["Result"].strip().partition("\n")[0].strip("*.")
    assert len(result) > 20
    assert found["Figure"].strip() == f"![{result}](../../figures/own.png)"
    assert "    snakemake --cores all companion_isometry own\n" in found["Run it"]
    assert "`results/figures/own.{png,svg,pdf,csv,json}`" in found["Files"]


def test_the_overview_has_a_line_for_each(pages, whole):
    lines = table_cells(whole)
    assert list(lines[0]) == ["question", "theory", "result", "minutes", "status"]
    assert [re.findall(r"companions/(\w+)\.md", line["question"]) for line in lines] == [
        [name] for name in NAMES
    ]
    for name, line in zip(NAMES, lines, strict=True):
        assert f"**{line['result']}.**" in slots(pages[name])["Result"]
        minutes, seconds = re.findall(r"take (?:(\d+) min )?(\d+) s", slots(pages[name])["Run it"])[0]
        assert float(line["minutes"]) == pytest.approx(int(minutes or 0) + int(seconds) / 60, abs=0.06)


def test_the_statuses_together_count_all_claims_of_the_report(whole, claims):
    words = {"hold": "holds", "fail": "fails", "are": "is"}
    found = Counter()
    for line in table_cells(whole):
        for count, verb, rest in re.findall(r"(\d+) (\w+)((?: \w+)*?)(?=,| and \d|$)", line["status"]):
            found[words.get(verb, verb) + rest] += int(count)
    told = {"holds": "holds", "holds in part": "in part", "is undecided": "undecided", "fails": "fails"}
    told |= {"is not tested": "not tested"}
    assert Counter({told[word]: n for word, n in found.items()}) == Counter(
        one.claim.verdict for one in claims
    )


def test_the_overview_has_every_claim_of_the_report_by_section(whole, claims):
    parts = slots(whole)
    assert list(parts) == [f"{source}: {title}" for source, title in SECTIONS.items()]
    for one in claims:
        part = parts[f"{one.claim.source}: {SECTIONS[one.claim.source]}"]
        (line,) = (line for line in part.splitlines() if line.endswith(f": {one.claim.claim}"))
        assert line.startswith("- ")
        assert f" {one.claim.verdict}: " in line
        assert f"[{one.claim.paper}](companions/{one.name}.md)" in part
    assert f"**{summary(table(all_claims(CONFIG)))}**" in whole


def test_a_page_without_results_is_refused_in_one_sentence(other_run):
    path = other_run / "results/isometry/verdicts.csv"
    path.unlink()
    for write in (lambda: page(CONFIG, "isometry", NEEDS), lambda: overview(CONFIG, NEEDS)):
        with pytest.raises(DataError) as told:
            write()
        assert "results/isometry/verdicts.csv" in str(told.value)
        assert "\n" not in str(told.value)
    assert slots(page(CONFIG, "sharpness", NEEDS))


def test_a_name_that_no_companion_has_is_told(made):
    with pytest.raises(ConfigError, match=r"no 'sharpnes' in the companion.*did you mean 'sharpness'"):
        page(CONFIG, "sharpnes", NEEDS)


def words_of(name):
    own = import_module(f"dynparam.experiments.{name}.companion").COMPANION
    return own, [own.question, own.why, own.prediction, own.limits]


def stray_numbers(text):
    """Digits outside of formulas, links and references to the thesis: settings have no place here."""
    without = re.sub(r"\(\.\./\S+\)", "", FORMULA.sub("", text))
    return re.findall(
        r"\d+", re.sub(r"(?:[Ee]qs?\.|Figs?\.|Table) [\d.]+(?: (?:and|to) [\d.]+)?", "", without)
    )


@each
def test_words_are_sentences_without_settings(name):
    own, texts = words_of(name)
    assert own.question.endswith("?")
    assert [text for text in texts[1:] if not text.endswith(".")] == []
    assert [one for text in texts for one in stray_numbers(text)] == []
    assert "Assumed: " in own.prediction
    assert FORMULA.search(own.why)


def test_a_setting_among_the_words_is_noticed():
    assert stray_numbers("Networks of 400 units, as in Fig. 3.2 and eqs. 1.8 to 1.12, $n^2$.") == ["400"]


@each
def test_formulas_are_understood_and_theory_is_there(name):
    own, texts = words_of(name)
    for text in texts:
        for latex in FORMULA.findall(text):
            assert "\\" not in mathml(latex)
        assert text.count("$") % 2 == 0
    for theory in own.theory:
        assert (ROOT / "docs/theory" / f"{theory}.md").is_file()
    assert len(own.theory) == len(set(own.theory)) > 0


def test_formulas_of_a_run_are_typeset(pages, whole, made, monkeypatch):
    """The tables' cells before they are set in columns, and all the rest of a page after."""
    monkeypatch.setattr(companions, "typeset", typeset)
    assert overview(CONFIG, NEEDS) == typeset(whole)
    assert page(CONFIG, NAMES[0], NEEDS) == typeset(pages[NAMES[0]])
    monkeypatch.setattr(companions, "typeset", str)
    monkeypatch.setattr(brief_verdicts, "typeset", lambda cell: f"<{cell}>")
    assert "| <n_min = " in page(CONFIG, "lazy_or_rich", NEEDS)


def test_no_two_experiments_ask_the_same():
    questions = sorted(words_of(name)[0].question for name in NAMES)
    assert [a for a, b in pairwise(questions) if a == b] == []
