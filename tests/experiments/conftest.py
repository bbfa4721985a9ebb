"""What the tests of experiments share."""

from typing import NamedTuple

import pandas as pd
import pytest
from matplotlib.figure import Figure

from dynparam.provenance import drawing


class Saved(NamedTuple):
    """A figure that a job saved, with its data and resolution."""

    figure: Figure
    data: pd.DataFrame
    dpi: int


@pytest.fixture
def saved(monkeypatch):
    """The figures that jobs save, in their order; files are written all the same."""
    found, save = [], drawing.save

    def keeping(figure, data, png, dpi):
        found.append(Saved(figure, data, dpi))
        return save(figure, data, png, dpi)

    monkeypatch.setattr(drawing, "save", keeping)
    return found
