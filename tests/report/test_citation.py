"""How to cite: what CITATION.cff says, in words and as BibTeX, and what is told of a damaged one."""

import re

import pytest
import yaml

from dynparam.report.citation import FILE, read_citation
from dynparam.support.errors import DataError
from tests.thesis import ROOT

CITATION = ROOT / "CITATION.cff"


def test_the_package_has_the_file_of_the_repository():
    assert FILE.resolve() == CITATION.resolve()


def test_the_thesis_is_that_of_the_file():
    content = yaml.safe_load(CITATION.read_text("utf-8"))
    (entry,) = [one for one in content["references"] if one["type"] == "thesis"]
    (author,) = entry["authors"]
    found = read_citation()
    assert found.message == content["message"]
    assert found.thesis.title == entry["title"]
    assert found.thesis.translated == entry["notes"]
    assert found.thesis.authors == (f"{author['family-names']} {author['given-names']}",)
    assert (found.thesis.year, found.thesis.language) == (entry["year"], "ja")
    assert found.thesis.kind == "bachelor's thesis"


def test_bibtex_has_both_works():
    """Taken apart by another way than it was put together."""
    content = yaml.safe_load(CITATION.read_text("utf-8"))
    entries = {}
    for kind, key, body in re.findall(r"@(\w+)\{(\w+),\n(.*?)\n\}", read_citation().bibtex, re.DOTALL):
        entries[kind, key] = dict(re.findall(r"^  (\w+) = \{(.*)\},$", body, re.MULTILINE))
    thesis, package = entries["thesis", "thesis"], entries["software", "dynparam"]
    assert thesis["author"] == "宇都宮, 幸大"
    assert (thesis["year"], thesis["type"]) == ("2025", "Bachelor's thesis")
    assert package["author"] == "{The dynparam developers}"
    assert package["version"] == content["version"]
    assert package["date"] == str(content["date-released"])


def test_a_title_without_a_translation_stands_for_itself(tmp_path):
    content = yaml.safe_load(CITATION.read_text("utf-8"))
    del content["references"][0]["notes"]
    path = tmp_path / "CITATION.cff"
    path.write_text(yaml.safe_dump(content), "utf-8")
    thesis = read_citation(path).thesis
    assert thesis.translated == thesis.title


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read"),
        (b"\xff\xfe", "cannot be read"),
        (b"a: [", "cannot be read"),
        (b"", "lacks"),
        (b"message: m\nreferences: []\n", "lacks a reference of type thesis"),
        (b"references:\n- type: thesis\n", "lacks 'title'"),
    ],
)
def test_a_damaged_file_is_named_with_the_remedy(tmp_path, content, words):
    path = tmp_path / "CITATION.cff"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError) as told:
        read_citation(path)
    assert str(told.value).startswith(str(path))
    assert words in str(told.value)
    assert str(told.value).endswith("restore it from the repository")
