"""Files and text as mappings, and mappings put over one another."""

from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from dynparam.configuration.config import Config
from dynparam.settings import reading
from dynparam.settings.reading import describe, merge, read, require_plain
from dynparam.support.errors import ConfigError
from tests.json_values import replaced
from tests.library_words import LIBRARY

CONFIG = Path(__file__).parents[2] / "config"


def test_missing_and_broken_files(tmp_path):
    with pytest.raises(ConfigError, match=r"absent.yaml: cannot read .* check the path"):
        read(tmp_path / "absent.yaml")
    broken = tmp_path / "broken.yaml"
    broken.write_text("a: [1\nb: 2\n")
    with pytest.raises(ConfigError, match=r"broken.yaml: not valid YAML at line 2"):
        read(broken)
    broken.write_text("- a\n- b\n")
    with pytest.raises(ConfigError, match="a mapping"):
        read(broken)


def test_only_the_directory_config_falls_back_on_what_came_with_the_package(tmp_path, monkeypatch):
    """A file that is not there in another directory of that name is told, not replaced."""
    monkeypatch.chdir(tmp_path)
    assert read("config/thesis.yaml") == read(Path("config/thesis.yaml"))
    for absent in ("other/config/thesis.yaml", str(tmp_path / "elsewhere/config/thesis.yaml")):
        with pytest.raises(ConfigError, match=r"config/thesis\.yaml: cannot read"):
            read(absent)


def without_links(directory: Path, target: str) -> Path:
    """What a clone without symbolic links has of the package's files."""
    (directory / "defaults").mkdir()
    (directory / "defaults" / "thesis.yaml").write_text(target)
    return directory / "defaults"


def test_a_checkout_without_symbolic_links_is_read_through_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(reading, "PACKAGED", without_links(tmp_path, "../real/config/thesis.yaml"))
    with pytest.raises(
        ConfigError, match=r"defaults/thesis\.yaml: a symbolic link .*core\.symlinks=true"
    ):
        read("config/thesis.yaml")
    (tmp_path / "real" / "config").mkdir(parents=True)
    (tmp_path / "real" / "config" / "thesis.yaml").write_text("a: 1\n")
    assert read("config/thesis.yaml") == {"a": 1}
    (tmp_path / "defaults" / "thesis.yaml").write_text("b: 2\n")
    assert read("config/thesis.yaml") == {"b": 2}, "a file of its own is one"


PIECES = (
    *"ab0#?!~= \n\r\t\ufeff\x85\u2028\\é'\"{}[]:,",
    *("<<", "*x", "&x ", ": ", "- ", "? ", ", ", "\n  ", "|", "|\n", ">\n", "|2-\n", "a: 1\n", "\\x41"),
    *("1e3", "010", "1:30", "yes", "2020-01-01", "!!str ", "! ", "---\n", "...\n", "%YAML 1.1\n"),
)


@given(pieces=st.lists(st.sampled_from(PIECES), max_size=12))
@example(pieces=["a: 1\nb: &x {a: 2}\nc: {<<: *x, b: 3}\n"])
@example(pieces=["{a: 1:30? é}"])
@example(pieces=["a: |#"])
@settings(max_examples=500, derandomize=True)
def test_both_parsers_read_the_same(pieces):
    """Whether and as what text is read does not depend on whether the quick parser is there."""
    text = "".join(pieces)
    assert _values_or_problem(reading._parsed, text) == _values_or_problem(_slowly_parsed, text)


def _values_or_problem(parsed, text):
    try:
        return repr(parsed(text))
    except (yaml.YAMLError, ValueError) as error:
        return str(error)


def _slowly_parsed(text):
    return yaml.load(text, Loader=reading._Loader)


WRONG = ("{a: 1, a: 3}", "{a: 010}", "{a: [1}", "{1: a}", "{a: " + "[" * 2000, "{a: '\ud800'}")


@pytest.mark.parametrize("source", WRONG)
def test_what_is_wrong_is_told_alike_without_the_quick_parser(source, monkeypatch):
    with pytest.raises(ConfigError) as quick:
        read(source)
    monkeypatch.setattr(reading, "_quick_loader", lambda: None)
    with pytest.raises(ConfigError) as slow:
        read(source)
    assert str(quick.value) == str(slow.value)


@pytest.mark.parametrize("path", sorted(CONFIG.glob("*.yaml")), ids=lambda path: path.name)
def test_own_files_are_read_the_same_without_the_quick_parser(path, monkeypatch):
    quick = read(path)
    monkeypatch.setattr(reading, "_quick_loader", lambda: None)
    assert repr(read(path)) == repr(quick)


TREES = st.recursive(
    st.integers(), lambda t: st.dictionaries(st.sampled_from("abc"), t, max_size=3), max_leaves=8
)
MAPPINGS = st.dictionaries(st.sampled_from("abc"), TREES, max_size=3)


@given(base=MAPPINGS, over=MAPPINGS)
def test_merge_overrides_key_by_key(base, over):
    merged = merge(base, over)
    assert set(merged) == set(base) | set(over)
    for key in merged:
        if isinstance(base.get(key), dict) and isinstance(over.get(key), dict):
            assert merged[key] == merge(base[key], over[key])
        else:
            assert merged[key] == (over[key] if key in over else base[key])
    assert merge(merged, over) == merged


def test_text_may_have_several_lines_and_no_other_control_character():
    for text in ("two\nlines", "größer", "", "a b"):
        require_plain({"title": [text]}, "here")
    for text in ("a\tb", "a\r\nb", "a\x7fb", "a\ud800b", "a\n\x1b[2Jb"):
        with pytest.raises(ConfigError, match="here: title has characters that no text file can have"):
            require_plain({"title": [text]}, "here")


@pytest.mark.parametrize(
    ("values", "where"),
    [({1: 2}, ""), ({"probe": {1: 2}}, " in probe"), ({"a": [{"b": {1: 2}}]}, " in a.b")],
)
def test_a_key_that_is_no_text_is_told_with_its_place(values, where):
    message = f"here: the key 1{where} is not text; put it in quotes"
    with pytest.raises(ConfigError, match=f"^{message}$"):
        require_plain(values, "here")


# --- What pydantic finds, in words of our own -----------------------------------------------------


@pytest.mark.parametrize("name", Config.model_fields)
def test_a_wrong_value_is_told_without_words_of_the_library(name):
    """Each kind of wrong value at every place of a block."""
    block = TypeAdapter(Config.model_fields[name].annotation)
    sentences = set()
    for _, _, changed in replaced(read(CONFIG / "thesis.yaml")[name]):
        try:
            block.validate_python(changed)
        except ValidationError as error:
            sentences.add(describe(error, Config))
    assert sentences
    assert not [one for one in sentences if LIBRARY.search(one) or "\n" in one]
    assert not [one for one in sentences if "of another kind" in one], "a kind of problem has no words"


def test_the_words_of_the_library_would_be_noticed():
    with pytest.raises(ValidationError) as told:
        TypeAdapter(int).validate_python("x")
    assert LIBRARY.search(told.value.errors()[0]["msg"])
