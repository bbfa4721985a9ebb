"""Peak memory of a piece of code, measured in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

START = """
from pathlib import Path

def status(key):
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(key))

class Grown:
    '''``with Grown() as grown: ...``: by how many bytes the peak exceeded what was held before.'''

    def __enter__(self):
        Path("/proc/self/clear_refs").write_text("5")  # VmHWM is VmRSS again
        self.before = status("VmRSS")
        return self

    def __exit__(self, *error):
        self.bytes = status("VmHWM") - self.before
"""

# glibc by default moves the size above which freed memory goes back to the system, so that the same
# program's peak differs by a third from run to run.
EVERY_BLOCK_GOES_BACK = {"MALLOC_MMAP_THRESHOLD_": "65536"}

needs_proc = pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux's /proc")


def printed(program: str, *arguments: str) -> str:
    """What ``program`` prints, run after ``START`` in a new interpreter at the repository's root."""
    command = [sys.executable, "-c", START + program, *arguments]
    environment = {**os.environ, **EVERY_BLOCK_GOES_BACK}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout
