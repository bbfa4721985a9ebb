"""Configurations that cannot be used: each is refused in one sentence that names the file or the key."""

import json
import os

import pytest

from dynparam.configuration.config import Config
from dynparam.configuration.loading import build, load
from dynparam.settings.base import digest
from dynparam.support.errors import ConfigError
from dynparam.training.settings import all_runs, for_run
from tests.planted import ROOT

THESIS = ROOT / "config" / "thesis.yaml"
REDUCED = ROOT / "config" / "reduced.yaml"
DIGITS = "9" * 5000
LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(12)
)
MERGED = "a: &a {x: 1}\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} {{<<: [{', '.join(['*' + chr(97 + i)] * 9)}]}}\n" for i in range(12)
)

FILES: dict[str, tuple[str | bytes, str]] = {
    "nothing": ("", "empty"),
    "comments alone": ("# probe:\n", "empty"),
    "null": ("null\n", "empty"),
    "a list": ("- probe\n", "a mapping"),
    "a number": ("5\n", "a mapping"),
    "two documents": ("probe: {trials: 3}\n---\nfit: {seed: 1}\n", "line 2"),
    "tab": ("probe:\n\ttrials: 3\n", "line 2"),
    "tab in a value": ('figures:\n  titles:\n    fig3_3_dynamic: "a\\tb"\n', "figures.titles"),
    "unclosed": ("probe: {trials: 3\n", "line 2"),
    "unclosed text": ("probe: 'x\n", "line"),
    "Latin-1": ("# gr\xfc\xdfe\nfit: {seed: 1}\n".encode("latin-1"), "UTF-8"),
    "UTF-16": ("fit: {seed: 1}\n".encode("utf-16"), "UTF-8"),
    "UTF-16 without its mark": ("fit: {seed: 1}\n".encode("utf-16-le"), "UTF-8"),
    "UTF-32": ("fit: {seed: 1}\n".encode("utf-32"), "UTF-8"),
    "NUL": (b"fit: {seed: 1}\0\n", "UTF-8"),
    "bytes": (bytes(range(256)), "UTF-8"),
    "control character": ("fit: {seed: 1}\x07\n", "not valid YAML"),
    "half of a character": ('figures: {titles: {fig3_3_dynamic: "\\ud800"}}', "figures.titles"),
    "bell in a title": ('figures: {titles: {fig3_3_dynamic: "\\a"}}', "figures.titles"),
    "NUL in a path": ('paths: {results: "a\\0b"}', "paths.results"),
    "key of a number": ("1: 2\n", "'1' is not text"),
    "key of a number inside": ("probe:\n  1: 2\n", "line 2 (the key '1' is not text"),
    "key of null": ("probe: {~: 2}\n", "'~' is not text"),
    "key yes": ("probe: {yes: 2}\n", "'yes' is not text"),
    "key of a date": ("probe: {2026-01-01: 2}\n", "2026-01-01"),
    "key of a list": ("probe: {[a]: 2}\n", "is not text"),
    "key of a mapping": ("probe:\n  ? {a: 1}\n  : 2\n", "is not text"),
    "long key": ("probe: {" + "x" * 120 + ": 2}\n", "shorten"),
    "huge key": ("? " + "x" * 100_000 + "\n: 2\n", "shorten"),
    "key of two lines": ('probe: {"a\\nb": 2}\n', "correct it"),
    "key twice": ("fit: {seed: 1, seed: 2}\n", "'seed' is there twice"),
    "block twice": ("fit: {seed: 1}\nprobe: {trials: 3}\nfit: {seed: 2}\n", "line 3 (the key 'fit'"),
    "key twice in quotes": ("fit: {seed: 1, 'seed': 2}\n", "'seed' is there twice"),
    "impossible date": ("fit: {seed: 2026-02-30}\n", "'fit.seed' has the value '2026-02-30'"),
    "possible date": ("fit: {seed: 2026-02-03}\n", "'fit.seed' has the value '2026-02-03'"),
    "impossible time": ("fit: {seed: 2026-01-01 25:61:61}\n", "'fit.seed'"),
    "tagged date": ("fit: {seed: !!timestamp 2026-02-30}\n", "line 1"),
    "5000 digits": (f"fit: {{seed: {DIGITS}}}\n", "line 1"),
    "5000 digits below zero": (f"fit: {{seed: -{DIGITS}}}\n", "line 1"),
    "5000 digits behind a point": (f"fit: {{confidence: 0.{DIGITS}}}\n", "line 1"),
    "5000 digits in quotes": (f"fit: {{seed: '{DIGITS}'}}\n", "'fit.seed'"),
    "5000 digits of a fraction": (f"sweep: {{r: ['1/{DIGITS}', 1]}}\n", "sweep.r.0"),
    "hexadecimal": ("fit: {seed: 0x10}\n", "'0x10' is no plain decimal number"),
    "octal": ("probe: {trials: 010}\n", "'010' is no plain decimal number"),
    "base 60": ("probe: {trials: 1:30}\n", "'1:30' is no plain decimal number"),
    "base 60 at length": ("fit: {seed: 1" + ":59" * 50_000 + "}\n", "is no plain decimal number"),
    "deep lists": ("a: " + "[" * 20_000 + "]" * 20_000, "nested too deeply"),
    "deep mappings": ("{a: " * 20_000 + "1" + "}" * 20_000, "nested too deeply"),
    "deep blocks": ("".join(f"{' ' * i}a:\n" for i in range(400)), "nested too deeply"),
    "a little too deep": ("a: " + "[" * 30 + "]" * 30, "nested too deeply"),
    "aliases that explode": (LAUGHS, "values"),
    "merges that explode": (MERGED, "merged"),
    "alias of itself": ("a: &a [*a]\n", "nested too deeply"),
    "mapping of itself": ("probe: &a {probe: *a}\n", "nested too deeply"),
    "alias of nothing": ("probe: *a\n", "line 1"),
    "many values": ("a: [" + "1, " * 30_000 + "]", "values"),
    "python object": ("fit: {seed: !!python/object/apply:os.system ['true']}\n", "line 1"),
    "python name": ("fit: {seed: !!python/name:os.system }\n", "line 1"),
    "tag of its own": ("fit: !mine {seed: 1}\n", "line 1"),
    "bytes by a tag": ("paths: {results: !!binary aGVsbG8=}\n", "line 1"),
    "set by a tag": ("paths: !!set {results}\n", "line 1"),
    "number by a tag": ("fit: {seed: !!int many}\n", "line 1"),
    "huge file": ("# " + "x" * (1 << 20) + "\nfit: {seed: 1}\n", "larger than"),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_bad_file_is_refused_in_a_sentence_that_names_it(tmp_path, kind):
    content, part = FILES[kind]
    path = tmp_path / "mine.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ConfigError) as refusal:
        load(Config, [THESIS, path])
    message = str(refusal.value)
    assert str(path) in message
    assert part in message
    assert message.isprintable()
    assert len(message) < 500 + len(str(THESIS)) + len(str(path))


def test_the_source_of_a_wrong_value_is_named(tmp_path):
    """Of values that do not go together all their sources; JSON is not repeated at length."""
    path = tmp_path / "mine.yaml"
    path.write_text("fit: {resamples: 5}\n")
    for sources, named in (
        ([THESIS, path], f"{path}: key 'fit.resamples'"),
        ([THESIS, path, '{"fit": {"seed": 3}}'], f"{path}: key 'fit.res"),
        ([path, '{"fits": 3}', THESIS], "the command line: unknown key 'fits'"),
        (
            [THESIS, '{"probe": {"widths": {"largest": 9}}}'],
            f"{THESIS}, the command line: probe.widths: ",
        ),
        (
            [THESIS, '{"claims": {"epochs": [1, 101]}}'],
            f"{THESIS}, the command line: claims.epochs names",
        ),
        ([THESIS, '{"probe": 3}'], "the command line: key 'probe'"),
    ):
        with pytest.raises(ConfigError) as refusal:
            load(Config, sources)
        assert str(refusal.value).startswith(named)


def test_what_is_no_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero", tmp_path):
        with pytest.raises(ConfigError, match=f"{path}: not a file; write the configuration into one"):
            load(Config, [path])


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000, ""])
def test_a_name_that_no_file_can_have(name):
    with pytest.raises(ConfigError, match=r"check the path|write the configuration into one"):
        load(Config, [name])


@pytest.mark.parametrize(
    "text",
    [
        "fit: {seed: 1_000}\n",
        "\ufefffit: {seed: 1000}\n",
        "fit: &f {seed: 1000}\n",
        "fit:\r\n  seed: +1000\r\n",
        '{"fit": {"seed": 1000}}',
    ],
    ids=["underscore", "mark of order", "anchor", "ends of lines", "JSON"],
)
def test_what_is_well_written_is_taken(tmp_path, text):
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8", newline="")
    assert load(Config, [THESIS, tmp_path / "mine.yaml"]).fit.seed == 1000


HUGE = 10**12
CURVE = "fig3_3_dynamic"


def _in_curve(**values):
    return {"probe": {"curves": {CURVE: values}}}


def _on_curves(**values):
    return {"open_choices": {"training": values}}


VALUES: dict[str, tuple[dict, str]] = {
    "probe.trials": ({"probe": {"trials": HUGE}}, "probe.trials"),
    "law.trials": ({"law": {"trials": HUGE}}, "law.trials"),
    "law.exact_trials": ({"law": {"exact_trials": HUGE}}, "law.exact_trials"),
    "exponents.trials": ({"exponents": {"trials": HUGE}}, "exponents.trials"),
    "sweep trials": ({"sweep": {"training": {"trials": HUGE}}}, "sweep.training.trials"),
    "sweep.steps": ({"sweep": {"steps": HUGE}}, "sweep.steps"),
    "open_choices.trials": ({"open_choices": {"trials": HUGE}}, "open_choices.trials"),
    "dense trials": ({"open_choices": {"dense_trials": HUGE}}, "open_choices.dense_trials"),
    "seeds of choices": (_on_curves(seeds=HUGE), "open_choices.training.seeds"),
    "one seed of choices": (_on_curves(seeds=1), "open_choices.training.seeds"),
    "epochs of choices": (_on_curves(epochs=0), "open_choices.training.epochs"),
    "n of choices": (_on_curves(n=HUGE), "open_choices.training.n"),
    "choices too wide": (_on_curves(n_min=1001), "open_choices.training.n_min (1001) exceeds"),
    "task of choices": (_on_curves(task="cat-dog"), "open_choices.training.task names 'cat-dog'"),
    "no endpoint": (_on_curves(endpoints=[]), "open_choices.training.endpoints"),
    "unknown endpoint": (_on_curves(endpoints=["loss area"]), "open_choices.training.endpoints.0"),
    "endpoint twice": (_on_curves(endpoints=["test_loss last"] * 2), "names 'test_loss last' twice"),
    "tolerance of choices": (_on_curves(loss_tolerance=0), "open_choices.training.loss_tolerance"),
    "tolerance of accuracy": (
        _on_curves(accuracy_tolerance=2),
        "open_choices.training.accuracy_tolerance",
    ),
    "infinite tolerance of choices": (
        _on_curves(loss_tolerance=float("inf")),
        "open_choices.training.loss_tolerance",
    ),
    "one file for two figures": (_on_curves(figure="open_choices"), "are both 'open_choices'"),
    "training.seeds": ({"training": {"seeds": HUGE}}, "training.seeds"),
    "seeds_per_job": ({"training": {"seeds_per_job": HUGE}}, "training.seeds_per_job"),
    "domain.networks.seeds": (
        {"domain": {"networks": [{"n": 200, "n_min": 10, "seeds": HUGE, "draws": 1}]}},
        "domain.networks.0.seeds",
    ),
    "epochs": ({"protocol": {"epochs": HUGE}}, "protocol.epochs"),
    "resamples": ({"fit": {"resamples": HUGE}}, "fit.resamples"),
    "a seed of 30 digits": ({"fit": {"seed": 10**30}}, "fit.seed"),
    "a seed of 5000 digits": ({"fit": {"seed": 10**5000}}, "fit.seed"),
    "n": ({"protocol": {"n": HUGE}}, "protocol.n"),
    "widths": ({"probe": {"widths": {"largest": 10**20}}}, "probe.widths.largest"),
    "count of widths": ({"probe": {"widths": {"count": HUGE}}}, "probe.widths.count"),
    "more widths than integers": (
        {"probe": {"widths": {"smallest": 9990, "count": 50}}},
        "ask for fewer",
    ),
    "threads": ({"jobs": {"probe_threads": HUGE}}, "jobs.probe_threads"),
    "seeds at once": ({"jobs": {"seeds_at_once": HUGE}}, "jobs.seeds_at_once"),
    "images": ({"data": {"train_images": HUGE}}, "data.train_images"),
    "odd images": ({"data": {"train_images": 1999}}, "data.train_images (1999) is odd"),
    "dpi 10^9": ({"figures": {"dpi": 10**9}}, "figures.dpi"),
    "dpi 1": ({"figures": {"dpi": 1}}, "figures.dpi"),
    "title": ({"figures": {"titles": {CURVE: r"$\foo$"}}}, f"figures.titles.{CURVE}"),
    "long title": ({"figures": {"titles": {CURVE: "x" * 10_000}}}, f"figures.titles.{CURVE}"),
    "infinite rate": ({"probe": {"learning_rate": float("inf")}}, "probe.learning_rate"),
    "rate nan": ({"protocol": {"learning_rate": float("nan")}}, "protocol.learning_rate"),
    "infinite tolerance": ({"comparison": {"tolerance": float("inf")}}, "comparison.tolerance"),
    "infinity as text": ({"comparison": {"tolerance": "inf"}}, "comparison.tolerance"),
    "infinite onset": ({"sweep": {"onset": float("inf")}}, "sweep.onset"),
    "infinite timeout": ({"source": {"timeout_seconds": float("inf")}}, "source.timeout_seconds"),
    "timeout of a year": ({"source": {"timeout_seconds": 3e7}}, "source.timeout_seconds"),
    "attempts": ({"source": {"attempts": HUGE}}, "source.attempts"),
    "mirror of files": ({"source": {"mirrors": ["file:///etc/passwd"]}}, "source.mirrors.0"),
    "r nan": (_in_curve(r=float("nan")), f"{CURVE}.r"),
    "r infinite": (_in_curve(r=float("inf")), f"{CURVE}.r"),
    "r by zero": (_in_curve(r="1/0"), f"{CURVE}.r"),
    "r with a huge exponent": (_in_curve(r="1e-999999999"), f"{CURVE}.r"),
    "r true": (_in_curve(r=True), f"{CURVE}"),
    "r null": (_in_curve(r=None), f"{CURVE}.r"),
    "coefficient of 400 digits": (_in_curve(narrow={"coefficient": "9" * 400}), f"{CURVE}.narrow"),
    "integer coefficient of 400 digits": (_in_curve(narrow={"coefficient": 10**400}), f"{CURVE}.narrow"),
    "trials true": ({"probe": {"trials": True}}, "trials is true"),
    "seed false": ({"fit": {"seed": False}}, "seed is false"),
    "audit seed true": ({"training": {"audit": {"seed": True}}}, "seed is true"),
    "half a trial": ({"probe": {"trials": 2.5}}, "probe.trials"),
    "curve too wide": (
        _in_curve(narrow={"coefficient": 1000}),
        f"probe.curves.{CURVE}.narrow at probe.widths: n_min = 1000 n^(1/5) is 3981 at n = 1000, wider",
    ),
    "curve below one": (_in_curve(narrow={"coefficient": "1/1000"}), "at least 1"),
    "curve too wide for the law": (
        {"law": {"widths": {"smallest": 400}, "slopes_from": 400}},
        "narrow at law.widths: n_min = 150 n^(1/5) is 497 at n = 400",
    ),
    "family too wide": (
        {"exponents": {"families": {"square_root": {"coefficient": 200}}}},
        "exponents.families.square_root at exponents.widths",
    ),
    "sweep too wide": ({"sweep": {"narrow": {"coefficient": 40}}}, "sweep.narrow at sweep.second_step"),
    "training of the sweep too wide": (
        {"sweep": {"training": {"widths": {"smallest": 30}}}},
        "sweep.narrow at sweep.training.widths: n_min = 6 n^(1/2) is 33 at n = 30, wider",
    ),
    "protocol too wide": ({"protocol": {"n_min": 10_001}}, "protocol.n_min (10001) exceeds protocol.n"),
    "domain too wide": (
        {"domain": {"networks": [{"n": 10, "n_min": 11, "seeds": 2, "draws": 1}]}},
        "domain.networks.0.n_min",
    ),
    "second domain too wide": (
        {"domain": {"networks": [{"n": 10, "n_min": m, "seeds": 2, "draws": 1} for m in (9, 11)]}},
        "domain.networks.1.n_min",
    ),
    "picture too wide": (
        {"figures": {"architecture": {"fig3_1": {"n": 1, "n_min": 2}}}},
        "figures.architecture.fig3_1.n_min",
    ),
    "grid of one width": (
        {"probe": {"widths": {"largest": 1000}}},
        "largest (1000) must exceed smallest (1000); swap them",
    ),
    "slopes of one width": ({"law": {"slopes_from": 10_000_000}}, "law.slopes_from"),
    "sliding over more widths": (
        {"law": {"sliding": 14}},
        "law.sliding (14) exceeds law.widths.count (13)",
    ),
    "name of 5000 letters": ({"panels": {"a" * 5000: [CURVE]}}, "shorten"),
    "hidden layers": ({"network": {"hidden": ["wide"] * 5000}}, "network.hidden"),
}


@pytest.mark.parametrize("kind", VALUES)
def test_a_bad_value_is_refused_before_a_run(kind):
    """From values, as Snakemake passes them, whose reader has other rules than ours."""
    overlay, part = VALUES[kind]
    values = _merged(load(Config, [THESIS]).model_dump(mode="json"), overlay)
    with pytest.raises(ConfigError) as refusal:
        build(Config, values, "configuration")
    message = str(refusal.value)
    assert message.startswith("configuration: ")
    assert part in message
    assert message.isprintable()
    assert len(message) < 500


def _merged(base, over):
    both = {key: base.get(key) for key in [*base, *over]}
    for key, value in over.items():
        both[key] = _merged(base[key], value) if isinstance(base.get(key), dict) else value
    return both


@pytest.mark.parametrize(
    "values", [{1: 2}, {"probe": {1: 2}}, {"probe": {None: 2}}, {("a",): 1, "b": 2}]
)
def test_keys_that_are_not_text_among_values(values):
    with pytest.raises(ConfigError, match=r"configuration: the key .* is not text; put it in quotes"):
        build(Config, values, "configuration")


def test_bounds_are_generous():
    """What a referee may ask for: a hundred times the trials, seeds and resamples of the thesis."""
    more = {
        "probe": {"trials": 100_000, "widths": {"largest": 1_000_000, "count": 100}},
        "law": {"trials": 100_000, "exact_trials": 1_000_000, "widths": {"largest": 10**11}},
        "training": {"seeds": 100_000},
        "protocol": {"n": 100_000, "epochs": 10_000},
        "fit": {"resamples": 1_000_000},
        "figures": {"dpi": 1200},
        "sweep": {"steps": 10_000},
    }
    config = load(Config, [THESIS, json.dumps(more)])
    values = config.model_dump(mode="json")
    assert _merged(values, more) == values


def test_digests_of_runs_are_those_that_their_archived_curves_carry():
    """Neither a new bound nor a new key of other blocks makes an archived run another."""
    config = load(Config, [THESIS])
    archive = ROOT / config.training.archive
    for run in all_runs(config).values():
        record = json.loads((archive / f"{run.place}.json").read_text(encoding="utf-8"))
        assert record["config_sha256"] == digest(for_run(config, run.task, run.network)), run.name
