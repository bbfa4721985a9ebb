"""The report in a real browser: first screen, addresses, tables, narrow screens, print, dark, no script.

Every check of a page has a page, broken on purpose, that it must find fault with.
"""

import base64
import shutil
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import sync_playwright

from dynparam.report.page import page as report_page
from tests import report_run

CHROMIUM = shutil.which("chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE = {"width": 360, "height": 740}
SCREEN = {"width": 1280, "height": 800}
ROWS = 15
"""So many rows of a table are to fit a screen."""

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


@dataclass
class Opened:
    """A page in the browser, with all it complained of and asked for."""

    page: object
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run in miniature, and its page on disk."""
    root = tmp_path_factory.mktemp("run")
    settings = report_run.make(root)
    path = root / "report.html"
    path.write_text(report_page(settings), encoding="utf-8")
    return settings, path


@contextmanager
def opened(browser, path, address="", **options):
    context = browser.new_context(reduced_motion="reduce", **options)
    found = Opened(context.new_page())
    found.page.on(
        "console",
        lambda told: found.complaints.append(told.text) if told.type in ("error", "warning") else None,
    )
    found.page.on("pageerror", lambda error: found.complaints.append(str(error)))
    found.page.on("request", lambda asked: found.requests.append(asked.url))
    found.page.goto(path.as_uri() + address)
    yield found
    context.close()


def unfold(found):
    """Open every part of the page, as a reader would one by one."""
    found.page.evaluate("document.querySelectorAll('.fold').forEach((one) => one.open = true)")
    return found


@pytest.fixture
def fresh(browser, run):
    """The page as it opens: what does not belong to the first screen is folded."""
    with opened(browser, run[1], viewport=SCREEN) as found:
        yield found


@pytest.fixture
def report(browser, run):
    with opened(browser, run[1], viewport=SCREEN) as found:
        yield unfold(found)


@pytest.fixture
def phone(browser, run):
    with opened(browser, run[1], viewport=PHONE) as found:
        yield unfold(found)


def elsewhere(found):
    """What the page asked for besides itself."""
    return [url for url in found.requests[1:] if not url.startswith("data:")]


def overflowing(page):
    """Elements that reach beyond the screen and scroll in no container; nothing if the page fits."""
    return page.evaluate(
        """() => document.documentElement.scrollWidth <= innerWidth ? [] :
        [...document.body.querySelectorAll("*")]
          .filter((one) => one.getBoundingClientRect().right > innerWidth)
          .filter((one) => !one.closest(".scroll, nav"))
          .map((one) => one.outerHTML.slice(0, 80)).concat(["page"])"""
    )


def undecoded(page):
    """Pictures of the page, the enlarged one aside while there is none, that did not decode."""
    return page.evaluate(
        """async () => {
          const images = [...document.querySelectorAll("figure img")];
          await Promise.all(images.map((image) => image.decode().catch(() => null)));
          return images.filter((image) => !image.naturalWidth).map((image) => image.src.slice(0, 80));
        }"""
    )


def dead_links(page):
    """Links to anchors that do not exist."""
    return page.evaluate(
        """() => [...document.querySelectorAll("a[href^='#']")].map((link) => link.getAttribute("href"))
        .filter((href) => href.length > 1 && !document.getElementById(href.slice(1)))"""
    )


def column(page, table, head):
    """The shown cells of a column."""
    return page.evaluate(
        """([table, head]) => {
          const heads = [...document.querySelectorAll(`${table} thead th`)];
          const place = heads.findIndex((one) => one.textContent === head);
          return [...document.querySelectorAll(`${table} tbody tr:not([hidden])`)]
            .map((row) => row.cells[place].textContent);
        }""",
        [table, head],
    )


def crowded(page):
    """Tables whose verdicts lie off screen, or of which too few rows are on one."""
    return page.evaluate(
        """(least) => [...document.querySelectorAll("section .filterable")]
          .filter((block) => !block.closest("figure")).filter((block) => {
            block.scrollIntoView();
            const box = block.querySelector(".scroll").getBoundingClientRect();
            const rows = [...block.querySelectorAll("tbody tr")];
            const seen = rows.map((row) => row.getBoundingClientRect())
              .filter((row) => row.top >= 0 && row.bottom <= Math.min(innerHeight, box.bottom));
            const off = [...block.querySelectorAll(".verdict")]
              .filter((one) => one.getBoundingClientRect().right > box.right);
            return off.length || seen.length < Math.min(least, rows.length);
          }).map((block) => block.closest("[id]").id)""",
        ROWS,
    )


def slabs(page):
    """Areas that are bright in the dark, but for verdicts, which are small."""
    return page.evaluate(
        """() => [...document.querySelectorAll("body, body *:not(.verdict)")].filter((one) => {
          const [red, green, blue, share = 1] = getComputedStyle(one).backgroundColor.match(/[\\d.]+/g);
          return share > 0 && Math.min(red, green, blue) > 150;
        }).map((one) => one.outerHTML.slice(0, 80)).concat(
          [...document.querySelectorAll("figure img")]
            .filter((image) => !getComputedStyle(image).filter.includes("invert"))
            .map((image) => image.dataset.title))"""
    )


def order(page, table, head):
    return page.locator(f"{table} thead th", has_text=head).first.get_attribute("aria-sort")


CLAIM = "thesis's claim"
"""The column of slopes that has notes."""


class TestFirstScreen:
    def test_it_has_the_result_and_one_figure(self, fresh):
        page = fresh.page
        for part in ("h1", ".brief li >> nth=-1", "#figure-fig3_3 img"):
            box = page.locator(part).bounding_box()
            assert box["y"] + box["height"] <= SCREEN["height"], part
        assert page.locator("#sources-table").is_visible()
        assert page.locator("table.counts").is_visible()
        for folded in ("#slopes-table", "#figure-fig3_2", "#findings h3", "#efforts-table"):
            assert not page.locator(folded).first.is_visible(), folded

    def test_a_link_unfolds_what_it_leads_to_each_time(self, fresh):
        page = fresh.page
        for _ in range(2):
            page.locator("nav a", has_text="Slopes").click()
            assert page.locator("#slopes-table").is_visible()
            page.locator("#slopes .fold > summary").click()
            assert not page.locator("#slopes-table").is_visible()
        page.locator("#sources-table a", has_text="figure").last.click()
        assert page.locator("#figure-conditions img").is_visible()

    def test_the_current_section_is_marked(self, fresh):
        page = fresh.page
        for name in ("Slopes", "Claims", "Cite"):
            page.locator("nav a", has_text=name).first.click()
            page.locator("nav a[aria-current]", has_text=name).wait_for()
            assert page.locator("nav a[aria-current]").count() == 1

    def test_of_moves_that_are_told_at_once_the_last_counts(self, browser, run):
        """A busy browser did mark the section that was passed first, and kept it."""
        context = browser.new_context(viewport=SCREEN)
        page = context.new_page()
        page.add_init_script(
            """globalThis.IntersectionObserver = class {
              constructor(tell) { globalThis.tell = tell; }
              observe() {}
            };"""
        )
        page.goto(run[1].as_uri())
        page.evaluate(
            """() => {
              const [first, second] = document.querySelectorAll("main > section[id]");
              const move = (target, isIntersecting) => ({ target, isIntersecting });
              globalThis.passed = [first.id, second.id];
              tell([move(first, true), move(first, false), move(second, true)]);
            }"""
        )
        marked = page.locator("nav a[aria-current]").evaluate_all(
            "links => links.map((link) => link.hash.slice(1))"
        )
        assert marked == page.evaluate("[passed[1]]")
        context.close()


class TestAddresses:
    """An address says which rows are shown, and shown rows have an address."""

    def test_an_address_filters(self, browser, run):
        address = "#slopes?verdict=%3F+undecided&text=dynamic"
        with opened(browser, run[1], address, viewport=SCREEN) as found:
            assert column(found.page, "#slopes-table", "curve") == ["fig3_3_dynamic"] * 2
            assert found.page.locator("#slopes-table").is_visible()
            tools = found.page.locator("#slopes .tools")
            assert tools.locator("select[name=verdict]").input_value() == "? undecided"
            assert tools.locator("[name=text]").input_value() == "dynamic"

    def test_a_filter_is_in_the_address_and_survives_a_reload(self, report):
        page = report.page
        tools = page.locator("#slopes .tools")
        tools.locator("select[name=verdict]").select_option("✗ disagrees")
        tools.locator("[name=text]").fill("wide")
        rows = column(page, "#slopes-table", "layer")
        assert page.url.partition("#")[2] == "slopes?text=wide&verdict=%E2%9C%97+disagrees"
        page.reload()
        assert column(page, "#slopes-table", "layer") == rows
        assert 0 < len(rows) < 12
        tools.get_by_role("button", name="All rows").click()
        assert len(column(page, "#slopes-table", "layer")) == 12
        assert page.url.partition("#")[2] == "slopes"

    def test_every_number_of_the_counts_leads_to_so_many_rows(self, fresh):
        numbers = fresh.page.evaluate(
            """async () => {
              const found = [];
              for (const link of document.querySelectorAll("a[data-counted]")) {
                const arrived = new Promise((tell) => { onhashchange = tell; });
                link.click();
                await arrived;
                const anchor = document.getElementById(link.hash.slice(1).split("?")[0]);
                const rows = [...anchor.querySelectorAll(".filterable tbody tr:not([hidden])")];
                const shown = rows.filter((row) => row.offsetHeight).length;
                found.push([link.dataset.counted, Number(link.textContent), shown]);
              }
              return found;
            }"""
        )
        assert len(numbers) > 30
        assert [one for one in numbers if one[1] != one[2]] == []

    def test_counted_rows_are_told_and_have_the_verdict(self, fresh):
        page = fresh.page
        page.locator("a[data-counted^='Slopes at the'][data-counted$='agrees']").first.click()
        assert column(page, "#slopes-table", "verdict") == ["✓ agrees"] * 3
        told = page.locator("#slopes output").inner_text()
        assert told == "3 of 12 rows: Slopes at the thesis's widths: ✓ agrees"
        page.reload()
        assert column(page, "#slopes-table", "verdict") == ["✓ agrees"] * 3

    @pytest.mark.parametrize(
        "address",
        ["#nowhere", "#slopes?nothing=1&length=2", "#slopes?counted=none", "#?", "#findings?a=b"],
    )
    def test_an_unknown_address_does_no_harm(self, browser, run, address):
        with opened(browser, run[1], address) as found:
            assert found.complaints == []
            assert len(column(found.page, "#slopes-table", "curve")) == 12


class TestTables:
    def test_verdicts_and_rows_are_on_the_screen(self, report):
        assert crowded(report.page) == []

    def test_the_first_column_stays_in_sight(self, browser, run):
        with opened(browser, run[1], "#slopes", viewport=PHONE) as found:
            scroll = found.page.locator("#slopes .scroll")
            first, second = (scroll.locator(f"tbody tr >> nth=0 >> td >> nth={k}") for k in (0, 1))
            before = first.bounding_box()["x"], second.bounding_box()["x"]
            scroll.evaluate("one => one.scrollLeft = 200")
            assert first.bounding_box()["x"] == before[0]
            assert second.bounding_box()["x"] == before[1] - 200

    def test_a_note_opens_on_demand(self, report):
        page = report.page
        note = page.locator("#table1_1 .note").first
        text = note.evaluate("one => one.lastChild.textContent")
        height = note.bounding_box()["height"]
        assert len(text) > len(note.locator("summary").inner_text())
        note.locator("summary").click()
        assert note.bounding_box()["height"] > height
        assert text in note.inner_text()

    def test_notes_are_searched_whole(self, report):
        page = report.page
        page.locator("#slopes .tools [name=text]").fill("onerror=alert")
        assert column(page, "#slopes-table", "layer") == ["2"] * 4


class TestDark:
    def test_nothing_is_a_bright_slab(self, browser, run):
        with opened(browser, run[1], color_scheme="dark") as found:
            assert slabs(unfold(found).page) == []

    def test_in_the_light_pictures_are_as_drawn(self, report):
        image = report.page.locator("figure img").first
        assert image.evaluate("one => getComputedStyle(one).filter") == "none"

    def test_print_is_light(self, browser, run):
        with opened(browser, run[1], color_scheme="dark") as found:
            found.page.emulate_media(media="print")
            image = found.page.locator("#figure-fig3_3 img")
            assert image.evaluate("one => getComputedStyle(one).filter") == "none"
            body = found.page.locator("body").evaluate("one => getComputedStyle(one).backgroundColor")
            assert body == "rgb(255, 255, 255)"


class TestLoading:
    def test_it_opens_from_disk_without_complaint_or_network(self, report):
        assert report.page.title() == "dynparam: what of the thesis reproduces"
        assert report.complaints == []
        assert elsewhere(report) == []

    def test_pictures_decode_and_links_lead_somewhere(self, report):
        assert report.page.locator("figure img").count() == 27
        assert undecoded(report.page) == []
        assert dead_links(report.page) == []

    def test_no_script_of_a_picture_runs(self, browser, run, report):
        """Whoever put it there. It would have run: it does where the file itself is opened."""
        settings, _ = run
        figures = settings.paths.figures
        shown = report.page.locator('figure img[src^="data:image/svg"]')
        assert shown.count() == len(report_run.VECTORS)
        assert report.page.evaluate("window.intruded") is None
        with opened(browser, figures / f"{report_run.VECTORS[0]}.svg") as found:
            assert found.page.evaluate("window.intruded") is True

    def test_data_links_hold_the_files(self, run, report):
        settings, _ = run
        links = report.page.evaluate(
            "() => [...document.querySelectorAll('a[download]')].map((a) => [a.download, a.href])"
        )
        folder = settings.paths.figures
        checked = 0
        for name, address in links:
            path = folder / name
            if path.is_file() and name != "table1_1.csv":
                assert base64.b64decode(address.partition("base64,")[2]) == path.read_bytes(), name
                checked += 1
        assert checked == 3 * 27 - 1  # the table and the figure of Table 1.1 share a name

    def test_text_of_the_results_stays_text(self, report):
        assert report_run.HOSTILE in column(report.page, "#slopes-table", CLAIM)[1]


class TestSorting:
    def test_by_number_up_down_and_back(self, report):
        page, table = report.page, "#slopes-table"
        before = column(page, table, "measured")
        head = page.locator(f"{table} thead button", has_text="measured")
        head.click()
        assert order(page, table, "measured") == "ascending"
        values = [float(cell.split()[0]) for cell in column(page, table, "measured")]
        assert values == sorted(values)
        assert values != [float(cell.split()[0]) for cell in before]
        head.click()
        assert order(page, table, "measured") == "descending"
        values = [float(cell.split()[0]) for cell in column(page, table, "measured")]
        assert values == sorted(values, reverse=True)
        head.click()
        assert order(page, table, "measured") is None
        assert column(page, table, "measured") == before

    def test_by_word_from_the_keyboard_one_column_at_a_time(self, report):
        page, table = report.page, "#slopes-table"
        page.locator(f"{table} thead button", has_text="layer").click()
        head = page.locator(f"{table} thead button", has_text="verdict")
        head.focus()
        page.keyboard.press("Enter")
        assert order(page, table, "verdict") == "ascending"
        assert order(page, table, "layer") is None
        words = column(page, table, "verdict")
        assert sorted(words) != words or len(set(words)) == 3
        assert [len({*words[k : k + 4]}) for k in (0, 4, 8)] == [1, 1, 1]
        page.keyboard.press("Space")
        assert order(page, table, "verdict") == "descending"
        assert column(page, table, "verdict") == words[::-1]

    @pytest.mark.parametrize("clicks", [1, 2])
    def test_what_is_missing_comes_last_in_either_order(self, report, clicks):
        page = report.page
        for _ in range(clicks):
            page.locator("#slopes-table thead button", has_text="exact").click()
        cells = column(page, "#slopes-table", "exact")
        assert cells[6:] == [""] * 6
        assert "" not in cells[:6]

    def test_plotted_data_by_value(self, report):
        page = report.page
        page.locator("#figure-fig3_2 summary").first.click()
        page.locator("#figure-fig3_2 thead button", has_text="mean").click()
        values = [float(cell) for cell in column(page, "#figure-fig3_2 .raw", "mean")]
        assert values == sorted(values)


class TestFiltering:
    def test_by_verdict_and_text(self, report):
        page, table = report.page, "#slopes-table"
        tools = page.locator("#slopes .tools")
        tools.locator("select[name=verdict]").select_option("? undecided")
        assert column(page, table, "verdict") == ["? undecided"] * 4
        assert tools.locator("output").inner_text() == "4 of 12 rows"
        tools.locator("[name=text]").fill("DYNAMIC")
        assert column(page, table, "curve") == ["fig3_3_dynamic"] * 2
        tools.locator("[name=text]").fill("")
        tools.locator("select[name=verdict]").select_option("")
        assert len(column(page, table, "curve")) == 12
        assert tools.locator("output").inner_text() == "12 rows"

    def test_text_in_one_column(self, report):
        page = report.page
        tools = page.locator("#slopes .tools")
        tools.locator("[name=text]").fill("spectral")
        assert len(column(page, "#slopes-table", "curve")) == 6
        tools.locator("select[name=column]").select_option(CLAIM)
        assert column(page, "#slopes-table", "curve") == []

    def test_filtered_rows_can_be_sorted(self, report):
        page = report.page
        page.locator("#slopes .tools [name=text]").fill("wide")
        page.locator("#slopes-table thead button", has_text="layer").click()
        assert column(page, "#slopes-table", "layer") == ["1", "1", "2", "2", "3", "3"]


class TestEnlarging:
    @pytest.mark.parametrize("key", ["Enter", "Space"])
    def test_from_the_keyboard_and_back(self, report, key):
        page = report.page
        button = page.get_by_role("button", name="Enlarge Fig. 3.2: spectral parametrization")
        button.focus()
        page.keyboard.press(key)
        viewer = page.locator("#viewer")
        assert viewer.is_visible()
        shown = viewer.locator("img")
        assert shown.get_attribute("src") == button.locator("img").get_attribute("src")
        assert shown.evaluate("image => image.decode().then(() => image.naturalWidth)") == 1500
        page.keyboard.press("Escape")
        assert not viewer.is_visible()
        assert button.evaluate("one => one === document.activeElement")

    def test_in_full_size_and_closed(self, report):
        page = report.page
        page.get_by_role("button", name="Enlarge Fig. 3.3 at great widths").click()
        shown = page.locator("#viewer img")
        assert shown.bounding_box()["width"] < 1280
        page.keyboard.press("Enter")  # the focus is on the button "Full size"
        assert page.get_by_role("button", name="Full size").get_attribute("aria-pressed") == "true"
        assert shown.bounding_box()["width"] == 1500
        page.get_by_role("button", name="Close").press("Enter")
        assert not page.locator("#viewer").is_visible()

    def test_the_keyboard_reaches_contents_first_and_shows_where_it_is(self, report):
        page = report.page
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the result"
        for link in ("Cite", "Result"):
            page.keyboard.press("Tab")
            assert page.evaluate("document.activeElement.textContent") == link
        style = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert style == "solid"


class TestNarrowAndPrinted:
    def test_nothing_overflows_a_phone(self, phone):
        assert overflowing(phone.page) == []
        phone.page.evaluate("document.querySelectorAll('details').forEach((one) => one.open = true)")
        assert overflowing(phone.page) == []

    def test_an_enlarged_figure_fits_a_phone(self, phone):
        phone.page.get_by_role("button", name="Enlarge Fig. 3.1").click()
        assert phone.page.locator("#viewer").bounding_box()["width"] <= 360
        assert overflowing(phone.page) == []

    def test_print_has_the_content_and_no_controls(self, report):
        page = report.page
        page.emulate_media(media="print")
        for gone in ("nav", ".tools", ".downloads"):
            assert not page.locator(gone).first.is_visible()
        assert page.locator("#slopes .columns dl").is_visible()
        assert (
            page.locator("#slopes .scroll").evaluate("one => getComputedStyle(one).overflow")
            == "visible"
        )
        assert not page.locator("details.data summary").first.is_visible()
        printed = page.pdf(prefer_css_page_size=True)
        assert printed.startswith(b"%PDF")

    def test_verdicts_say_the_same_without_colour(self, report):
        cells = column(report.page, "#slopes-table", "verdict")
        assert {cell.strip() for cell in cells} == {"✓ agrees", "✗ disagrees", "? undecided"}

    def test_without_script_everything_is_there_and_nothing_is_dead(self, browser, run):
        with opened(browser, run[1], java_script_enabled=False) as found:
            page = found.page
            assert page.locator("figure img").count() == 27
            assert page.locator("#slopes-table tbody tr").count() == 12
            for fold in page.locator(".fold > summary").all():
                fold.click()
            assert page.locator("#slopes-table tbody tr").last.is_visible()
            assert page.locator("#findings h3").is_visible()
            assert page.locator("button:visible, .tools:visible, [data-picture]:visible").count() == 0
            page.locator("#figure-fig3_2 summary").first.click()
            assert page.locator("#figure-fig3_2 .raw").is_visible()


class TestBrokenPages:
    """What the checks above must find."""

    @pytest.fixture
    def show(self, browser, run, tmp_path):
        """Open the report with a text of it replaced."""
        contexts = []

        def replaced(old, new, **options):
            text = run[1].read_text(encoding="utf-8")
            assert old in text
            path = tmp_path / "broken.html"
            path.write_text(text.replace(old, new, 1), encoding="utf-8")
            context = opened(browser, path, **options)
            contexts.append(context)
            return context.__enter__()

        yield replaced
        for context in contexts:
            context.__exit__(None, None, None)

    def test_an_error_of_the_script(self, show):
        assert show('"use strict";', '"use strict"; missing();').complaints

    def test_a_file_from_elsewhere(self, show):
        found = show("<main>", '<main><img src="other.png">')
        assert [url.rpartition("/")[2] for url in elsewhere(found)] == ["other.png"]
        assert found.complaints

    def test_a_damaged_picture(self, show):
        found = show('<img src="data:image/png;base64,iVBOR', '<img src="data:image/png;base64,AAAAA')
        assert len(undecoded(found.page)) == 1

    def test_a_link_to_nowhere(self, show):
        assert dead_links(show('href="#audits"', 'href="#nowhere"').page) == ["#nowhere"]

    def test_a_block_wider_than_a_phone(self, show):
        wide = '<main><div style="width: 500px">wide</div>'
        assert overflowing(show("<main>", wide, viewport=PHONE).page)

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            (".sortable { width: max-content;", ".sortable { width: 250vw;"),
            (".sortable td { padding: .28rem", ".sortable td { padding: 2rem"),
        ],
        ids=["verdicts off screen", "few rows"],
    )
    def test_a_table_that_is_too_large(self, show, old, new):
        assert "slopes" in crowded(unfold(show(old, new, viewport=SCREEN)).page)

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("background: var(--paper); cursor: zoom-in", "background: #fff; cursor: zoom-in"),
            ("invert(.91)", "hue-rotate(0deg)"),
        ],
    )
    def test_a_bright_slab_in_the_dark(self, show, old, new):
        assert slabs(show(old, new, color_scheme="dark").page)

    def test_a_script_that_does_not_sort(self, show):
        page = unfold(show("body.append(...rows)", "void rows")).page
        before = column(page, "#slopes-table", "layer")
        page.locator("#slopes-table thead button", has_text="layer").click()
        assert column(page, "#slopes-table", "layer") == before


LISTENER = "http://127.0.0.1:9/"
"""An address of this machine where nothing listens."""

INTRUDERS = {
    "script": "<script>window.intruded = true</script>",
    "script with a nonce": '<script nonce="0123456789abcdef">window.intruded = true</script>',
    "script by address": '<script src="data:text/javascript,window.intruded = true"></script>',
    "handler": '<img src="data:," onerror="window.intruded = true">',
    "picture": f'<img src="{LISTENER}x.png">',
    "style": "<style>body { display: none }</style>",
    "style sheet": f'<link rel="stylesheet" href="{LISTENER}x.css">',
    "import": f'<style>@import "{LISTENER}x.css";</style>',
    "background": f'<p style="background: url({LISTENER}x.png)">text</p>',
    "frame": f'<iframe src="{LISTENER}"></iframe>',
    "frame of text": '<iframe srcdoc="<script>parent.intruded = true</script>"></iframe>',
    "frame of data": '<iframe src="data:text/html,text"></iframe>',
    "object": '<object data="data:text/html,text"></object>',
    "video": f'<video src="{LISTENER}x.mp4" autoplay></video>',
    "base": f'<base href="{LISTENER}">',
}


class TestPolicy:
    """What the page's policy keeps from running, though it got into the page."""

    @pytest.fixture
    def intruded(self, browser, run, tmp_path):
        contexts = []

        def show(markup):
            path = tmp_path / "intruded.html"
            text = run[1].read_text(encoding="utf-8").replace("<main>", f"<main>{markup}", 1)
            path.write_text(text, encoding="utf-8")
            contexts.append(opened(browser, path))
            return contexts[-1].__enter__()

        yield show
        for context in contexts:
            context.__exit__(None, None, None)

    @pytest.mark.parametrize("name", INTRUDERS)
    def test_what_got_in_does_nothing(self, intruded, name):
        found = intruded(INTRUDERS[name])
        assert any("Content Security Policy" in told for told in found.complaints), found.complaints
        assert found.page.evaluate("window.intruded") is None
        assert found.page.evaluate("document.baseURI").startswith("file:")
        assert found.page.locator("main").is_visible()

    @pytest.mark.parametrize(
        "call",
        [
            f"fetch('{LISTENER}')",
            f"new Promise((_, no) => {{ new WebSocket('ws{LISTENER[4:]}').onerror = no }})",
            "Promise.resolve().then(() => new Worker('data:text/javascript,1').onerror())",
        ],
    )
    def test_no_network_even_for_a_script(self, intruded, call):
        found = intruded("")
        assert found.page.evaluate(f"() => {call}.then(() => 'reached', () => 'refused')") == "refused"
        assert any("Content Security Policy" in told for told in found.complaints), found.complaints

    def test_no_form_is_sent(self, intruded):
        found = intruded(f'<form id="sent" action="{LISTENER}"><button>Send</button></form>')
        found.page.evaluate("document.querySelector('#sent button').click()")
        for _ in range(50):  # a busy machine may need more than one of these moments
            found.page.wait_for_timeout(200)
            if found.complaints:
                break
        assert found.page.url.startswith("file:")
        assert any("Content Security Policy" in told for told in found.complaints), found.complaints
