"""Forms of tables: a row too many or too few is told wherever it would change what is computed."""

import itertools
import pkgutil
from importlib import import_module
from pathlib import Path

import pandas as pd
import pytest

import dynparam
from dynparam.support.errors import DataError
from dynparam.support.tables import Form, Kind

# What tells the rows of each table apart, and whether there is one for each combination of all values.
FORMS = {
    "trials ONE_STEP_TRIALS": ("curve n trial layer", True),
    "alignments FITS": ("layer", False),
    "alignments EXPECTED": ("layer n", True),
    "alignments SLOPES": ("figure curve layer", False),
    "alignments READINGS": ("alternative curve layer", False),
    "alignments WIDE": ("", False),
    "r_sweep TRIALS": ("experiment r n trial step layer", False),
    "r_sweep EDGES": ("statistic reference", False),
    "r_sweep EXPONENTS": ("statistic reference r layer", False),
    "delay_law DELAYS": ("part kind bottlenecks parametrization n n_min trial", False),
    "best_rate BEST": ("task n n_min scheme", False),
    "fluctuations TRIALS": ("parametrization bottlenecks n_min trial", True),
    "fluctuations SPREAD": ("task parametrization n n_min draw quantity", False),
    "sharpness WIDTHS": ("family parametrization n trial", False),
    "sharpness LIMITS": ("inputs family parametrization n", False),
    "sharpness NORMALIZATION": ("inputs width trial normalization", False),
    "sharpness RATES": ("family parametrization n", True),
    "sharpness THESIS": ("family parametrization", True),
    "lazy_or_rich LINEARIZATION": ("parametrization n trial", True),
    "lazy_or_rich KERNEL_CHANGE": ("family parametrization r step n trial", False),
    "lazy_or_rich INDEX": ("family engine parametrization n trial layer", False),
    "lazy_or_rich IDENTITIES": ("identity r momentum", False),
    "statistics FORM": ("experiment quantity setting role", False),
    "attentional_boltzmann MEASURED": ("part kind hidden trial quantity at", False),
    "natural_gradient RESIDUALS": ("part n scales method trial step", False),
    "continual_learning MEASURED": ("part scales first second noise similarity trial", False),
    "continual_learning EXPECTED": ("part scales first second noise similarity", False),
    "concept_retrieval MEASURED": ("part kind latent trial quantity at", False),
    "receptive_fields MEASURED": ("kind at trial quantity", False),
    "isometry MEASURED": ("part depth kind trial quantity rank", False),
    "softmax_fisher EIGENVALUES": ("part n scales trial quantity rank", False),
    "through_training PROBES": ("parametrization seed step layer", False),
    "training_curves CURVES": ("seed epoch", False),
    "training_curves CLAIMS": ("claim source metric", False),
    "training_curves DOMAIN": ("task n n_min metric epoch panel", False),
    "measured_orders ENTRIES": ("parametrization family layer quantity", False),
    "measured_orders CONDITIONS": ("parametrization family condition", False),
    "open_choices TRIALS": ("curve n trial layer", True),
    "open_choices CHANGES": ("alternative curve layer", True),
    "open_choices CURVES": ("arm seed epoch", False),
    "open_choices TRAINED": ("alternative endpoint", True),
}
PATH = Path("table.csv")
ONE_OF = {Kind.TEXT: ("a", "b"), Kind.NOTE: ("a", "b"), Kind.COUNT: (1, 2), Kind.WHOLE: (0, 1)}


def forms() -> dict[str, Form]:
    """Every form of the library, by the folder of its module and its name."""
    names = [one.name for one in pkgutil.walk_packages(dynparam.__path__, "dynparam.")]
    modules = [name for name in names if name.endswith((".tables", ".judged")) and name.count(".") > 1]
    return {
        f"{module.split('.')[-2]} {name}": form
        for module in modules
        for name, form in vars(import_module(module)).items()
        if isinstance(form, Form)
    }


def values(kind):
    """Two values that a column may have."""
    return ONE_OF.get(kind, (0.25, 0.5)) if isinstance(kind, Kind) else (list(kind) * 2)[:2]


def test_every_form_is_listed_here():
    assert forms().keys() == FORMS.keys()


@pytest.mark.parametrize("name", FORMS)
def test_rows_too_many_or_too_few_are_told(name):
    form, (words, complete) = forms()[name], FORMS[name]
    key = words.split()
    rows = itertools.product(*(dict.fromkeys(values(form.columns[column])) for column in key))
    rest = {column: values(kind)[0] for column, kind in form.columns.items() if column not in key}
    table = pd.DataFrame([dict(zip(key, row, strict=True)) | rest for row in rows])
    assert form.check(table, PATH) is table
    twice = pd.concat([table, table.iloc[[-1]]], ignore_index=True)
    if key:
        told = ", ".join(rf"{column} \S+" for column in key)
        with pytest.raises(DataError, match=rf"\(it has two rows of {told}\);"):
            form.check(twice, PATH)
    else:
        assert form.check(twice, PATH) is twice
    less = table.iloc[:-1]
    if complete:
        with pytest.raises(DataError, match=f"lacks a row of some {', '.join(key)}"):
            form.check(less, PATH)
    elif len(less):
        assert form.check(less, PATH) is less
