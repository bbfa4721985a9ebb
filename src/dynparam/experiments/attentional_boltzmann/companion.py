"""The words of its page."""

from __future__ import annotations

from dynparam.provenance.companion import Companion

COMPANION = Companion(
    question="What does a Boltzmann machine made of attention learn, and how fast?",
    why="It stands beside the thesis, and shares with it the question of how the learning rate goes "
    "with a width. Gradients are of order $1/K$ in the number $K$ of hidden units. So the time to "
    "learn is independent of $K$ at a rate in proportion to it, which is $g_1^2$ of the first layer "
    "under `mup` and `spectral`.",
    prediction=r"Along a direction in which the data have the variance $\lambda$, a step of rate "
    r"$\eta$ multiplies differences of small weights by $1+\frac\eta K(\lambda-1)$. So only what "
    "varies more than the Gaussians, whose variance is one, is learned. Where Gaussians lie apart, a "
    r"fit to $N$ samples costs $\frac{Kd+K-1}{2N}$ on new data. Assumed: small weights, $b$ at the "
    "mean of the data and $c=0$ at the start, gradient descent on all data at once; for the fit, "
    "Gaussians far apart and many samples.",
    limits="All data are drawn; there are no images. The machine is a mixture of Gaussians in other "
    "words, so that nothing is said of attention in transformers.",
    theory=("attentional-boltzmann",),
)
