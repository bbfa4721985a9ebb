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

SURE = 1e-10
"""Identities between products of one matrix in float64, relative to the products.

Vectors 1e-9 apart cost nine of sixteen digits, but only along the direction that tells them apart, on
which the questions hardly depend.
"""

TRAJECTORY = {
    # Fifty steps of momentum SGD let rounding errors grow a hundredfold or so.
    torch.float64: 1e-9,
}

SAME_TRAJECTORY = 1e-12
"""Forty steps of two networks whose weights differ by a common factor, relative to the largest output.

The same sums in the same order: only the factor's own rounding differs, 1e-16 a product, which forty
steps at a stable learning rate let grow a hundredfold at most. The same holds of kernels of one draw.
"""

TRAINING = {
    # Forty steps of momentum SGD on networks that are stable at their learning rate: two orders of
    # summation differ by 1e-13, which training lets grow a thousandfold or so.
    torch.float64: 1e-9,
    # An epoch of five steps. Products of 3072 terms in float32 are good to 1e-6 or so; the first layer's
    # preactivation and its change are differences of larger numbers, which costs two digits.
    torch.float32: 1e-4,
    # The factors of each product are rounded by up to 2^-8 = 4e-3; four layers forward and backward
    # and four epochs let that grow tenfold.
    torch.bfloat16: 5e-2,
}

PRODUCT = {
    # A sum of up to 4000 products: the root of that many rounding errors of 2^-53.
    torch.float64: 1e-14,
    # The same with 2^-24 is 4e-6 at worst and a tenth of it in blocked sums; factors rounded to TF32
    # or bfloat16 would show as 5e-4 or 4e-3.
    torch.float32: 3e-6,
    # Sums are kept in float32, the result is rounded once, by at most 2^-8 of itself.
    torch.bfloat16: 2.0**-8 * 1.01,
}

DRAWN_NORMAL = {
    # std and z * std are each rounded to float32, by at most 2^-24 of themselves; two such numbers
    # are compared.
    torch.float32: 4 * 2.0**-24,
}

CURVES_EARLY = 5e-3
"""Relative difference of losses of training in float32, epochs 0 to 3 at n = 300, n_min = 15.

As long as every ReLU unit has the same sign on every image, two orders of summation differ by some 1e-8.
Once rounding decides one sign, losses differ by up to 3e-3 (float64, dual, primal, one and two threads
compared on both tasks). Different seeds differ by 1e-2 to 3e-1.
"""

CURVES_LATE = 1e-1
"""The same for epochs 4 to 10, where such differences have grown to 2e-2."""
