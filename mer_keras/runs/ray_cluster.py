"""The folds of runs as tasks of a Ray cluster: one machine's cores, or several machines.

The process that starts it alone reads databases and writes run folders. What a run needs goes into
Ray's object store once; predictions come back. So the other machines need this package and nothing
else. Where folds are trained in stacks, ``train.folds_at_once`` says how many go to a machine
together.
"""

import contextlib
import os
import secrets
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from mer_keras import settings
from mer_keras.errors import InvariantError, UserError
from mer_keras.runs.executors import OpenRun, RowCounts
from mer_keras.runs.ray_worker import Job, compute
from mer_keras.runs.scratch import scratch_folder
from mer_keras.runs.stopping import ended_like_by_ctrl_c
from mer_keras.runs.tasks import TaskRunner
from mer_keras.runs.units import Task, Unit

if TYPE_CHECKING:
    from ray import ObjectRef

#: A task whose process died is begun again so many times.
RETRIES = 3
#: Part of a GPU that a fold takes where the cluster has one, since small networks can share it.
GPUS_A_FOLD = 0.25
#: Seconds to wait for an address to answer.
PATIENCE = 3
#: Variables of this process that change what worker processes compute.
_CARRIED = ("KERAS_BACKEND", "TF_ENABLE_ONEDNN_OPTS", "MER_LAYERS")
#: Variables by which worker processes share a GPU.
_SHARED_DEVICE = {"TF_FORCE_GPU_ALLOW_GROWTH": "true", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
_HOW_TO_START = (
    "start one with ray start --head --port=6379 --disable-usage-stats on one machine and ray "
    "start --address=HEAD:6379 on the others (RAY_AUTH_MODE alike on all), then run this on the "
    "first; or --cluster local"
)


@dataclass(frozen=True)
class Cluster:
    """A cluster that this process has joined.

    Attributes:
        hosts: number of machines.
        cores: number of cores of all of them.
        cpus: number of cores for a fold, and of threads that it may start.
        gpus: share of a GPU for a fold; 0: none is used.
    """

    hosts: int
    cores: int
    cpus: int
    gpus: float


@contextlib.contextmanager
def joined(
    address: str, *, cpus: int = 1, gpus: float | None = None, cores: int | None = None
) -> Iterator[Cluster]:
    """Join a cluster, and leave it at the end.

    Nothing is reported to Ray's makers, no dashboard is opened. A local cluster takes a token that
    is its own: other users of this machine can't join it, and the user's token stays as it is.

    Args:
        address: ``local`` for a new cluster of this machine, reached from nowhere else; ``auto``
            for the one that runs on this machine; or ``HOST:PORT`` of one's head.
        cpus: number of cores for a fold.
        gpus: share of a GPU for a fold; by default ``GPUS_A_FOLD`` where the cluster has one.
        cores: number of cores of a local cluster, by default all.

    Raises:
        UserError: Ray isn't installed, nothing answers, or the cluster is too small for a fold.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_task_oom_retries", str(RETRIES))
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    # Ray's workers would wait for all other programs of the machine; this suite's own don't.
    os.environ.setdefault("RAY_worker_niceness", "0")
    # This process only builds networks; those that train them need the GPU.
    for name, value in _SHARED_DEVICE.items():
        os.environ.setdefault(name, value)
    options: dict[str, object] = {"address": address}
    with contextlib.ExitStack() as stack:
        if address == "local":
            # With this switch of Ray its servers listen to 127.0.0.1, as on other systems.
            os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
            _remove_late_sessions()
            stack.callback(_remove_late_sessions)
            try:
                folder = stack.enter_context(scratch_folder())
                stack.enter_context(_own_token(folder))
            except OSError as error:
                raise UserError(
                    f"--cluster local: the temporary folder can't be written ({error.strerror}): "
                    "name another by TMPDIR"
                ) from error
            options |= {
                "num_cpus": cores or os.cpu_count(),
                "include_dashboard": False,
                "_node_ip_address": "127.0.0.1",
                "_temp_dir": str(folder),
            }
        elif address != "auto":
            _check_address(address)
        ray = _import_ray()
        if address == "local":  # Variables are read when Ray is imported, maybe before.
            ray._private.ray_constants.ENABLE_RAY_CLUSTER = False
            _read_token_anew(ray)
        # Ray prints remarks on workers that died.
        stack.enter_context(contextlib.redirect_stdout(sys.stderr))
        try:
            ray.init(
                log_to_driver=False,
                logging_level="ERROR",
                runtime_env={"env_vars": _variables(cpus, gpus)},
                **options,
            )
        except Exception as error:  # Where a part of Ray doesn't start, it raises this very class.
            raise UserError(
                f"--cluster {address}: no cluster to join ({_first(error)}): {_HOW_TO_START}"
            ) from error
        # Ray's own handler, which has replaced another one, prints where its library was.
        stack.enter_context(ended_like_by_ctrl_c())
        stack.callback(ray.shutdown)
        if address == "local" and ray.nodes()[0]["NodeManagerAddress"] != "127.0.0.1":
            raise InvariantError("this release of Ray opens a local cluster to the network")
        yield _measure(ray, cpus, gpus)


class RayExecutor:
    """Computes the tasks of all runs at once on a cluster."""

    def __init__(self, cluster: Cluster) -> None:
        """Prepare; see ``joined``."""
        self._cluster = cluster

    def execute(self, runs: Sequence[OpenRun]) -> None:
        """See ``Executor.execute``; a task whose process dies each time is recorded as failed."""
        import ray

        compute_remotely = ray.remote(
            num_cpus=self._cluster.cpus,
            num_gpus=self._cluster.gpus,
            max_retries=RETRIES,
            max_calls=0,
        )(compute)
        tasks: dict[ObjectRef, tuple[OpenRun, RowCounts, Task, list[Unit]]] = {}
        try:
            for run in runs:
                counts = RowCounts(run)
                rows = run.pending_rows()
                if not rows:
                    continue
                job, runner = ray.put(Job.of(run.context)), TaskRunner(run.context)
                for task in (task for row in rows for task in runner.tasks(row)):
                    if pending := run.pending(task):
                        tasks[compute_remotely.remote([job], task)] = run, counts, task, pending
            _collect(tasks)
        except BaseException:
            for reference in tasks:
                ray.cancel(reference, force=True)
            raise


def _collect(tasks: "dict[ObjectRef, tuple[OpenRun, RowCounts, Task, list[Unit]]]") -> None:
    """Store what tasks give until none is left; an error that a task raises ends them all."""
    import ray

    deaths = (
        ray.exceptions.WorkerCrashedError,
        ray.exceptions.NodeDiedError,
        ray.exceptions.OutOfMemoryError,
        ray.exceptions.ObjectLostError,
    )
    while tasks:
        finished, _ = ray.wait(list(tasks), num_returns=len(tasks), timeout=0.5)
        failure: BaseException | None = None
        for reference in finished:
            run, counts, task, pending = tasks.pop(reference)
            try:
                run.store(pending, task, ray.get(reference))
            except ray.exceptions.RayTaskError as error:  # The task raised an error, of any kind.
                failure = failure or error.cause
            except deaths as error:
                for unit in pending:
                    run.folder.fail(unit, _how_it_died(error))
            except ray.exceptions.RayError as error:
                failure = failure or error
            counts.add(pending)
        if isinstance(failure, ray.exceptions.RayError):
            raise UserError(f"the cluster can't compute a fold: {_first(failure)}") from failure
        if failure:
            raise failure


@contextlib.contextmanager
def _own_token(folder: Path) -> Iterator[None]:
    """Let Ray take a new token, which lies in a folder that only this user can read."""
    file = folder / "token"
    file.touch(0o600)
    file.write_text(secrets.token_hex(32))
    own = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(file)}
    # A token in the environment itself would come before the file's.
    before = {name: os.environ.pop(name, None) for name in (*own, "RAY_AUTH_TOKEN")}
    os.environ.update(own)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def _remove_late_sessions() -> None:
    """Remove what Ray's processes wrote when the folder of a run that was killed was gone already.

    A process that is just starting makes the folder anew. It holds Ray's sessions then, and nothing
    else: a folder that is in use has a lock.
    """
    for session in Path(tempfile.gettempdir()).glob("mer-????????/session_*"):
        with contextlib.suppress(OSError):  # It may be another user's.
            if all(path.name.startswith("session_") for path in session.parent.iterdir()):
                shutil.rmtree(session.parent, ignore_errors=True)


def _read_token_anew(ray: ModuleType) -> None:
    """Have Ray's own library forget the mode and the token of an earlier cluster."""
    ray._raylet.Config.initialize("")
    ray._raylet.AuthenticationTokenLoader.instance().reset_cache()


def _variables(cpus: int, gpus: float | None) -> dict[str, str]:
    """What worker processes find in their environment, before they import a numeric library."""
    variables = {name: str(cpus) for name in settings.THREADS}
    variables |= {name: os.environ[name] for name in _CARRIED if name in os.environ}
    variables |= {"TF_CPP_MIN_LOG_LEVEL": "2", **_SHARED_DEVICE}
    return variables | ({"CUDA_VISIBLE_DEVICES": "-1"} if gpus == 0 else {})


def _measure(ray: ModuleType, cpus: int, gpus: float | None) -> Cluster:
    sizes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    if gpus is None:
        gpus = GPUS_A_FOLD if any(size.get("GPU", 0) for size in sizes) else 0
    fit = [s for s in sizes if s.get("CPU", 0) >= cpus and s.get("GPU", 0) >= gpus]
    if not fit:
        raise UserError(
            f"no machine of the cluster has the {cpus} core(s) and {gpus:g} GPU that a fold is to "
            "have: --gpus-per-fold 0 uses processors only"
        )
    return Cluster(len(sizes), int(sum(size.get("CPU", 0) for size in sizes)), cpus, gpus)


def _check_address(address: str) -> None:
    host, _, port = address.rpartition(":")
    if not host or "/" in host or not port.isdecimal() or not 0 < int(port) < 1 << 16:
        raise UserError(
            f"--cluster {address}: expected auto, local, or an address such as 10.0.0.1:6379"
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), PATIENCE).close()
    except OSError as error:
        raise UserError(
            f"--cluster {address}: nothing answers there ({error.strerror or error}): "
            f"{_HOW_TO_START}"
        ) from error


def _import_ray() -> ModuleType:
    try:
        import ray
    except ImportError as error:
        raise UserError(
            "--cluster needs Ray, which is not installed: pip install -e '.[cluster]'"
        ) from error
    return ray


def _how_it_died(error: Exception) -> str:
    """Say it without Ray's own words, which may name a host."""
    out_of_memory = type(error).__name__ == "OutOfMemoryError"
    cause = "memory ran low on its machine" if out_of_memory else "its process or its machine died"
    return f"{cause}, {RETRIES + 1} times in all; processes die when memory runs out"


def _first(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
