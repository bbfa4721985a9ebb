"""Commands around one step of a network: of a configured curve, or of a profile of one's own."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated

import typer

from dynparam.cli.help import RUN, TRY, App
from dynparam.cli.options import (
    DEFAULT_CONFIG,
    ConfigOption,
    CurveArgument,
    EngineOption,
    JsonOption,
    OwnImagesOption,
    OwnOutputOption,
    ThreadsOption,
    examples,
)
from dynparam.cli.orders import NameOption, ROption, WidthsOption
from dynparam.cli.places import own_place, probe_images
from dynparam.cli.telling import tell
from dynparam.configuration.config import Config
from dynparam.configuration.loading import load
from dynparam.experiments.alignments.settings import ComparisonStage, CurvesStage
from dynparam.experiments.alignments.stages import COMPARE, EXPECT, PROBE
from dynparam.provenance.stage import run
from dynparam.trials.settings import Engine, ProbeStage

app = App()

CONFIDENCE = 0.95
"""Level of the intervals that ``measure`` prints."""


@app.command("probe", group=TRY, epilog=examples(*PROBE.examples))
def probe(
    curve: CurveArgument,
    images: OwnImagesOption = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            help="CSV of the trials to write, and nothing else.",
            show_default="below results/own, with slopes and a picture",
        ),
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    threads: ThreadsOption = 2,
    engine: EngineOption = "dense",
    as_json: JsonOption = False,
) -> None:
    """Measure one step of a curve, print its slopes and draw it; an interrupted measurement resumes."""
    settings = load(ProbeStage, config)
    settings.probe.curve(curve)
    pair = probe_images(config, images)
    if output is None:
        _show_curve(config, curve, pair, threads, engine, as_json)
        return
    made = run(PROBE, settings, output, curve=curve, images=pair, threads=threads, engine=engine)
    tell(json.dumps({"trials": str(output)}) if as_json else made.said)


def _show_curve(
    config: list[str], curve: str, pair: Path, threads: int, engine: Engine, as_json: bool
) -> None:
    """Measure, judge and draw a curve below the directory of results of one's own."""
    from dynparam.experiments.alignments import at_once

    settings = load(CurvesStage, config)
    made = at_once.make(
        settings, curve, [curve], pair, own_place(config), engine=engine, threads=threads
    )
    if as_json:
        tell(json.dumps(made.values(), indent=2))
    else:
        tell(f"{at_once.as_text(settings, made.slopes)}\n\n{made.places()}")


@app.command("expect", epilog=examples(*EXPECT.examples))
def expect(
    curve: CurveArgument,
    images: OwnImagesOption = None,
    output: OwnOutputOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Compute the mean-field alignments of a curve at its widths."""
    settings = load(ProbeStage, config)
    place = output or own_place(config, "expected", f"{curve}.csv")
    run(EXPECT, settings, place, curve=curve, images=probe_images(config, images))


@app.command("compare", group=RUN, epilog=examples(*COMPARE.examples))
def compare(
    results: Annotated[
        Path | None,
        typer.Option(
            "--results", help="Directory with fits/, expected/ and law/.", show_default="paths.results"
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            help="CSV to write; Markdown and HTML go beside it.",
            show_default="below results/own",
        ),
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Compare measured with expected slopes of the thesis's curves."""
    place = output or own_place(config, "comparison", "slopes.csv")
    folder = results or load(Config, config).paths.results
    made = run(COMPARE, load(ComparisonStage, config), place, results=folder)
    tell(json.dumps({"table": str(place), **made.values}) if as_json else made.said)


@app.command(
    "measure",
    group=TRY,
    epilog=examples(
        "dynparam measure --widths 1,1/2,1 --parametrization spectral",
        "dynparam measure --widths 1,1/2,1 --scale 1,6,1 --parametrization dynamic --to 1000000 --json",
    ),
)
def measure(
    widths: WidthsOption,
    parametrization: NameOption,
    r: ROption = None,
    scale: Annotated[
        str, typer.Option("--scale", help="c in widths c n^a: one number, or one a layer.")
    ] = "1",
    smallest: Annotated[int, typer.Option("--from", min=1, help="Smallest n.")] = 1000,
    largest: Annotated[int, typer.Option("--to", min=2, help="Largest n.")] = 100_000,
    count: Annotated[
        int, typer.Option("--count", min=2, help="How many n, evenly spaced in log n.")
    ] = 5,
    trials: Annotated[int, typer.Option("--trials", min=2, help="Independent trials at each n.")] = 20,
    learning_rate: Annotated[float, typer.Option("--learning-rate", help="Global learning rate.")] = 0.1,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the trials.")] = 0,
    tolerance: Annotated[
        float,
        typer.Option("--tolerance", min=0, help="Largest difference of exponents counted as equal."),
    ] = 0.1,
    output: Annotated[
        Path | None, typer.Option("--output", help="CSV of the trials.", show_default="none is kept")
    ] = None,
    threads: ThreadsOption = 2,
    engine: EngineOption = "law",
    as_json: JsonOption = False,
) -> None:
    """Measure one step of a profile of widths of your own, and print its exponents."""
    import torch

    from dynparam.experiments.own_widths import measure as trials_of
    from dynparam.experiments.own_widths import profile
    from dynparam.provenance.record import write_sidecar
    from dynparam.support.progress import say
    from dynparam.support.tables import write_csv

    started = time.monotonic()
    torch.set_num_threads(threads)
    chosen = profile.profile_probe(
        widths,
        parametrization,
        r,
        scale,
        {
            "widths": {"smallest": smallest, "largest": largest, "count": count},
            "trials": trials,
            "engine": engine,
            "learning_rate": learning_rate,
            "seed": seed,
        },
    )
    say(f"The largest network takes {trials_of.memory_bytes(chosen) / 2**30:,.2f} GiB.")
    table = trials_of.measure(chosen)
    if output is not None:
        write_csv(table, output)
        write_sidecar(output.with_suffix(".json"), [output], chosen, started=started)
    report = trials_of.report_json if as_json else trials_of.report
    tell(report(chosen, table, confidence=CONFIDENCE, tolerance=tolerance), nl=False)
