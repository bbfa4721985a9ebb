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
from dataclasses import dataclass, field
from functools import cache, lru_cache
from itertools import chain
from typing import Any, NamedTuple


class Reference(NamedTuple):
    """What a name refers to.

    Attributes:
        module: the dotted name of a module, or a library.
        name: a name in it; ``""`` for the module itself, ``"*"`` for all that a package holds.
    """

    module: str
    name: str = ""


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


_Part = str | tuple[str, Reference, str]
"""A piece of a statement's text; a reference stands between two of them."""


# --- Scopes ------------------------------------------------------------------------------------------


class _Use(NamedTuple):
    """A name that is read, with the attributes that follow: ``a.b.c``."""

    owner: _Draft
    place: int
    name: str
    attributes: tuple[str, ...]
    is_hook: bool
    prefix: str = ""


class _Site(NamedTuple):
    """A name of an import: ``loads`` is the module that it runs, ``binds`` what the name means."""

    owner: _Draft
    place: int
    loads: Reference
    binds: Reference
    bound: str


@dataclass
class _Scope:
    """Names of a module, class, function or comprehension; ``None`` is anything but an import."""

    kind: str
    bindings: dict[str, set[Reference | None]] = field(default_factory=dict)
    uses: list[_Use] = field(default_factory=list)
    sites: list[_Site] = field(default_factory=list)
    elsewhere: dict[str, bool] = field(default_factory=dict)
    """Names declared global (true) or nonlocal (false)."""

    def bind(self, name: str, reference: Reference | None = None) -> None:
        self.bindings.setdefault(name, set()).add(reference)

    def clear(self, name: str) -> Reference | None:
        """The one thing that an import gives the name to, if nothing else ever does."""
        found = self.bindings.get(name, set())
        return next(iter(found)) if len(found) == 1 else None


@dataclass(eq=False)
class _Draft:
    """A statement that is being read."""

    node: ast.stmt
    parts: list[_Part] = field(default_factory=list)
    defines: set[str] = field(default_factory=set)
    uses: set[str] = field(default_factory=set)
    hooks: set[str] = field(default_factory=set)
    imported: list[tuple[Reference, str, str]] = field(default_factory=list)


# --- Reading -----------------------------------------------------------------------------------------

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
        self._scopes = [_Scope("module")]
        self._in_hook = False
        self._draft = _Draft(ast.Pass())
        self._handlers = self._all_handlers()

    def read(self) -> tuple[Statement, ...]:
        drafts = []
        for node in self._tree.body:
            if not self._is_passed_over(node):
                self._draft = _Draft(node)
                drafts.append(self._draft)
                self._walk(node)
        self._close()
        used = frozenset().union(*(draft.uses | draft.hooks for draft in drafts))
        return tuple(self._statement(draft, used) for draft in drafts)

    def _statement(self, draft: _Draft, used: frozenset[str]) -> Statement:
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
        self._scopes[-1].uses.append(_Use(self._draft, place, name, attributes, self._in_hook))

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
        """Its name belongs to the function around a comprehension."""
        inner = []
        while self._scopes[-1].kind == "comprehension":
            inner.append(self._scopes.pop())
        self._bind(node.target.id)
        self._scopes.extend(reversed(inner))
        self._draft.parts.append(f":={node.target.id!r} ")
        self._walk(node.value)

    def _declaration(self, node: ast.Global | ast.Nonlocal) -> None:
        for name in node.names:
            self._scopes[-1].elsewhere[name] = isinstance(node, ast.Global)
        self._fields(node)

    def _bind(self, name: str, reference: Reference | None = None) -> None:
        self._scopes[-1].bind(name, reference)
        if len(self._scopes) == 1:
            self._draft.defines.add(name)

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
        self._close()
        self._close_parameters_of_types(node)

    def _lambda(self, node: ast.Lambda) -> None:
        self._fields(node.args)
        self._open_function(node.args)
        self._fields(node, without=("args",))
        self._close()

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
        self._scopes.append(_Scope("class"))
        self._fields(node, without=("decorator_list", "type_params", "bases", "keywords"))
        self._close()
        self._close_parameters_of_types(node)

    def _hooks(self, node: ast.stmt, hooks: Sequence[ast.AST]) -> None:
        self._in_hook = node is self._draft.node
        self._value(list(hooks))
        self._in_hook = False

    def _open_function(self, arguments: ast.arguments) -> None:
        self._scopes.append(_Scope("function"))
        for kind in (arguments.posonlyargs, arguments.args, arguments.kwonlyargs):
            for argument in kind:
                self._bind(argument.arg)
        for rest in (arguments.vararg, arguments.kwarg):
            if rest:
                self._bind(rest.arg)

    def _open_parameters_of_types(self, node: ast.stmt) -> None:
        """``def f[T]`` and ``class C[T]`` hold ``T`` in a scope around them."""
        if parameters := getattr(node, "type_params", []):
            self._scopes.append(_Scope("function"))
            for parameter in parameters:
                self._bind(parameter.name)
            self._value(parameters)

    def _close_parameters_of_types(self, node: ast.stmt) -> None:
        if getattr(node, "type_params", []):
            self._close()

    def _comprehension(self, node: ast.AST) -> None:
        generators: list[ast.comprehension] = node.generators  # type: ignore[attr-defined]
        self._walk(generators[0].iter)
        self._scopes.append(_Scope("comprehension"))
        for index, generator in enumerate(generators):
            self._fields(generator, without=("iter",) if index == 0 else ())
        self._fields(node, without=("generators",))
        self._close()

    # --- Imports ---

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            loads, binds, bound = self._of_alias(node, alias)
            self._draft.parts.append("")
            place = len(self._draft.parts) - 1
            self._bind(bound, binds)
            self._scopes[-1].sites.append(_Site(self._draft, place, loads, binds, bound))

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

    # --- The end of a scope: what its names refer to ---

    def _close(self) -> None:
        scope = self._scopes.pop()
        # A name is looked for next in the scope around, but for those of classes.
        outside = next((one for one in reversed(self._scopes) if one.kind != "class"), None)
        for name, is_global in scope.elsewhere.items():
            self._hand_over(scope, name, self._scopes[0] if is_global else outside)
        for site in scope.sites:
            self._settle_import(scope, site)
        for use in scope.uses:
            self._settle_use(scope, use, outside)

    def _hand_over(self, scope: _Scope, name: str, target: _Scope | None) -> None:
        """A name declared global or nonlocal belongs to another scope."""
        if target is None:
            return
        if scope.bindings.pop(name, None) is not None:
            target.bind(name)
            if target.kind == "module":
                self._draft.defines.add(name)
        target.uses += [use for use in scope.uses if use.name == name]
        scope.uses = [use for use in scope.uses if use.name != name]

    def _settle_import(self, scope: _Scope, site: _Site) -> None:
        owner, bound = site.owner, site.bound
        if scope.kind == "class" or scope.clear(bound) is None or bound == "*":
            owner.parts[site.place] = (f"import {bound!r} ", site.loads, "")
            return
        at_top = scope.kind == "module"
        plain = site.binds.name or site.binds.module.rpartition(".")[2]
        alias = bound if at_top and bound != plain else ""
        owner.imported.append((site.loads, alias, bound if at_top else ""))

    def _settle_use(self, scope: _Scope, use: _Use, outside: _Scope | None) -> None:
        if outside is None:
            (use.owner.hooks if use.is_hook else use.owner.uses).add(use.name)
        elif scope.kind == "class" and use.name in scope.bindings:
            # A class looks in its own body first, and outside while the name is not yet there.
            outside.uses.append(use._replace(prefix=f"{use.name!r}?"))
            return
        elif scope.kind == "class" or use.name not in scope.bindings:
            outside.uses.append(use)
            return
        use.owner.parts[use.place] = self._meaning(use, scope.clear(use.name))

    def _meaning(self, use: _Use, reference: Reference | None) -> _Part:
        if reference is None:
            return use.prefix + ".".join([repr(use.name), *use.attributes]) + " "
        module, names = reference.module, list(use.attributes)
        if not reference.name:
            while names and f"{module}.{names[0]}" in self._known:
                module = f"{module}.{names.pop(0)}"
            reference = Reference(module)
            if module in self._packages and (not names or names[0].startswith("__")):
                reference = Reference(module, "*")
        return use.prefix, reference, ".".join(["", *names]) + " "


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
