"""The statements of a module, with every imported name replaced by what it refers to.

Two modules that do the same read the same here, whatever their files and their imports are called. The
scopes of Python are followed: a parameter, a local variable or a function's own import hides a name of
the module. What cannot be told for certain stays as it is written: an import in the body of a class, and
the imports of a name that the same scope gives to something else too.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import chain
from typing import Any, NamedTuple

from dynparam.provenance.scopes import Draft, Reference, Scopes, Site, Use


class Imported(NamedTuple):
    """One name of an import.

    Attributes:
        reference: what is imported.
        alias: its name at the top of this module, if it is called otherwise there.
        bound: the name that the import gives it at the top of this module; empty if in a function.
        is_used: whether the module uses that name.
    """

    reference: Reference
    alias: str
    bound: str
    is_used: bool


@dataclass(frozen=True)
class Statement:
    """A statement at the top of a module.

    Attributes:
        defines: names of the module that it gives something to, with ``global`` too.
        uses: names of the module that it reads or calls, in annotations in quotes too; ``globals`` for
            ``sys.modules``.
        hooks: names in its decorators and base classes, which may hand it on when it is defined.
        code: its syntax tree without imports and docstrings; ``#0``, ``#1`` stand for references.
        references: what those stand for.
        imported: imports that are not in ``code``.
        is_function: whether it defines a function.
        is_definition: whether it only gives something to names, so that it counts for their users alone.
    """

    defines: frozenset[str]
    uses: frozenset[str]
    hooks: frozenset[str]
    code: str
    references: tuple[Reference, ...]
    imported: tuple[Imported, ...]
    is_function: bool
    is_definition: bool


@lru_cache(maxsize=1024)
def statements(
    source: str,
    module: str = "",
    known: frozenset[str] = frozenset(),
    packages: frozenset[str] = frozenset(),
) -> tuple[Statement, ...]:
    """The statements at the top of a module.

    Args:
        source: its text.
        module: its dotted name, which relative imports start from.
        known: the dotted names of all modules and packages that count as one's own.
        packages: those of the packages among them.
    """
    return _Reader(source, module, known, packages).read()


LEFT_OUT = ("ctx", "type_comment", "kind", "type_ignores")
"""Fields of a syntax tree that change nothing."""

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class _Reader:
    """Reads one module: the text of each statement, with open places where a name is not yet known."""

    def __init__(
        self, source: str, module: str, known: frozenset[str], packages: frozenset[str]
    ) -> None:
        self._tree = ast.parse(source)
        self._module = module
        self._known = known
        self._packages = packages
        self._top = module.partition(".")[0] + "."
        self._keeps_docstrings = "__doc__" in source
        self._scopes = Scopes(known, packages)
        self._in_hook = False
        self._draft = Draft(ast.Pass())
        self._handlers = self._all_handlers()

    def read(self) -> tuple[Statement, ...]:
        drafts = []
        for node in self._tree.body:
            if not self._is_passed_over(node):
                self._draft = Draft(node)
                drafts.append(self._draft)
                self._walk(node)
        self._scopes.close(self._draft)
        used = frozenset().union(*(draft.uses | draft.hooks for draft in drafts))
        return tuple(self._statement(draft, used) for draft in drafts)

    def _statement(self, draft: Draft, used: frozenset[str]) -> Statement:
        numbers: dict[Reference, int] = {}
        code = [
            part
            if isinstance(part, str)
            else f"{part[0]}#{numbers.setdefault(part[1], len(numbers))}{part[2]}"
            for part in draft.parts
        ]
        return Statement(
            frozenset(draft.defines),
            frozenset(draft.uses),
            frozenset(draft.hooks),
            "".join(code),
            tuple(numbers),
            tuple(Imported(*one, is_used=one[2] in used) for one in draft.imported),
            isinstance(draft.node, FUNCTIONS),
            _is_definition(draft.node),
        )

    def _is_passed_over(self, node: ast.AST) -> bool:
        """Whether a statement is a docstring, or a string that documents an attribute."""
        return (
            not self._keeps_docstrings
            and isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        )

    # --- Any node ---

    def _all_handlers(self) -> dict[type[ast.AST], Any]:
        return {
            ast.Name: self._name,
            ast.Attribute: self._attribute,
            ast.Constant: self._constant,
            ast.Import: self._import,
            ast.ImportFrom: self._import,
            ast.ClassDef: self._class,
            ast.Lambda: self._lambda,
            ast.Global: self._declaration,
            ast.Nonlocal: self._declaration,
            ast.NamedExpr: self._walrus,
            ast.arg: self._argument,
            ast.AnnAssign: self._annotated,
            **dict.fromkeys(FUNCTIONS, self._function),
            **dict.fromkeys(COMPREHENSIONS, self._comprehension),
            **dict.fromkeys(
                (ast.ExceptHandler, ast.MatchAs, ast.MatchStar, ast.MatchMapping), self._capture
            ),
        }

    def _walk(self, node: ast.AST) -> None:
        handler = self._handlers.get(type(node))
        if handler is None:
            self._fields(node)
        else:
            handler(node)

    def _fields(self, node: ast.AST, without: Sequence[str] = ()) -> None:
        """A node as its class and, in their order, its fields."""
        self._draft.parts.append(type(node).__name__ + "(")
        for name in _fields_of(type(node)):  # type: ignore[arg-type]  # a class is hashable
            if name not in without:
                self._value(getattr(node, name, None))
        self._draft.parts.append(")")

    def _value(self, value: object) -> None:
        if isinstance(value, ast.AST):
            self._walk(value)
        elif isinstance(value, list):
            self._draft.parts.append("[")
            for item in value:
                if not isinstance(item, ast.AST):
                    self._draft.parts.append(repr(item))
                elif not self._is_passed_over(item):
                    self._walk(item)
            self._draft.parts.append("]")
        else:
            self._draft.parts.append(repr(value))
        self._draft.parts.append(",")

    # --- Names ---

    def _name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._use(node.id, ())
        else:
            self._bind(node.id)
            self._draft.parts.append(f"{node.id!r} ")

    def _attribute(self, node: ast.Attribute) -> None:
        """``a.b.c`` is one use of ``a``: the reference may be to ``c`` of the module ``a.b``."""
        names: list[str] = []
        value: ast.expr = node
        while isinstance(value, ast.Attribute):
            names.append(value.attr)
            value = value.value
        if isinstance(value, ast.Name):
            self._use(value.id, tuple(reversed(names)))
            if value.id == "sys" and names[-1] == "modules":
                self._draft.uses.add("globals")
        else:
            self._walk(value)
            self._draft.parts.append("." + ".".join(reversed(names)) + " ")

    def _use(self, name: str, attributes: tuple[str, ...]) -> None:
        self._draft.parts.append("")
        place = len(self._draft.parts) - 1
        self._scopes.inner.uses.append(Use(self._draft, place, name, attributes, self._in_hook))

    def _constant(self, node: ast.Constant) -> None:
        value = node.value
        if isinstance(value, str) and value in self._known and value.startswith(self._top):
            self._draft.parts.append(("C", Reference(value), " "))
            return
        self._draft.parts.append(f"C{value!r} ")

    def _capture(self, node: ast.AST) -> None:
        """``except ... as name`` and the names of patterns."""
        name = getattr(node, "name", None) or getattr(node, "rest", None)
        if name is not None:
            self._bind(name)
        self._fields(node)

    def _walrus(self, node: ast.NamedExpr) -> None:
        self._scopes.bind_around_comprehensions(node.target.id, self._draft)
        self._draft.parts.append(f":={node.target.id!r} ")
        self._walk(node.value)

    def _declaration(self, node: ast.Global | ast.Nonlocal) -> None:
        for name in node.names:
            self._scopes.inner.elsewhere[name] = isinstance(node, ast.Global)
        self._fields(node)

    def _bind(self, name: str, reference: Reference | None = None) -> None:
        self._scopes.bind(name, self._draft, reference)

    # --- What opens a scope ---

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._bind(node.name)
        self._hooks(node, node.decorator_list)
        self._open_parameters_of_types(node)
        # Defaults and annotations belong to the scope around the function.
        self._fields(node.args)
        self._annotation(node.returns)
        self._open_function(node.args)
        self._fields(node, without=("decorator_list", "type_params", "args", "returns"))
        self._scopes.close(self._draft)
        self._close_parameters_of_types(node)

    def _lambda(self, node: ast.Lambda) -> None:
        self._fields(node.args)
        self._open_function(node.args)
        self._fields(node, without=("args",))
        self._scopes.close(self._draft)

    def _argument(self, node: ast.arg) -> None:
        self._draft.parts.append(f"arg({node.arg!r},")
        self._annotation(node.annotation)

    def _annotated(self, node: ast.AnnAssign) -> None:
        self._annotation(node.annotation)
        self._fields(node, without=("annotation",))

    def _annotation(self, node: ast.expr | None) -> None:
        if node is not None:
            self._draft.uses.update(_quoted_names(node))
        self._value(node)

    def _class(self, node: ast.ClassDef) -> None:
        self._bind(node.name)
        self._hooks(node, node.decorator_list)
        self._open_parameters_of_types(node)
        self._hooks(node, [*node.bases, *node.keywords])
        self._scopes.open("class")
        self._fields(node, without=("decorator_list", "type_params", "bases", "keywords"))
        self._scopes.close(self._draft)
        self._close_parameters_of_types(node)

    def _hooks(self, node: ast.stmt, hooks: Sequence[ast.AST]) -> None:
        self._in_hook = node is self._draft.node
        self._value(list(hooks))
        self._in_hook = False

    def _open_function(self, arguments: ast.arguments) -> None:
        self._scopes.open("function")
        for kind in (arguments.posonlyargs, arguments.args, arguments.kwonlyargs):
            for argument in kind:
                self._bind(argument.arg)
        for rest in (arguments.vararg, arguments.kwarg):
            if rest:
                self._bind(rest.arg)

    def _open_parameters_of_types(self, node: ast.stmt) -> None:
        """``def f[T]`` and ``class C[T]`` hold ``T`` in a scope around them."""
        if parameters := getattr(node, "type_params", []):
            self._scopes.open("function")
            for parameter in parameters:
                self._bind(parameter.name)
            self._value(parameters)

    def _close_parameters_of_types(self, node: ast.stmt) -> None:
        if getattr(node, "type_params", []):
            self._scopes.close(self._draft)

    def _comprehension(self, node: ast.AST) -> None:
        generators: list[ast.comprehension] = node.generators  # type: ignore[attr-defined]
        self._walk(generators[0].iter)
        self._scopes.open("comprehension")
        for index, generator in enumerate(generators):
            self._fields(generator, without=("iter",) if index == 0 else ())
        self._fields(node, without=("generators",))
        self._scopes.close(self._draft)

    # --- Imports ---

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            loads, binds, bound = self._of_alias(node, alias)
            self._draft.parts.append("")
            place = len(self._draft.parts) - 1
            self._bind(bound, binds)
            self._scopes.inner.sites.append(Site(self._draft, place, loads, binds, bound))

    def _of_alias(
        self, node: ast.Import | ast.ImportFrom, alias: ast.alias
    ) -> tuple[Reference, Reference, str]:
        if isinstance(node, ast.Import):
            loads = Reference(alias.name)
            top = alias.name.partition(".")[0]
            return loads, loads if alias.asname else Reference(top), alias.asname or top
        source = self._absolute(node)
        dotted = f"{source}.{alias.name}"
        found = Reference(dotted) if dotted in self._known else Reference(source, alias.name)
        return found, found, alias.asname or alias.name

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return str(node.module)
        parts = self._module.split(".")
        above = node.level - (self._module in self._packages)
        return ".".join([*parts[: len(parts) - above], *filter(None, [node.module])])


def _quoted_names(annotation: ast.expr) -> Iterator[str]:
    """Names in the strings of an annotation, which are code."""
    match annotation:
        case ast.Constant(value=str(text)):
            yield from re.findall(r"\w+", text)
        case ast.Subscript(value=ast.Name(id="Literal")):
            return
        case ast.Subscript(value=ast.Name(id="Annotated"), slice=ast.Tuple(elts=[first, *_])):
            yield from _quoted_names(first)
        case ast.Subscript(slice=inside):
            yield from _quoted_names(inside)
        case ast.Tuple(elts=parts) | ast.List(elts=parts):
            yield from chain.from_iterable(map(_quoted_names, parts))
        case ast.BinOp(left=left, right=right):
            yield from chain(_quoted_names(left), _quoted_names(right))


@cache
def _fields_of(kind: type[ast.AST]) -> tuple[str, ...]:
    return tuple(name for name in kind._fields if name not in LEFT_OUT)


def _is_definition(node: ast.stmt) -> bool:
    """Whether a statement does nothing but give something to names."""
    if isinstance(node, ast.Assign):
        return all(_is_names(target) for target in node.targets)
    if isinstance(node, (ast.AnnAssign, ast.AugAssign)):
        return _is_names(node.target)
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return all(alias.name != "*" for alias in node.names)
    return isinstance(node, (*FUNCTIONS, ast.ClassDef)) or type(node).__name__ == "TypeAlias"


def _is_names(target: ast.expr) -> bool:
    if isinstance(target, (ast.Tuple, ast.List)):
        return all(map(_is_names, target.elts))
    return isinstance(target.value if isinstance(target, ast.Starred) else target, ast.Name)
