"""Verdicts on planted measurements of depth."""

import numpy as np
import pytest

from dynparam.experiments.isometry.judge import expected_kernel, judged
from dynparam.statistics.judged import CLAIM, CONTROL, FORM, RIGHT, WRONG
from dynparam.support.errors import DataError
from dynparam.support.tables import read_csv, write_csv
from tests import isometry

STAGE = isometry.stage()
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
    """The last column of the table in docs/theory.md, over n_0, at n_0 = 100."""
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
