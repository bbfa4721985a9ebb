import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynparam.support.errors import ConfigError
from dynparam.training.seeds import archived_seeds, parse_seeds, shards

some_seeds = st.sets(st.integers(0, 300), min_size=1)


def test_shards_of_the_thesis():
    assert shards(range(100), 10)[:2] == ["0-9", "10-19"]
    assert len(shards(range(100), 10)) == 10


def test_full_shards_stay_when_seeds_are_added():
    assert shards(range(25), 10) == ["0-9", "10-19", "20-24"]
    assert shards(range(40), 10)[:2] == shards(range(25), 10)[:2]


def test_gaps_split_a_shard():
    assert shards([0, 1, 3, 9, 10], 10) == ["0-1", "3-3", "9-9", "10-10"]


@given(some_seeds, st.integers(1, 40))
def test_shards_hold_every_seed_once(seeds, size):
    found = [parse_seeds(name) for name in shards(seeds, size)]
    assert sorted(seed for shard in found for seed in shard) == sorted(seeds)
    assert max(map(len, found)) <= size


def test_no_seeds_make_no_shards():
    assert shards([], 10) == []


def test_seeds_that_make_no_sense():
    with pytest.raises(ConfigError, match=r"^seeds '3-1' name none; write the smaller number first$"):
        parse_seeds("3-1")


def test_archived_seeds(tmp_path):
    table = tmp_path / "curves.csv"
    assert archived_seeds(table) == []
    table.write_text("task,seed,epoch\na,10,0\na,2,0\na,2,1\n")
    assert archived_seeds(table) == [2, 10]
