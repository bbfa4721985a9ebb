"""Commands around CIFAR-10: retrieve it, extract two-class tasks; registered by ``cli/main.py``."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated

import typer

from dynparam.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption, TaskArgument, examples
from dynparam.configuration.config import Config
from dynparam.configuration.loading import load
from dynparam.data.settings import DataStage, SourceStage
from dynparam.provenance.stage import require
from dynparam.settings.base import named

app = typer.Typer(
    help="Retrieve CIFAR-10 and extract two-class tasks.",
    no_args_is_help=True,
    epilog=examples("dynparam data pair airplane-automobile"),
)


RAW = Path("data/raw")


RawOption = Annotated[Path, typer.Option("--raw", help="Directory of the verified files.")]


@app.command("retrieve", epilog=examples("dynparam data retrieve", "dynparam data retrieve --json"))
def retrieve_cifar10(
    output: Annotated[Path, typer.Option("--output", help="Directory for the verified files.")] = RAW,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Bring the verified CIFAR-10 files to a directory, from a local archive or the mirrors."""
    from dynparam.data import official, retrieval
    from dynparam.provenance import record

    started = time.monotonic()
    settings = load(SourceStage, config)
    found = retrieval.retrieve(settings.source, output, official.expected_hashes())
    members = [output / official.FOLDER / member for member in official.MEMBERS]
    record.write_sidecar(output / "cifar10.json", members, settings, started=started, source=found)
    if as_json:
        typer.echo(json.dumps({"directory": str(output / official.FOLDER), **found}, indent=2))


@app.command(
    "extract",
    epilog=examples("dynparam data extract bird-cat", "dynparam data extract bird-cat --pool"),
)
def extract_pair(
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
    as_json: JsonOption = False,
) -> None:
    """Draw the images of a two-class task, with a manifest of what was drawn."""
    from dynparam.data import official, pairs
    from dynparam.provenance import record

    started = time.monotonic()
    settings = load(DataStage, config)
    named(settings.data.pairs, pair, "data.pairs")
    members = [raw / official.FOLDER / member for member in official.MEMBERS]
    require(members, f"dynparam data pair {pair}")
    npz = output or Path("data/processed", f"{pair}{'.pool' if pool else ''}.npz")
    extract = pairs.extract_pool if pool else pairs.extract_pair
    manifest = extract(raw, pair, settings.data, npz, official.expected_hashes())
    record.write_sidecar(
        npz.with_suffix(".json"), [npz], settings, inputs=members, started=started, **manifest
    )
    if as_json:
        counts = {name: len(subset["indices"]) for name, subset in manifest["subsets"].items()}
        found = {"images": str(npz), "classes": manifest["classes"], **counts}
        typer.echo(json.dumps(found, indent=2))


@app.command("pair", epilog=examples("dynparam data pair airplane-automobile"))
def make_pair(
    pair: TaskArgument, config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False
) -> None:
    """Retrieve CIFAR-10 if it is not there, and extract a two-class task from it: all in one."""
    settings = load(Config, config)
    named(settings.data.pairs, pair, "data.pairs")
    data = settings.paths.data
    images = data / "processed" / f"{pair}.npz"
    retrieve_cifar10(data / "raw", config)
    extract_pair(pair, data / "raw", images, config, pool=False, as_json=as_json)
    if not as_json:
        typer.echo(f"{images}: {' and '.join(settings.data.pairs[pair])}")
