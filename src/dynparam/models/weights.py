"""What a weight layer is among torch's modules: its matrix W^l, and where its parameters are.

A layer of the thesis is htilde^l = W^l h^{l-1} with W^l of shape (n_l, n_{l-1}). ``nn.Linear`` is one.

- A convolution is one too, shared by all positions: W^l is its kernel with the axes behind the first
  flattened, h^{l-1} the patch under the kernel.
- An embedding is one on a one-hot input: of n_{l-1} entries one is not zero, so that fan_in is 1.
- ``nn.MultiheadAttention`` holds four, three of them in one parameter (``attention.Projection``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from dynparam.models.attention import Projection, in_attention, projections

WEIGHT_LAYERS: tuple[type[nn.Module], ...] = (
    nn.Linear,
    nn.Conv1d,
    nn.Conv2d,
    nn.Conv3d,
    nn.Embedding,
    Projection,
)
"""Modules whose ``weight`` is a matrix W^l (n_l, n_{l-1}), kernel axes flattened; that of an embedding
is its transpose."""

Forward = Callable[..., Tensor]


@dataclass(frozen=True)
class Held:
    """A parameter of a layer and the place where the model has it.

    Attributes:
        module: the name of the module that holds it.
        name: its name in that module.
        tensor: the parameter, or what is computed in its place.
    """

    module: str
    name: str
    tensor: Any

    @property
    def full_name(self) -> str:
        """As in ``model.get_parameter(full_name)``."""
        return f"{self.module}.{self.name}".lstrip(".")


def weight_modules(model: nn.Module) -> dict[str, nn.Module]:
    """All weight layers by name: in order of registration, and then those within attention."""
    within, attention = projections(model), in_attention(model)
    known = {id(one.attention.out_proj) for one in within.values()}
    plain = {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, WEIGHT_LAYERS) and (id(module) not in attention or id(module) in known)
    }
    return {**plain, **within}


def held(name: str, module: nn.Module) -> tuple[Held, ...]:
    """The weight and, if there is one, the bias of layer ``name``."""
    owner, source, names = name, module, ("weight", "bias")
    if isinstance(module, Projection):
        owner, source, names = module.owner, module.attention, module.names
    found = (Held(owner, own, getattr(source, own, None)) for own in names)
    return tuple(one for one in found if one.tensor is not None)


def shape(module: nn.Module) -> tuple[int, int]:
    """(fan_in, fan_out): inputs that one output sums, and output features or channels."""
    weight = module.weight
    if not isinstance(weight, Tensor):
        raise TypeError(f"{type(module).__name__} has no weight")
    if isinstance(module, nn.Embedding):
        return 1, weight.shape[1]
    return weight[0].numel(), weight.shape[0]


def forward_of(module: nn.Module) -> Forward:
    """The forward of the class in ``WEIGHT_LAYERS`` that ``module`` belongs to."""
    return next(kind for kind in WEIGHT_LAYERS if isinstance(module, kind)).forward


def is_trained(module: nn.Module) -> bool:
    """Whether a weight layer has something that needs a gradient."""
    return any(one.tensor.requires_grad for one in held("", module))


def listed(name: str, module: nn.Module) -> str:
    """The name of a module to list, to keep a layer as it is."""
    return module.owner if isinstance(module, Projection) else name


def told(name: str, module: nn.Module) -> str:
    """How a sentence names a layer: by the name and the class of its module, or of its attention."""
    whole: nn.Module = module.attention if isinstance(module, Projection) else module
    return f"{listed(name, module) or 'the model'} ({type(whole).__name__})"
