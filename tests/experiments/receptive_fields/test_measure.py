"""What is measured: against other algorithms, images made by hand, and other draws."""

import math
from dataclasses import replace

import numpy as np
import pytest

from dynparam.data.images import Pair
from dynparam.experiments.receptive_fields import measure, tables
from dynparam.experiments.receptive_fields.drawn import drawn_kernel
from dynparam.experiments.receptive_fields.settings import for_field_trials
from dynparam.support.errors import DataError
from dynparam.support.tables import read_csv, write_csv
from dynparam.theory.inner_products import inner_products
from dynparam.theory.receptive_fields import DENSE, Fields, coverage, field_kernel
from dynparam.theory.relu_kernels import layer_shapes
from tests import fields

SETTINGS, PAIR = fields.trials(), fields.images()
OWN = SETTINGS.receptive_fields
TASK = measure.drawn_task(SETTINGS, PAIR, 0)


@pytest.fixture(scope="module")
def found():
    return measure.measure(SETTINGS, PAIR)


def value(table, kind, quantity, at=None, trial=0):
    rows = table[(table["kind"] == kind) & (table["quantity"] == quantity) & (table["trial"] == trial)]
    if at is not None:
        rows = rows[rows["at"] == at]
    assert len(rows) == 1
    return rows["value"].item()


def test_every_kind_is_measured_in_every_trial(found):
    counts = found.groupby(["kind", "at", "trial"]).size().unstack().to_dict("index")
    both = {0: 5, 1: 5}
    assert counts == {
        ("dense", 0.0): {0: 6, 1: 6},
        ("local", 0.15): {0: 8, 1: 8},
        ("local", 0.3): both,
        ("weighted", 0.15): both,
        ("weighted", 0.3): both,
        ("permuted", 0.15): both,
        ("correlated", 1.5): {0: 7, 1: 7},
        ("blurred", 1.5): both,
    }
    assert set(found["quantity"]) == set(tables.QUANTITIES)


def test_the_table_is_read_as_it_was_written(found, tmp_path):
    write_csv(found, tmp_path / "table.csv")
    assert len(read_csv(tmp_path / "table.csv", tables.MEASURED)) == len(found)


def test_a_draw_does_not_depend_on_how_many_there_are_or_on_windows(found):
    more = measure.measure(fields.trials({"trials": 3, "radii": [0.15, 0.5]}), PAIR)
    key = ["kind", "at", "trial", "quantity"]
    one, other = (table.set_index(key)["value"] for table in (found, more))
    common = one.index.intersection(other.index)
    assert len(common) == len(found) - 4 * 5
    np.testing.assert_allclose(one.loc[common], other.loc[common], rtol=1e-9)
    assert value(more, "dense", "displacement_noise", trial=2) != value(
        more, "dense", "displacement_noise", trial=1
    )


def test_seeds_and_pairs_draw_other_images():
    for changes, pair in (({"seed": 1}, fields.PAIR), ({"pairs": ["bird-cat"]}, "bird-cat")):
        other = measure.drawn_task(for_field_trials(fields.whole(changes), pair), PAIR, 0)
        assert not np.array_equal(other.train, TASK.train)
        assert not np.array_equal(other.order, TASK.order)


def test_a_task_has_both_classes_of_the_pair_s_images():
    for inputs, signs, images, labels in (
        (TASK.train, TASK.target, PAIR.train_images, PAIR.train_labels),
        (TASK.tests["clean"], TASK.classes, PAIR.test_images, PAIR.test_labels),
    ):
        assert signs.sum() == 0
        known = {
            (image / 127.5 - 1).round(6).tobytes(): label
            for image, label in zip(images, labels, strict=True)
        }
        drawn = [known[one.round(6).tobytes()] for one in inputs]
        assert len({one.tobytes() for one in inputs}) == len(inputs)
        np.testing.assert_array_equal(2.0 * np.array(drawn) - 1, signs)
    assert (len(TASK.train), len(TASK.classes)) == (12, 16)
    disturbed = (TASK.tests["square"] != TASK.tests["clean"]).any(axis=1).sum(axis=(1, 2))
    assert disturbed.max() == 16**2
    assert sorted(TASK.order) == list(range(1024))


def test_inputs_are_normalized_as_said():
    other = SETTINGS.model_copy(
        update={"inputs": SETTINGS.inputs.model_copy(update={"normalization": "unit_range"})}
    )
    task = measure.drawn_task(other, PAIR, 0)
    np.testing.assert_allclose(2 * task.train - 1, TASK.train, atol=1e-12)
    np.testing.assert_allclose(2 * task.tests["square"] - 1, TASK.tests["square"], atol=1e-12)
    per_channel = SETTINGS.inputs.model_copy(update={"normalization": "per_channel"})
    task = measure.drawn_task(SETTINGS.model_copy(update={"inputs": per_channel}), PAIR, 0)
    ends = PAIR.train_images.mean(axis=(0, 2, 3)), PAIR.train_images.std(axis=(0, 2, 3))
    expected = (TASK.tests["clean"] * 127.5 + 127.5 - ends[0][:, None, None]) / ends[1][:, None, None]
    np.testing.assert_allclose(task.tests["clean"], expected, atol=1e-9)


def test_noise_is_white_and_of_its_size():
    noise = TASK.tests["noise"] - TASK.tests["clean"]
    # 16 x 3072 numbers: the standard error of their deviation is 0.002, of a correlation 0.005.
    assert noise.std() == pytest.approx(0.6, abs=0.01)
    assert abs(noise.mean()) < 0.012
    assert abs(np.corrcoef(noise[:, :, 1:].ravel(), noise[:, :, :-1].ravel())[0, 1]) < 0.02


@pytest.mark.parametrize("side", [1, 16, 32])
def test_squares_have_one_colour_of_a_corner_and_lie_anywhere(side):
    images = np.full((300, 3, 32, 32), 100, np.uint8)
    made = measure.with_squares(images, side, np.random.default_rng(0))
    assert (images == 100).all()
    colours, corners = set(), set()
    for image in made:
        changed = (image != 100).all(axis=0)
        assert changed.sum() == side**2 == (image != 100).any(axis=0).sum()
        rows, columns = np.nonzero(changed)
        assert np.ptp(rows) == np.ptp(columns) == side - 1
        corners.add((rows.min(), columns.min()))
        (colour,) = {tuple(one) for one in image[:, changed].T}
        colours.add(colour)
    assert colours == {(a, b, c) for a in (0, 255) for b in (0, 255) for c in (0, 255)}
    ends = [{corner[axis] for corner in corners} for axis in (0, 1)]
    assert all(min(one) == 0 and max(one) == 32 - side for one in ends) or side == 1
    assert len(corners) > (150 if side == 16 else 200 if side == 1 else 0)


def test_regression_is_that_of_weights():
    """A linear kernel: the same function from the normal equations of weights, and sums by hand."""
    random = np.random.default_rng(3)
    train, clean = random.normal(size=(9, 4)), random.normal(size=(7, 4))
    square, noise = (clean + 0.4 * random.normal(size=(7, 4)) for _ in range(2))
    target, classes = np.sign(random.normal(size=9)), np.sign(random.normal(size=7))
    tests = {"clean": clean, "square": square, "noise": noise}
    task = TASK._replace(target=target, tests=tests, classes=classes)
    kernel, across = train @ train.T, np.concatenate([clean, square, noise]) @ train.T
    found = measure.regression(kernel, across, task, 0.3)
    ridge = 0.3 * np.trace(kernel) / 9
    weights = np.linalg.solve(train.T @ train + ridge * np.eye(4), train.T @ target)
    outputs = {name: one @ weights for name, one in tests.items()}
    middle = sum(outputs["clean"]) / 7
    spread = math.sqrt(sum((one - middle) ** 2 for one in outputs["clean"]) / 7)
    for name, output in outputs.items():
        right = sum((one > 0) == (sign > 0) for one, sign in zip(output, classes, strict=True))
        assert found[f"accuracy_{name}"] == pytest.approx(right / 7)
        if name != "clean":
            gap = sum((one - was) ** 2 for one, was in zip(output, outputs["clean"], strict=True))
            assert found[f"displacement_{name}"] == pytest.approx(math.sqrt(gap / 7) / spread)
    assert set(found) == {*tables.ACCURACY.values(), *tables.DISPLACEMENT.values()}


def test_what_a_kind_measures_is_the_regression_with_its_kernel(found):
    """The dense kernel from inner products, and that of windows on permuted pixels, from scratch."""
    tests = np.concatenate([TASK.tests[name] for name in ("clean", "square", "noise")])
    flat = [one.reshape(len(one), -1) for one in (TASK.train, tests)]
    dense = layer_shapes(inner_products(flat[0]), 3).sum(axis=0)
    across = layer_shapes(inner_products(flat[1], flat[0]), 3).sum(axis=0)
    expected = measure.regression(dense, across, TASK, OWN.ridge)
    moved = [
        one.reshape(len(one), 3, -1)[:, :, TASK.order].reshape(one.shape) for one in (TASK.train, tests)
    ]
    windows = Fields(3, 0.15)
    permuted = measure.regression(
        field_kernel(moved[0], fields=windows),
        field_kernel(moved[1], moved[0], windows),
        TASK,
        OWN.ridge,
    )
    local = measure.regression(
        field_kernel(TASK.train, fields=windows),
        field_kernel(tests, TASK.train, windows),
        TASK,
        OWN.ridge,
    )
    weights = coverage(32, windows)
    weighted = [one * weights for one in (TASK.train, tests)]
    alike = measure.regression(
        field_kernel(weighted[0]), field_kernel(weighted[1], weighted[0]), TASK, OWN.ridge
    )
    for kind, values in (
        ("dense", expected),
        ("permuted", permuted),
        ("local", local),
        ("weighted", alike),
    ):
        at = 0.0 if kind == "dense" else 0.15
        for name, one in values.items():
            assert value(found, kind, name, at) == pytest.approx(one, rel=1e-6)


def test_correlated_weights_do_what_a_blur_does(found):
    for name in (*tables.ACCURACY.values(), *tables.DISPLACEMENT.values()):
        assert value(found, "correlated", name) == pytest.approx(value(found, "blurred", name), rel=1e-5)


def test_kernels_that_are_one_and_kernels_that_are_not(found):
    # Two orders of summation: rounding, but not nothing.
    assert 0 < value(found, "dense", "apart_from_permuted") < 1e-7
    assert value(found, "correlated", "apart_from_blurred") < 1e-7
    assert value(found, "local", "apart_from_permuted") > 1e-3
    assert value(found, "correlated", "apart_from_dense") > 1e-3
    correlated = field_kernel(TASK.train, fields=Fields(correlation=1.5))
    dense = field_kernel(TASK.train)
    dense *= np.trace(correlated) / np.trace(dense)
    expected = np.abs(correlated - dense).max() / dense.max()
    assert value(found, "correlated", "apart_from_dense") == pytest.approx(expected)


def test_drawn_networks_are_beside_theory(found):
    ratios = [value(found, "local", f"drawn_over_{name}") for name in ("local", "dense")]
    images = TASK.train[:4]
    windows, dense = field_kernel(images, fields=Fields(2, 0.15)), field_kernel(images, fields=DENSE)
    drawn = drawn_kernel(images, Fields(2, 0.15), 8, measure._generator(SETTINGS, "weights", 0))
    assert ratios == pytest.approx([(drawn / windows).mean(), (drawn / dense).mean()])
    assert ratios[0] != value(found, "local", "drawn_over_local", trial=1)
    # One drawn kernel, over either theory, entry by entry.
    assert (windows / dense).min() < ratios[1] / ratios[0] < (windows / dense).max()
    settings = fields.trials({"drawn": {"grid": 2, "units": 300, "images": 4}, "trials": 2})
    wide = measure.measure(settings, PAIR)
    assert value(wide, "local", "drawn_over_local") == pytest.approx(1, abs=0.25)


def test_a_singular_kernel_and_a_constant_predictor_are_told():
    task = TASK._replace(
        target=np.ones(2), tests=dict.fromkeys(("clean", "square", "noise"), np.ones(1))
    )
    with pytest.raises(DataError, match=r"kernel of 2 images is singular.*receptive_fields\.ridge"):
        measure.regression(-np.ones((2, 2)), np.ones((3, 2)), task, 1e-3)
    with pytest.raises(DataError, match="the predictor is the same on all test images"):
        measure.regression(np.eye(2), np.ones((6, 2)), task._replace(classes=np.ones(2)), 1e-3)


def test_equal_images_are_no_error():
    """The ridge keeps their kernel from being singular."""
    images = PAIR.train_images.copy()
    images[2:] = images[np.arange(2, 40) % 2]
    same = replace(PAIR, train_images=images)
    assert np.isfinite(measure.measure(SETTINGS, same)["value"]).all()


def test_images_that_are_too_few_or_dark_in_a_window_are_told():
    with pytest.raises(DataError, match="are available"):
        measure.measure(fields.trials({"samples": 60}), PAIR)
    dark = Pair(*(np.zeros_like(one) if one.ndim > 1 else one for one in vars(PAIR).values()))
    unit = SETTINGS.inputs.model_copy(update={"normalization": "unit_range"})
    with pytest.raises(DataError, match="row 0 of the images is zero everywhere"):
        measure.measure(SETTINGS.model_copy(update={"inputs": unit}), dark)
