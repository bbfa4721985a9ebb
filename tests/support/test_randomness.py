from hypothesis import given
from hypothesis import strategies as st

from dynparam.support.randomness import seed_sequence, torch_generator

COORDINATES = st.lists(
    st.one_of(st.integers(0, 10**6), st.text("abc_-", max_size=6)), min_size=1, max_size=4
).map(tuple)


@given(COORDINATES, COORDINATES)
def test_coordinates_decide(first, second):
    same = (
        seed_sequence(0, *first).generate_state(4).tolist()
        == seed_sequence(0, *second).generate_state(4).tolist()
    )
    assert same == (first == second)


@given(COORDINATES)
def test_seed_decides(coordinates):
    states = [seed_sequence(seed, *coordinates).generate_state(4).tolist() for seed in (0, 1)]
    assert states[0] != states[1]


def test_generators_are_reproducible_and_distinct():
    draws = {
        key: torch_generator(*key).initial_seed() for key in [(0, "a", 1), (0, "a", 2), (1, "a", 1)]
    }
    assert len(set(draws.values())) == 3
    assert torch_generator(0, "a", 1).initial_seed() == draws[0, "a", 1]
