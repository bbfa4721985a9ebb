"""Sealed JSON: any changed byte shows, and so does another owner."""

from __future__ import annotations

import json
import math

import pytest

from dynparam.support.sealed import SealError, seal, unseal

CONTENT = {"seed": 3, "curve": [[0.1, math.inf, 5e-324, -0.0]], "text": "é \\ \ud800", "nothing": None}


def test_what_was_sealed_comes_back_exactly() -> None:
    """Text, infinities, the smallest float, the sign of zero, half a surrogate pair."""
    assert repr(unseal(seal(CONTENT, "run/3"), "run/3")) == repr(CONTENT)


def test_every_flipped_bit_of_every_byte_shows() -> None:
    """All of them; a flip that makes bytes no UTF-8 never gets as far."""
    line = seal(CONTENT, "run/3").encode()
    tried = 0
    for place in range(len(line)):
        for bit in range(8):
            flipped = line[:place] + bytes([line[place] ^ (1 << bit)]) + line[place + 1 :]
            try:
                text = flipped.decode()
            except UnicodeDecodeError:
                continue
            tried += 1
            with pytest.raises(SealError):
                unseal(text, "run/3")
    assert tried > 5 * len(line)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "7",
        "[]",
        "[" * 100_000,
        "9" * 5_000,
        '{"content": 1}',
        '{"sha256": [], "of": {}, "content": 1}',
        "\ud800",
        seal(1, "run/3") + " ",
        json.dumps(json.loads(seal({"a": 1}, "run/3")), indent=1),
        seal(1, "run/3").replace('"content": 1', '"content": 2, "content": 1'),
    ],
)
def test_what_is_not_sealed_is_told(text: str) -> None:
    """Other JSON, endless nesting, numbers beyond reading, other spacing, keys that are there twice."""
    with pytest.raises(SealError):
        unseal(text, "run/3")


@pytest.mark.parametrize("owner", ["run/4", "run/33", "", "RUN/3"])
def test_the_content_of_another_is_refused(owner: str) -> None:
    """However alike their names are."""
    with pytest.raises(SealError, match="another"):
        unseal(seal(CONTENT, owner), "run/3")
