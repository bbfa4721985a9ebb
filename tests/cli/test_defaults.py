"""What commands called by hand read, leave, choose and print; no stage is run."""

import json
import shlex
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
import typer

from dynparam.cli import crate, data, main, probe, training
from dynparam.experiments.own_widths import measure
from dynparam.provenance import remaking, verification
from dynparam.provenance.stage import Made
from dynparam.support.errors import AuditError, DataError, InterruptedRunError
from dynparam.support.tables import write_csv
from dynparam.training import curve_record
from dynparam.training.curve_table import COLUMNS

PAIRS = ("airplane-automobile", "bird-cat")
IMAGES = {pair: f"data/processed/{pair}.npz" for pair in PAIRS}
ARCHIVE = "results/archive/bird-cat/10000-500/spectral.csv"
TRAINING = {"device": "auto", "threads": 2, "images": IMAGES["bird-cat"]}
HANDED = {
    "data retrieve": ("data/raw", {}),
    "data extract bird-cat": (
        IMAGES["bird-cat"],
        {"pair": "bird-cat", "raw": "data/raw", "pool": False, "validation": 0},
    ),
    "data extract bird-cat --pool": (
        "data/processed/bird-cat.pool.npz",
        {"pair": "bird-cat", "raw": "data/raw", "pool": True, "validation": 0},
    ),
    "probe fig3_3_dynamic --output trials.csv": (
        "trials.csv",
        {
            "curve": "fig3_3_dynamic",
            "images": IMAGES["airplane-automobile"],
            "threads": 2,
            "engine": "dense",
        },
    ),
    "expect fig3_3_dynamic": (
        "results/own/expected/fig3_3_dynamic.csv",
        {"curve": "fig3_3_dynamic", "images": IMAGES["airplane-automobile"]},
    ),
    "compare": ("results/own/comparison/slopes.csv", {"results": "results"}),
    "train bird-cat dynamic": (
        "results/own/training/bird-cat/dynamic/0.csv",
        {
            **TRAINING,
            "task": "bird-cat",
            "parametrization": "dynamic",
            "seeds": "0",
            "runs_directory": "results/training/.runs",
            "seeds_at_once": 8,
            "checkpoint_epochs": 10,
        },
    ),
    "audit bird-cat spectral": (
        "results/own/audit/bird-cat/spectral.json",
        {**TRAINING, "task": "bird-cat", "parametrization": "spectral", "curves": ARCHIVE},
    ),
    "collect one.csv two.csv --images pair.npz --output all.csv": (
        "all.csv",
        {"curves": ["one.csv", "two.csv"], "images": "pair.npz", "audit": None},
    ),
    "archive --archive all.csv --images pair.npz": ("all.csv", {"images": "pair.npz", "curves": []}),
    "crate run.zip": ("run.zip", {"root": "."}),
}


class HandedError(Exception):
    """What a command hands on, raised in place of the work."""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A working directory with nothing but extracted images."""
    monkeypatch.chdir(tmp_path)
    for place in IMAGES.values():
        Path(place).parent.mkdir(parents=True, exist_ok=True)
        Path(place).touch()
    return tmp_path


@pytest.fixture
def handed(place, monkeypatch):
    """A command line to what it hands on."""

    def run(stage, settings, output, **given):
        raise HandedError(
            stage.command, str(output), {key: _plain(value) for key, value in given.items()}
        )

    for module in (crate, data, probe, training):
        monkeypatch.setattr(module, "run", run)

    def call(line):
        with pytest.raises(HandedError) as found:
            called(line)
        return found.value.args

    return call


def called(line):
    """Run a command line in this process; its exit code, where it has one of its own."""
    return typer.main.get_command(main.app).main(shlex.split(line), standalone_mode=False)


def _plain(value):
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, Path) else value


@pytest.mark.parametrize("line", HANDED)
def test_what_a_command_hands_to_its_stage(handed, line):
    command, output, given = handed(line)
    assert line.startswith(command)
    assert (output, given) == HANDED[line]


def test_places_follow_the_configuration(handed):
    """``paths`` and ``training.archive``, and the widths of ``protocol`` in an archived table's name."""
    overlay = (
        '{"paths": {"data": "d", "results": "r"}, "training": {"archive": "a"}, "protocol": {"n": 600}}'
    )
    Path("d/processed").mkdir(parents=True)
    Path("d/processed/bird-cat.npz").touch()
    given = f"--config config/thesis.yaml --config '{overlay}'"
    _, output, found = handed(f"train bird-cat dynamic --seeds 2-5 {given}")
    assert output == "r/own/training/bird-cat/dynamic/2-5.csv"
    assert found["runs_directory"] == "r/training/.runs"
    assert found["images"] == "d/processed/bird-cat.npz"
    _, output, found = handed(f"audit bird-cat spectral {given}")
    assert output == "r/own/audit/bird-cat/spectral.json"
    assert found["curves"] == "a/bird-cat/600-500/spectral.csv"


ARCHIVING = "archive --archive old.csv --images pair.npz"


@pytest.mark.parametrize(
    ("there", "line", "pairs"),
    [
        (["old"], ARCHIVING, ["bird-cat"]),
        (["new"], f"{ARCHIVING} new.csv", ["bird-cat"]),
        (["old", "new"], f"{ARCHIVING} new.csv", ["bird-cat"]),
        ([], f"{ARCHIVING} new.csv", list(PAIRS)),
        ([], ARCHIVING, list(PAIRS)),
        (["new"], "collect absent.csv new.csv --images pair.npz --output all.csv", ["bird-cat"]),
        ([], "collect new.csv --images pair.npz --output all.csv", list(PAIRS)),
    ],
)
def test_tables_are_held_against_the_settings_of_their_task(place, monkeypatch, there, line, pairs):
    """Whatever table is there tells the task; of what is not there, the stage tells."""
    for name in there:
        Path(f"{name}.csv").touch()
    seen = []
    monkeypatch.setattr(training, "run", lambda stage, settings, *_, **__: seen.append(settings) or MADE)
    monkeypatch.setattr(
        curve_record, "read_record", lambda csv, remedy: (SimpleNamespace(task="bird-cat"), csv.stat())
    )
    called(line)
    assert [list(one.data.pairs) for one in seen] == [pairs]


def test_verify_makes_again_what_takes_seconds_and_nothing_else(place, monkeypatch):
    """Figures and tables of finished results: no training, no trials, nothing from the network."""
    Path("figure.png").touch()
    known = []

    def make_again(node, repeatable):
        known.append(repeatable)
        return ()

    monkeypatch.setattr(remaking, "make_again", make_again)
    assert called("verify figure.png --redraw") == 3, "it has no sidecar"
    (commands,) = known
    slow = {"train", "audit", "collect", "archive", "probe", "expect", "sweep", "findings", "crate"}
    assert not {words[0] for words in commands} & {*slow, "data", "report"}
    assert commands & {("choices", "measure"), ("choices", "page")} == set()
    drawn = {("plot", name) for name in ("architecture", "probe", "curves", "sweep", "conditions")}
    assert commands >= {("fit",), ("compare",), ("table",), ("claims",), *drawn}


@pytest.mark.parametrize(("words", "root"), [("", None), ("--root ..", Path(".."))])
def test_verify_looks_for_what_files_rest_on_where_it_is_told(place, monkeypatch, words, root):
    Path("figure.png").touch()
    asked = []

    class Noting(verification.Verifier):
        """Keeps the directory that it is given."""

        def __init__(self, configured, root=None):
            """As it does, noted."""
            asked.append(root)
            super().__init__(configured, root)

    monkeypatch.setattr(verification, "Verifier", Noting)
    assert called(f"verify figure.png {words}") == 3
    assert asked == [root]


def test_in_a_pipe_every_finding_is_one_line(place, monkeypatch, capsys):
    """However long; so that grep finds it."""
    monkeypatch.setenv("COLUMNS", "80")
    name = f"{'long_' * 40}.png"
    Path(name).touch()
    assert called(f"verify {name}") == 3
    line = f"└── missing sidecar {name} (no sidecar tells where it came from)"
    assert line in capsys.readouterr().out.splitlines()


def test_what_a_profile_is_measured_with(handed, monkeypatch, capsys):
    def stop(chosen):
        raise HandedError(chosen)

    monkeypatch.setattr(measure, "measure", stop)
    monkeypatch.setattr(measure, "memory_bytes", lambda chosen: 5 * 2**30 // 2)
    (chosen,) = handed("measure --widths 1,1/2,1 --parametrization dynamic")
    assert capsys.readouterr().err == "The largest network takes 2.50 GiB.\n"
    values = chosen.model_dump(mode="json")
    assert values["widths"] == {"smallest": 1000, "largest": 100_000, "count": 5}
    assert values["coefficients"] == ["1", "1", "1"]
    found = {name: values[name] for name in ("trials", "learning_rate", "seed", "engine", "r")}
    assert found == {"trials": 20, "learning_rate": 0.1, "seed": 0, "engine": "law", "r": "1/2"}


@pytest.mark.parametrize(("flag", "report"), [("", "report"), ("--json", "report_json")])
@pytest.mark.parametrize(("given", "tolerance"), [("", 0.1), ("--tolerance 0.25", 0.25)])
def test_a_profile_is_judged_by_the_tolerance_given(
    place, monkeypatch, capsys, flag, report, given, tolerance
):
    def told(chosen, table, *, confidence, tolerance):
        return f"{table} at {confidence} within {tolerance}"

    monkeypatch.setattr(measure, "measure", lambda chosen: "trials")
    monkeypatch.setattr(measure, report, told)
    called(f"measure --widths 1,1 --parametrization ntk {given} {flag}")
    assert capsys.readouterr().out == f"trials at 0.95 within {tolerance}"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DataError("told"), 1),
        (AuditError("told"), 4),
        (InterruptedRunError("told", 15), 143),
        (InterruptedRunError("told", 2), 130),
    ],
)
def test_the_program_exits_with_the_code_of_an_error(monkeypatch, capsys, error, code):
    def fail(**_):
        raise error

    monkeypatch.setattr(main, "app", fail)
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert (ended.value.code, capsys.readouterr().err) == (code, "dynparam: told\n")


MADE = Made(
    [Path("raw/cifar-10-batches-py/test_batch")],
    {
        "source": {"origin": "a mirror", "bytes": 5},
        "classes": ["bird", "cat"],
        "subsets": {"train": {"indices": [4, 9, 2]}, "test": {"indices": [7]}},
    },
    said="as the stage says",
    values={"passed": True},
)
OWN = "results/own"
PRINTED = {
    "data retrieve --json": {"directory": "raw/cifar-10-batches-py", "origin": "a mirror", "bytes": 5},
    "data retrieve": None,
    "data extract bird-cat --json": {
        "images": IMAGES["bird-cat"],
        "classes": ["bird", "cat"],
        "train": 3,
        "test": 1,
    },
    "data extract bird-cat": None,
    "data pair bird-cat --json": {
        "images": IMAGES["bird-cat"],
        "classes": ["bird", "cat"],
        "train": 3,
        "test": 1,
    },
    "data pair bird-cat": f"{IMAGES['bird-cat']}: bird and cat\n",
    "probe fig3_3_dynamic --output trials.csv --json": {"trials": "trials.csv"},
    "probe fig3_3_dynamic --output trials.csv": "as the stage says\n",
    "compare --json": {"table": f"{OWN}/comparison/slopes.csv", "passed": True},
    "compare": "as the stage says\n",
    "audit bird-cat spectral --json": {"passed": True},
    "audit bird-cat spectral": None,
    "archive --archive all.csv --images pair.npz": "as the stage says\n",
    "collect one.csv --images pair.npz --output all.csv": None,
    "crate run.zip": "as the stage says\n",
}


@pytest.mark.parametrize("line", PRINTED)
def test_what_a_command_prints(place, monkeypatch, capsys, line):
    for module in (crate, data, probe, training):
        monkeypatch.setattr(module, "run", lambda *_, **__: MADE)
    called(line)
    printed, wanted = capsys.readouterr().out, PRINTED[line]
    assert (json.loads(printed) if isinstance(wanted, dict) else printed) == (wanted or "")


def test_what_training_prints(place, monkeypatch, capsys):
    """Of the table that it wrote: two seeds of one epoch."""
    table = f"{OWN}/training/bird-cat/dynamic/3-4.csv"
    rows = [
        ("bird-cat", "dynamic", seed, epoch, 0.5 / (1 + epoch), 0.5, 0.75, 0.5)
        for seed in (3, 4)
        for epoch in (0, 1)
    ]

    def run(stage, settings, output, **given):
        write_csv(pd.DataFrame(rows, columns=list(COLUMNS)), output)

    monkeypatch.setattr(training, "run", run)
    called("train bird-cat dynamic --seeds 3-4 --json")
    found = json.loads(capsys.readouterr().out)
    assert (found["task"], found["parametrization"], found["curves"]) == ("bird-cat", "dynamic", table)
    assert (found["seeds"], found["epochs"], found["mean"]["train_loss"]) == ([3, 4], 1, 0.25)
    called("train bird-cat dynamic --seeds 3-4")
    sentence, place = capsys.readouterr().out.splitlines()
    assert sentence.startswith("bird-cat, dynamic, 2 seeds, epoch 1: train loss 0.25, test loss 0.5, ")
    assert place == f"Curves: {table}"
