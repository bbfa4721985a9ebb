"""A finished run in miniature, for the report: invented results beside the tracked figures' data."""

import json
import shutil
import struct
import time
import zlib
from itertools import product
from pathlib import Path

import pandas as pd

from dynparam.configuration.config import Config
from dynparam.configuration.loading import load
from dynparam.provenance.record import write_sidecar
from dynparam.provenance.source_claims import REPORT, THESIS, SourceClaim
from dynparam.report import published
from dynparam.report.contents import all_figures
from dynparam.report.sources import Tested
from dynparam.report.sources import table as table_of_sources
from dynparam.statistics.estimates import Estimate
from dynparam.statistics.judged import CLAIM, CONTROL, Row, table, within
from dynparam.training.settings import all_runs, for_audit
from tests import (
    arms,
    boltzmann,
    concepts,
    continual,
    delays,
    fields,
    fluctuating,
    isometry,
    lazy,
    natural,
    probed,
    softmax,
)

ROOT = Path(__file__).parents[1]

HOSTILE = '</td><script>alert("1")</script>&amp; <img src=x onerror=alert(1)>'
"""A note that would break a page which does not escape it."""

FINDINGS = """<!-- Generated. -->
# Findings

See the [open choices](open-choices.md), [its choices](open-choices.md#choices) and [theory](theory.md).

## In brief

- Of 24 slopes of $n_{{\\min}} = 150 n^{{1/5}}$, 21 agree (`{figures}/fig3_2.csv`).
- <b>Nothing</b> else.

## What reproduces

1. **Theory and
   measurement agree** in 2 slopes (`results/comparison/slopes.csv`, `{figures}/fig3_2.csv`) of
   |<dL/dh, Delta h>|.

2. (**not so in this run:**) **Dynamic keeps its updates.** See `figures/elsewhere.csv`.

   | n | |
   |---|---|
   | 1000 | holds |
"""

FILES = {
    "fig3_2": ("figures", "figure-fig3_2", ("png", "svg", "pdf", "csv", "json")),
    "comparison/slopes": ("results", "slopes", ("csv", "md", "html", "json")),
    "table1_1/table1_1": ("results", "table1_1", ("csv", "md", "html", "json")),
}
"""Files that the findings name: the folder of each, the anchor of what shows it, and its kinds."""

COMPANIONS = """# Companion experiments

## Sec. 4 (1): Parameter space

- **The eigenvalue is large.** It is ([findings](findings.md)), in `results/comparison/sources.csv`, as
  [its page](companions/sharpness.md) shows.
"""

OPEN_CHOICES = """# Open choices

![What changes]({figures}/open_choices.png)

## Choices

| choice | change |
|---|---|
| a & b | <b>0.1</b> |

Back to the [findings](findings.md#what-reproduces) or [elsewhere](https://example.org/).
"""


VECTORS = ("fig3_3", "fig3_3_wide")
"""The figures whose SVG is smaller than their PNG."""


def svg(width: int, height: int) -> bytes:
    """An SVG picture of one grey, at a size of its own; its script would be seen if it ran."""
    script = 'window.intruded = true; fetch("http://127.0.0.1:9/");'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width / 3}pt" height="{height / 3}pt" '
        f'viewBox="0 0 {width} {height}"><script>{script}</script>'
        f'<path d="M0 0h{width}v{height}h-{width}z" style="fill: #999999"/></svg>'
    ).encode()


def png(width: int, height: int, comment: bytes = b"") -> bytes:
    """A PNG picture of one grey."""
    rows = b"".join(b"\0" + b"\x99" * width for _ in range(height))
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))]
    chunks += [(b"tEXt", b"Comment\0" + comment)] if comment else []
    chunks += [(b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def slopes() -> pd.DataFrame:
    """Twelve slopes, four of each verdict, some notes hostile; more of those at great widths are off."""
    rows = [
        {
            "figure": figure,
            "curve": curve,
            "parametrization": curve.rpartition("_")[2],
            "layer": layer,
            "asymptotic": -0.5,
            "expected": -0.1 * layer,
            "slope": 0.05 - 0.3 * layer,
            "ci_low": -0.3 * layer,
            "ci_high": 0.1 - 0.3 * layer,
            "verdict": ("agrees", "disagrees", "undecided")[1 - layer % 3 if turned else layer % 3],
            "note": HOSTILE if layer == 2 else "the claim shows",
            "expected_exact": None if figure.endswith("wide") else -0.1 * layer,
            "expected_exact_error": None if figure.endswith("wide") else 0.005,
            "deviation": 0.1,
            "drawn_slope": 0.06 - 0.3 * layer,
            "drawn_low": -0.01 - 0.3 * layer,
            "drawn_high": 0.12 - 0.3 * layer,
            "joint_statistic": None if figure.endswith("wide") else 1.5,
            "joint_layers": None if figure.endswith("wide") else 3,
            "joint_freedom": None if figure.endswith("wide") else 90.0,
            "joint_p": None if figure.endswith("wide") else 0.2,
        }
        for figure, curve, layer in product(
            ("fig3_3", "fig3_3_wide"), ("fig3_3_spectral", "fig3_3_dynamic"), (1, 2, 3)
        )
        for turned in (curve.endswith("dynamic") and layer == (3 if figure.endswith("wide") else 1),)
    ]
    return pd.DataFrame(rows)


def claims() -> pd.DataFrame:
    """Claims with every verdict, one of them without a number."""
    verdicts = {"epoch 1": "holds", "epoch 5": "fails", "area": "undecided"}
    return pd.DataFrame(
        {
            "claim": f"{task}: dynamic has the lower training loss",
            "source": source,
            "metric": f"train_loss {at}",
            "role": "primary" if at == "area" else "secondary",
            "value": None if at == "area" else 0.1,
            "ci_low": None if at == "area" else 0.05,
            "ci_high": None if at == "area" else 0.2,
            "p_value": None if at == "area" else 0.01,
            "p_holm": None,
            "verdict": verdict,
            "note": "3 pairs",
        }
        for task, source in (("airplane-automobile", "Fig. 3.4"), ("bird-cat", "Fig. 3.5"))
        for at, verdict in verdicts.items()
    )


def edges() -> pd.DataFrame:
    """Two edges, and one that was not found."""
    columns = ("statistic", "reference", "edge_expected", "edge", "ci_low", "ci_high", "verdict", "note")
    rows = [("drift", "n_min", 0.5, 0.49, 0.45, 0.52, "agrees", None)]
    rows += [("growth", "n_max", 0.25, 0.3, 0.2, 0.4, "undecided", "few trials")]
    rows += [("growth", "n_min", 0.5, None, None, None, "undecided", "no edge in the range of r")]
    table = pd.DataFrame(rows, columns=list(columns))
    return table.assign(update_exponent=table["edge"] / 2, update_expected=0.25)


def sharpness() -> pd.DataFrame:
    """A claim that agrees, one that does not, an open one, and a control that is refuted."""
    rows = (
        ("constant, ntk", CLAIM, 0.0, 0.01, ""),
        ("constant, mup", CLAIM, 0.0, 0.4, ""),
        ("constant, standard", CLAIM, 1.0, 0.9, ""),
        ("sharpening, spectral", CONTROL, 0.0, -1.0, HOSTILE),
    )
    return table(
        Row(
            "widths",
            "slope",
            setting,
            role,
            expected,
            Estimate(value, value - 0.1, value + 0.1, 0.05, 20),
            within(expected, 0.15),
            note,
        )
        for setting, role, expected, value, note in rows
    )


def sources(results: Path, figures: Path) -> pd.DataFrame:
    """``results/comparison/sources.csv``: a claim of every verdict, the last one hostile."""
    slopes, curves = (f"{results}/comparison/{name}.csv" for name in ("slopes", "claims"))
    claims = (
        SourceClaim(document, f"Sec. {place}", f"Claim {place}.", measured, words, evidence, figure)
        for place, (document, words, measured, evidence, figure) in enumerate(
            (
                (THESIS, ("agrees", "holds"), "Two slopes.", slopes, "fig3_3"),
                (THESIS, ("agrees", "fails"), "One of each.", curves, "fig3_3"),
                (REPORT, ("disagrees",), "One slope.", slopes, ""),
                (REPORT, ("holds", "undecided"), "Two.", f"{figures}/conditions.csv", "conditions"),
                (REPORT, (), HOSTILE, "", ""),
            )
        )
    )
    return table_of_sources([Tested(claim, None) for claim in claims])


def beside() -> pd.DataFrame:
    """``results/comparison/published.csv``: a figure or page of every answer."""
    rows = [
        (f"fig{place}", published.KINDS[place % 2], answer, HOSTILE, "made", "kept")
        for place, answer in enumerate(published.ANSWERS)
    ]
    return pd.DataFrame(rows, columns=list(published.FORM.columns))


def settings(root: Path, reuse: str = "archive") -> Config:
    """The thesis's configuration with all files below ``root``."""
    paths = {"data": f"{root}/data", "results": f"{root}/results", "figures": f"{root}/figures"}
    changes = {
        "paths": paths,
        "training": {"reuse": reuse},
        "findings": {
            "page": f"{root}/docs/findings.md",
            "summary": None,
            "companions": f"{root}/docs/companions.md",
        },
        "open_choices": {"page": f"{root}/docs/open-choices.md"},
    }
    return load(Config, [ROOT / "config/thesis.yaml", json.dumps(changes)])


def make(root: Path, size: tuple[int, int] = (1500, 600)) -> Config:
    """Write everything the report needs below ``root``; returns the run's configuration."""
    chosen = settings(root)
    results, figures, docs = chosen.paths.results, chosen.paths.figures, root / "docs"
    companions = (
        "best_rate",
        "weight_decay",
        "fluctuations",
        "sharpness",
        "lazy_or_rich",
        "softmax_fisher",
        "isometry",
        "attentional_boltzmann",
        "natural_gradient",
        "continual_learning",
        "concept_retrieval",
        "receptive_fields",
        "through_training",
        "delay_law",
    )
    for folder in ("comparison", "table1_1", "sweep", *companions, "benchmarks/draw"):
        (results / folder).mkdir(parents=True)
    figures.mkdir()
    docs.mkdir()
    shutil.copy(ROOT / "figures/table1_1.csv", results / "table1_1/table1_1.csv")
    made = {
        "comparison/slopes": slopes(),
        "comparison/claims": claims(),
        "comparison/sources": sources(results, figures),
        "comparison/published": beside(),
        "sweep/edges": edges(),
        "best_rate/verdicts": arms.rate_verdicts(),
        "best_rate/best": arms.best_rates(),
        "weight_decay/verdicts": arms.decay_verdicts(),
        "fluctuations/verdicts": fluctuating.verdicts(),
        "sharpness/verdicts": sharpness(),
        "lazy_or_rich/verdicts": lazy.verdicts(),
        "softmax_fisher/verdicts": softmax.verdicts(),
        "isometry/verdicts": isometry.verdicts(),
        "attentional_boltzmann/verdicts": boltzmann.verdicts(),
        "natural_gradient/verdicts": natural.verdicts(),
        "continual_learning/verdicts": continual.whole_verdicts(),
        "concept_retrieval/verdicts": concepts.verdicts(),
        "receptive_fields/verdicts": fields.verdicts(),
        "through_training/verdicts": probed.verdicts(),
        "delay_law/verdicts": delays.verdicts(),
    }
    for name, one in made.items():
        one.to_csv(results / f"{name}.csv", index=False)
    for name in (*made, "table1_1/table1_1"):
        shutil.copy(ROOT / "figures/fig3_2.json", results / f"{name}.json")
    for _, shown in all_figures(chosen):
        name = shown.name
        larger = b"." * 4096
        vector = name in VECTORS
        (figures / f"{name}.png").write_bytes(png(*size, comment=larger if vector else b""))
        padding = b"" if vector else b"<!--" + larger + b"-->"
        (figures / f"{name}.svg").write_bytes(svg(*size) + padding)
        (figures / f"{name}.pdf").write_bytes(b"%PDF-1.4\n")
        for kind in ("csv", "json"):
            shutil.copy(ROOT / f"figures/{name}.{kind}", figures / f"{name}.{kind}")
    found = {"seed": 1, "epochs": 2, "loss_difference": 1e-9, "accuracy_difference": 0.0}
    found |= {"tolerance": 5e-3, "accuracy_tolerance": 5e-3, "device": "a processor"}
    for place, run in enumerate(all_runs(chosen).values()):
        path = results / "audit" / f"{run.place}.json"
        changed = {"loss_difference": 1.0} if place == 3 else {}
        subject = {"task": run.task, "network": run.network, "parametrization": run.parametrization}
        subject |= {"table_sha256": "0" * 64, "images_sha256": "0" * 64, "chosen_seed": None}
        write_sidecar(
            path,
            [],
            for_audit(chosen, run.task, run.network),
            started=time.monotonic(),
            code={"stage": "audit_archive", "digest": "0" * 16},
            audit=found | changed,
            audited=subject,
        )
    (results / "benchmarks/draw/fig.tsv").write_text("s\tmax_rss\n2.5\t310.2\n")
    (results / "benchmarks/measure.tsv").write_text("s\tmax_rss\n7.5\tNA\n")
    named = [
        f"`{root}/{folder}/{name}.{kind}`"
        for name, (folder, _, kinds) in FILES.items()
        for kind in kinds
    ]
    findings = FINDINGS.format(figures=figures)
    (docs / "findings.md").write_text(f"{findings}\nThe files are {', '.join(named)}.\n")
    (docs / "companions.md").write_text(COMPANIONS)
    (docs / "open-choices.md").write_text(OPEN_CHOICES.format(figures="../figures"))
    return chosen
