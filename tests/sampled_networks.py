"""Networks drawn with numpy, one weight matrix after another: what kernels are held against."""

from typing import NamedTuple

import numpy as np


class Sample(NamedTuple):
    """P^0 ... P^{L-1}, D^1 ... D^L and Theta^1 ... Theta^L of one draw, one output: (L, T, T) each."""

    forward: np.ndarray
    backward: np.ndarray
    layers: np.ndarray


def relu(u):
    return np.maximum(u, 0)


def relu_slope(u):
    return (u > 0).astype(float)


def sample(inputs, sizes, scales, random, phi=relu, slope=relu_slope, biases=False):
    """One network with these multipliers and standard deviations, on inputs (T, n_0)."""
    weights, slopes, outputs = [], [], [inputs]
    for fan_in, fan_out, g, std in zip(
        sizes[:-1], sizes[1:], scales.multiplier, scales.init_std, strict=True
    ):
        weights.append(std * random.normal(size=(fan_out, fan_in)))
        shift = std * random.normal(size=fan_out) * np.sqrt(fan_in) if biases else 0.0
        preactivation = g * (outputs[-1] @ weights[-1].T + shift)
        outputs.append(phi(preactivation))
        slopes.append(slope(preactivation))
    deltas = [np.ones((len(inputs), 1))]
    for layer in range(len(weights) - 1, 0, -1):
        deltas.insert(0, scales.multiplier[layer] * deltas[0] @ weights[layer] * slopes[layer - 1])
    forward = np.array([h @ h.T for h in outputs[:-1]])
    backward = np.array([d @ d.T for d in deltas])
    added = np.array(sizes[:-1], float) if biases else np.zeros(len(weights))
    g_square = np.square(scales.multiplier)
    layers = g_square[:, None, None] * backward * (forward + added[:, None, None])
    return Sample(forward, backward, layers)
