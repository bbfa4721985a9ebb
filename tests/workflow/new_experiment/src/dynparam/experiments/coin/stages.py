"""The stages of the coins: toss them, judge them, draw them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from dynparam.experiments.coin.settings import JudgeStage, TossStage, for_judgement, for_tosses
from dynparam.provenance.experiment import Experiment, ShownFigure, ShownTable
from dynparam.provenance.stage import RESULTS, Made, Parameter, Stage

TITLE = "Do coins fall as they are said to?"

NAME = Parameter("name", "Name of a coin in coin.shares.", names=lambda config: config.coin.shares)


def toss_coin(settings: TossStage, files: tuple[Path, ...], output: Path, name: str) -> Made:
    """Toss one coin."""
    from dynparam.experiments.coin.measure import toss
    from dynparam.settings.base import named
    from dynparam.support.tables import write_csv

    named(settings.coin.shares, name, "coin.shares")
    write_csv(toss(settings.coin, name), output)
    return Made([output])


def toss_files(settings: JudgeStage, results: Path) -> list[Path]:
    """The tosses of all coins."""
    return [results / path for path in places(settings)]


def judge_coins(settings: JudgeStage, files: list[Path], output: Path) -> Made:
    """Judge whether coins fall on heads as often as they are said to."""
    from dynparam.experiments.coin.columns import view
    from dynparam.experiments.coin.judge import judged, read_tosses
    from dynparam.presentation.pages import Section, write_pages

    table = judged(read_tosses(files), settings)
    return Made(write_pages(table, output, TITLE, [Section(view=view(settings.coin), table=table)]))


def plot_coins(settings: JudgeStage, files: list[Path], output: Path) -> Made:
    """Draw the share of heads of every coin."""
    from dynparam.experiments.coin.figure import coin_figure
    from dynparam.experiments.coin.judge import judged, read_tosses
    from dynparam.experiments.coin.message import coin_message
    from dynparam.provenance.drawing import drawn

    table = judged(read_tosses(files), settings)
    return drawn(partial(coin_figure, table), coin_message(table), table, output, settings.figures)


TOSS = Stage(
    "coin toss",
    TossStage,
    toss_coin,
    parameters=(NAME,),
    jobs=lambda config: (for_tosses(config, name) for name in config.coin.shares),
    examples=("dynparam coin toss fair --output fair.csv",),
)
JUDGE = Stage(
    "coin judge",
    JudgeStage,
    judge_coins,
    toss_files,
    (RESULTS,),
    jobs=lambda config: (for_judgement(config),),
    examples=("dynparam coin judge --results results --output shares.csv",),
    remedy="snakemake --cores all coin",
    repeatable=True,
)
PLOT = Stage(
    "plot coins",
    JudgeStage,
    plot_coins,
    toss_files,
    (RESULTS,),
    jobs=lambda config: (for_judgement(config),),
    examples=("dynparam plot coins --results results --output coin.png",),
    remedy="snakemake --cores all coin",
    repeatable=True,
)


def places(settings: Any) -> tuple[str, ...]:
    """Where the tosses of all coins lie, below the directory of results."""
    return tuple(f"coin/tosses/{name}.csv" for name in settings.coin.shares)


def figures(config: Any) -> Iterator[ShownFigure]:
    """The figure of the shares."""
    yield ShownFigure(config.coin.figure, TITLE, "", places(config))


EXPERIMENT = Experiment(
    name="coin",
    title=TITLE,
    source="none of the thesis",
    stages=(TOSS, JUDGE, PLOT),
    figures=figures,
    tables=(ShownTable("coin/shares", "coin"),),
    quoted=lambda config, files: (files.results / "coin" / "shares.csv",),
)
