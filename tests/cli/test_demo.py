"""The first minute: ``dynparam demo``, and ``dynparam probe`` by hand."""

import json
import re
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dynparam.cli import main
from dynparam.support.files import sha256
from tests.networks import invented_pair

SMALL = (
    "probe={widths: {smallest: 60, largest: 240, count: 3}, curves: {fig3_3_spectral: {narrow: "
    "{coefficient: 5}}, fig3_3_dynamic: {narrow: {coefficient: 5}}}}"
)
OPTIONS = ("--config", SMALL, "--config", "figures={dpi: 40}")
OWN = Path("results/own")
PAIR = Path("data/processed/airplane-automobile.npz")
KINDS = ("csv", "json", "pdf", "png", "svg")


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


@pytest.fixture
def call(place, monkeypatch, capsys):
    """A command line to its exit code and what it prints."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["dynparam", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main.main()
        told = capsys.readouterr()
        return ended.value.code or 0, told.out, told.err

    return run


def with_images():
    PAIR.parent.mkdir(parents=True)
    np.savez(PAIR, allow_pickle=False, **asdict(invented_pair()))


def slopes_of_means(trials):
    """Least squares of log means on log n, layer by layer, by numpy."""
    means = pd.read_csv(trials).groupby(["layer", "n"])["alignment"].mean().unstack()
    return [np.polyfit(np.log(means.columns), np.log(row), 1)[0] for row in means.to_numpy()]


def test_the_demo_from_nothing(call, place):
    code, out, _ = call("demo", "--trials", "4", *OPTIONS)
    assert code == 0
    demo = OWN / "demo"
    assert f"Images: noise made here, since there is no {PAIR}" in " ".join(out.split())
    for curve, claim in (("spectral", "decreasing"), ("dynamic", "constant")):
        assert f"fig3_3_{curve}: {curve} parametrization" in out
        assert re.search(rf"The thesis says: {claim} in n\. That shows in \d of 6 layers\.", out)
    assert out.endswith(f"\nPicture: {demo / 'fig3_3.png'}\n")
    assert max(map(len, out.splitlines())) <= 80
    assert (demo / "fig3_3.png").read_bytes().startswith(b"\x89PNG")
    assert {path.name for path in demo.glob("fig3_3.*")} == {f"fig3_3.{kind}" for kind in KINDS}
    assert not list(place.rglob("*.jsonl"))
    measured = [float(row.split()[3]) for row in out.splitlines() if re.match(r" +[1-6]  ", row)]
    expected = [
        slope
        for name in ("spectral", "dynamic")
        for slope in slopes_of_means(demo / "probe" / f"fig3_3_{name}.csv")
    ]
    # Printed to two decimals, with the little scatter of the images' norms taken out.
    assert measured == pytest.approx(expected, abs=0.05)
    assert measured != pytest.approx([0] * 12, abs=0.05)


def test_what_the_demo_leaves_agrees_with_its_sidecars(call):
    assert call("demo", "--trials", "3", *OPTIONS)[0] == 0
    code, out, _ = call("verify", OWN / "demo" / "fig3_3.png", "--root", ".", "--all")
    assert code == 0, out
    assert f"agrees input {OWN / 'demo' / 'noise.npz'}" in out
    with (OWN / "demo" / "noise.npz").open("ab") as images:
        images.write(b"x")
    assert call("verify", OWN / "demo" / "fig3_3.png", "--root", ".")[0] == 1


def test_the_demo_takes_cifar10_if_it_is_there(call):
    with_images()
    code, out, _ = call("demo", "--trials", "3", *OPTIONS)
    assert code == 0
    assert f"Images: CIFAR-10, airplane and automobile ({PAIR})." in " ".join(out.split())
    assert not (OWN / "demo" / "noise.npz").exists()
    record = json.loads((OWN / "demo" / "probe" / "fig3_3_dynamic.json").read_text())
    assert record["inputs"] == {str(PAIR): sha256(PAIR)}


def test_the_demo_for_programs(call):
    code, out, _ = call("demo", "--trials", "3", "--json", *OPTIONS)
    found = json.loads(out)
    assert code == 0
    assert set(found) == {"images", "trials", "picture", "slopes"}
    assert [row["layer"] for row in found["slopes"]] == [*range(1, 7)] * 2
    assert all(Path(found[name]).is_file() for name in ("images", "picture"))


def test_damaged_images_are_one_sentence_and_nothing_is_made(call):
    PAIR.parent.mkdir(parents=True)
    PAIR.write_bytes(b"no images")
    code, out, err = call("demo", *OPTIONS)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert err.startswith(f"dynparam: {PAIR}: not a readable pair of classes")
    assert not list(OWN.rglob("*.csv"))


def test_a_curve_is_measured_judged_and_drawn(call):
    with_images()
    code, out, _ = call("probe", "fig3_3_spectral", "--engine", "law", *OPTIONS)
    assert code == 0
    assert "fig3_3_spectral: spectral parametrization" in out
    assert "fig3_3_dynamic" not in out
    assert out.endswith(
        f"\nTrials: {OWN}/probe/fig3_3_spectral.csv\nPicture: {OWN}/fig3_3_spectral.png\n"
    )
    assert {path.name for path in OWN.glob("*.*")} == {f"fig3_3_spectral.{kind}" for kind in KINDS}
    drawn = pd.read_csv(OWN / "fig3_3_spectral.csv")
    assert drawn["curve"].unique().tolist() == ["fig3_3_spectral"]


def test_a_curve_of_one_s_own_needs_no_title(call):
    with_images()
    mine = (
        "probe={trials: 3, curves: {mine: {parametrization: mup, r: 0, narrow: {coefficient: 20, "
        "exponent: 1/5}, claim: flat}}}"
    )
    code, out, err = call("probe", "mine", "--engine", "law", *OPTIONS, "--config", mine)
    assert code == 0, err
    assert "mine: mup parametrization, n_min = 20 n^(1/5)." in " ".join(out.split())


def test_with_an_output_the_trials_alone_are_written(call, place):
    """As the workflow asks for them: the same bytes as by hand."""
    with_images()
    assert call("probe", "fig3_3_dynamic", "--engine", "law", "--json", *OPTIONS)[0] == 0
    code, out, _ = call("probe", "fig3_3_dynamic", "--engine", "law", "--output", "t/t.csv", *OPTIONS)
    assert (code, out) == (0, "Trials: t/t.csv\n")
    assert {path.name for path in Path("t").rglob("*.*")} == {"t.csv", "t.json", ".unfinished"}
    assert Path("t/t.csv").read_bytes() == (OWN / "probe" / "fig3_3_dynamic.csv").read_bytes()
