import doctest

from dynparam.presentation import sentences
from dynparam.presentation.sentences import fraction, percent, rounded, series, short, signed, span


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
