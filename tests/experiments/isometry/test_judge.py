"""Verdicts on planted measurements of depth."""

import numpy as np
import pytest
from scipy import stats

from dynparam.experiments.isometry.judge import expected_kernel, judged
from dynparam.statistics.judged import CLAIM, CONTROL, FORM, RIGHT, WRONG
from dynparam.support.errors import DataError
from dynparam.support.tables import read_csv, write_csv
from dynparam.theory.isometry import clipped_square
from dynparam.theory.parametrization import layer_scales
from tests import isometry

STAGE, SCATTERED = isometry.stage(), isometry.scattered_stage()
OWN = SCATTERED.isometry
LIMIT = "largest eigenvalue over the wide limit"


def verdicts(table, quantity, role=CLAIM):
    rows = table[(table["quantity"] == quantity) & (table["role"] == role)]
    assert len(rows)
    return set(rows["verdict"])


def changed(where, **values):
    table = isometry.planted().copy()
    rows = table.query(where).index
    assert len(rows)
    for column, value in values.items():
        table.loc[rows, column] = value(table.loc[rows, column])
    return table


def test_what_is_as_theory_has_it_agrees_and_controls_do_not():
    table = isometry.verdicts()
    assert set(table.loc[table["role"] == CLAIM, "verdict"]) <= set(RIGHT)
    controls = table[table["role"] == CONTROL]
    assert controls["verdict"].tolist() == ["disagrees", "disagrees"]


@pytest.mark.parametrize(
    ("ratio", "verdict"), [(1.03, "agrees"), (1.1, "disagrees"), (0.9, "disagrees")]
)
def test_the_wide_limit_has_its_tolerance(ratio, verdict):
    assert verdicts(judged(isometry.planted(ratio), STAGE), LIMIT) == {verdict}


def test_one_network_off_the_identity_is_enough():
    table = changed("quantity == 'exact' and depth == 16 and trial == 3", value=lambda v: v * (1 + 1e-9))
    found = judged(table, STAGE)
    rows = found[found["quantity"] == "largest eigenvalue over the identity, less 1"]
    assert rows["verdict"].tolist() == ["agrees", "agrees", "disagrees", "agrees", "agrees"]
    for one_off in (-1, 1):
        where = "quantity == 'multiplicity' and depth == 4 and trial == 0"
        rows = judged(changed(where, value=lambda v, by=one_off: v + by), STAGE)
        found = rows[rows["quantity"] == "multiplicity less unclipped units"].iloc[0]
        assert (found["measured"], found["verdict"]) == (1.0, "disagrees")


def test_an_eigenvalue_that_grows_faster_is_told():
    table = changed("part == 'spectrum' and quantity in ('largest', 'exact') and depth == 64",
                    value=lambda v: 2 * v)  # fmt: skip
    found = judged(table, STAGE)
    assert verdicts(found, "exponent of L in the largest eigenvalue over qhat") == {"disagrees"}
    assert verdicts(found, "exponent of L in the stable learning rate times qhat") == {"agrees"}


def test_learning_rates_have_theirs():
    found = judged(isometry.planted(rate=2.5), STAGE)
    assert verdicts(found, "largest stable learning rate times M lambda_max") == {"disagrees"}
    assert verdicts(found, "exponent of L in the stable learning rate times qhat") == {"agrees"}


@pytest.mark.parametrize("quantity", ["lowest", "top"])
def test_atoms_of_three_layers_have_a_tolerance(quantity):
    table = changed(f"part == 'three' and quantity == '{quantity}'", value=lambda v: v + 0.1)
    found = judged(table, STAGE)
    rows = found[found["setting"].str.startswith("L = 3,")]
    assert sorted(rows["verdict"]) == ["agrees", "disagrees"]


def test_a_kernel_three_errors_off_is_told():
    values = isometry.planted().query("part == 'bottleneck' and kind == 'dynamic' and depth == 6")[
        "value"
    ]
    error = values.std() / len(values) ** 0.5
    for shift, verdict in ((2.9, "agrees"), (3.1, "disagrees")):
        where = "part == 'bottleneck' and kind == 'dynamic' and depth == 6"
        found = judged(changed(where, value=lambda v, by=shift * error: v + by), STAGE)
        row = found[found["setting"].str.startswith("dynamic, L = 6")]
        assert row["verdict"].tolist() == [verdict]


def test_expected_kernels_are_those_of_the_table_of_parametrizations():
    """The last column of the table in docs/theory/relu-kernels.md, over n_0, at n_0 = 100."""
    for depth in (2, 4, 10):
        assert expected_kernel(STAGE, "ntk", depth) == pytest.approx((depth + 1) / 2)
        assert expected_kernel(STAGE, "dynamic", depth) == pytest.approx((depth + 1) / 2)
    assert expected_kernel(STAGE, "standard", 2) == pytest.approx(300 + 100 / 2)
    assert expected_kernel(STAGE, "spectral", 2) == pytest.approx(1.5)
    assert expected_kernel(STAGE, "spectral", 4) == pytest.approx(5 / 6)


@pytest.mark.parametrize("where", ["quantity == 'near'", "part == 'control' and quantity == 'largest'"])
def test_a_control_that_agrees_makes_no_table(where):
    """The values of orthogonal weights, given out for Gaussian ones."""
    table = isometry.planted().copy()
    right = 0.53125 if "near" in where else None
    rows = table.query(f"part == 'control' and ({where})").index
    table.loc[rows, "value"] = right if right else table.loc[rows, "value"] / 12
    with pytest.raises(DataError, match="the control"):
        judged(table, STAGE)


def test_the_table_is_read_as_it_was_written(tmp_path):
    write_csv(isometry.verdicts(), tmp_path / "isometry.csv")
    table = read_csv(tmp_path / "isometry.csv", FORM)
    assert len(table) == 5 * 5 + 1 + 2 + 2 + 4 + 1 + 25
    assert not set(table.loc[table["role"] == CONTROL, "verdict"]) - set(WRONG)
    assert np.isfinite(table["measured"]).all()


def of_trials(part, depth, quantity, kind="orthogonal"):
    """Values (trials,) of the scattered table."""
    rows = isometry.scattered().set_index(["part", "depth", "kind", "quantity"]).sort_index()
    return rows.loc[(part, depth, kind, quantity)].sort_values("trial")["value"].to_numpy()


def mean(values):
    """Mean and Student's interval of four trials."""
    reach = student(3) * np.std(values, ddof=1) / 2
    return [np.mean(values), np.mean(values) - reach, np.mean(values) + reach]


def slope(depths, values):
    """That of two depths, in logarithms of means, and its linearized interval."""
    means = np.mean(values, axis=1)
    per = np.log(depths[1] / depths[0])
    found = np.log(means[1] / means[0]) / per
    errors = np.std(values, axis=1, ddof=1) / 2 / means
    reach = student(6) * np.hypot(*errors) / per
    return [found, found - reach, found + reach]


def student(freedom):
    return stats.t.ppf((1 + SCATTERED.fit.confidence) / 2, freedom)


def limits(depth, clipped=OWN.clipped):
    """qhat and the largest eigenvalue of the wide limit, by the formulas of docs/theory/depth.md."""
    linear = 1 - clipped / depth
    square = clipped_square(1 / stats.norm.ppf((1 + linear) / 2) ** 2)
    return square, square * (linear**-depth - 1) / (1 / linear - 1)


def kernel(name, depth):
    """E Theta(x, x): each layer's is E f^2 over the variance of its weights."""
    own = OWN.bottlenecks
    widths = [10, *([12, 4] * depth)[: depth - 1], 1]
    scales = layer_scales(name, widths, own.r)
    square = 10 * scales.signal[0] ** 2
    for below, signal in zip(widths[1:], scales.signal[1:], strict=False):
        square *= signal**2 * below / 2
    return sum(square / std**2 for std in scales.init_std)


def by_hand():
    """experiment, quantity, setting -> expected, measured with its interval, tolerance."""
    near, found = OWN.tolerances, {}
    for depth in OWN.depths:
        square, largest = limits(depth)
        top = 1 - OWN.clipped * (depth - 1) / depth
        names = ("largest", "exact", "multiplicity", "unclipped", "top", "mean")
        values = {name: of_trials("spectrum", depth, name) for name in names}
        off = np.abs(values["largest"] / values["exact"] - 1).max()
        apart = np.abs(values["multiplicity"] - values["unclipped"]).max()
        for name, row in {
            "largest eigenvalue over the identity, less 1": (0, [off] * 3, near.exact),
            "multiplicity less unclipped units": (0, [apart] * 3, 0.5),
            "largest eigenvalue over the wide limit": (1, mean(values["largest"] / largest), near.ratio),
            "share of eigenvalues at the top": (top, mean(values["top"]), near.mass),
            "mean eigenvalue over the wide limit": (
                1,
                mean(values["mean"] / (square * depth)),
                near.ratio,
            ),
        }.items():
            found["isometry", name, f"L = {depth}, M = 40"] = row
    values = [of_trials("spectrum", depth, "largest") / limits(depth)[0] for depth in OWN.depths]
    name = "exponent of L in the largest eigenvalue over qhat"
    found["isometry", name, "L = 4 to 6"] = (1, slope(OWN.depths, values), near.slope)
    setting = "L = 3, M = 50, c = 0.6"
    for name, quantity, share in (("lowest", "lowest", 0.2), ("top", "top", 0.6)):
        row = (share, mean(of_trials("three", 3, quantity)), near.mass)
        found["isometry", f"share of eigenvalues at the {name}", setting] = row
    setting = "L = 5, M = 40, Gaussian weights"
    largest, share = (of_trials("control", 5, name, "gaussian") for name in ("largest", "near"))
    row = (1, mean(largest / limits(5)[1]), near.ratio)
    found["isometry", "largest eigenvalue over the wide limit", setting] = row
    row = (1 - OWN.clipped * 4 / 5, mean(share), near.mass)
    found["isometry", "share of eigenvalues near the top", setting] = row
    rates = []
    for depth in OWN.descent.depths:
        rate, largest = (of_trials("descent", depth, name) for name in ("rate", "largest"))
        name = "largest stable learning rate times M lambda_max"
        found["isometry", name, f"L = {depth}, M = 20"] = (2, mean(rate), 2 * near.slope)
        rates.append(rate / largest * limits(depth)[0])
    name = "exponent of L in the stable learning rate times qhat"
    found["isometry", name, "L = 2 to 7"] = (-1, slope(OWN.descent.depths, rates), near.slope)
    for name in OWN.bottlenecks.parametrizations:
        for depth in OWN.bottlenecks.depths:
            row = (kernel(name, depth), mean(of_trials("bottleneck", depth, "kernel", name)), np.nan)
            found["bottleneck", "Theta(x, x)", f"{name}, L = {depth}, widths 12 and 4"] = row
    return found


def test_every_row_is_that_of_its_trials():
    """Of numbers that nothing has in common: expected, measured, interval and tolerance."""
    rows = judged(isometry.scattered(), SCATTERED).set_index(["experiment", "quantity", "setting"])
    found = by_hand()
    assert set(found) == set(rows.index)
    columns = ["expected", "measured", "ci_low", "ci_high", "accepted_low", "accepted_high"]
    for key, (expected, measured, tolerance) in found.items():
        numbers = [expected, *measured, expected - tolerance, expected + tolerance]
        assert rows.loc[key, columns].tolist() == pytest.approx(numbers, nan_ok=True), key
        control = key[2].endswith("Gaussian weights")
        assert rows.loc[key, "role"] == (CONTROL if control else CLAIM)
        if key[0] == "bottleneck":
            values, errors = measured[0] - expected, OWN.tolerances.errors
            error = (measured[2] - measured[0]) / student(3)
            near = abs(values) <= errors * error
            assert rows.loc[key, "verdict"] == ("agrees" if near else "disagrees")
