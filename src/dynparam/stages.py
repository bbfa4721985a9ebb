"""Digests of the code behind each stage of the workflow.

Snakemake does not see edits in an imported library. Each rule therefore carries, as a parameter, the
digest of all code its command can reach: the command's own function in ``cli*.py``, the modules that
function imports, and theirs in turn, as syntax trees without docstrings. A comment, a docstring or a
reformatted line changes no digest; a change of behaviour changes those of the stages that use it.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parent

NEUTRAL = frozenset({"blocks", "config", "config_stages", "errors", "loading", "progress", "provenance"})
"""Modules that decide how a result is asked for, reported or documented, not what it is.

Configuration values are parameters of the rules already; a new key must not repeat every experiment.
"""

LIBRARIES = ("matplotlib", "numpy", "pandas", "scipy", "torch", "torchvision")
"""Libraries whose version may change a result; a stage that imports one depends on its version."""


def stage_digest(command: str, package: Path = PACKAGE) -> str:
    """A short SHA-256 of everything the function ``command`` of ``cli*.py`` can execute.

    ``package`` is the directory of the library's sources. Raises ``ValueError`` if there is no such
    function.
    """
    function = _command(package, command)
    modules = closure(function, package)
    summaries = {name: _summary(_source(package, name)) for name in sorted(modules)}
    parts = [ast.dump(_without_docstrings(function))]
    parts += [f"{name}: {summary.code}" for name, summary in summaries.items()]
    imports = [_imported_names(function), *(summary.imports for summary in summaries.values())]
    parts += _library_versions(name for names in imports for name in names)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def closure(tree: ast.AST, package: Path = PACKAGE) -> set[str]:
    """The library's modules reachable from ``tree`` by imports, ``NEUTRAL`` ones left out."""
    found: set[str] = set()
    waiting = list(_local_imports(_imported_names(tree), package))
    while waiting:
        name = waiting.pop()
        if name not in found and name not in NEUTRAL:
            found.add(name)
            waiting.extend(_local_imports(_summary(_source(package, name)).imports, package))
    return found


@dataclass(frozen=True)
class _Summary:
    """A module's code without docstrings, and the dotted names it imports."""

    code: str
    imports: tuple[str, ...]


# A dry run asks for the digests of thirty rules, which share most modules.
@cache
def _summary(source: str) -> _Summary:
    tree = ast.parse(source)
    return _Summary(imports=tuple(_imported_names(tree)), code=ast.dump(_without_docstrings(tree)))


def _source(package: Path, name: str) -> str:
    return (package / f"{name}.py").read_text(encoding="utf-8")


def _command(package: Path, name: str) -> ast.FunctionDef:
    for path in sorted(package.glob("cli*.py")):
        functions = _functions(path.read_text(encoding="utf-8"))
        if name in functions:
            return functions[name]
    raise ValueError(f"no cli*.py has a command function {name!r}")


@cache
def _functions(source: str) -> dict[str, ast.FunctionDef]:
    return {node.name: node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)}


def _imported_names(tree: ast.AST) -> Iterator[str]:
    """Dotted names of all imports, inside functions too; ``from a import b`` gives a.b."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _local_imports(names: Iterable[str], package: Path) -> Iterator[str]:
    for name in names:
        parts = name.split(".")
        if parts[0] == "dynparam" and len(parts) > 1 and (package / f"{parts[1]}.py").exists():
            yield parts[1]


def _library_versions(names: Iterable[str]) -> list[str]:
    used = {name.split(".")[0] for name in names}
    return [f"{name}=={importlib.metadata.version(name)}" for name in LIBRARIES if name in used]


def _without_docstrings(tree: ast.AST) -> ast.AST:
    """``tree`` with its docstrings, and strings that document attributes, blanked in place."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [item for item in body if not _is_string(item)]  # type: ignore[attr-defined]
    return tree


def _is_string(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
