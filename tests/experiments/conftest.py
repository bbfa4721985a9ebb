"""What the tests of experiments share."""

from typing import NamedTuple

import pandas as pd
import pytest
from matplotlib.figure import Figure

from dynparam.presentation import figure_style


class Saved(NamedTuple):
    """A figure that a job saved, with its data and resolution."""

    figure: Figure
    data: pd.DataFrame
    dpi: int


@pytest.fixture
def saved(monkeypatch):
    """The figures that jobs save, in their order; files are written all the same."""
    found, save = [], figure_style.save

    def keeping(figure, data, png, dpi):
        found.append(Saved(figure, data, dpi))
        return save(figure, data, png, dpi)

    monkeypatch.setattr(figure_style, "save", keeping)
    return found
