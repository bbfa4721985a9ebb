"""Files made again from their inputs, in a place apart, and compared with those that are there.

Only commands that draw or tabulate finished results are run again, and only with the arguments that the
sidecar records: a sidecar cannot name another program, nor where to write.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path

from dynparam.provenance.record import versions
from dynparam.provenance.sidecars import Sidecar, is_inside
from dynparam.provenance.verification import Checked, Finding
from dynparam.support.files import sha256

DRAWING = ("matplotlib", "numpy", "pandas", "scipy")
"""Packages of which another version may draw other pixels, or round other digits."""

TIMEOUT_SECONDS = 300


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
        names = list(record.outputs)
        first = next((name for name in names if name.endswith(".png")), names[0])
        place = Path(scratch) / first
        done = subprocess.run(
            _arguments(record, place),
            cwd=root,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        if done.returncode:
            told = done.stderr.strip().splitlines()[-1:] or ["it failed"]
            yield Finding("made again", checked.name, "not compared", told[0])
            return
        for name in names:
            yield _compared(name, sidecar.parent / name, place.parent / name)


def _obstacle(checked: Checked, repeatable: Collection[tuple[str, ...]]) -> str | None:
    """Why nothing can be made again, ``None`` if it can."""
    record = checked.record
    if record is None or record.command is None:
        return "the command that made it is not recorded"
    if not any(tuple(record.command[1 : 1 + len(known)]) == known for known in repeatable):
        return f"dynparam {' '.join(record.command[1:2])} is not repeated here"
    if not record.outputs or not all(is_inside(name) and "/" not in name for name in record.outputs):
        return "its outputs do not lie beside one another"
    bad = [one.subject for one in checked.findings if one.kind == "input" and one.state != "agrees"]
    if bad:
        return f"{bad[0]} is not there as recorded"
    here = versions()
    others = [name for name in DRAWING if record.versions.get(name) != here.get(name)]
    if others:
        name = others[0]
        return f"drawn with {name} {record.versions.get(name)}, here is {here.get(name)}"
    return None


def _arguments(record: Sidecar, place: Path) -> list[str]:
    """The recorded command on the recorded configuration, writing to ``place``."""
    kept = []
    waiting = iter((record.command or [])[1:])
    for argument in waiting:
        if argument == "--output":
            next(waiting, None)
        elif not argument.startswith("--output="):
            kept.append(argument)
    return [
        sys.executable,
        "-m",
        "dynparam",
        *kept,
        "--config",
        json.dumps(record.config),
        "--output",
        str(place),
    ]


def _compared(name: str, old: Path, new: Path) -> Finding:
    if not old.is_file() or not new.is_file():
        return Finding("made again", name, "not compared", "there is none to compare with")
    if sha256(old) == sha256(new):
        return Finding("made again", name, "agrees", "byte for byte")
    if name.endswith(".png"):
        return _compared_pixels(name, old, new)
    return Finding("made again", name, "differs", "from what its inputs give")


def _compared_pixels(name: str, old: Path, new: Path) -> Finding:
    import numpy as np
    from PIL import Image

    try:
        with Image.open(old) as first, Image.open(new) as second:
            pictures = [np.asarray(picture.convert("RGBA")) for picture in (first, second)]
    except (OSError, SyntaxError, ValueError):
        return Finding("made again", name, "differs", "it is not a readable picture")
    if pictures[0].shape != pictures[1].shape:
        return Finding("made again", name, "differs", "the pictures have other sizes")
    count = int((pictures[0] != pictures[1]).any(axis=-1).sum())
    if count:
        return Finding("made again", name, "differs", f"{count} pixels of what its inputs give")
    return Finding("made again", name, "agrees", "every pixel, not every byte")
