"""Variational autoencoders trained by Adam: linear ones, and ones with a hidden layer on either side."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeVar

import numpy as np

from dynparam.experiments.concept_retrieval.settings import LinearAutoencoders, NonlinearAutoencoders
from dynparam.support.arrays import FloatArray
from dynparam.support.errors import DataError, NonFiniteError
from dynparam.theory.concept_retrieval import LinearVae, gradients, loss, optimal_vae

BEGUN = 0.1
"""Standard deviation of the initial weights of a linear autoencoder."""

FIRST, SECOND, SMALL = 0.9, 0.99, 1e-8
"""Adam's rates of decay, and what keeps it from dividing by zero.

A shorter memory of squares than the usual 0.999: the gradients of a linear autoencoder shrink without
noise, and its latent units turn into the axes of nearly equal modes at the end.
"""

LEARNED = 0.05
"""A loss this far above the least one, of a pattern, is that of an autoencoder that has not learned."""


class NonlinearVae(NamedTuple):
    """An autoencoder with hidden units on either side of the latent ones, or the gradients of its loss.

    Of D inputs, H hidden units and k latent ones, whose posterior is normal and independent.

    Attributes:
        encoder: to the hidden units, (D, H), with ``encoder_bias`` (H,).
        mean: from these to the posterior's mean, (H, k), with ``mean_bias`` (k,).
        log_variance: likewise to the logarithm of its variances, with ``log_variance_bias``.
        decoder: from the latent to hidden units, (k, H), with ``decoder_bias`` (H,).
        output: from these to a pattern, (H, D), with ``output_bias`` (D,).
    """

    encoder: FloatArray
    encoder_bias: FloatArray
    mean: FloatArray
    mean_bias: FloatArray
    log_variance: FloatArray
    log_variance_bias: FloatArray
    decoder: FloatArray
    decoder_bias: FloatArray
    output: FloatArray
    output_bias: FloatArray

    def infer(self, patterns: FloatArray) -> FloatArray:
        """One inference of patterns (n, D): the decoder's mean at the encoder's mean, (n, D)."""
        seen = np.maximum(patterns @ self.encoder + self.encoder_bias, 0)
        code = seen @ self.mean + self.mean_bias
        shown = np.maximum(code @ self.decoder + self.decoder_bias, 0)
        found: FloatArray = shown @ self.output + self.output_bias
        return found


Vae = TypeVar("Vae", LinearVae, NonlinearVae)


def trained_linear(
    covariance: FloatArray,
    variance: float,
    settings: LinearAutoencoders,
    latent: int,
    generator: np.random.Generator,
) -> LinearVae:
    """A linear autoencoder trained on data of this covariance (D, D).

    Raises ``DataError`` if its loss is not near the least one then, and as ``descended`` does.
    """
    dimensions = len(covariance)
    start = LinearVae(
        BEGUN * generator.standard_normal((dimensions, latent)),
        BEGUN * generator.standard_normal((latent, dimensions)),
        np.zeros(latent),
    )
    found = descended(
        start, lambda vae: gradients(vae, covariance, variance), settings.steps, settings.rate
    )
    best = optimal_vae(covariance, variance, latent)
    above = loss(found, covariance, variance) - loss(best, covariance, variance)
    if above > LEARNED:
        raise DataError(
            f"a linear autoencoder of latent width {latent} has a loss {above:.2g} above the least one "
            f"after {settings.steps} steps; raise concept_retrieval.linear.steps, or change its rate"
        )
    return found


def trained_nonlinear(
    data: FloatArray, variance: float, settings: NonlinearAutoencoders, generator: np.random.Generator
) -> NonlinearVae:
    """A nonlinear autoencoder trained on data (n, D), some at random in each step.

    Raises as ``descended`` does.
    """

    def slope(vae: NonlinearVae) -> NonlinearVae:
        """The gradients on a batch drawn at random."""
        chosen = data[generator.integers(len(data), size=settings.batch)]
        noise = generator.standard_normal((len(chosen), settings.latent))
        return nonlinear_gradients(vae, chosen, noise, variance)

    start = begun(data.shape[1], settings.hidden, settings.latent, generator)
    return descended(start, slope, settings.steps, settings.rate)


def begun(dimensions: int, hidden: int, latent: int, generator: np.random.Generator) -> NonlinearVae:
    """Normal weights that keep sizes through every layer, and no biases."""

    def weights(fan_in: int, fan_out: int, gain: float) -> FloatArray:
        """Of variance gain / fan_in."""
        found: FloatArray = np.sqrt(gain / fan_in) * generator.standard_normal((fan_in, fan_out))
        return found

    return NonlinearVae(
        weights(dimensions, hidden, 2.0),
        np.zeros(hidden),
        weights(hidden, latent, 1.0),
        np.zeros(latent),
        weights(hidden, latent, 1.0),
        np.zeros(latent),
        weights(latent, hidden, 2.0),
        np.zeros(hidden),
        weights(hidden, dimensions, 1.0),
        np.zeros(dimensions),
    )


def nonlinear_gradients(
    vae: NonlinearVae, patterns: FloatArray, noise: FloatArray, variance: float
) -> NonlinearVae:
    """Those of the mean over patterns of the negative bound, at one draw of the latent units each.

    ``patterns`` (n, D), ``noise`` standard normal (n, k), ``variance`` s^2 of the decoder.
    """
    count = len(patterns)
    seen = np.maximum(patterns @ vae.encoder + vae.encoder_bias, 0)
    mean = seen @ vae.mean + vae.mean_bias
    spread = np.exp((seen @ vae.log_variance + vae.log_variance_bias) / 2)
    code = mean + spread * noise
    shown = np.maximum(code @ vae.decoder + vae.decoder_bias, 0)
    # Backwards, layer by layer.
    to_output = (shown @ vae.output + vae.output_bias - patterns) / (variance * count)
    to_shown = to_output @ vae.output.T * (shown > 0)
    to_code = to_shown @ vae.decoder.T
    to_mean = to_code + mean / count
    to_log_variance = to_code * noise * spread / 2 + (spread**2 - 1) / (2 * count)
    to_seen = (to_mean @ vae.mean.T + to_log_variance @ vae.log_variance.T) * (seen > 0)
    return NonlinearVae(
        patterns.T @ to_seen,
        to_seen.sum(axis=0),
        seen.T @ to_mean,
        to_mean.sum(axis=0),
        seen.T @ to_log_variance,
        to_log_variance.sum(axis=0),
        code.T @ to_shown,
        to_shown.sum(axis=0),
        shown.T @ to_output,
        to_output.sum(axis=0),
    )


def descended(start: Vae, slope: Callable[[Vae], Vae], steps: int, rate: float) -> Vae:
    """Where Adam ends after ``steps``, at a learning rate that falls to zero as a cosine does.

    Args:
        start: where it begins; left as it is.
        slope: the gradients anywhere, each of its parameter's shape.
        steps: how many.
        rate: the learning rate of the first step.

    Raises:
        NonFiniteError: it diverges.
    """
    here = [one.copy() for one in start]
    mean, square = ([np.zeros_like(one) for one in start] for _ in range(2))
    with np.errstate(over="ignore", invalid="ignore"):
        for step in range(1, steps + 1):
            speed = rate * (1 + np.cos(np.pi * (step - 1) / steps)) / 2
            for one, m, s, g in zip(here, mean, square, slope(type(start)(*here)), strict=True):
                m += (1 - FIRST) * (g - m)
                s += (1 - SECOND) * (g**2 - s)
                one -= speed * m / (1 - FIRST**step) / (np.sqrt(s / (1 - SECOND**step)) + SMALL)
    if not all(np.isfinite(one).all() for one in here):
        raise NonFiniteError(
            f"an autoencoder is not finite after {steps} steps at the learning rate {rate:g}; lower its "
            f"rate in concept_retrieval"
        )
    return type(start)(*here)
