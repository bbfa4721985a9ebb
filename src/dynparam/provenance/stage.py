"""A stage of the workflow: what it depends on, what it reads, and how it makes its files.

A stage knows these three things. What is the same for all of them is done once, by ``run``: the clock,
missing inputs, the threads, and the sidecar, which gets the stage's name and digest from here.
"""

from __future__ import annotations

import hashlib
import inspect
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from dynparam.provenance.code_digest import PACKAGE, function_digest, module_digest
from dynparam.provenance.record import write_sidecar
from dynparam.settings.base import Block, pick
from dynparam.support.errors import DataError
from dynparam.support.regular_files import refusal

Settings = TypeVar("Settings", bound=Block)

NO_DEFAULT: Any = inspect.Parameter.empty


@dataclass(frozen=True)
class Parameter:
    """What a stage takes besides its settings and the file to write, as its command takes it.

    Attributes:
        name: what the stage's functions call it.
        help: a sentence.
        flag: the option, such as ``--images``; empty for an argument.
        kind: its type.
        default: its value if it is not given.
        shown: the default in the command's help, where it is worked out.
        names: for a name in a configuration, those there are.
    """

    name: str
    help: str
    flag: str = ""
    kind: Any = str
    default: Any = NO_DEFAULT
    shown: str = ""
    names: Callable[[Any], Iterable[str]] | None = None


RESULTS = Parameter("results", "Directory of results.", "--results", Path)
IMAGES = Parameter("images", "Extracted pair (.npz).", "--images", Path)
THREADS = Parameter("threads", "Threads to use.", "--threads", int, 1)


@dataclass(frozen=True)
class Made:
    """What a stage has made.

    Attributes:
        files: the files it wrote.
        details: further entries of the sidecar.
        said: what its command prints.
        values: the same for programs.
        finished: files that kept the work done so far, and are not needed any more.
        sidecar: where the record goes; beside the output by default.
        recorded: whether there is anything to record.
    """

    files: Sequence[Path]
    details: Mapping[str, Any] = field(default_factory=dict)
    said: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    finished: Sequence[Path] = ()
    sidecar: Path | None = None
    recorded: bool = True


def nothing(settings: Block) -> tuple[Path, ...]:
    """The inputs of a stage that reads no file."""
    return ()


def images_read(settings: Block, images: Path) -> Path:
    """The inputs of a stage that reads one extracted pair."""
    return images


def whole(settings: type[Settings]) -> Callable[[BaseModel], Iterator[Block]]:
    """The jobs of a stage that has one: the blocks of ``settings`` as the configuration has them."""
    return lambda config: iter((pick(settings, config),))


@dataclass(frozen=True)
class Stage(Generic[Settings]):
    """One kind of job of the workflow.

    Attributes:
        command: its place on the command line, such as ``plot sweep``.
        settings: the blocks of the configuration it depends on.
        make: from settings, inputs, the file to write and parameters to what was made. Its name is the
            stage's, its docstring the command's help.
        inputs: from settings and parameters to the files it reads, arranged as ``make`` likes them.
        parameters: what ``make`` and ``inputs`` take besides; each asks for those it names.
        jobs: the settings of all its jobs under a configuration.
        examples: command lines.
        remedy: the command that makes missing inputs.
        repeatable: whether it takes seconds, and gives the same bytes from the same inputs.
        loads: modules that it imports by names worked out, so that their code counts as well.
    """

    command: str
    settings: type[Settings]
    make: Callable[..., Made]
    inputs: Callable[..., Any] = nothing
    parameters: tuple[Parameter, ...] = ()
    jobs: Callable[[Any], Iterable[Block]] = lambda config: ()
    examples: tuple[str, ...] = ()
    remedy: str = "snakemake --cores all"
    repeatable: bool = False
    loads: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What rules and sidecars call it."""
        return self.make.__name__

    @property
    def group(self) -> str:
        """The group of commands that its own is one of; empty if there is none."""
        return self.command.rpartition(" ")[0]

    def digest(self, package: Path = PACKAGE) -> str:
        """A short SHA-256 of all code it can reach; ``package`` is the directory of the sources."""
        parts = (self.make, self.inputs)
        found = [function_digest(part.__module__, part.__name__, package) for part in parts]
        found += [module_digest(module, package) for module in self.loads]
        return hashlib.sha256("\n".join(found).encode()).hexdigest()[:16]


def run(stage: Stage[Settings], settings: Settings, output: Path, **given: Any) -> Made:
    """Make a stage's files and their sidecar, beside ``output``.

    Args:
        stage: which.
        settings: what it depends on.
        output: the file to write; some stages write others beside it.
        given: its parameters, by name.

    Raises:
        DataError: if an input is missing.
        DynparamError: as the stage does.
    """
    started = time.monotonic()
    files = stage.inputs(settings, **_asked(stage.inputs, given))
    inputs = list(flat(files))
    require(inputs, stage.remedy)
    if "threads" in given:
        import torch

        torch.set_num_threads(given["threads"])
    made = stage.make(settings, files, output, **_asked(stage.make, given))
    if made.recorded:
        write_sidecar(
            made.sidecar or output.with_suffix(".json"),
            made.files,
            settings,
            inputs=inputs,
            started=started,
            code={"stage": stage.name, "digest": stage.digest()},
            **made.details,
        )
    for path in made.finished:
        path.unlink(missing_ok=True)
    return made


def flat(files: Any) -> Iterator[Path]:
    """The paths in nested mappings and sequences, in their order."""
    if isinstance(files, Path):
        yield files
    else:
        for one in files.values() if isinstance(files, Mapping) else files:
            yield from flat(one)


def require(paths: Iterable[Path], command: str) -> None:
    """Raise ``DataError`` naming the command that makes them if one of ``paths`` is missing."""
    missing = [path for path in paths if not path.is_file()]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        reason = refusal(missing[0]) or "there is no such file yet"
        raise DataError(f"{missing[0]}{more}: {reason}; run: {command}")


def _asked(function: Callable[..., Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that a function names."""
    names = inspect.signature(function).parameters
    return {name: value for name, value in given.items() if name in names}
