"""The scopes of Python, and what each name in them refers to: an import, or something else.

Filled while a module is read (``statements.py``). A name may be bound after it is read, so that what it
refers to is known when its scope closes.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import NamedTuple


class Reference(NamedTuple):
    """What a name refers to.

    Attributes:
        module: the dotted name of a module, or a library.
        name: a name in it; ``""`` for the module itself, ``"*"`` for all that a package holds.
    """

    module: str
    name: str = ""


Part = str | tuple[str, Reference, str]
"""A piece of a statement's text; a reference stands between two of them."""


class Use(NamedTuple):
    """A name that is read, with the attributes that follow: ``a.b.c``."""

    owner: Draft
    place: int
    name: str
    attributes: tuple[str, ...]
    is_hook: bool
    prefix: str = ""


class Site(NamedTuple):
    """A name of an import: ``loads`` is the module that it runs, ``binds`` what the name means."""

    owner: Draft
    place: int
    loads: Reference
    binds: Reference
    bound: str


@dataclass
class Scope:
    """Names of a module, class, function or comprehension; ``None`` is anything but an import."""

    kind: str
    bindings: dict[str, set[Reference | None]] = field(default_factory=dict)
    uses: list[Use] = field(default_factory=list)
    sites: list[Site] = field(default_factory=list)
    elsewhere: dict[str, bool] = field(default_factory=dict)
    """Names declared global (true) or nonlocal (false)."""

    def bind(self, name: str, reference: Reference | None = None) -> None:
        """Something is given to a name."""
        self.bindings.setdefault(name, set()).add(reference)

    def clear(self, name: str) -> Reference | None:
        """The one thing that an import gives the name to, if nothing else ever does."""
        found = self.bindings.get(name, set())
        return next(iter(found)) if len(found) == 1 else None


@dataclass(eq=False)
class Draft:
    """A statement that is being read."""

    node: ast.stmt
    parts: list[Part] = field(default_factory=list)
    defines: set[str] = field(default_factory=set)
    uses: set[str] = field(default_factory=set)
    hooks: set[str] = field(default_factory=set)
    imported: list[tuple[Reference, str, str]] = field(default_factory=list)


class Scopes:
    """The scopes that are open while a module is read, the module's own first."""

    def __init__(self, known: frozenset[str], packages: frozenset[str]) -> None:
        """Take the dotted names of one's own modules, and of the packages among them."""
        self._known = known
        self._packages = packages
        self._open = [Scope("module")]

    @property
    def inner(self) -> Scope:
        """The scope that is being read."""
        return self._open[-1]

    def open(self, kind: str) -> None:
        """Enter a class, function or comprehension."""
        self._open.append(Scope(kind))

    def bind(self, name: str, draft: Draft, reference: Reference | None = None) -> None:
        """A statement gives something to a name of the inner scope: an import, or anything else."""
        self.inner.bind(name, reference)
        if len(self._open) == 1:
            draft.defines.add(name)

    def bind_around_comprehensions(self, name: str, draft: Draft) -> None:
        """The name of a ``:=`` belongs to the function around a comprehension."""
        inner = []
        while self.inner.kind == "comprehension":
            inner.append(self._open.pop())
        self.bind(name, draft)
        self._open.extend(reversed(inner))

    def close(self, draft: Draft) -> None:
        """Leave the inner scope: what its names refer to is known now."""
        scope = self._open.pop()
        # A name is looked for next in the scope around, but for those of classes.
        outside = next((one for one in reversed(self._open) if one.kind != "class"), None)
        for name, is_global in scope.elsewhere.items():
            self._hand_over(scope, name, self._open[0] if is_global else outside, draft)
        for site in scope.sites:
            self._settle_import(scope, site)
        for use in scope.uses:
            self._settle_use(scope, use, outside)

    def _hand_over(self, scope: Scope, name: str, target: Scope | None, draft: Draft) -> None:
        """A name declared global or nonlocal belongs to another scope."""
        if target is None:
            return
        if scope.bindings.pop(name, None) is not None:
            target.bind(name)
            if target.kind == "module":
                draft.defines.add(name)
        target.uses += [use for use in scope.uses if use.name == name]
        scope.uses = [use for use in scope.uses if use.name != name]

    def _settle_import(self, scope: Scope, site: Site) -> None:
        owner, bound = site.owner, site.bound
        if scope.kind == "class" or scope.clear(bound) is None or bound == "*":
            owner.parts[site.place] = (f"import {bound!r} ", site.loads, "")
            return
        at_top = scope.kind == "module"
        plain = site.binds.name or site.binds.module.rpartition(".")[2]
        alias = bound if at_top and bound != plain else ""
        owner.imported.append((site.loads, alias, bound if at_top else ""))

    def _settle_use(self, scope: Scope, use: Use, outside: Scope | None) -> None:
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

    def _meaning(self, use: Use, reference: Reference | None) -> Part:
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
