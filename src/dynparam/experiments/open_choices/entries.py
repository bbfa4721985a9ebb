"""What the thesis leaves open: its entries, and the configuration of each alternative.

``config/open_choices.yaml`` states every open point, what is chosen and what else could be. Each key it
names is one of the configuration, and each alternative an overlay on it: what the page says can be run.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from dynparam.experiments.open_choices.settings import ChoiceRun
from dynparam.settings.base import Block
from dynparam.settings.reading import describe, read
from dynparam.support.errors import ConfigError
from dynparam.trials.settings import Engine

DEFAULT = "default"
"""The name of the configuration without an overlay, beside those of the alternatives."""

Text = Annotated[str, Field(pattern=r"^[^|\n]*$")]
"""One line that fits into a cell of a Markdown table."""


class Alternative(Block):
    """Another choice at an open point, and where its effect on Figs. 3.2 and 3.3 is known from."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    description: Text
    overlay: dict[str, Any] = Field(default={}, description="what the configuration says instead")
    engine: Engine = Field(default="law", description="where its trials are measured")
    unaffected: Text | None = Field(default=None, description="why the probe cannot see it")

    @property
    def trained(self) -> bool:
        """Whether training reads what it changes, so that it may change the curves of Figs. 3.4-3.5."""
        return not set(ChoiceRun.model_fields).isdisjoint(self.overlay)

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.name == DEFAULT:
            raise ValueError(f"an alternative cannot be named {DEFAULT!r}; choose another name")
        if not self.overlay and self.unaffected is None:
            raise ValueError(f"{self.name} needs an overlay to be measured, or a reason in unaffected")
        return self


class OpenChoice(Block):
    """One open point: what the thesis says, what is chosen and by which keys, and what else could be."""

    point: Text
    thesis: Text
    choice: Text
    values: dict[str, Any] = Field(default={}, description="dotted keys and their values")
    where: tuple[str, ...] = Field(default=(), description="modules that make the choice")
    alternatives: tuple[Alternative, ...] = ()


class OpenChoices(Block):
    """Every open point, of the probe (Figs. 3.2 and 3.3) and of training (Figs. 3.4 and 3.5).

    ``controls`` are no choices: each is trained like one and must change what is concluded, so that a
    measurement that can find nothing is told.
    """

    probe: tuple[OpenChoice, ...]
    training: tuple[OpenChoice, ...]
    controls: tuple[Alternative, ...] = ()

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [alternative.name for alternative in (*self.alternatives(), *self.controls)]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two alternatives are named {name!r}; rename one")
        return self

    def entries(self) -> Iterator[OpenChoice]:
        """All entries, in their order."""
        yield from (*self.probe, *self.training)

    def alternatives(self) -> Iterator[Alternative]:
        """All alternatives, in their order."""
        for entry in self.entries():
            yield from entry.alternatives

    def measured(self) -> dict[str, Alternative]:
        """The alternatives whose trials are measured, by name."""
        found = (alternative for entry in self.probe for alternative in entry.alternatives)
        return {one.name: one for one in found if one.unaffected is None}

    def trained(self) -> dict[str, Alternative]:
        """The alternatives whose training curves are measured, by name; the controls come last."""
        return {one.name: one for one in (*self.alternatives(), *self.controls) if one.trained}

    def needed_curves(self) -> list[str]:
        """The choices of all training curves: the default, then the alternatives and controls."""
        return [DEFAULT, *self.trained()]

    def needed_trials(self) -> list[tuple[str, Engine]]:
        """(choice, engine) of all trials: the default on every engine in use, then the alternatives."""
        measured = self.measured()
        engines = dict.fromkeys(["law", *(one.engine for one in measured.values())])
        return [(DEFAULT, engine) for engine in engines] + [
            (name, one.engine) for name, one in measured.items()
        ]


def read_open_choices(path: Path) -> OpenChoices:
    """The open choices at ``path``. Raises ``ConfigError`` if it holds none."""
    try:
        return OpenChoices.model_validate(read(path))
    except ValidationError as error:
        raise ConfigError(f"{path}: {describe(error, OpenChoices)}") from None


def written(value: Any) -> str:
    """A value as it stands in a YAML file, on one line."""
    text = yaml.safe_dump(value, default_flow_style=True, width=float("inf"), sort_keys=False)
    return text.removesuffix("\n").removesuffix("\n...")
