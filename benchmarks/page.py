"""Make the page of benchmarks and its figure from the JSON files that the benchmarks wrote.

    python -m benchmarks.page

Every number on the page is one of theirs, or computed from theirs here.
"""

from __future__ import annotations

import argparse
import json
import time
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import jinja2
import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pydantic import BaseModel

from benchmarks.record import ROOT
from dynparam.presentation.figure_style import LAYER_COLOURS, STYLE, Sheet, save
from dynparam.presentation.sentences import grouped
from dynparam.provenance.record import write_sidecar
from dynparam.support.files import write_text
from dynparam.theory.widths import bottleneck

FOLDER = Path(__file__).parent
DRAWN = ("one_step", "law", "training_epoch", "bfloat16_curves")
"""The records that the figure comes with."""
NAMES = (*DRAWN, "kernels", "dry_run", "training_at_once", "jobs")
STRAIGHTFORWARD, DENSE, LAW = "straightforward torch", "dense probe", "exact law, one thread"
MARKERS = {STRAIGHTFORWARD: "s", DENSE: "o", LAW: "^"}
LIMITS = {DENSE: ":", LAW: "-."}
"""Line styles of the limits, which grey print tells apart."""

PLAIN, DUAL = "plain torch", "engine, dual first layer"
LIMIT_OF = {"bfloat16": "bfloat16 as used", "engine": "float32 as used", "plain": "torch float32"}
"""Which rate of matrix products bounds a version whose name has this word; the first that fits."""

Records = dict[str, Any]


class Drawing(BaseModel):
    """How the figure is drawn."""

    dpi: int


def main() -> None:
    """Write the page and the figure with its data and provenance."""
    parser = argparse.ArgumentParser(description="Make the page of benchmarks.")
    parser.add_argument("--records", type=Path, default=FOLDER, help="directory of the JSON files")
    parser.add_argument("--page", type=Path, default=FOLDER / "README.md")
    parser.add_argument("--figure", type=Path, default=ROOT / "figures" / "benchmarks.png")
    arguments = parser.parse_args()
    started = time.monotonic()
    records = read(arguments.records)
    write_text(arguments.page, page(records))
    table = plotted_data(records)
    drawing = Drawing(dpi=300)
    said = message(table)
    outputs = save(figure(table, Sheet(message=said)), table, arguments.figure, drawing.dpi)
    inputs = [arguments.records / f"{name}.json" for name in DRAWN]
    sidecar = arguments.figure.with_suffix(".json")
    write_sidecar(sidecar, outputs, drawing, inputs=inputs, started=started, message=said)


def read(folder: Path) -> Records:
    """The records of all benchmarks, by name."""
    return {name: json.loads((folder / f"{name}.json").read_text(encoding="utf-8")) for name in NAMES}


def page(records: Records) -> str:
    """The page as Markdown."""
    one_step, law, training, bfloat16, kernels, dry_run, at_once, jobs = (
        records[name] for name in NAMES
    )
    return _template().render(
        one_step=one_step,
        law=law,
        training=training,
        bfloat16=bfloat16,
        kernels=kernels,
        dry_run=dry_run,
        at_once=at_once,
        jobs=jobs,
        taken=taken,
        **_of_engines(one_step, law),
        **_of_training(training),
        **_of_bfloat16(bfloat16["comparisons"]),
    )


@cache
def _template() -> jinja2.Template:
    """The page's template. A number that is missing is an error."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        autoescape=False,
    )
    environment.filters["digits"] = digits
    return environment.get_template("README.md.j2")


def digits(value: float, count: int) -> str:
    """A number to so many significant digits, with an exponent if very small or large."""
    rounded = float(f"{value:.{count}g}")
    if rounded and not 2e-4 <= abs(rounded) < 1e5:
        mantissa, exponent = f"{value:.{count - 1}e}".split("e")
        return f"{mantissa}e{int(exponent)}"
    shown = f"{value:#.{count}g}" if abs(rounded) < 1e5 else f"{rounded:.0f}"
    return f"{rounded:.0f}" if shown.endswith(".") or "e" in shown else shown


def taken(record: Records) -> str:
    """When and on which machine a benchmark was run, in a sentence."""
    machine, versions = record["hardware"], record["versions"]
    threads = machine.get("torch_threads")  # of those that load torch
    of_torch = f" ({threads} for torch)" if threads else ""
    return (
        f"*`{record['command']}` on {record['created'][:10]}: {machine['processor']}, "
        f"{machine['cores']} cores{of_torch}, {machine['memory_gib']} GiB; "
        f"Python {versions['python']}, torch {versions['torch']}.*"
    )


def _of_engines(one_step: Records, law: Records) -> Records:
    """What the page says of the dense and the law engine together."""
    largest = law["largest_n"]
    network = bottleneck(largest, largest // 5).sizes
    return {
        "widest": law["n = 10^4, constant ratio"],
        "growth": law["exponent of the cost in n"],
        "dense_alone": one_step["curves"][-1]["probe (s)"] / one_step["trials"],
        "hidden_weights": float(sum(a * b for a, b in pairwise(network[1:-1]))),
    }


def _of_training(training: Records) -> Records:
    """What the page says of training besides its table."""
    timed = {row["version"]: row for row in training["versions_timed"]}
    rates = training["product_flops_per_second"]
    dual = timed[DUAL]
    return {
        "gflops": {name: rate / 1e9 for name, rate in rates.items()},
        "dual_limit": dual["tera_operations"] * 1e12 / rates["float32 as used"],
        "dual_seconds": dual["training_seconds"] + dual["evaluation_seconds"],
        "saved": 1 - dual["tera_operations"] / timed[PLAIN]["tera_operations"],
    }


def _of_bfloat16(comparisons: list[Records]) -> Records:
    """How many intervals are harmless, how many of the control, and the end farthest from zero."""
    return {
        "harmless": sum(row["verdict"] == "harmless" for row in comparisons),
        "control": sum(row["control_verdict"] == "harmless" for row in comparisons),
        "farthest": max(max(-row["ci_low"], row["ci_high"]) for row in comparisons),
        "bfloat16_epochs": sorted({row["epoch"] for row in comparisons}),
    }


def plotted_data(records: Records) -> pd.DataFrame:
    """All the figure shows: panel, series, n (of a step), seconds, of which evaluation, limit."""
    one_step, law, training, *_ = (records[name] for name in NAMES)
    widest = law["n = 10^4, constant ratio"]
    rows = [
        ("step", series, row["n"], row[key], None, row["at the machine's rates (s)"])
        for row in one_step.get("widths", [])
        for series, key in ((STRAIGHTFORWARD, "straightforward (s)"), (DENSE, "probe (s)"))
    ]
    if not rows:  # records from before the probe was timed width by width
        rows = [("step", DENSE, 10_000, widest["dense (s)"], None, None)]
    rows += [
        ("step", LAW, row["n"], row["law (s)"], None, row["at the rate of numbers (s)"])
        for row in law["widths"]
    ]
    for row in training["versions_timed"]:
        kind = next(kind for word, kind in LIMIT_OF.items() if word in row["version"])
        limit = row["tera_operations"] * 1e12 / training["product_flops_per_second"][kind]
        seconds = row["training_seconds"] + row["evaluation_seconds"]
        rows.append(("epoch", row["version"], None, seconds, row["evaluation_seconds"], limit))
    return pd.DataFrame(rows, columns=["panel", "series", "n", "seconds", "evaluation", "limit"])


def message(table: pd.DataFrame) -> str:
    """How many times as fast a step and an epoch are, each timed in one run, and how far the law goes.

    Of a step at the largest width where both versions were timed; without any, of the rest.
    """
    step = table[table["panel"] == "step"].pivot(index="n", columns="series", values="seconds")
    epoch = table[table["panel"] == "epoch"].set_index("series")["seconds"]
    parts = []
    if STRAIGHTFORWARD in step:
        ratios = (step[STRAIGHTFORWARD] / step[DENSE]).dropna()
        ratio = digits(ratios.iloc[-1], 2)
        parts.append(f"a step at n = {grouped(ratios.index[-1])} is {ratio} times as fast")
    parts.append(f"an epoch {digits(epoch[PLAIN] / epoch[DUAL], 2)} times as fast")
    law = step[LAW].dropna()
    reach = f"by the exact law a step at n = {grouped(law.index[-1])} takes {digits(law.iloc[-1], 2)} s"
    said = f"{' and '.join(parts)} as in plain torch; {reach}"
    return said[0].upper() + said[1:]


def figure(table: pd.DataFrame, sheet: Sheet) -> Figure:
    """Cost of a step against width, log-log, and of an epoch of training, version by version."""
    with mpl.rc_context(STYLE):
        drawn = sheet.figure(3.7)
        left, right = drawn.subplots(1, 2, width_ratios=[1.1, 1])
        _steps(left, table[table["panel"] == "step"])
        _epochs(right, table[table["panel"] == "epoch"])
    return drawn


def _steps(axis: Axes, table: pd.DataFrame) -> None:
    for colour, (series, marker) in zip(LAYER_COLOURS, MARKERS.items(), strict=False):
        rows = table[table["series"] == series]
        if rows.empty:
            continue
        axis.plot(rows["n"], rows["seconds"], color=colour, marker=marker, markersize=4, label=series)
        # The straightforward version and the probe face the same limit; it is drawn once.
        if series in LIMITS and rows["limit"].notna().all():
            axis.plot(
                rows["n"],
                rows["limit"],
                color=colour,
                linestyle=LIMITS[series],
                label=f"limit of the {series}",
            )
    axis.set(
        xscale="log", yscale="log", xlabel=r"$n$ (neurons), $n_{\min} = n/5$", ylabel="seconds per trial"
    )
    axis.set_title("One step")
    axis.grid(alpha=0.3, linewidth=0.4)
    axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2, frameon=False)


def _epochs(axis: Axes, table: pd.DataFrame) -> None:
    places = range(len(table))
    training = table["seconds"] - table["evaluation"]
    axis.barh(places, training, color=LAYER_COLOURS[0], label="training")
    axis.barh(
        places,
        table["evaluation"],
        left=training,
        color=LAYER_COLOURS[4],
        hatch="///",
        label="evaluation",
    )
    for place, limit in zip(places, table["limit"], strict=True):
        name = "limit of matrix products" if place == 0 else None
        axis.plot([limit, limit], [place - 0.4, place + 0.4], color="black", linewidth=1.5, label=name)
    axis.set_yticks(places, [series.replace(", ", ",\n", 1) for series in table["series"]])
    axis.invert_yaxis()
    axis.set(xlabel="seconds per epoch", title="An epoch of training")
    # Below the panel: within it there is no room beside a bar.
    axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), frameon=False)


if __name__ == "__main__":
    main()
