"""The theory pages: their examples run, and every formula names a function that exists."""

import doctest
import pkgutil
import re

import pytest

from tests.markdown import ROOT, links, prose

INDEX = ROOT / "docs" / "theory.md"
PAGES = sorted((ROOT / "docs" / "theory").glob("*.md"))
FENCE = re.compile(r"^```.*$", re.MULTILINE)
FILE_ENDINGS = {"py", "md", "csv", "json", "yaml", "html", "rst"}

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


def run_examples(text, name="theory"):
    """All examples of a page, in one namespace and in order; fences count as blank lines."""
    examples = doctest.DocTestParser().get_doctest(FENCE.sub("", text), {}, name, name, 0)
    report = []
    result = doctest.DocTestRunner(verbose=False).run(examples, out=report.append)
    return result, "".join(report)


def named_functions(text):
    """Dotted names in code font, but for files."""
    names = re.findall(r"`([a-z]\w*(?:\.\w+)+)`", prose(text))
    return [name for name in names if name.rpartition(".")[2] not in FILE_ENDINGS]


def resolve(name):
    """The object ``wing.module.attribute...`` of the package; a folder's modules are imported first."""
    return pkgutil.resolve_name(f"dynparam.{name}")


def formulas(text):
    """Each displayed formula with the first paragraph after it."""
    return re.findall(r"^\$\$(.+?)\$\$\n\n(.+?)\n\n", prose(text), re.MULTILINE | re.DOTALL)


def test_the_index_names_every_page():
    named = {INDEX.parent / target for target in links(INDEX.read_text("utf-8"))}
    assert set(PAGES) <= named
    assert len(PAGES) >= 30


@each_page
def test_every_example_gives_what_the_page_says(page):
    result, report = run_examples(page.read_text("utf-8"), page.name)
    assert result.failed == 0, report


def test_examples_are_many():
    assert sum(page.read_text("utf-8").count(">>> ") for page in PAGES) >= 200


def test_a_wrong_example_is_found():
    assert run_examples("```python\n>>> 1 + 1\n3\n\n```\n")[0].failed == 1


@each_page
def test_every_function_named_exists(page):
    for name in named_functions(page.read_text("utf-8")):
        assert resolve(name) is not None, name


def test_a_wrong_name_is_found():
    with pytest.raises(AttributeError):
        resolve(*named_functions("`theory.orders.no_such_rule`"))
    with pytest.raises(AttributeError):
        resolve(*named_functions("`theory.no_such_module.orders`"))


@each_page
def test_every_formula_names_its_function(page):
    text = page.read_text("utf-8")
    found = formulas(f"{text}\n")
    assert len(found) == prose(text).count("$$") // 2
    for formula, after in found:
        assert after.startswith("→ "), formula
        assert named_functions(after), formula


def test_formulas_are_many():
    assert sum(len(formulas(page.read_text("utf-8"))) for page in PAGES) >= 90


@each_page
def test_formulas_hold_nothing_that_markdown_reads_first(page):
    r"""On GitHub ``\\``, ``\,`` or ``\{`` may lose the backslash, and a line may become a list item."""
    for formula in re.findall(r"\$\$?(.+?)\$\$?", prose(page.read_text("utf-8")), re.DOTALL):
        assert "\n" not in formula
        assert not re.search(r"\\[\\,;:!{}]", formula), formula
        assert not re.search(r"[*<>]|\\operatorname", formula), formula
