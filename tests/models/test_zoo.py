"""Published networks built small: each works, or is refused in a sentence whose remedy works."""

import pytest

from tests.models import zoo

NAMED = {
    "Vision transformer": "encoder.pos_embedding",
    "Swin": "features.1.0.attn.qkv",
    "autoencoder, transposed convolutions": "decode.0",
}
"""A layer that the refusal of a network names."""


@pytest.mark.parametrize("name", zoo.ZOO)
def test_a_network_works_or_says_what_to_list(name):
    seen = zoo.visit(zoo.ZOO[name])
    assert (seen.refusal == "") == (seen.unchanged == [])
    assert "\n" not in seen.refusal
    if name in NAMED:
        assert NAMED[name] in seen.unchanged
    assert len(seen.checked) == seen.layers
    assert len(seen.readouts) == (0 if "transposed" in name else 1)


def test_the_page_has_the_table_of_these_visits():
    page = zoo.PAGE.read_text(encoding="utf-8")
    assert zoo.written(page, zoo.table()) == page
    assert zoo.written(page, "another") != page
