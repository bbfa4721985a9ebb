"""The words of its page."""

from __future__ import annotations

from dynparam.provenance.companion import Companion

COMPANION = Companion(
    question="What does softmax make of the Fisher eigenvalues that stand out?",
    why="The thesis trains with the squared loss. With cross-entropy the Fisher information weighs "
    r"outputs by $\Lambda_t=\mathrm{diag}(p_t)-p_tp_t^T$. How much the probabilities $p_t$ of the "
    "inputs differ depends on the size of outputs at initialization, which the parametrization "
    "decides.",
    prediction=r"The nonzero eigenvalues are those of $\Lambda^{1/2}\Theta\Lambda^{1/2}/T$. Of them "
    "$n_L-1$ stand out, where the squared loss has $n_L$. They spread where outputs are of order one "
    "(`ntk`, `standard`), and stay one number where outputs vanish as the network widens (`mup`, "
    "`spectral`, `dynamic`). Assumed: the kernel of the wide limit, the probabilities of the network "
    "that is drawn, and a mean kernel of two different inputs that outweighs the rest.",
    limits="Whether a network trains better or worse for it: none is trained. With softmax the gap "
    "behind the eigenvalues that stand out may close, as some probabilities are extreme; so their "
    "number is judged with the squared loss alone.",
    theory=("softmax",),
)
