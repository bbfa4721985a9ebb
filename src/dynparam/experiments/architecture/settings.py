"""What the picture of the network depends on."""

from __future__ import annotations

from pydantic import BaseModel

from dynparam.settings.base import Block, pick
from dynparam.settings.shared import Figures
from dynparam.settings.widths import Network


class ArchitectureStage(Block):
    """Blocks of ``plot_architecture``."""

    network: Network
    figures: Figures


def for_architecture(config: BaseModel, figure: str) -> ArchitectureStage:
    """What drawing the network of ``figure`` depends on."""
    whole = pick(ArchitectureStage, config)
    shown = {figure: whole.figures.architecture_figure(figure)}
    return whole.model_copy(update={"figures": whole.figures.only(architecture=shown)})
