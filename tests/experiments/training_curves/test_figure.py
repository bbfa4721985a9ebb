import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex, to_rgba

from dynparam.experiments.training_curves import domain_figure
from dynparam.experiments.training_curves import figure as curve_figures
from dynparam.presentation import figure_style
from dynparam.presentation.figure_style import Sheet
from tests.drawn import key
from tests.printed import faults

SAID = "dynamic is better than spectral in all that was compared here. " * 3
REFERENCE = (10000, 500)
NETWORKS = [(1000, 50), (2000, 100), (5000, 250), (10000, 500), (1000, 10), (1000, 200), (1000, 1000)]


def curve(parametrization, seed, train, test):
    """A run whose losses are the given lists, from epoch 0 on."""
    return pd.DataFrame(
        {
            "task": "bird-cat",
            "parametrization": parametrization,
            "seed": seed,
            "epoch": range(len(train)),
            "train_loss": train,
            "test_loss": test,
            "train_accuracy": 0.5,
            "test_accuracy": 0.5,
        }
    )


def two_parametrizations(copies=1):
    """Three seeds of spectral, one of which diverges at epoch 2, and two of dynamic.

    At the end dynamic's training losses deviate by more than their mean. There may be several copies of
    each run, as seeds of their own.
    """
    spectral = [
        curve("spectral", 0, [0.5, 0.2, 0.1, 0.05], [0.5, 0.3, 0.2, 0.25]),
        curve("spectral", 1, [0.5, 0.8, np.inf], [0.5, 0.9, np.nan]),
        curve("spectral", 2, [0.5, 0.4, 0.3, 0.15], [0.5, 0.3, 0.4, 0.35]),
    ]
    dynamic = [
        curve("dynamic", 0, [0.5, 0.1, 0.02, 0.002], [0.5, 0.2, 0.1, 0.15]),
        curve("dynamic", 1, [0.5, 0.3, 0.04, 0.04], [0.5, 0.2, 0.3, 0.25]),
    ]
    return {
        name: pd.concat(
            run.assign(seed=run["seed"] + len(runs) * copy) for copy in range(copies) for run in runs
        )
        for name, runs in (("spectral", spectral), ("dynamic", dynamic))
    }


def of(plotted, quantity, parametrization, seed=None):
    """The rows of a mean, or of a seed."""
    own = plotted["seed"].isna() if seed is None else plotted["seed"] == seed
    return plotted[
        (plotted["quantity"] == quantity) & (plotted["parametrization"] == parametrization) & own
    ]


def domain_table(tasks=("airplane-automobile", "bird-cat"), networks=NETWORKS):
    """Differences that tell task, network, metric and epoch apart; the reference runs 100 epochs."""
    rows = []
    for t, task in enumerate(tasks):
        for n, n_min in networks:
            epochs = ["1", "50", "area", "best", "jumps"] + ["100"] * ((n, n_min) == REFERENCE)
            for m, metric in enumerate(["train_loss", "test_loss", "test_accuracy"]):
                for e, epoch in enumerate(epochs):
                    value = -1e-3 * (n / n_min) ** 0.5 * (1 + t) * (1 + 2 * m) * 2**e
                    interval = (1.5 * value, -0.1 * value)
                    rows.append((task, n, n_min, metric, epoch, 0.2 + m, value, *interval, 5, 1))
    columns = "task n n_min metric epoch first value ci_low ci_high seeds draws"
    return pd.DataFrame(rows, columns=columns.split())


def test_means_and_deviations_by_hand_where_a_seed_diverged():
    plotted = curve_figures.plotted_curves(two_parametrizations())
    assert list(plotted.columns) == [
        "task",
        "parametrization",
        "quantity",
        "epoch",
        "mean",
        "std",
        "seeds",
        "seed",
    ]
    assert list(plotted["parametrization"].unique()) == ["spectral", "dynamic"]
    rows = of(plotted, "train_loss", "spectral")
    assert rows["epoch"].tolist() == [0, 1, 2, 3]
    assert rows["seeds"].tolist() == [3, 3, 2, 2]
    assert rows["mean"].tolist() == pytest.approx([0.5, 1.4 / 3, 0.2, 0.1])
    deviations = [0, np.std([0.2, 0.8, 0.4], ddof=1), 0.1 * 2**0.5, 0.05 * 2**0.5]
    assert rows["std"].tolist() == pytest.approx(deviations)
    rows = of(plotted, "test_loss", "dynamic")
    assert rows["mean"].tolist() == pytest.approx([0.5, 0.2, 0.2, 0.2])
    assert rows["seeds"].tolist() == [2] * 4


@pytest.mark.parametrize(
    ("wanted", "told"),
    [(1, "1 seed"), (2, "2 seeds"), (3, "2 of 3 seeds"), (10_000, "2 of 10,000 seeds")],
)
def test_seeds_are_those_of_the_curve_that_has_fewest(wanted, told):
    """A run that diverges is one of them: three of spectral, two of dynamic."""
    plotted = curve_figures.plotted_curves(two_parametrizations())
    assert curve_figures.seeds_of(plotted, wanted) == told
    alone = plotted[plotted["parametrization"] == "spectral"]
    assert curve_figures.seeds_of(alone, 3) == "3 seeds"
    assert curve_figures.seeds_of(alone, 4) == "3 of 4 seeds"


def test_an_epoch_that_no_seed_reached_finite_has_no_mean():
    plotted = curve_figures.plotted_curves({"s": curve("s", 0, [0.5, np.inf], [0.5, np.nan])})
    assert plotted["seeds"].tolist() == [1, 0, 1, 0]
    assert plotted["mean"].isna().tolist() == [False, True, False, True]
    curve_figures.training_figure("t", plotted).draw_without_rendering()


def test_of_few_seeds_every_one_is_plotted_as_far_as_it_is_finite():
    plotted = curve_figures.plotted_curves(two_parametrizations())
    for name, seed, losses in (
        ("spectral", 0, [0.5, 0.2, 0.1, 0.05]),
        ("spectral", 1, [0.5, 0.8]),
        ("dynamic", 1, [0.5, 0.3, 0.04, 0.04]),
    ):
        rows = of(plotted, "train_loss", name, seed)
        assert rows["epoch"].tolist() == list(range(len(losses)))
        assert rows["mean"].tolist() == losses
        assert rows["std"].isna().all()
        assert set(rows["seeds"]) == {1}


@pytest.mark.parametrize(("seeds", "single"), [(1, False), (3, True), (5, True), (6, False)])
def test_few_seeds_are_thin_lines_and_more_have_a_band(seeds, single):
    """The same runs, of which the first ones are taken; the legend says which of the two it is."""
    losses = [0.5 / (seed + 1) for seed in range(seeds)]
    runs = pd.concat(
        curve("s", seed, [0.5, 2 * loss, loss], [0.6, 3 * loss, loss])
        for seed, loss in enumerate(losses)
    )
    plotted = curve_figures.plotted_curves({"s": runs})
    assert plotted["seed"].notna().any() == single
    figure = curve_figures.training_figure("t", plotted)
    words = [text.get_text() for text in figure.legends[0].get_texts()][1:]
    band = [r"mean $\pm$ standard deviation over seeds"] if seeds == 6 else []
    assert words == (["single seeds"] if single else band)
    for axis in figure.axes:
        thin = [line for line in axis.lines if line.get_linewidth() < 1]
        assert [line.get_ydata()[2] for line in thin] == (losses if single else [])
        assert len(axis.collections) == (0 if single else 1)


def test_every_single_seed_is_within_the_limits():
    """From epoch 1 on, though one lies ten deviations from the mean."""
    losses = [0.1, 0.1, 0.1, 1e-3, 0.4]
    runs = pd.concat(curve("s", seed, [0.5, loss], [0.6, loss]) for seed, loss in enumerate(losses))
    figure = curve_figures.training_figure("t", curve_figures.plotted_curves({"s": runs}))
    for axis in figure.axes:
        bottom, top = axis.get_ylim()
        assert 5e-4 < bottom < 1e-3
        assert 0.4 < top < 0.6


def test_one_parametrization_may_have_few_seeds_and_the_other_many():
    runs = two_parametrizations()
    many = two_parametrizations(copies=3)["dynamic"]
    plotted = curve_figures.plotted_curves({"spectral": runs["spectral"], "dynamic": many})
    figure = curve_figures.training_figure("t", plotted)
    for axis in figure.axes:
        thin = [line for line in axis.lines if line.get_linewidth() < 1]
        assert {line.get_color() for line in thin} == {figure_style.LAYER_COLOURS[0]}
        (band,) = axis.collections
        assert to_hex(band.get_facecolor()[0]) == figure_style.LAYER_COLOURS[1].lower()
    assert [text.get_text() for text in figure.legends[0].get_texts()][2:] == [
        "single seeds",
        r"mean $\pm$ standard deviation over seeds",
    ]


def test_lines_and_bands_carry_the_plotted_data():
    plotted = curve_figures.plotted_curves(two_parametrizations(copies=3))
    figure = curve_figures.training_figure("bird-cat", plotted)
    panels = dict(zip(["train_loss", "test_loss"], figure.axes, strict=True))
    for quantity, axis in panels.items():
        bands = [artist for artist in axis.collections if isinstance(artist, PolyCollection)]
        names = ["spectral", "dynamic"]
        for name, line, band in zip(names, axis.lines, bands, strict=True):
            rows = of(plotted, quantity, name)
            assert line.get_linestyle() == "-"
            assert line.get_xdata().tolist() == rows["epoch"].tolist()
            assert line.get_ydata().tolist() == rows["mean"].tolist()
            assert tuple(band.get_facecolor()[0][:3]) == to_rgba(line.get_color())[:3]
            corners = {tuple(vertex) for vertex in band.get_paths()[0].vertices}
            spread = np.minimum(rows["std"], 0.9 * rows["mean"])
            assert set(zip(rows["epoch"], rows["mean"] + rows["std"], strict=True)) <= corners
            assert set(zip(rows["epoch"], rows["mean"] - spread, strict=True)) <= corners


def test_curves_differ_without_colour():
    """Means by their markers, bands by their edges, and single seeds by their line styles."""
    for copies, thin in ((3, 0), (1, 2)):
        plotted = curve_figures.plotted_curves(two_parametrizations(copies))
        for axis in curve_figures.training_figure("t", plotted).axes:
            means = [line for line in axis.lines if line.get_linewidth() >= 1]
            assert len({line.get_marker() for line in means}) == len(means) == 2
            single = [line.get_linestyle() for line in axis.lines if line.get_linewidth() < 1]
            assert len(set(single)) == thin
            assert len({str(band.get_linestyle()) for band in axis.collections}) == 2 - thin


def test_labels_legend_and_its_title():
    plotted = curve_figures.plotted_curves(two_parametrizations(copies=3))
    figure = curve_figures.training_figure("bird-cat", plotted)
    assert [axis.get_title() for axis in figure.axes] == ["training loss", "test loss"]
    assert [axis.get_xlabel() for axis in figure.axes] == ["epoch", "epoch"]
    assert figure.axes[0].get_ylabel() == r"loss $\frac{1}{2}\|f-y\|^2$ (mean over images)"
    (legend,) = figure.legends
    assert legend.get_title().get_text() == "bird-cat"
    assert [text.get_text() for text in legend.get_texts()] == [
        "spectral, 9 seeds, 6 to the end",
        "dynamic, 6 seeds",
        r"mean $\pm$ standard deviation over seeds",
    ]
    for axis in figure.axes:
        drawn = [(line.get_color().lower(), line.get_marker(), "-") for line in axis.lines]
        assert [look for _, *look in key(legend)[:2]] == [list(one) for one in drawn]
        assert (axis.get_yscale(), axis.get_xlim()) == ("log", (0, 3))
    assert not figure.get_supxlabel(), "what an audit says stands in the caption"


def test_in_a_column_panels_stand_below_one_another():
    """Those against n first, then those against the ratio; a quantity keeps its scale."""
    plotted = curve_figures.plotted_curves(two_parametrizations())
    curves = curve_figures.training_figure("t", plotted, Sheet(3.5))
    assert curves.axes[0].get_gridspec().get_geometry() == (2, 1)
    assert all(axis.get_ylabel() for axis in curves.axes)
    domain = domain_figure.domain_figure(domain_table(), REFERENCE, Sheet(3.5))
    assert domain.axes[0].get_gridspec().get_geometry() == (8, 1)
    labels = [axis.get_xlabel() for axis in domain.axes]
    assert [bool(label) for label in labels] == ([False] * 3 + [True]) * 2
    assert "at $n=1000$" in labels[-1]
    assert [axis.get_ylim() for axis in domain.axes[:4]] == [axis.get_ylim() for axis in domain.axes[4:]]
    assert [len(axis.texts) for axis in domain.axes] == [2] * 8
    for figure in (curves, domain):
        assert not faults(figure)


def test_nothing_printed_leaves_the_page():
    plotted = curve_figures.plotted_curves(two_parametrizations())
    for figure in (
        curve_figures.training_figure("bird-cat", plotted, Sheet(7.0, "m " + SAID)),
        domain_figure.domain_figure(domain_table(), REFERENCE, Sheet(7.0, SAID)),
    ):
        figure.draw_without_rendering()
        box = figure.get_tightbbox()
        width, height = figure.get_size_inches()
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= width
        assert box.y1 <= height


def test_the_initial_loss_does_not_squash_the_curve():
    run = curve("s", 0, [0.5, 0.1, 0.01], [0.5, 0.11, 0.1])
    figure = curve_figures.training_figure("t", curve_figures.plotted_curves({"s": run}))
    for axis, largest in zip(figure.axes, (0.1, 0.11), strict=True):
        assert largest < axis.get_ylim()[1] < 0.2
        assert [text.get_text() for text in axis.texts] == [r"$\uparrow$ 0.50 at epoch 0"]
    figure.draw_without_rendering()
    bottom, top = figure.axes[1].get_ylim()
    ticks = [tick for tick in figure.axes[1].get_yticks() if bottom <= tick <= top]
    assert len(ticks) >= 3  # numbers within a decade too


def test_initial_losses_are_written_once_each_where_they_lie_above():
    """Two that differ, one of two that are equal, none that lies among the others."""
    for second, told in (
        (0.6, [r"$\uparrow$ 0.50 and 0.60 at epoch 0"]),
        (0.5, [r"$\uparrow$ 0.50 at epoch 0"]),
    ):
        runs = {"s": curve("s", 0, [0.5, 0.1, 0.01], [0.5, 0.6, 0.4])}
        runs["d"] = curve("d", 0, [second, 0.2, 0.05], [0.5, 0.4, 0.3])
        figure = curve_figures.training_figure("t", curve_figures.plotted_curves(runs))
        assert [[text.get_text() for text in axis.texts] for axis in figure.axes] == [told, []]


def test_a_single_seed_has_no_band():
    run = curve("spectral", 0, [0.5, 0.1, 0.01], [0.5, 0.2, 0.3])
    plotted = curve_figures.plotted_curves({"spectral": run})
    assert plotted["std"].isna().all()
    figure = curve_figures.training_figure("t", plotted)
    figure.draw_without_rendering()
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["spectral, 1 seed"]


SHOWN = (
    ("test_accuracy", {"50", "best"}),
    ("test_loss", {"50", "best"}),
    ("train_loss", {"area"}),
    ("train_loss", {"jumps"}),
)
"""What the figure shows in each row, from above."""


def test_domain_data_are_the_final_common_epoch_and_what_does_not_depend_on_it_along_two_lines():
    data = domain_figure.domain_data(domain_table(), REFERENCE)
    assert set(zip(data["metric"], data["epoch"], strict=True)) == {
        (metric, place) for metric, places in SHOWN for place in places
    }
    along = {
        name: set(zip(part["n"], part["n_min"], strict=True)) for name, part in data.groupby("panel")
    }
    assert along == {
        "n": {(1000, 50), (2000, 100), (5000, 250), (10000, 500)},
        "ratio": {(1000, 10), (1000, 50), (1000, 200), (1000, 1000)},
    }
    assert (data["ratio"] == data["n"] / data["n_min"]).all()
    assert len(data) == 2 * 6 * 8  # tasks, quantities at their places, networks in panels


def test_the_ratios_shown_are_those_at_the_width_with_most_of_them():
    """Another width comes first in the table; of two with as many, the smaller one is shown."""
    first = [(5000, 50), *NETWORKS]
    for networks, shown in ((first, 1000), ([*first, (5000, 5000), (5000, 500)], 1000)):
        data = domain_figure.domain_data(domain_table(networks=networks), REFERENCE)
        assert set(data.loc[data["panel"] == "ratio", "n"]) == {shown}
    more = [*first, (5000, 5000), (5000, 500), (5000, 1000)]
    data = domain_figure.domain_data(domain_table(networks=more), REFERENCE)
    assert set(data.loc[data["panel"] == "ratio", "n"]) == {5000}


def test_advantages_are_positive_where_the_second_is_better_in_points_and_percent():
    """A test loss 0.5 lower by 0.1 [0.12, 0.04]: 20 % [8, 24]; accuracies in points, jumps as such."""
    rows = [
        ("t", 2000, 100, "test_loss", "50", 0.5, -0.1, -0.12, -0.04),
        ("t", 2000, 100, "train_loss", "area", 0.2, 0.05, 0.01, 0.08),
        ("t", 2000, 100, "test_accuracy", "50", 0.8, -0.03, -0.05, 0.01),
        ("t", 2000, 100, "train_loss", "jumps", 7.0, -3.0, -5.0, 1.0),
    ]
    columns = "task n n_min metric epoch first value ci_low ci_high"
    data = domain_figure.domain_data(pd.DataFrame(rows, columns=columns.split()), REFERENCE)
    found = data.set_index(["metric", "epoch"])[["advantage", "advantage_low", "advantage_high"]]
    assert found.loc["test_loss", "50"].tolist() == pytest.approx([20, 8, 24])
    assert found.loc["train_loss", "area"].tolist() == pytest.approx([-25, -40, -5])
    assert found.loc["test_accuracy", "50"].tolist() == pytest.approx([-3, -5, 1])
    assert found.loc["train_loss", "jumps"].tolist() == pytest.approx([3, -1, 5])


def test_domain_figure_shows_every_advantage_with_its_interval():
    table = domain_table()
    data = domain_figure.domain_data(table, REFERENCE)
    axes = domain_figure.domain_figure(table, REFERENCE).axes
    panels = [(metric, shown, panel) for metric, shown in SHOWN for panel in ("n", "ratio")]
    for axis, (metric, shown, panel) in zip(axes, panels, strict=True):
        of_row = (data["metric"] == metric) & data["epoch"].isin(shown)
        rows = data[of_row & (data["panel"] == panel)]
        points = [line for line in axis.lines if line.get_marker() in figure_style.LAYER_MARKERS]
        drawn = sorted(value for line in points for value in line.get_ydata())
        assert drawn == sorted(rows["advantage"])
        segments = [s for one in axis.collections for s in one.get_segments()]
        ends = sorted((min(s[:, 1]), max(s[:, 1])) for s in segments)
        expected = sorted(zip(rows["advantage_low"], rows["advantage_high"], strict=True))
        np.testing.assert_allclose(ends, expected)
        bottom, top = axis.get_ylim()
        assert bottom < rows["advantage_low"].min()
        assert top > rows["advantage_high"].max()
        assert axis.get_yscale() == "linear"
        filled = [line.get_markerfacecolor() != "white" for line in points if len(line.get_ydata())]
        assert filled == ([True, False] if "best" in shown else [True]) * 2
        places = sorted(rows[panel].unique())
        ticks = [label.get_text() for label in axis.get_xticklabels()]
        assert ticks in ([], [f"{place:g}" for place in places])
        assert ticks or shown != {"jumps"}
        for line in points:
            nearest = [places[round(x)] for x in line.get_xdata()]
            at = zip(nearest, line.get_ydata(), strict=True)
            assert {(place, value) for place, value in at} <= set(
                zip(rows[panel], rows["advantage"], strict=True)
            )


@pytest.mark.parametrize("sign", [1, -1])
def test_both_sides_of_zero_have_room_for_their_words(sign):
    """A third of the farther side at least, where all intervals lie on either side."""
    table = domain_table(networks=[(1000, 50)])
    table[["value", "ci_low", "ci_high"]] *= sign
    for axis in domain_figure.domain_figure(table, REFERENCE).axes:
        below, above = axis.get_ylim()
        assert below < 0 < above
        assert min(-below, above) >= max(-below, above) / 3
        (shaded,) = [patch for patch in axis.patches if patch.get_height() > 0]
        assert (shaded.get_y(), shaded.get_y() + shaded.get_height()) == pytest.approx((0, above))


def test_domain_figure_says_what_it_shows():
    figure = domain_figure.domain_figure(domain_table(), REFERENCE)
    assert [axis.get_xlabel() for axis in figure.axes[6:]] == [
        r"$n$, at $n/n_{\min}=20$",
        r"$n/n_{\min}$, at $n=1000$",
    ]
    assert [axis.get_ylabel() for axis in figure.axes[::2]] == [
        "test accuracy\n(points)",
        "test loss\n(%)",
        "mean training loss\n(%)",
        "training-loss jumps\n(fewer in 50 epochs)",
    ]
    for axis in figure.axes[1::2]:
        above, below = axis.texts
        assert (above.get_text(), above.get_va()) == ("dynamic\nbetter", "bottom")
        assert (below.get_text(), below.get_va()) == ("spectral\nbetter", "top")
    tasks, places = key(figure.legends[0])[:2], figure.legends[0].legend_handles[2:]
    assert [words for words, *_ in key(figure.legends[0])] == [
        "airplane-automobile",
        "bird-cat",
        "at epoch 50, or over all",
        "at each run's best epoch",
        "interval",
    ]
    assert [one.get_markerfacecolor() for one in places] == ["0.3", "white", "0.3"]
    assert [one.get_marker() for one in places] == ["o", "o", "|"]
    data = domain_figure.domain_data(domain_table(), REFERENCE)
    loss = (data["metric"] == "train_loss") & (data["epoch"] == "area") & (data["panel"] == "n")
    for task, colour, marker, _ in tasks:
        (points,) = [
            line
            for line in figure.axes[4].lines
            if to_hex(line.get_color()) == colour
            and line.get_marker() == marker
            and len(line.get_ydata())
        ]
        assert sorted(points.get_ydata()) == sorted(data.loc[loss & (data["task"] == task), "advantage"])


def drawn_panels(table):
    """Draw the figure of the domain study; how many panels it has."""
    figure = domain_figure.domain_figure(table, REFERENCE)
    figure.draw_without_rendering()
    return len(figure.axes)


@pytest.mark.parametrize("networks", [NETWORKS, NETWORKS[:4], [REFERENCE], NETWORKS[4:]])
def test_one_task_and_few_networks_can_be_drawn(networks):
    table = domain_table(tasks=["bird-cat"], networks=networks)
    assert drawn_panels(table) == 8


def test_an_interval_that_does_not_contain_the_mean_can_be_drawn():
    assert drawn_panels(domain_table().assign(value=1.0)) == 8


def test_differences_without_intervals_and_of_zero_can_be_drawn():
    assert drawn_panels(domain_table().assign(value=0.0, ci_low=np.nan, ci_high=np.nan)) == 8


def test_saved_files_are_reproducible(tmp_path):
    plotted = curve_figures.plotted_curves(two_parametrizations())
    table = domain_table()
    contents = []
    for name in ("a", "b"):
        training = curve_figures.training_figure("t", plotted)
        domain = domain_figure.domain_figure(table, REFERENCE)
        data = domain_figure.domain_data(table, REFERENCE)
        written = figure_style.save(training, plotted, tmp_path / name / "training.png", dpi=60)
        written += figure_style.save(domain, data, tmp_path / name / "domain.png", dpi=60)
        contents.append([path.read_bytes() for path in written])
    assert contents[0] == contents[1]
