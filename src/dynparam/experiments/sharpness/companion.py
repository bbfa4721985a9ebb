"""The words of its page."""

from __future__ import annotations

from dynparam.provenance.companion import Companion

COMPANION = Companion(
    question="Does the largest eigenvalue of the Fisher information grow with the width of a network, "
    "and what takes the growth away?",
    why=r"It limits the learning rate of gradient descent, $\eta\lt2/\lambda_{\max}$. Along the widths "
    "of Figs. 3.2 and 3.3 it tells `spectral` from `dynamic` in one number: under `spectral` "
    r"$\lambda_{\max}=\Theta(\prod_{l\lt L}\min(1,n_l/n_{l-1}))$ where the last hidden layer is as "
    "wide as any, so that the rate it would need runs away as a bottleneck sharpens. Under `dynamic` "
    "it stays.",
    prediction=r"The exponent of $\lambda_{\max}$ in the width is $\max_l[C_l]-[D_L]$, its size is "
    "that of the wide limit, and gradient descent on the squared error is stable up to twice its "
    "inverse. With as many inputs as units, subtracting the mean of each output over the inputs takes "
    "out the eigenvalue that grows, and layer normalization does not. Assumed: ReLU, weights as they "
    "are drawn, bottlenecks that are wide themselves, and Gaussian inputs where outputs are "
    "normalized.",
    limits="Sharpness later in training. Networks that are normalized inside: only outputs were. What "
    "subtracting the mean leaves comes from the finite width of the network itself, so that its slope "
    "is judged and not its size.",
    theory=("sharpness", "sharpness-and-width"),
)
