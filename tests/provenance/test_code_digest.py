"""The code digests that decide which stages an edit repeats."""

import ast
import re
import shutil
import textwrap
from pathlib import Path

import pytest

from dynparam.provenance import code_digest
from dynparam.provenance.code_digest import PACKAGE, function_digest, module_digest
from dynparam.report.stages import STAGES

COMMANDS = (
    "extract_pair",
    "probe_alignment",
    "expect_slopes",
    "fit_slopes",
    "compare_slopes",
    "plot_figure",
    "plot_architecture",
)


@pytest.fixture
def package(tmp_path):
    copy = tmp_path / "dynparam"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def digests(package: Path) -> dict[str, str]:
    return {command: STAGES[command].digest(package) for command in COMMANDS}


def changed_by(package: Path, module: str, text: str) -> set[str]:
    """The commands whose digest changes when ``text`` is appended to a module."""
    before = digests(PACKAGE)  # A copy has the same, as the last tests of this file show.
    with (package / f"{module.replace('.', '/')}.py").open("a") as file:
        file.write(text)
    return {command for command, digest in digests(package).items() if digest != before[command]}


EDIT = "\nADDED = 1\n"


@pytest.mark.parametrize(
    ("module", "commands"),
    [
        ("experiments.alignments.page", {"compare_slopes"}),
        ("experiments.alignments.figure", {"plot_figure"}),
        ("engines.gaussian_columns", {"probe_alignment"}),
        ("engines.network", {"probe_alignment"}),
        ("data.download", set()),
        ("statistics.slopes", {"fit_slopes", "compare_slopes", "plot_figure"}),
        ("support.progress", set()),
        ("provenance.record", set()),
        ("configuration.config", set()),
    ],
)
def test_an_edit_touches_the_stages_that_use_it(package, module, commands):
    assert changed_by(package, module, EDIT) == commands


def test_a_shared_module_touches_all_its_users(package):
    touched = changed_by(package, "theory.parametrization", EDIT)
    assert {"probe_alignment", "expect_slopes"} <= touched
    assert not touched & {"extract_pair", "plot_architecture"}


@pytest.mark.parametrize("text", ["\n# a comment\n", '\n"""A string that documents."""\n', "\n\n\n"])
def test_words_and_spaces_touch_nothing(package, text):
    assert changed_by(package, "theory.parametrization", text) == set()


def test_an_edited_stage_touches_itself_alone(package):
    path = package / "experiments" / "alignments" / "stages.py"
    before = digests(package)
    source = path.read_text()
    changed = source.replace(
        "write_csv(one_step.measure_curve(", "write_csv(2 * one_step.measure_curve("
    )
    assert changed != source
    path.write_text(changed)
    after = digests(package)
    assert {c for c in COMMANDS if after[c] != before[c]} == {"probe_alignment"}


def test_library_versions_count(package, monkeypatch):
    before = digests(package)
    monkeypatch.setattr("importlib.metadata.version", lambda name: "0.0")
    code_digest._digests_of.cache_clear()  # A process keeps the versions that it found.
    after = digests(package)
    code_digest._digests_of.cache_clear()
    assert {c for c in COMMANDS if after[c] != before[c]} == set(COMMANDS)


# --- A small invented package -----------------------------------------------------------------------


def write(root: Path, files: dict[str, str]) -> Path:
    """A package ``p`` of these modules, by their names from inside it."""
    package = root / "p"
    shutil.rmtree(package, ignore_errors=True)
    for name, text in {"__init__": "", **files}.items():
        path = package.joinpath(*name.split(".")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    return package


@pytest.fixture
def of(tmp_path):
    """The digest of a module, or of a function with ``module:function``, of an invented package."""

    def digest(files: dict[str, str], what: str = "main") -> str:
        module, _, function = what.partition(":")
        package = write(tmp_path, files)
        return function_digest(module, function, package) if function else module_digest(module, package)

    return digest


A = "def f(x):\n    return x + 1\n"
B = "def f(x):\n    return x + 2\n"
PLAIN = "from p.a import f\ndef main(x): return f(x)\n"
DOTTED = "from p import a\ndef main(x): return a.f(x)\n"


@pytest.mark.parametrize("text", ["", "import numpy\n", A])
def test_a_digest_is_short_and_hexadecimal(of, text):
    assert re.fullmatch("[0-9a-f]{16}", of({"main": text}))


@pytest.mark.parametrize("what", ["main", "main:main"])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (PLAIN, "from p.far.b import f\ndef main(x): return f(x)\n"),
        (DOTTED, "from p.far import b\ndef main(x): return b.f(x)\n"),
        (
            "import p.a as c\ndef main(x): return c.f(x)",
            "import p.far.b as c\ndef main(x): return c.f(x)",
        ),
        (
            "def main(x):\n    from p import a\n    return a.f(x)",
            "def main(x):\n    from p.far import b\n    return b.f(x)",
        ),
    ],
)  # fmt: skip
def test_a_module_that_is_moved_and_renamed_changes_nothing(of, what, before, after):
    if "def main" not in before:
        what = "main"
    there = of({"a": A, "main": before}, what)
    assert of({"far.__init__": '"""Far."""', "far.b": A, "main": after}, what) == there
    assert of({"far.__init__": '"""Far."""', "far.b": B, "main": after}, what) != there


def test_a_module_that_is_moved_keeps_its_own_digest(of):
    user = {"a": A, "x": PLAIN}
    assert of(user, "x") == of({"a": A, "far.__init__": "", "far.y": PLAIN}, "far.y")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from p.a import f\nfrom p.b import g\n", "from p.b import g\nfrom p.a import f\n"),
        ("from p.a import f, h\n", "from p.a import h\nfrom p.a import f\n"),
        ("import json\nfrom p import a\n", "from p import a\n\n\nimport json\n"),
        (
            "from p.a import f\n",
            "from typing import TYPE_CHECKING\nfrom p.a import f\n"
            "if TYPE_CHECKING:\n    from p.b import T\n",
        ),
    ],
)
def test_what_changes_nothing_about_imports(of, before, after):
    """Their order, whether they are merged, and those that only a type checker follows."""
    others = {"a": A, "b": B}
    assert of({**others, "main": before}) == of({**others, "main": after})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (PLAIN, PLAIN.replace("p.a", "p.b")),
        (DOTTED, DOTTED.replace("import a", "import b as a")),
        (DOTTED, DOTTED.replace("import a", "import b").replace("a.f", "b.f")),
        ("from .a import f", "from .b import f"),
        ("import p.a as c\nX = c.f", "import p.b as c\nX = c.f"),
        ("import p.a, p.b\nX = p.a.f", "import p.a, p.b\nX = p.b.f"),
        ("from p import a as c, b as d\nX = c.f", "from p import b as c, a as d\nX = c.f"),
        ("from p.a import f as g\nX = g", "from p.a import h as g\nX = g"),
        ("from json import dumps\nX = dumps", "from pickle import dumps\nX = dumps"),
        # Each function has its own import under the same name.
        (
            "def x():\n    from p.a import f\n    f()\ndef y():\n    from p.b import f\n    f()",
            "def x():\n    from p.b import f\n    f()\ndef y():\n    from p.a import f\n    f()",
        ),
        (
            "def x():\n  from p import a as m\n  m.f()\ndef y():\n  from p import b as m\n  m.f()",
            "def x():\n  from p import b as m\n  m.f()\ndef y():\n  from p import a as m\n  m.f()",
        ),
        (
            "if X:\n  from p.a import f\nelse:\n  from p.b import f",
            "if X:\n  from p.b import f\nelse:\n  from p.a import f",
        ),
        (
            "try:\n  from p.a import f\nexcept ImportError:\n  f = 1",
            "try:\n  from p.b import f\nexcept ImportError:\n  f = 1",
        ),
        (
            "class C:\n  from p.a import f\n  from p.b import f as g",
            "class C:\n  from p.b import f\n  from p.a import f as g",
        ),
        # What another module may take from here.
        ("from p.a import f as x, h as y", "from p.a import f as y, h as x"),
        # A builtin, and a function of that name.
        (
            "def x():\n    from p.a import max\ndef y(): return max",
            "from p.a import max\ndef y(): return max",
        ),
        ("from p.a import *", "from p.b import *"),
    ],
)  # fmt: skip
def test_an_import_of_other_code_under_the_same_name_changes_it(of, before, after):
    others = {"a": A + "h = 1", "b": B + "h = 1"}
    assert of({**others, "main": before}) != of({**others, "main": after})


CHAIN = {
    "base": "SIZE = 1",
    "left": "from p.base import SIZE\nL = SIZE",
    "right": "from p import base\nR = base.SIZE",
    "main": "from p.left import L\nfrom p.right import R\nX = L + R",
    "alone": "Y = 1",
}
"""A diamond, and a module apart."""


@pytest.mark.parametrize(
    ("edited", "touched"),
    [
        ("base", {"base", "left", "right", "main"}),
        ("left", {"left", "main"}),
        ("right", {"right", "main"}),
        ("main", {"main"}),
        ("alone", {"alone"}),
    ],
)
def test_a_changed_line_changes_all_that_reach_it_and_nothing_else(of, edited, touched):
    after = {**CHAIN, edited: CHAIN[edited] + "\nMORE = 1"}
    assert {name for name in CHAIN if of(CHAIN, name) != of(after, name)} == touched


def test_a_circle_of_imports_is_told(of):
    with pytest.raises(ValueError, match="a imports b imports a: a circle of imports; break it"):
        of({"a": "from p.b import f\nX = f", "b": "from p.a import X\ndef f(): return X"}, "a")


DOCUMENTED = """
    {0}
    X = 1
    {0}
    def f(x):
        {0}
        return x
    class C:
        {0}
        size: int = 1
        {0}
        def method(self):
            {0}
            def inner():
                {0}
                return 1
            return inner
    async def g():
        {0}
        return 1
    """


def test_the_text_of_a_statement_is_that_of_its_tree_without_what_is_passed_over():
    """Against ``ast.dump`` of each module's tree, from which another walk has taken the same away."""
    compared = 0
    for path in sorted((PACKAGE / "training").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        kept = [node for node in tree.body if not code_digest._never_runs(node)]
        everything = [list(ast.walk(node)) for node in kept]
        found = code_digest._statements(path.read_text(encoding="utf-8"))
        for node, inside, statement in zip(kept, everything, found, strict=True):
            assert statement.uses == {one.id for one in inside if isinstance(one, ast.Name)}
            imports = [one for one in inside if is_import(one)]
            assert sorted(map(ast.dump, statement.imports)) == sorted(map(ast.dump, imports))
            if not is_import(node):
                assert statement.code == ast.dump(WithoutWords().visit(node))
                compared += 1
    assert compared > 250


class WithoutWords(ast.NodeTransformer):
    """Takes imports and lone strings out of the body of every statement."""

    def generic_visit(self, node):
        super().generic_visit(node)
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [one for one in body if not is_import(one) and not is_lone_string(one)]
        return node


def is_import(node):
    return isinstance(node, (ast.Import, ast.ImportFrom))


def is_lone_string(node):
    value = getattr(node, "value", None) if isinstance(node, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def test_docstrings_change_nothing(of):
    assert of({"main": DOCUMENTED.format("'Words.'")}) == of({"main": DOCUMENTED.format("'Others.'")})


def test_a_module_and_a_symbol_of_the_same_name(of):
    files = {"orders": "def orders(): return 1", "main": "from p.orders import orders\nX = orders()"}
    assert of(files) != of({**files, "orders": "def orders(): return 2"})
    module = {**files, "main": "from p import orders\nX = orders.orders()"}
    assert of(module) != of({**module, "orders": "def orders(): return 2"})
    assert of(files) != of({**files, "main": "from p.orders import orders\nX = orders"})


@pytest.mark.parametrize("line", ["import numpy as np", "from numpy import ones", "import numpy.linalg"])
def test_versions_count_where_a_library_is_imported(of, monkeypatch, line):
    files = {"a": line, "main": "from p import a", "b": "import json"}
    before = {name: of(files, name) for name in files}
    monkeypatch.setattr("importlib.metadata.version", lambda name: "0.0")
    code_digest._digests_of.cache_clear()
    touched = {name for name in files if of(files, name) != before[name]}
    code_digest._digests_of.cache_clear()
    assert touched == {"a", "main"}


@pytest.mark.parametrize(
    "name",
    ["q.settings.measure", "q.settings_of", "q.errors", "support.errors.more", "configuration.jobs"],
)
def test_names_that_are_only_alike_are_not_neutral(of, name):
    files = {name: "X = 1", "main": f"from p.{name} import X\nY = X"}
    assert not code_digest.is_neutral(name)
    assert of(files) != of({**files, name: "X = 2"})


@pytest.mark.parametrize("name", ["settings.widths", "q.settings", "support.errors"])
def test_neutral_modules_change_nothing(of, name):
    files = {name: "X = 1", "main": f"from p.{name} import X\nY = X"}
    assert code_digest.is_neutral(name)
    assert of(files) == of({**files, name: "X = 2\nimport torch"})
    assert of(files) != of({**files, "main": f"from p.{name} import Z\nY = Z"})


# --- What one function uses ---------------------------------------------------------------------------


MODULE = """
    from p.other import helped
    SIZE = 1
    BIG, SMALL = 2, 3
    OTHER = 4
    COUNT = 0
    COUNT += 5
    if SIZE:
        FLAG = 6
    try:
        import tomllib as toml
    except ImportError:
        toml = 7
    class Box:
        side = 8
        def area(self, SIZE=9):
            return SIZE
    class Crate(Box):
        depth = 10
    def helper(x):
        return x + SIZE
    def unused(x):
        return helped(x) + OTHER + 11
    def decorator(function):
        return lambda *inner: 12
    @decorator
    def decorated():
        return 13
    def main(x):
        return helper(x) + BIG
    def boxes():
        return Crate(), decorated()
    """
OTHERS = {"other": "def helped(x): return x"}


@pytest.mark.parametrize(
    ("function", "counting"),
    [
        ("main", {"2, 3", "x + SIZE"}),
        ("boxes", {"side = 8", "SIZE=9", "depth = 10", "12", "return 13"}),
        ("helper", {"x + SIZE"}),
        ("unused", {"OTHER = 4", "+ 11"}),
    ],
)
def test_what_a_function_uses_counts_and_nothing_else(of, function, counting):
    """What stands at the top without giving something to a name counts always: it may patch anything."""
    always = {"SIZE = 1", "= 0", "+= 5", "FLAG = 6", "toml = 7"}
    before = of({**OTHERS, "main": MODULE}, f"main:{function}")
    pieces = [
        "SIZE = 1", "2, 3", "OTHER = 4", "= 0", "+= 5", "FLAG = 6", "toml = 7", "side = 8", "SIZE=9",
        "depth = 10", "x + SIZE", "+ 11", "12", "return 13",
    ]  # fmt: skip
    touched = set()
    for piece in pieces:
        assert MODULE.count(piece) == 1, piece
        after = MODULE.replace(piece, re.sub(r"\w+$", "99", piece))
        if of({**OTHERS, "main": after}, f"main:{function}") != before:
            touched.add(piece)
    assert touched == counting | always


@pytest.mark.parametrize(("function", "is_touched"), [("unused", True), ("main", False)])
def test_an_import_counts_for_the_functions_that_use_it(of, function, is_touched):
    before = of({**OTHERS, "main": MODULE}, f"main:{function}")
    other = {**OTHERS, "other": "def helped(x): return x + 1"}
    assert (of({**other, "main": MODULE}, f"main:{function}") != before) == is_touched


@pytest.mark.parametrize(
    "patch",
    [
        "f.size = 2",
        "setup(2)",
        "for name in NAMES:\n    TABLE[name] = 2",
        "import p.effect",
        "from p.effect import *",
        "if X:\n    def f(): return 2",
        "with a() as f:\n    pass",
        "del f",
    ],
)
def test_a_patch_at_the_top_of_a_module_counts(of, patch):
    files = {"effect": "X = 1", "main": "def f(): return 1\n"}
    assert of(files, "main:f") != of({**files, "main": files["main"] + patch}, "main:f")
    if "effect" in patch:
        after = {"effect": "X = 2", "main": files["main"] + patch}
        assert of({**after, "effect": "X = 1"}, "main:f") != of(after, "main:f")


@pytest.mark.parametrize(
    "code",
    [
        "def f(): return a.X",
        "def f(): return [x for x in a.X]",
        "def f(): return [a for a in a.X]",
        "def f(): return lambda x: a.X",
        "def f():\n    def g(): return a.X\n    return g",
        "def f():\n    def g():\n        a = 1\n    return a.X",
        "def f():\n    global a\n    return a.X",
        "def f(x=a.X): return x",
        "def f(x: a.X): return x",
        "def f():\n    class C:\n        a = 1\n        def g(self): return a.X\n    return C",
        "def f():\n    class C:\n        a = a.X\n    return C",
    ],
)
def test_a_use_counts_wherever_it_stands(of, code):
    code = f"from p import a\ndef other(): return a.X\n{code}\n"
    before = of({"a": "X = 1", "main": code}, "main:f")
    assert of({"a": "X = 2", "main": code}, "main:f") != before


def test_templates_count_with_the_module_that_names_them(of, tmp_path):
    files = {"main": "def f(): return 'page.html.j2'\ndef g(): return 'none.j2'"}
    of(files)
    folder = tmp_path / "p"
    (folder / "page.html.j2").write_text("{% include 'look.css' %}")

    def digests():
        return [function_digest("main", name, folder) for name in ("f", "g")]

    def after(name, text):
        (folder / name).write_text(text)
        return digests()

    before = digests()
    assert [one != two for one, two in zip(before, after("look.css", "p {}"), strict=True)] == [
        True,
        False,
    ]
    before = digests()
    assert after("other.css", "p {}") == before
    assert after("page.html.j2", "{% include 'look.css' %}.")[0] != before[0]


@pytest.mark.parametrize("name", ["nothing", "SIZE", "Box"])
def test_no_such_function(of, name):
    with pytest.raises(ValueError, match=f"no function '{name}'"):
        of({**OTHERS, "main": MODULE}, f"main:{name}")


def test_no_such_module(of):
    with pytest.raises(ValueError, match="p has no module 'nothing'"):
        of({"main": ""}, "nothing")


# --- A copy of the real package ---------------------------------------------------------------------


MODULES = ("trials.one_step", "training.runs", "models.coordinate_check", "report.page", "data.pairs")


@pytest.mark.parametrize(
    ("old", "new", "module"),
    [
        ("theory.parametrization", "support.scaling", "trials.one_step"),
        ("training.checkpoints", "support.saved", "training.runs"),
    ],
)
def test_a_module_of_the_real_package_moves_without_a_trace(package, old, new, module):
    before = {name: module_digest(name, package) for name in MODULES}
    assert before == {name: module_digest(f"dynparam.{name}") for name in MODULES}
    places = [package.joinpath(*name.split(".")).with_suffix(".py") for name in (old, new)]
    places[0].rename(places[1])
    (old_wing, old_name), (new_wing, new_name) = old.split("."), new.split(".")
    for path in package.rglob("*.py"):
        text = path.read_text().replace(f"dynparam.{old} ", f"dynparam.{new} ")
        if f"from dynparam.{old_wing} import {old_name}\n" in text:
            text = text.replace(
                f"dynparam.{old_wing} import {old_name}\n", f"dynparam.{new_wing} import {new_name}\n"
            )
            text = re.sub(rf"(?<![\w.]){old_name}\.", f"{new_name}.", text)
        path.write_text(text)
    assert {name: module_digest(name, package) for name in MODULES} == before
    with places[1].open("a") as file:
        file.write("ADDED = 1\n")
    assert module_digest(module, package) != before[module]


def test_many_digests_read_each_module_once(package, monkeypatch):
    functions = [
        (f"{path.parent.name}.{path.stem}", name)
        for wing in ("theory", "engines", "statistics", "models")
        for path in sorted((package / wing).glob("*.py"))
        for name in re.findall(r"^def (\w+)", path.read_text(), re.MULTILINE)
    ][:40]
    assert len(functions) == 40
    parse, parsed = ast.parse, []
    monkeypatch.setattr(ast, "parse", lambda text: parsed.append(text) or parse(text))
    code_digest._statements.cache_clear()
    assert len({function_digest(module, name, package) for module, name in functions}) > 35
    assert len(parsed) == len(set(parsed)) > 5
