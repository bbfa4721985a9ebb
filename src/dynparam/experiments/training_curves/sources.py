"""What the thesis claims of Figs. 3.4 and 3.5."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynparam.experiments.training_curves.tables import CLAIMS
from dynparam.presentation.sentences import figure_title
from dynparam.provenance.experiment import Files
from dynparam.provenance.source_claims import THESIS, SourceClaim, decided

CLAIMED = ("train_loss", "test_loss", "test_accuracy")
"""What the thesis speaks of: training, and generalization. What else is compared is ours."""


def claims(config: Any, files: Files) -> Iterator[SourceClaim]:
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
