"""Bad input ends a run with one sentence that names the culprit and the remedy; nothing is lost."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from dynparam.data.official import FOLDER, MEMBERS
from dynparam.data.retrieval import ARCHIVE_VARIABLE
from tests.workflow.sandbox import CURVES, PAIR, Sandbox

CURVE = "fig3_3_dynamic"


def in_curve(**values):
    return {"probe": {"curves": {CURVE: values}}}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        pytest.param(
            {"probe": {"trails": 3}},
            ["unknown key 'probe.trails'", "did you mean 'trials'?"],
            id="unknown key",
        ),
        pytest.param(
            {"prob": {"trials": 3}}, ["unknown key 'prob'", "did you mean 'probe'?"], id="unknown block"
        ),
        pytest.param(
            in_curve(narow={"coefficient": 3}),
            [f"unknown key 'probe.curves.{CURVE}.narow'", "did you mean 'narrow'?"],
            id="misspelt key of a curve",
        ),
        pytest.param(
            {"panels": {"fig3_3": ["fig3_3_dynamik"]}},
            ["panels.fig3_3 shows 'fig3_3_dynamik'", "not one of probe.curves"],
            id="misspelt curve",
        ),
        pytest.param(
            {"data": {"pairs": {"car-cat": ["car", "cat"]}}},
            ["data.pairs.car-cat", "'car'", "'airplane', 'automobile', 'bird'"],
            id="class not in CIFAR-10",
        ),
        pytest.param(
            in_curve(r="3/4"),
            [f"'probe.curves.{CURVE}.r'", "3/4", "it takes at most 1/2"],
            id="r too large",
        ),
        pytest.param(
            in_curve(r=-1), [f"'probe.curves.{CURVE}.r'", "-1", "it takes at least 0"], id="r < 0"
        ),
        pytest.param(
            {"probe": {"widths": {"smallest": 0}}},
            ["'probe.widths.smallest'", "the value 0", "it takes more than 0"],
            id="widths < 1",
        ),
        pytest.param(
            in_curve(parametrization="sp"),
            [f"'probe.curves.{CURVE}.parametrization'", "'sp'", "'spectral', 'dynamic' or 'standard'"],
            id="unknown parametrization",
        ),
        pytest.param(
            {"training": {"seed": 3}},
            ["unknown key 'training.seed'", "did you mean 'seeds'?"],
            id="unknown key of training",
        ),
        pytest.param(
            {"protocol": {"batch_size": 21}},
            ["protocol.batch_size (21) exceeds data.train_images (20)", "lower it"],
            id="batch larger than the images",
        ),
        pytest.param(
            {"claims": {"epochs": [1, 4]}},
            ["claims.epochs names epoch 4", "protocol.epochs is 3", "train longer"],
            id="claims beyond the last epoch",
        ),
        pytest.param(
            in_curve(narrow={"coefficient": "1/1000"}),
            [
                f"probe.curves.{CURVE}.narrow at probe.widths",
                "at n = 40",
                "at least 1",
                "raise the coef",
            ],
            id="narrow layers below one",
        ),
        pytest.param(
            in_curve(narrow={"coefficient": 1000}),
            [
                f"probe.curves.{CURVE}.narrow at probe.widths",
                "at n = 40",
                "wider than the wide",
                "lower",
            ],
            id="narrow layers wider than wide ones",
        ),
        pytest.param(
            {"figures": {"titles": {CURVE: r"$\foo$"}}},
            [f"figures.titles.{CURVE}", "cannot be drawn", "correct it"],
            id="title that cannot be drawn",
        ),
        pytest.param(
            {"fit": {"resamples": 10**12}}, ["fit.resamples", "10000000"], id="too many resamples"
        ),
        pytest.param(
            {"paths": {"results": "overlay.yaml/results"}},
            ["overlay.yaml/results", "cannot be written", "choose a writable directory"],
            id="results that cannot be written",
        ),
    ],
)
def test_a_wrong_configuration_is_refused_before_any_job(untouched, change, sentence):
    before = untouched.files()
    outcome = untouched.snakemake("--cores", "2", change=change)
    outcome.assert_refused(*sentence)
    assert untouched.files() == before


def test_a_wrong_key_on_the_command_line(untouched):
    before = untouched.files()
    outcome = untouched.snakemake("--cores", "2", "--config", "probe={trails: 3}")
    outcome.assert_refused("unknown key 'probe.trails'", "did you mean 'trials'?")
    assert untouched.files() == before


def test_another_working_directory_says_how_to_write_elsewhere(untouched, tmp_path):
    before = untouched.files()
    outcome = untouched.snakemake("--cores", "2", "--directory", str(tmp_path))
    outcome.assert_refused("has no config/thesis.yaml", "without --directory", "paths={data: /else/data")
    assert untouched.files() == before


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("fit: {seed: 1, seed: 2}\n", "the key 'seed' is there twice"),
        ("probe: {trials: 010}\n", "'010' is no plain decimal number"),
        ("probe: {1: 2}\n", "the key '1' is not text"),
    ],
)
def test_what_snakemake_takes_in_silence_is_refused(untouched, text, sentence):
    (untouched.root / "mine.yaml").write_text(text)
    before = untouched.files()
    outcome = untouched.snakemake("--cores", "2", "--configfile", "mine.yaml", overlay=False)
    outcome.assert_refused("mine.yaml: not valid YAML at line 1", sentence)
    assert untouched.files() == before


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not bind root")
def test_a_read_only_results_directory(untouched):
    results = untouched.root / "results"
    results.mkdir(mode=0o555)
    outcome = untouched.snakemake("--cores", "2")
    outcome.assert_refused("results: cannot be written", "choose a writable directory")
    assert list(results.iterdir()) == []


def with_archive(sandbox: Sandbox, path: Path) -> Sandbox:
    environment = {**sandbox.data.environment, ARCHIVE_VARIABLE: str(path)}
    return replace(sandbox, data=replace(sandbox.data, environment=environment))


def without_archive(sandbox: Sandbox) -> Sandbox:
    environment = {k: v for k, v in sandbox.data.environment.items() if k != ARCHIVE_VARIABLE}
    return replace(sandbox, data=replace(sandbox.data, environment=environment))


def products(sandbox: Sandbox) -> list[Path]:
    """Files under data/ and results/, other than what Snakemake keeps of a failed job."""
    kept = {sandbox.root / "results/logs", sandbox.root / "results/benchmarks"}
    found = [*sandbox.root.glob("data/**/*"), *sandbox.root.glob("results/**/*")]
    return [path for path in found if path.is_file() and not kept & set(path.parents)]


@pytest.mark.parametrize("kind", ["text", "truncated", "absent"])
def test_a_wrong_archive(untouched, tmp_path, kind):
    path = tmp_path / "wrong.tar.gz"
    if kind == "text":
        path.write_text("not an archive\n")
    elif kind == "truncated":
        whole = Path(untouched.data.environment[ARCHIVE_VARIABLE]).read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
    sandbox = with_archive(untouched, path)
    outcome = sandbox.snakemake("data/raw/cifar10.json", "--cores", "2")
    remedy = "correct it, or remove it to download" if kind == "absent" else "get another copy"
    outcome.assert_refused("dynparam: ", str(path), remedy)
    assert products(sandbox) == []


def test_neither_network_nor_archive(untouched):
    sandbox = without_archive(untouched)
    closed = {"source": {"mirrors": ["http://127.0.0.1:9/cifar-10-python.tar.gz"], "attempts": 1}}
    outcome = sandbox.snakemake("data/raw/cifar10.json", "--cores", "2", change=closed)
    outcome.assert_refused("dynparam: ", "cannot be downloaded", "source.archive", ARCHIVE_VARIABLE)
    assert products(sandbox) == []


@pytest.mark.parametrize("lost", ["cifar10.json", f"{FOLDER}/test_batch"])
def test_members_that_are_there_survive_a_failed_retrieval(extracted, lost):
    raw = extracted.root / "data/raw"
    (raw / lost).unlink()
    closed = {"source": {"mirrors": ["http://127.0.0.1:9/cifar-10-python.tar.gz"], "attempts": 1}}
    without_archive(extracted).snakemake(f"data/raw/{lost}", "--cores", "2", change=closed)
    kept = {member for member in MEMBERS if (raw / FOLDER / member).is_file()}
    assert kept == set(MEMBERS) - {Path(lost).name}


def test_more_images_than_exist(extracted):
    raw = {name: content for name, content in extracted.files().items() if name.startswith("data/raw")}
    change = {"data": {"train_images": 1000}}
    outcome = extracted.snakemake(f"results/probe/{CURVE}.csv", "--cores", "2", change=change)
    outcome.assert_refused(
        "dynparam: ", f"data.train_images for {PAIR}", "500", "50", "ask for at most 100"
    )
    assert raw.items() <= extracted.files().items()


def test_values_that_are_not_finite(extracted):
    other = f"results/probe/{CURVES[0]}.csv"
    extracted.make(other)
    before = (extracted.root / other).read_bytes()
    change = {"probe": {"learning_rate": 1.0e30}}
    outcome = extracted.snakemake(f"results/probe/{CURVE}.csv", "--cores", "2", change=change)
    outcome.assert_refused(
        "dynparam: ", f"curve {CURVE}, n = 40, trial 0", "layer", "lower the learning rate"
    )
    assert (extracted.root / other).read_bytes() == before
    assert not (extracted.root / f"results/probe/{CURVE}.csv").exists()
