import doctest

import pytest

from dynparam.presentation import sentences
from dynparam.presentation.sentences import (
    all_are,
    counted,
    figure_title,
    figures,
    fraction,
    grouped,
    joined,
    none_is,
    percent,
    rounded,
    series,
    short,
    signed,
    significant,
    span,
    with_error,
    with_verdict,
    words,
)


def test_examples_in_docstrings():
    outcome = doctest.testmod(sentences)
    assert outcome.attempted >= 4
    assert outcome.failed == 0


def test_numbers_as_they_are_written():
    assert signed(-0.001) == "0.00"
    assert signed(-1.005, 3) == "-1.005"
    assert series([0.1, -0.2]) == "+0.10, -0.20"
    assert span([0.1, -0.2, 0.0]) == "-0.20 to +0.10"
    assert [percent(share) for share in (0.95, 0.995)] == ["95 %", "99.5 %"]
    assert [short(value) for value in (2.0, 0.0625)] == ["2", "0.0625"]
    assert fraction(-1.6) == "-8/5"
    assert rounded(14_678.2) == 15_000


def test_numbers_are_grouped_from_five_digits_on():
    counts = (9999, 10_000, -9999, -10_000, 9999.4, 1_234_567)
    told = ["9999", "10,000", "-9999", "-10,000", "9999", "1,234,567"]
    assert [grouped(count) for count in counts] == told


def test_one_alone_is_singular():
    assert [counted(count, "seed") for count in (0, 1, 2)] == ["0 seeds", "1 seed", "2 seeds"]
    assert counted(0, "family", "families") == "0 families"


def test_lists_of_any_length():
    assert [joined("abcd"[:count]) for count in range(5)] == [
        "",
        "a",
        "a and b",
        "a, b, and c",
        "a, b, c, and d",
    ]


def test_figures_of_the_thesis_go_by_number_only_where_all_are():
    assert figures([]) == ""
    assert figures(["fig3_4"]) == "Fig. 3.4"
    assert figures(["own"]) == "`own`"
    assert figures(["own", "other"]) == "`own` and `other`"
    assert figures(["fig3_2", "fig3_2_wide"]) == "Fig. 3.2 and `fig3_2_wide`"


def test_names_and_small_numbers_as_they_are_written():
    assert words("constant_ratio_of_n") == "constant ratio of n"
    assert [figure_title(name) for name in ("fig3_4", "fig10_2")] == ["Fig. 3.4", "Fig. 10.2"]
    assert [significant(value) for value in (2.4e-5, 0.26)] == ["2e-05", "0.3"]


@pytest.mark.parametrize(
    ("metric", "text"),
    [
        ("test_accuracy epoch 100", "+1.23 [+1.00, +1.46]"),
        ("train_loss area", "+0.0123 [+0.0100, +0.0146]"),
    ],
)
def test_accuracies_are_told_in_points_and_losses_as_they_are(metric, text):
    assert with_error({"metric": metric, "value": 0.0123, "ci_low": 0.01, "ci_high": 0.0146}) == text


def test_verdicts_of_rows():
    """Of no rows nothing holds for all, and none is anything."""
    holds, fails = {"verdict": "holds"}, {"verdict": "fails"}
    assert with_verdict([holds, fails, holds], "holds") == [holds, holds]
    assert with_verdict([fails], "holds") == []
    assert all_are([holds, holds], "holds")
    assert not all_are([holds, fails], "holds")
    assert not all_are([], "holds")
    assert none_is([fails], "holds")
    assert not none_is([fails, holds], "holds")
    assert none_is([], "holds")
