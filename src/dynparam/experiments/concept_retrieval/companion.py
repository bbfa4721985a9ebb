"""The words of its page."""

from __future__ import annotations

from dynparam.provenance.companion import Companion

COMPANION = Companion(
    question="Does repeated inference in a variational autoencoder end at a concept, the mean of a "
    "cluster?",
    why="It stands beside the thesis, and shares with it the narrow layer between wide ones: the "
    r"latent width $k$ decides what survives an inference, $\rho_i=0$ for $i\gt k$. No parametrization "
    "of the thesis enters.",
    prediction="An inference of a trained linear autoencoder multiplies the principal mode $i$ of its "
    r"data by $\rho_i=\max(0,1-\tau^2/\lambda_i)$ for $i\le k$. Modes within a cluster die first, so "
    "that a pattern comes near its concept. Then the concept decays too, and the pattern leaves it: "
    r"it is no fixed point. Assumed: centred data, a decoder of fixed variance $\tau^2$, training to "
    "the optimum. Of autoencoders with hidden units there is no theory; they are held against bounds "
    "that were set beforehand.",
    limits="Patterns are drawn from Gaussian clusters; there are no images. The part with hidden "
    "units is a demonstration at one size, and some of its patterns diverge after many inferences.",
    theory=("concept-retrieval",),
)
