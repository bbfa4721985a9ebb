"""Labels at the ends of lines: beside their lines where there is room, and never on each other."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from dynparam.presentation.direct_labels import Label, label_ends, spread
from tests.printed import drawn_texts, faults


@pytest.mark.parametrize("seed", range(5))
def test_places_are_apart_in_order_and_no_other_choice_is_nearer(seed):
    """Beside a search among random moves that keep the gaps (independent of how it is solved)."""
    generator = np.random.default_rng(seed)
    wanted = np.sort(generator.uniform(0.2, 0.5, 4))
    found = spread(wanted, 0.06, highest=9.0)
    assert (np.diff(found) >= 0.06 - 1e-12).all()
    others = found + generator.normal(0, 0.01, (2000, 4))
    others = others[(np.diff(others) >= 0.06).all(axis=1)]
    assert (np.square(others - wanted).sum(axis=1) >= np.square(found - wanted).sum() - 1e-12).all()


def test_places_with_room_stay_and_all_stay_below_the_top():
    assert spread(np.array([0.1, 0.5, 0.9]), 0.1).tolist() == pytest.approx([0.1, 0.5, 0.9])
    assert spread(np.array([0.99, 1.0]), 0.1).tolist() == pytest.approx([0.9, 1.0])


def labelled(gap):
    """Three lines that end at nearly one place, on a logarithmic axis."""
    figure = Figure(figsize=(3.5, 2.5), layout="constrained")
    axis = figure.subplots()
    axis.set(xscale="log", yscale="log", xlim=(1, 10), ylim=(1, 1000))
    labels = [Label(name, "C0", value) for name, value in (("b", 100.0), ("a", 103.0), ("c", 10.0))]
    label_ends(axis, labels, gap, "what")
    return figure


def test_labels_stand_beside_their_lines_in_order():
    figure = labelled(0.08)
    places = {text.get_text(): text.get_position()[1] for text in figure.axes[0].texts}
    assert sorted(places, key=places.__getitem__) == ["c", "b", "a", "what"]
    assert places["c"] == pytest.approx(1 / 3), "one of three decades"
    assert (places["a"] + places["b"]) / 2 == pytest.approx(np.log10(101.5) / 3, abs=1e-3)
    assert not faults(figure)
    assert len(drawn_texts(figure)) > 4, "the numbers of the axes are looked at too"


def test_without_a_gap_labels_would_lie_on_each_other():
    assert "'b' lies on 'a'" in faults(labelled(0.0))
