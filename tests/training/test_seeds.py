import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynparam.support.errors import ConfigError, DataError
from dynparam.training.seeds import archived_seeds, parse_seeds, shards
from tests.special_files import SPECIAL, put

some_seeds = st.sets(st.integers(0, 300), min_size=1)


def test_shards_of_the_thesis():
    assert shards(range(100), 10)[:2] == ["0-9", "10-19"]
    assert len(shards(range(100), 10)) == 10


def test_full_shards_stay_when_seeds_are_added():
    assert shards(range(25), 10) == ["0-9", "10-19", "20-24"]
    assert shards(range(40), 10)[:2] == shards(range(25), 10)[:2]


def test_gaps_split_a_shard():
    assert shards([0, 1, 3, 9, 10], 10) == ["0-1", "3-3", "9-9", "10-10"]


def test_seeds_in_any_order_and_more_than_once_make_the_same_shards():
    assert shards([10, 3, 1, 3, 11, 0, 1], 10) == ["0-1", "3-3", "10-11"]


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
    table.write_text("seed\n")
    assert archived_seeds(table) == []


def refused(table):
    """The reason why a table is not read: one sentence that names it and the remedy."""
    with pytest.raises(DataError) as error:
        archived_seeds(table)
    told = str(error.value)
    assert "\n" not in told
    start, end = (
        f"{table}: not a table of curves (",
        "); restore it, or delete it to train its runs anew",
    )
    assert told.startswith(start)
    assert told.endswith(end)
    return told[len(start) : -len(end)]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "no column seed"),
        ("a,b\n1,2\n", "no column seed"),
        ("Seed\n1\n", "no column seed"),
        ("task,seed\na\n", "line 2 has not a value for each column"),
        ("task,seed\na,1\na,1,2\n", "line 3 has not a value for each column"),
        ("task,seed\na,\n", "line 2 has no number for a seed"),
        ("task,seed\na,x\n", "line 2 has no number for a seed"),
        ("task,seed\na,1.5\n", "line 2 has no number for a seed"),
        ("task,seed\na,-1\n", "line 2 has no number for a seed"),
        ("task,seed\na, 1\n", "line 2 has no number for a seed"),
        ("task,seed\na,1_0\n", "line 2 has no number for a seed"),
        ("task,seed\na,\u0663\n", "line 2 has no number for a seed"),
        ("task,seed\na," + "9" * 5000 + "\n", "line 2 has no number for a seed"),
        ("task,seed\n" + "x" * 10**6, "a line of more than 65536 bytes"),
        ('task,seed\n"a,1\n', "unexpected end of data"),
        ("task,seed\n" + '"' + "a\n" * 10**5, "field larger than field limit (131072)"),
    ],
)
def test_what_is_no_table_of_curves_is_told(tmp_path, content, reason):
    table = tmp_path / "curves.csv"
    table.write_text(content, encoding="utf-8")
    assert refused(table) == reason


@pytest.mark.parametrize("kind", SPECIAL)
def test_special_files_for_a_table_are_told(tmp_path, kind):
    """At once; a link to nothing too, for the archive may lie on a disk that is not there."""
    put(tmp_path / "curves.csv", kind)
    assert refused(tmp_path / "curves.csv")


def test_cells_of_null_bytes_are_told(tmp_path):
    (tmp_path / "curves.csv").write_bytes(b"task,seed\na,\0\n")
    assert refused(tmp_path / "curves.csv")
