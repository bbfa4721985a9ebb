"""The command of the first minute; registered by ``cli/main.py``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from dynparam.cli.help import TRY, App
from dynparam.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption, examples
from dynparam.cli.telling import tell
from dynparam.configuration.config import Config
from dynparam.configuration.loading import load
from dynparam.data.settings import Noise
from dynparam.experiments.alignments.settings import CurvesStage
from dynparam.presentation.terminal import prose
from dynparam.settings.base import pick
from dynparam.settings.shared import panels_of

app = App()

FIGURE = "fig3_3"
NOISE = Noise(seed=0, images=64)


@app.command("demo", group=TRY, epilog=examples("dynparam demo", "dynparam demo --trials 1000"))
def demo(
    trials: Annotated[int, typer.Option("--trials", min=2, help="Networks at each width.")] = 300,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Show the thesis's main figure in small, measured, judged and drawn in 20 seconds.

    It needs no data and no network. Where CIFAR-10 is not there, it makes images of noise, and says so.
    """
    from dynparam.experiments.alignments import at_once

    whole = load(Config, config)
    settings = pick(CurvesStage, whole).with_probe(trials=trials)
    results = whole.paths.results / "own" / "demo"
    images, told = _images(whole, results)
    made = at_once.make(
        settings,
        FIGURE,
        panels_of(settings.panels, FIGURE),
        images,
        results,
        engine="law",
        threads=1,
    )
    if as_json:
        tell(json.dumps({"images": str(images), **made.values()}, indent=2))
        return
    heading = prose(
        "Fig. 3.3 in small: one step of gradient descent. Alignment is how much of the decrease of the",
        "loss layers 1 to l bring about together. Does it vanish as the network widens?",
    )
    text = at_once.as_text(settings, made.slopes)
    tell("\n\n".join([heading, prose(told), text, made.places()]))


def _images(config: Config, results: Path) -> tuple[Path, str]:
    """The images of the probe's pair, or of noise below ``results``; and a sentence that says which."""
    from dynparam.data.noise import write_noise

    pair = config.probe.pair
    extracted = config.paths.data / "processed" / f"{pair}.npz"
    if extracted.exists():
        return extracted, f"Images: CIFAR-10, {' and '.join(config.data.pairs[pair])} ({extracted})."
    noise = results / "noise.npz"
    write_noise(noise, NOISE)
    return noise, (
        f"Images: noise made here, since there is no {extracted} (dynparam data pair {pair} brings "
        "CIFAR-10). Of an image only its length matters to this figure: noise shows the same slopes."
    )
