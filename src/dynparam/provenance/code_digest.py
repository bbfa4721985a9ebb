"""Digests of the code behind each stage of the workflow.

Snakemake does not see edits in an imported library. Each rule therefore carries, as a parameter, the
digest of all code its stage can reach. It depends on what the code does, not on where it stands:

- A module's digest is a hash of its code without imports, comments and docstrings, and of the pairs
  (imported name, digest of the module it comes from). So a module that is moved or renamed, an import
  that is re-ordered, or a reformatted line changes nothing; a changed line does, and so does an import
  that is redirected to other code.
- A function's digest is the same for the function alone, with what it uses of its own module.
- The versions of the numerical libraries count where they are imported.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

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


def module_digest(module: str, package: Path = PACKAGE) -> str:
    """A short SHA-256 of all code that a module can execute.

    Args:
        module: its name from the package on, such as ``dynparam.trials.one_step``.
        package: the directory of the library's sources.

    Raises:
        ValueError: if there is no such module.

    >>> len(module_digest("dynparam.theory.widths"))
    16
    """
    return _Digests(package).of_module(_local(module, package))[:16]


def function_digest(module: str, function: str, package: Path = PACKAGE) -> str:
    """A short SHA-256 of all code that one function of a module can execute.

    What the module holds besides, and imports for other functions, does not count. Raises ``ValueError``
    if there is no such module or function.
    """
    return _Digests(package).of_function(_local(module, package), function)[:16]


def is_neutral(module: str) -> bool:
    """Whether a module, named from inside the package, cannot change a result."""
    parts = module.split(".")
    return module in NEUTRAL or "settings" in (parts[0], parts[-1])


@dataclass(frozen=True)
class _Import:
    """One imported name: where it comes from, what it is there, and what it is called here.

    Attributes:
        source: the module, dotted, from inside the package for its own ones.
        name: the name in that module; empty if the module itself is imported.
        bound: the name in the importing code.
        local: whether the module is one of the package.
    """

    source: str
    name: str
    bound: str
    local: bool


@dataclass(frozen=True)
class _Statement:
    """A statement at the top of a module.

    Attributes:
        defines: the names that it gives something to.
        uses: every name in it.
        imports: its imports, those inside functions too.
        code: its syntax tree without imports and docstrings, as text.
        is_function: whether it defines a function.
    """

    defines: tuple[str, ...]
    uses: frozenset[str]
    imports: tuple[ast.Import | ast.ImportFrom, ...]
    code: str
    is_function: bool


class _Digests:
    """The digests of one package, each computed once."""

    def __init__(self, package: Path) -> None:
        self._package = package
        self._known: dict[str, str] = {}

    def of_module(self, name: str) -> str:
        if is_neutral(name):
            return "neutral"
        if name not in self._known:
            body = _statements(_source(name, self._package))
            self._known[name] = self._of_code(body, self._imports(body))
        return self._known[name]

    def of_function(self, module: str, function: str) -> str:
        body = _statements(_source(module, self._package))
        parts = {name: statement for statement in body for name in statement.defines}
        if function not in parts or not parts[function].is_function:
            raise ValueError(f"{module} has no function {function!r}")
        used, waiting = {function}, [function]
        while waiting:
            names = parts[waiting.pop()].uses & parts.keys() - used
            used |= names
            waiting.extend(names)
        chosen = [statement for statement in body if used & set(statement.defines)]
        seen = frozenset().union(*(statement.uses for statement in chosen))
        return self._of_code(chosen, [one for one in self._imports(body) if one.bound in seen])

    def _imports(self, body: Iterable[_Statement]) -> list[_Import]:
        nodes = (node for statement in body for node in statement.imports)
        return [one for node in nodes for one in _imported(node, self._package)]

    def _of_code(self, body: Iterable[_Statement], imports: Sequence[_Import]) -> str:
        """What a module is called here may change with its name, so that its digest stands for it."""
        modules = {
            one.bound: self.of_module(one.source) for one in imports if one.local and not one.name
        }
        pairs = {
            (one.name, one.bound if one.name else "", self.of_module(one.source))
            if one.local
            else (one.source, one.name, one.bound)
            for one in imports
        }
        lines = [
            NAME.sub(lambda found: modules.get(found[1], found[0]), statement.code)
            for statement in body
            if statement.code
        ]
        lines += [" ".join(pair) for pair in sorted(pairs)]
        lines += _library_versions(one.source for one in imports if not one.local)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


NAME = re.compile(r"Name\(id='(\w+)'")
"""A name in the text of a syntax tree."""


def _local(module: str, package: Path) -> str:
    """The module's name from inside the package. Raises ``ValueError`` if there is none."""
    name = module.removeprefix(f"{package.name}.")
    if not _file(name, package).is_file():
        raise ValueError(f"{package.name} has no module {name!r}")
    return name


def _file(name: str, package: Path) -> Path:
    path = package.joinpath(*name.split(".")) if name else package
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _source(name: str, package: Path) -> str:
    return _file(name, package).read_text(encoding="utf-8")


# A dry run asks for the digests of thirty rules, which share most modules.
@cache
def _statements(source: str) -> tuple[_Statement, ...]:
    return tuple(_statement(node) for node in ast.parse(source).body if not _is_string(node))


def _statement(node: ast.stmt) -> _Statement:
    inside = list(ast.walk(node))
    return _Statement(
        tuple(_defined(node)),
        frozenset(child.id for child in inside if isinstance(child, ast.Name)),
        tuple(child for child in inside if isinstance(child, (ast.Import, ast.ImportFrom))),
        "" if _is_passed_over(node) else ast.dump(_plain(node)),
        isinstance(node, ast.FunctionDef),
    )


def _plain(tree: ast.stmt) -> ast.stmt:
    """``tree`` without its imports, its docstrings and strings that document attributes, in place."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [item for item in body if not _is_passed_over(item)]  # type: ignore[attr-defined]
    return tree


def _is_passed_over(node: ast.stmt) -> bool:
    """Whether a statement is an import, a docstring, or a string that documents an attribute."""
    return isinstance(node, (ast.Import, ast.ImportFrom)) or _is_string(node)


def _is_string(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _imported(node: ast.Import | ast.ImportFrom, package: Path) -> Iterator[_Import]:
    for alias in node.names:
        dotted = alias.name if isinstance(node, ast.Import) else f"{node.module}.{alias.name}"
        top, _, inside = dotted.partition(".")
        bound = alias.asname or (top if isinstance(node, ast.Import) else alias.name)
        if top != package.name:
            source = dotted if isinstance(node, ast.Import) else str(node.module)
            yield _Import(source, "" if source == dotted else alias.name, bound, local=False)
        elif _file(inside, package).is_file():
            yield _Import(inside, "", bound, local=True)
        else:
            source, _, name = inside.rpartition(".")
            yield _Import(source, name, bound, local=True)


def _defined(node: ast.stmt) -> list[str]:
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _library_versions(sources: Iterable[str]) -> list[str]:
    used = {source.split(".")[0] for source in sources}
    return [f"{name}=={importlib.metadata.version(name)}" for name in LIBRARIES if name in used]
