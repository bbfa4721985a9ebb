"""What the thesis claims of the largest r."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dynparam.experiments.r_sweep.tables import EDGES
from dynparam.provenance.experiment import Files
from dynparam.provenance.source_claims import THESIS, SourceClaim, decided


def claims(config: Any, files: Files) -> Iterator[SourceClaim]:
    """The edge at the second step, then over several steps."""
    edges = files.table("sweep/edges", EDGES)
    evidence = (files.results / "sweep" / "edges.csv").as_posix()
    for statistic, claim, measured in (
        (
            "drift",
            "The largest update that keeps gradients is of size n_min^(1/2): the narrowest width "
            "decides.",
            "The r from which the second term of eq. 2.55 outgrows the first at step 2, in units of "
            "three widths.",
        ),
        (
            "growth",
            "Over several steps too, gradients stay with smaller updates and grow with larger ones.",
            "The r from which gradients double within the steps of the sweep, in units of three widths.",
        ),
    ):
        rows = edges[edges["statistic"] == statistic]
        yield SourceClaim(
            THESIS,
            "Sec. 2.4, eqs. 2.55 and 2.58",
            claim,
            measured,
            decided(rows["verdict"]),
            evidence,
            config.figures.sweep,
        )
