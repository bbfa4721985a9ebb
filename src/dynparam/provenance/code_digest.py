"""Digests of the code behind each stage of the workflow.

Snakemake does not see edits in an imported library. Each rule therefore carries, as a parameter, the
digest of all code its stage can reach. It depends on what the code does, not on where it stands:

- A module's digest is a hash of its code without imports, comments and docstrings, and of the pairs
  (imported name, digest of the module it comes from). So a module that is moved or renamed, an import
  that is re-ordered, or a reformatted line changes nothing; a changed line does, and so does an import
  that is redirected to other code.
- A function's digest is the same for the function alone, with what it uses of its own module. Names are
  taken as they are written: a local variable with the name of something in the module counts as a use
  of it, which repeats a stage once too often and never once too seldom.
- A template that a module names counts with the module, and so do the templates that it includes.
- The versions of the numerical libraries count where they are imported.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
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

SUFFIXES = (".py", ".j2", ".css", ".js")
"""What the files end in that a digest may depend on."""

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
    digests = _digests(package)
    return digests.of_module(digests.local(module))[:16]


def function_digest(module: str, function: str, package: Path = PACKAGE) -> str:
    """A short SHA-256 of all code that one function of a module can execute.

    What the module holds besides, and imports for other functions, does not count. Raises ``ValueError``
    if there is no such module or function.
    """
    digests = _digests(package)
    return digests.of_function(digests.local(module), function)[:16]


def sources(package: Path = PACKAGE) -> Iterator[str]:
    """The path of every file that a digest may depend on: modules and templates, in any order."""
    for folder, _, names in os.walk(package):
        yield from (f"{folder}/{name}" for name in names if name.endswith(SUFFIXES))


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
        texts: its words that may be names of templates.
        is_function: whether it defines a function.
    """

    defines: frozenset[str]
    uses: frozenset[str]
    imports: tuple[ast.Import | ast.ImportFrom, ...]
    code: str
    texts: frozenset[str]
    is_function: bool


class _Digests:
    """The digests of one state of a package, each computed once."""

    def __init__(self, package: Path) -> None:
        self._package = package
        self._known: dict[str, str] = {}
        self._open: list[str] = []
        # Both look at files, for the same few names again and again.
        self._imported = cache(lambda node: tuple(_imported(node, package)))
        self._version = cache(importlib.metadata.version)

    def local(self, module: str) -> str:
        """The module's name from inside the package. Raises ``ValueError`` if there is none."""
        name = module.removeprefix(f"{self._package.name}.")
        if not _file(name, self._package).is_file():
            raise ValueError(f"{self._package.name} has no module {name!r}")
        return name

    def of_module(self, name: str) -> str:
        """The digest of a module, named from inside the package."""
        if is_neutral(name):
            return "neutral"
        if name in self._open:
            raise ValueError(f"{' imports '.join((*self._open, name))}: a circle of imports; break it")
        if name not in self._known:
            self._open.append(name)
            body = self._statements(name)
            self._known[name] = self._of_code(name, body, self._at_top(body))
            self._open.pop()
        return self._known[name]

    def of_function(self, module: str, function: str) -> str:
        """The digest of one function with what it uses of its module."""
        body = self._statements(module)
        if not any(function in one.defines and one.is_function for one in body):
            raise ValueError(f"{module} has no function {function!r}")
        # What gives nothing to a name runs at import, whoever is asked for.
        used = {function}.union(*(one.uses for one in body if not one.defines))
        waiting = used
        while waiting:
            found = set[str]().union(*(one.uses for one in body if one.defines & waiting))
            waiting = found - used
            used |= found
        chosen = [one for one in body if one.defines & used or not one.defines]
        everywhere = frozenset[str]().union(*(one.uses for one in body))
        # An import that no code uses is there for what it does.
        wanted = (one for one in self._at_top(body) if one.bound in used or one.bound not in everywhere)
        return self._of_code(module, chosen, list(wanted))

    def _statements(self, name: str) -> tuple[_Statement, ...]:
        return _statements(_file(name, self._package).read_text(encoding="utf-8"))

    def _at_top(self, body: Iterable[_Statement]) -> list[_Import]:
        return [one for statement in body if not statement.code for one in self._imports(statement)]

    def _imports(self, statement: _Statement) -> list[_Import]:
        return [one for node in statement.imports for one in self._imported(node)]

    def _of_code(self, name: str, body: Iterable[_Statement], at_top: Sequence[_Import]) -> str:
        code = [one for one in body if one.code]
        imports = [*at_top, *(imported for one in code for imported in self._imports(one))]
        lines = [self._pairs(at_top)]
        for one in code:
            inner = self._imports(one)
            lines += [self._named_by_digest(one.code, [*at_top, *inner]), self._pairs(inner)]
        lines += self._versions(one.source for one in imports if not one.local)
        lines += self._templates(name, frozenset[str]().union(*(one.texts for one in code)))
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def _named_by_digest(self, code: str, imports: Iterable[_Import]) -> str:
        """What a module is called here may change with its name, so that its digest stands for it."""
        own = (one for one in imports if one.local and not one.name)
        modules = {one.bound: self.of_module(one.source) for one in own}
        return NAME.sub(lambda found: modules.get(found[1], found[0]), code) if modules else code

    def _pairs(self, imports: Iterable[_Import]) -> str:
        """Each imported name with the digest of the module it comes from, in any order."""
        pairs = {
            f"{one.name} {one.name and one.bound} {self.of_module(one.source)}"
            if one.local
            else f"{one.source} {one.name} {one.bound}"
            for one in imports
        }
        return "\n".join(sorted(pairs))

    def _versions(self, sources: Iterable[str]) -> list[str]:
        """The versions of those of ``LIBRARIES`` that modules from outside belong to."""
        used = {source.split(".")[0] for source in sources}
        return [f"{name}=={self._version(name)}" for name in LIBRARIES if name in used]

    def _templates(self, module: str, names: Iterable[str]) -> list[str]:
        """The templates of these names beside a module or in ``presentation``, and all they include."""
        folders = (_file(module, self._package).parent, self._package / "presentation")
        found: dict[Path, str] = {}
        waiting = [folder / name for name in names for folder in folders]
        while waiting:
            path = waiting.pop()
            if path not in found and path.is_file():
                found[path] = path.read_text(encoding="utf-8")
                waiting += [folder / name for name in TEXT.findall(found[path]) for folder in folders]
        return sorted(found.values())


NAME = re.compile(r"Name\(id='(\w+)'")
"""A name in the text of a syntax tree."""

TEXT = re.compile(r"[\w.]+\.(?:j2|css|js)\b")
"""The name of a template, or of what one includes."""


def _digests(package: Path) -> _Digests:
    """Those of a package as it is now; of the running one as it was when the first was asked for.

    A dry run asks for some ninety digests, which share most modules.
    """
    return _running() if package == PACKAGE else _digests_of(package, _state(package))


@cache
def _running() -> _Digests:
    return _Digests(PACKAGE)


def _state(package: Path) -> frozenset[tuple[str, int, int]]:
    """Every source of a package with its time and size."""
    stamps = ((file, os.stat(file)) for file in sources(package))
    return frozenset((file, one.st_mtime_ns, one.st_size) for file, one in stamps)


@lru_cache(maxsize=2)
def _digests_of(package: Path, state: frozenset[tuple[str, int, int]]) -> _Digests:
    return _Digests(package)


def _file(name: str, package: Path) -> Path:
    path = package.joinpath(*name.split(".")) if name else package
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@cache
def _statements(source: str) -> tuple[_Statement, ...]:
    return tuple(_statement(node) for node in ast.parse(source).body if not _never_runs(node))


def _statement(node: ast.stmt) -> _Statement:
    names, words = set[str](), set[str]()
    imports: list[ast.Import | ast.ImportFrom] = []
    code = _read(node, names, words, imports)
    return _Statement(
        frozenset(_defined(node)),
        frozenset(names),
        tuple(imports),
        "" if _is_passed_over(node) else code,
        frozenset(word for word in words if TEXT.fullmatch(word)),
        isinstance(node, ast.FunctionDef),
    )


def _read(
    tree: object, names: set[str], words: set[str], imports: list[ast.Import | ast.ImportFrom]
) -> str:
    """A syntax tree as text, as ``ast.dump`` writes it, and what one walk through it finds.

    A dry run reads the whole package, so that a walk for each of these would be felt. Imports,
    docstrings and strings that document attributes are left out of the text where they stand in a body.

    Args:
        tree: a node, a list of them, or what a field of a node holds.
        names: gets every name in the tree.
        words: gets every string, docstrings too.
        imports: gets every import.
    """
    if isinstance(tree, list):
        return f"[{', '.join([_read(one, names, words, imports) for one in tree])}]"
    if isinstance(tree, ast.Name):  # nearly half of all nodes, with how they are used
        names.add(tree.id)
        return f"Name(id={tree.id!r}, ctx={type(tree.ctx).__name__}())"
    if not isinstance(tree, ast.AST):
        return repr(tree)
    if isinstance(tree, ast.Constant) and isinstance(tree.value, str):
        words.add(tree.value)
    elif isinstance(tree, (ast.Import, ast.ImportFrom)):
        imports.append(tree)
    kind, fields = type(tree), []
    if not kind._fields:
        return f"{kind.__name__}()"
    for field in kind._fields:
        inner = getattr(tree, field)
        if inner is None and getattr(kind, field, ...) is None:
            continue  # an optional field that is not given
        if field == "body" and isinstance(inner, list):
            _read([one for one in inner if _is_passed_over(one)], names, words, imports)
            inner = [one for one in inner if not _is_passed_over(one)]
        fields.append(f"{field}={_read(inner, names, words, imports)}")
    return f"{kind.__name__}({', '.join(fields)})"


def _is_passed_over(node: ast.stmt) -> bool:
    """Whether a statement is an import, a docstring, or a string that documents an attribute."""
    return isinstance(node, (ast.Import, ast.ImportFrom)) or _is_string(node)


def _never_runs(node: ast.stmt) -> bool:
    """Whether a statement at the top is there for readers and type checkers alone."""
    if isinstance(node, ast.ImportFrom):
        return node.module == "typing" and [alias.name for alias in node.names] == ["TYPE_CHECKING"]
    if isinstance(node, ast.If):
        return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    return _is_string(node)


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


def _defined(node: ast.stmt) -> Iterator[str]:
    """The names that a statement at the top of a module gives something to, if it does no more."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, (ast.Assign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            yield from (one.id for one in ast.walk(target) if isinstance(one, ast.Name))
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from (alias.asname or alias.name.split(".")[0] for alias in node.names)
