"""The words of its page."""

from __future__ import annotations

from dynparam.provenance.companion import Companion

COMPANION = Companion(
    question="Is a network lazy or rich: does it train as its linearization at initialization?",
    why="Eqs. 1.8 to 1.12 are those of a network that trains as its linearization, and Table 1.1 says "
    "which layers stay what they are. Dynamic parametrization is `ntk` with its output multiplied by "
    r"$n_{\min}^{-r}$, so that $r$ chooses between lazy and rich training.",
    prediction="For a unit that the output moves, a layer moves by "
    r"$\rho_l=q_l/(\sqrt{n_l}f_{\mathrm{rms}})$ of its size, apart from what the layers before it add. "
    "Where this falls with the width, as under `ntk`, training follows the linearization ever more "
    r"closely. Training moves the kernel as $n_{\min}^{2r-1}$ under `dynamic`, and equally far at every "
    "width under `mup` at a constant ratio of widths. Assumed: wide layers, ReLU, weights as they are "
    "drawn, gradient descent on all images at once; for the index one input and a small step.",
    limits="Whether rich training ends better. Networks are trained on few images. What the networks "
    "of Figs. 3.4 and 3.5 do is another experiment ([through "
    "training](../theory/through-training.md)).",
    theory=("lazy-and-rich", "output-scale"),
)
