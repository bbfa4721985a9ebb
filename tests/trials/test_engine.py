"""Both engines behind one face: blocks, order, and the name of a trial that fails."""

import numpy as np
import pytest
import torch

from dynparam.engines import dense, law
from dynparam.engines.one_step import OneStep
from dynparam.support.errors import NonFiniteError
from dynparam.theory.parametrization import layer_scales
from dynparam.theory.widths import Widths
from dynparam.trials.engine import UNITS_AT_ONCE, Start, trial_engine

WIDTHS = Widths((5, 30, 8, 2))
SCALES = layer_scales("spectral", WIDTHS, 0.5)


def start(seed):
    generator = torch.Generator().manual_seed(seed)
    return Start(generator, torch.randn(5, generator=generator), torch.tensor([0.0, 1.0]))


def starts(seeds):
    return {seed: start(seed) for seed in seeds}


@pytest.mark.parametrize(("name", "one_step"), [("dense", dense.one_step), ("law", law.one_step)])
def test_a_block_is_its_trials_one_by_one(name, one_step):
    found = list(trial_engine(name).run(WIDTHS, SCALES, starts([4, 2, 7]), 0.1, "here"))
    alone = [start(seed) for seed in (4, 2, 7)]
    assert found == [one_step(WIDTHS, SCALES, one.x, one.y, 0.1, one.generator) for one in alone]


@pytest.mark.parametrize(
    ("name", "widths", "at_once"),
    [
        ("dense", WIDTHS, 1),
        ("law", WIDTHS, UNITS_AT_ONCE // 30),
        # The image, however large, is no layer: it is drawn once and not kept.
        ("law", Widths((9000, 3000, 8, 2)), UNITS_AT_ONCE // 3000),
        ("law", Widths((5, 2 * UNITS_AT_ONCE, 2)), 1),
    ],
)
def test_blocks_hold_every_trial_in_order(name, widths, at_once):
    trials = range(3, 3 + 2 * at_once + 1)
    blocks = trial_engine(name).blocks(widths, trials)
    assert [trial for block in blocks for trial in block] == list(trials)
    assert [len(block) for block in blocks] == [at_once, at_once, 1]


@pytest.mark.parametrize("name", ["dense", "law"])
def test_trials_before_the_one_that_fails_are_told(name):
    """By its number, which is not its place in the block."""
    given = starts([6, 9, 2])
    given[9] = Start(given[9].generator, torch.full((5,), torch.inf), given[9].y)
    results = trial_engine(name).run(WIDTHS, SCALES, given, 0.1, "curve, n = 30")
    with np.errstate(all="ignore"):
        assert isinstance(next(results), OneStep)
        with pytest.raises(NonFiniteError, match=r"^curve, n = 30, trial 9: .* of layer 1 is"):
            next(results)


def test_another_step_takes_the_place_of_the_dense_engines():
    step = OneStep((1.0,), (1.0,), (1.0,), (1.0,), (1.0,))
    seen = []
    engine = trial_engine("dense", lambda *given: seen.append(given[-1]) or step)
    given = starts([0, 1])
    assert list(engine.run(WIDTHS, SCALES, given, 0.1, "here")) == [step, step]
    assert seen == [one.generator for one in given.values()]


def test_work_grows_as_the_numbers_drawn():
    assert trial_engine("dense").work(WIDTHS) == 5 * 30 + 30 * 8 + 8 * 2
    assert trial_engine("law").work(WIDTHS) == 5 + 30 + 8 + 2


def test_memory_is_that_of_what_is_computed_together():
    """Dense: of one trial, in the images' precision. Law: of a block, in float32, or of fewer trials."""
    dense_engine, law_engine = trial_engine("dense"), trial_engine("law")
    weights = 30 * 8 + 8 * 2
    for dtype, size in ((torch.float32, 4), (torch.float64, 8)):
        assert dense_engine.memory_bytes(WIDTHS, 1, dtype) == size * weights
        assert dense_engine.memory_bytes(WIDTHS, 50, dtype) == size * weights
        one = 4 * 3 * (30 + 8 + 2) + 4 * 3 * 30  # vectors, and blocks to compute in
        block = UNITS_AT_ONCE // 30
        for trials in (1, 7, block, block + 1, 10 * block):
            assert law_engine.memory_bytes(WIDTHS, trials, dtype) == one * min(trials, block)
