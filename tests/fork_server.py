"""The one server that processes of tests are forked from. It has imported what each would import.

Python keeps one such server in a process, which imports what the first that asks names: so there is one
list.
"""

import multiprocessing

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(
    ["snakemake.cli", "tests.training_processes", "dynparam.cli.main", "dynparam.training.stages"]
)
