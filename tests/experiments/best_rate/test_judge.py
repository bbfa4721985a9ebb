"""Verdicts on best rates, from planted curves: what is planted is found, and controls can agree."""

import numpy as np
import pytest

from dynparam.configuration.arms import all_arms
from dynparam.experiments.best_rate import judge
from dynparam.experiments.best_rate.settings import for_best_rates
from dynparam.experiments.best_rate.tables import BEST
from dynparam.statistics.judged import CLAIM, CONTROL
from dynparam.support.errors import DataError
from dynparam.training.arms.quantities import SPEED, TEST_LOSS
from tests import arms
from tests.thesis import with_block

STAGE = for_best_rates(arms.RATES)
TABLES = arms.tables("best_rate")
VERDICTS = arms.rate_verdicts()


def rows(part, quantity, table=VERDICTS, role=None):
    found = table[(table["experiment"] == part) & (table["quantity"] == quantity.wording)]
    return found if role is None else found[found["role"] == role]


def replanted(of):
    """Tables in which another formula gives the losses."""
    stages = all_arms(arms.RATES)
    return {place: arms.planted(stages[place], of) for place in TABLES}


def test_the_planted_best_rates_are_found(tmp_path):
    best = arms.best_rates()
    BEST.check(best, tmp_path)
    for _, row in best.iterrows():
        assert row["best_rate"] == pytest.approx(arms.OPTIMUM[row["initialization"]])
        assert row["near_low"] <= row["best_rate"] <= row["near_high"]
        assert row["largest_learning"] == pytest.approx(3.2)
    assert set(best["edge"]) == {""}


def test_each_is_judged_at_its_own_best_rate_and_at_one():
    """Planted: dynamic trains faster, and its test loss is higher by what its initial scales cost."""
    speed, loss = rows(judge.OWN_BEST, SPEED), rows(judge.OWN_BEST, TEST_LOSS)
    assert set(speed["verdict"]) == {"holds"}
    assert set(loss["verdict"]) == {"fails"}
    assert np.allclose(loss["measured"], 0.13 - 0.118, atol=2e-3)
    assert set(loss["note"]) == {"eta = 0.05 and 0.4"}
    assert set(rows(judge.FIXED, TEST_LOSS)["note"]) == {"eta = 0.1"}


def test_the_parts_add_up_to_the_difference():
    for quantity in (SPEED, TEST_LOSS):
        parts = [rows(part, quantity) for part in (judge.PART_INITIAL, judge.PART_RATES)]
        whole = rows(judge.OWN_BEST, quantity)["measured"].to_numpy()
        assert np.allclose(sum(one["measured"].to_numpy() for one in parts), whole)


def test_whose_merit_it_is():
    assert set(rows(judge.MORE, SPEED)["verdict"]) == {"holds"}
    assert set(rows(judge.PART_INITIAL, TEST_LOSS)["verdict"]) == {"holds"}

    def of_rates(arm, epoch):
        """The layerwise rates decide in place of the initial scales."""
        swapped = arm.model_copy(
            update={"initialization": arm.parametrization, "parametrization": arm.initialization}
        )
        return arms.losses(swapped, epoch)

    table = judge.judged(replanted(of_rates), STAGE)
    assert set(rows(judge.MORE, SPEED, table)["verdict"]) == {"fails"}
    assert "holds" not in set(rows(judge.PART_INITIAL, TEST_LOSS, table)["verdict"])


def test_every_scheme_has_a_control_and_it_is_refuted():
    controls = VERDICTS[VERDICTS["role"] == CONTROL]
    assert len(controls) == len(TABLES)
    assert set(controls["verdict"]) == {"disagrees"}
    assert controls["note"].str.contains("said to do as well as").all()


def test_rates_that_cannot_be_told_apart_are_not_judged():
    """The control agrees where the loss does not depend on the rate."""

    def flat(arm, epoch):
        """The same losses at every rate."""
        return 0.5 * 0.8**epoch, 0.1 + 0.4 * 0.8**epoch

    with pytest.raises(DataError, match="the control 'validation loss'"):
        judge.judged(replanted(flat), STAGE)


def test_diverged_runs_are_neither_best_nor_compared():
    stages = all_arms(arms.RATES)
    tables = {place: arms.planted(stages[place], diverges=0.2) for place in TABLES}
    best = judge.best_table(tables, STAGE)
    dynamic = best[best["initialization"] == "dynamic"]
    assert dynamic["best_rate"].tolist() == pytest.approx([0.1] * len(dynamic))
    assert set(best["largest_learning"]) == {0.1}
    table = judge.judged(tables, STAGE)
    assert np.isfinite(table["measured"]).all()
    every = {place: arms.planted(stages[place], diverges=0.0) for place in TABLES}
    with pytest.raises(DataError, match="diverged in every arm"):
        judge.judged(every, STAGE)


def test_without_all_four_there_are_no_parts():
    """A network with the two compared alone is judged; what needs the others is left out."""
    networks = [
        {**one.model_dump(), "schemes": list(STAGE.best_rate.compared)}
        for one in STAGE.best_rate.networks
    ]
    config = with_block("best_rate", networks=networks)
    tables = {place: arms.planted(stage) for place, stage in all_arms(config).items() if place in TABLES}
    table = judge.judged(tables, for_best_rates(config))
    assert set(table["experiment"]) == {judge.OWN_BEST, judge.FIXED, judge.FAR}


def test_schemes_of_one_network_may_be_tried_at_rates_of_their_own():
    """The rates of one scheme cost less if they need not be those of all."""
    one = STAGE.best_rate.networks[0].model_dump()
    networks = [
        {**one, "first": -4, "last": 1, "schemes": ["spectral"]},
        {**one, "first": -1, "last": 5, "schemes": ["dynamic"]},
    ]
    config = with_block("best_rate", networks=networks)
    stages = {place: stage for place, stage in all_arms(config).items() if place in TABLES}
    table = judge.judged(
        {place: arms.planted(stage) for place, stage in stages.items()}, for_best_rates(config)
    )
    for quantity in (SPEED, TEST_LOSS):
        alone, together = rows(judge.OWN_BEST, quantity, table), rows(judge.OWN_BEST, quantity)
        assert alone["measured"].tolist() == pytest.approx(together["measured"].tolist())
        assert set(rows(judge.FIXED, quantity, table)["note"]) == {"eta = 0.1"}


def test_a_choice_by_accuracy_is_one_by_the_most_right():
    networks = arms.RATES.model_dump(mode="json")["best_rate"]["networks"]
    config = with_block("best_rate", networks=networks, chosen_by="validation_accuracy")
    best = judge.best_table(TABLES, for_best_rates(config))
    for _, row in best.iterrows():
        assert row["best_rate"] == pytest.approx(arms.OPTIMUM[row["initialization"]])


def test_two_seeds_that_agree_by_luck_borrow_the_variance_of_others():
    """Intervals of all rows of a quantity are of one size where all vary alike."""
    found = rows(judge.OTHERS, SPEED)
    widths = found["ci_high"] - found["ci_low"]
    assert (widths > 0).all()
    assert widths.max() < 20 * widths.min()


@pytest.mark.parametrize("role", [CLAIM, CONTROL])
def test_rows_are_told_apart(role):
    keys = ["experiment", "quantity", "setting", "role"]
    assert not VERDICTS[VERDICTS["role"] == role].duplicated(keys).any()


def test_others_come_in_the_order_of_the_settings():
    """Sets of names have another order in every process."""
    found = rows(judge.OTHERS, SPEED)["setting"].str.rpartition(", ")[2].tolist()
    own = STAGE.best_rate
    others = [name for name in own.networks[0].schemes if name not in own.compared]
    assert found == [f"{name} less {own.compared[0]}" for name in others] * len(own.tasks)
