"""The command line outside the workflow: whole chains, and errors in one sentence."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests import cifar10_archive

ROOT = Path(__file__).parents[2]
PROGRAM = Path(sys.executable).with_name("dynparam")
OVERLAY = json.dumps(
    {
        "data": {"train_images": 20, "test_images": 10},
        "fit": {"resamples": 199},
        "probe": {
            "trials": 3,
            "widths": {"smallest": 30, "largest": 60, "count": 2},
            "curves": {"fig3_3_dynamic": {"narrow": {"coefficient": 5}}},
        },
    }
)
CONFIG = ["--config", str(ROOT / "config" / "thesis.yaml"), "--config", OVERLAY]


def run(*arguments, **environment):
    import os

    return subprocess.run(
        [PROGRAM, *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        cwd=ROOT,
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A directory in which the chain up to the trials of one curve has been run."""
    place = tmp_path_factory.mktemp("place")
    hashes = cifar10_archive.write_archive(place / "archive.tar.gz", images_per_batch=40)
    (place / "hashes.json").write_text(json.dumps(hashes))
    invented = {
        "DYNPARAM_CIFAR10_ARCHIVE": str(place / "archive.tar.gz"),
        "DYNPARAM_CIFAR10_HASHES": str(place / "hashes.json"),
    }
    images, trials = place / "pair.npz", place / "results" / "probe" / "fig3_3_dynamic.csv"
    for step in (
        ["data", "retrieve", *CONFIG, "--output", place / "raw"],
        ["data", "extract", "airplane-automobile", *CONFIG, "--raw", place / "raw", "--output", images],
        ["probe", "fig3_3_dynamic", *CONFIG, "--images", images, "--output", trials],
    ):
        done = run(*step, **invented)
        assert done.returncode == 0, done.stderr
    return place


def test_chain_leaves_tables_with_sidecars_and_nothing_else(place):
    assert {p.name for p in (place / "results" / "probe").iterdir()} == {
        ".unfinished",
        "fig3_3_dynamic.csv",
        "fig3_3_dynamic.json",
    }
    assert list((place / "results" / "probe" / ".unfinished").iterdir()) == []
    sidecar = json.loads((place / "results" / "probe" / "fig3_3_dynamic.json").read_text())
    assert sidecar["config"]["probe"]["seed"] == 0
    assert set(sidecar["inputs"]) == {f"{place.name}/pair.npz"}


def test_expect_and_fit(place):
    trials = place / "results" / "probe" / "fig3_3_dynamic.csv"
    for step in (
        ["fit", trials, *CONFIG, "--output", place / "fits.csv"],
        [
            "expect",
            "fig3_3_dynamic",
            *CONFIG,
            "--images",
            place / "pair.npz",
            "--output",
            place / "e.csv",
        ],
    ):
        assert run(*step).returncode == 0
    assert (place / "fits.csv").read_text().startswith("curve,parametrization,layer,slope")
    assert (place / "e.csv").read_text().startswith("curve,parametrization,layer,n,n_min,alignment")


def test_architecture(tmp_path):
    done = run("plot", "architecture", "fig3_1", "--output", tmp_path / "fig3_1.png")
    assert done.returncode == 0, done.stderr
    assert {p.name for p in tmp_path.iterdir()} == {
        f"fig3_1.{k}" for k in ("png", "svg", "pdf", "csv", "json")
    }


def test_verify_redraws_to_the_last_pixel(tmp_path):
    png, small = tmp_path / "fig3_1.png", '{"figures": {"dpi": 50}}'
    options = ["--config", CONFIG[1], "--config", small]
    assert run("plot", "architecture", "fig3_1", "--output", png, *options).returncode == 0
    done = run("verify", "--redraw", "--all", png, *options)
    assert done.returncode == 0, done.stdout + done.stderr
    for kind in ("png", "svg", "pdf", "csv"):
        assert f"agrees made again fig3_1.{kind} (byte for byte)" in done.stdout
    with Image.open(png) as picture:
        pixels = picture.copy()
    pixels.putpixel((7, 7), (1, 2, 3, 255))
    pixels.save(png)
    done = run("verify", "--redraw", "--json", png, *options)
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert found["exit_code"] == 1
    findings = found["files"][0]["findings"]
    (change,) = (one for one in findings if (one["state"], one["kind"]) == ("differs", "made again"))
    assert (change["subject"], change["note"]) == ("fig3_1.png", "1 pixels of what its inputs give")


def test_verify_redraws_tables_from_their_inputs(place):
    """In the directory of the run, with modules that Python would find first if it looked there."""

    def there(*arguments):
        return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, cwd=place)

    trials = "results/probe/fig3_3_dynamic.csv"
    done = there("fit", trials, *CONFIG, "--output", "results/fits/fig3_3_dynamic.csv")
    assert done.returncode == 0, done.stderr
    for name in ("json", "typing", "numpy", "pandas", "dynparam"):
        (place / f"{name}.py").write_text("open('mark', 'w')\n")
    done = there(
        "verify", "results/fits/fig3_3_dynamic.csv", *CONFIG[:2], "--redraw", "--all", "--root", "."
    )
    for name in ("json", "typing", "numpy", "pandas", "dynparam"):
        (place / f"{name}.py").unlink()
    assert "agrees made again fig3_3_dynamic.csv (byte for byte)" in done.stdout, done.stdout
    assert f"agrees input {trials}" in done.stdout
    assert not (place / "mark").exists()


@pytest.mark.parametrize("name", ["thesis.yaml", "open_choices.yaml"])
def test_a_pipe_in_place_of_the_configuration_does_not_hold_up(tmp_path, name):
    import os

    (tmp_path / "config").mkdir()
    os.mkfifo(tmp_path / "config" / name)
    done = subprocess.run(
        [PROGRAM, "verify", "x.png"], capture_output=True, text=True, cwd=tmp_path, timeout=60
    )
    assert done.returncode == 1
    assert done.stderr == (
        f"dynparam: config/{name}: not a regular file; remove it, or name a configuration by --config\n"
    )


def test_verify_tells_missing_from_wrong(place):
    absent = run("verify", place / "results" / "probe" / "absent.csv")
    assert absent.returncode == 1
    assert absent.stderr.count("\n") == 1
    alone = place / "alone.csv"
    alone.write_text("n\n1\n")
    assert run("verify", alone).returncode == 3
    assert run("verify", "--no-such-option").returncode == 2


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["probe", "fig9", "--images", "{pair}", "--output", "{out}"], "no 'fig9' in probe.curves"),
        (
            ["probe", "fig3_3_dynamic", "--images", "{absent}", "--output", "{out}"],
            "absent.npz: there is no such file yet; run: dynparam data pair",
        ),
        (["fit", "{absent}", "--output", "{out}"], "absent.npz: there is no such file yet"),
        (
            ["plot", "probe", "fig3_1", "--results", ".", "--output", "{out}"],
            "no 'fig3_1' in panels; choose one",
        ),
        (
            ["plot", "probe", "fig3_2", "--results", "{place}", "--output", "{out}"],
            "fig3_2_constant_ratio.csv and 5 more: there is no such file yet; run: snakemake",
        ),
        (
            ["data", "extract", "cat-dog", "--raw", ".", "--output", "{out}"],
            "no 'cat-dog' in data.pairs",
        ),
        (["schema", "--output", "{file}/x.json"], "cannot be written"),
    ],
)
def test_errors_are_one_sentence(place, tmp_path, arguments, sentence):
    names = {
        "pair": place / "pair.npz",
        "absent": place / "absent.npz",
        "out": tmp_path / "out.png",
        "place": place,
        "file": place / "pair.npz",
    }
    filled = [argument.format(**names) for argument in arguments]
    done = run(*filled, *([] if arguments[0] == "schema" else CONFIG))
    assert done.returncode == 1
    assert done.stderr.startswith("dynparam: ")
    assert done.stderr.count("\n") == 1
    assert sentence in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_wrong_configuration(tmp_path):
    bad = tmp_path / "bad.yaml"
    bad.write_text("probe: {trails: 3}\n")
    done = run("fit", "x.csv", "--output", "y.csv", "--config", f"only={bad}")
    assert done.returncode == 1
    assert done.stderr == (
        f"dynparam: {bad}: key 'fit' is missing; add it (config/thesis.yaml shows every key)\n"
    )
    done = run("probe", "c", "--images", "x", "--output", "y", *CONFIG, "--config", bad)
    assert "unknown key 'probe.trails'; did you mean 'trials'?" in done.stderr


def test_interruption_is_quiet():
    """What Ctrl-C leaves behind: exit code 130 and no traceback."""
    code = (
        "import dynparam.cli.main as c, dynparam.configuration.loading\n"
        "def stop(*a): raise KeyboardInterrupt\n"
        "c.json_schema = stop\n"
        "import sys; sys.argv = ['dynparam', 'schema', '--output', 'x']\n"
        "c.main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 130
    assert "Traceback" not in done.stderr


def test_help_needs_no_torch():
    code = "import sys, dynparam.cli.main; print('torch' in sys.modules, 'matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False False\n"
    assert "probe" in run("--help").stdout
