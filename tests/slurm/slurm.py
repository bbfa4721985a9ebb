"""A real Slurm of one node on this machine, for tests: started, used and stopped by one process.

    python -m tests.slurm.slurm COMMAND ...

runs a command beside it. Needs root and the packages of ``PACKAGES``. Everything it writes lies in a
directory of its own, except the configuration: steps of jobs look for it in /etc/slurm alone.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TextIO

PACKAGES = "slurmctld slurmd slurm-client munge slurm-wlm-basic-plugins"
DAEMONS = ("munged", "slurmctld", "slurmd")
CLIENTS = ("sbatch", "srun", "squeue", "scancel", "scontrol", "sinfo")
CONFIGURATION = Path("/etc/slurm")
FILES = ("slurm.conf", "gres.conf")
MARK = "# Written by dynparam's tests, which remove it when they end.\n"
MUNGE_FILES = ("socket", "key-file", "pid-file", "log-file", "seed-file")
NODE, CPU_PARTITION, GPU_PARTITION = "localhost", "cpu", "gpu"
PATIENCE_SECONDS = 60
LOCK = Path(tempfile.gettempdir()) / "dynparam-slurm.lock"
LOCK_SECONDS = 900  # other workers, other runs of the tests

SLURM_CONF = """\
ClusterName=dynparam
SlurmctldHost=localhost(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CryptoType=crypto/munge
AuthInfo=socket={directory}/munge.socket
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmctldPidFile={directory}/slurmctld.pid
SlurmdPidFile={directory}/slurmd.pid
StateSaveLocation={directory}/state
SlurmdSpoolDir={directory}/spool
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
MpiDefault=none
ReturnToService=2
MinJobAge=600
GresTypes=gpu
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1,sched_min_interval=100000
NodeName=localhost NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=256000 Gres=gpu:1 State=UNKNOWN
PartitionName={cpu} Nodes=localhost Default=YES MaxTime=INFINITE State=UP
PartitionName={gpu} Nodes=localhost MaxTime=INFINITE State=UP
"""
"""Cores and memory are declared, not enforced; the GPU is /dev/null."""


def obstacle() -> str | None:
    """Why no Slurm can be started here; ``None`` if one can."""
    if os.geteuid() != 0:
        return "starting Slurm's daemons needs root"
    missing = [name for name in (*DAEMONS, *CLIENTS) if _which(name) is None]
    if missing:
        return f"{', '.join(missing)} not installed (Debian: apt-get install {PACKAGES})"
    for found in (CONFIGURATION / name for name in FILES):
        if found.exists() and not found.read_text().startswith(MARK):
            return f"{found} belongs to another Slurm"
    return None


@dataclass(frozen=True)
class Slurm:
    """A running Slurm and the directory of its files."""

    directory: Path

    def ask(self, *command: str) -> str:
        """What a command of Slurm prints."""
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=True
        )
        return done.stdout

    def jobs(self) -> dict[str, dict[str, str]]:
        """All jobs of this Slurm, by id: the fields of ``scontrol show job``."""
        lines = self.ask("scontrol", "--oneliner", "show", "job").splitlines()
        records = [dict(part.partition("=")[::2] for part in line.split()) for line in lines]
        return {record["JobId"]: record for record in records if "JobId" in record}

    def cancel_all(self) -> None:
        """End all jobs; return when their steps have ended, or after ``PATIENCE_SECONDS``."""
        self.ask("scancel", "--user", "root")
        _wait_for(lambda: not self.ask("squeue", "--noheader").strip(), "jobs do not end")


@contextmanager
def running(cpus: int = 4) -> Iterator[Slurm]:
    """Slurm, as long as the block runs; one at a time on this machine."""
    with ExitStack() as stack:
        lock = stack.enter_context(LOCK.open("w"))
        _wait_for(lambda: _locked(lock), "another Slurm of these tests does not end", LOCK_SECONDS)
        directory = Path(tempfile.mkdtemp(prefix="dynparam-slurm-"))
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        _configure(stack, directory, cpus)
        try:
            _start_daemons(stack, directory)
        except TimeoutError as error:
            said = "\n".join(path.read_text()[-2000:] for path in directory.glob("*.out"))
            raise TimeoutError(f"{error}: {said}") from None
        slurm = Slurm(directory)
        stack.callback(slurm.cancel_all)
        yield slurm


def _start_daemons(stack: ExitStack, directory: Path) -> None:
    """One after the other, each when the one before it answers."""
    munge_options = [f"--{name}={directory}/munge.{name.split('-')[0]}" for name in MUNGE_FILES]
    _start(stack, directory, "munged", "--foreground", "--force", *munge_options)
    _wait_for((directory / "munge.socket").exists, "munged does not start")
    _start(stack, directory, "slurmctld", "-D")
    _wait_for(lambda: "UP" in _output("scontrol", "ping"), "slurmctld does not start")
    _start(stack, directory, "slurmd", "-D", "-N", NODE)
    state = ("sinfo", "--noheader", "--format=%T")
    _wait_for(lambda: "idle" in _output(*state), "slurmd does not start")


def _configure(stack: ExitStack, directory: Path, cpus: int) -> None:
    """Write what the daemons need, and have it removed at the end."""
    for name in ("state", "spool"):
        (directory / name).mkdir()
    key = directory / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    ports = _free_ports()
    text = SLURM_CONF.format(
        directory=directory,
        cpus=cpus,
        controller_port=ports[0],
        node_port=ports[1],
        cpu=CPU_PARTITION,
        gpu=GPU_PARTITION,
    )
    for name, content in zip(FILES, (text, "Name=gpu File=/dev/null\n"), strict=True):
        path = CONFIGURATION / name
        stack.callback(path.unlink, missing_ok=True)
        path.write_text(MARK + content)


def _start(stack: ExitStack, directory: Path, name: str, *arguments: str) -> None:
    """A daemon in the foreground of this process, which dies with it, come what may."""
    log = stack.enter_context((directory / f"{name}.out").open("wb"))
    program = str(_which(name))
    running = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", program, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
    )
    stack.callback(_stop, running)


def _stop(running: subprocess.Popen[bytes]) -> None:
    running.send_signal(signal.SIGTERM)
    try:
        running.wait(timeout=10)
    except subprocess.TimeoutExpired:
        running.kill()
        running.wait(timeout=10)


def _which(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def _free_ports() -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(2)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _output(*command: str) -> str:
    """What a command prints; nothing if it fails, as long as the daemons start."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10)
    except subprocess.TimeoutExpired:
        return ""
    return done.stdout


def _locked(lock: TextIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _wait_for(condition: Callable[[], bool], what: str, seconds: float = PATIENCE_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} within {seconds} s")
        time.sleep(0.2)


def _exit(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    reason = obstacle()
    if reason:
        sys.exit(f"no Slurm here: {reason}")
    signal.signal(signal.SIGTERM, _exit)
    with running():
        sys.exit(subprocess.run(sys.argv[1:]).returncode)
