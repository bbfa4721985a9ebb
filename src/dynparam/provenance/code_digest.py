"""Digests of the code behind each stage of the workflow.

Snakemake does not see edits in an imported library. Each rule therefore carries, as a parameter, the
digest of all code its stage can reach. It depends on what the code does, not on where it stands:

- A module's digest is a hash of its code without imports, comments and docstrings, and of the pairs
  (imported name, digest of the module it comes from); in the code, such a pair stands for each imported
  name (``statements.py``, ``scopes.py``). So a module that is moved or renamed, imports that are
  re-ordered, merged or moved into the function that uses them, or a reformatted line change nothing. A
  changed line does, and so does an import that is redirected to other code, or that gets another name
  with ``as``.
- The ``__init__`` of a wing counts for all modules in it if it does anything.
- A function's digest is the same for the function alone, with what it uses of its own module: names that
  it reaches, what is registered in a table that it reaches, and always the statements that do not just
  give something to a name. Modules that it imports count as a whole.
- The versions of the numerical libraries count where they are imported.

Where the code leaves open what a name means, more counts rather than less. Two things are not followed:
a module whose name is put together at run time, and files that are not Python.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from pathlib import Path

from dynparam.provenance.scopes import Reference
from dynparam.provenance.statements import Imported, Statement
from dynparam.provenance.statements import statements as _statements

PACKAGE = Path(__file__).parents[1]

NEUTRAL = frozenset(
    {
        "configuration.config",
        "configuration.loading",
        "provenance.record",
        "provenance.stage",
        "support.errors",
        "support.progress",
    }
)
"""Modules that decide how a result is asked for, reported or documented, not what it is.

So do those that hold blocks of the configuration: the wing ``settings``, and each module of that name.
Their values are parameters of the rules already; a new key must not repeat every experiment.
"""

LIBRARIES = ("matplotlib", "numpy", "pandas", "scipy", "torch", "torchvision")
"""Libraries whose version may change a result; a module that imports one depends on its version."""

LOOKS_UP = frozenset({"globals", "vars", "eval", "exec"})
"""Functions that find a name of the module in a string."""


def module_digest(module: str, package: Path = PACKAGE) -> str:
    """A short SHA-256 of all code that a module can execute.

    Args:
        module: its name from the package on, such as ``dynparam.trials.one_step``; the package's own
            name in front may be left out.
        package: the directory of the library's sources.

    Raises:
        ValueError: if there is no such module.

    Examples:
        >>> len(module_digest("dynparam.theory.widths"))
        16
    """
    digests = _digests(package)
    return digests.of_module(digests.full_name(module))[:16]


def function_digest(module: str, function: str, package: Path = PACKAGE) -> str:
    """A short SHA-256 of all code that one function of a module can execute.

    What the module holds besides, and imports for other functions, does not count; see the head of this
    module. Raises ``ValueError`` if there is no such module or function.
    """
    digests = _digests(package)
    return digests.of_function(digests.full_name(module), function)[:16]


def is_neutral(module: str) -> bool:
    """Whether a module, named from inside the package, cannot change a result."""
    parts = module.split(".")
    return module in NEUTRAL or parts[0] == "cli" or "settings" in (parts[0], parts[-1])


class _Digests:
    """The digests of one state of a package, each computed once."""

    def __init__(self, top: str, sources: Mapping[str, str], packages: frozenset[str]) -> None:
        self._top = top
        self._sources = sources
        self._names = frozenset(sources)
        self._packages = packages
        self._finished: dict[str, str] = {}
        self._versions: dict[str, str] = {}
        self._open: list[str] = []
        self._reached = 0

    def full_name(self, module: str) -> str:
        """The module's name with the package's in front. Raises ``ValueError`` if there is none."""
        for name in (module, f"{self._top}.{module}"):
            if name in self._names:
                return name
        raise ValueError(f"{self._top} has no module {module!r}")

    def of_module(self, name: str) -> str:
        """The digest of a module; in a circle of imports, how far back the circle closes."""
        if is_neutral(name.removeprefix(f"{self._top}.")):
            return "neutral"
        if name in self._finished:
            return self._finished[name]
        if name in self._open:
            depth = self._open.index(name)
            self._reached = min(self._reached, depth)
            return f"circle {len(self._open) - depth}"
        outer, depth = self._reached, len(self._open)
        self._reached = depth
        self._open.append(name)
        body = self._statements(name)
        digest = self._of_code(body, chain.from_iterable(one.imported for one in body), name)
        self._open.pop()
        if self._reached >= depth:  # Else it holds only a part of the circle.
            self._finished[name] = digest
        self._reached = min(outer, self._reached)
        return digest

    def of_function(self, module: str, function: str) -> str:
        body = self._statements(module)
        if not any(one.is_function and function in one.defines for one in body):
            raise ValueError(f"{module} has no function {function!r}")
        chosen = _reached_from(function, body, self._origins(body))
        seen = frozenset[str]().union(*(one.uses | one.hooks for one in chosen))
        inside = (one for statement in chosen for one in statement.imported if not one.bound)
        at_top = (one for statement in body for one in statement.imported if one.bound)
        wanted = (one for one in at_top if one.bound in seen or not one.is_used)
        return self._of_code(chosen, chain(inside, wanted), module)

    def _origins(self, body: Iterable[Statement]) -> dict[str, str]:
        """Names of a module that may hold a table, each with the module it comes from."""
        own = {name: name for one in body if one.code for name in one.defines}
        imported = (one for statement in body for one in statement.imported)
        return own | {
            one.bound: module
            for one in imported
            if (module := one.reference.module) in self._names and self.of_module(module) != "neutral"
        }

    def _statements(self, module: str) -> tuple[Statement, ...]:
        return _statements(self._sources[module], module, self._names, self._packages)

    def _of_code(self, body: Iterable[Statement], imported: Iterable[Imported], module: str) -> str:
        imported = list(imported)
        lines = [
            " ".join([one.code, *map(self._of_reference, one.references)]) for one in body if one.code
        ]
        lines += sorted({f"{self._of_reference(one.reference)} as {one.alias}" for one in imported})
        lines += [self.of_module(name) for name in self._packages_around(module)]
        used = chain((one.reference for one in imported), *(one.references for one in body))
        lines += sorted({self._version(one.module) for one in used})
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def _of_reference(self, reference: Reference) -> str:
        module, name = reference
        if module not in self._names:
            return f"{module}:{name}"
        if name != "*":
            return f"{self.of_module(module)}:{name}"
        return " ".join(sorted(map(self.of_module, self._inside(module))))

    def _version(self, module: str) -> str:
        library = module.split(".")[0]
        if library not in self._versions:
            version = importlib.metadata.version(library) if library in LIBRARIES else ""
            self._versions[library] = version and f"{library}=={version}"
        return self._versions[library]

    def _inside(self, package: str) -> list[str]:
        return [name for name in self._names if f"{name}.".startswith(f"{package}.")]

    def _packages_around(self, module: str) -> list[str]:
        """The packages whose ``__init__`` runs before a module, if it does anything.

        That of the whole package is left out: it is the front door, which names every place.
        """
        parts = module.split(".")
        around = [".".join(parts[:length]) for length in range(2, len(parts))]
        return [name for name in around if self._statements(name)]


def _reached_from(
    function: str, body: Sequence[Statement], origins: Mapping[str, str]
) -> list[Statement]:
    """The statements that a function can execute or that decide what its names hold, in their order.

    A decorator or a base class may hand on what it is put on: a table of functions holds those that
    are registered in it. So a decorated function counts if its decorator and the code that ``function``
    runs share a name, or a module of the package. Who looks names up at run time may use all.
    """
    loose = [one for one in body if not one.is_definition]
    touched = {function}.union(*(one.uses | one.hooks for one in loose))
    if LOOKS_UP & _closed(touched, body):
        return list(body)
    hooked = [(one.defines, _origins_of(_closed(one.hooks, body), origins)) for one in body if one.hooks]
    found = touched
    while found:
        touched = _closed(touched | found, body, with_hooks=False)
        places = _origins_of(touched, origins)
        found = set().union(*(names for names, hooks in hooked if hooks & places)) - touched
    names = _closed(touched, body)
    return [one for one in body if not one.is_definition or one.defines & names]


def _origins_of(names: Iterable[str], origins: Mapping[str, str]) -> set[str]:
    return {origins[name] for name in names if name in origins}


def _closed(names: Iterable[str], body: Sequence[Statement], with_hooks: bool = True) -> set[str]:
    """The names, and all that the statements which define them use."""
    found: set[str] = set()
    waiting = set(names)
    while waiting:
        found |= waiting
        users = [one for one in body if one.defines & waiting]
        waiting = (
            set().union(*(one.uses | (one.hooks if with_hooks else set()) for one in users)) - found
        )
    return found


def _digests(package: Path) -> _Digests:
    """Those of the package as it is now: a dry run asks for forty digests, which share most modules."""
    return _digests_of(package, tuple(sorted(_files(package))))


@lru_cache(maxsize=2)
def _digests_of(package: Path, files: tuple[tuple[str, int, int, int], ...]) -> _Digests:
    sources: dict[str, str] = {}
    packages: set[str] = set()
    for path, *_ in files:
        *folders, file = Path(path).relative_to(package.parent).with_suffix("").parts
        around = [".".join(folders[:length]) for length in range(1, len(folders) + 1)]
        name = around[-1] if file == "__init__" else f"{around[-1]}.{file}"
        sources[name] = Path(path).read_text(encoding="utf-8")
        packages.update(around)
    for folder in packages:
        sources.setdefault(folder, "")  # Without __init__.py it is a package too, with nothing in it.
    return _Digests(package.name, sources, frozenset(packages))


def _files(folder: Path | str) -> Iterator[tuple[str, int, int, int]]:
    """The Python files of a package, and what tells whether one was written since."""
    for entry in os.scandir(folder):
        if entry.is_dir():
            yield from _files(entry.path)
        elif entry.name.endswith(".py"):
            state = entry.stat()
            yield entry.path, state.st_mtime_ns, state.st_size, state.st_ino


def stage_digest(command: str, package: Path = PACKAGE) -> str:
    """INTERIM."""
    for path in sorted((package / "cli").glob("*.py")):
        if any(command in one.defines for one in _statements(path.read_text(encoding="utf-8"))):
            return function_digest(f"cli.{path.stem}", command, package)
    raise ValueError(f"no command function {command!r}")
