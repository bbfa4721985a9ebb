"""What a verification is summed up as: exit codes and sentences, from planted findings."""

import json

import pytest

from dynparam.provenance.verification import Checked, Finding
from dynparam.provenance.verification_tree import AGREES, DIFFERS, MISSING, as_json, exit_code, summary


def node(*findings, name="figures/fig.png", behind=()):
    """A file with findings (kind, state), numbered, and the records it rests on."""
    found = tuple(Finding(kind, f"one{k}", state) for k, (kind, state) in enumerate(findings))
    return Checked(name, found, tuple(behind))


FINE = ("output", "agrees")


@pytest.mark.parametrize(
    ("states", "code"),
    [
        ([], AGREES),
        (["agrees", "older", "not recorded", "not compared"], AGREES),
        (["agrees", "missing"], MISSING),
        (["missing", "differs"], DIFFERS),
        (["differs", "missing"], DIFFERS),
        (["older", "differs"], DIFFERS),
    ],
)
def test_what_differs_comes_before_what_is_missing(states, code):
    """On the file itself, behind it, or in another of the files."""
    findings = [("input", state) for state in states]
    assert exit_code([node(*findings)]) == code
    assert exit_code([node(FINE, behind=[node(one) for one in findings])]) == code
    assert exit_code([node(FINE), *(node(one) for one in findings)]) == code
    assert json.loads(as_json([node(*findings)]))["exit_code"] == code


def test_each_remark_has_its_own_number():
    """Two of other code, three under another configuration, four not recorded, five not compared."""
    behind = [
        *[node(("code", "older")) for _ in range(2)],
        *[node(("configuration", "older")) for _ in range(3)],
        *[node(("sidecar", "not recorded")) for _ in range(4)],
        *[node(("made again", "not compared")) for _ in range(5)],
    ]
    assert summary(node(FINE, behind=behind)) == (
        "figures/fig.png: agrees with the 14 records it rests on (2 made by other code than the "
        "present; 3 under another configuration; 4 not recorded; 5 not made again)."
    )
    assert summary(node(FINE)) == "figures/fig.png: agrees with its sidecar."
    one = node(FINE, behind=[node(("configuration", "older"))])
    assert summary(one).endswith("the 1 record it rests on (1 under another configuration).")


def test_what_differs_is_counted():
    assert summary(node(("output", "differs"))) == "figures/fig.png: output one0 differs."
    more = node(("output", "agrees"), ("input", "differs"), behind=[node(("output", "differs"))] * 2)
    assert summary(more) == "figures/fig.png: input one1 differs and 2 more."


def test_what_is_missing_is_counted_and_told_from_what_agrees():
    gone = node(FINE, FINE, behind=[node(("input", "missing")), node(("input", "missing"))])
    assert summary(gone) == (
        "figures/fig.png: 2 files and sidecar agree; of what is behind them 2 files are not here, "
        "run: make reproduce"
    )
    one = node(FINE, behind=[node(("input", "missing"))])
    assert "1 file and sidecar agree; of what is behind them 1 file is not here" in summary(one)
    assert summary(node(("output", "missing"))) == "figures/fig.png; output one0 is not here."
