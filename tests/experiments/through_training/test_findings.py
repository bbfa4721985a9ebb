"""What the findings say of networks looked at while they train, from planted tables."""

import pytest

from dynparam.experiments.through_training.findings import Found
from dynparam.experiments.through_training.judge import (
    COSINE,
    MOVEMENT,
    PARTICIPATION,
    SEEDS,
    TRACE,
    judged,
)
from dynparam.statistics.judged import CLAIM, CONTROL
from tests.probed import planted, through_stage, verdicts
from tests.thesis import CONFIG

TABLE = verdicts()
PLACE = "bird-cat, 1000-50"


def found(table=TABLE):
    return Found(CONFIG.through_training, 2, table)


def changed(verdict, quantity, role=CLAIM, setting=""):
    table = TABLE.copy()
    here = table["quantity"].str.startswith(quantity) & (table["role"] == role)
    here &= table["setting"].str.contains(setting, regex=False)
    assert here.any()
    table.loc[here, "verdict"] = verdict
    return table


@pytest.mark.parametrize("verdict", ["fails", "undecided"])
def test_dynamic_is_the_lazier_if_the_weights_of_all_layers_move_less(verdict):
    assert found().moves_less()
    table = found(changed(verdict, MOVEMENT, setting="W^6"))
    assert not table.moves_less()
    assert table.richer()


def test_differences_of_cosines_are_those_with_intervals():
    rows = found().cosine_differences()
    assert [row["setting"] for row in rows] == ["airplane-automobile, 1000-50", PLACE]
    assert [row["measured"] for row in rows] == pytest.approx([0.3, 0.3], abs=0.02)
    table = found(changed("undecided", COSINE, setting=PLACE))
    assert [row["verdict"] for row in table.cosine_differences()] == ["holds", "undecided"]


@pytest.mark.parametrize("verdict", ["fails", "undecided"])
def test_spectral_is_the_richer_if_all_features_say_so(verdict):
    assert found().richer()
    assert not found(changed(verdict, PARTICIPATION, setting="h^5")).richer()


@pytest.mark.parametrize("step", ["step 0", "step 640"])
def test_the_kernels_cross_if_both_ends_say_so(step):
    assert found().crosses()
    assert not found(changed("fails", TRACE, setting=step)).crosses()


def test_numbers_are_those_of_the_place():
    mine = found()
    assert mine.places() == [
        f"{task}, {network}"
        for task in ("airplane-automobile", "bird-cat")
        for network in ("1000-50", "10000-500")
    ]
    assert [mine.seeds(place) for place in mine.places()] == [5, 1, 5, 1]
    assert mine.moved(PLACE, "dynamic") == pytest.approx((0.04, 0.14), rel=0.03)
    assert mine.cosines(PLACE) == pytest.approx((0.8, 0.5), abs=0.02)
    assert mine.directions(PLACE) == pytest.approx((12, 2), rel=0.03)
    assert mine.classes(PLACE) == pytest.approx((0.2, 2), rel=0.03)
    assert mine.traces(PLACE) == pytest.approx([0.0025, 3], rel=0.03)
    assert 100 < mine.crossing(PLACE) < 640


def test_a_single_seed_against_the_claim_is_told():
    assert found().not_larger() == []
    table, wide = TABLE.copy(), "bird-cat, 10000-500"
    last = table["quantity"].str.startswith(f"{TRACE}, ") & (table["setting"] == f"{wide}, step 640")
    assert last.sum() == 1
    table.loc[last, "measured"] = 0.9
    assert found(table).not_larger() == [wide]


def test_kernels_that_never_cross_have_no_step():
    stage = through_stage(tasks=["bird-cat"], networks=[{"n": 1000, "n_min": 50, "seeds": 5}])
    table = judged(planted(stage, spectral={"trace": 8.0}), stage)
    assert found(table).crossing(PLACE) is None


def test_without_several_seeds_nothing_is_compared():
    stage = through_stage(networks=[{"n": 1000, "n_min": 50, "seeds": 1}])
    assert found().compares()
    assert not found(judged(planted(stage), stage)).compares()


def test_controls_are_told():
    assert found().controls_refuted()
    assert not found(changed("undecided", SEEDS, CONTROL)).controls_refuted()
    assert found().counts()["failed"] == 0
