"""Where commands find their inputs and leave their files if nobody says."""

from __future__ import annotations

from pathlib import Path

from dynparam.configuration.config import Config
from dynparam.configuration.loading import load
from dynparam.provenance.stage import require
from dynparam.settings.base import named


def pair_images(config: list[str], pair: str, images: Path | None = None) -> Path:
    """The extracted images of a pair, those given or where ``dynparam data pair`` leaves them.

    Raises ``DataError`` if there are none, ``ConfigError`` for an unknown pair.
    """
    if images is None:
        settings = load(Config, config)
        named(settings.data.pairs, pair, "data.pairs")
        images = settings.paths.data / "processed" / f"{pair}.npz"
    require([images], f"dynparam data pair {pair}")
    return images


def probe_images(config: list[str], images: Path | None = None) -> Path:
    """The images of the probe's pair. Raises as ``pair_images`` does."""
    return pair_images(config, "PAIR" if images else load(Config, config).probe.pair, images)


def own_place(config: list[str], *parts: str) -> Path:
    """Where a command run by hand leaves a file, apart from the workflow's results."""
    return load(Config, config).paths.results.joinpath("own", *parts)
