"""Runs in processes of their own, each of which may be killed, with all that it started.

A server imports once, then runs the experiment in one child after another, into the folder that a
line on its stdin names, in one of the ``WAYS``.
"""

import contextlib
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from mer_keras.runs.folder import RunFolder
from tests.runs.small import SMALL, TABLE1, units

#: Who computes: this process, two others, or a cluster of this machine.
WAYS = ("alone", "workers", "cluster")

SERVER = """
import contextlib, os, pathlib, sys
import keras, tensorflow
from mer_keras.config.files import load_config
from mer_keras.errors import MerKerasError
from mer_keras.runs.processes import ProcessExecutor
from mer_keras.runs.ray_cluster import RayExecutor, joined
from mer_keras.runs.run import run_experiment
way = sys.argv[1]
config = load_config(pathlib.Path(sys.argv[2]), profile="quick", overrides=sys.argv[3:])

@contextlib.contextmanager
def executor():
    if way == "cluster":
        with joined("local", cores=2) as cluster:
            yield RayExecutor(cluster)
    else:
        yield ProcessExecutor(2) if way == "workers" else None

print("ready", flush=True)
for line in sys.stdin:
    child = os.fork()
    if not child:
        os.environ["MER_RESULTS"] = line.strip()
        try:
            with executor() as chosen:
                run_experiment(config, profile="quick", data="real", executor=chosen)
        except MerKerasError as error:
            print(error, file=sys.stderr)
            os._exit(error.exit_code)
        except BaseException as error:
            print(type(error).__name__, error, file=sys.stderr)
            os._exit(1)
        os._exit(0)
    print(child, flush=True)
    print(os.waitpid(child, 0)[1], flush=True)
"""


class Server:
    """Runs the small experiment as often as it is told to."""

    def __init__(self, way: str, *overrides: str) -> None:
        """Start; it takes the folders of data and of the cache from this process' environment.

        Args:
            way: one of ``WAYS``.
            overrides: changes of the config.
        """
        command = [sys.executable, "-c", SERVER, way, str(TABLE1), *SMALL, *overrides]
        self._server = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._server.stdout.readline() == "ready\n"

    def start(self, results: Path) -> psutil.Process:
        """Run into a folder of results, in a new process."""
        print(results, file=self._server.stdin, flush=True)
        return psutil.Process(int(self._server.stdout.readline()))

    def status(self) -> int:
        """Wait for the process that ``start`` returned; 0: it ended without an error."""
        return int(self._server.stdout.readline())

    def close(self) -> None:
        """End the server."""
        self._server.stdin.close()
        self._server.wait()


@dataclass
class Attacker:
    """Kills processes of a run, or stops them for a while, at random.

    Attributes:
        rng: draws whom, how and when.
        counts: how many strokes of each kind hit.
        started: everything that was seen of the runs, and must be gone at the end.
    """

    rng: random.Random
    counts: dict[str, int] = field(default_factory=dict)
    started: set[psutil.Process] = field(default_factory=set)

    @property
    def kills(self) -> int:
        """Processes that were killed."""
        return sum(count for kind, count in self.counts.items() if "CONT" not in kind)

    def strike(self, parent: psutil.Process) -> None:
        """Kill the parent or one of its helpers, or stop it for a second."""
        helpers = []
        with contextlib.suppress(psutil.NoSuchProcess):
            helpers = parent.children(recursive=True)
        self.started |= {parent, *helpers}
        victim, whose = (
            (self.rng.choice(helpers), "a helper's")
            if helpers and self.rng.random() < 0.5
            else (parent, "the parent's")
        )
        kinds = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGSTOP)
        kind = self.rng.choice(kinds if victim is parent else (signal.SIGKILL, signal.SIGSTOP))
        try:
            # One that has ended is a zombie until the server has seen it.
            if victim.status() == psutil.STATUS_ZOMBIE:
                return
            victim.send_signal(kind)
            if kind == signal.SIGSTOP:
                time.sleep(1)
                victim.send_signal(signal.SIGCONT)
        except psutil.NoSuchProcess:  # It ended by itself.
            return
        name = "STOP, CONT" if kind == signal.SIGSTOP else kind.name
        self.counts[f"{whose} {name}"] = self.counts.get(f"{whose} {name}", 0) + 1

    def left(self, seconds: float) -> list[list[str]]:
        """Command lines of processes that are still there after so many seconds."""
        _, alive = psutil.wait_procs(self.started, timeout=seconds)
        lines = []
        for process in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                lines.append(process.cmdline())
        return lines


def runs_for(process: psutil.Process, seconds: float) -> bool:
    """Wait so long, or until the process ends; return whether it still runs."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
        except psutil.NoSuchProcess:
            return False
        time.sleep(0.05)
    return True


def is_whole(path: Path) -> bool:
    """Whether every unit of a run is stored."""
    folder = RunFolder(path)
    return (path / "manifest.json").exists() and all(map(folder.is_done, units(folder)))
