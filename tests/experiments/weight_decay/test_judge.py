"""Verdicts on weight decay and sizes of updates, from planted curves."""

from fractions import Fraction

import numpy as np
import pytest

from dynparam.configuration.arms import all_arms
from dynparam.experiments.weight_decay import figure, judge
from dynparam.experiments.weight_decay.findings import Found
from dynparam.experiments.weight_decay.settings import WeightDecaySettings, for_decay, size_name
from dynparam.statistics.judged import CLAIM, CONTROL
from dynparam.support.errors import DataError
from dynparam.training.arms.quantities import SPEED, TEST_LOSS
from tests import arms
from tests.thesis import CONFIG

STAGE = for_decay(CONFIG)
TABLES = arms.tables("weight_decay")
VERDICTS = arms.decay_verdicts()
BLOCK = CONFIG.weight_decay.model_dump(mode="json")


def replanted(of):
    """Tables in which another formula gives the losses."""
    stages = all_arms(CONFIG)
    return {place: arms.planted(stages[place], of) for place in TABLES}


def test_decay_that_forgets_leaves_no_difference():
    """Planted so; smaller decays are shown without a verdict, with how much they forget."""
    rows = VERDICTS[(VERDICTS["experiment"] == judge.DECAY) & (VERDICTS["role"] == CLAIM)]
    assert len(rows) == 1 * len(STAGE.weight_decay.tasks)
    assert set(rows["verdict"]) == {"agrees"}
    assert STAGE.steps == 32 * STAGE.weight_decay.epochs
    assert set(rows["note"]) == {f"eta lambda T = {0.01 * STAGE.steps:.3g}"}


def test_a_difference_that_stays_is_told():
    def stays(arm, epoch):
        """Decay changes nothing."""
        return arms.losses(arm.model_copy(update={"weight_decay": 0.0}), epoch)

    rows = judge.judged(replanted(stays), STAGE)
    rows = rows[(rows["experiment"] == judge.DECAY) & (rows["role"] == CLAIM)]
    assert set(rows["verdict"]) == {"disagrees"}


def test_a_decay_that_lets_nothing_be_learned_decides_nothing():
    """Two losses that both stayed where they were are alike for another reason."""

    def still(arm, epoch):
        """With the largest decay the losses stay at 1/2."""
        return (0.5, 0.5) if arm.weight_decay * arm.learning_rate > 5e-3 else arms.losses(arm, epoch)

    table = judge.judged(replanted(still), STAGE)
    rows = table[table["experiment"] == judge.DECAY]
    assert set(rows["role"]) == {"shown", CONTROL}
    assert not Found(STAGE, table).forgetting_learns()
    assert Found(STAGE, VERDICTS).forgetting_learns()


def test_sizes_are_held_against_one_half():
    rows = VERDICTS[VERDICTS["experiment"] == judge.SIZES]
    claims = rows[rows["role"] == CLAIM]
    smaller = [r for r in STAGE.weight_decay.sizes.values if r < Fraction(1, 2)]
    assert len(claims) == len(smaller) * len(STAGE.weight_decay.tasks)
    assert set(claims["verdict"]) == {"holds"}
    r0 = claims[claims["setting"].str.contains("r = 0 less")]
    assert np.allclose(r0["measured"], 0.01, atol=1e-3)
    speed = rows[(rows["quantity"] == SPEED.wording) & rows["setting"].str.contains("r = 1/4 less")]
    assert np.allclose(speed["measured"], 0.0, atol=1e-3)


def test_controls_are_refuted_or_nothing_is_judged():
    controls = VERDICTS[VERDICTS["role"] == CONTROL]
    assert set(controls["verdict"]) == {"disagrees"}
    assert len(controls) == len(STAGE.weight_decay.tasks) * (1 + len(STAGE.weight_decay.sizes.values))

    def alike(arm, epoch):
        """Both parametrizations train alike."""
        same = {"initialization": "spectral", "parametrization": "spectral"}
        return arms.losses(arm.model_copy(update=same), epoch)

    with pytest.raises(DataError, match="the control"):
        judge.judged(replanted(alike), STAGE)


def test_findings_quote_the_table():
    found = Found(STAGE, VERDICTS)
    task = STAGE.weight_decay.tasks[0]
    assert found.merges()
    assert found.half_is_best()
    decays = found.decays(task)
    assert decays[0]["exponent"] == "0"
    assert len(decays) == len(STAGE.weight_decay.shrinkage)
    assert decays[0]["levels"].count(" and ") == 1
    others = [str(r) for r in STAGE.weight_decay.sizes.values if r != Fraction(1, 2)]
    assert [row["r"] for row in found.sizes(task)] == others
    table = VERDICTS.assign(verdict=VERDICTS["verdict"].replace("agrees", "undecided"))
    assert not Found(STAGE, table).merges()


def test_the_figure_shows_decay_and_sizes():
    data = figure.plotted_data(TABLES, STAGE)
    own = STAGE.weight_decay
    decay = data[data["part"] == figure.DECAY]
    assert len(decay) == len(own.tasks) * 2 * 2 * len(own.shrinkage)
    assert decay["x"].min() == 0
    best = data[(data["part"] == figure.SIZES) & data["best"] & (data["quantity"] == TEST_LOSS.wording)]
    assert len(best) == len(own.tasks) * len(own.sizes.values)
    drawn = figure.weight_decay_figure(data, STAGE)
    assert len(drawn.axes) == 4 * len(own.tasks)
    drawn.canvas.draw()


def test_arms_are_those_of_the_settings():
    stages = all_arms(CONFIG)
    own = CONFIG.weight_decay
    for place, table in own.tables():
        stage = stages[place]
        assert stage.protocol.first_layer == ("primal" if table.name else "dual")
        if table.name:
            shares = [arm.weight_decay * arm.learning_rate for arm in stage.arms]
            assert shares == pytest.approx(own.shrinkage)
        else:
            assert {arm.r for arm in stage.arms} == {table.r}
    assert size_name(Fraction(1, 4)) == "r-1-4"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"shrinkage": [0.1, 0.2]}, "must begin with 0"),
        ({"shrinkage": [0, 0.2, 0.1]}, "must begin with 0 and increase"),
        ({"n_min": 2000}, "lower it"),
        ({"sizes": {**BLOCK["sizes"], "values": ["1/2", "1/2"]}}, "one twice"),
        ({"sizes": {**BLOCK["sizes"], "first": 1, "last": 2}}, "leaves out 0"),
        ({"sizes": {**BLOCK["sizes"], "values": ["1/2", 2]}}, "less than or equal to 1"),
    ],
)
def test_impossible_settings_are_named(changes, told):
    with pytest.raises(ValueError, match=told):
        WeightDecaySettings.model_validate({**BLOCK, **changes})
