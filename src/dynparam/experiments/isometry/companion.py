"""The words of its page."""

from __future__ import annotations

from dynparam.provenance.companion import Companion

COMPANION = Companion(
    question="Does the Fisher information of one input grow linearly with depth, and what do "
    "bottlenecks make of it?",
    why=r"The kernel of one input, $\Theta(x,x)=\sum_l\Theta^l(x,x)$ (eq. 1.9), says how far a step of "
    "gradient descent moves its output. Where layers are narrow in turn, the parametrization decides "
    r"how depth enters: it adds to $\Theta(x,x)$ under `dynamic`, as under `ntk`, and each bottleneck "
    r"costs `spectral` the factor $n_{\min}/n$.",
    prediction=r"Near isometry $\lambda_{\max}=\sum_{l=1}^L\frac{\Vert h^{l-1}\Vert^2}Ms^{2(L-l)}$ "
    "exactly, at any number of units $M$. So it grows as the depth, and the largest stable learning "
    "rate falls as its inverse. Shares of the spectrum are those of the limit of many units. Assumed: "
    "one input, orthogonal weights of a scale $s$ with $s^2=1/p$, hard tanh that clips a share "
    "$1-p=c/L$ of the units, and biases that keep the size of signals. At bottlenecks: ReLU, and the "
    "exact mean over drawn weights.",
    limits="Real images do not enter. The growth with depth and the effect of bottlenecks are those "
    "of different networks: of orthogonal weights and equal widths, and of Gaussian weights and ReLU.",
    theory=("depth",),
)
