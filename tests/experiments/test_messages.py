"""Messages of figures with a table of verdicts: each says what its verdicts say, and its contrary."""

from importlib import import_module

import pandas as pd
import pytest

from dynparam.experiments.registry import EXPERIMENTS
from dynparam.provenance.judged_message import Clause, drawn_message, message, told
from dynparam.statistics.judged import CLAIM
from dynparam.support.errors import DataError
from tests import findings_run
from tests.thesis import CONFIG


def clauses_of(name):
    """The clauses of an experiment's figure; none if its message is not made of clauses."""
    module = import_module(f"dynparam.experiments.{name}.message")
    return module.clauses(CONFIG.best_rate) if name == "best_rate" else getattr(module, "CLAUSES", ())


JUDGED = {one.name: clauses_of(one.name) for one in EXPERIMENTS if one.has("message")}
JUDGED = {name: clauses for name, clauses in JUDGED.items() if clauses}


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """The tables of verdicts of an invented run."""
    root = tmp_path_factory.mktemp("run")
    findings_run.make(root)
    return root / "results"


def test_every_figure_has_a_message():
    """Of those without a module of their own, the function beside the figure."""
    without = [one.name for one in EXPERIMENTS if list(one.figures(CONFIG)) and not one.has("message")]
    assert without == ["architecture"]


@pytest.mark.parametrize("name", JUDGED)
def test_clauses_are_decided_by_verdicts_that_there_are(results, name):
    """Each by some of the experiment's own claims, and no two by the same ones."""
    table = pd.read_csv(results / name / "verdicts.csv")
    chosen = [clause.verdicts(table.assign(verdict=table.index.astype(str))) for clause in JUDGED[name]]
    assert all(chosen)
    assert len(set(chosen)) == len(chosen)


@pytest.mark.parametrize("name", JUDGED)
def test_the_contrary_is_said_when_verdicts_are_turned(results, name):
    """And with neither, that it is undecided; controls and values without verdicts decide nothing."""
    table = pd.read_csv(results / name / "verdicts.csv")
    claims = table["role"] == CLAIM
    clauses = JUDGED[name]
    for verdict, words in (
        ("holds", [clause.right for clause in clauses]),
        ("disagrees", [clause.wrong for clause in clauses]),
        ("undecided", [f"whether {clause.right} is undecided" for clause in clauses]),
    ):
        turned = table.assign(verdict=table["verdict"].where(~claims, verdict))
        said = message(turned, clauses)
        assert said[0].isupper()
        assert said.lower() == "; ".join(words).lower()


def test_counts_are_said_where_verdicts_differ():
    clause = Clause("it rains", "it is dry", ("rain",))
    for verdicts, said in (
        (["holds", "agrees"], "it rains"),
        (["fails", "disagrees"], "it is dry"),
        (["holds", "undecided"], "it rains in 1 of 2 cases"),
        (["holds", "fails", "undecided"], "it rains in 1 of 3 cases, not in 1"),
        (["fails", "undecided"], "it rains in 0 of 2 cases, not in 1"),
        (["undecided"], "whether it rains is undecided"),
        ([], "whether it rains is not tested"),
    ):
        assert told(clause, verdicts) == said


def test_a_clause_that_is_not_tested_is_left_out_beside_one_that_is():
    rain, snow = (Clause(f"it {one}s", "it is dry", (one,)) for one in ("rain", "snow"))
    rows = {
        "experiment": "e",
        "quantity": "rain here",
        "setting": "s",
        "role": CLAIM,
        "verdict": "holds",
    }
    assert message(pd.DataFrame([rows]), (rain, snow)) == "It rains"
    assert "not tested" in message(pd.DataFrame([rows]), (snow,))


def test_a_run_too_small_for_verdicts_says_so():
    """Its figure is drawn all the same."""

    def judge():
        raise DataError("a control agrees")

    assert drawn_message(judge, ()).startswith("Nothing is judged")
