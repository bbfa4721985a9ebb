"""Files made again from their inputs, in a place apart, and compared with those that are there.

Only commands that draw or tabulate finished results are run again, and only with the arguments that the
sidecar records: a sidecar cannot name another program, nor where to write, nor what to read besides its
inputs. The program runs in a directory of its own, which holds copies of the inputs and their sidecars,
and imports only what this process does: nothing in the verified directory is run.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from dynparam.provenance.pictures import same_pixels
from dynparam.provenance.reading import sha256
from dynparam.provenance.record import versions
from dynparam.provenance.sidecars import Sidecar, Sidecars, is_inside
from dynparam.provenance.verification import Checked, Finding
from dynparam.settings.reading import ONLY
from dynparam.support.regular_files import RefusedError, opened, refusal

DRAWING = ("matplotlib", "numpy", "pandas", "scipy")
"""Packages of which another version may draw other pixels, or round other digits."""

TIMEOUT_SECONDS = 300

MAX_COMMAND_BYTES = 64 * 1024
"""Longest command line, and longest configuration, that is run again."""

MAX_INPUT_BYTES = 1024 * 2**20
"""Most that the inputs of one command hold together, which are copied."""

LIBRARY = Path(__file__).parents[2]
"""The directory that this library is imported from."""

START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv.pop(1)); sys.argv[0] = 'dynparam'; "
    "from dynparam.cli.main import main; main()"
)

PROGRAM = (sys.executable, "-I", "-c", START)
"""The program; its first argument says where it imports from.

Isolated: no module of the working directory, no variable PYTHON*, no start-up file of the user.
"""


def make_again(checked: Checked, repeatable: Collection[tuple[str, ...]]) -> Iterator[Finding]:
    """Make the files of a checked sidecar again and compare them, to the last byte and pixel.

    ``repeatable`` are the commands that take seconds and give the same bytes from the same inputs.
    Nothing is compared, and the finding says why, if an input is not there or differs, if the record
    names no command that can be repeated, or if the packages that draw have other versions here.
    """
    obstacle = _obstacle(checked, repeatable)
    record, sidecar, root = checked.record, checked.path, checked.root
    if obstacle is not None or record is None or sidecar is None or root is None:
        yield Finding("made again", checked.name, "not compared", obstacle or "there is no record")
        return
    with tempfile.TemporaryDirectory(prefix="dynparam-") as scratch:
        made, here = Path(scratch, "made"), Path(scratch, "run")
        names = list(record.outputs)
        first = next((name for name in names if name.endswith(".png")), names[0])
        failure = _copied(checked, here) or _run(record, made / first, here, root)
        if failure is not None:
            yield Finding("made again", checked.name, "not compared", failure)
            return
        for name in names:
            yield _compared(name, sidecar.parent / name, made / name, root)


def _obstacle(checked: Checked, repeatable: Collection[tuple[str, ...]]) -> str | None:
    """Why nothing can be made again, ``None`` if it can."""
    record = checked.record
    if record is None or record.command is None:
        return "the command that made it is not recorded"
    if not any(tuple(record.command[1 : 1 + len(known)]) == known for known in repeatable):
        return f"dynparam {' '.join(record.command[1:2])} is not repeated here"
    if not record.outputs or not all(is_inside(name) and "/" not in name for name in record.outputs):
        return "its outputs do not lie beside one another"
    if not _is_harmless(_kept(record.command), record.config):
        return "its command is none of this program's, or names a file outside of the run's directory"
    bad = [one.subject for one in checked.findings if one.kind == "input" and one.state != "agrees"]
    if bad:
        return f"{bad[0]} is not there as recorded"
    here = versions()
    others = [name for name in DRAWING if record.versions.get(name) != here.get(name)]
    if others:
        name = others[0]
        return f"drawn with {name} {record.versions.get(name)}, here is {here.get(name)}"
    return None


def _is_harmless(command: list[str], config: Mapping[str, Any]) -> bool:
    """Whether arguments and a configuration are of a size to be run, and name no path that leads out."""
    texts = [*command, json.dumps(config)]
    if max(len(text) for text in texts) > MAX_COMMAND_BYTES or len(command) > 100:
        return False
    values = [argument.partition("=")[2] or argument for argument in command]
    return all(text.isprintable() for text in command) and not any(
        _leads_out(text) for text in (*command, *values, *_texts(config))
    )


def _leads_out(text: str) -> bool:
    path = PurePosixPath(text)
    return path.is_absolute() or ".." in path.parts


def _texts(values: Any) -> Iterator[str]:
    """All text in the values of a configuration."""
    if isinstance(values, Mapping):
        values = list(values.values())
    if isinstance(values, list):
        for one in values:
            yield from _texts(one)
    elif isinstance(values, str):
        yield values


def _copied(checked: Checked, here: Path) -> str | None:
    """Copy the inputs of a record, and their sidecars, to their places from ``here`` on.

    Returns why not, if that fails. Some stages read in the sidecars of tables what the tables hold.
    """
    if sum(path.stat().st_size for path in checked.inputs.values()) > MAX_INPUT_BYTES:
        return f"its inputs are larger than {MAX_INPUT_BYTES // 2**20} MiB"
    here.mkdir()
    sidecars = Sidecars()
    for key, path in checked.inputs.items():
        place = here / key
        try:
            _copy(path, place)
            if checked.record is None or sha256(place) != checked.record.inputs[key]:
                return f"{key} is not there as recorded"
            sidecar = sidecars.find(path, checked.root)
            if sidecar is not None and sidecar.parent == path.parent:
                _copy(sidecar, place.with_name(sidecar.name))
        except OSError as error:
            return f"{key} cannot be copied ({error.strerror})"
    return None


def _copy(path: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    with opened(path) as source, place.open("wb") as copy:
        shutil.copyfileobj(source, copy)


def _run(record: Sidecar, output: Path, here: Path, root: Path) -> str | None:
    """Run a recorded command in the directory ``here``; why it failed, if it did."""
    try:
        done = subprocess.run(
            [*PROGRAM, json.dumps(_imported_from(root)), *_arguments(record, output)],
            cwd=here,
            env=_environment(root),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"it takes more than {TIMEOUT_SECONDS} seconds"
    except OSError as error:
        return f"it cannot be started ({error.strerror})"
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["it failed"])[-1]
    return None


def _arguments(record: Sidecar, output: Path) -> list[str]:
    """The recorded command on the recorded configuration, writing to ``output``."""
    kept = _kept(record.command or [])
    return [*kept, "--config", f"{ONLY}{json.dumps(record.config)}", "--output", str(output)]


def _kept(command: list[str]) -> list[str]:
    """The arguments of a command without program, configuration and output."""
    kept = []
    waiting = iter(command[1:])
    for argument in waiting:
        if argument in ("--output", "--config"):
            next(waiting, None)
        elif not argument.startswith(("--output=", "--config=")):
            kept.append(argument)
    return kept


def _imported_from(root: Path) -> list[str]:
    """Where this process imports from, but for what lies in the verified directory.

    This library and the interpreter's own packages are imported even from there: a checkout may verify
    itself, with its environment in it.
    """
    paths = sysconfig.get_paths()
    own = [Path(paths[name]) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    return [
        entry
        for entry in sys.path
        if Path(entry).is_absolute()
        and (
            not _lies_in(entry, root)
            or Path(entry).resolve() == LIBRARY.resolve()
            or any(_lies_in(entry, place) for place in own)
        )
    ] + [str(LIBRARY)]


def _environment(root: Path) -> dict[str, str]:
    """The environment of this process without what leads Python, or anything, into ``root``."""
    found = {}
    for name, value in os.environ.items():
        parts = value.split(os.pathsep)
        kept = [part for part in parts if not (Path(part).is_absolute() and _lies_in(part, root))]
        if kept and not name.startswith("PYTHON"):
            found[name] = os.pathsep.join(kept)
    return found


def _lies_in(path: str, directory: Path) -> bool:
    try:
        return Path(path).resolve().is_relative_to(directory.resolve())
    except (OSError, RuntimeError, ValueError):
        return False


def _compared(name: str, old: Path, new: Path, root: Path) -> Finding:
    if not old.is_file() or not new.is_file() or refusal(old, root) is not None:
        return Finding("made again", name, "not compared", "there is none to compare with")
    try:
        if sha256(old) == sha256(new):
            return Finding("made again", name, "agrees", "byte for byte")
    except RefusedError as error:
        return Finding("made again", name, "differs", str(error))
    except OSError as error:
        return Finding("made again", name, "not compared", f"cannot be read ({error.strerror})")
    if name.endswith(".png"):
        same, note = same_pixels(old, new)
        return Finding("made again", name, "agrees" if same else "differs", note)
    return Finding("made again", name, "differs", "from what its inputs give")
