"""The folds of runs as tasks of a Ray cluster: one machine's cores, or several machines.

The process that starts it alone reads databases and writes run folders. What a run needs goes into
Ray's object store once; predictions come back. So the other machines need this package and nothing
else. A piece (see ``pieces``) is one task: where folds are trained in stacks,
``train.folds_at_once`` says how many go to a machine together.
"""

import contextlib
import os
import socket
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mer_keras.config.experiment import Experiment
from mer_keras.errors import InvariantError, UserError
from mer_keras.progress import Progress
from mer_keras.runs.folder import RunFolder, Unit, units_of
from mer_keras.runs.processes import THREADS
from mer_keras.runs.ray_worker import Job, compute
from mer_keras.runs.run import Ready, make_ready
from mer_keras.runs.tasks import Piece, rows_of

#: times that a piece whose process died is begun again
RETRIES = 3
#: of a GPU, where the cluster has one: small networks share it
GPUS_A_FOLD = 0.25
#: seconds to wait for an address to answer
PATIENCE = 3
#: variables of this process that change what worker processes compute
_CARRIED = ("KERAS_BACKEND", "TF_ENABLE_ONEDNN_OPTS")
#: for worker processes that share a GPU
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
        hosts: machines.
        cores: of all of them.
        cpus: cores a fold, and threads that it may start.
        gpus: of a GPU a fold; 0: none is used.
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

    Nothing is reported to Ray's makers, no dashboard is opened.

    Args:
        address: ``local`` for a new cluster of this machine, reached from nowhere else; ``auto``
            for the one that runs on this machine; or ``HOST:PORT`` of one's head.
        cpus: cores a fold.
        gpus: of a GPU a fold; by default ``GPUS_A_FOLD`` where the cluster has one.
        cores: of a local cluster, by default all.

    Raises:
        UserError: Ray isn't installed, nothing answers, or the cluster is too small for a fold.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_task_oom_retries", str(RETRIES))
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    for name, value in _SHARED_DEVICE.items():  # this process looks at networks, others train them
        os.environ.setdefault(name, value)
    options: dict[str, Any] = {"address": address}
    with contextlib.ExitStack() as left:
        if address == "local":
            # Ray's switch for what other systems do by default: its servers listen to 127.0.0.1
            os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
            place = tempfile.TemporaryDirectory(prefix="mer-", ignore_cleanup_errors=True)
            options |= {
                "num_cpus": cores or os.cpu_count(),
                "include_dashboard": False,
                "_node_ip_address": "127.0.0.1",
                "_temp_dir": left.enter_context(place),
            }
        elif address != "auto":
            _check_address(address)
        ray = _import_ray()
        if address == "local":  # for a process that imported Ray before
            ray._private.ray_constants.ENABLE_RAY_CLUSTER = False
        left.enter_context(contextlib.redirect_stdout(sys.stderr))  # Ray remarks on dead workers
        try:
            ray.init(
                log_to_driver=False,
                logging_level="ERROR",
                runtime_env={"env_vars": _variables(cpus, gpus)},
                **options,
            )
        except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
            raise UserError(
                f"--cluster {address}: no cluster to join ({_first(error)}): {_HOW_TO_START}"
            ) from error
        left.callback(ray.shutdown)
        if address == "local" and ray.nodes()[0]["NodeManagerAddress"] != "127.0.0.1":
            raise InvariantError("this release of Ray opens a local cluster to the network")
        yield _measure(ray, cpus, gpus)


def run_on_cluster(
    configs: list[Experiment],
    cluster: Cluster,
    *,
    profile: str,
    data: str = "auto",
    weights: Path | None = None,
    initial: Path | None = None,
    progress: Progress | None = None,
) -> list[RunFolder]:
    """Run experiments as ``run_experiment`` does, all of their folds at once on a cluster.

    A fold whose process dies each time is recorded as failed and the others go on.

    Args:
        configs: the experiments, their profile applied.
        cluster: see ``joined``.
        profile: this and the others: see ``run_experiment``.
        data: where clips come from.
        weights: to test instead of training.
        initial: that pretraining starts from.
        progress: told what is being done.

    Returns:
        The run folder of each experiment.

    Raises:
        UserError: data, weights or a run folder can't be used, or a worker process says so.
    """
    import ray

    folders = []
    work: dict[str, tuple[RunFolder, Any, list[tuple[int, Piece, list[Unit]]]]] = {}
    total = 0
    with contextlib.ExitStack() as held:
        for config in configs:
            ready = make_ready(config, profile, data, weights, initial, progress)
            folder = ready.folder
            folders.append(folder)
            if folder.run_id in work:
                continue
            held.enter_context(folder.writer())
            folder.open(ready.manifest, ready.prepared.folds)
            total += sum(map(len, units_of(ready.manifest, ready.prepared.folds).values()))
            missing = _missing(folder, ready)
            work[folder.run_id] = folder, ray.put(Job.of(ready)) if missing else None, missing
        submit = ray.remote(
            num_cpus=cluster.cpus, num_gpus=cluster.gpus, max_retries=RETRIES, max_calls=0
        )(compute)
        tasks: dict[Any, tuple[RunFolder, list[Unit]]] = {}
        try:
            for folder, job, missing in work.values():
                for row, piece, pending in missing:
                    tasks[submit.remote([job], row, piece)] = folder, pending
            _collect(ray, tasks, total, _told(progress, cluster))
        except BaseException:
            for task in tasks:
                ray.cancel(task, force=True)
            raise
    return folders


def _collect(
    ray: Any, tasks: dict[Any, tuple[RunFolder, list[Unit]]], total: int, progress: Progress
) -> None:
    """Store what tasks give until none is left; a dead one's folds failed, an error ends it all."""
    dead = (
        ray.exceptions.WorkerCrashedError,
        ray.exceptions.NodeDiedError,
        ray.exceptions.OutOfMemoryError,
        ray.exceptions.ObjectLostError,
    )
    while tasks:
        progress("", total - sum(len(units) for _, units in tasks.values()), total)
        done, _ = ray.wait(list(tasks), num_returns=len(tasks), timeout=0.5)
        wrong: Exception | None = None
        for task in done:
            folder, units = tasks.pop(task)
            try:
                for computed in ray.get(task):
                    if computed.unit in units:
                        computed.store(folder)
            except ray.exceptions.RayTaskError as error:  # raised within, of whatever kind
                wrong = wrong or _raised(ray, error.cause)
            except dead as error:
                for unit in units:
                    folder.fail(unit, _how_it_died(error))
            except ray.exceptions.RayError as error:
                wrong = wrong or _raised(ray, error)
        if wrong:
            raise wrong
    progress("", total, total)


def _missing(folder: RunFolder, ready: Ready) -> list[tuple[int, Piece, list[Unit]]]:
    """Pieces that are not whole: number of the row, the piece, what of it isn't stored."""
    rows = rows_of(ready.manifest, ready.config, ready.prepared, ready.weights, ready.trunks)
    found = []
    for number, row in enumerate(rows):
        pending = {unit for unit in row.units if not folder.is_done(unit)}
        for piece in row.pieces() if pending else ():
            if not pending.isdisjoint(piece):
                found.append((number, piece, [unit for unit in piece if unit in pending]))
    return found


def _variables(cpus: int, gpus: float | None) -> dict[str, str]:
    """What worker processes find in their environment, before they import a numeric library."""
    found = {name: str(cpus) for name in THREADS}
    found |= {name: os.environ[name] for name in _CARRIED if name in os.environ}
    found |= {"TF_CPP_MIN_LOG_LEVEL": "2", **_SHARED_DEVICE}
    if gpus == 0:
        found["CUDA_VISIBLE_DEVICES"] = "-1"
    return found


def _measure(ray: Any, cpus: int, gpus: float | None) -> Cluster:
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


def _import_ray() -> Any:
    try:
        import ray
    except ImportError as error:
        raise UserError(
            "--cluster needs Ray, which is not installed: pip install -e '.[cluster]'"
        ) from error
    return ray


def _told(progress: Progress | None, cluster: Cluster) -> Progress:
    where = "one machine" if cluster.hosts == 1 else f"{cluster.hosts} machines"

    def tell(_: str, done: float, total: float) -> None:
        if progress:
            progress(f"{cluster.cores} cores of {where}", done, total)

    return tell


def _how_it_died(error: Exception) -> str:
    """Say it without Ray's own words, which may name a host."""
    low = type(error).__name__ == "OutOfMemoryError"
    what = "memory ran low on its machine" if low else "its process or its machine died"
    return f"{what}, {RETRIES + 1} times in all; processes die when memory runs out"


def _raised(ray: Any, error: Exception) -> Exception:
    """What a run ends with: the error as it is, in words if it is the cluster's own."""
    if isinstance(error, ray.exceptions.RayError):
        return UserError(f"the cluster can't compute a fold: {_first(error)}")
    return error


def _first(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
