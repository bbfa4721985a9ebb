"""Files and text as mappings, and mappings put over one another."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynparam.settings.reading import merge, read, require_plain
from dynparam.support.errors import ConfigError


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
