import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from dynparam.engines.gaussian_matrix import GaussianMatrix
from dynparam.support.errors import ConfigError, NonFiniteError
from dynparam.support.randomness import torch_generator
from tests.tolerances import SURE

Kind = str
KINDS = ("new", "silent", "zero", "earlier answer", "repeated", "combined", "nearly dependent")
QUESTIONS = st.lists(
    st.tuples(st.sampled_from(["times", "transpose_times"]), st.sampled_from(KINDS)),
    min_size=1,
    max_size=20,
)


class Inquiry:
    """Asks a matrix questions that may depend on earlier ones and on their answers, and keeps them."""

    def __init__(self, fan_in: int, fan_out: int, seed: int = 0, std: float = 0.7) -> None:
        self.generator = torch.Generator().manual_seed(seed)
        self.sizes = {"times": fan_in, "transpose_times": fan_out}
        self.matrix = GaussianMatrix(fan_in, fan_out, std, self.generator)
        self.asked: dict[str, list] = {side: [] for side in self.sizes}
        self.answered: dict[str, list] = {side: [] for side in self.sizes}

    def normal(self, size: int) -> torch.Tensor:
        return torch.randn(size, generator=self.generator, dtype=torch.float64)

    def ask(self, side: str, kind: Kind) -> None:
        u = self.question(side, kind)
        self.asked[side].append(u)
        self.answered[side].append(getattr(self.matrix, side)(u))

    def question(self, side: str, kind: Kind) -> torch.Tensor:
        """A question of a kind, or a new one where there is none to build it from."""
        new = self.normal(self.sizes[side])
        other = "transpose_times" if side == "times" else "times"
        earlier, images = self.asked[side], self.answered[other]
        if kind == "zero":
            return torch.zeros_like(new)
        if kind == "silent":
            return new.relu()
        if kind == "earlier answer" and images:
            return images[-1] * (images[-1] > 0)
        if kind == "repeated" and earlier:
            return earlier[0]
        if kind == "combined" and earlier:
            return sum(c * u for c, u in zip(self.normal(len(earlier)), earlier, strict=True))
        if kind == "nearly dependent" and earlier:
            return earlier[-1] + 1e-9 * new
        return new


def assert_answers_of_one_matrix(inquiry: Inquiry) -> None:
    """<v, W u> = <W^T v, u> for all pairs asked so far, and W is linear on both sides.

    Relative to ||u|| ||v|| and the largest answer to a unit vector.
    """
    for u, image in zip(inquiry.asked["times"], inquiry.answered["times"], strict=True):
        for v, back in zip(
            inquiry.asked["transpose_times"], inquiry.answered["transpose_times"], strict=True
        ):
            scale = max(v.norm() * image.norm(), back.norm() * u.norm())
            assert abs(torch.dot(v, image) - torch.dot(back, u)) <= SURE * scale
    for side, size in inquiry.sizes.items():
        vectors, answers = inquiry.asked[side][:4], inquiry.answered[side][:4]
        weights = inquiry.normal(len(vectors))
        total = sum((c * u for c, u in zip(weights, vectors, strict=True)), torch.zeros(size).double())
        answer = getattr(inquiry.matrix, side)(total)
        for c, part in zip(weights, answers, strict=True):
            answer = answer - c * part
        scale = sum(abs(c) * part.norm() for c, part in zip(weights, answers, strict=True))
        assert answer.norm() <= SURE * scale


@given(
    shape=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    questions=QUESTIONS,
    seed=st.integers(0, 10**6),
)
@settings(max_examples=200, deadline=None)
def test_identities_that_hold_surely(shape, questions, seed):
    """Whatever is asked: independent, dependent, repeated, zero, or following from earlier answers."""
    inquiry = Inquiry(*shape, seed)
    for side, kind in questions:
        inquiry.ask(side, kind)
    assert_answers_of_one_matrix(inquiry)


@pytest.mark.parametrize("kind", KINDS)
def test_identities_at_large_widths(kind):
    inquiry = Inquiry(5000, 3000, seed=1)
    for side in ("times", "transpose_times") * 6:
        inquiry.ask(side, "new")
        inquiry.ask(side, kind)
    assert_answers_of_one_matrix(inquiry)


def test_a_matrix_that_forgets_breaks_the_identities():
    """The same assertion on answers drawn anew each time must fail."""
    inquiry = Inquiry(6, 5)
    for side in ("times", "transpose_times", "times"):
        inquiry.ask(side, "new")
        inquiry.matrix = GaussianMatrix(6, 5, 0.7, inquiry.generator)
    with pytest.raises(AssertionError):
        assert_answers_of_one_matrix(inquiry)


@pytest.mark.parametrize("shape", [(3, 2), (2, 3), (1, 1), (1, 4), (4, 1), (6, 6)])
@pytest.mark.parametrize("order", ["forward first", "transposed first", "in turn"])
def test_more_questions_than_dimensions(shape, order):
    """At the end all answers are those of the matrix that the unit vectors' images make up."""
    inquiry = Inquiry(*shape, seed=3)
    rounds = 2 * max(shape)
    turns = {
        "forward first": ["times"] * rounds + ["transpose_times"] * rounds,
        "transposed first": ["transpose_times"] * rounds + ["times"] * rounds,
        "in turn": ["times", "transpose_times"] * rounds,
    }
    for side in turns[order]:
        inquiry.ask(side, "new")
    full = entries(inquiry.matrix, shape[0])
    for u, image in zip(inquiry.asked["times"], inquiry.answered["times"], strict=True):
        torch.testing.assert_close(image, full @ u, rtol=SURE, atol=SURE * full.norm() * u.norm())
    for v, back in zip(
        inquiry.asked["transpose_times"], inquiry.answered["transpose_times"], strict=True
    ):
        torch.testing.assert_close(back, full.T @ v, rtol=SURE, atol=SURE * full.norm() * v.norm())
    assert len(inquiry.matrix._right.vectors) <= shape[0]
    assert len(inquiry.matrix._left.vectors) <= shape[1]


def entries(matrix: GaussianMatrix, fan_in: int) -> torch.Tensor:
    """The matrix (n_out, n_in) itself, column by column."""
    return torch.stack([matrix.times(e) for e in torch.eye(fan_in, dtype=torch.float64)], dim=1)


def adaptively_asked(shape: tuple[int, int], trial: int) -> torch.Tensor:
    """All entries of a matrix that was asked questions depending on its answers before."""
    inquiry = Inquiry(*shape, seed=trial, std=1.0)
    for side in ("times", "transpose_times", "times"):
        inquiry.ask(side, "earlier answer")
    return entries(inquiry.matrix, shape[0])


@pytest.mark.parametrize("shape", [(3, 2), (2, 3), (4, 4)])
def test_entries_are_independent_normals(shape):
    """All entries of 2000 matrices, after questions that depend on earlier answers.

    Each entry is N(0, 1) by Kolmogorov-Smirnov, of variance 1 by chi-squared, and the products of each
    two have mean 0. At most 152 tests a shape at 1e-6 each: false alarms 5e-4 over the three shapes.
    """
    matrices = np.array([adaptively_asked(shape, trial).flatten().numpy() for trial in range(2000)])
    trials, count = matrices.shape
    reach = stats.norm.isf(0.5e-6)
    for entry in range(count):
        assert stats.kstest(matrices[:, entry], "norm").pvalue > 1e-6
        below = stats.chi2.cdf(np.square(matrices[:, entry]).sum(), trials)
        assert 0.5e-6 < below < 1 - 0.5e-6
        for other in range(entry):
            products = matrices[:, entry] * matrices[:, other]
            assert abs(products.mean()) < reach / trials**0.5


def test_entries_stand_for_the_products_asked_before():
    """With a known component dropped, the entries' law is wrong and the tests above would say so."""

    class Forgets(GaussianMatrix):
        def _image(self, other, direction):
            image = super()._image(other, direction)
            return image - (other.images @ direction) @ other.vectors

    found = []
    for trial in range(2000):
        generator = torch_generator(trial, "forgets")
        matrix = Forgets(3, 2, 1.0, generator)
        matrix.transpose_times(matrix.times(torch.randn(3, generator=generator)))
        found.append(entries(matrix, 3).square().mean().item())
    assert stats.chi2.cdf(np.sum(found) * 6, 6 * 2000) < 1e-6


@pytest.mark.parametrize("power", [-250, -160, 160, 250])
def test_no_scale_is_too_large_or_too_small(power):
    """Norms whose squares leave the range of a double answer like any other."""
    inquiry = Inquiry(6, 5)
    u, v = inquiry.normal(6), inquiry.normal(5)
    image, back = inquiry.matrix.times(u), inquiry.matrix.transpose_times(v)
    for scaled, answer in (
        (inquiry.matrix.times(10.0**power * u), image),
        (inquiry.matrix.transpose_times(10.0**power * v), back),
    ):
        torch.testing.assert_close(scaled / 10.0**power, answer, rtol=SURE, atol=0)
    new = inquiry.normal(6)
    tiny = inquiry.matrix.times(10.0**power * new)
    torch.testing.assert_close(inquiry.matrix.times(new), tiny / 10.0**power, rtol=SURE, atol=0)


def test_only_new_directions_are_kept():
    """Rows grow by independent questions alone, not by repeated, combined or zero ones."""
    inquiry = Inquiry(50, 40)
    for expected, kind in enumerate(["new", "new", "new"], start=1):
        inquiry.ask("times", kind)
        assert (len(inquiry.matrix._right.vectors), len(inquiry.matrix._left.vectors)) == (expected, 0)
    for kind in ("repeated", "combined", "zero"):
        inquiry.ask("times", kind)
        assert len(inquiry.matrix._right.vectors) == 3
    inquiry.ask("times", "nearly dependent")
    inquiry.ask("transpose_times", "new")
    assert (len(inquiry.matrix._right.vectors), len(inquiry.matrix._left.vectors)) == (4, 1)


def test_known_answers_draw_no_numbers():
    inquiry = Inquiry(50, 40)
    inquiry.ask("times", "new")
    before = inquiry.generator.get_state()
    first = inquiry.answered["times"][0]
    again = inquiry.matrix.times(2 * inquiry.asked["times"][0])
    assert torch.equal(before, inquiry.generator.get_state())
    torch.testing.assert_close(again, 2 * first, rtol=SURE, atol=0)


@pytest.mark.parametrize("side", ["times", "transpose_times"])
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_vectors_that_are_not_finite(side, bad):
    u = torch.ones(4, dtype=torch.float64)
    u[2] = bad
    matrix = GaussianMatrix(4, 4, 1.0, torch.Generator())
    with pytest.raises(NonFiniteError, match="not finite; lower the learning rate or check the input"):
        getattr(matrix, side)(u)


@pytest.mark.parametrize(("side", "size"), [("times", 4), ("transpose_times", 3)])
def test_vectors_of_a_wrong_shape(side, size):
    matrix = GaussianMatrix(4, 3, 1.0, torch.Generator())
    for shape in [(size + 1,), (size, 1), (1, size), ()]:
        with pytest.raises(ConfigError, match=rf"does not fit this matrix, which takes \({size},\)"):
            getattr(matrix, side)(torch.ones(shape))
