"""What the thesis and the report claim of lazy training."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from dynparam.provenance.experiment import Files
from dynparam.provenance.judged_claims import Verdicts
from dynparam.provenance.source_claims import REPORT, THESIS, SourceClaim


def claims(config: Any, files: Files) -> Iterator[SourceClaim]:
    """The claims of the thesis, then that of the report."""
    found = Verdicts(files, "lazy_or_rich")
    claim = partial(SourceClaim, evidence=found.evidence, figure=config.lazy_or_rich.figure)
    linear = found.of("exponent of n in |f")
    kernel = found.of("exponent of n in the kernel change, ntk")
    yield claim(
        THESIS,
        "Sec. 1.1.2, eqs. 1.8 and 1.12",
        "Under the NTK parametrization a wide network trains as its linearization.",
        "How the distance between a trained network and its linearization, and eq. 1.8, falls with "
        "the width.",
        linear,
    )
    yield claim(
        THESIS,
        "Sec. 1.1.2",
        "Under the NTK parametrization the kernel of a wide network stays as it was at the start.",
        "How the change of the kernel falls with the width, and with the narrowest width at r = 0.",
        kernel + found.of("exponent of n_min, dynamic, r = 0"),
    )
    yield claim(
        THESIS,
        "Sec. 1.1.2, Table 1.1",
        "Under mup, and under dynamic parametrization with r = 1/2, features move at every width.",
        "How the change of the kernel depends on the narrowest width: an exponent of 0.",
        found.of("exponent of n_min, mup", "exponent of n_min, dynamic, r = 1/2"),
    )
    yield claim(
        THESIS,
        "Table 1.1",
        "Which layers are lazy follows from the orders of the table.",
        "The exponent of the laziness index in the narrowest layer, beside theory's, at constant and "
        "at sharpening bottlenecks.",
        found.of("exponent of n in the narrowest layer"),
    )
    yield claim(
        REPORT,
        "Sec. 4 (2)",
        "The kernel of the random initial weights decides how training goes: it converges where the "
        "model is linear.",
        "How the distance between a trained network and its linearization falls with the width, under "
        "the NTK parametrization.",
        linear,
        paper="Work that the report builds on",
    )
