"""Matrix products of stacks of networks, at the speed the processor allows.

torch's own float32 products on a CPU are MKL's, which leaves half of the vector units of an AMD
processor idle. oneDNN, which comes with torch as well, does not, and computes in float32 all the same
(``benchmarks/README.md`` has the rates). Where torch offers it, ``linear`` uses it; anywhere else,
and in any other precision, it is ``torch.matmul``.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor


def linear(h: Tensor, w: Tensor) -> Tensor:
    """H W^T for each network: (stack, batch, n_in), (stack, n_out, n_in) to (stack, batch, n_out).

    ``h`` may be a matrix (batch, n_in) that all networks share. Either may be a transposed view.
    """
    if not _takes_onednn(w):
        return torch.matmul(h, w.mT)
    shared = h.expand(len(w), *h.shape[-2:])
    product = torch.ops.mkldnn._linear_pointwise.default
    found = [product(a, b, None, "none", [], "") for a, b in zip(shared, w, strict=True)]
    return found[0][None] if len(found) == 1 else torch.stack(found)


def decay_and_add(total: Tensor, a: Tensor, b: Tensor, decay: float) -> None:
    """Total <- decay * total + A B^T in place, for each network.

    ``total`` is (stack, rows, columns), ``a`` (stack, rows, batch), ``b`` (stack, columns, batch). One
    fused product where torch's own is used and no precision changes; else a product and a sum.
    """
    if _takes_onednn(b) or a.dtype != total.dtype:
        torch.add(linear(a, b), total, alpha=decay, out=total)
    else:
        total.baddbmm_(a, b.mT, beta=decay)


def _takes_onednn(w: Tensor) -> bool:
    if w.device.type != "cpu" or not _has_onednn():
        return False
    return w.dtype == torch.float32 or (w.dtype == torch.bfloat16 and _has_bfloat16())


@cache
def _has_onednn() -> bool:
    """Whether this torch was built with oneDNN and its linear layer (torch 2.0 to date has it)."""
    built = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return bool(built) and hasattr(torch.ops.mkldnn, "_linear_pointwise")


@cache
def _has_bfloat16() -> bool:
    """Whether oneDNN can multiply bfloat16 on this processor; it refuses where instructions lack."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
