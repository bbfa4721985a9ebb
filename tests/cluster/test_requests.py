"""What jobs ask a cluster for: at least what was measured times the factors, more at each attempt."""

import json
import math
import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynparam.cli import main
from dynparam.cluster.requests import Need, Needs, read_needs, write_needs
from dynparam.cluster.usage import Measured, comparison, measure, updated
from dynparam.configuration.config import Config
from dynparam.configuration.loading import load
from dynparam.report.sidecar_text import efforts
from dynparam.support.errors import ConfigError, DataError
from dynparam.training.archive import read_curves
from dynparam.training.protocol import memory_bytes
from dynparam.training.settings import for_run

ROOT = Path(__file__).parents[2]
TABLE = ROOT / "workflow" / "resources.yaml"
NEEDS = read_needs(TABLE)
THESIS = load(Config, [ROOT / "config" / "thesis.yaml"])
HEADER = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"


def needs(mem_mb: float, seconds: float, **changes) -> Needs:
    values = NEEDS.model_dump() | changes
    return Needs.model_validate({**values, "rules": {"one": {"mem_mb": mem_mb, "seconds": seconds}}})


@given(st.integers(1, 10**6), st.floats(0.1, 1e6), st.integers(1, 5))
def test_a_request_exceeds_the_measurement_by_its_factor_and_grows_with_attempts(mem, seconds, attempt):
    one = needs(mem, seconds)
    asked = one.mem_mb("one", attempt), one.minutes("one", attempt)
    used = mem + one.snakemake_mb
    assert asked[0] >= used * one.memory_factor * attempt
    assert asked[1] * 60 >= seconds * one.time_factor * attempt - 1e-6
    assert asked == (attempt * one.mem_mb("one"), attempt * one.minutes("one"))
    # Not much more than that, but never less than the smallest.
    assert one.mem_mb("one") < max(one.smallest_mem_mb, used * one.memory_factor) + 100
    assert one.minutes("one") < max(one.smallest_minutes, seconds * one.time_factor / 60) + 1


def rules_that_ask():
    texts = [path.read_text() for path in (ROOT / "workflow" / "rules").glob("*.smk")]
    return {name for text in texts for name in re.findall(r'\*\*(?:\w+_)?needs\("(\w+)"\)', text)}


def test_every_rule_that_asks_has_measurements():
    assert rules_that_ask() == set(NEEDS.rules)


def test_an_unknown_rule_is_named():
    with pytest.raises(ConfigError, match=r"no measurements of draw_cat.*dynparam resources --write"):
        NEEDS.of("draw_cat")


@pytest.mark.parametrize(
    "network", ["10000-500", "5000-250", "2000-100", "1000-200", "1000-50", "1000-10"]
)
def test_trainings_ask_for_more_time_than_archived_runs_took(network):
    """Every run of the archive, trained one after another as a job does it, fits into half the time."""
    for csv in (ROOT / "results" / "archive").glob(f"*/{network}/*.csv"):
        run = for_run(THESIS, csv.parts[-3], network)
        for origin in read_curves(csv).origins:
            for took in origin["seeds"].values():
                assert NEEDS.training_minutes("train_seeds", run, 10) * 60 >= 2 * 10 * took


def test_trainings_ask_for_more_memory_than_is_counted():
    """For one network, and for a larger one or a stack by at least the weights and velocities."""
    run = for_run(THESIS, "bird-cat", "10000-500")
    assert NEEDS.training_mem_mb("train_seeds", run, 1) * 2**20 >= memory_bytes(run, 1)
    larger = run.model_copy(update={"protocol": run.protocol.model_copy(update={"n": 20000})})
    assert NEEDS.training_mem_mb("train_seeds", larger, 1) * 2**20 >= memory_bytes(larger, 1)
    weights = 3072 * 10_000 + 4 * 10_000 * 500 + 2 * 10_000
    more = NEEDS.training_mem_mb("train_seeds", run, 8) - NEEDS.training_mem_mb("train_seeds", run, 1)
    assert more * 2**20 >= 7 * 2 * 4 * weights


def test_seeds_and_epochs_take_time_in_proportion():
    run = for_run(THESIS, "bird-cat", "10000-500")
    one = NEEDS.of("train_seeds").seconds * NEEDS.time_factor / 60
    assert NEEDS.training_minutes("train_seeds", run, 10) == math.ceil(10 * one)
    assert NEEDS.training_minutes("train_seeds", run, 10, attempt=3) == 3 * math.ceil(10 * one)


@pytest.mark.parametrize(("epochs", "share"), [(25, 0.25), (200, 2.0)])
def test_shorter_runs_ask_for_less_and_audits_for_the_same(epochs, share):
    """An audit's epochs are fixed, whatever those of a run are."""
    run = for_run(THESIS, "bird-cat", "10000-500")
    assert run.protocol.epochs == NEEDS.trained.epochs == 100
    other = run.model_copy(update={"protocol": run.protocol.model_copy(update={"epochs": epochs})})
    one = NEEDS.of("train_seeds").seconds * NEEDS.time_factor / 60
    assert NEEDS.training_minutes("train_seeds", other, 10) == math.ceil(10 * share * one)
    whole = NEEDS.training_minutes("audit_archive", run, 10)
    assert NEEDS.training_minutes("audit_archive", other, 10) == whole


def sized(n, n_min, hidden=("wide", "narrow", "wide", "narrow", "wide")):
    """Runs of the thesis's settings on a network of other widths and layers."""
    run = for_run(THESIS, "bird-cat", "10000-500")
    protocol = run.protocol.model_copy(update={"n": n, "n_min": n_min})
    network = run.network.model_copy(update={"hidden": hidden})
    return run.model_copy(update={"protocol": protocol, "network": network})


def test_time_grows_with_the_weights_down_to_a_million():
    """Of layers as they are configured; smaller networks train no faster."""
    measured = 3072 * 10_000 + 4 * 10_000 * 500 + 2 * 10_000
    one = NEEDS.of("train_seeds").seconds * NEEDS.time_factor / 60
    for run, weights in (
        (sized(20_000, 500), 3072 * 20_000 + 4 * 20_000 * 500 + 2 * 20_000),
        (sized(10_000, 500, ("wide", "wide")), 3072 * 10_000 + 10_000 * 10_000 + 2 * 10_000),
        (sized(100, 10), 1_000_000),
        (sized(10, 10), 1_000_000),
    ):
        minutes = max(NEEDS.smallest_minutes, math.ceil(100 * one * weights / measured))
        assert NEEDS.training_minutes("train_seeds", run, 100) == minutes


def test_memory_of_larger_networks_and_stacks_is_counted():
    """Sixteen bytes a weight beyond the measured network, eight for each further one of a stack."""
    measured = 3072 * 10_000 + 4 * 10_000 * 500 + 2 * 10_000
    need = NEEDS.of("train_seeds").mem_mb + NEEDS.snakemake_mb
    for run, weights in (
        (sized(10_000, 500), measured),
        (sized(30_000, 500), 3072 * 30_000 + 4 * 30_000 * 500 + 2 * 30_000),
        (sized(10_000, 500, ("wide", "wide")), 3072 * 10_000 + 10_000 * 10_000 + 2 * 10_000),
    ):
        for stack in (1, 5):
            extra = (16 * (weights - measured) + 8 * (stack - 1) * weights) / 2**20
            asked = NEEDS.training_mem_mb("train_seeds", run, stack)
            assert asked == 100 * math.ceil((need + extra) * NEEDS.memory_factor / 100)


def write_benchmark(path: Path, *rows: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEADER + "".join(f"{row}\n" for row in rows))


@pytest.fixture
def benchmarks(tmp_path):
    root = tmp_path / "benchmarks"
    write_benchmark(root / "one" / "a.tsv", "12.5\t0:00:12\t100.2\t1\t1\t1\t1\t1\t1\t20.0")
    write_benchmark(root / "one" / "b.tsv", "90.0\t0:01:30\t80.0\t1\t1\t1\t1\t1\t1\t80.0")
    write_benchmark(root / "two.tsv", "0.01\t0:00:00\tNA\tNA\tNA\tNA\tNA\tNA\t0\tNA")
    place = root / "train_seeds" / "bird-cat" / "10000-500" / "dynamic" / "0-9.tsv"
    write_benchmark(place, "5000\t1:23:20\t1500\t1\t1\t1\t1\t1\t1\t9000")
    return root


def test_measurements_are_the_largest_over_jobs_and_per_seed(benchmarks):
    found = measure(benchmarks)
    assert found["one"] == Measured(2, Need(mem_mb=101, seconds=80.0), 100.0)
    assert found["two"] == Measured(1, Need(mem_mb=1, seconds=0.1), 0.0)
    # The job of ten seeds took 9000 s in all.
    assert found["train_seeds"] == Measured(1, Need(mem_mb=1500, seconds=900.0), 9000.0)


@pytest.mark.parametrize("gap", ["NA", "-"])
def test_what_was_too_short_to_be_measured_is_nothing(tmp_path, gap):
    """Snakemake's releases write it in either way."""
    write_benchmark(tmp_path / "one.tsv", LINE.format(gap, gap).strip(), LINE.format(7.2, gap).strip())
    assert measure(tmp_path) == {"one": Measured(2, Need(mem_mb=8, seconds=0.1), 0.0)}


LINE = "1\t0:00:01\t{}\t1\t1\t1\t1\t1\t1\t{}\n"
BAD = {
    "NaN": (HEADER + LINE.format("nan", 1)).encode(),
    "infinity": (HEADER + LINE.format("inf", 1)).encode(),
    "infinite time": (HEADER + LINE.format(1, "inf")).encode(),
    "negative": (HEADER + LINE.format(-1, 1)).encode(),
    "text": (HEADER + LINE.format("much", 1)).encode(),
    "cut": (HEADER + "1\t0:00").encode(),
    "another table": b"a,b\n1,2\n",
    "bytes": bytes(range(256)),
    "UTF-16": (HEADER + LINE.format(1, 1)).encode("utf-16"),
    "a huge cell": (HEADER + LINE.format("1" * 200_000, 1)).encode(),
    "a huge file": b"\n" * (2**20 + 1),
}


@pytest.mark.parametrize("content", BAD.values(), ids=BAD)
def test_a_bad_benchmark_is_one_sentence(benchmarks, content):
    (benchmarks / "two.tsv").write_bytes(content)
    with pytest.raises(DataError, match=rf"^{benchmarks / 'two.tsv'}: [^\n]*; remove it$"):
        measure(benchmarks)
    assert [one.rule for one in efforts(benchmarks)]


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir, lambda path: path.symlink_to("/dev/zero")])
def test_a_benchmark_that_is_no_file_is_not_waited_for(benchmarks, make):
    (benchmarks / "two.tsv").unlink()
    make(benchmarks / "two.tsv")
    with pytest.raises(DataError, match=r"two\.tsv: .*, not a regular file; remove it$"):
        measure(benchmarks)
    assert {one.rule for one in efforts(benchmarks)} == {"one", "train_seeds"}


def test_a_benchmark_of_no_seeds_is_named(benchmarks):
    write_benchmark(benchmarks / "train_seeds" / "task" / "all.tsv", LINE.format(1, 1).strip())
    with pytest.raises(DataError, match=r"all\.tsv: its name is not of seeds, such as 0-9\.tsv; remove"):
        measure(benchmarks)


def test_too_small_a_request_is_found(benchmarks):
    enough = needs(101, 90.0)
    table = comparison(enough, {"one": measure(benchmarks)["one"]})
    assert table["enough"].tolist() == [True]
    less = needs(10, 90.0), needs(101, 10.0, smallest_minutes=1)
    for wrong in less:
        assert comparison(wrong, measure(benchmarks)).set_index("rule")["enough"]["one"] == False  # noqa: E712


def test_what_is_enough_to_the_megabyte_and_the_minute():
    """Memory with Snakemake's own and its factor, in hundreds; time with its factor, in minutes."""
    factors = {"memory_factor": 1.5, "time_factor": 2.0, "snakemake_mb": 100}
    asked = needs(300, 90.0, **factors, smallest_mem_mb=100, smallest_minutes=1)
    assert (asked.mem_mb("one"), asked.minutes("one")) == (600, 3)
    for used, seconds, enough in (
        (300, 90.0, True),
        (301, 90.0, False),
        (300, 90.1, False),
        (100, 10.0, True),
    ):
        found = Measured(1, Need(mem_mb=used, seconds=seconds), seconds)
        table = comparison(asked, {"one": found})
        assert bool(table["enough"][0]) is enough
        assert table["requested_mem_mb"][0] == 600
        assert table["requested_seconds"][0] == 180


def test_rules_without_measurements_have_not_enough(benchmarks):
    table = comparison(needs(101, 90.0), measure(benchmarks)).set_index("rule")
    assert table["enough"].to_dict() == {"one": True, "two": False, "train_seeds": False}


def test_measurements_are_written_and_read_again(tmp_path, benchmarks):
    path = tmp_path / "resources.yaml"
    renewed = updated(NEEDS, measure(benchmarks))
    write_needs(path, renewed)
    assert read_needs(path) == renewed
    assert set(renewed.rules) == set(NEEDS.rules) | {"one", "two"}
    assert renewed.rules["fit_slopes"] == NEEDS.rules["fit_slopes"]


def test_the_tracked_file_is_what_the_command_writes(tmp_path):
    write_needs(tmp_path / "again.yaml", NEEDS)
    assert (tmp_path / "again.yaml").read_text() == TABLE.read_text()


def test_the_command_prints_writes_and_judges(tmp_path, benchmarks, capsys, monkeypatch):
    path = tmp_path / "resources.yaml"
    write_needs(path, NEEDS)
    arguments = ["resources", "--benchmarks", str(benchmarks), "--needs", str(path)]
    for extra, code in ([], 1), (["--write", "--json"], 0):
        monkeypatch.setattr("sys.argv", ["dynparam", *arguments, *extra])
        with pytest.raises(SystemExit) as ended:
            main.main()
        assert (ended.value.code or 0) == code
        printed = capsys.readouterr().out
    rows = {row["rule"]: row for row in json.loads(printed)}
    assert rows["one"]["requested_seconds"] >= 4 * 80
    assert read_needs(path).rules["one"] == Need(mem_mb=101, seconds=80.0)


def test_one_rule_that_asks_for_too_little_fails_the_command(tmp_path, benchmarks, capsys, monkeypatch):
    """All others ask for enough; nothing is written unless that is asked for."""
    path = tmp_path / "resources.yaml"
    whole = updated(NEEDS, measure(benchmarks))
    little = {**whole.rules, "train_seeds": Need(mem_mb=1, seconds=0.1)}
    for known, code in ((whole.rules, 0), (little, 1)):
        write_needs(path, whole.model_copy(update={"rules": known}))
        written = path.read_bytes()
        arguments = ["--benchmarks", str(benchmarks), "--needs", str(path)]
        monkeypatch.setattr("sys.argv", ["dynparam", "resources", *arguments])
        with pytest.raises(SystemExit) as ended:
            main.main()
        assert (ended.value.code or 0) == code
        assert capsys.readouterr().out.count(" NO ") == code
        assert path.read_bytes() == written


def test_bad_files_are_named(tmp_path, benchmarks):
    with pytest.raises(DataError, match=r"empty: no benchmarks of jobs; run the workflow"):
        measure(tmp_path / "empty")
    (benchmarks / "one" / "a.tsv").write_text("s\tmax_rss\tcpu_time\n3\t3\tlong\n")
    with pytest.raises(DataError, match=r"a\.tsv: not a benchmark"):
        measure(benchmarks)
    path = tmp_path / "resources.yaml"
    path.write_text(TABLE.read_text().replace("memory_factor: 1.5", "memory_factor: 0.5"))
    with pytest.raises(
        ConfigError, match=r"resources\.yaml: memory_factor: it takes at least 1; correct it there$"
    ):
        read_needs(path)
