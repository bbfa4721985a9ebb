"""How close is equal, by precision; every numerical test takes its tolerance from here."""

import torch

EXACT_ALGEBRA = {
    # A product of a few powers of integers: some units in the last place of a double.
    torch.float64: 1e-14,
}

ONE_STEP = {
    # Two orders of summation over up to 10^4 terms, six layers deep: 10^4 rounding errors of random
    # sign, 100 * 2^-53 = 1e-14 in a product, amplified by cancellation in the alignment.
    torch.float64: 1e-10,
    # The reference subtracts the preactivations after and before the step, so it loses the digits
    # that the update is smaller by, three or so of float32's seven.
    torch.float32: 2e-3,
}

TRAJECTORY = {
    # Fifty steps of momentum SGD let rounding errors grow a hundredfold or so.
    torch.float64: 1e-9,
}
