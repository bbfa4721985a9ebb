"""``dynparam`` as forks of one process that has imported what every command would import.

A run of the workflow starts hundreds of commands, and each would spend two seconds on torch alone.
``directory`` has a program of that name to put in front of ``PATH``: it hands its arguments, directory,
environment and open files to a server, whose fork is the command. The package's own modules are imported
by each fork anew, since every sandbox has sources of its own.

The forks are no children of whoever called, so that this is not for tests that kill processes.
"""

import atexit
import contextlib
import json
import os
import signal
import socket
import sys
import traceback
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from tests.fork_server import CONTEXT, become

CLIENT = """#!{python} -IS
import json, os, socket, sys

with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    socket.send_fds(server, [b"."], [0, 1, 2])
    asked = {{"arguments": sys.argv, "directory": os.getcwd(), "environment": dict(os.environ)}}
    server.sendall(json.dumps(asked).encode())
    server.shutdown(socket.SHUT_WR)
    code = server.recv(1)
sys.exit(code[0] if code else "dynparam: killed")
"""

BEFOREHAND = (
    "jinja2",
    "matplotlib.pyplot",
    "pandas",
    "psutil",
    "pydantic",
    "rich.progress",
    "scipy.integrate",
    "scipy.optimize",
    "scipy.stats",
    "tabulate",
    "torch",
    "typer",
    "yaml",
)
"""What commands import of others."""


@cache
def directory() -> Path:
    """The folder with the program; the server runs as long as this process."""
    place = Path(mkdtemp(prefix="dynparam-"))
    address, program = str(place / "socket"), place / "dynparam"
    program.write_text(CLIENT.format(python=sys.executable, address=address), encoding="utf-8")
    program.chmod(0o755)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(address)
    listening.listen(128)
    CONTEXT.Process(target=_serve, args=(listening,), daemon=True).start()
    listening.close()
    return place


def _serve(listening: socket.socket) -> None:
    for name in BEFOREHAND:
        __import__(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # so that no fork has to be waited for
    while True:
        asking, _ = listening.accept()
        if os.fork() == 0:
            listening.close()
            _answer(asking)
        asking.close()


def _answer(asking: socket.socket) -> None:
    """Be the command that is asked for, and end with its exit code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, files, _, _ = socket.recv_fds(asking, 1, 3)
    asked = json.loads(b"".join(iter(lambda: asking.recv(2**16), b"")))
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    code = 1
    try:
        code = _run(asked["arguments"], asked["directory"], asked["environment"])
    except BaseException:  # whatever it is, the command ends with it
        traceback.print_exc()
    finally:
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):
                stream.flush()
        asking.send(bytes([code]))
        os._exit(code)


def _run(arguments: list[str], place: str, environment: dict[str, str]) -> int:
    become(arguments, place, environment)
    from dynparam.cli.main import main

    try:
        main()
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
            return 1
        return end.code or 0
    return 0
