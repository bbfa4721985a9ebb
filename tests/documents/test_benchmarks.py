"""The page of benchmarks follows from the records; the benchmarks run."""

import copy
import itertools
import json
import re
import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest

from benchmarks import (
    dry_run,
    jobs,
    kernels,
    law,
    one_step,
    training_at_once,
    training_epoch,
    training_stack,
)
from benchmarks import page as pages
from benchmarks.page import FOLDER, digits, figure, message, page, plotted_data
from dynparam.presentation.figure_style import Sheet
from dynparam.presentation.plain_formulas import typeset
from tests.fresh_process import printed
from tests.printed import faults

ROOT = Path(__file__).parents[2]
RECORDS = pages.read(FOLDER)
NUMBERS_OF_THE_TEMPLATE = {
    # Powers of ten, the probe's curves and widths, the network, shapes of a product.
    *{"10^4", "10^12", "4", "10", "5", "500", "2000", "10000", "3072", "2", "64", "32", "1", "100"},
    *{"3.2", "3.3"},
}


def leaves(value, path=()):
    """Paths of all numbers in a record."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in items:
            yield from leaves(inner, (*path, key))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path


def shown(records):
    return page(records), plotted_data(records).to_csv()


def test_committed_page_and_figure_follow_from_the_records():
    assert (FOLDER / "README.md").read_text("utf-8") == page(RECORDS)
    committed = pd.read_csv(ROOT / "figures" / "benchmarks.csv")
    pd.testing.assert_frame_equal(committed, plotted_data(RECORDS), check_dtype=False, rtol=1e-6)
    record = json.loads((ROOT / "figures" / "benchmarks.json").read_text("utf-8"))
    assert record["message"] == message(plotted_data(RECORDS))


def test_limits_differ_without_colour():
    left, _ = figure(plotted_data(RECORDS), Sheet()).axes
    limits = {
        line.get_label(): line.get_linestyle() for line in left.lines if line.get_marker() == "None"
    }
    assert list(limits) == ["limit of the dense probe", "limit of the exact law, one thread"]
    assert len(set(limits.values())) == 2


def timed(straightforward, probe, plain, dual, law):
    """The published data with other seconds, at the widths that are told, and of epochs."""
    table = plotted_data(RECORDS)
    widest = table.groupby("series")["n"].transform("max")
    for series, seconds in {
        "straightforward torch": straightforward,
        "dense probe": probe,
        "plain torch": plain,
        "engine, dual first layer": dual,
        "exact law, one thread": law,
    }.items():
        told = (table["series"] == series) & ((table["n"] == widest) | table["n"].isna())
        table.loc[told, "seconds"] = seconds
    return table


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        ((6.0, 2.0, 8.0, 2.0, 1.5), ("3.0", "4.0", "1.5")),
        ((2.0, 4.0, 1.0, 4.0, 20.0), ("0.50", "0.25", "20")),
    ],
)
def test_the_message_is_that_of_the_seconds(seconds, told):
    """In the second case the engines are slower than torch."""
    step, epoch, law = told
    assert message(timed(*seconds)) == (
        f"A step at n = 10,000 is {step} times as fast and an epoch {epoch} times as fast as in plain "
        f"torch; by the exact law a step at n = 10,000,000 takes {law} s"
    )


def test_without_a_straightforward_step_an_epoch_alone_is_told():
    table = timed(6.0, 2.0, 8.0, 2.0, 1.5)
    said = message(table[table["series"] != "straightforward torch"])
    assert said.startswith("An epoch 4.0 times as fast as in plain torch; by the exact law")


def test_the_message_stands_above_and_no_text_lies_on_another():
    table = plotted_data(RECORDS)
    drawn = figure(table, Sheet(message=message(table)))
    assert drawn.get_suptitle().replace("\n", " ") == typeset(message(table))
    assert not faults(drawn)


@pytest.mark.parametrize(
    "name", ["one_step", "law", "training_epoch", "kernels", "dry_run", "training_at_once", "jobs"]
)
def test_every_number_of_a_record_is_shown(name):
    before = shown(RECORDS)
    for path in leaves(RECORDS[name]):
        if path[0] == "git":
            continue
        changed = copy.deepcopy(RECORDS)
        place = changed[name]
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = 2 * place[path[-1]] + 1
        assert shown(changed) != before, path


def test_a_harmful_interval_is_shown():
    changed = copy.deepcopy(RECORDS)
    changed["bfloat16_curves"]["comparisons"][3] |= {"ci_high": 0.9, "verdict": "not shown"}
    assert "31 lie within" in page(changed)
    assert re.search(r"farthest end lies at\s+0\.90", page(changed))


def test_the_template_holds_no_measurement():
    template = (FOLDER / "README.md.j2").read_text("utf-8")
    prose = re.sub(
        r"\{\{.*?\}\}|\{%.*?%\}|`[^`]*`|\]\([^)]*\)|^ {4}.*?$", "", template, flags=re.M | re.S
    )
    prose = re.sub(r"(?:float|bfloat|CIFAR-)\d+", "", prose)
    found = set(re.findall(r"\d+(?:[.^]\d+)*", prose))
    assert found <= NUMBERS_OF_THE_TEMPLATE, found - NUMBERS_OF_THE_TEMPLATE


@pytest.mark.parametrize(
    ("value", "count", "text"),
    [
        (0.0369, 2, "0.037"),
        (0.5, 2, "0.50"),
        (106.17, 3, "106"),
        (1.0, 2, "1.0"),
        (0.0, 1, "0"),
        (7.4e-6, 1, "7e-6"),
        (1.14e-5, 2, "1.1e-5"),
        (8.2e13, 1, "8e13"),
        (1234.5, 2, "1200"),
    ],
)
def test_digits(value, count, text):
    assert digits(value, count) == text


def test_stacks_are_timed_on_a_device(tmp_path, monkeypatch):
    """Here on a processor: no record of it is kept, as only a GPU's would tell anything."""
    place = tmp_path / "stack.json"
    options = [
        "--quick",
        "--device",
        "cpu",
        "--seeds",
        "1",
        "2",
        "--epochs",
        "1",
        "--output",
        str(place),
    ]
    monkeypatch.setattr(sys, "argv", ["training_stack", *options])
    training_stack.main()
    told = json.loads(place.read_text("utf-8"))
    assert [row["seeds at once"] for row in told["stacks"]] == [1, 2]
    assert all(row["tera-operations per second"] > 0 for row in told["stacks"])
    assert set(told["flops"]) == set(training_stack.SHAPES)


def test_the_jobs_that_are_timed_are_jobs_of_the_workflow(tmp_path):
    commands = jobs.planned(jobs.workplace(tmp_path), [])
    assert set(jobs.JOBS) | set(jobs.QUICK) <= set(commands)
    assert commands["sweep_r/n_min"].startswith("dynparam sweep n_min --config only=")


def test_a_job_runs_with_the_code_that_is_named_and_its_memory_is_told(tmp_path):
    """A process that holds 300 MB, by a package of another checkout.

    Timed by a fresh process: a child counts what its parent held, and a test's may hold much.
    """
    other = tmp_path / "other"
    (other / "src" / "elsewhere").mkdir(parents=True)
    (other / "src" / "elsewhere" / "__init__.py").write_text("held = bytes(range(100)) * 3_000_000\n")
    folder = tmp_path / "run"
    folder.mkdir()
    job = "import elsewhere; open('results/a.csv', 'w').write(elsewhere.__file__)"
    command = f'{sys.executable} -c "{job}" --output results/a.csv > results/logs/a.log 2>&1'
    program = f"""
from pathlib import Path
from benchmarks import jobs
used = jobs.run(Path({str(folder)!r}), {command!r}, Path({str(other)!r}))
print(used.gib, used.seconds)
"""
    gib, seconds = map(float, printed(program).split())
    assert Path((folder / "results" / "a.csv").read_text()).is_relative_to(other)
    assert 0.28 < gib < 0.5
    assert seconds > 0


def test_a_job_that_fails_is_told_by_its_log(tmp_path):
    with pytest.raises(SystemExit, match="no such job"):
        jobs.run(
            tmp_path, "sh -c 'echo no such job; exit 3' --output a.csv > results/logs/a.log 2>&1", ROOT
        )


def test_benchmarks_run_and_the_page_shows_what_they_write(tmp_path, monkeypatch):
    def run(module, *options):
        monkeypatch.setattr(sys, "argv", [module.__name__, *map(str, options)])
        module.main()

    for module, option in (
        (one_step, "--trials"),
        (law, "--rounds"),
        (training_epoch, "--epochs"),
        (kernels, "--rounds"),
        (training_at_once, "--rounds"),
    ):
        name = module.__name__.rpartition(".")[2]
        run(module, "--quick", option, 1, "--output", tmp_path / f"{name}.json")
    run(dry_run, "--quick", "--output", tmp_path / "dry_run.json")
    for name in ("bfloat16_curves.json", "jobs.json"):
        shutil.copy(FOLDER / name, tmp_path)
    places = {"--records": tmp_path, "--page": tmp_path / "page.md", "--figure": tmp_path / "costs.png"}
    run(pages, *itertools.chain(*places.items()))
    assert "A trial alone, constant ratio, medians" in (tmp_path / "page.md").read_text("utf-8")
    series = set(pd.read_csv(tmp_path / "costs.csv")["series"])
    assert {"straightforward torch", "dense probe", "exact law, one thread"} <= series
    assert all((tmp_path / f"costs.{kind}").exists() for kind in ("png", "svg", "pdf"))
    record = json.loads((tmp_path / "costs.json").read_text("utf-8"))
    assert record["message"] == message(plotted_data(pages.read(tmp_path)))
