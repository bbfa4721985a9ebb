"""The figure of conditions: every cell's signs, colours and numbers."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgba
from matplotlib.patches import Rectangle

from dynparam.experiments.measured_orders import conditions_figure
from dynparam.experiments.measured_orders.settings import Exponents
from dynparam.presentation import figure_style
from dynparam.theory.conditions import CONDITIONS

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


SIGNS = {"holds": "✓", "fails": "✗", "undecided": "?"}

COLOURS = {"holds": "#bfe3d5", "fails": "#f4b98f", "undecided": "#f5eec2"}


def made_up_matrix():
    """Verdicts that differ from cell to cell, and one cell without numbers."""
    verdicts = ["holds", "fails", "undecided"]
    rows = []
    for name in SETTINGS.parametrizations:
        for family in SETTINGS.families:
            for one in CONDITIONS:
                k = len(rows)
                exact, slope = -0.25 * (k % 3), -0.01 * k
                rows.append(
                    (name, family, f"eq. {one.equation}", verdicts[k % 2], verdicts[k % 3], exact, slope)
                )
    columns = ["parametrization", "family", "condition", "theory", "measured", "exact_exponent", "slope"]
    table = pd.DataFrame(rows, columns=columns)
    table.loc[4, ["exact_exponent", "slope"]] = np.nan
    return table


@pytest.fixture(scope="module")
def picture():
    return conditions_figure.condition_figure(made_up_matrix(), SETTINGS)


def halves(picture):
    """(x, y) of each half cell -> its colour and its texts."""
    axis = picture.axes[0]
    found = {
        (patch.get_x(), patch.get_y()): (patch.get_facecolor(), [])
        for patch in axis.patches
        if isinstance(patch, Rectangle) and patch.get_width() == 0.5
    }
    for text in axis.texts:
        x, y = text.get_position()
        place = (x - 0.25, np.floor(y))
        if place in found:
            found[place][1].append(text.get_text())
    return found


def test_each_half_cell_has_sign_colour_and_number(picture):
    table, found = made_up_matrix(), halves(picture)
    assert len(found) == 2 * len(table)
    for k, cell in enumerate(table.to_dict("records")):
        row, column = divmod(k, len(CONDITIONS))
        for left, verdict, number in (
            (column, cell["theory"], cell["exact_exponent"]),
            (column + 0.5, cell["measured"], cell["slope"]),
        ):
            colour, texts = found[left, row]
            assert colour == to_rgba(COLOURS[verdict])
            shown = (
                []
                if np.isnan(number)
                else [f"{round(number, 2) + 0.0:+.2f}".replace("-", "\N{MINUS SIGN}")]
            )
            assert texts == [SIGNS[verdict], *shown]


def test_rows_and_columns_are_named(picture):
    axis = picture.axes[0]
    columns = [label.get_text().split("\n")[0] for label in axis.get_xticklabels()]
    assert columns == [f"eq. {one.equation}" for one in CONDITIONS]
    rows = [label.get_text() for label in axis.get_yticklabels()]
    assert rows == [r"$n_{\min}=n/5$", r"$n_{\min}=6\,n^{1/2}$"] * 2
    names = [text.get_text() for text in axis.texts if text.get_rotation() == 90]
    assert names == ["spectral", "dynamic"]
    title = picture.legends[0].get_title().get_text()
    assert "20 trials" in title
    assert "10,000 to 1,000,000" in title


def test_the_caption_tells_trials_and_widths_of_the_settings():
    grid = {"smallest": 2000, "largest": 40_000, "count": 5}
    other = Exponents.model_validate(SETTINGS.model_dump(mode="json") | {"widths": grid, "trials": 33})
    (legend,) = conditions_figure.condition_figure(made_up_matrix(), other).legends
    assert " ".join(legend.get_title().get_text().split()) == (
        "Left half: theory, with the exact exponent of $n$. Right half: measurement, with the slope of "
        "33 trials at each of 5 widths from $n$ = 2,000 to 40,000. Numbers are of the layer that "
        "decides what is measured."
    )
    assert [text.get_text() for text in legend.get_texts()] == [
        "✓  holds",
        "✗  fails",
        "?  undecided",
    ]


def test_names_stand_in_the_middle_of_their_rows_and_a_line_between(picture):
    axis = picture.axes[0]
    names = {text.get_text(): text.xy for text in axis.texts if text.get_rotation() == 90}
    assert {name: place[1] for name, place in names.items()} == {"spectral": 1.0, "dynamic": 3.0}
    (line,) = [one for one in axis.lines if one.get_color() == "black"]
    assert list(line.get_ydata()) == [2, 2]
    assert axis.get_ylim() == (4, 0)


def test_nothing_is_cut_off(picture):
    """All text lies within the page."""
    picture.draw_without_rendering()
    page = picture.bbox
    axis = picture.axes[0]
    for text in [*axis.texts, *axis.get_xticklabels(), *axis.get_yticklabels()]:
        box = text.get_window_extent()
        assert page.x0 <= box.x0
        assert box.x1 <= page.x1
        assert page.y0 <= box.y0
        assert box.y1 <= page.y1


def test_the_same_matrix_gives_the_same_bytes(tmp_path):
    table = made_up_matrix()
    saved = []
    for name in ("first", "second"):
        picture = conditions_figure.condition_figure(table, SETTINGS)
        saved.append(figure_style.save(picture, table, tmp_path / name / "conditions.png", 100))
    assert [p.suffix for p in saved[0]] == [".png", ".pdf", ".csv"]
    assert [p.read_bytes() for p in saved[0]] == [p.read_bytes() for p in saved[1]]
    kept = pd.read_csv(saved[0][2])
    assert kept["condition"].tolist() == table["condition"].tolist()
