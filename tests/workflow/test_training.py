"""Training curves: what is trained when, the archive and its audit, interrupted and diverging runs."""

import csv
import hashlib
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import psutil
import pytest
from safetensors import safe_open

from dynparam.provenance.sidecars import as_text, checksum
from tests.training_runs import run_files
from tests.workflow.conftest import made_once
from tests.workflow.sandbox import NETWORK, PAIR, PARAMETRIZATIONS, SMALL, Sandbox, jobs

PATIENCE_SECONDS = 120
CURVE = f"{PAIR}/dynamic"
TASK_CURVES = [f"{PAIR}/{name}" for name in PARAMETRIZATIONS]
CURVES = f"results/training/{PAIR}/dynamic.csv"
PLACES = [f"{PAIR}/{NETWORK}/{name}" for name in PARAMETRIZATIONS]
TRAIN = jobs("train_seeds", [f"{place}/0-1" for place in PLACES])
COLLECT = jobs("collect_curves", TASK_CURVES)
PLOT = {"plot_curves fig3_4"}
DATA = {"retrieve_cifar10", f"extract_pair {PAIR}"}
REUSE = {"training": {"reuse": "archive"}}

# Both figures of the same task and no domain study: `archive` makes two runs instead of six.
ONE_TASK = {
    **SMALL,
    "figures": {**SMALL["figures"], "training": {"fig3_4": PAIR, "fig3_5": PAIR}, "domain": None},
}


@pytest.fixture(scope="session")
def trained_once(shared, invented) -> Sandbox:
    return made_once(shared / "trained", invented, "fig3_4", overlay=ONE_TASK)


@pytest.fixture
def trained(trained_once: Sandbox, tmp_path: Path) -> Sandbox:
    """Fig. 3.4 made of curves that were trained in the sandbox."""
    return trained_once.clone(tmp_path / "repository")


@pytest.fixture(scope="session")
def archived_once(shared, invented) -> Sandbox:
    return made_once(shared / "archived", invented, "archive", overlay=ONE_TASK)


@pytest.fixture
def archived(archived_once: Sandbox, tmp_path: Path) -> Sandbox:
    """The archive as somebody else finds it: without what made it."""
    sandbox = archived_once.clone(tmp_path / "repository")
    shutil.rmtree(sandbox.root / "results/training")
    shutil.rmtree(sandbox.root / "results/archived")
    return sandbox


def archive_of(sandbox: Sandbox, parametrization: str) -> Path:
    return sandbox.root / f"results/archive/{PAIR}/{NETWORK}/{parametrization}.csv"


def collected(sandbox: Sandbox) -> dict[str, bytes]:
    """The collected tables by parametrization."""
    folder = sandbox.root / "results/training" / PAIR
    return {name: (folder / f"{name}.csv").read_bytes() for name in PARAMETRIZATIONS}


def record(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def states(sandbox: Sandbox) -> dict[str, tuple[int, int]]:
    """Inode and time of the record of every finished run: equal if it was not written again."""
    found = run_files(sandbox.root / "results/training/.runs", "seed-*.json")
    return {
        str(path.relative_to(sandbox.root)): (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in found
    }


def rows_of_seed(table: bytes, seed: int) -> list[bytes]:
    return [line for line in table.splitlines()[1:] if int(line.split(b",")[2]) == seed]


class TestPlans:
    """What would run, without running it."""

    def test_a_figure_of_curves_needs_its_own_task_alone(self, untouched):
        assert untouched.plan("fig3_4") == DATA | TRAIN | COLLECT | PLOT

    @pytest.mark.parametrize(
        ("change", "repeated"),
        [
            pytest.param({"protocol": {"momentum": 0.5}}, TRAIN | COLLECT | PLOT, id="momentum"),
            pytest.param({"fit": {"seed": 1}, "figures": {"dpi": 60}}, PLOT, id="drawing"),
            pytest.param(
                {
                    "jobs": {"training_device": "auto", "seeds_at_once": 3},
                    "probe": {"seed": 3},
                    "comparison": {"tolerance": 0.3},
                },
                set(),
                id="nothing that matters",
            ),
        ],
    )
    def test_a_setting_repeats_its_stages(self, trained_once, change, repeated):
        assert trained_once.plan("fig3_4", change=change) == repeated

    @pytest.mark.parametrize(
        ("module", "repeated"),
        [
            ("experiments.training_curves.figure", PLOT),
            ("training.status", set()),
            ("training.protocol", TRAIN | COLLECT | PLOT),
        ],
    )
    def test_an_edit_repeats_its_stages(self, trained, module, repeated):
        trained.append(module, "\nADDED = 1\n")
        assert trained.plan("fig3_4") == repeated


class TestSeeds:
    """Finished runs are kept whatever becomes of the jobs that made them."""

    def test_added_seeds_are_trained_alone(self, trained):
        table, before = (trained.root / CURVES).read_bytes(), states(trained)
        assert len(before) == 4
        outcome = trained.make(CURVES, change={"training": {"seeds": 3}})
        assert outcome.counts == {"train_seeds": 1, "collect_curves": 1, "total": 2}
        after = states(trained)
        assert before.items() <= after.items()
        assert [Path(name).name for name in after.keys() - before.keys()] == ["seed-0002.json"]
        extended = (trained.root / CURVES).read_bytes()
        assert extended.startswith(table)
        assert len(rows_of_seed(extended, 2)) == SMALL["protocol"]["epochs"] + 1

    def test_other_jobs_train_nothing_again(self, trained):
        table, before = (trained.root / CURVES).read_bytes(), states(trained)
        outcome = trained.make(CURVES, change={"training": {"seeds_per_job": 1}})
        assert outcome.counts == {"train_seeds": 2, "collect_curves": 1, "total": 3}
        assert states(trained) == before
        assert (trained.root / CURVES).read_bytes() == table

    def test_another_protocol_has_runs_of_its_own(self, trained):
        table, before = (trained.root / CURVES).read_bytes(), states(trained)
        trained.make(CURVES, change={"protocol": {"learning_rate": 0.05}})
        after = states(trained)
        assert len(after) == 6
        assert before.items() <= after.items()
        assert (trained.root / CURVES).read_bytes() != table
        assert trained.make(CURVES).counts["train_seeds"] == 1
        assert states(trained) == after
        assert (trained.root / CURVES).read_bytes() == table


class TestArchive:
    """Tracked curves that spare the training, and the audit they have to pass."""

    def test_it_holds_the_curves_and_where_they_come_from(self, archived_once):
        for name in PARAMETRIZATIONS:
            path = archive_of(archived_once, name)
            with path.open(newline="") as file:
                rows = list(csv.DictReader(file))
            runs = [(row["seed"], row["epoch"]) for row in rows]
            assert runs == [(str(seed), str(epoch)) for seed in range(2) for epoch in range(4)]
            assert {(row["task"], row["parametrization"]) for row in rows} == {(PAIR, name)}
            sidecar = record(path.with_suffix(".json"))
            assert sidecar["outputs"] == {path.name: hashlib.sha256(path.read_bytes()).hexdigest()}
            assert sidecar["config"]["protocol"]["n"] == SMALL["protocol"]["n"]
            (origin,) = sidecar["runs"]
            assert list(origin["seeds"]) == ["0", "1"]
            assert origin["diverged"] == {}
            assert origin["device"] == "cpu, 1 threads"
            assert {"git", "versions", "hardware"} <= set(origin)

    def test_curves_pass_their_audit_and_nothing_is_trained(self, archived, archived_once):
        outcome = archived.make("fig3_4", change=REUSE)
        assert outcome.counts == {
            "audit_archive": 1,
            "collect_curves": 2,
            "plot_curves": 1,
            "fig3_4": 1,
            "total": 5,
        }
        assert not (archived.root / "results/training/.runs").exists()
        caption = record(archived.root / "results/figures/fig3_4.json")["caption"]
        assert "2 seeds per curve" in caption
        assert "From the archive; audit: " in caption
        for name in PARAMETRIZATIONS:
            sidecar = record(archived.root / f"results/training/{PAIR}/{name}.json")
            assert sidecar["source"] == "archive"
            assert sidecar["audit"]["passed"]
            assert sidecar["audit"]["epochs"] == 1
            assert sidecar["audit"]["loss_difference"] < 1e-6
            assert f"{name}, {sidecar['audit_sentence']}" in caption
            assert re.fullmatch(r"seed [01] trained again for 1 epoch.*", sidecar["audit_sentence"])
            assert sidecar["runs"] == record(archive_of(archived, name).with_suffix(".json"))["runs"]
            archive = archive_of(archived, name).read_bytes()
            assert collected(archived)[name] == archive
            assert archive == archive_of(archived_once, name).read_bytes()
        assert "Nothing to be done" in archived.make("fig3_4", change=REUSE).text

    def test_missing_seeds_alone_are_trained_and_added(self, archived, archived_once):
        outcome = archived.make("archive", change={"training": {"seeds": 3}})
        assert outcome.counts == {"train_seeds": 2, "extend_archive": 2, "archive": 1, "total": 5}
        assert sorted(path.name for path in archived.root.rglob("shards/**/*.csv")) == ["2-2.csv"] * 2
        contents = {}
        for name in PARAMETRIZATIONS:
            path = archive_of(archived, name)
            contents[path] = path.read_bytes()
            old = archive_of(archived_once, name).read_bytes()
            assert contents[path].startswith(old)
            assert len(contents[path].splitlines()) == 1 + 3 * (SMALL["protocol"]["epochs"] + 1)
            origins = record(path.with_suffix(".json"))["runs"]
            assert [list(origin["seeds"]) for origin in origins] == [["0", "1", "2"]]
        again = archived.make("archive", change={"training": {"seeds": 3}})
        assert "train_seeds" not in again.counts
        assert {path: path.read_bytes() for path in contents} == contents

    def test_a_figure_of_fewer_seeds_than_configured_says_so(self, archived):
        change = {"training": {"reuse": "archive", "seeds": 3}}
        archived.make("fig3_4", change=change)
        caption = record(archived.root / "results/figures/fig3_4.json")["caption"]
        assert caption.startswith("2 of the 3 configured seeds per curve")


def rewrite(table: Path, change: Callable[[list[str]], list[str]], *, fix_hash: bool) -> None:
    """Change the lines of an archived table, and make its sidecar fit as a forger would."""
    table.write_text("\n".join(change(table.read_text().splitlines())) + "\n")
    if fix_hash:
        sidecar = table.with_suffix(".json")
        values = record(sidecar)
        values["outputs"] = {table.name: hashlib.sha256(table.read_bytes()).hexdigest()}
        sidecar.write_text(as_text({**values, "checksum": checksum(values)}))


def with_first_epoch(lines: list[str]) -> list[str]:
    """The training loss after the first epoch of every run lowered by 1 %."""
    header, *rows = (line.split(",") for line in lines)
    column, epoch = header.index("train_loss"), header.index("epoch")
    for row in rows:
        if row[epoch] == "1":
            row[column] = f"{0.99 * float(row[column]):.9g}"
    return [",".join(row) for row in (header, *rows)]


def change_a_digit(sandbox: Sandbox) -> None:
    def last_digit(lines: list[str]) -> list[str]:
        return [*lines[:-1], lines[-1][:-1] + ("1" if lines[-1][-1] != "1" else "2")]

    rewrite(archive_of(sandbox, "dynamic"), last_digit, fix_hash=False)


def forge_the_first_epoch(sandbox: Sandbox) -> None:
    rewrite(archive_of(sandbox, "dynamic"), with_first_epoch, fix_hash=True)


def swap(sandbox: Sandbox) -> None:
    """Spectral curves as dynamic ones and the reverse; neither names nor hashes tell."""
    first, second = (archive_of(sandbox, name) for name in PARAMETRIZATIONS)
    texts = first.read_text(), second.read_text()
    swapped = texts[1].replace("dynamic", "spectral"), texts[0].replace("spectral", "dynamic")
    for path, text in zip((first, second), swapped, strict=True):
        rewrite(path, lambda _, text=text: text.splitlines(), fix_hash=True)


def truncate(sandbox: Sandbox) -> None:
    path = archive_of(sandbox, "dynamic")
    path.write_bytes(path.read_bytes()[:200])


def end_early(sandbox: Sandbox) -> None:
    """All runs without their last epoch, which the audit of the first one does not reach."""

    def shortened(lines: list[str]) -> list[str]:
        return [line for line in lines if line.split(",")[3] != str(SMALL["protocol"]["epochs"])]

    rewrite(archive_of(sandbox, "dynamic"), shortened, fix_hash=True)


def lose_the_sidecar(sandbox: Sandbox) -> None:
    archive_of(sandbox, "dynamic").with_suffix(".json").unlink()


def lose_everything(sandbox: Sandbox) -> None:
    shutil.rmtree(sandbox.root / "results/archive")


RETRAIN = "training.reuse to none"
TABLE = f"results/archive/{PAIR}/{NETWORK}/dynamic.csv"
FAILED = [f"{NETWORK}, dynamic, seed", "fails its audit", "do not trust the archive", RETRAIN]


@pytest.mark.parametrize(
    ("tamper", "sentence"),
    [
        (change_a_digit, [f"{TABLE}: not the table its sidecar describes", RETRAIN]),
        (forge_the_first_epoch, FAILED),
        (swap, FAILED),
        (truncate, [f"{TABLE}: not the table its sidecar describes", "restore it", RETRAIN]),
        (end_early, [f"{TABLE}: seed 0 lacks some of its epochs", RETRAIN]),
        (lose_the_sidecar, ["the provenance of dynamic.csv", "missing", "restore it", RETRAIN]),
        (lose_everything, ["there are no such archived curves", RETRAIN, "training.archive"]),
    ],
)
def test_an_archive_that_cannot_be_trusted_gives_no_curves(archived, tamper, sentence):
    tamper(archived)
    outcome = archived.snakemake(CURVES, "--cores", "2", change=REUSE)
    assert not (archived.root / CURVES).exists()
    outcome.assert_refused(*sentence)


def last_epoch_lowered(lines: list[str]) -> list[str]:
    """The last test loss of the last run halved, which an audit of the first epochs does not see."""
    *rest, last = lines
    row = last.split(",")
    row[5] = f"{float(row[5]) / 2:.9g}"
    return [*rest, ",".join(row)]


def restamp(path: Path, ns: int) -> None:
    for file in (path, path.with_suffix(".json")):
        os.utime(file, ns=(ns, ns))


def in_place(table: Path) -> None:
    """Changed where it is, with the times it had before."""
    before = table.stat().st_mtime_ns
    rewrite(table, last_epoch_lowered, fix_hash=True)
    restamp(table, before)


def from_long_ago(table: Path) -> None:
    rewrite(table, last_epoch_lowered, fix_hash=True)
    restamp(table, 10**18)


def elsewhere(table: Path) -> Path:
    """The changed archive in another folder, from long ago."""
    folder = table.parent.parent / "elsewhere"
    shutil.copytree(table.parent, folder)
    from_long_ago(folder / table.name)
    return folder


def copied(table: Path) -> None:
    folder = elsewhere(table)
    for suffix in (".csv", ".json"):
        source = folder / table.with_suffix(suffix).name
        subprocess.run(["cp", "-p", source, table.with_suffix(suffix)], check=True)
    shutil.rmtree(folder)


def unpacked(table: Path) -> None:
    folder = elsewhere(table)
    packed = table.parent.parent / "archive.tar"
    subprocess.run(["tar", "-cf", packed, "-C", folder, "."], check=True)
    subprocess.run(["tar", "-xpf", packed, "-C", table.parent], check=True)
    shutil.rmtree(folder)
    packed.unlink()


def sidecar_alone(table: Path) -> None:
    """Another machine in the sidecar, the same numbers."""
    before = table.stat().st_mtime_ns
    sidecar = table.with_suffix(".json")
    values = record(sidecar)
    values["runs"][0]["hardware"]["processor"] = "another processor"
    sidecar.write_text(as_text({**values, "checksum": checksum(values)}))
    restamp(table, before)


@pytest.fixture(scope="session")
def audited_once(shared, archived_once) -> Sandbox:
    """Fig. 3.4 made of archived curves."""
    root = shared / "audited"

    def copy_archive(sandbox: Sandbox) -> None:
        shutil.copytree(archived_once.root / "results/archive", sandbox.root / "results/archive")

    overlay = {**ONE_TASK, "training": {**SMALL["training"], "reuse": "archive"}}
    return made_once(root, archived_once.data, "fig3_4", overlay=overlay, prepare=copy_archive)


REPLACEMENTS = [in_place, from_long_ago, copied, unpacked, sidecar_alone]


@pytest.mark.parametrize("replace", REPLACEMENTS)
def test_a_replaced_archive_is_audited_anew_whatever_its_time(audited_once, tmp_path, replace):
    sandbox = audited_once.clone(tmp_path / "repository")
    assert sandbox.plan("fig3_4") == set()
    replace(archive_of(sandbox, "dynamic"))
    assert sandbox.plan("fig3_4") == jobs("audit_archive", PLACES) | COLLECT | PLOT


def test_a_replaced_archive_is_never_drawn_under_the_old_audit(audited_once, tmp_path):
    sandbox = audited_once.clone(tmp_path / "repository")
    table = archive_of(sandbox, "dynamic")
    unpacked(table)
    sandbox.make("fig3_4")
    audit = record(sandbox.root / f"results/audit/{PAIR}/{NETWORK}/dynamic.json")
    assert audit["audited"]["table_sha256"] == hashlib.sha256(table.read_bytes()).hexdigest()
    assert collected(sandbox)["dynamic"] == table.read_bytes()

    before = table.stat().st_mtime_ns
    rewrite(table, with_first_epoch, fix_hash=True)
    restamp(table, before)
    sandbox.snakemake("fig3_4", "--cores", "2").assert_refused(*FAILED)


def test_a_figure_needs_every_archive_to_be_sound(archived):
    forge_the_first_epoch(archived)
    outcome = archived.snakemake("fig3_4", "--cores", "2", change=REUSE)
    assert list(archived.root.glob("results/figures/*")) == []
    outcome.assert_refused(*FAILED)


def test_an_archive_of_another_protocol_is_named(archived):
    change = {**REUSE, "protocol": {"learning_rate": 0.2}}
    outcome = archived.snakemake(CURVES, "--cores", "2", change=change)
    assert not (archived.root / CURVES).exists()
    outcome.assert_refused(
        f"{TABLE}: archived under another configuration",
        "protocol.learning_rate: 0.1, here 0.2",
        RETRAIN,
    )


class TestTrouble:
    """Training that goes wrong, and says so."""

    def test_a_diverging_run_is_told_and_stops_nothing(self, trained):
        change = {"protocol": {"learning_rate": 1e9}}  # overflows, whatever images and seed
        trained.make("fig3_4", change=change)
        sidecar = record(trained.root / f"results/training/{PAIR}/spectral.json")
        (origin,) = sidecar["runs"]
        assert origin["diverged"] == {"0": 1, "1": 1}
        caption = record(trained.root / "results/figures/fig3_4.json")["caption"]
        assert "Diverged under spectral: seed 0 at epoch 1, seed 1 at epoch 1." in caption
        log = trained.root / f"results/logs/train_seeds/{PAIR}/{NETWORK}/spectral/0-1.log"
        assert "seed 0 diverged: its loss is not finite after epoch 1" in log.read_text()
        assert (trained.root / "results/figures/fig3_4.png").read_bytes().startswith(b"\x89PNG\r\n")
        status = trained.dynparam("status", "--config", json.dumps(change))
        assert status.code == 0, status.text

    def test_a_gpu_that_is_not_there(self, extracted):
        target = f"results/training/shards/{PLACES[0]}/0-1.csv"
        change = {"jobs": {"training_device": "cuda"}}
        environment = {**extracted.data.environment, "CUDA_VISIBLE_DEVICES": ""}
        hidden = Sandbox(extracted.root, type(extracted.data)(environment, extracted.data.overlay))
        outcome = hidden.snakemake(target, "--cores", "2", change=change)
        outcome.assert_refused("dynparam: device cuda", "choose auto or cpu", "jobs.training_device")
        assert not (extracted.root / target).exists()


def status_rows(text: str) -> dict[str, list[str]]:
    """The columns of every run in the table that ``dynparam status`` prints."""
    lines = (line.split() for line in text.splitlines() if line.startswith(f"{PAIR}/"))
    return {name: columns for name, *columns in lines if not name.endswith(",")}


class TestInterruption:
    """Two runs of some seconds; the job is killed in the second."""

    PLACE = PLACES[1]
    EPOCHS, CHECKPOINTS = 160, 4
    TARGET = f"results/training/{TASK_CURVES[1]}.csv"
    LONG: ClassVar[dict[str, Any]] = {
        **ONE_TASK,
        "protocol": {**SMALL["protocol"], "n": 300, "n_min": 8, "batch_size": 2, "epochs": EPOCHS},
        "training": {**SMALL["training"], "checkpoint_epochs": CHECKPOINTS},
    }

    def files(self, sandbox: Sandbox, suffix: str) -> list[Path]:
        return run_files(sandbox.root / "results/training/.runs", f"seed-*.{suffix}")

    def epoch(self, sandbox: Sandbox) -> int:
        """The epoch of the only checkpoint; 0 without one, or with the first seed's."""
        found = self.files(sandbox, "safetensors")
        if not found or found[0].name != "seed-0001.safetensors":
            return 0
        try:
            with safe_open(found[0], framework="pt") as file:
                return json.loads(file.metadata()["place"])["epoch"]
        except OSError:  # finished in this moment
            return self.EPOCHS

    def start_and_wait_for(self, sandbox: Sandbox, epoch: int) -> subprocess.Popen[bytes]:
        """Start training; return when the second seed's checkpoint is of that epoch or later."""
        log = sandbox.root / "snakemake.log"
        with log.open("wb") as file:
            running = subprocess.Popen(
                sandbox.command(self.TARGET, "--cores", "2"),
                cwd=sandbox.root,
                env=sandbox.environment(),
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.epoch(sandbox) < epoch:
            assert running.poll() is None, log.read_text()
            assert time.monotonic() < deadline, "training writes no checkpoints"
            time.sleep(0.005)
        return running

    def training(self, running: subprocess.Popen[bytes]) -> list[psutil.Process]:
        """The processes below Snakemake that train."""
        children = psutil.Process(running.pid).children(recursive=True)
        return [
            child
            for child in children
            if "train" in child.cmdline()
            and any(Path(argument).name == "dynparam" for argument in child.cmdline()[:2])
        ]

    def test_killed_twice_it_resumes_and_gives_the_same_bytes(self, extracted):
        extracted.write_overlay(self.LONG)
        before = extracted.dynparam("status")
        assert before.code == 0, before.text
        assert status_rows(before.stdout) == {
            name: ["0", "0/2", "0", "0", "0", "0", "?"] for name in TASK_CURVES
        }
        assert "Nothing has been measured yet" in before.stdout

        job_killed = self.start_and_wait_for(extracted, 40)
        trainers = self.training(job_killed)
        assert trainers
        for process in trainers:
            process.kill()
        psutil.wait_procs(trainers, timeout=PATIENCE_SECONDS)
        assert job_killed.wait(timeout=PATIENCE_SECONDS) != 0
        first, finished = self.epoch(extracted), states(extracted)
        assert 40 <= first < self.EPOCHS
        assert [Path(name).name for name in finished] == ["seed-0000.json"]
        assert not (extracted.root / self.TARGET).exists()

        interrupted = extracted.dynparam("status")
        rows = status_rows(interrupted.stdout)
        assert rows[TASK_CURVES[1]][:6] == ["0", "1/2", "0", "1", "0", "0"], interrupted.text
        assert re.search(
            rf"^{TASK_CURVES[1]}, seed 1: interrupted, epoch \d+ of {self.EPOCHS}: its process has",
            interrupted.stdout,
            re.MULTILINE,
        )
        assert "Time left, one job after another" in interrupted.stdout

        all_killed = self.start_and_wait_for(extracted, first + 1)
        second = self.epoch(extracted)
        assert first < second < self.EPOCHS, "it must go on from its checkpoint"
        children = psutil.Process(all_killed.pid).children(recursive=True)
        everything = [psutil.Process(all_killed.pid), *children]
        assert self.training(all_killed)
        for process in everything:
            process.kill()
        psutil.wait_procs(everything, timeout=PATIENCE_SECONDS)
        all_killed.wait(timeout=PATIENCE_SECONDS)
        assert states(extracted) == finished

        assert extracted.snakemake("--unlock").code == 0
        extracted.make(self.TARGET)
        resumed = (extracted.root / self.TARGET).read_bytes()
        assert finished.items() <= states(extracted).items()
        assert self.files(extracted, "safetensors") == self.files(extracted, "status") == []
        done = status_rows(extracted.dynparam("status").stdout)
        assert done[TASK_CURVES[1]] == ["0", "2/2", "0", "0", "0", "0", "0:00:00"]

        shutil.rmtree(extracted.root / "results/training")
        extracted.make(self.TARGET)
        assert not finished.items() & states(extracted).items()
        assert (extracted.root / self.TARGET).read_bytes() == resumed
