"""The words of its page."""

from __future__ import annotations

from dynparam.provenance.companion import Companion

COMPANION = Companion(
    question="Do approximate natural gradients train a wide network as the exact one does?",
    why="They can as long as the kernel stays what it is, so only where layers are lazy. Which layers "
    "are, at a bottleneck that sharpens, is the question of Table 1.1. In one number it is the "
    r"laziness index $\rho_l=q_l/(\sqrt{n_l}f_{\mathrm{rms}})$ of the narrowest layer.",
    prediction=r"While the kernel stays what it is, $f_t-y=(1-\eta a)^t(f_0-y)$. The speed $a$ is $1$ "
    "for the exact natural gradient, $L$ for a block for each layer, $1^TT^{-1}1$ for blocks with "
    "their neighbours, and $N(L-1)+1$ for K-FAC. So all of them leave the same residual, each at a "
    "learning rate in proportion to $1/a$. As a bottleneck sharpens, one full step leaves less and "
    "less under `ntk` and `standard`, and more and more under `spectral`. Assumed: the squared error, "
    "all inputs in each step, wide layers, and for K-FAC no layer narrower than the number $N$ of "
    "inputs.",
    limits="What a step costs, and how well the trained networks do on other inputs. Inputs are few.",
    theory=("natural-gradient",),
)
