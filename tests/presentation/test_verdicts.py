import re

import pandas as pd
import pytest

from dynparam.presentation import verdicts
from dynparam.statistics.verdicts import ClaimVerdict, Verdict

TEXTS = {
    "agrees": "✓ agrees",
    "disagrees": "✗ disagrees",
    "undecided": "? undecided",
    "holds": "✓ holds",
    "fails": "✗ fails",
    "passed": "✓ passed",
    "failed": "✗ failed",
    "in part": "✗ in part",
    "not in this window": "✗ not in this window",
    "not tested": "? not tested",
    "equal": "✓ equal",
    "other settings": "? other settings",
    "not published": "? not published",
}


def test_every_verdict_has_sign_and_word():
    assert {word: verdicts.mark(word) for word in verdicts.WORDS} == TEXTS


def test_the_words_are_those_that_are_judged():
    assert [str(one) for one in Verdict] == list(verdicts.COMPARISONS)
    assert [str(one) for one in ClaimVerdict] == list(verdicts.CLAIMS)
    assert [verdicts.mark(one) for one in Verdict] == ["✓ agrees", "✗ disagrees", "? undecided"]


def test_an_unknown_word_stays_as_it_is():
    assert verdicts.mark("unheard of") == "unheard of"
    with pytest.raises(KeyError):
        verdicts.sign("unheard of")


def test_tones_differ_in_all_they_have():
    for attribute in ("name", "sign", "background", "border", "fill"):
        assert len({getattr(tone, attribute) for tone in verdicts.TONES}) == 3


@pytest.mark.parametrize("tone", verdicts.TONES)
def test_black_text_on_a_verdict_is_legible(tone):
    """Contrast of at least 7 to 1 (WCAG 2.2, success criterion 1.4.6) with the text's #16191d."""

    def luminance(colour):
        parts = [int(part, 16) / 255 for part in re.findall("[0-9a-f]{2}", colour)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for colour in (tone.background, tone.fill):
        assert (luminance(colour) + 0.05) / (luminance("#16191d") + 0.05) >= 7


def test_verdicts_are_counted():
    words = pd.Series(["holds", "passed", "fails"], index=[4, 0, 7])
    counted = verdicts.count("what", "anchor", "meaning", words)
    assert (counted.what, counted.anchor, counted.meaning) == ("what", "anchor", "meaning")
    assert counted.tones == {"good": 2, "bad": 1, "open": 0}
    assert counted.rows == {"good": (4, 0), "bad": (7,), "open": ()}
    assert verdicts.count("", "", "", pd.Series([], dtype=object)).all == 0
    assert verdicts.tally(["holds", "holds", "undecided"], verdicts.CLAIMS) == (
        "2 holds, 0 fails, 1 undecided"
    )
