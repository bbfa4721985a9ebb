"""The documentation site: built strictly, links, formulas, nothing from elsewhere."""

import ast
import os
import re
import shutil
import subprocess
import sys
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urldefrag, urljoin

import pytest
import typer
import yaml

from dynparam.cli.main import app
from dynparam.configuration.config import Config
from dynparam.configuration.loading import build
from dynparam.settings.reading import merge, read

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    [*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md"), *(ROOT / "benchmarks").glob("*.md")]
)
HOW_TO = sorted((ROOT / "docs" / "how-to").glob("*.md"))
LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
OWN = "http://site/"


class Page(HTMLParser):
    """Anchors, links and loads of a page; its text outside code and formulas; its formulas."""

    def __init__(self, html):
        super().__init__()
        self.ids, self.links, self.loads, self.text, self.formulas = set(), [], [], [], 0
        self.quoted = 0
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.ids |= {found["id"]} if "id" in found else set()
        self.formulas += tag == "math"
        self.quoted += tag in {"code", "script", "style"}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if found.get(LOADS.get(tag)):
            self.loads.append(found[LOADS[tag]])

    def handle_endtag(self, tag):
        self.quoted -= tag in {"code", "script", "style"}

    def handle_data(self, data):
        if not self.quoted:
            self.text.append(data)


def pages_of(site):
    """Address -> page. A page at x/index.html has the address x/."""
    return {
        OWN + path.relative_to(site).as_posix().removesuffix("index.html"): Page(path.read_text("utf-8"))
        for path in site.rglob("*.html")
        if path.name != "404.html"
    }


def broken_links(site, pages):
    """Links and loads within the site that lead to no file, or to no anchor; once for each page."""
    broken = []
    for address, page in pages.items():
        for link in dict.fromkeys((*page.links, *page.loads)):
            target, anchor = urldefrag(urljoin(address, link))
            if not target.startswith(OWN):
                continue
            if target in pages:
                if anchor and unquote(anchor) not in pages[target].ids:
                    broken.append(f"{address} -> {link}")
            elif not (site / unquote(target.removeprefix(OWN))).is_file():
                broken.append(f"{address} -> {link}")
    return broken


def loads_from_elsewhere(site, pages):
    """What pages and style sheets load from another host."""
    found = [
        f"{address} loads {load}"
        for address, page in pages.items()
        for load in page.loads
        if not urljoin(address, load).startswith(OWN)
    ]
    for sheet in site.rglob("*.css"):
        addresses = re.findall(
            r"(?:url\(|@import)\s*[\"']?((?:https?:)?//[^\"')]+)", sheet.read_text("utf-8")
        )
        found += [f"{sheet.name} loads {address}" for address in addresses]
    return found


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    place = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", place],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return place


@pytest.fixture(scope="module")
def pages(site):
    """The pages of the site, parsed once."""
    return pages_of(site)


def test_every_link_leads_somewhere(site, pages):
    assert len(pages) > 80
    assert broken_links(site, pages) == []


def test_nothing_comes_from_another_host(site, pages):
    assert loads_from_elsewhere(site, pages) == []


def test_a_broken_site_is_noticed(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "index.html").write_text(
        '<a href="a/#here"></a><a href="a/#gone"></a><img src="no.png">'
    )
    (tmp_path / "a" / "index.html").write_text('<p id="here"><script src="//cdn.example/x.js"></script>')
    (tmp_path / "s.css").write_text(
        "@import 'https://fonts.example/f'; a { background: url(//x.example/y) }"
    )
    pages = pages_of(tmp_path)
    assert broken_links(tmp_path, pages) == [f"{OWN} -> a/#gone", f"{OWN} -> no.png"]
    assert len(loads_from_elsewhere(tmp_path, pages)) == 3


def formulas_in(markdown):
    """Formulas of a document: $...$ and $$...$$ outside code."""
    text = re.sub(r"^ *```.*?^ *```|^    .*?$|`[^`\n]*`", "", markdown, flags=re.DOTALL | re.MULTILINE)
    return len(re.findall(r"\$\$.+?\$\$|\$.+?\$", text, flags=re.DOTALL))


def test_formulas_are_rendered(site, pages):
    for address, page in pages.items():
        assert not re.search(r"\$\S|\\[a-z(\[]", "".join(page.text)), address
    rendered = ""
    for source in (ROOT / "docs" / "theory").glob("*.md"):
        page = (site / "theory" / source.stem / "index.html").read_text("utf-8")
        assert page.count("<math") == formulas_in(source.read_text("utf-8")), source.name
        rendered += page
    assert rendered.count("<math") > 300
    assert "&#x02112;" in rendered  # the script L, as a character of its own
    assert set(re.findall(r'mathvariant="([^"]*)"', rendered)) <= {"normal"}


def test_reference_has_every_public_name(pages):
    package = ROOT / "src" / "dynparam"
    for source in package.rglob("[a-z]*.py"):
        place = source.relative_to(package).with_suffix("")
        name = ".".join(("dynparam", *place.parts))
        ids = pages[f"{OWN}reference/{place.as_posix()}/"].ids
        for node in ast.parse(source.read_text("utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                assert f"{name}.{node.name}" in ids, f"{name}.{node.name}"


def test_names_of_functions_lead_to_the_reference(pages):
    links = pages[f"{OWN}theory/one-step/"].links
    assert "../../reference/engines/network/#dynparam.engines.network.sgd_step" in links
    links = pages[f"{OWN}layout/"].links
    assert {"../reference/theory/", "../reference/theory/parametrization/"} <= set(links)
    assert "../reference/models/apply/#dynparam.models.apply.apply" in links


def test_every_key_of_the_configuration_has_a_row(site):
    page = (site / "config" / "keys" / "index.html").read_text("utf-8")
    rows = re.findall(r"<code>([\w.*]+)</code></td>\s*<td>(.*?)</td>\s*<td>(.*?)</td>", page)
    keys = {key for key, _, _ in rows}
    assert {"seeds_per_job", "audit.tolerance", "curves.*.narrow.exponent", "widths.smallest"} <= keys
    blocks = [field.annotation for field in Config.model_fields.values()]
    fields = {name for block in blocks for name in getattr(block, "model_fields", {})}
    assert len(fields) > 60
    assert fields <= {part for key in keys for part in key.split(".")}


@pytest.mark.parametrize("path", HOW_TO, ids=lambda path: path.stem)
def test_how_to_configurations_are_valid_and_their_targets_exist(path):
    text = path.read_text("utf-8")
    thesis = read(ROOT / "config" / "thesis.yaml")
    names = set(re.findall(r"^rule (\w+):", (ROOT / "workflow" / "Snakefile").read_text(), re.MULTILINE))
    blocks = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]
    for changes in [{}, *blocks]:
        config = build(Config, merge(thesis, changes), path.name)
        names |= {*config.figures.architecture, *config.figures.training, *config.panels}
    for target in re.findall(
        r"^    snakemake --cores all (?:--\S+ \S+ )*([a-z]\w+)(?: |$)", text, re.MULTILINE
    ):
        assert target in names, target


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_commands_named_in_documents_exist(path):
    text = path.read_text("utf-8")
    commands = typer.main.get_command(app).commands
    for command in re.findall(r"(?:`|^ {4})dynparam ([a-z]+)", text, re.MULTILINE):
        assert command in commands, command
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in re.findall(r"(?:`|^ {4})make ([a-z]+)", text, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for module in re.findall(r"python -m (benchmarks\.\w+|tests[.\w]*)", text):
        assert (ROOT / f"{module.replace('.', '/')}.py").exists(), module


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def served(site):
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=site))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser():
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        yield started
        started.close()


def test_in_a_browser_at_phone_width(browser, served):
    page = browser.new_page(viewport={"width": 360, "height": 740})
    requests, errors = [], []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    for address in (
        "",
        "theory/",
        "theory/graphs/",
        "glossary/",
        "equations/",
        "reference/training/protocol/",
        "config/keys/",
        "findings/",
        "benchmarks/",
    ):
        page.goto(served + address)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, address
        broken = "[...document.images].filter(i => i.complete && !i.naturalWidth).length"
        assert page.evaluate(broken) == 0, address
    assert errors == []
    assert [url for url in requests if not url.startswith((served, "data:", "blob:"))] == []


def test_search_works_without_a_network(browser, served):
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(served)
    page.click(".md-search__input")
    page.keyboard.type("bottleneck")
    page.wait_for_selector(".md-search-result__link", timeout=20_000)
    assert [url for url in requests if not url.startswith((served, "data:", "blob:"))] == []
