"""The coins, and what tossing them, judging and drawing the tosses depends on."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, NonNegativeInt, PositiveFloat, PositiveInt

from dynparam.settings.base import Block, CurveName, named, pick
from dynparam.settings.shared import Figures, Fit

Share = Annotated[float, Field(ge=0, le=1)]


class Coin(Block):
    """Coins that are tossed, and what is said of them."""

    seed: NonNegativeInt = Field(description="seed of the tosses")
    shares: dict[CurveName, Share] = Field(description="the share of heads, by coin")
    trials: Annotated[int, Field(ge=2)] = Field(description="independent trials of each coin")
    tosses: PositiveInt = Field(description="tosses of a trial")
    tolerance: PositiveFloat = Field(description="largest difference of shares that is none")
    figure: CurveName = Field(description="figure of the shares")


class TossStage(Block):
    """Blocks of ``toss_coin``."""

    coin: Coin


class JudgeStage(Block):
    """Blocks of ``judge_coins`` and ``plot_coins``."""

    coin: Coin
    fit: Fit
    figures: Figures


def for_tosses(config: BaseModel, name: str) -> TossStage:
    """What tossing one coin depends on. Raises ``ConfigError`` if there is none of that name."""
    whole = pick(TossStage, config)
    share = named(whole.coin.shares, name, "coin.shares")
    return TossStage(coin=whole.coin.model_copy(update={"shares": {name: share}}))


def for_judgement(config: BaseModel) -> JudgeStage:
    """What the verdicts and the figure depend on, besides the tosses."""
    whole = pick(JudgeStage, config)
    return whole.model_copy(update={"figures": whole.figures.only()})
