"""What the thesis claims of Figs. 3.4 and 3.5."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynparam.experiments.training_curves.tables import CLAIMS, DOMAIN
from dynparam.presentation.sentences import figure_title
from dynparam.provenance.experiment import Files
from dynparam.provenance.source_claims import THESIS, SourceClaim, decided

CLAIMED = ("train_loss", "test_loss", "test_accuracy")
"""What the thesis speaks of: training, and generalization. What else is compared is ours."""


WIDER = {
    "train_loss": ("area", "the lower training loss"),
    "test_loss": ("", "the lower test loss"),
    "test_accuracy": ("", "the higher test accuracy"),
}
"""Where each is judged in other networks, the last epoch if nothing is said; and the claim's words."""


def claims(config: Any, files: Files) -> Iterator[SourceClaim]:
    """Those on the thesis's own network, then the same on other networks with a bottleneck."""
    yield from _of_figures(config, files)
    if config.figures.domain:
        yield from _of_other_networks(config, files)


def _of_figures(config: Any, files: Files) -> Iterator[SourceClaim]:
    """Each claim on all tasks, decided by its primary comparisons if it has any.

    What was to decide was fixed before (``claims.endpoints``); of a claim without such a comparison, all
    of its comparisons decide.
    """
    table = files.table("comparison/claims", CLAIMS)
    table = table[table["metric"].str.startswith(CLAIMED) & ~table["metric"].str.endswith("jumps")]
    pictures = {figure_title(figure): figure for figure in config.figures.training}
    for sentence, rows in table.groupby(table["claim"].str.partition(": ")[2], sort=False):
        primary = rows[rows["role"] == "primary"]
        chosen = rows if primary.empty else primary
        metrics = chosen["metric"].str.partition(" ")[2].drop_duplicates()
        yield SourceClaim(
            THESIS,
            f"Sec. 3.3, {' and '.join(rows['source'].drop_duplicates())}",
            f"{str(sentence).capitalize()} than {config.training.parametrizations[0]}.",
            f"Paired differences ({', '.join(metrics)}), over tasks.",
            decided(chosen["verdict"]),
            (files.results / "comparison" / "claims.csv").as_posix(),
            pictures[rows["source"].iloc[0]],
        )


def _of_other_networks(config: Any, files: Files) -> Iterator[SourceClaim]:
    """What the thesis concludes of networks with a bottleneck, in those that are not its own."""
    table = files.plotted(config.figures.domain, DOMAIN)
    own = (table["n"] == config.protocol.n) & (table["n_min"] == config.protocol.n_min)
    # A network that several panels share stands in each of them.
    table = table[~own].drop_duplicates(["task", "n", "n_min", "metric", "epoch"])
    first, second = config.training.parametrizations
    for metric, (place, words) in WIDER.items():
        at = place or str(config.domain.epochs)
        rows = table[(table["metric"] == metric) & (table["epoch"] == at)]
        yield SourceClaim(
            THESIS,
            "Sec. 3.3",
            f"In other networks with a bottleneck too, {second} has {words} than {first}.",
            f"Paired differences ({'area' if place else 'last epoch'}), over tasks and networks.",
            decided(rows["verdict"]),
            (files.figures / f"{config.figures.domain}.csv").as_posix(),
            config.figures.domain,
        )
