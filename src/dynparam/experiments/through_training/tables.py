"""The form of the tables that this experiment measures, archives and reads."""

from __future__ import annotations

from dynparam.support.tables import GAPS, NUMBER, TEXT, WHOLE, Form
from dynparam.training.table_archive import Kind

KEY = ("parametrization", "seed", "step", "layer")

PROBES = Form(
    {
        "parametrization": TEXT,
        "seed": WHOLE,
        "step": WHOLE,
        "layer": WHOLE,
        "loss": NUMBER,
        "trace": NUMBER,
        "cosine": GAPS,
        "centred_cosine": GAPS,
        "contribution": NUMBER,
        "movement": NUMBER,
        "participation": GAPS,
        "class_ratio": GAPS,
    },
    key=KEY,
)
"""What probes see of the networks of one task, size and parametrization (``measure.rows``)."""

NUMBERS = tuple(PROBES.columns)[1:]
"""All columns but the parametrization, which a table has one of."""

KIND = Kind(PROBES, measured="measure_through", audited="audit_through")

WHOLE_NETWORK = 0
"""The ``layer`` of rows on the whole network."""
