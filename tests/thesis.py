"""The thesis's configuration, and what tests change in it."""

from pathlib import Path
from typing import Any

from dynparam.configuration.config import Config
from dynparam.configuration.loading import load

ROOT = Path(__file__).parents[1]
CONFIG = load(Config, [ROOT / "config" / "thesis.yaml"])


def with_block(name: str, **changes: Any) -> Config:
    """The same with other values of keys of one block."""
    values = CONFIG.model_dump(mode="json")
    values[name] |= changes
    return Config.model_validate(values)


def figures_block(**changes: Any) -> dict[str, Any]:
    """A block of that name with small pictures, and none of the figures that may be left out."""
    left_out = {"titles": {}, "architecture": {}, "training": {}, "domain": None, "sweep": None}
    return {"dpi": 50, **left_out, **changes}
