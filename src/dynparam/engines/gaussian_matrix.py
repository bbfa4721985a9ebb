"""A Gaussian matrix known only by its products, exact in law, at a cost linear in its widths.

Let W have independent N(0, std^2) entries. Conditioned on products W q = y for orthonormal q and
W^T p = z for orthonormal p, the rest of W, P_p^perp W P_q^perp, is Gaussian still and independent of
them. A further product with a unit vector u orthogonal to all q is therefore, exactly,

    W u = sum_p p <z_p, u> + std P_p^perp xi,      xi ~ N(0, I),

and that of any vector is a combination of it and of products known already. By symmetry the same holds
for W^T. So W is never drawn: a program that asks for k products of a matrix (n_out, n_in) costs
O(k^2 (n_out + n_in)), and all its answers have the joint law that a stored matrix would give them.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.linalg import vector_norm

from dynparam.support.errors import ConfigError, NonFiniteError

IN_SPAN = 1e-12
"""A vector whose part outside the known span is this much smaller than itself lies in the span.

Orthogonalizing twice leaves 1e-15 or so of a vector that lies in it.
"""

ENOUGH_LEFT = 0.01
"""With so much of a vector left by one orthogonalization, it has magnified rounding to 1e-14 at most."""


class GrowingRows:
    """Vectors of one size as the rows of a matrix, in memory for twice as many, four at least."""

    def __init__(self, size: int = 0) -> None:
        """No row yet; without a size, that of the first one."""
        self.count = 0
        self._rows = torch.empty(0, size, dtype=torch.float64)

    @property
    def rows(self) -> Tensor:
        """All of them: (count, size)."""
        return self._rows[: self.count]

    def add(self, row: Tensor) -> None:
        """Keep one more."""
        if self.count == len(self._rows):
            more = self._rows.new_empty(max(4, 2 * self.count), len(row))
            if self.count:
                more[: self.count] = self.rows
            self._rows = more
        self._rows[self.count] = row
        self.count += 1


class KnownProducts:
    """Orthonormal vectors (count, size) and their images under a matrix (count, image_size)."""

    def __init__(self, size: int, image_size: int) -> None:
        """No product is known yet."""
        self._vectors = GrowingRows(size)
        self._images = GrowingRows(image_size)

    @property
    def vectors(self) -> Tensor:
        """The orthonormal vectors as rows."""
        return self._vectors.rows

    @property
    def images(self) -> Tensor:
        """Their images as rows."""
        return self._images.rows

    def add(self, vector: Tensor, image: Tensor) -> None:
        """Keep a unit vector, orthogonal to all others, and its image."""
        self._vectors.add(vector)
        self._images.add(image)

    def split(self, u: Tensor) -> tuple[Tensor, Tensor]:
        """U (size,) as coefficients of the known vectors (count,) and a rest orthogonal to them.

        Orthogonalized again if little of it was left (Daniel et al., 1976), so that the rest is
        orthogonal to rounding; a rest that is rounding itself is returned as zero.
        """
        vectors = self.vectors
        if len(vectors) == 0:
            return u.new_zeros(0), u
        coefficients = vectors @ u
        rest = u - coefficients @ vectors
        length = vector_norm(u)
        if vector_norm(rest) < ENOUGH_LEFT * length:
            correction = vectors @ rest
            coefficients, rest = coefficients + correction, rest - correction @ vectors
        if len(vectors) == len(u) or vector_norm(rest) <= IN_SPAN * length:
            rest = torch.zeros_like(u)
        return coefficients, rest


class GaussianMatrix:
    """A (fan_out, fan_in) matrix of independent N(0, std^2) entries that is never drawn.

    Answers products one after another, exactly in law (see the module), whatever the questions depend
    on. Once as many independent vectors have been asked as the matrix has rows or columns, everything
    is known and the answers are combinations of earlier ones. Precision: float64.

    Examples:
        >>> matrix = GaussianMatrix(10**6, 10**6, 1e-3, torch.Generator().manual_seed(0))
        >>> u, v = torch.ones(10**6, dtype=torch.float64), torch.ones(10**6, dtype=torch.float64)
        >>> there, back = v @ matrix.times(u), matrix.transpose_times(v) @ u
        >>> torch.allclose(there, back)  # both are the same sum of a trillion entries
        True
    """

    def __init__(self, fan_in: int, fan_out: int, std: float, generator: torch.Generator) -> None:
        """Know nothing yet; noise is drawn from ``generator`` when a product needs it."""
        self._std = std
        self._generator = generator
        self._right = KnownProducts(fan_in, fan_out)
        self._left = KnownProducts(fan_out, fan_in)

    def times(self, u: Tensor) -> Tensor:
        """W u: (fan_in,) to (fan_out,). Raises ``ConfigError`` or ``NonFiniteError`` for a bad u."""
        return self._answer(self._right, self._left, u)

    def transpose_times(self, v: Tensor) -> Tensor:
        """W^T v: (fan_out,) to (fan_in,). Raises ``ConfigError`` or ``NonFiniteError`` for a bad v."""
        return self._answer(self._left, self._right, v)

    def _answer(self, asked: KnownProducts, other: KnownProducts, u: Tensor) -> Tensor:
        u, scale = _scaled(u, asked.vectors.shape[1])
        coefficients, rest = asked.split(u)
        length = vector_norm(rest).item()
        product: Tensor = coefficients @ asked.images
        if length > 0:
            direction = rest / length
            image = self._image(other, direction)
            asked.add(direction, image)
            product = product + length * image
        return scale * product

    def _image(self, other: KnownProducts, direction: Tensor) -> Tensor:
        """The product with a unit vector orthogonal to all that were asked on its side."""
        noise = torch.empty(other.vectors.shape[1], dtype=torch.float64)
        noise.normal_(0.0, self._std, generator=self._generator)
        if not len(other.vectors):
            return noise
        known, along = other.images @ direction, other.vectors @ noise
        if vector_norm(along) ** 2 > (1 - ENOUGH_LEFT**2) * vector_norm(noise) ** 2:
            return other.split(noise)[1] + known @ other.vectors
        # Both parts at once: a pass over the known vectors costs more than all else here.
        return torch.addmv(noise, other.vectors.mT, known - along)


def _scaled(u: Tensor, size: int) -> tuple[Tensor, float]:
    """U over its largest entry, whose square neither overflows nor vanishes, and that entry."""
    if u.shape != (size,):
        raise ConfigError(
            f"a vector of shape {tuple(u.shape)} does not fit this matrix, which takes ({size},)"
        )
    u = u.double()
    scale = u.abs().max().item()
    if not math.isfinite(scale):
        raise NonFiniteError(
            "a Gaussian matrix is asked for its product with a vector that is not finite; lower the "
            "learning rate or check the input"
        )
    return (u / scale, scale) if scale > 0 else (u, scale)
