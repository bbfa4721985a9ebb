"""The words of its page."""

from __future__ import annotations

from dynparam.provenance.companion import Companion

COMPANION = Companion(
    question="Do local receptive fields make a wide network robust against disturbed inputs?",
    why="It stands beside the thesis, whose first layer is dense. A wide network that trains lazily "
    "trains as its kernel (eq. 1.9), and windows in the first layer change it to "
    r"$\Theta=\Phi(\bar\Sigma)+\Phi'(\bar\Sigma)(\bar\Sigma+\Theta^1)$, with means over their "
    "positions.",
    prediction="Weights that are correlated between neighbouring pixels are a dense network on a "
    r"blurred image, $\Gamma^{1/2}x$, kernel for kernel. So they withstand what a blur withstands, "
    "such as white noise. Of windows theory says no side. That they make robust is the claim of the "
    "report, and it is tested qualitatively: they also weigh pixels unevenly, so they are held beside "
    "a dense network on pixels that are weighted alike, and beside windows on permuted pixels. "
    "Assumed: ReLU, many units at every position, training through independent numbers.",
    limits="Trained networks, and other disturbances than white noise and one square. What is judged "
    "is how far the predictor moves, not how many of its answers turn wrong.",
    theory=("receptive-fields",),
)
