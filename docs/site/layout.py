"""The site's files: those of the repository under their own paths, and the Python reference.

Pages keep the paths they have in the repository, so that one relative link serves GitHub and the site:
``../figures/fig3_2.png`` from docs/theory.md, ``docs/theory.md`` from README.md. Files that pages
link to join the site.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from functools import cache, partial
from pathlib import Path, PurePosixPath
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from mkdocs.utils import get_relative_url

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "dynparam"
REFERENCE = "reference"
STYLE = "docs/site/style.css"
OUTSIDE_DOCS = {
    "README.md": "index.html",
    "README.ja.md": "ja/index.html",
    "CONTRIBUTING.md": "contributing/index.html",
    "benchmarks/README.md": "benchmarks/index.html",
    "config/README.md": "config/index.html",
    "data/README.md": "data/index.html",
    "results/archive/README.md": "archive/index.html",
}
"""Pages that live outside docs/, and their places in the site."""

LINK = re.compile(r"\]\(([^)#\s]+)")
NAME = r"<code>(?P<module>\w+)\.(?P<rest>[\w.]+)</code>"
NAME_OR_LINK = re.compile(rf"<a .*?</a>|<pre.*?</pre>|<h\d.*?</h\d>|{NAME}", re.DOTALL)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the pages that exist, and the modules of the package, where the navigation has a pattern."""
    config.nav = _expanded(config.nav or [], config.extra.pop("reference"))
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The theme's own files; the pages and what they link to, under their own paths; the reference."""
    laid_out = Files([file for file in files if file.src_dir != config.docs_dir])
    pages = {
        path: f"{PurePosixPath(path).relative_to('docs').with_suffix('')}/index.html" for path in _docs()
    }
    pages |= OUTSIDE_DOCS
    for path, place in pages.items():
        laid_out.append(_file(config, path, place))
    linked = {STYLE}.union(*map(_targets, pages))
    for path in sorted(linked - set(pages)):
        laid_out.append(_file(config, path, path))
    for module in _modules():
        page = f"# {module}\n\n::: dynparam.{module}\n"
        laid_out.append(File.generated(config, f"{REFERENCE}/{module}.md", content=page))
    return laid_out


def on_page_content(content: str, page: Page, **_: Any) -> str:
    """Names of modules and of what is in them lead to the reference."""
    if page.file.src_uri.startswith(REFERENCE):
        return content
    return NAME_OR_LINK.sub(partial(_with_reference, page), content)


def _docs() -> list[str]:
    """Pages below docs/, as paths in the repository."""
    return sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md"))


@cache
def _modules() -> list[str]:
    """The package's public modules."""
    return sorted(path.stem for path in PACKAGE.glob("*.py") if not path.stem.startswith("_"))


def _file(config: MkDocsConfig, path: str, place: str) -> File:
    """The file at ``path`` in the repository, to be found at ``place`` in the site."""
    return File(path, str(ROOT), config.site_dir, config.use_directory_urls, dest_uri=place)


def _targets(page: str) -> set[str]:
    """Files of the repository that a page links to, as far as they exist: MkDocs reports the others."""
    found = (
        (ROOT / page).parent.joinpath(target).resolve()
        for target in LINK.findall((ROOT / page).read_text(encoding="utf-8"))
        if "://" not in target
    )
    return {
        path.relative_to(ROOT).as_posix()
        for path in found
        if path.is_file() and path.is_relative_to(ROOT)
    }


def _expanded(nav: list[Any], groups: dict[str, list[str]]) -> list[Any]:
    """The navigation with its patterns replaced by pages, and by the reference's groups."""
    expanded: list[Any] = []
    for entry in nav:
        if isinstance(entry, str):
            expanded += (
                [path for path in _docs() if fnmatchcase(path, entry)] if "*" in entry else [entry]
            )
            continue
        ((title, below),) = entry.items()
        if below == REFERENCE:
            expanded.append({title: _reference(groups)})
        elif isinstance(below, list):
            expanded.append({title: _expanded(below, groups)})
        elif "*" not in below:
            expanded.append(entry)
        elif pages := _expanded([below], groups):
            expanded.append({title: pages})
    return expanded


def _reference(groups: dict[str, list[str]]) -> list[Any]:
    """The reference's pages, group by group. Raises ``PluginError`` for a module without a group."""
    grouped: dict[str, list[str]] = {title: [] for title in groups}
    for module in _modules():
        for title, patterns in groups.items():
            if any(fnmatchcase(module, pattern) for pattern in patterns):
                grouped[title].append(f"{REFERENCE}/{module}.md")
                break
        else:
            raise PluginError(f"mkdocs.yml: give src/dynparam/{module}.py a group in extra.reference")
    return [{title: pages} for title, pages in grouped.items() if pages]


def _with_reference(page: Page, found: re.Match[str]) -> str:
    """A code span that names a module, or what is in one, as a link to the reference."""
    module, rest = found["module"], found["rest"]
    if module not in _modules():
        return found[0]
    if rest == "py":
        return f'<a href="{get_relative_url(f"{REFERENCE}/{module}/", page.url)}">{found[0]}</a>'
    return f'<autoref identifier="dynparam.{module}.{rest}" optional>{found[0]}</autoref>'
