"""A handful of kills at random moments; ``tests/kills.py`` says how to do many."""

import pytest

from tests.kills import kill_again_and_again


@pytest.mark.parametrize("at_once", [1, 2])
def test_killed_at_random_moments_it_ends_as_in_peace(tmp_path, at_once):
    assert kill_again_and_again(tmp_path, kills=4, seed=at_once, at_once=at_once).kills.total() == 4
