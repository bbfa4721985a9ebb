"""What the findings say of natural gradients, from planted residuals."""

import pytest

from dynparam.experiments.natural_gradient.findings import Found
from dynparam.experiments.natural_gradient.judge import EXPONENT, FALLS, RATIO, SAME
from dynparam.statistics.judged import CLAIM, CONTROL
from tests import natural

TABLE = natural.verdicts()


def found(table=TABLE):
    return Found(natural.block(), table)


def changed(verdict, quantity, role=CLAIM, setting=""):
    table = TABLE.copy()
    here = table["quantity"].str.startswith(quantity) & (table["role"] == role)
    here &= table["setting"].str.startswith(setting)
    assert here.any()
    table.loc[here, "verdict"] = verdict
    return table


def test_ratios_are_those_of_the_widest_networks():
    assert found().ratio("gaussian", "kfac") == pytest.approx(1.0, abs=0.01)
    few = natural.block(images={"widths": [512, 1024]})
    assert Found(few, TABLE).ratio("images", "kfac") is None


@pytest.mark.parametrize("verdict", ["disagrees", "undecided"])
def test_one_residual_off_the_line_is_enough(verdict):
    assert found().on_one_line()
    assert not found(changed(verdict, RATIO, setting="K-FAC")).on_one_line()


@pytest.mark.parametrize("verdict", ["fails", "undecided"])
def test_the_error_of_kfac_falls_on_all_inputs_or_does_not(verdict):
    assert found().has_errors()
    assert found().errors_fall()
    table = changed(verdict, FALLS)
    table.loc[table["experiment"] == "gaussian", "verdict"] = "holds"
    assert not found(table).errors_fall()


def test_without_kfac_nothing_is_said_of_its_error():
    assert not found(TABLE[~TABLE["setting"].str.startswith("K-FAC")]).has_errors()


def test_lazy_layers_are_needed_if_all_of_it_is_so():
    assert found().needs_lazy_layers()
    assert not found(changed("undecided", EXPONENT, setting="exact, ntk")).needs_lazy_layers()
    assert not found(changed("undecided", EXPONENT, CONTROL, "exact, mup")).needs_lazy_layers()
    assert not found(changed("fails", EXPONENT, setting="exact, spectral")).needs_lazy_layers()


def test_exponents_are_told_by_parametrization():
    rows = found().exponents("block_diagonal")
    assert [row["name"] for row in rows] == ["ntk", "mup", "spectral", "dynamic", "standard"]
    assert rows[0]["measured"] == pytest.approx(-0.3, abs=0.05)


def test_identities_are_those_of_approximations():
    assert [row["name"] for row in found().identities()] == ["block diagonal"]
    assert found().identical()
    assert not found(changed("fails", SAME)).identical()
    assert not found(changed("undecided", SAME, CONTROL)).identical()


def test_controls_are_counted_apart():
    assert found().controls_refuted()
    assert not found(changed("undecided", RATIO, CONTROL)).controls_refuted()
    assert found().counts() == {"passed": 17, "failed": 0, "undecided": 0, "all": 17}
