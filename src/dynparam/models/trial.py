"""One model of a coordinate check, built at a width from a seed and trained step by step."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.autograd.graph import Node

from dynparam.models.apply import apply, narrowest
from dynparam.models.attention import opened
from dynparam.models.check_result import Question
from dynparam.models.execution import first_line, why_it_fails
from dynparam.models.expected import LayeredNetwork
from dynparam.models.graph import layer_graph, node_of
from dynparam.models.inputs import arguments, doubled, mapped, tensors
from dynparam.models.layers import WeightLayer, find_layers, without_gradients
from dynparam.support.errors import DynparamError, ModelError, NonFiniteError
from dynparam.support.randomness import global_randomness, seed_sequence

MakeOptimizer = Callable[[list[dict[str, Any]]], torch.optim.Optimizer]
"""Groups of parameters to an optimizer of torch."""

Loss = Callable[[Any, Any], Tensor]
"""(the model's output, target) to a scalar."""

REPEATS = 1e-9
"""How far, relative to their norm, outputs of two passes on one batch may differ by rounding."""

LAYER_OPTIONS = frozenset({"layers", "readout", "unchanged"})
"""Those arguments of ``models.apply.apply`` that say which layers there are."""


@dataclass(frozen=True)
class Experiment:
    """What all trials share: arguments of ``coordinate_check``, those of the question together."""

    make_model: Callable[[int], nn.Module]
    sample_input: Any
    target: Any
    loss: Loss
    question: Question
    learning_rate: float
    make_optimizer: MakeOptimizer
    n_min: Callable[[int], int] | None
    options: Mapping[str, Any]


@dataclass
class _Seen:
    """One forward pass: the outputs of the layers by name, and the nodes of their inputs."""

    outputs: dict[str, Tensor] = field(default_factory=dict)
    inputs: dict[str, Node | None] = field(default_factory=dict)
    model_inputs: list[Node] = field(default_factory=list)
    result: Any = None

    def leaf(self, tensor: Tensor) -> Tensor:
        """A copy of an input that shows in autograd's graph and may be changed in place."""
        if not tensor.is_floating_point():
            return tensor
        found = tensor.requires_grad_().clone()
        node = node_of(found)
        self.model_inputs += [] if node is None else [node]
        return found


class Trial:
    """One model of a width and a seed, trained step by step."""

    def __init__(self, experiment: Experiment, width: int, seed: int) -> None:
        """Build and parametrize the model."""
        self._experiment, self._width, self._seed = experiment, width, seed
        with self._randomness("model"):
            self._model = _own(experiment.make_model(width)).double()
        self._layers, self._n_min, groups = self._parametrized()
        self._optimizer = experiment.make_optimizer(groups)
        self._loss = experiment.loss
        if isinstance(self._loss, nn.Module):
            self._loss = copy.deepcopy(self._loss).double()

    def fingerprint(self) -> bytes:
        """A digest of the weights of all layers."""
        digest = sha256()
        for layer in self._layers:
            if isinstance(layer.module.weight, Tensor):
                digest.update(layer.module.weight.detach().cpu().numpy().tobytes())
        return digest.digest()

    def network(self) -> LayeredNetwork:
        """The layers that can move and how they feed each other, seen in passes of their own."""
        seen, plain = self._forward(1, with_inputs=True), self._forward(1)
        self._require_repeatable(seen, plain)
        layers = self._watched(plain)
        outputs = [node_of(seen.outputs[layer.name]) for layer in layers]
        graph = layer_graph(
            seen.model_inputs,
            [seen.inputs[layer.name] for layer in layers],
            [node for node in outputs if node is not None],
        )
        frozen = [layer.name for layer in self._layers if not layer.trained]
        return LayeredNetwork(layers, self._n_min, graph, tuple(frozen))

    def step(self, number: int) -> pd.DataFrame:
        """Take a step; a row per layer of what it shows."""
        before = self._forward(number)
        layers = self._watched(before)
        for layer in layers:
            before.outputs[layer.name].retain_grad()
        self._optimizer.zero_grad()
        torch.autograd.backward(self._loss_of(before.result))
        self._optimizer.step()
        with torch.no_grad():
            after = self._forward(number)
        return pd.DataFrame(
            [
                self._row(number, index, layer, before.outputs[layer.name], after.outputs[layer.name])
                for index, layer in enumerate(layers, start=1)
            ]
        )

    def _parametrized(self) -> tuple[tuple[WeightLayer, ...], int, list[dict[str, Any]]]:
        """The weight layers, n_min and the optimizer's groups."""
        experiment = self._experiment
        given = None if experiment.n_min is None else experiment.n_min(self._width)
        sample = None if "layers" in experiment.options else experiment.sample_input
        if experiment.question.parametrization is None:
            which = {key: value for key, value in experiment.options.items() if key in LAYER_OPTIONS}
            layers = find_layers(self._model, sample, **which)
            groups = [{"params": list(self._model.parameters()), "lr": experiment.learning_rate}]
            return layers, narrowest(layers, given), groups
        applied = apply(
            self._model,
            experiment.question.parametrization,
            learning_rate=experiment.learning_rate,
            r=experiment.question.r,
            sample_input=sample,
            n_min=given,
            seed=self._state("weights"),
            optimizer=experiment.question.optimizer or "sgd",
            **experiment.options,
        )
        return applied.layers, applied.n_min, applied.parameter_groups

    def _forward(self, number: int, *, with_inputs: bool = False) -> _Seen:
        """Run the model on the batch, with the random numbers of step ``number``.

        With ``with_inputs`` the graph goes back to the model's inputs; training does without.
        """
        seen = _Seen()
        with ExitStack() as stack:
            stack.enter_context(opened(layer.module for layer in self._layers))
            for layer in self._layers:
                hook = partial(self._look, seen, layer.name)
                stack.callback(layer.module.register_forward_hook(hook, with_kwargs=True).remove)
            stack.enter_context(self._randomness("step", number))
            args, kwargs = arguments(self._experiment.sample_input)
            if with_inputs:
                args, kwargs = mapped((args, kwargs), seen.leaf)
            try:
                seen.result = self._model(*args, **kwargs)
            except DynparamError:
                raise
            except Exception as error:
                raise ModelError(why_it_fails(self._model, error)) from error
        missing = [layer.name for layer in self._layers if layer.name not in seen.outputs]
        if missing:
            raise ModelError(
                f"{missing[0]} was not executed at width {self._width}; leave it out of layers"
            )
        return seen

    def _look(
        self,
        seen: _Seen,
        name: str,
        module: nn.Module,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        output: Tensor,
    ) -> Tensor:
        """Keep a layer's output; the model goes on with a copy, which it may change in place."""
        if name in seen.outputs:
            raise ModelError(
                f"{name} is executed more than once in a pass; give each use its own module"
            )
        seen.outputs[name] = output
        given = list(tensors((args, kwargs)))
        whole = not any(one.is_floating_point() for one in given)
        seen.inputs[name] = node_of(seen.leaf(torch.zeros(1))) if whole else node_of(given[0])
        return output.clone()

    def _watched(self, seen: _Seen) -> tuple[WeightLayer, ...]:
        """The layers whose output can move: they are trained, or something before them is."""
        for layer in self._layers:
            if layer.trained and not seen.outputs[layer.name].requires_grad:
                raise ModelError(without_gradients(layer.name))
        found = tuple(layer for layer in self._layers if seen.outputs[layer.name].requires_grad)
        if not found:
            raise ModelError("no layer of the model is trained; unfreeze one")
        return found

    def _require_repeatable(self, first: _Seen, second: _Seen) -> None:
        """Refuse a model that gives something else for the same batch and the same global seeds."""
        for layer in self._layers:
            one, other = first.outputs[layer.name].detach(), second.outputs[layer.name].detach()
            if one.shape != other.shape or torch.dist(one, other) > REPEATS * one.norm():
                raise ModelError(
                    f"two passes on the same batch differ at {layer.name}, so that a step cannot be "
                    "told from noise: the model keeps a state between passes, or draws from a "
                    "generator of its own; let it draw by torch's, numpy's or Python's global "
                    "functions, or put it in evaluation mode in make_model"
                )

    def _loss_of(self, result: Any) -> Tensor:
        target = mapped(self._experiment.target, doubled)
        try:
            found = self._loss(result, target)
        except Exception as error:
            raise ModelError(
                f"loss fails on the model's output and the target ({first_line(error)}); the check runs "
                "in float64, so tensors of its own have to be in float64 too"
            ) from error
        if not isinstance(found, Tensor) or found.numel() != 1:
            raise ModelError("loss is no scalar tensor; take its mean over the batch")
        return found.reshape(())

    def _row(
        self, number: int, index: int, layer: WeightLayer, before: Tensor, after: Tensor
    ) -> dict[str, object]:
        gradient = before.grad
        if gradient is None:
            raise ModelError(f"the loss does not depend on {layer.name}; leave it out of layers")
        update = after - before.detach()
        sizes = {
            "preactivation_rms": before.detach().square().mean().sqrt().item(),
            "update_rms": update.square().mean().sqrt().item(),
            "gradient_norm": gradient.norm().item(),
            "alignment": abs((gradient * update).sum().item()),
        }
        for quantity, value in sizes.items():
            if not np.isfinite(value):
                raise NonFiniteError(
                    f"{quantity} of {layer.name} is {value} at width {self._width}, seed {self._seed}, "
                    f"step {number}; lower learning_rate"
                )
        return {
            "width": self._width,
            "n_min": self._n_min,
            "seed": self._seed,
            "step": number,
            "layer": index,
            "name": layer.name,
            "fan_in": layer.fan_in,
            "fan_out": layer.fan_out,
            **sizes,
        }

    def _state(self, *coordinates: str | int) -> int:
        """A number of this width, seed and purpose, for generators."""
        sequence = seed_sequence(self._seed, "coordinate check", self._width, *coordinates)
        return int(sequence.generate_state(1, np.uint32)[0])

    def _randomness(self, *coordinates: str | int) -> AbstractContextManager[None]:
        return global_randomness(self._state(*coordinates))


def _own(model: Any) -> nn.Module:
    """A copy: what ``make_model`` returns may share modules with other models, or be kept elsewhere."""
    if not isinstance(model, nn.Module):
        raise ModelError(f"make_model gives a {type(model).__name__}; let it return a torch.nn.Module")
    try:
        return copy.deepcopy(model)
    except Exception:  # some modules cannot be copied
        return model
