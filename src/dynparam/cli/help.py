"""How the command line shows itself: help that fits the terminal, commands in groups, wrong usage told.

Help is plain text, so that it reads the same on a terminal, in a pipe and aloud. An option that takes a
value is shown with its own name in capitals, ``--seeds SEEDS``, whatever type it has in Python.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import typer
from pydantic import ValidationError
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from dynparam.settings.reading import reason

Function = TypeVar("Function", bound=Callable[..., Any])

TRY, RUN, INTERNALS = "Try", "Run and check", "Workflow internals (what its rules call)"
"""The groups of commands in the program's help; those that rules alone call need not say theirs."""

SENTENCE_END = re.compile(r"\.\s+(?=[A-Z])")
"""A number follows an abbreviation: Fig. 3.1."""


class Command(TyperCommand):
    """A command with the help of this module."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """The arguments in their order, then the options."""
        named = [_argument(one) for one in self.params if isinstance(one, TyperArgument)]
        return [*named, "[OPTIONS]"]

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments, then the options."""
        _write_parameters(self.get_params(ctx), formatter)


class Group(TyperGroup):
    """A group of commands with the help of this module, which it shows when it is called alone."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As typer does; without any arguments the help is printed."""
        if not args and not ctx.resilient_parsing:
            typer.echo(ctx.get_help())
            ctx.exit()
        return super().parse_args(ctx, args)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the commands by group, then the options."""
        self.format_commands(ctx, formatter)
        _write_parameters(self.get_params(ctx), formatter)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write each command with the first sentence of its help, and the program's by their groups."""
        if ctx.parent is not None:
            _write(formatter, "Commands", self.commands)
            return
        for group in (TRY, RUN, INTERNALS):
            those = {name: one for name, one in self.commands.items() if _group_of(one) == group}
            _write(formatter, group, those)


class App(typer.Typer):
    """Commands that are shown as this module shows them; ``-h`` is short for ``--help``."""

    def __init__(self, **given: Any) -> None:
        """A group of commands; what is given goes to typer."""
        super().__init__(
            cls=Group,
            rich_markup_mode=None,
            pretty_exceptions_enable=False,
            context_settings={"help_option_names": ["-h", "--help"]},
            **given,
        )

    def command(
        self, name: str | None = None, *, group: str = INTERNALS, **given: Any
    ) -> Callable[[Function], Function]:
        """As typer's, for a command of this module's kind, in one of its groups."""
        return super().command(name, cls=Command, rich_help_panel=group, **given)


def wrong_usage(error: typer.TyperException) -> str:
    """What is wrong with a command line, in one sentence that names the help to look into."""
    cause = error.__cause__
    if isinstance(cause, ValidationError):
        error.message = reason(cause.errors()[0])
    told = " ".join(error.format_message().split()).rstrip(".")
    ctx = getattr(error, "ctx", None)
    between = " " if told.endswith("?") else "; "
    return f"{told[:1].lower()}{told[1:]}{between}see {ctx.command_path if ctx else 'dynparam'} --help"


def _group_of(command: Any) -> str:
    return command.rich_help_panel or INTERNALS


def _write(formatter: Any, heading: str, commands: Mapping[str, Any]) -> None:
    rows = [(name, _first_sentence(command.help or "")) for name, command in sorted(commands.items())]
    with formatter.section(heading):
        formatter.write_dl(rows)


def _first_sentence(text: str) -> str:
    paragraph = " ".join(text.split("\n\n")[0].split())
    return f"{SENTENCE_END.split(paragraph, maxsplit=1)[0].rstrip('.')}."


def _write_parameters(parameters: Iterable[Any], formatter: Any) -> None:
    shown = [one for one in parameters if not getattr(one, "hidden", False)]
    arguments = [one for one in shown if isinstance(one, TyperArgument)]
    options = [one for one in shown if isinstance(one, TyperOption)]
    if arguments:
        with formatter.section("Arguments"):
            formatter.write_dl([(_argument(one), one.help or "") for one in arguments])
    with formatter.section("Options"):
        formatter.write_dl([(_option(one), f"{one.help or ''}{_default(one)}") for one in options])


def _argument(one: TyperArgument) -> str:
    name = (one.metavar or one.name).upper()
    several = "..." if one.nargs != 1 else ""
    return f"{name}{several}" if one.required else f"[{name}{several}]"


def _option(one: TyperOption) -> str:
    names = ", ".join(sorted(one.opts, key=len))
    if one.is_flag:
        return names
    return f"{names} {one.metavar or max(one.opts, key=len).lstrip('-').upper()}"


def _default(one: TyperOption) -> str:
    """What an option is if it is not given, as the end of its help."""
    if one.required:
        return " [required]"
    if isinstance(one.show_default, str):
        return f" [default: {one.show_default}]"
    shown = one.show_default and not one.is_flag and one.default is not None
    return f" [default: {one.default}]" if shown else ""
