"""Commands around orders and conditions: exact ones, measured ones, of any profile of widths."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from dynparam.cli.options import DEFAULT_CONFIG, ConfigOption, FigureOption, JsonOption, examples
from dynparam.configuration.loading import load
from dynparam.experiments.measured_orders.settings import ExponentsStage
from dynparam.support.errors import ConfigError
from dynparam.theory import parametrization as blocks_parametrization

app = typer.Typer()


plot = typer.Typer()


WidthsOption = Annotated[
    str, typer.Option("--widths", help="Growth exponents of the hidden widths, such as 1,1/2,1.")
]


NameOption = Annotated[
    blocks_parametrization.ParametrizationName,
    typer.Option("--parametrization", help="Name of a parametrization.", show_default=False),
]


ROption = Annotated[
    str | None, typer.Option("--r", help="r of dynamic parametrization, 0 to 1/2.", show_default="1/2")
]


FromOption = Annotated[int, typer.Option("--from", min=1, help="Smallest n.")]


ToOption = Annotated[int, typer.Option("--to", min=2, help="Largest n.")]


CountOption = Annotated[int, typer.Option("--count", min=2, help="How many n, evenly spaced in log n.")]


TrialsOption = Annotated[int, typer.Option("--trials", min=2, help="Independent trials at each n.")]


ScaleOption = Annotated[
    str, typer.Option("--scale", help="c in widths c n^a: one number, or one a layer.")
]


RateOption = Annotated[float, typer.Option("--learning-rate", help="Global learning rate.")]


SeedOption = Annotated[int, typer.Option("--seed", min=0, help="Seed of the trials.")]


ToleranceOption = Annotated[
    float, typer.Option("--tolerance", min=0, help="Largest difference of exponents counted as equal.")
]


OF_CURVES = ("images", "config")


OF_PROFILES = (
    "widths",
    "parametrization",
    "r",
    "smallest",
    "largest",
    "count",
    "trials",
    "scale",
    "learning_rate",
    "seed",
    "tolerance",
)
"""Parameters of ``probe`` that belong to one of its two uses."""


CONFIDENCE = 0.95
"""Level of the intervals that ``probe --widths`` prints."""


@app.command(
    "orders",
    epilog=examples(
        "dynparam orders --widths 1,1/2,1 --parametrization spectral",
        "dynparam orders --widths 1,1/2,1 --parametrization dynamic --r 1/4 --json",
    ),
)
def show_orders(
    widths: WidthsOption,
    parametrization: NameOption,
    r: ROption = None,
    n_in: Annotated[
        str, typer.Option("--input-exponent", help="Growth exponent of the input width n_0.")
    ] = "0",
    n_out: Annotated[
        str, typer.Option("--output-exponent", help="Growth exponent of the output width n_L.")
    ] = "0",
    as_json: JsonOption = False,
) -> None:
    """Print the exact orders of a profile of widths, and which conditions of the thesis it meets."""
    from dynparam.experiments.own_widths import profile as profiles

    shown = profiles.profile(widths, parametrization, r, n_in, n_out)
    text = profiles.orders_json(shown) if as_json else profiles.orders_text(shown)
    typer.echo(text, nl=False)


def probe_profile(
    profile: tuple[str, str, str | None, str],
    settings: dict[str, object],
    output: Path | None,
    threads: int,
    tolerance: float,
    *,
    as_json: bool = False,
) -> None:
    """Measure a profile of widths and print its exponents.

    ``profile`` and ``settings`` are the arguments of ``experiments.own_widths.profile.profile_probe``.
    """
    import torch

    from dynparam.experiments.own_widths import measure
    from dynparam.experiments.own_widths import profile as profiles
    from dynparam.provenance import record
    from dynparam.support import tables
    from dynparam.support.progress import say

    started = time.monotonic()
    torch.set_num_threads(threads)
    chosen = profiles.profile_probe(*profile, settings)
    say(f"The largest network takes {measure.memory_bytes(chosen) / 2**30:,.2f} GiB.")
    trials = measure.measure(chosen)
    if output is not None:
        tables.write_csv(trials, output)
        record.write_sidecar(output.with_suffix(".json"), [output], chosen, started=started)
    report = measure.report_json if as_json else measure.report
    typer.echo(report(chosen, trials, confidence=CONFIDENCE, tolerance=tolerance), nl=False)


def check_probe_use(context: typer.Context) -> None:
    """Raise ``ConfigError`` if the options of ``probe`` given mix its two uses, or fall short of one."""
    given = {
        name: parameter.opts[0]
        for parameter in context.command.params
        if (name := parameter.name) is not None
        and (source := context.get_parameter_source(name)) is not None
        and source.name == "COMMANDLINE"
    }
    use, other, needed = (
        ("CURVE", OF_PROFILES, ()) if "curve" in given else ("--widths", OF_CURVES, ("parametrization",))
    )
    if "curve" not in given and "widths" not in given:
        raise ConfigError(
            "probe measures a CURVE of the configuration, or a profile of your own; name a curve of "
            "probe.curves, or give --widths and --parametrization"
        )
    wrong = [given[name] for name in other if name in given]
    if wrong:
        raise ConfigError(f"probe {use} has no use for {', '.join(wrong)}; leave it out")
    missing = [f"--{name}" for name in needed if name not in given]
    if missing:
        raise ConfigError(f"probe {use} needs {' and '.join(missing)}; add it")


@plot.command(
    "conditions", epilog=examples("dynparam plot conditions --results results --output conditions.png")
)
def plot_conditions(
    results: Annotated[Path, typer.Option("--results", help="Directory with exponents/.")],
    output: FigureOption,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Draw which parametrization meets which condition on which widths: theory and measurement."""
    from dynparam.experiments.measured_orders import conditions, conditions_figure
    from dynparam.presentation import figure_style
    from dynparam.provenance import record
    from dynparam.support import tables

    started = time.monotonic()
    settings = load(ExponentsStage, config)
    files = {
        (name, family): results / "exponents" / f"{name}_{family}.csv"
        for name in settings.exponents.parametrizations
        for family in settings.exponents.families
    }
    matrix = conditions.condition_matrix(
        settings, {key: tables.read_csv(path) for key, path in files.items()}
    )
    picture = conditions_figure.condition_figure(matrix, settings.exponents)
    written = figure_style.save(picture, matrix, output, settings.figures.dpi)
    record.write_sidecar(
        output.with_suffix(".json"), written, settings, inputs=list(files.values()), started=started
    )
