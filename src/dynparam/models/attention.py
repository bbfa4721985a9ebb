"""The linear layers of ``nn.MultiheadAttention``, which holds three in one matrix and calls none.

``opened`` lets attention call its layers one by one, so that each can be watched: the projections of
query, key and value, then attention of torch itself on what they give, then the layer ``out_proj``. What
attention computes stays the same, up to rounding.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

KINDS = ("q_proj", "k_proj", "v_proj")
"""The layers held together, in the order of their rows."""


class Projection(nn.Module):
    """One of the linear layers that attention holds together: a view of its weight and bias.

    Attributes:
        owner: the name of the attention in the model.
        index: which of ``KINDS`` it is.
        names: the names of the weight and the bias in the attention.
    """

    def __init__(self, owner: str, attention: nn.MultiheadAttention, index: int) -> None:
        """The layer of ``KINDS[index]``."""
        super().__init__()
        self.owner, self.index = owner, index
        # No module of this one's own: the model has it already.
        self.__dict__["attention"] = attention
        together = getattr(attention, "in_proj_weight", None) is not None
        weight = "in_proj_weight" if together else f"{KINDS[index]}_weight"
        self.names = weight, "in_proj_bias"

    @property
    def attention(self) -> nn.MultiheadAttention:
        """The attention that holds the parameters."""
        found: nn.MultiheadAttention = self.__dict__["attention"]
        return found

    @property
    def weight(self) -> Tensor:
        """W (d, d), or (d, kdim) and (d, vdim) where keys and values have another width."""
        whole: Tensor = getattr(self.attention, self.names[0])
        return self._own(whole) if self.names[0] == "in_proj_weight" else whole

    @property
    def bias(self) -> Tensor | None:
        """(d,), or none."""
        whole = self.attention.in_proj_bias
        return None if whole is None else self._own(whole)

    def forward(self, x: Tensor) -> Tensor:
        """The layer's output (..., d) for ``x`` (..., fan_in)."""
        return functional.linear(x, self.weight, self.bias)

    def _own(self, whole: Tensor) -> Tensor:
        d = self.attention.embed_dim
        return whole[self.index * d : (self.index + 1) * d]


def in_attention(model: nn.Module) -> dict[int, str]:
    """The name of torch's attention that a module is, or is a part of, by the module's id."""
    return {
        id(part): name
        for name, module in model.named_modules()
        if isinstance(module, nn.MultiheadAttention)
        for part in module.modules()
    }


def projections(model: nn.Module) -> dict[str, Projection]:
    """The layers held together in every attention of ``model``, by names such as ``attn.q_proj``.

    Attention with a forward of its own, as a quantized one has, is left out.
    """
    return {
        f"{name}.{kind}".lstrip("."): Projection(name, module, index)
        for name, module in model.named_modules()
        if isinstance(module, nn.MultiheadAttention)
        and type(module).forward is nn.MultiheadAttention.forward
        and "forward" not in vars(module)
        for index, kind in enumerate(KINDS)
    }


@contextmanager
def opened(modules: Iterable[nn.Module]) -> Iterator[None]:
    """Within, attention calls its projections that are among ``modules``, and its output layer."""
    parts: dict[nn.MultiheadAttention, dict[int, Projection]] = {}
    for module in modules:
        if isinstance(module, Projection):
            parts.setdefault(module.attention, {})[module.index] = module
    fused = torch.backends.mha.get_fastpath_enabled()
    with ExitStack() as stack:
        # The fused path takes whole encoder layers at once, and calls none of their modules.
        torch.backends.mha.set_fastpath_enabled(False)
        stack.callback(torch.backends.mha.set_fastpath_enabled, fused)
        for attention, found in parts.items():
            stack.enter_context(_calling(attention, found))
        yield


@contextmanager
def _calling(attention: nn.MultiheadAttention, found: Mapping[int, Projection]) -> Iterator[None]:
    """Within, ``attention`` has a forward that calls its layers."""
    parts = [found.get(index) or Projection("", attention, index) for index in range(len(KINDS))]

    def forward(query: Tensor, key: Tensor, value: Tensor, *args: Any, **kwargs: Any) -> Any:
        """What attention returns: the mixed values, and the weights or nothing."""
        signals = [part(signal) for part, signal in zip(parts, (query, key, value), strict=True)]
        mixed, weights = _between(attention, signals[0])(*signals, *args, **kwargs)
        return attention.out_proj(mixed), weights

    vars(attention)["forward"] = forward
    try:
        yield
    finally:
        del vars(attention)["forward"]


def _between(attention: nn.MultiheadAttention, like: Tensor) -> nn.MultiheadAttention:
    """What attention does between its layers: attention whose own layers are identities."""
    d = attention.embed_dim
    found = nn.MultiheadAttention(
        d,
        attention.num_heads,
        dropout=attention.dropout,
        bias=False,
        add_zero_attn=attention.add_zero_attn,
        batch_first=attention.batch_first,
        device="meta",  # draws no random numbers
    )
    identity = torch.eye(d, dtype=like.dtype, device=like.device)
    found.in_proj_weight = nn.Parameter(identity.repeat(3, 1), requires_grad=False)
    found.out_proj.weight = nn.Parameter(identity, requires_grad=False)
    found.bias_k, found.bias_v = attention.bias_k, attention.bias_v
    return found.train(attention.training)
