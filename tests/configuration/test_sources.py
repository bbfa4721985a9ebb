"""What a configuration is merged from, and which source a sentence about it names."""

import json
from pathlib import Path

import pytest
import yaml
from snakemake.cli import parse_config
from snakemake.utils import update_config

from dynparam.configuration.config import Config
from dynparam.configuration.loading import build, load, over_thesis
from dynparam.support.errors import ConfigError

ROOT = Path(__file__).parents[2]
THESIS = "config/thesis.yaml"


@pytest.fixture(autouse=True)
def _where_the_package_s_own_is_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    "changes",
    [
        ["probe={trials: 100}"],
        ["probe={trials: 100}", "fit={seed: 3}", "probe={trials: 70, rounding: floor}"],
        ["panels={mine: [fig3_3_dynamic]}"],
        ["training={reuse: none, seeds: 3}"],
        ["paths={data: /else/data, results: /else/results, figures: /else/figures}"],
    ],
)
def test_keys_and_values_are_merged_as_snakemake_merges_them(changes):
    expected = yaml.safe_load((ROOT / THESIS).read_text())
    update_config(expected, parse_config(changes))
    assert load(Config, over_thesis(changes)) == build(Config, expected, "snakemake")
    assert load(Config, over_thesis(changes)) != load(Config, over_thesis([]))


def test_a_file_is_merged_as_snakemake_merges_it():
    reduced = ROOT / "config" / "reduced.yaml"
    expected = yaml.safe_load((ROOT / THESIS).read_text())
    update_config(expected, yaml.safe_load(reduced.read_text()))
    assert load(Config, over_thesis([str(reduced)])) == build(Config, expected, "snakemake")


def test_the_three_ways_to_say_a_change_are_one():
    change = {"probe": {"trials": 7, "widths": {"count": 3}}}
    Path("mine.yaml").write_text(yaml.safe_dump(change))
    said = ("mine.yaml", json.dumps(change), "probe={trials: 7, widths: {count: 3}}")
    first, *others = (load(Config, over_thesis([one])) for one in said)
    assert first.probe.trials == 7
    assert others == [first, first]


def test_only_takes_a_source_by_itself():
    """Merged over the thesis's, the curves of a job would come beside all others."""
    whole = load(Config, over_thesis([]))
    curves = {"fig3_3_dynamic": whole.probe.curves["fig3_3_dynamic"].model_dump(mode="json")}
    values = whole.model_dump(mode="json")
    values |= {"panels": {}, "law": {**values["law"], "figures": {}}}
    values["probe"]["curves"] = curves
    text = json.dumps(values)
    assert list(load(Config, over_thesis([f"only={text}"])).probe.curves) == list(curves)
    assert len(load(Config, over_thesis([text])).probe.curves) == 4
    assert over_thesis(["a.yaml", "only=b.yaml", "c.yaml"]) == ["b.yaml", "c.yaml"]
    assert over_thesis([THESIS, "a.yaml"]) == [THESIS, "a.yaml"]


@pytest.mark.parametrize(
    ("sources", "named"),
    [
        (["probe={trials: 0}"], "the command line"),
        (["mine.yaml"], "mine.yaml"),
        (["mine.yaml", "probe={trials: 5}"], "mine.yaml"),
        (["mine.yaml", "probe={trials: 5, widths: {smallest: 0}}"], "the command line"),
        (["mine.yaml", "prob={trials: 5}"], "the command line"),
        (["probe={curves: {new: {r: 0}}}", "probe={trials: 5}"], "the command line"),
        (["only=mine.yaml"], "mine.yaml"),
    ],
)
def test_a_sentence_names_the_source_at_fault(sources, named):
    """The last that says the key; of a key that is missing, the last that says what is around it."""
    Path("mine.yaml").write_text("probe: {widths: {smallest: -1}}\n")
    with pytest.raises(ConfigError) as told:
        load(Config, over_thesis(sources))
    assert str(told.value).startswith(f"{named}: ")


def test_the_thesis_s_own_file_is_named_if_it_is_at_fault():
    Path("config").mkdir()
    Path(THESIS).write_text((ROOT / THESIS).read_text().replace("trials: 30", "trials: 0", 1))
    with pytest.raises(ConfigError, match=r"^config/thesis.yaml: key 'probe.trials' has the value 0"):
        load(Config, over_thesis(["fit={seed: 3}"]))
