"""The stages of Figs. 3.4 and 3.5: judge the claims, draw the curves and the other networks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dynparam.experiments.training_curves.settings import ClaimsStage, for_claims
from dynparam.provenance.experiment import Experiment, Files, ShownFigure, ShownTable, titled
from dynparam.provenance.stage import RESULTS, Made, Parameter, Stage
from dynparam.training.settings import all_runs

if TYPE_CHECKING:
    pass

FIGURE = Parameter(
    "figure", "Name of a figure in figures.training.", names=lambda config: config.figures.training
)


def curve_files(settings: ClaimsStage, results: Path) -> dict[tuple[str, str], Path]:
    """The curves by figure and parametrization."""
    return {
        (figure, name): results / "training" / task / f"{name}.csv"
        for figure, task in settings.figures.training.items()
        for name in settings.training.parametrizations
    }


def judge_claims(settings: ClaimsStage, files: dict[tuple[str, str], Path], output: Path) -> Made:
    """Judge the claims on training curves: paired differences, intervals, effect sizes, verdicts."""
    from dynparam.experiments.training_curves import claims, page
    from dynparam.training.archive import read_collected
    from dynparam.training.origins import audit_sentences

    table = claims.judge_all(settings, {key: read_collected(path).table for key, path in files.items()})
    sentences = audit_sentences(
        {f"{settings.figures.training[figure]}, {name}": path for (figure, name), path in files.items()}
    )
    return Made(page.write_claims(table, output, sentences, settings))


def figure_files(settings: ClaimsStage, results: Path, figure: str) -> dict[str, Path]:
    """The curves of a figure's task, by parametrization."""
    folder = results / "training" / settings.figures.training_figure(figure)
    return {name: folder / f"{name}.csv" for name in settings.training.parametrizations}


def plot_curves(settings: ClaimsStage, files: dict[str, Path], output: Path, figure: str) -> Made:
    """Draw a figure of training curves (Figs. 3.4 and 3.5)."""
    from dynparam.experiments.training_curves.figure import plotted_curves, seeds_of, training_figure
    from dynparam.experiments.training_curves.message import curves_message
    from dynparam.presentation.sentences import figure_title
    from dynparam.provenance.drawing import drawn
    from dynparam.training.archive import read_collected
    from dynparam.training.origins import caption

    task, wanted = settings.figures.training_figure(figure), settings.training.seeds
    curves = {name: read_collected(path).table for name, path in files.items()}
    plotted = plotted_curves(curves)
    said = curves_message(settings, task, figure_title(figure), *curves.values())
    draw = partial(training_figure, f"{task}, {seeds_of(plotted, wanted)}", plotted)
    return drawn(draw, said, plotted, output, settings.figures, caption=caption(files, wanted))


def other_files(settings: ClaimsStage, results: Path) -> dict[Any, list[tuple[Path, Path]]]:
    """The curves of the domain study, a pair of tables for every draw of the images."""
    from dynparam.experiments.training_curves.domain import domain_files

    return domain_files(settings, results / "training")


def plot_domain(settings: ClaimsStage, files: dict[Any, list[tuple[Path, Path]]], output: Path) -> Made:
    """Draw where the claims on training curves hold: the domain study."""
    from dynparam.experiments.training_curves.domain import domain_table
    from dynparam.experiments.training_curves.domain_figure import domain_data, domain_figure
    from dynparam.experiments.training_curves.message import domain_message
    from dynparam.provenance.drawing import drawn
    from dynparam.training.archive import read_collected

    table = domain_table(
        settings,
        {
            key: [(read_collected(first).table, read_collected(second).table) for first, second in draws]
            for key, draws in files.items()
        },
    )
    reference = (settings.protocol.n, settings.protocol.n_min)
    said = domain_message(table, settings.training.parametrizations)
    draw, data = partial(domain_figure, table, reference), domain_data(table, reference)
    return drawn(draw, said, data, output, settings.figures)


def _jobs(config: Any) -> Iterator[ClaimsStage]:
    yield for_claims(config)


JUDGE = Stage(
    "claims",
    ClaimsStage,
    judge_claims,
    curve_files,
    (RESULTS,),
    jobs=_jobs,
    examples=("dynparam claims --results results --output claims.csv",),
    remedy="snakemake --cores all comparison",
    repeatable=True,
)
PLOT = Stage(
    "plot curves",
    ClaimsStage,
    plot_curves,
    figure_files,
    (FIGURE, RESULTS),
    jobs=_jobs,
    examples=("dynparam plot curves fig3_4 --results results --output fig3_4.png",),
    remedy="snakemake --cores all FIGURE",
    repeatable=True,
)
PLOT_DOMAIN = Stage(
    "plot domain",
    ClaimsStage,
    plot_domain,
    other_files,
    (RESULTS,),
    jobs=_jobs,
    examples=("dynparam plot domain --results results --output claim_domain.png",),
    remedy="snakemake --cores all FIGURE",
    repeatable=True,
)

TITLES = {
    "fig3_4": ("Fig. 3.4: training, airplane and automobile", "Fig. 3.4, Sec. 3.3"),
    "fig3_5": ("Fig. 3.5: training, bird and cat", "Fig. 3.5, Sec. 3.3"),
    "claim_domain": ("Where the claims on training hold", "Figs. 3.4 and 3.5, Sec. 3.3"),
}
"""The thesis's figures and the domain study; others go by their name."""


def figures(config: Any) -> Iterator[ShownFigure]:
    """The figures of curves, and that of other networks if it is drawn."""
    for name, task in config.figures.training.items():
        runs = (f"training/{task}/{one}.csv" for one in config.training.parametrizations)
        yield titled(TITLES, name, runs)
    if config.figures.domain:
        runs = (
            f"training/{run.name}.csv"
            for run in all_runs(config).values()
            if run.task in config.domain.tasks
        )
        yield titled(TITLES, config.figures.domain, runs)


def audit_files(config: Any, files: Files) -> dict[str, Path]:
    """The result of every audit, by its run's place; none if the archive is not used."""
    if config.training.reuse == "none":
        return {}
    folder = files.results / "audit"
    return {run.place: folder / f"{run.place}.json" for run in all_runs(config).values()}


def quoted(config: Any, files: Files) -> Iterator[Path]:
    """The claims, the curves of the figures, and other networks if they are drawn."""
    yield files.results / "comparison" / "claims.csv"
    yield from curve_files(for_claims(config), files.results).values()
    if config.figures.domain:
        yield files.figures / f"{config.figures.domain}.csv"


EXPERIMENT = Experiment(
    name="training_curves",
    title="Training: does dynamic learn faster and generalize better?",
    source="Figs. 3.4 and 3.5, Sec. 3.3",
    stages=(JUDGE, PLOT, PLOT_DOMAIN),
    figures=figures,
    tables=(ShownTable("comparison/claims", "comparison"),),
    reads=lambda config, files: audit_files(config, files).values(),
    quoted=quoted,
)
