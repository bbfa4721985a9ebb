"""Coins tossed."""

from __future__ import annotations

import numpy as np
import pandas as pd

from dynparam.experiments.coin.settings import Coin
from dynparam.support.randomness import seed_sequence


def toss(coin: Coin, name: str) -> pd.DataFrame:
    """The share of heads in every trial of a coin: columns coin, trial, share."""
    seeds = [seed_sequence(coin.seed, "coin", name, trial) for trial in range(coin.trials)]
    heads = [np.random.default_rng(seed).binomial(coin.tosses, coin.shares[name]) for seed in seeds]
    shares = [count / coin.tosses for count in heads]
    return pd.DataFrame({"coin": name, "trial": range(coin.trials), "share": shares})
