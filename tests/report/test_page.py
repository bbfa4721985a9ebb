"""The report: what is on the page, that nothing breaks out of it, what a missing part is told as."""

import base64
import json
import re
import shutil
from html import unescape
from pathlib import Path

import pandas as pd
import pytest
import yaml
from markupsafe import escape

from dynparam.configuration.config import Config
from dynparam.configuration.loading import load
from dynparam.experiments.alignments.columns import slopes_view
from dynparam.experiments.measured_orders.columns import entries_view
from dynparam.experiments.r_sweep.columns import edges_view
from dynparam.experiments.training_curves.columns import AUDITS as AUDITS_VIEW
from dynparam.experiments.training_curves.columns import CLAIMS, audits_frame
from dynparam.presentation.formulas import mathml
from dynparam.presentation.judged import view as judged_view
from dynparam.presentation.tables import TableView, cells
from dynparam.provenance.experiment import ShownFigure
from dynparam.report.citation import read_citation
from dynparam.report.contents import all_figures, all_tables, needed
from dynparam.report.documents import caption, document
from dynparam.report.figures import read_figure
from dynparam.report.page import page
from dynparam.report.sidecar_text import commit, efforts, sections, summary
from dynparam.report.sources import VIEW as SOURCES_VIEW
from dynparam.support.errors import DataError, DynparamError
from dynparam.training.audit_result import AuditResult
from dynparam.training.settings import all_runs
from tests import report_run
from tests.html_elements import Elements
from tests.report_run import HOSTILE, ROOT

CELL = r"<t[dh][^>]*>(.*?)</t[dh]>"
"""A cell of a table."""

FIGURE = ShownFigure("fig3_2", "A figure", "Fig. 3.2")

AUDITS = len(all_runs(load(Config, [report_run.ROOT / "config/thesis.yaml"])))
"""One of every archived curve."""


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return report_run.make(tmp_path_factory.mktemp("run"), size=(8, 6))


@pytest.fixture(scope="module")
def html(settings):
    return page(settings)


@pytest.fixture(scope="module")
def elements(html):
    return Elements(html)


class TestPage:
    def test_elements_nest_and_anchors_are_unique(self, elements):
        anchors = [attributes["id"] for _, attributes in elements.found if "id" in attributes]
        assert len(anchors) == len(set(anchors)) > 20

    def test_links_inside_the_page_lead_somewhere(self, elements):
        anchors = {attributes["id"] for _, attributes in elements.found if "id" in attributes}
        inside = [a["href"][1:] for a in elements.all("a") if a["href"].startswith("#")]
        assert len(inside) > 30
        assert set(inside) <= anchors

    def test_the_page_of_a_companion_is_its_figure_here(self, html):
        """The report does not show these pages, which the overview links to."""
        assert '<a href="#figure-companion_sharpness">its page</a>' in html

    def test_nothing_is_fetched_from_elsewhere(self, html, elements):
        for tag, attributes in elements.found:
            for name in ("src", "href", "srcset", "action", "data"):
                address = attributes.get(name, "")
                told = tag == "a" and address == "https://example.org/"  # a link of the document's own
                assert told or not address or address.startswith(("#", "data:")), (tag, address)
        assert "url(" not in html
        assert "@import" not in html

    def test_the_policy_allows_the_one_script_and_style(self, settings, html, elements):
        told = [a["content"] for a in elements.all("meta") if "http-equiv" in a]
        assert len(told) == 1
        rules = dict(rule.strip().split(" ", 1) for rule in told[0].split(";"))
        (script,) = elements.all("script")
        (style,) = elements.all("style")
        own = f"'nonce-{script['nonce']}'"
        assert style["nonce"] == script["nonce"]
        assert re.fullmatch("[0-9a-f]{32}", script["nonce"])
        assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
        assert (rules["script-src"], rules["style-src-elem"], rules["img-src"]) == (own, own, "data:")
        assert html.index("Content-Security-Policy") < html.index("<style")
        assert html.count(script["nonce"]) == 4
        assert page(settings) == html  # the same run, the same bytes

    def test_every_figure_is_there_with_its_data(self, settings, html, elements):
        folder = settings.paths.figures
        links = {a["download"]: a["href"] for a in elements.all("a") if "download" in a}
        figures = [shown for _, shown in all_figures(settings)]
        assert len(elements.all("figure")) == len(figures) == 27
        for shown in figures:
            name = shown.name
            content = base64.b64decode(links[f"{name}.csv"].partition("base64,")[2])
            assert content == (folder / f"{name}.csv").read_bytes()
            vector = base64.b64decode(links[f"{name}.pdf"].partition("application/pdf;base64,")[2])
            assert vector == (folder / f"{name}.pdf").read_bytes()
            assert shown.title in html
            assert f"snakemake --cores all {name}" in html
        for image in elements.all("img"):
            assert "alt" in image

    def test_every_picture_is_told_by_its_size_rows_and_origin(self, settings, html, elements):
        """The smaller picture, eight pixels by six, as many rows as its data have, and its sidecar."""
        folder = settings.paths.figures
        images = {image["data-title"]: image for image in elements.all("img") if "data-title" in image}
        for _, shown in all_figures(settings):
            rows = len((folder / f"{shown.name}.csv").read_text().splitlines()) - 1
            image = images[shown.title]
            assert (image["width"], image["height"]) == ("8", "6")
            record = json.loads((folder / f"{shown.name}.json").read_text())
            kind, media = ("svg", "svg+xml") if shown.name in report_run.VECTORS else ("png", "png")
            picture = base64.b64decode(image["src"].partition(f"image/{media};base64,")[2])
            assert picture == (folder / f"{shown.name}.{kind}").read_bytes()
            part = html.partition(f'id="figure-{shown.name}"')[2].partition("</figure>")[0]
            told = " ".join(unescape(part).split())
            assert f"Thesis: {shown.source}. File: {folder}/{shown.name}.{kind}," in re.sub(
                "<.*?>", "", told
            )
            assert image["alt"].startswith(f"{shown.title}. ")
            assert f"configuration {record['config_sha256']}, made {record['created'][:10]}, in" in told
            assert " ".join(record.get("caption", "").split()) in told
            assert f"Plotted data, {rows} rows" in html

    def test_every_file_is_told_by_its_record(self, settings, html):
        """Commit, digest of the configuration, day and time, seconds: of figures and of tables."""
        section = html.partition('<section id="reproduce"')[2].partition("</section>")[0]
        found = {}
        for row in re.findall(r"<tr>(?:(?!</tr>).)*</tr>", section, re.DOTALL):
            cells = [unescape(re.sub("<.*?>", "", one)) for one in re.findall(CELL, row, re.DOTALL)]
            if len(cells) == 6 and cells[0] != "files":
                found[cells[0].strip()] = [cell.strip() for cell in cells[1:]]
        places = {settings.paths.figures / one.name: one.name for _, one in all_figures(settings)}
        places |= {settings.paths.results / one.place: one.target for one in all_tables()}
        assert len(found) == len(places)
        for place, target in places.items():
            record = json.loads(place.with_name(f"{place.name}.json").read_text())
            assert found[f"{place.as_posix()}.*"] == [
                f"snakemake --cores all {target}",
                commit(record),
                record["config_sha256"],
                record["created"][:16].replace("T", " "),
                str(record["wall_seconds"]),
            ]

    def test_times_and_memory_of_rules_are_in_their_columns(self, html):
        section = html.partition('<section id="workflow"')[2].partition("</section>")[0]
        rows = [
            [re.sub("<.*?>", "", one).strip() for one in re.findall(CELL, row, re.DOTALL)]
            for row in re.findall(r"<tr>(?:(?!</tr>).)*</tr>", section, re.DOTALL)
        ]
        told = [row for row in rows if row and row[0] in ("measure", "draw")]
        assert told == [["measure", "1", "7.5", "0"], ["draw", "1", "2.5", "310"]]
        for number in ("7.5", "0.0", "2.5", "310.2"):
            assert f'<td class="number" data-sort="{number}">' in section, "they sort by value"

    def test_the_file_of_a_part_is_offered_beside_its_last_table(self, settings, html):
        """Of Table 1.1 behind every entry, not behind its summaries."""
        part = html.partition('<section id="table1_1"')[2].partition("</section>")[0]
        assert part.count("download=") == 1
        before, _, after = part.partition('download="table1_1.csv"')
        assert before.count("<table") >= 3
        assert "<table" not in after
        content = base64.b64decode(after.partition("base64,")[2].partition('"')[0])
        assert content == (settings.paths.results / "table1_1/table1_1.csv").read_bytes()

    def test_no_text_of_the_results_becomes_markup(self, html, elements):
        assert HOSTILE not in html
        assert "&lt;script&gt;alert(" in html
        assert len(elements.all("script")) == 1
        assert not any("onerror" in attributes for _, attributes in elements.found)
        assert "<b>0.1</b>" not in html

    def test_the_summary_counts_every_verdict(self, html, settings):
        table = re.search(r'<table class="counts">(.*?)</table>', html, re.DOTALL)[1]
        rows = {}
        for row in re.findall(r"<tr><th scope=\"row\">.*?</tr>", table, re.DOTALL):
            name = re.search(r'href="#[\w-]+">(.*?)</a>', row)[1]
            cells = re.findall(r"<td[^>]*>(.*?)</td>", row)
            rows[name] = [int(re.sub("<.*?>", "", cell)) for cell in cells]
        entries = pd.read_csv(ROOT / "figures/table1_1.csv")
        judged = entries["verdict"].value_counts()
        expected = [judged.get(one, 0) for one in ("agrees", "disagrees", "undecided")]
        assert rows["Slopes at the thesis&#39;s widths"] == [3, 1, 2, 6]
        assert rows["Slopes up to n = 10,000,000"] == [1, 3, 2, 6]
        assert rows["Claims on training curves"] == [2, 2, 2, 6]
        assert rows["Table 1.1: measured and exact"] == [*expected, len(entries)]
        claims = entries["claim"].value_counts()
        expected = [claims.get(one, 0) for one in ("holds", "fails", "undecided")]
        assert rows["Table 1.1: its own entries"] == [*expected, len(entries)]
        cells = pd.read_csv(ROOT / "figures/conditions.csv")["verdict"].value_counts()
        expected = [cells.get(one, 0) for one in ("agrees", "disagrees", "undecided")]
        assert rows["Conditions of Secs. 2.2 and 2.3"] == [*expected, sum(cells)]
        assert "the same on the exact-law engine, from n = 100,000 on" in table
        assert rows["Edges in r"] == [1, 0, 2, 3]
        assert rows["Audits of archived curves"] == [AUDITS - 1, 1, 0, AUDITS]
        assert rows["Sharpness"] == [2, 1, 1, 4]
        judged = pd.read_csv(settings.paths.results / "lazy_or_rich/verdicts.csv")
        control = judged["role"] == "control"
        good = int(judged.loc[~control, "verdict"].isin(["agrees", "holds"]).sum())
        refuted = int(judged.loc[control, "verdict"].isin(["disagrees", "fails"]).sum())
        assert min(good, refuted) > 0
        counted = [good + refuted, 0, len(judged) - good - refuted, len(judged)]
        assert rows["Lazy or rich"] == counted, "controls pass where they are refuted"
        assert rows["Softmax and the Fisher information"] == [38, 0, 0, 38]
        assert rows["Depth and the Fisher information of one input"] == [60, 0, 0, 60]
        assert rows["What the sources claim"] == [1, 2, 2, 5]
        assert rows["This run and the published one"] == [2, 1, 2, 5]
        assert len(rows) == 24

    def test_parts_say_what_their_numbers_are_and_how_they_were_judged(self, settings, elements):
        told = " ".join(elements.texts)
        for words in (
            "a number without unit. 12 slopes: 4 agrees, 4 disagrees, 4 undecided.",
            "Losses are mean losses per image, accuracies shares of images.",
            "The curves come from the archive, and reach no figure without an audit",
        ):
            assert words in told
        assert "Nothing to audit" not in told
        level, tolerance = 100 * settings.fit.confidence, settings.comparison.tolerance
        assert f"if its {level:g}% interval lies within {tolerance:g} of the slope" in told

    def test_findings_and_open_choices_lead_to_each_other(self, html):
        assert '<a href="#open-choices-choices">its choices</a>' in html
        assert '<a href="#findings-what-reproduces">findings</a>' in html
        assert "theory (<code>" in html
        assert "Figure: What changes</a>" in html

    @pytest.mark.parametrize("name", report_run.FILES)
    def test_a_file_that_is_named_leads_to_what_shows_it(self, settings, html, name):
        """Of every kind, as pages and data of tables, pictures and sidecars."""
        folder, anchor, kinds = report_run.FILES[name]
        place = settings.paths.results.parent / folder / name
        for kind in kinds:
            assert f'<a href="#{anchor}"><code>{place}.{kind}</code></a>' in html

    def test_the_first_screen_says_whose_thesis_it_is_when_and_where(self, settings, html):
        """Title, author and year from CITATION.cff; day and processor from the sidecars."""
        content = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
        (entry,) = [one for one in content["references"] if one["type"] == "thesis"]
        head = html.partition("<header>")[2].partition("</header>")[0]
        assert f"<h1>{entry['notes']}</h1>" in head
        assert f'<span lang="ja">{entry["title"]}</span>' in head
        assert f'<span lang="ja">宇都宮 幸大</span>, {entry["year"]}' in head
        places = [settings.paths.figures / one.name for _, one in all_figures(settings)]
        places += [settings.paths.results / one.place for one in all_tables()]
        records = [json.loads(place.with_name(f"{place.name}.json").read_text()) for place in places]
        last = max(record["created"] for record in records)
        machines = {record["hardware"]["processor"] for record in records}
        assert f"Finished {last[:10]} on " in head
        assert all(name in head for name in machines)

    def test_the_first_screen_has_the_findings_in_brief_and_one_figure(self, html):
        """The findings have this part no more; its links, formulas and text are as everywhere."""
        first = html.partition('<section id="result"')[2].partition("</section>")[0]
        assert "<li>Of 24 slopes of <math " in first
        assert '<a href="#figure-fig3_2"><code>' in first
        assert "&lt;b&gt;Nothing&lt;/b&gt; else." in first
        assert "In brief" not in html
        assert html.count("Of 24 slopes of") == 1
        assert re.findall(r'<figure id="figure-(\w+)"', first) == ["fig3_3"], "it compares the two"
        assert html.count('<figure id="figure-fig3_3"') == 1

    def test_every_claim_has_a_row_with_its_answer_and_links_to_its_evidence(self, settings, html):
        part = html.partition('<section id="sources"')[2].partition("</section>")[0]
        rows = [
            [re.sub("<.*?>", " ", one).strip() for one in re.findall(CELL, row, re.DOTALL)]
            for row in re.findall(r"<tr>(?:(?!</tr>).)*</tr>", part, re.DOTALL)
        ]
        heads = [re.sub("[^a-z]", "", head) for head in rows[0]]
        told = [dict(zip(heads, row, strict=True)) for row in rows[1:]]
        claims = pd.read_csv(settings.paths.results / "comparison/sources.csv")
        assert [row["claim"] for row in told] == claims["claim"].tolist()
        assert [row["source"] for row in told] == claims["source"].tolist()
        assert [row["answer"][2:] for row in told] == claims["verdict"].tolist()
        links = [re.findall(r'<a href="(#.*?)">(\w+)</a>', row) for row in part.split("<tr>")[2:]]
        assert links == [
            [("#slopes", "table"), ("#figure-fig3_3", "figure")],
            [("#claims", "table"), ("#figure-fig3_3", "figure")],
            [("#slopes", "table")],
            [("#figure-conditions", "figure")],
            [],
        ]

    def test_a_figure_tells_the_claims_that_it_shows_to_all(self, html, elements):
        """In its caption and to those who cannot see it, with the message above its panels."""
        part = html.partition('id="figure-fig3_3"')[2].partition("</figcaption>")[0]
        told = re.findall(r'<li><span class="verdict (\w+)">(.*?)</span> (.*?)</li>', part)
        assert told == [("good", "✓ holds", "Claim 0."), ("bad", "✗ in part", "Claim 1.")]
        (alternative,) = [
            one["alt"] for one in elements.all("img") if "3.3: spectral" in one.get("alt", "")
        ]
        assert alternative == (
            "Fig. 3.3: spectral and dynamic. As the bottleneck sharpens, alignments fall in every layer "
            "under spectral, and stay in every layer under dynamic. Claim 0: holds. Claim 1: in part."
        )

    def test_every_alternative_has_the_message_and_a_figure_without_one_its_title(
        self, settings, elements, tmp_path
    ):
        images = {image["data-title"]: image["alt"] for image in elements.all("img") if image["alt"]}
        folder = settings.paths.figures
        for _, shown in all_figures(settings):
            record = json.loads((folder / f"{shown.name}.json").read_text())
            assert images[shown.title].startswith(f"{shown.title}. {record['message']}.")
        shutil.copytree(folder, tmp_path / "own")
        sidecar = tmp_path / "own" / "fig3_2.json"
        record = json.loads(sidecar.read_text())
        sidecar.write_text(json.dumps(record | {"message": ""}))
        untold = read_figure(FIGURE, tmp_path / "own", ROOT / "none.rst")
        assert untold.alternative == f"{FIGURE.title}."

    def test_all_but_the_first_screen_and_the_counts_is_folded(self, html):
        sections = re.findall(r'<section id="([\w-]+)"[^>]*>\n(<details class="fold">)?', html)
        assert [anchor for anchor, fold in sections if not fold] == [
            "result",
            "sources",
            "verdicts",
            "cite",
        ]
        assert len(sections) > 25

    def test_a_number_of_the_counts_names_its_rows(self, settings, html):
        """As many as it says, and with the verdict that it counts; controls where they were refuted."""
        found = {
            unescape(name): [int(row) for row in rows.split()]
            for name, rows in re.findall(r'data-counted="(.*?)" data-rows="(.*?)"', html)
        }
        numbers = dict(re.findall(r'data-counted="(.*?)" data-rows=".*?">(\d+)</a>', html))
        assert {unescape(name): int(number) for name, number in numbers.items()} == {
            name: len(rows) for name, rows in found.items()
        }
        slopes = pd.read_csv(settings.paths.results / "comparison/slopes.csv")
        wide = slopes["figure"].str.endswith("wide")
        for word, mark in (("agrees", "✓"), ("disagrees", "✗"), ("undecided", "?")):
            for chosen, name in (
                (~wide, "Slopes at the thesis's widths"),
                (wide, "Slopes up to n = 10,000,000"),
            ):
                rows = slopes.index[chosen & (slopes["verdict"] == word)].tolist()
                assert found[f"{name}: {mark} {word}"] == rows
        entries = pd.read_csv(settings.paths.results / "table1_1/table1_1.csv")
        rows = entries.index[entries["claim"] == "fails"].tolist()
        assert found["Table 1.1: its own entries: ✗ disagrees"] == rows
        judged = pd.read_csv(settings.paths.results / "lazy_or_rich/verdicts.csv")
        control = judged["role"] == "control"
        right = judged["verdict"].isin(["agrees", "holds"])
        refuted = judged["verdict"].isin(["disagrees", "fails"])
        rows = judged.index[(right & ~control) | (refuted & control)].tolist()
        assert found["Lazy or rich: ✓ agrees"] == rows

    def test_it_says_how_to_cite(self, html):
        part = html.partition('<section id="cite"')[2].partition("</section>")[0]
        assert escape(read_citation().bibtex) in part
        assert read_citation().message in part

    def test_every_input_that_is_recorded_exists(self, settings):
        inputs = [path for path, _ in needed(settings)]
        assert len(set(inputs)) == len(inputs) == 5 * 27 + 21 + AUDITS + 3
        assert all(path.is_file() for path in inputs)

    def test_a_run_without_findings_and_archive_has_a_page(self, settings):
        changes = {"findings": {"page": None, "summary": None}, "training": {"reuse": "none"}}
        text = settings.model_dump_json()
        html = page(load(type(settings), [text, json.dumps(changes)]))
        Elements(html)
        assert 'id="findings"' not in html
        assert "Nothing to audit" in html


def test_the_plotted_data_of_a_figure_are_its_table(settings):
    figure = read_figure(FIGURE, settings.paths.figures, ROOT / "none.rst")
    table = pd.read_csv(settings.paths.figures / "fig3_2.csv", dtype=str, keep_default_na=False)
    assert figure.head == tuple(table.columns)
    assert [list(row) for row in figure.rows] == table.to_numpy().tolist()


def test_a_figure_without_a_caption_is_shown_without(settings, tmp_path):
    figure = read_figure(FIGURE, settings.paths.figures, tmp_path / "none.rst")
    assert figure.caption == ""
    assert figure.title == FIGURE.title


MISSING = [
    ("figures/fig3_2.png", "fig3_2"),
    ("figures/conditions.csv", "conditions"),
    ("results/comparison/slopes.csv", "comparison"),
    ("results/comparison/claims.csv", "comparison"),
    ("results/sweep/edges.csv", "r_sweep"),
    ("results/sharpness/verdicts.csv", "companion_sharpness"),
    ("results/lazy_or_rich/verdicts.csv", "companion_laziness"),
    ("results/softmax_fisher/verdicts.csv", "companion_softmax"),
    ("results/isometry/verdicts.csv", "companion_isometry"),
    ("results/attentional_boltzmann/verdicts.csv", "companion_attentional_bm"),
    ("results/natural_gradient/verdicts.csv", "companion_natural_gradient"),
    ("results/continual_learning/verdicts.csv", "companion_continual"),
    ("results/concept_retrieval/verdicts.csv", "companion_concepts"),
    ("results/receptive_fields/verdicts.csv", "companion_receptive_fields"),
    ("docs/findings.md", "findings"),
    ("results/comparison/sources.csv", "sources"),
    ("results/comparison/published.csv", "published"),
    ("docs/companions.md", "companions"),
    ("docs/open-choices.md", "open_choices"),
    ("results/audit/bird-cat/10000-500/dynamic.json", "bird-cat/10000-500/dynamic.json"),
]


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    return report_run.make(tmp_path_factory.mktemp("broken"), size=(8, 6))


@pytest.mark.parametrize(("name", "target"), MISSING)
def test_a_missing_part_is_named_with_its_target(broken, name, target):
    path = broken.paths.figures.parent / name
    content = path.read_bytes()
    path.unlink()
    with pytest.raises(DataError) as told:
        page(broken)
    path.write_bytes(content)
    assert str(told.value).startswith(str(path))
    assert re.search(rf"snakemake --cores all \S*{target}$", str(told.value))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("fig3_2.png", b"GIF89a", "not a PNG"),
        ("fig3_2.svg", b"<html><script></script></html>", "not an SVG"),
        ("fig3_2.csv", b"", "it is empty"),
        ("fig3_2.json", b"{", "not a readable sidecar"),
    ],
)
def test_a_damaged_figure_is_named(broken, name, content, words):
    path = broken.paths.figures / name
    before = path.read_bytes()
    path.write_bytes(content)
    with pytest.raises(DynparamError, match=words):
        read_figure(FIGURE, path.parent, ROOT / "none.rst")
    path.write_bytes(before)


class TestTables:
    def test_numbers_sort_by_value(self):
        table = cells(slopes_view(0.2), report_run.slopes())
        heads = [column.head for column in table.columns]
        measured = [row[heads.index("measured")] for row in table.rows]
        assert [float(cell.sort) for cell in measured] == pytest.approx([-0.25, -0.55, -0.85] * 4)
        exact = [row[heads.index("exact")].sort for row in table.rows]
        assert exact.count("") == 6
        assert table.choices("verdict") == ["✗ disagrees", "? undecided", "✓ agrees"]

    def test_all_tables_have_a_cell_for_every_column(self):
        tables = [
            cells(slopes_view(0.2), report_run.slopes()),
            cells(CLAIMS, report_run.claims()),
            cells(entries_view(0.1), pd.read_csv(ROOT / "figures/table1_1.csv")),
            cells(edges_view(0.1), report_run.edges()),
        ]
        for table in tables:
            assert {len(row) for row in table.rows} == {len(table.columns)}
            assert not any("nan" in str(cell.text) for row in table.rows for cell in row)

    @pytest.mark.parametrize(
        ("view", "frame", "filters"),
        [
            (slopes_view(0.2), report_run.slopes(), ["figure", "verdict"]),
            (CLAIMS, report_run.claims().assign(p_holm=0.02), ["source", "role", "verdict"]),
            (edges_view(0.1), report_run.edges(), []),
            (AUDITS_VIEW, audits_frame({"a": AuditResult(3, 2, 1e-7, 0.0, 5e-3, 6e-3, "a")}), []),
        ],
        ids=["slopes", "claims", "edges", "audits"],
    )
    def test_columns_are_of_the_kind_of_what_they_show(self, view, frame, filters):
        """Numbers sort as numbers, notes may be broken into lines, and verdicts have their colour."""
        for column in view.columns:
            source = (column.of or (column.head,))[0]
            shown = None if column.picture else frame[source]
            numbers = shown is not None and pd.api.types.is_numeric_dtype(shown)
            found = (column.numeric, column.prose, column.verdict)
            assert found == (numbers, source == "note", source == "verdict"), column.head
            assert (column.code is not None) == (source == "note"), column.head
        assert list(view.filters) == filters

    @pytest.mark.parametrize(
        ("view", "judged"),
        [
            (slopes_view(0.2), {"verdict": "measured"}),
            (CLAIMS, {"verdict": "difference"}),
            (edges_view(0.1), {"verdict": "measured"}),
            (entries_view(0.1), {"verdict": "exact", "claim": "claimed"}),
            (AUDITS_VIEW, {"verdict": "accuracy differs by"}),
            (judged_view("a", "A"), {"verdict": "measured"}),
            (SOURCES_VIEW, {"answer": "claim"}),
        ],
        ids=lambda one: one.name if isinstance(one, TableView) else "",
    )
    def test_a_verdict_follows_what_it_judges(self, view, judged):
        heads = [column.head for column in view.columns]
        found = {
            column.head: heads[place - 1] for place, column in enumerate(view.columns) if column.verdict
        }
        assert found == judged


class TestDocuments:
    def test_headings_are_a_level_deeper_and_have_the_anchors_of_code_hosts(self):
        text = "# T\n\n## What Fails, and Why\n\n### `r` = 1/2\n"
        html = document(text, Path("docs/a.md"), "a", {}).html
        found = re.findall(r'<(h\d) id="(.*?)">', html)
        assert found == [("h3", "a-what-fails-and-why"), ("h4", "a-r--12")]

    def test_links_lead_to_anchors(self):
        text = "[a](b.md) [c](../figures/x.png) [d](#e-f) [g](https://h.i/) `figures/x.csv` [`y`](b.md)"
        anchors = {"docs/b.md": "b", "figures/x.png": "x", "figures/x.csv": "x"}
        html = document(text, Path("docs/a.md"), "a", anchors).html
        assert re.findall(r'href="(.*?)"', html) == ["#b", "#x", "#a-e-f", "https://h.i/", "#x", "#b"]

    def test_the_name_of_a_figure_in_a_link_is_no_link_of_its_own(self):
        anchors = {"figures/a.png": "figure-a", "docs/b.md": "b"}
        html = document(
            "[`figures/a.png`](b.md) and `figures/a.png`", Path("docs/a.md"), "a", anchors
        ).html
        assert html.count("<a ") == html.count("</a>") == 2
        assert not re.search("<a [^>]*>(?:(?!</a>).)*<a ", html)
        assert html.index('href="#b"') < html.index('href="#figure-a"')

    def test_a_link_out_of_the_page_becomes_the_name_of_its_file(self):
        html = document("see [it](../src/x.py#L3).", Path("docs/a.md"), "a", {}).html
        assert html == "<p>see it (<code>src/x.py#L3</code>).</p>\n"

    def test_items_of_numbered_lists_have_anchors(self):
        found = document("1. a\n2. b\n\n- c\n\n![i](x.png)", Path("docs/a.md"), "a", {})
        assert "<p>Figure: i</p>" in found.html, "a picture that is not shown has no link"
        assert re.findall(r'<li id="(.*?)">', found.html) == ["a-1", "a-2"]

    @pytest.mark.parametrize("after", ["", "\n\n## Next\n\nc"])
    def test_what_is_told_in_brief_stands_apart(self, after):
        found = document(f"a\n\n## In brief\n\n- b{after}", Path("docs/a.md"), "a", {})
        assert found.brief == "<ul>\n<li>b</li>\n</ul>\n"
        rest = '<h3 id="a-next">Next</h3>\n<p>c</p>\n' if after else ""
        assert found.html == f"<p>a</p>\n{rest}"

    def test_most_documents_tell_nothing_in_brief(self):
        assert document("a\n\n## In short\n\nb", Path("docs/a.md"), "a", {}).brief == ""

    def test_formulas_are_taken_before_any_markup(self):
        formula = r"x_1 * y_2 * \, z_3"
        html = document(f"a ${formula}$, `$` 5 $.", Path("docs/a.md"), "a", {}).html
        assert html == f"<p>a {mathml(formula)}, <code>$</code> 5 $.</p>\n"

    def test_html_is_shown_and_not_obeyed(self):
        html = document("<!-- c -->\n# T\n\n<script>x</script> |<a, b>|", ROOT, "a", {}).html
        assert html == "<p>&lt;script&gt;x&lt;/script&gt; |&lt;a, b&gt;|</p>\n"

    @pytest.mark.parametrize("name", ["findings", "open-choices"])
    def test_the_projects_own_documents_are_whole(self, name):
        path = ROOT / "docs" / f"{name}.md"
        html = document(path.read_text(encoding="utf-8"), path, name, {}).html
        Elements(html)
        assert html.count("<table>") == html.count('<div class="scroll"') > 1
        assert "$" not in html, "every formula is MathML"

    def test_captions(self):
        assert caption("widths ``n`` < 3\n  and ``m``") == (
            "widths <code>n</code> &lt; 3 and <code>m</code>"
        )

    def test_captions_with_formulas(self):
        formula = r"n_{\min}^{1/2}"
        text = f"Of ``n`` < :math:`{formula}`\n(Fig. 3.2). Then."
        assert caption(text) == f"Of <code>n</code> &lt; {mathml(formula)} (Fig. 3.2). Then."

    def test_captions_have_no_markup_that_is_not_rendered(self):
        """Of reStructuredText: literals and formulas alone, which ``caption`` knows."""
        captions = list((ROOT / "src/dynparam/experiments").glob("*/captions/*.rst"))
        assert len(captions) >= 14
        for path in captions:
            text = " ".join(path.read_text(encoding="utf-8").split())
            plain = re.sub(r"``.+?``|:math:`.+?`", "", text)
            assert not re.search(r"`|\*\*|^\.\. |\{\{|\$", plain), path


class TestProvenance:
    def test_any_key_is_shown(self):
        record = {"a_b": {"c": [1, 2], "d": {"e": None}}, "f": True, "g": [{"h": 1}, {"h": 2}], "i": {}}
        assert [(one.name, one.rows) for one in sections(record)] == [
            ("a b", (("c", "1, 2"), ("d > e", "none"))),
            ("f", (("", "yes"),)),
            ("g", (("1 > h", "1"), ("2 > h", "2"))),
            ("i", (("", "none"),)),
        ]
        record = {"j": False, "k": {"l": []}, "m": [[1, 2], [None]], "n": [True, 0]}
        assert [(one.name, one.rows) for one in sections(record)] == [
            ("j", (("", "no"),)),
            ("k", (("l", "none"),)),
            ("m", (("1", "1, 2"), ("2", "none"))),
            ("n", (("", "yes, 0"),)),
        ]

    def test_the_line_says_what_is_known(self):
        record = {"git": {"commit": "0123456789abc", "dirty": True}, "wall_seconds": 1.25}
        assert summary(record) == "commit 0123456789 with uncommitted changes, in 1.2\N{NO-BREAK SPACE}s"
        assert commit({}) == commit({"git": {"commit": None}}) == "outside a checkout"
        assert commit({"git": None}) == "outside a checkout"
        assert summary({"git": None, "hardware": None}) == "commit outside a checkout"

    def test_the_line_tells_each_of_its_parts(self):
        record = {
            "git": {"commit": "0123456789abc", "dirty": False},
            "config_sha256": "c0ffee",
            "checksum": "beef",
            "created": "2026-01-02T03:04:05+00:00",
            "wall_seconds": 12.34,
            "total_wall_seconds": 99.0,
            "hardware": {"processor": "a processor", "system": "Linux"},
        }
        assert summary(record) == (
            "commit 0123456789, configuration c0ffee, made 2026-01-02, in 12.3\N{NO-BREAK SPACE}s, "
            "on a processor"
        )

    def test_efforts_of_several_jobs(self, tmp_path):
        """Times add up, the largest memory counts; the longest rule first, whatever its name."""
        for place, seconds, memory in (
            ("a/one", 1.0, 500),
            ("a/two", 2.0, 300),
            ("a/three", 4.5, "NA"),
            ("b/one", 9.0, 10),
            ("c", 8.0, 20),
        ):
            path = tmp_path / f"{place}.tsv"
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"s\tmax_rss\n{seconds}\t{memory}\n")
        found = [(one.rule, one.jobs, one.seconds, one.megabytes) for one in efforts(tmp_path)]
        assert found == [("b", 1, 9.0, 10.0), ("c", 1, 8.0, 20.0), ("a", 3, 7.5, 500.0)]

    @pytest.mark.parametrize(
        "content", ["", "s\tmax_rss\n", "max_rss\n5\n", "s\tmax_rss\nnan\t5\n", "s\tmax_rss\n2\tinf\n"]
    )
    def test_a_benchmark_that_says_nothing_is_left_out(self, tmp_path, content):
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "one.tsv").write_text(content)
        assert efforts(tmp_path) == []
        (tmp_path / "a" / "two.tsv").write_text("s\tmax_rss\n3.5\t\n")
        assert [(one.rule, one.jobs, one.seconds, one.megabytes) for one in efforts(tmp_path)] == [
            ("a", 1, 3.5, 0.0)
        ]

    def test_efforts_add_up_by_rule(self, settings):
        found = efforts(settings.paths.results / "benchmarks")
        assert [(one.rule, one.jobs, one.seconds, one.megabytes) for one in found] == [
            ("measure", 1, 7.5, 0.0),
            ("draw", 1, 2.5, 310.2),
        ]
