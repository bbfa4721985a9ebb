"""What the report shows of the r-sweep: its edges."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from dynparam.experiments.r_sweep.columns import edges_view
from dynparam.experiments.r_sweep.tables import EDGES
from dynparam.presentation.pages import Section
from dynparam.presentation.verdicts import count
from dynparam.provenance.experiment import Files, Page, Shown

QUESTION = Markup(
    "Updates of size $m^r$, $m$ a width: from which $r$ on do gradients grow with $n$? If "
    r"$\sqrt{n_{\min}}$ decides, the edge for each $m$ is the $r$ at which $m^r$ follows it "
    '(<a href="#figure-r_sweep">figure</a>).'
)


def page(config: Any, files: Files) -> Page:
    """The edges, and how their verdicts fall."""
    edges = files.table("sweep/edges", EDGES)
    counted = count(
        "Edges in r",
        "edges",
        "is the largest stable update of size sqrt(n_min), whatever width it is written in?",
        edges["verdict"],
    )
    table = Section(paragraphs=[QUESTION], view=edges_view(config.sweep.tolerance), table=edges)
    file = files.results / "sweep" / "edges.csv"
    return Page([counted], [Shown("edges", "Edges in r", "Edges in r", [table], file, wide=False)])
