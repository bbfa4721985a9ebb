"""Text of files on its way to the terminal: names, contents, sidecars, errors of other libraries."""

import json
import sys
import types

import pytest

import dynparam.cli.main as program
from dynparam.provenance.sidecars import as_text
from dynparam.support.errors import DataError
from tests.provenance.test_received import RECORD

OBEYED = "\x1b[2J\x1b]0;x\x07\x9b\x08\u202e"
NAME = f"a{OBEYED}b"


def run(monkeypatch, capsys, *arguments):
    """The program in this process: its exit code, and all that it printed."""
    monkeypatch.setattr(sys, "argv", ["dynparam", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        program.main()
    told = capsys.readouterr()
    return ended.value.code, told.out, told.err


def is_clean(text):
    return all(line.isprintable() for line in text.split("\n"))


def config_of_keys(place):
    path = place / "config.yaml"
    path.write_text(json.dumps({"probe": {NAME: 1}}))
    return ["probe", "x", "--config", path]


def config_of_values(place):
    path = place / "config.yaml"
    path.write_text(json.dumps({"fit": {"seed": NAME, "resamples": f"{NAME}\nb"}}))
    return ["fit", "x", "--output", "y", "--config", path]


def config_of_that_name(place):
    return ["probe", "x", "--config", place / NAME]


def broken_config(place):
    path = place / f"{NAME}\n.yaml"
    path.write_text("a: [\x1b")
    return ["probe", "x", "--config", path]


def missing_file(place):
    return ["fit", place / f"{NAME}\nsecond", "--output", place / "y.csv"]


def table_with_a_name(place):
    path = place / f"{NAME}.csv"
    path.write_text(f"{NAME}\n1,2,3\n1,2,3,4,{NAME}\n")
    return ["fit", path, "--output", place / "y.csv"]


def output_that_cannot_be(place):
    (place / NAME).write_text("")
    return ["schema", "--output", place / NAME / "x.json"]


def verified_name(place):
    path = place / f"{NAME}\nsecond.csv"
    path.write_text("")
    return ["verify", path]


def verified_name_that_is_missing(place):
    return ["verify", place / f"{NAME}\nsecond.csv"]


def verified_sidecar(place):
    record = {**RECORD, "outputs": {NAME: NAME, "x": "0"}, "inputs": {NAME: NAME}, "created": NAME}
    record |= {"code": {"stage": NAME, "digest": NAME}, "git": {"commit": NAME, "dirty": False}}
    (place / f"{NAME}.json").write_text(as_text(record))
    return ["verify", "--all", "--redraw", place / f"{NAME}.json"]


def damaged_sidecar(place):
    (place / f"{NAME}.json").write_text(json.dumps({**RECORD, "outputs": {NAME: 3}, "inputs": {}}))
    return ["verify", place / f"{NAME}.json"]


def archive(place):
    return ["audit", "airplane-automobile", "dynamic", "--curves", place / NAME, "--images", place]


def benchmarks(place):
    (place / f"{NAME}.tsv").write_text(f"{NAME}\n{NAME}\n")
    return ["resources", "--benchmarks", place]


@pytest.mark.parametrize(
    "case",
    [
        config_of_keys,
        config_of_values,
        config_of_that_name,
        broken_config,
        missing_file,
        table_with_a_name,
        output_that_cannot_be,
        verified_name,
        verified_name_that_is_missing,
        verified_sidecar,
        damaged_sidecar,
        archive,
        benchmarks,
    ],
)
def test_nothing_of_a_file_is_obeyed(case, tmp_path, monkeypatch, capsys):
    code, out, err = run(monkeypatch, capsys, *case(tmp_path))
    assert code in (1, 3)
    assert is_clean(out)
    assert is_clean(err)
    if not out:
        assert err.startswith("dynparam: ")
        assert err.count("\n") == 1


@pytest.mark.parametrize("error", [DataError, ValueError, KeyError, OSError])
def test_errors_of_any_library_are_clean(error, monkeypatch, capsys):
    def fail(**_):
        raise error(f"{NAME}\nsecond")

    monkeypatch.setattr(program, "app", fail)
    code, out, err = run(monkeypatch, capsys)
    assert code == 1
    assert out == ""
    assert is_clean(err)
    assert error is not DataError or err.count("\n") == 1
    assert ("Traceback" in err) == (error is not DataError)


def test_what_stages_and_the_status_say_is_clean(monkeypatch, capsys, tmp_path):
    from dynparam.training import status

    monkeypatch.setattr(status, "report", lambda config: (f"one {NAME}\ntwo\n", True))
    monkeypatch.chdir(tmp_path)
    code, out, _ = run(monkeypatch, capsys, "status")
    assert code == 0
    assert is_clean(out)
    assert out.count("\n") == 2
    made = types.SimpleNamespace(said=f"one {NAME}", values={})
    monkeypatch.setattr("dynparam.cli.stage.run", lambda *given, **more: made)
    code, out, _ = run(monkeypatch, capsys, "fit", "x.csv", "--output", "y.csv")
    assert code == 0
    assert is_clean(out)
    assert out.startswith("one a")


def test_a_failed_run_stays_on_its_line():
    """A message with line ends could pass for the state of other runs."""
    from dynparam.training.status import _details

    status = types.SimpleNamespace(seed=1, state="failed", epoch=1, epochs=2, message=f"{NAME}\nseed 2")
    one = types.SimpleNamespace(run=types.SimpleNamespace(name="run"), unfinished=[status], problems=[])
    line, end = _details([one])
    assert line.isprintable()
    assert end == ""
