"""The open choices under a configuration: every key and overlay checked, and their trials."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dynparam.configuration.config import Config
from dynparam.configuration.loading import build
from dynparam.experiments.open_choices.entries import DEFAULT, OpenChoices, read_open_choices
from dynparam.experiments.open_choices.settings import for_choice_run
from dynparam.settings.base import value_at
from dynparam.settings.reading import merge
from dynparam.settings.shared import shown_curves
from dynparam.support.errors import ConfigError
from dynparam.trials.settings import Engine, ProbeStage, for_curve


def load_open_choices(path: Path, config: Config) -> OpenChoices:
    """The open choices at ``path``, every key and overlay of it checked against ``config``.

    Raises ``ConfigError`` as ``read_open_choices``, and for an unknown key, an alternative to be
    measured that no trial or no training could see, or one of the training that the probe does see.
    """
    open_choices = read_open_choices(path)
    for entry in open_choices.entries():
        for key in entry.values:
            value_at(config, key)
    of_training = {one.name for entry in open_choices.training for one in entry.alternatives}
    measured = open_choices.measured()
    known = (*open_choices.alternatives(), *open_choices.controls)
    every = {one.name: chosen_config(open_choices, config, one.name) for one in known}
    for alternative in open_choices.alternatives():
        chosen = every[alternative.name]
        if chosen == config:  # what is an alternative by default is this configuration's own choice
            continue
        seen = is_seen(config, chosen)
        if alternative.name in of_training and seen:
            raise ConfigError(f"{path}: the probe sees {alternative.name}; list it there")
        if alternative.name in measured and not seen:
            raise ConfigError(f"{path}: the probe does not see {alternative.name}; say so in unaffected")
    _require_trained(path, open_choices, config, every)
    return open_choices


def _require_trained(
    path: Path, open_choices: OpenChoices, config: Config, every: Mapping[str, Config]
) -> None:
    """Raise ``ConfigError`` for an alternative or control that changes no curve it is trained for.

    ``every`` has the configuration under each of them, by name.
    """
    trained = open_choices.trained()
    for control in open_choices.controls:
        if control.name not in trained:
            raise ConfigError(
                f"{path}: training does not read what {control.name} changes; overlay a key of "
                f"data, inputs, network, protocol or training"
            )
    for name in trained:
        chosen = every[name]
        if chosen != config and for_choice_run(chosen) == for_choice_run(config):
            raise ConfigError(
                f"{path}: {name} changes no training curve, because open_choices.training states the "
                f"network, the epochs and the task; overlay another key"
            )


def chosen_config(open_choices: OpenChoices, config: Config, choice: str) -> Config:
    """``config`` with the overlay of the alternative ``choice``, or as it is for ``DEFAULT``.

    Raises ``ConfigError`` for an unknown alternative or an overlay that is no configuration.
    """
    if choice == DEFAULT:
        return config
    known = (*open_choices.alternatives(), *open_choices.controls)
    overlays = {alternative.name: alternative.overlay for alternative in known}
    if choice not in overlays:
        raise ConfigError(
            f"there is no alternative {choice!r} among the open choices; "
            f"choose one of {', '.join(overlays)}"
        )
    merged = merge(config.model_dump(mode="json"), overlays[choice])
    return build(Config, merged, f"alternative {choice!r} of the open choices")


def is_seen(config: Config, other: Config) -> bool:
    """Whether the probe of Figs. 3.2 and 3.3 reads anything in which two configurations differ."""
    return any(for_curve(config, name) != for_curve(other, name) for name in shown_curves(config.panels))


def trials_stage(config: Config, engine: Engine) -> ProbeStage:
    """What measuring the figures' curves on an engine depends on, at the trials of ``open_choices``."""
    curves = shown_curves(config.panels)
    stage = for_curve(config, curves[0])
    trials = config.open_choices.trials if engine == "law" else config.open_choices.dense_trials
    changes = {"curves": {name: config.probe.curve(name) for name in curves}, "trials": trials}
    return stage.with_probe(**changes)
