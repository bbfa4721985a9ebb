"""The one server that processes of tests are forked from. It has imported what each would import.

Python keeps one such server in a process, which imports what the first that asks names: so there is one
list.
"""

import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(
    ["snakemake.cli", "tests.training_processes", "dynparam.cli.main", "dynparam.training.stages"]
)


def become(arguments: Sequence[str], place: Path | str, environment: Mapping[str, str]) -> None:
    """Let a fork find what a new process would: arguments, directory, environment, sources."""
    os.chdir(place)
    os.environ.clear()
    os.environ.update(environment)
    for name in [name for name in sys.modules if name.partition(".")[0] == "dynparam"]:
        del sys.modules[name]  # the server's, of other sources
    sys.path[:0] = environment["PYTHONPATH"].split(os.pathsep)
    sys.argv = list(arguments)
