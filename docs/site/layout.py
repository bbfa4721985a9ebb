"""The site's files: those of the repository under their own paths, and the Python reference.

Pages keep the paths they have in the repository, so that one relative link serves GitHub and the site:
``../figures/fig3_2.png`` from docs/theory.md, ``docs/theory.md`` from README.md. Files that pages
link to join the site. The reference has a page for every folder and module of the package, in groups as
the folders lie.
"""

from __future__ import annotations

import ast
import re
from fnmatch import fnmatchcase
from functools import cache, partial
from pathlib import Path, PurePosixPath
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
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
    "ARTIFACT.md": "artifact/index.html",
    "CHANGELOG.md": "changes/index.html",
    "CONTRIBUTING.md": "contributing/index.html",
    "benchmarks/README.md": "benchmarks/index.html",
    "config/README.md": "config/index.html",
    "data/README.md": "data/index.html",
    "results/archive/README.md": "archive/index.html",
}
"""Pages that live outside docs/, and their places in the site."""

LINK = re.compile(r"\]\(([^)#\s]+)")
NAME = r"<code>(?P<name>\w+(?:\.\w+)+(?<!\.py)|\w+(?:/\w+)+\.py)</code>"
NAME_OR_LINK = re.compile(rf"<a .*?</a>|<pre.*?</pre>|<h\d.*?</h\d>|{NAME}", re.DOTALL)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the pages that exist, and the folders of the package, where the navigation has a pattern."""
    config.nav = _expanded(config.nav or [])
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
    for name in _modules():
        content = _folder_page(name) if _is_folder(name) else f"# {name}\n\n::: dynparam.{name}\n"
        laid_out.append(File.generated(config, _reference_page(name), content=content))
    return laid_out


def on_page_content(content: str, page: Page, **_: Any) -> str:
    """Names of folders, of modules and of what is in them lead to the reference."""
    if page.file.src_uri.startswith(REFERENCE):
        return content
    return NAME_OR_LINK.sub(partial(_with_reference, page), content)


def _docs() -> list[str]:
    """Pages below docs/, as paths in the repository."""
    return sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md"))


@cache
def _modules() -> dict[str, Path]:
    """The sources of the package's folders and public modules, by their names inside the package."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        place = path.relative_to(PACKAGE)
        if path.name == "__init__.py":
            found[".".join(place.parent.parts)] = path
        elif not path.stem.startswith("_"):
            found[".".join(place.with_suffix("").parts)] = path
    return found


@cache
def _front_door() -> dict[str, str]:
    """What ``dynparam`` itself exports, each with its full name."""
    nodes = ast.walk(ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8")))
    imports = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    return {
        f"dynparam.{alias.name}": f"{node.module}.{alias.name}"
        for node in imports
        if str(node.module).startswith("dynparam.")
        for alias in node.names
    }


def _below(folder: str) -> list[str]:
    """The modules of a folder, then its folders."""
    inside = [name for name in _modules() if name and name.rpartition(".")[0] == folder]
    return sorted(inside, key=lambda name: (_is_folder(name), name))


def _is_folder(name: str) -> bool:
    return _modules()[name].name == "__init__.py"


def _reference_page(name: str) -> str:
    """The page of a folder or module, as a source of the site."""
    place = "/".join([REFERENCE, *name.split(".")] if name else [REFERENCE])
    return f"{place}/index.md" if _is_folder(name) else f"{place}.md"


def _folder_page(name: str) -> str:
    """A folder's charter, and what it holds with the first line of each docstring."""
    rows = []
    for one in _below(name):
        inside = one.removeprefix(f"{name}.")
        page = f"{inside}/index.md" if _is_folder(one) else f"{inside}.md"
        rows.append(f"- [`{inside}`]({page}): {_docstring(one).splitlines()[0]}")
    return "\n".join([f"# {name or 'dynparam'}", "", _docstring(name), "", *rows, ""])


def _docstring(name: str) -> str:
    """The docstring of a folder or module, as Markdown."""
    tree = ast.parse(_modules()[name].read_text(encoding="utf-8"))
    return (ast.get_docstring(tree) or "").replace("``", "`")


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


def _expanded(nav: list[Any]) -> list[Any]:
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
            expanded.append({title: _group("")})
        elif isinstance(below, list):
            expanded.append({title: _expanded(below)})
        elif "*" not in below:
            expanded.append(entry)
        elif pages := _expanded([below]):
            expanded.append({title: pages})
    return expanded


def _group(folder: str) -> list[Any]:
    """The pages of a folder: its own, its modules' and a group for each folder in it."""
    entries: list[Any] = [_reference_page(folder)]
    for name in _below(folder):
        title = name.rpartition(".")[2]
        entries.append({title: _group(name) if _is_folder(name) else _reference_page(name)})
    return entries


def _with_reference(page: Page, found: re.Match[str]) -> str:
    """A code span that names a folder, a module, or what is in one, as a link to the reference."""
    if found["name"] is None:
        return found[0]
    full = _front_door().get(found["name"], found["name"])
    name = full.removesuffix(".py").replace("/", ".").removeprefix("dynparam.")
    if name in _modules():
        address = _reference_page(name).removesuffix("index.md").removesuffix(".md").rstrip("/")
        return f'<a href="{get_relative_url(f"{address}/", page.url)}">{found[0]}</a>'
    if _module_of(name):
        return f'<autoref identifier="dynparam.{name}" optional>{found[0]}</autoref>'
    return found[0]


def _module_of(name: str) -> str:
    """The module that a dotted name begins with; empty if it begins with none."""
    parts = name.split(".")
    starts = (".".join(parts[:count]) for count in range(len(parts) - 1, 0, -1))
    return next((start for start in starts if start in _modules() and not _is_folder(start)), "")
