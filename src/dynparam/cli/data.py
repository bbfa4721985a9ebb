"""Commands around CIFAR-10: retrieve it, extract two-class tasks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from dynparam.cli.help import App
from dynparam.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption, TaskArgument, examples
from dynparam.cli.telling import tell
from dynparam.configuration.config import Config
from dynparam.configuration.loading import load
from dynparam.data.settings import DataStage, SourceStage, images_name
from dynparam.data.stages import EXTRACT, RAW, RETRIEVE
from dynparam.provenance.stage import run
from dynparam.settings.base import named

app = App(
    help="Retrieve CIFAR-10 and extract two-class tasks.",
    epilog=examples("dynparam data pair airplane-automobile"),
)

RawOption = Annotated[Path, typer.Option("--raw", help="Directory of the verified files.")]


@app.command("retrieve", epilog=examples(*RETRIEVE.examples))
def retrieve(
    output: Annotated[Path, typer.Option("--output", help="Directory for the verified files.")] = RAW,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Bring the verified CIFAR-10 files to a directory, from a local archive or the mirrors."""
    made = run(RETRIEVE, load(SourceStage, config), output)
    if as_json:
        found = {"directory": str(made.files[0].parent), **made.details["source"]}
        tell(json.dumps(found, indent=2))


@app.command("extract", epilog=examples(*EXTRACT.examples))
def extract(
    pair: TaskArgument,
    raw: RawOption = RAW,
    output: Annotated[
        Path | None,
        typer.Option("--output", help="File to write (.npz).", show_default="data/processed/PAIR.npz"),
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    pool: Annotated[
        bool, typer.Option("--pool", help="Keep every image of the two classes, draw none.")
    ] = False,
    validation: Annotated[
        int,
        typer.Option("--validation", min=0, help="Images of a third set, drawn from what is left over."),
    ] = 0,
    as_json: JsonOption = False,
) -> None:
    """Draw the images of a two-class task, with a manifest of what was drawn."""
    settings = load(DataStage, config)
    named(settings.data.pairs, pair, "data.pairs")
    name = f"{pair}.pool" if pool else images_name(pair, validation=validation)
    npz = output or Path("data/processed", f"{name}.npz")
    made = run(EXTRACT, settings, npz, pair=pair, raw=raw, pool=pool, validation=validation)
    if as_json:
        manifest = made.details
        counts = {name: len(subset["indices"]) for name, subset in manifest["subsets"].items()}
        found = {"images": str(npz), "classes": manifest["classes"], **counts}
        tell(json.dumps(found, indent=2))


@app.command("pair", epilog=examples("dynparam data pair airplane-automobile"))
def make_pair(
    pair: TaskArgument, config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False
) -> None:
    """Retrieve CIFAR-10 if it is not there, and extract a two-class task from it: all in one."""
    settings = load(Config, config)
    named(settings.data.pairs, pair, "data.pairs")
    data = settings.paths.data
    images = data / "processed" / f"{pair}.npz"
    retrieve(data / "raw", config)
    extract(pair, data / "raw", images, config, pool=False, as_json=as_json)
    if not as_json:
        tell(f"{images}: {' and '.join(settings.data.pairs[pair])}")
