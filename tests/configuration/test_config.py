import json
from fractions import Fraction
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from dynparam.configuration.choices import is_seen, load_open_choices, trials_stage
from dynparam.configuration.config import Config
from dynparam.configuration.jobs import ConfiguredStages
from dynparam.configuration.loading import build, json_schema, load
from dynparam.data.settings import for_pair
from dynparam.experiments.alignments.settings import for_exact, for_figure, for_fit
from dynparam.experiments.architecture.settings import for_architecture
from dynparam.report.stages import STAGES
from dynparam.settings.base import ExactNumber, digest
from dynparam.settings.reading import (
    DEEPEST,
    LARGEST_BYTES,
    LONGEST_KEY,
    merge,
    read,
    require_plain,
)
from dynparam.support.errors import ConfigError
from dynparam.trials.settings import ProbeStage, for_curve

ROOT = Path(__file__).parents[2]
THESIS = str(ROOT / "config" / "thesis.yaml")
REDUCED = str(ROOT / "config" / "reduced.yaml")
NEW_CURVE = {
    "parametrization": "ntk",
    "r": 0,
    "narrow": {"coefficient": 1, "exponent": "1/2"},
    "claim": "flat",
}


@pytest.fixture(scope="module")
def thesis():
    return load(Config, [THESIS])


def test_numbers_of_the_thesis(thesis):
    probe = thesis.probe
    assert (probe.learning_rate, probe.trials) == (0.1, 30)
    assert (probe.widths.smallest, probe.widths.largest, probe.widths.count) == (1000, 10_000, 10)
    rules = {
        name: (c.parametrization, c.narrow.coefficient, c.narrow.exponent)
        for name, c in probe.curves.items()
    }
    assert rules == {
        "fig3_2_constant_ratio": ("spectral", Fraction(1, 5), 1),
        "fig3_2_dynamic_ratio": ("spectral", 6, Fraction(1, 2)),
        "fig3_3_spectral": ("spectral", 150, Fraction(1, 5)),
        "fig3_3_dynamic": ("dynamic", 150, Fraction(1, 5)),
    }
    assert probe.curves["fig3_3_dynamic"].r == Fraction(1, 2)
    assert thesis.data.train_images == thesis.data.test_images == 2000
    assert set(thesis.data.pairs) == {"airplane-automobile", "bird-cat"}


def test_reduced_is_an_overlay(thesis):
    reduced = load(Config, [THESIS, REDUCED])
    assert reduced.probe.widths.largest <= 1000
    assert reduced.paths.results != thesis.paths.results
    assert reduced.data == thesis.data


def test_json_round_trip(thesis):
    assert load(Config, [thesis.model_dump_json()]) == thesis
    stage = for_curve(thesis, "fig3_3_dynamic")
    assert load(ProbeStage, [stage.model_dump_json()]) == stage


@pytest.mark.parametrize(
    ("overlay", "sentence"),
    [
        ({"prob": {}}, "unknown key 'prob'; did you mean 'probe'?"),
        ({"probe": {"trails": 3}}, "unknown key 'probe.trails'; did you mean 'trials'?"),
        (
            {"probe": {"curves": {"fig3_3_dynamic": {"narow": 1}}}},
            "unknown key 'probe.curves.fig3_3_dynamic.narow'; did you mean 'narrow'?",
        ),
        ({"probe": {"widths": {"smallest": 0}}}, "'probe.widths.smallest' has the value 0"),
        ({"probe": {"widths": {"smallest": 20_000}}}, "must exceed smallest"),
        ({"probe": {"trials": 1}}, "it takes at least 2"),
        ({"probe": {"learning_rate": float("nan")}}, "'probe.learning_rate' has the value nan"),
        ({"probe": {"curves": {"fig3_3_dynamic": {"r": "3/4"}}}}, "it takes at most 1/2"),
        ({"probe": {"curves": {"fig3_3_dynamic": {"r": -1}}}}, "it takes at least 0"),
        (
            {"probe": {"curves": {"fig3_3_dynamic": {"parametrization": "sp"}}}},
            "'ntk', 'mup', 'spectral', 'dynamic' or 'standard'",
        ),
        ({"probe": {"pair": "cat-dog"}}, "probe.pair 'cat-dog' is not one of data.pairs"),
        ({"data": {"pairs": {"car-cat": ["car", "cat"]}}}, "'airplane', 'automobile'"),
        ({"data": {"pairs": {"cat-cat": ["cat", "cat"]}}}, "names the class 'cat' twice"),
        ({"data": {"train_images": 0}}, "it takes more than 0"),
        (
            {"panels": {"fig3_2": ["fig9"]}},
            "panels.fig3_2 shows 'fig9', which is not one of probe.curves",
        ),
        (
            {"probe": {"curves": {"new": NEW_CURVE}}, "panels": {"fig3_2": ["new"]}},
            "figures.titles has no title for 'new'; add one",
        ),
        ({"source": {"archive": 7}}, "'source.archive' has the value 7"),
        ({"paths": {"figures": "figures"}}, "paths.figures lies in figures, where the repository keeps"),
        ({"findings": {"summary": "docs/own.md"}}, "findings.summary lies in docs, where the"),
        ({"open_choices": {"page": "docs/open-choices.md"}}, "open_choices.page lies in docs, where"),
        ({"published": {"pages": "results/pages"}}, "findings.page lies in results/pages, where"),
        ({"law": {"figures": {"own": "fig9"}}}, "law.figures.own continues 'fig9', which is not in"),
        (
            {"figures": {"training": {"fig3_4": "cat-dog"}}},
            "figures.training names 'cat-dog', which is not one of data.pairs",
        ),
        (
            {"lazy_or_rich": {"linearization": {"pair": "cat-dog"}}},
            "lazy_or_rich.linearization.pair names 'cat-dog', which is not one of data.pairs",
        ),
        (
            {"domain": {"tasks": ["cat-dog"]}},
            "domain.tasks names 'cat-dog', which is not one of data.pairs",
        ),
        (
            {"domain": {"networks": [{"n": 10_000, "n_min": 500, "seeds": 2, "draws": 1}]}},
            "domain.networks repeats the network of protocol",
        ),
        ({"protocol": {"batch_size": 2001}}, "(2001) exceeds data.train_images (2000)"),
        ({"claims": {"epochs": [1, 101]}}, "names epoch 101, but protocol.epochs is 100"),
        # 50 epochs of the domain, 100 of the protocol, and the other way round
        ({"training": {"audit": {"epochs": 51}}}, "audit.epochs (51) exceeds the 50 epochs of a run"),
        (
            {
                "training": {"audit": {"epochs": 41}},
                "protocol": {"epochs": 40},
                "claims": {"epochs": [1]},
            },
            "audit.epochs (41) exceeds the 40 epochs of a run",
        ),
    ],
)
def test_bad_values_are_named_in_one_sentence(overlay, sentence):
    # NaN is no JSON, but YAML reads what Python's json writes for it.
    text = json.dumps(overlay).replace("NaN", ".nan")
    with pytest.raises(ConfigError) as caught:
        load(Config, [THESIS, text])
    message = str(caught.value)
    assert sentence in message
    assert "\n" not in message


def test_limits_are_what_is_still_allowed():
    """Batches of all images, claims at the last epoch, audits of the shorter run."""
    limits = {
        "protocol": {"batch_size": 2000},
        "claims": {"epochs": [100]},
        "training": {"audit": {"epochs": 50}},
    }
    found = load(Config, [THESIS, json.dumps(limits)])
    assert found.protocol.batch_size == found.data.train_images
    assert max(found.claims.epochs) == found.protocol.epochs
    assert found.training.audit.epochs == found.domain.epochs


def test_missing_key(thesis):
    values = thesis.model_dump(mode="json")
    del values["probe"]["trials"]
    with pytest.raises(ConfigError, match=r"probe.trials' is missing; add it"):
        build(Config, values, "test")


def test_a_job_depends_on_its_own_part_only(thesis):
    other = build(
        Config,
        merge(
            thesis.model_dump(mode="json"),
            {
                "probe": {"curves": {"fig3_2_constant_ratio": {"claim": "decreasing"}}},
                "figures": {"titles": {"fig3_3_dynamic": "renamed"}},
                "data": {"pairs": {"cat-dog": ["cat", "dog"]}},
                "jobs": {"probe_threads": 7},
            },
        ),
        "test",
    )
    assert for_curve(other, "fig3_3_dynamic") == for_curve(thesis, "fig3_3_dynamic")
    assert for_curve(other, "fig3_2_constant_ratio") != for_curve(thesis, "fig3_2_constant_ratio")
    assert for_architecture(other, "fig3_1") == for_architecture(thesis, "fig3_1")
    assert for_figure(other, "fig3_2") == for_figure(thesis, "fig3_2")
    assert for_figure(other, "fig3_3") != for_figure(thesis, "fig3_3")
    assert for_pair(other, "bird-cat") == for_pair(thesis, "bird-cat")
    assert digest(for_fit(other)) == digest(for_fit(thesis))


def test_unknown_names(thesis):
    with pytest.raises(ConfigError, match=r"no 'fig9' in probe.curves; choose one of fig3_2_con"):
        thesis.probe.curve("fig9")
    with pytest.raises(ConfigError, match=r"no 'fig3_1' in panels; choose one of fig3_2, fig3_3"):
        for_figure(thesis, "fig3_1")
    with pytest.raises(ConfigError, match=r"figures.architecture; choose one of fig3_1"):
        for_architecture(thesis, "fig3_2")


def test_committed_schema_is_current():
    committed = (ROOT / "workflow" / "schemas" / "config.schema.json").read_text(encoding="utf-8")
    assert committed == json_schema(), (
        "run: dynparam schema --output workflow/schemas/config.schema.json"
    )


def test_more_limits_are_what_is_still_allowed():
    """Slopes of just two widths, from the smaller of them on; windows of all; odd numbers of images."""
    widths = load(Config, [THESIS]).law.widths.widths()
    limits = {
        "law": {"slopes_from": widths[-2], "sliding": len(widths)},
        "data": {"stratified": False, "train_images": 1999, "test_images": 7},
        "protocol": {"batch_size": 1999},
        "domain": {"networks": [{"n": 10, "n_min": 10, "seeds": 2, "draws": 1}]},
    }
    found = load(Config, [THESIS, json.dumps(limits)])
    assert found.law.slopes_from == widths[-2]
    assert found.data.train_images == 1999
    for beyond, key in (
        ({"law": {"slopes_from": widths[-2] + 1}}, "law.slopes_from"),
        ({"law": {"sliding": len(widths) + 1}}, "law.sliding"),
        ({"fit": {"confidence": 0.5}}, "fit.confidence"),
        ({"fit": {"confidence": 1.0}}, "fit.confidence"),
        ({"fit": {"seed": 2**63}}, "fit.seed"),
        ({"fit": {"seed": -1}}, "fit.seed"),
    ):
        with pytest.raises(ConfigError, match=key):
            load(Config, [THESIS, json.dumps(beyond)])
    for within in ({"fit": {"confidence": 0.51, "seed": 2**63 - 1}}, {"fit": {"confidence": 0.999}}):
        load(Config, [THESIS, json.dumps(within)])


@pytest.mark.parametrize("sign", [1, -1])
def test_exact_numbers_have_at_most_twenty_digits(sign):
    adapter = TypeAdapter(ExactNumber)
    assert adapter.validate_python(sign * (10**20 - 1)) == sign * (10**20 - 1)
    for value in (sign * 10**20, str(sign * 10**20)):
        with pytest.raises(ValueError, match="20 digits"):
            adapter.validate_python(value)


def test_files_levels_and_keys_of_just_the_limit_are_read(tmp_path):
    path = tmp_path / "mine.yaml"
    text = "fit: {seed: 7}\n#"
    path.write_text(text + "x" * (LARGEST_BYTES - len(text)))
    assert path.stat().st_size == LARGEST_BYTES
    assert read(path) == {"fit": {"seed": 7}}
    path.write_text(text + "x" * (LARGEST_BYTES - len(text) + 1))
    with pytest.raises(ConfigError, match="larger than"):
        read(path)
    nested = {"a": 1}
    for _ in range(DEEPEST - 1):
        nested = {"a": nested}
    require_plain(nested, "here")
    with pytest.raises(ConfigError, match="nested too deeply"):
        require_plain({"a": nested}, "here")
    require_plain({"k" * LONGEST_KEY: 1}, "here")
    with pytest.raises(ConfigError, match="is no name"):
        require_plain({"k" * (LONGEST_KEY + 1): 1}, "here")


def test_likest_settings_are_those_with_the_fewest_differences(thesis):
    """Of a record of the slopes' settings under other numbers, among the blocks of all jobs."""
    choices = load_open_choices(ROOT / "config" / "open_choices.yaml", thesis)
    stages = ConfiguredStages(thesis, choices, STAGES)
    exact = for_exact(thesis, "fig3_3_dynamic")
    recorded = exact.model_dump(mode="json")
    assert stages.has(digest(exact))
    assert stages.differences(recorded) == []
    recorded["probe"]["learning_rate"] = 0.7
    assert stages.differences(recorded) == ["probe.learning_rate: 0.7, here 0.1"]
    assert stages.differences({"nothing": {}}) == []
    for block in ("inputs", "network", "paths"):
        assert stages.differences({block: recorded.get(block, {})}) == [], "no job has that block alone"
    assert stages.code_digest("fit_slopes") == STAGES["fit_slopes"].digest()
    assert stages.code_digest("no_such_stage") is None


def test_an_overlay_on_one_curve_is_seen(thesis):
    """Though trials of the other curves are the same."""
    one = {"curves": {"fig3_3_dynamic": {"narrow": {"coefficient": 140}}}}
    other = build(Config, merge(thesis.model_dump(mode="json"), {"probe": one}), "test")
    assert is_seen(thesis, other)
    assert not is_seen(thesis, thesis)


@pytest.mark.parametrize(("engine", "trials"), [("law", 777), ("dense", 5)])
def test_trials_of_open_choices_are_those_of_the_engine(thesis, engine, trials):
    changes = {"open_choices": {"trials": 777, "dense_trials": 5}}
    other = build(Config, merge(thesis.model_dump(mode="json"), changes), "test")
    stage = trials_stage(other, engine)
    assert stage.probe.trials == trials
    assert set(stage.probe.curves) == {curve for curves in other.panels.values() for curve in curves}
