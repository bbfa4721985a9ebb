"""What tests read in Markdown pages: prose, headings' anchors, links, tables."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def prose(text: str) -> str:
    """A page without its fenced blocks."""
    return BLOCK.sub("", text)


def anchors(text: str) -> set[str]:
    """GitHub's anchors of the headings."""
    headings = re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(text: str) -> list[str]:
    """Targets of a page's links, without those to other hosts."""
    found = re.findall(r"\]\(([^)\s]+)\)", prose(text))
    return [target for target in found if "://" not in target]


def broken_links(page: Path) -> list[str]:
    """The page's links that lead to no file, or to no heading of a page."""
    broken = []
    for target in links(page.read_text("utf-8")):
        path, _, anchor = target.partition("#")
        place = page.parent / path if path else page
        named = place.exists() and anchor and place.suffix == ".md"
        if not place.exists() or (named and anchor not in anchors(place.read_text("utf-8"))):
            broken.append(target)
    return broken


def table_cells(text: str) -> list[dict[str, str]]:
    """The rows of a table, each by the heads of its columns; bars inside of cells are kept."""
    rows = [
        [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in text.splitlines()
        if line.startswith("|")
    ]
    head, _, *others = rows
    return [dict(zip(head, row, strict=True)) for row in others]
