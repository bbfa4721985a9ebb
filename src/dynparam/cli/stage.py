"""Commands made from stages: their parameters, their help, their run."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import typer

from dynparam.cli.options import DEFAULT_CONFIG, ConfigOption, OutputOption, completion, examples
from dynparam.cli.telling import tell
from dynparam.configuration.loading import load
from dynparam.provenance.stage import NO_DEFAULT, Parameter, Stage, run


def add(groups: Mapping[str, typer.Typer], stages: Iterable[Stage[Any]]) -> None:
    """Register a command for each of ``stages``; ``groups`` holds the groups by name, "" the program."""
    for stage in stages:
        name = stage.command.split()[-1]
        groups[stage.group].command(name, epilog=examples(*stage.examples))(command(stage))


def command(stage: Stage[Any]) -> Any:
    """The stage as a function that typer makes a command of."""

    def call(output: Path, config: list[str], **given: Any) -> None:
        """Run the stage and print what it says; its help is the stage's own."""
        made = run(stage, load(stage.settings, config), output, **given)
        if made.said:
            tell(made.said)

    positional = [_parameter(one) for one in stage.parameters if not one.flag]
    options = [_parameter(one) for one in stage.parameters if one.flag]
    own = [
        inspect.Parameter("output", inspect.Parameter.KEYWORD_ONLY, annotation=OutputOption),
        inspect.Parameter(
            "config", inspect.Parameter.KEYWORD_ONLY, default=DEFAULT_CONFIG, annotation=ConfigOption
        ),
    ]
    # Typer reads a command's parameters off its signature, which is made here.
    call.__signature__ = inspect.Signature([*positional, *options, *own])  # type: ignore[attr-defined]
    call.__annotations__ = {one.name: one.annotation for one in [*positional, *options, *own]}
    call.__doc__ = stage.make.__doc__
    return call


def _parameter(one: Parameter) -> inspect.Parameter:
    if one.flag:
        choices = "|".join(get_args(one.kind)) if get_origin(one.kind) is Literal else None
        info: Any = typer.Option(
            one.flag, help=one.help, metavar=choices, show_default=one.shown or True
        )
    else:
        complete = None if one.names is None else completion(one.names)
        info = typer.Argument(help=one.help, autocompletion=complete)
    return inspect.Parameter(
        one.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=inspect.Parameter.empty if one.default is NO_DEFAULT else one.default,
        annotation=Annotated[one.kind, info],
    )
