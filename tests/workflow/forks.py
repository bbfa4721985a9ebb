"""Runs of ``snakemake`` as forks of one process that has imported it.

Its own imports take two seconds, which the tests would pay more than a hundred times. The workflow's are
made by each run anew, since every sandbox has sources of its own.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.fork_server import CONTEXT, become


def snakemake(
    root: Path, arguments: Sequence[str], environment: Mapping[str, str], seconds: float
) -> tuple[int, str, str]:
    """The exit code, standard output and standard error of ``snakemake`` in the directory ``root``.

    Raises ``TimeoutError`` if it takes longer than ``seconds``.
    """
    with TemporaryDirectory() as directory:
        files = [Path(directory, name) for name in ("stdout", "stderr")]
        run = CONTEXT.Process(target=_main, args=(root, list(arguments), dict(environment), files))
        run.start()
        run.join(seconds)
        if run.is_alive():
            run.kill()
            raise TimeoutError(f"snakemake {' '.join(arguments)}: longer than {seconds} seconds")
        output, errors = (file.read_text(encoding="utf-8") for file in files)
    assert run.exitcode is not None
    return run.exitcode, output, errors


def _main(root: Path, arguments: list[str], environment: dict[str, str], files: list[Path]) -> None:
    """What a new process would find: its directory, environment, arguments and open files."""
    for number, file in enumerate(files, start=1):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT), number)
    become(["snakemake", *arguments], root, environment)
    from snakemake.cli import main

    main()
