"""How every job that draws ends: a sheet with its message, the picture on it, and the files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dynparam.presentation.figure_style import Sheet, save
from dynparam.provenance.stage import Made

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from dynparam.settings.shared import Figures


def drawn(
    draw: Callable[[Sheet], Figure],
    message: str,
    data: pd.DataFrame,
    output: Path,
    figures: Figures,
    **details: Any,
) -> Made:
    """Draw a figure under its message and write it beside the data that it plots.

    ``details`` go into the sidecar, beside the message.
    """
    picture = draw(Sheet(figures.width, message))
    return Made(save(picture, data, output, figures.dpi), {"message": message, **details})
