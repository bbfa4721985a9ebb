"""Which cells of a table that an experiment reads may be empty or zero, and what tells rows apart."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest

from dynparam.experiments.alignments import tables as alignments
from dynparam.experiments.attentional_boltzmann import tables as attentional_boltzmann
from dynparam.experiments.best_rate import tables as best_rate
from dynparam.experiments.concept_retrieval import tables as concept_retrieval
from dynparam.experiments.continual_learning import tables as continual_learning
from dynparam.experiments.delay_law import tables as delay_law
from dynparam.experiments.fluctuations import tables as fluctuations
from dynparam.experiments.isometry import tables as isometry
from dynparam.experiments.lazy_or_rich import tables as lazy_or_rich
from dynparam.experiments.natural_gradient import tables as natural_gradient
from dynparam.experiments.open_choices import tables as open_choices
from dynparam.experiments.r_sweep import tables as r_sweep
from dynparam.experiments.receptive_fields import tables as receptive_fields
from dynparam.experiments.sharpness import tables as sharpness
from dynparam.experiments.softmax_fisher import tables as softmax_fisher
from dynparam.experiments.through_training import tables as through_training
from dynparam.experiments.training_curves import tables as training_curves
from dynparam.statistics import judged
from dynparam.support.errors import DataError
from dynparam.support.tables import Form, Kind

PATH = Path("own.csv")
VALUES = {Kind.TEXT: ("a", "b"), Kind.NOTE: ("a", "b")}
INTERVAL = "ci_low ci_high"


class Rules(NamedTuple):
    """What is known of a table from how it is made.

    Columns apart by spaces: those that lack a number where an interval, a test or a finite value does
    not exist; whole numbers that begin at 0; those whose values no two rows share.
    """

    form: Form
    lacking: str
    from_zero: str
    key: str
    complete: bool = False
    empty: bool = False


JOINT = "joint_statistic joint_layers joint_freedom joint_p"
EXACT = "expected_exact expected_exact_error deviation"
RULES = {
    "fits": Rules(
        alignments.FITS,
        f"{INTERVAL} standard_error judged_low judged_high judged_error joint_freedom",
        "",
        "layer",
    ),
    "expected": Rules(alignments.EXPECTED, "", "", "layer n", complete=True),
    "slopes": Rules(
        alignments.SLOPES, f"{INTERVAL} {EXACT} drawn_low drawn_high {JOINT}", "", "figure curve layer"
    ),
    "wide": Rules(alignments.WIDE, "", "", ""),
    "readings": Rules(alignments.READINGS, "", "", "alternative curve layer"),
    "choice trials": Rules(open_choices.TRIALS, "", "trial", "curve n trial layer", complete=True),
    "changes": Rules(open_choices.CHANGES, "", "", "alternative curve layer", complete=True),
    "sweep trials": Rules(
        r_sweep.TRIALS, "drift diverged_at", "trial", "experiment r n trial step layer"
    ),
    "edges": Rules(r_sweep.EDGES, f"edge {INTERVAL} update_exponent note", "", "statistic reference"),
    "exponents": Rules(
        r_sweep.EXPONENTS,
        f"expected exponent {INTERVAL} verdict",
        "trials",
        "statistic reference r layer",
    ),
    "delays": Rules(
        delay_law.DELAYS, "", "trial", "part kind bottlenecks parametrization n n_min trial"
    ),
    "best rates": Rules(
        best_rate.BEST,
        "edge largest_learning train_loss_area test_loss_best test_loss_last test_accuracy_best"
        " test_accuracy_last",
        "",
        "task n n_min scheme",
    ),
    "random networks": Rules(
        fluctuations.TRIALS, "", "trial", "parametrization bottlenecks n_min trial", complete=True
    ),
    "seeds": Rules(
        fluctuations.SPREAD, "variance", "draw", "task parametrization n n_min draw quantity"
    ),
    "sharpness against width": Rules(sharpness.WIDTHS, "", "trial", "family parametrization n trial"),
    "wide limits": Rules(sharpness.LIMITS, "", "", "inputs family parametrization n"),
    "normalized": Rules(sharpness.NORMALIZATION, "", "trial", "inputs width trial normalization"),
    "rates": Rules(sharpness.RATES, "", "", "family parametrization n", complete=True),
    "limits of the thesis": Rules(sharpness.THESIS, "", "", "family parametrization", complete=True),
    "linearization": Rules(
        lazy_or_rich.LINEARIZATION, "", "trial", "parametrization n trial", complete=True
    ),
    "kernel change": Rules(
        lazy_or_rich.KERNEL_CHANGE,
        "kernel_change loss",
        "trial",
        "family parametrization r step n trial",
    ),
    "index": Rules(lazy_or_rich.INDEX, "", "trial", "family engine parametrization n trial layer"),
    "identities": Rules(lazy_or_rich.IDENTITIES, "", "", "identity r momentum"),
    "verdicts": Rules(
        judged.FORM,
        f"expected measured {INTERVAL} accepted_low accepted_high verdict note",
        "",
        "experiment quantity setting role",
    ),
    "machines": Rules(attentional_boltzmann.MEASURED, "", "trial", "part kind hidden trial quantity at"),
    "residuals": Rules(natural_gradient.RESIDUALS, "", "trial", "part n scales method trial step"),
    "errors of tasks": Rules(
        continual_learning.MEASURED, "", "trial", "part scales first second noise similarity trial"
    ),
    "expected errors of tasks": Rules(
        continual_learning.EXPECTED, "", "", "part scales first second noise similarity"
    ),
    "probes": Rules(
        through_training.PROBES,
        "cosine centred_cosine participation class_ratio",
        "seed step layer",
        "parametrization seed step layer",
    ),
    "concepts": Rules(
        concept_retrieval.MEASURED, "expected", "trial at", "part kind latent trial quantity at"
    ),
    "windows": Rules(receptive_fields.MEASURED, "", "trial", "kind at trial quantity"),
    "depths": Rules(isometry.MEASURED, "", "trial", "part depth kind trial quantity rank"),
    "eigenvalues": Rules(softmax_fisher.EIGENVALUES, "", "n trial", "part n scales trial quantity rank"),
    "curves": Rules(
        training_curves.CURVES,
        "train_loss test_loss train_accuracy test_accuracy",
        "seed epoch",
        "seed epoch",
    ),
    "claims": Rules(
        training_curves.CLAIMS, f"value {INTERVAL} p_value p_holm", "", "claim source metric"
    ),
    "domain": Rules(
        training_curves.DOMAIN,
        f"value {INTERVAL}",
        "seeds draws",
        "task n n_min metric epoch panel",
        empty=True,
    ),
}


def two(kind) -> tuple[object, object]:
    """Two values that a column of the kind may have."""
    if isinstance(kind, Kind):
        return VALUES.get(kind, (1, 2))
    return (*tuple(kind)[:2],)


def rows(form: Form, *chosen: dict[str, int]) -> pd.DataFrame:
    """A row for each of ``chosen``, which has the second value in the columns named there."""
    return pd.DataFrame(
        [{name: two(kind)[one.get(name, 0)] for name, kind in form.columns.items()} for one in chosen]
    )


def accepted(form: Form, table: pd.DataFrame) -> bool:
    try:
        form.check(table, PATH)
    except DataError:
        return False
    return True


def columns_where(form: Form, value: object, kinds: set[Kind]) -> Iterator[str]:
    """The columns of these kinds that may hold the value in one of two rows."""
    key = form.key[0] if form.key else next(iter(form.columns))
    for name, kind in form.columns.items():
        table = rows(form, {}, {key: 1})
        table[name] = pd.Series([table[name].tolist()[0], value])
        if kind in kinds and accepted(form.__class__(form.columns), table):
            yield name


@pytest.mark.parametrize("name", RULES)
def test_only_what_may_lack_is_left_empty(name):
    rules = RULES[name]
    kinds = {kind for kind in rules.form.columns.values() if isinstance(kind, Kind)}
    assert set(columns_where(rules.form, None, kinds)) == set(rules.lacking.split())


@pytest.mark.parametrize("name", RULES)
def test_only_what_is_counted_from_zero_begins_there(name):
    rules = RULES[name]
    assert set(columns_where(rules.form, 0, {Kind.COUNT, Kind.WHOLE})) == set(rules.from_zero.split())


@pytest.mark.parametrize("name", RULES)
def test_rows_are_told_apart_by_their_key_alone(name):
    """Two that differ in one column of it are two rows; that differ in all others, one row twice."""
    rules = RULES[name]
    form, key = rules.form, rules.key.split()
    for column in key:
        assert accepted(form, rows(form, {}, {column: 1})), column
    others = {column: 1 for column in form.columns if column not in key}
    assert accepted(form, rows(form, {}, others)) == (not key)
    if len(key) > 1:
        assert accepted(form, rows(form, {}, dict.fromkeys(key, 1))) != rules.complete
    assert accepted(form, rows(form, {}).head(0)) == rules.empty
