"""The figure of conditions: every cell's signs, colours and numbers."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgba
from matplotlib.patches import Polygon, Rectangle

from dynparam.experiments.measured_orders import conditions_figure
from dynparam.experiments.measured_orders.settings import Exponents
from dynparam.presentation import figure_style
from dynparam.presentation.figure_style import Sheet
from dynparam.theory.conditions import CONDITIONS
from tests.printed import faults

SETTINGS = Exponents.model_validate(
    {
        "seed": 0,
        "parametrizations": ["spectral", "dynamic"],
        "families": {
            "constant_ratio": {"coefficient": "1/5", "exponent": 1},
            "square_root": {"coefficient": 6, "exponent": "1/2"},
        },
        "widths": {"smallest": 10000, "largest": 1000000, "count": 7},
        "trials": 20,
        "tolerance": 0.1,
    }
)


SETTINGS_WITH_CONTROL = SETTINGS.model_copy(
    update={"parametrizations": (*SETTINGS.parametrizations, "standard")}
)

SIGNS = {"holds": [], "fails": ["✗"], "undecided": ["?"]}

COLOURS = {"holds": "#dbe9f2", "fails": "#b3400a", "undecided": "#f2d16b"}


def made_up_matrix(settings=SETTINGS):
    """Verdicts that differ from cell to cell; in half of them theory and measurement differ."""
    verdicts = ["holds", "fails", "undecided"]
    rows = []
    for name in settings.parametrizations:
        for family in settings.families:
            for one in CONDITIONS:
                k = len(rows)
                rows.append((name, family, f"eq. {one.equation}", verdicts[k % 2], verdicts[k % 3]))
    columns = ["parametrization", "family", "condition", "theory", "measured"]
    return pd.DataFrame(rows, columns=columns)


@pytest.fixture(scope="module")
def picture():
    made = conditions_figure.condition_figure(
        made_up_matrix(SETTINGS_WITH_CONTROL), SETTINGS_WITH_CONTROL
    )
    made.draw_without_rendering()
    return made


def places():
    """(parametrization, family) -> where its column begins: two blocks of two, and the control's."""
    families = list(SETTINGS.families)
    found = {("spectral", families[0]): 0, ("dynamic", families[0]): 1}
    found |= {("spectral", families[1]): 2.5, ("dynamic", families[1]): 3.5}
    return found | {("standard", family): 5 + k for k, family in enumerate(families)}


def signs_at(axis, x, row):
    """The signs in a cell, from the left."""
    texts = [
        text
        for text in axis.texts
        if x < text.get_position()[0] < x + 1 and row < text.get_position()[1] < row + 1
    ]
    return [text.get_text() for text in sorted(texts, key=lambda text: text.get_position()[0])]


def test_each_cell_has_the_colour_and_sign_of_its_verdicts(picture):
    """One where theory and measurement agree; theory's triangle over the measurement's where not."""
    axis = picture.axes[0]
    whole = {(p.get_x(), p.get_y()): p for p in axis.patches if isinstance(p, Rectangle)}
    halves = {tuple(p.get_xy()[0]): p for p in axis.patches if isinstance(p, Polygon)}
    table = made_up_matrix(SETTINGS_WITH_CONTROL)
    assert len(whole) == len(table)
    assert len(halves) == (table["theory"] != table["measured"]).sum() > 0
    for cell in table.to_dict("records"):
        x = places()[cell["parametrization"], cell["family"]]
        row = [f"eq. {one.equation}" for one in CONDITIONS].index(cell["condition"])
        assert whole[x, row].get_facecolor() == to_rgba(COLOURS[cell["measured"]])
        if cell["theory"] == cell["measured"]:
            assert (x, row) not in halves
            assert signs_at(axis, x, row) == SIGNS[cell["measured"]]
        else:
            assert halves[x, row].get_facecolor() == to_rgba(COLOURS[cell["theory"]])
            assert signs_at(axis, x, row) == SIGNS[cell["theory"]] + SIGNS[cell["measured"]]


def lightness(colour):
    """CIE L*, which grey print keeps."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgba(colour)[:3]]
    luminance = np.dot([0.2126, 0.7152, 0.0722], linear)
    return 116 * np.cbrt(luminance) - 16


def test_failing_cells_stand_out_in_grey():
    """Holding and undecided cells are light, failing ones dark, by more than 35 of 100."""
    light = {verdict: lightness(colour) for verdict, colour in COLOURS.items()}
    assert min(light["holds"], light["undecided"]) - light["fails"] > 35
    assert light["holds"] > 85


def test_rows_columns_and_blocks_are_named(picture):
    axis = picture.axes[0]
    rows = [label.get_text().split()[-1] for label in axis.get_yticklabels()]
    assert rows == [one.equation for one in CONDITIONS]
    names = [text.get_text() for text in axis.texts if text.get_rotation() == 90]
    assert names == ["spectral", "dynamic"] * 2 + ["$n/5$", r"$6\,n^{1/2}$"]
    titles = [text.get_text() for text in axis.texts if "\n" in text.get_text()]
    assert titles == ["$n_{\\min}=$\n$n/5$", "$n_{\\min}=$\n$6\\,n^{1/2}$", "standard\n(control)"]
    key = [text.get_text() for text in picture.legends[0].get_texts()]
    assert key[:3] == ["holds", "✗ fails", "? undecided"]
    assert "theory" in key[3]


def test_what_is_not_there_is_left_out():
    """No control and no cell of two halves: their block and their key are not drawn."""
    table = made_up_matrix()
    table["measured"] = table["theory"]
    made = conditions_figure.condition_figure(table, SETTINGS)
    assert len(made.legends[0].get_texts()) == 3
    assert not [text for text in made.axes[0].texts if "control" in text.get_text()]
    alone = made_up_matrix(SETTINGS.model_copy(update={"parametrizations": ("standard",)}))
    only = conditions_figure.condition_figure(alone, SETTINGS)
    assert len([text for text in only.axes[0].texts if "\n" in text.get_text()]) == 1


@pytest.mark.parametrize("width", [7.0, 3.5])
def test_it_can_be_read(width):
    """Across a page and in a column, whose split cells have no signs: there is no room for two."""
    table = made_up_matrix(SETTINGS_WITH_CONTROL)
    made = conditions_figure.condition_figure(table, SETTINGS_WITH_CONTROL, Sheet(width, "Said " * 20))
    assert made.get_figwidth() == width
    assert not faults(made)
    split = table["theory"] != table["measured"]
    signs = [text for text in made.axes[0].texts if text.get_text() in ("✗", "?")]
    whole = int((table["measured"] != "holds")[~split].sum())
    halves = sum(int((table[kind] != "holds")[split].sum()) for kind in ("theory", "measured"))
    assert len(signs) == whole + (halves if width == 7 else 0)


def test_the_same_matrix_gives_the_same_bytes(tmp_path):
    table = made_up_matrix()
    saved = []
    for name in ("first", "second"):
        picture = conditions_figure.condition_figure(table, SETTINGS)
        saved.append(figure_style.save(picture, table, tmp_path / name / "conditions.png", 100))
    assert [p.suffix for p in saved[0]] == [".png", ".svg", ".pdf", ".csv"]
    assert [p.read_bytes() for p in saved[0]] == [p.read_bytes() for p in saved[1]]
    kept = pd.read_csv(saved[0][3])
    assert kept["condition"].tolist() == table["condition"].tolist()
