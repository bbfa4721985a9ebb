"""The Fisher information of softmax and cross-entropy, and the metric of inputs, through kernels.

With p_t = softmax(f_t), Q_t = diag(p_t) - p_t p_t^T and its symmetric root R_t, the Fisher information
is

    F = (1/T) sum_t J_t^T Q_t J_t,

J_t the (C, weights) matrix of gradients at x_t. Its nonzero eigenvalues are those of R Theta R / T with
the kernel Theta of all outputs (Karakida and others 2021). Every Q_t maps the vector of ones to zero,
so that one output's worth of eigenvalues is missing: C - 1 stand out where C do of the squared loss.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dynparam.support.arrays import FloatArray
from dynparam.support.errors import ConfigError, NonFiniteError
from dynparam.theory import fisher, kernels
from dynparam.theory.parametrization import LayerScales
from dynparam.theory.widths import Widths


def softmax(outputs: FloatArray) -> FloatArray:
    """The probabilities of the classes, from outputs (T, C) to (T, C); any finite outputs will do.

    Raises ``ConfigError`` for fewer than two outputs, ``NonFiniteError`` for outputs not finite.

    Examples:
        >>> softmax(np.array([[0.0, 0.0], [1000.0, 0.0]])).tolist()
        [[0.5, 0.5], [1.0, 0.0]]
    """
    if outputs.ndim != 2 or outputs.shape[1] < 2:
        raise ConfigError(
            f"outputs of shape {outputs.shape} have no softmax that depends on them; it needs (T, C) "
            f"with two classes or more"
        )
    if not np.isfinite(outputs).all():
        raise NonFiniteError("an output is not finite, so that it has no softmax; check the weights")
    grown = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    found: FloatArray = grown / grown.sum(axis=1, keepdims=True)
    return found


def output_metric(probabilities: FloatArray) -> FloatArray:
    """Q_t = diag(p_t) - p_t p_t^T, from (T, C) to (T, C, C).

    Examples:
        >>> output_metric(np.array([[0.5, 0.5], [1.0, 0.0]])).tolist()
        [[[0.25, -0.25], [-0.25, 0.25]], [[0.0, 0.0], [0.0, 0.0]]]
    """
    outer = probabilities[:, :, None] * probabilities[:, None, :]
    found: FloatArray = probabilities[:, :, None] * np.eye(probabilities.shape[1]) - outer
    return found


def metric_roots(probabilities: FloatArray) -> FloatArray:
    """R_t, the symmetric root of Q_t: (T, C) to (T, C, C); zero for a class that is certain."""
    values, vectors = np.linalg.eigh(output_metric(probabilities))
    roots = np.sqrt(np.clip(values, 0.0, None))
    found: FloatArray = (vectors * roots[:, None, :]) @ vectors.transpose(0, 2, 1)
    return found


def cross_entropy_kernel(kernel: FloatArray, probabilities: FloatArray) -> FloatArray:
    """R Theta R: (C, T, C, T) of outputs to the same shape; over T it is dual to the Fisher information.

    Raises ``ConfigError`` for a kernel or probabilities (T, C) of other shapes.

    Examples:
        >>> kernel = fisher.of_outputs(np.array([[2.0, 1.0], [1.0, 2.0]]), 2)
        >>> equal = cross_entropy_kernel(kernel, np.full((2, 2), 0.5))
        >>> fisher.spectrum(equal)[:2].round(6).tolist()  # (I - 1 1^T / C) / C of 1.5 and 0.5
        [0.75, 0.25]
    """
    outputs, inputs = fisher.kernel_shape(kernel)
    if probabilities.shape != (inputs, outputs):
        raise ConfigError(
            f"probabilities of shape {probabilities.shape} do not fit a kernel of {outputs} outputs, "
            f"{inputs} inputs"
        )
    roots = metric_roots(probabilities)
    found: FloatArray = np.einsum("sce,esft,tdf->csdt", roots, kernel, roots, optimize=True)
    return found


def outliers(kernel: FloatArray, probabilities: FloatArray) -> FloatArray:
    """K2 eig_i(mean_t Q_t), the C - 1 largest eigenvalues if K2 outweighs the rest: (C - 1,), falling.

    ``kernel`` (T, T) is that of one output in the wide limit, K2 its mean over different inputs. Within
    a fifth only where K1 / (T K2) is small, K1 the mean of its diagonal. Raises ``ConfigError`` for
    fewer than two inputs.

    Examples:
        >>> kernel = 1.0 + np.eye(4)
        >>> outliers(kernel, np.full((4, 2), 0.5)).tolist()  # eigenvalues of Q: 1/2 and 0
        [0.5]
    """
    inputs = len(kernel)
    if inputs < 2 or len(probabilities) != inputs:
        raise ConfigError(
            f"a kernel of {inputs} inputs and probabilities of {len(probabilities)} have no outliers; "
            f"both need the same inputs, two or more"
        )
    values = np.linalg.eigvalsh(output_metric(probabilities).mean(axis=0))
    found: FloatArray = off_diagonal_mean(kernel) * values[:0:-1]
    return found


def off_diagonal_mean(kernel: FloatArray) -> float:
    """K2, the mean of a kernel (T, T) over different inputs."""
    inputs = len(kernel)
    return float((kernel.sum() - np.trace(kernel)) / (inputs * (inputs - 1)))


def input_kernel(
    backward: FloatArray, widths: Widths | Sequence[int], scales: LayerScales
) -> FloatArray:
    """Inner products of grad_x f at different inputs, in the wide limit: s_1^2 n_0 D^1, (T, T).

    Over T it is dual to the metric that one output gives to inputs, (1/T) sum_t grad_x f grad_x f^T.
    ``backward`` is D^1 ... D^L of ``kernels.gram_matrices``. Raises ``ConfigError`` for
    scales that do not fit the widths.

    Examples:
        >>> from dynparam.theory.inner_products import inner_products
        >>> from dynparam.theory.parametrization import layer_scales
        >>> widths = Widths((2, 100, 50, 1))
        >>> scales, inner = layer_scales("ntk", widths), inner_products([[1.0, 1.0], [1.0, -1.0]])
        >>> grams = kernels.gram_matrices(inner, widths, scales)
        >>> input_kernel(grams.backward, widths, scales).round(3).tolist()
        [[1.0, 0.302], [0.302, 1.0]]
    """
    widths = kernels.check_network(widths, scales)
    found: FloatArray = scales.signal[0] ** 2 * widths.sizes[0] * backward[0]
    return found
