"""A copy of the repository in which the tests run ``snakemake``, and what they read from its answers."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from dynparam.provenance.kept_digests import PLACE, kept_digests
from dynparam.report.stages import STAGES
from tests import warm_commands
from tests.workflow import forks

REPOSITORY = Path(__file__).parents[2]
WORKFLOW_FILES = (
    "CITATION.cff",
    "Snakefile",
    "config",
    "profiles",
    "pyproject.toml",
    "src",
    "workflow",
)
NOT_COPIED = shutil.ignore_patterns("*.egg-info", "*.pyc.*")  # the latter are being written
BIN = Path(sys.executable).parent
TIMEOUT_SECONDS = 3600  # what has not ended by then never will

CURVES = ("fig3_2_constant_ratio", "fig3_2_dynamic_ratio", "fig3_3_spectral", "fig3_3_dynamic")
PAIR = "airplane-automobile"
PANELS = {"fig3_2": CURVES[:2], "fig3_3": CURVES[2:]}
TRAINED = {"fig3_4": PAIR, "fig3_5": "bird-cat"}
DOMAIN = "claim_domain"
PARAMETRIZATIONS = ("spectral", "dynamic")
NETWORK = "40-8"  # that of the figures, in SMALL

SMALL: dict[str, Any] = {
    "probe": {
        "widths": {"smallest": 40, "largest": 120, "count": 3},
        "trials": 4,
        "curves": {
            "fig3_2_dynamic_ratio": {"narrow": {"coefficient": 1}},
            "fig3_3_spectral": {"narrow": {"coefficient": 4}},
            "fig3_3_dynamic": {"narrow": {"coefficient": 4}},
        },
    },
    "law": {
        "widths": {"smallest": 40, "largest": 400, "count": 4},
        "trials": 3,
        "sliding": 2,
        "slopes_from": 80,
        "exact_trials": 5,
    },
    "exponents": {
        "parametrizations": ["spectral", "dynamic"],
        "families": {"square_root": {"coefficient": 1}, "fifth_root": {"coefficient": 4}},
        "widths": {"smallest": 400, "largest": 4000, "count": 3},
        "trials": 3,
    },
    "sweep": {
        "references": ["n_min", "n_max"],
        "r": [0, "1/2", 1],
        "narrow": {"coefficient": 1},
        "second_step": {"widths": {"smallest": 40, "largest": 120, "count": 2}, "trials": 2},
        "training": {"widths": {"smallest": 40, "largest": 120, "count": 2}, "trials": 2},
        "steps": 3,
    },
    "fluctuations": {"n": 40, "n_min": [6, 12], "bottlenecks": [1, 2], "trials": 20},
    "sharpness": {
        "widths": {
            "widths": {"smallest": 40, "largest": 120, "count": 2},
            "images": 8,
            "trials": 2,
        },
        "thesis": {"widths": {"smallest": 1000, "largest": 10**5, "count": 5}, "images": 8},
        "normalization": {
            "widths": [10, 20],
            "fixed_widths": [10, 20],
            "layers": 3,
            "outputs": 8,
            "fixed_images": 8,
            "trials": 2,
        },
        "rates": {"n": [40], "images": 8, "steps": 20},
    },
    "lazy_or_rich": {
        "linearization": {
            "train_images": 4,
            "test_images": 4,
            "widths": {"smallest": 16, "largest": 32, "count": 2},
            "trials": 2,
            "steps": 5,
        },
        "kernel_change": {
            "samples": 4,
            "widths": {
                "constant_ratio": {"smallest": 16, "largest": 64, "count": 2},
                "sharpening": {"smallest": 16, "largest": 64, "count": 2},
            },
            "trials": 2,
            "steps": 5,
        },
        "index": {
            "widths": {"smallest": 64, "largest": 128, "count": 2},
            "trials": 2,
            "dense_widths": {"smallest": 64, "largest": 128, "count": 2},
            "dense_trials": 2,
        },
        "identities": {"n": 20, "n_min": 6},
    },
    "softmax_fisher": {
        "trials": 2,
        "samples": 10,
        "gaussian": {"inputs": 100, "hidden": [200, 200]},
        "images": {"widths": [24, 40]},
    },
    "isometry": {
        "trials": 2,
        "units": 40,
        "depths": [4, 6],
        "control_depth": 6,
        "three_layers": {"units": 40},
        "descent": {"units": 20, "depths": [4, 6], "trials": 2},
        "bottlenecks": {"n": 24, "n_min": 8, "depths": [2, 4], "trials": 3},
    },
    "attentional_boltzmann": {
        "growth": {"samples": 100, "trials": 2},
        "escape": {"hidden": [2, 4], "samples": 100, "trials": 2},
        "mixture": {"samples": [50], "test_samples": 2000, "trials": 20},
        "partition": {"draws": 2000, "trials": 2},
    },
    "natural_gradient": {
        "trials": 2,
        "steps": 3,
        "gaussian": {"inputs": 12, "samples": 6, "widths": [30, 60]},
        "images": {"samples": 6, "widths": [30, 60]},
        "one_step": {"inputs": 8, "samples": 4, "widths": [512, 1024], "trials": 2},
    },
    "continual_learning": {
        "gaussian": {
            "modes": 100,
            "trials": 10,
            "targets": 8,
            "curve": {"first": 20, "seconds": [5, 20]},
            "similarity": {"first": 20, "second": 20, "values": [0, 1]},
            "others": [{"first": 40, "second": 4, "noise": 0}],
            "smooth": {"first": 6, "second": 60, "values": [0, 1]},
        },
        "images": {
            "pool": 40,
            "n": 40,
            "trials": 10,
            "curve": {"first": 10, "seconds": [4, 10]},
            "similarity": {"first": 10, "second": 10, "values": [0, 1]},
            "others": [{"first": 20, "second": 2, "noise": 0}],
        },
    },
    "concept_retrieval": {
        "clusters": {
            "dimensions": 8,
            "clusters": 3,
            "samples": 120,
            "centre_dimensions": 3,
            "within_dimensions": 4,
        },
        "linear": {"latent": [2, 4], "steps": 2000, "rate": 0.05, "trials": 2},
        "nonlinear": {"latent": 4, "hidden": 16, "steps": 200, "batch": 40, "trials": 2},
        "inference": {"patterns": 30, "steps": 10},
    },
    "receptive_fields": {
        "pairs": [PAIR],
        "samples": 16,
        "test_samples": 16,
        "trials": 3,
        "grid": 2,
        "radii": [0.2],
        "drawn": {"grid": 2, "units": 20, "images": 6},
    },
    "best_rate": {
        "tasks": [PAIR],
        "validation_images": 8,
        "networks": [
            {
                "n": 24,
                "n_min": 6,
                "seeds": 2,
                "epochs": 2,
                "first": -8,
                "last": 0,
                "schemes": ["spectral", "dynamic"],
            }
        ],
        "loss_tolerance": 1e-6,
    },
    "weight_decay": {
        "tasks": [PAIR],
        "validation_images": 8,
        "n": 24,
        "n_min": 6,
        "epochs": 2,
        "shrinkage": [0, 0.01],
        "seeds": 2,
        "sizes": {"values": ["1/4", "1/2"], "first": -8, "last": 0, "seeds": 2},
        "loss_tolerance": 1e-6,
    },
    "through_training": {
        "tasks": [PAIR],
        "networks": [{"n": 24, "n_min": 6, "seeds": 1}],
        "epochs": 2,
        "probes": {"images": 8, "every_epochs": 1},
    },
    "open_choices": {
        "trials": 3,
        "dense_trials": 2,
        "training": {"n": 24, "n_min": 6, "seeds": 2, "epochs": 1},
    },
    "findings": {"page": None, "summary": None, "companions": None},
    "protocol": {"n": 40, "n_min": 8, "batch_size": 8, "epochs": 3},
    "training": {
        "reuse": "none",
        "seeds": 2,
        "seeds_per_job": 2,
        "checkpoint_epochs": 1,
        "audit": {"epochs": 1},
    },
    "domain": {
        "tasks": [PAIR],
        "networks": [{"n": 24, "n_min": 6, "seeds": 4, "draws": 2}],
        "epochs": 2,
    },
    "claims": {"epochs": [1, 3]},
    "jobs": {"training_threads": 1, "training_device": "cpu"},
    "fit": {"resamples": 199},
    "figures": {"dpi": 50, "architecture": {"fig3_1": {"n": 120, "n_min": 24}}},
}
"""Overlay on config/thesis.yaml for runs of a part: seconds. n_min must not exceed n."""


def _reduced() -> dict[str, Any]:
    blocks = yaml.safe_load((REPOSITORY / "config/reduced.yaml").read_text(encoding="utf-8"))
    del blocks["paths"], blocks["open_choices"]["page"]
    blocks["jobs"]["training_device"] = "cpu"
    return blocks


REDUCED = _reduced()
"""The overlay config/reduced.yaml, with files where those of the full run lie."""

PLACES = {
    "archived",
    "arms",
    "audit",
    "best_rate",
    "comparison",
    "crate",
    "delay_law",
    "expected",
    "exponents",
    "figures",
    "fits",
    "index",
    "kernel_change",
    "lazy_or_rich",
    "linearization",
    "open_choices",
    "pages",
    "probe",
    "fluctuations",
    "softmax_fisher",
    "isometry",
    "attentional_boltzmann",
    "natural_gradient",
    "continual_learning",
    "concept_retrieval",
    "receptive_fields",
    "processed",
    "report",
    "shards",
    "sharpness",
    "sweep",
    "table1_1",
    "trials",
    "training",
    "weight_decay",
    "through_training",
}
"""Directories below which a file's path names its job."""


@dataclass(frozen=True)
class CifarData:
    """Where a sandbox gets its images: environment variables, and the counts the data can bear."""

    environment: Mapping[str, str]
    overlay: Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """A finished ``snakemake``; ``log`` is what it wrote besides, with every job."""

    code: int
    stdout: str
    stderr: str
    log: str = ""

    @property
    def text(self) -> str:
        return self.stdout + self.stderr

    @property
    def counts(self) -> dict[str, int]:
        """Jobs per rule, from the table of job statistics; the last line is ``total``."""
        table = re.search(r"^job +count\n-+ +-+\n((?:\S+ +\d+\n)+)", self.text + self.log, re.MULTILINE)
        rows = table[1].splitlines() if table else []
        return {rule: int(count) for rule, count in (row.split() for row in rows)}

    def assert_refused(self, *parts: str) -> None:
        """The run failed, and one line of its standard error has all ``parts`` of the sentence."""
        assert self.code != 0, self.text
        assert "Traceback" not in self.text
        sentences = {line.strip() for line in self.stderr.splitlines() if parts[0] in line}
        assert len(sentences) == 1, self.text
        for part in parts:
            assert part in sentences.copy().pop()


@dataclass(frozen=True)
class Sandbox:
    """A copy of the repository, run on the copy's own sources with ``overlay.yaml`` over the thesis."""

    root: Path
    data: CifarData

    @classmethod
    def create(cls, root: Path, data: CifarData, overlay: Mapping[str, Any] = SMALL) -> Sandbox:
        """Copy what the workflow needs; ``overlay`` and that of ``data`` must not share blocks."""
        for name in WORKFLOW_FILES:
            source = REPOSITORY / name
            if source.is_dir():
                # With what Python compiled: it knows a source by its time and size, which are copied.
                shutil.copytree(source, root / name, ignore=NOT_COPIED)
            elif source.is_file():
                root.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, root / name)
        kept_digests(STAGES.values(), root / PLACE)  # the copy has the same code
        sandbox = cls(root, data)
        sandbox.write_overlay(overlay)
        return sandbox

    def clone(self, root: Path) -> Sandbox:
        """A copy to change, results and Snakemake's records included, with the times of all files."""
        ignored = shutil.ignore_patterns("log")  # .snakemake's, which may grow now
        shutil.copytree(self.root, root, copy_function=_copy, ignore=ignored)
        return Sandbox(root, self.data)

    def write_overlay(self, overlay: Mapping[str, Any]) -> None:
        """What every run puts over the thesis; must not share a block with the data's overlay."""
        _write_yaml(self.root / "overlay.yaml", {**overlay, **self.data.overlay})

    def append(self, module: str, text: str) -> None:
        """Add ``text`` to a module, named from inside the package: ``theory.mean_field``."""
        path = self.root.joinpath("src", "dynparam", *module.split(".")).with_suffix(".py")
        path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")

    def environment(self) -> dict[str, str]:
        """This process's environment without what could lead a run out of the sandbox."""
        kept = {
            key: value
            for key, value in os.environ.items()
            # Hundreds of commands import the copy, which is compiled once, whatever is set outside.
            if not key.startswith(("DYNPARAM_", "SNAKEMAKE_", "PYTHONDONTWRITEBYTECODE"))
        }
        return kept | {
            "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}",
            "PYTHONPATH": str(self.root / "src"),
            "NO_PROXY": "127.0.0.1",
            **self.data.environment,
        }

    def command(
        self, *arguments: str, change: Mapping[str, Any] | None = None, overlay: bool = True
    ) -> list[str]:
        """``snakemake`` with the overlay and, over that, the configuration in ``change``."""
        files = ["overlay.yaml"] if overlay else []
        if change is not None:
            # Beside the sandbox, under a name of its own: several processes may plan in one sandbox.
            path = self.root.parent / f"change-{uuid.uuid4().hex}.yaml"
            _write_yaml(path, change)
            files.append(str(path))
        # Behind --configfile, targets would be taken for more files.
        options = ["--configfile", *files] if files else []
        return [str(BIN / "snakemake"), *arguments, *options]

    def snakemake(
        self, *arguments: str, change: Mapping[str, Any] | None = None, overlay: bool = True
    ) -> Outcome:
        _, *options = self.command(*arguments, change=change, overlay=overlay)
        environment = self.environment()
        environment["PATH"] = f"{warm_commands.directory()}{os.pathsep}{environment['PATH']}"
        before = self._logs()
        told = forks.snakemake(self.root, options, environment, TIMEOUT_SECONDS)
        return Outcome(*told, "".join(log.read_text("utf-8") for log in self._logs() - before))

    def _logs(self) -> set[Path]:
        """The logs of Snakemake's runs so far; a dry run writes none."""
        return set(self.root.glob(".snakemake/log/*.log"))

    def dynparam(self, *arguments: str) -> Outcome:
        """The command line on the sandbox's sources and its overlay."""
        done = subprocess.run(
            [BIN / "dynparam", *arguments, "--config", "config/thesis.yaml", "--config", "overlay.yaml"],
            cwd=self.root,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    def make(self, *targets: str, cores: int = 2, change: Mapping[str, Any] | None = None) -> Outcome:
        """Run the workflow and insist that it succeeds."""
        outcome = self.snakemake(*targets, "--cores", str(cores), change=change)
        assert outcome.code == 0, outcome.text
        return outcome

    def plan(self, *targets: str, change: Mapping[str, Any] | None = None) -> set[str]:
        """The jobs that would run, as ``rule name``, where name is that of the job's outputs."""
        rows = self.summary(*targets, change=change)
        return {_job(row["rule"], row["output_file"]) for row in rows if "pending" in row["plan"]}

    def summary(
        self, *arguments: str, change: Mapping[str, Any] | None = None, overlay: bool = True
    ) -> list[dict[str, str]]:
        """Snakemake's row for every output: ``output_file``, ``rule``, ``plan`` and more."""
        outcome = self.snakemake(*arguments, "--summary", change=change, overlay=overlay)
        assert outcome.code == 0, outcome.text
        header, *lines = (line.split("\t") for line in outcome.stdout.splitlines() if "\t" in line)
        assert {"output_file", "rule", "plan"} <= set(header), outcome.text
        return [dict(zip(header, line, strict=True)) for line in lines]

    def files(self) -> dict[str, bytes]:
        """Content of all files, Snakemake's and Python's own left out."""
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in sorted(self.root.rglob("*"))
            if path.is_file() and not {".snakemake", "__pycache__"} & set(path.parts)
        }


def every_finding(file: dict[str, Any]) -> Iterator[dict[str, str]]:
    """The findings of ``dynparam verify --json`` on a file and on all it rests on."""
    yield from file["findings"]
    for one in file["rests_on"]:
        yield from every_finding(one)


def jobs(rule: str, names: Iterable[str]) -> set[str]:
    """Jobs of one rule, as ``Sandbox.plan`` writes them."""
    return {f"{rule} {name}" for name in names}


UP_TO_KIND = r"\.(?!draw-)"
"""What ends the name of a job's output; a draw of the images is a part of it."""


def _job(rule: str, output: str) -> str:
    if rule == "retrieve_cifar10":
        return rule
    parts = Path(output).parts
    # Tables of arms are told by their experiment as well.
    places = {"arms"} if "arms" in parts else PLACES
    start = max(place for place, part in enumerate(parts) if part in places)
    return f"{rule} {re.split(UP_TO_KIND, '/'.join(parts[start + 1 :]), maxsplit=1)[0]}"


def _copy(source: str, target: str) -> None:
    """Copy a file; share the large raw data, which nothing changes in place."""
    if "raw" in Path(source).parts[-3:]:
        os.link(source, target)
    else:
        shutil.copy2(source, target)


def _write_yaml(path: Path, values: Mapping[str, Any]) -> None:
    path.write_text(yaml.safe_dump(dict(values)), encoding="utf-8")
