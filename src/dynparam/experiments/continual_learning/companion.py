"""The words of its page."""

from __future__ import annotations

from dynparam.provenance.companion import Companion

COMPANION = Companion(
    question="When does a task learned before help the next one, or the same one again?",
    why=r"A network that trains lazily (eqs. 1.8 to 1.12) trains as its kernel $\Theta$ (eq. 1.9). So "
    "the learning curves of the kernel of a bottleneck network are those of the network itself under "
    "the parametrizations that leave its narrowest layer lazy.",
    prediction=r"With $\kappa$ from $\sum_i\frac{\lambda_i}{\kappa+N\lambda_i}=1$ the errors after one "
    "task, after the next one and back on the first have closed forms. The same task again helps if "
    "samples are balanced, and is forgotten in part if the second time brings few. Another task helps "
    r"beyond the similarity $\rho^\star=\frac{\sum\beta_B^2q}{2\sum\beta_B^2\alpha_Av}$, which is "
    "$1/2$ without noise for targets whose powers are the eigenvalues. For smoother ones it is "
    "larger. Assumed: lazy training until all samples are met, independent inputs, fewer of them than "
    "modes.",
    limits="A pool of images is finite, and a sample drawn twice teaches nothing. So errors are off "
    "theory as the number of samples nears that of the pool.",
    theory=("continual-learning",),
)
