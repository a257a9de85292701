"""What a worker process of a cluster holds and does (see ``ray_cluster``)."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mer_keras import provenance, settings
from mer_keras.errors import UserError
from mer_keras.models.weights import SUFFIXES
from mer_keras.runs.context import RunContext
from mer_keras.runs.tasks import Outcome, TaskRunner
from mer_keras.runs.units import Task
from mer_keras.whole_files import write_whole

if TYPE_CHECKING:
    from ray import ObjectRef


@dataclass(frozen=True)
class Files:
    """A weight file, or a folder of them, that travels."""

    name: str
    contents: dict[str, bytes]

    @classmethod
    def read(cls, path: Path) -> "Files":
        """Read a file, or all weight files of a folder."""
        files = [path] if path.is_file() else [p for s in SUFFIXES for p in path.glob(f"*{s}")]
        name = path.name if path.is_file() else ""
        return cls(name, {file.name: file.read_bytes() for file in sorted(files)})

    def place(self) -> Path:
        """Return the same file or folder in this machine's cache."""
        digest = hashlib.blake2b(digest_size=16)
        for name, content in self.contents.items():
            digest.update(name.encode() + hashlib.blake2b(content).digest())
        folder = settings.cache_root() / "brought" / digest.hexdigest()
        for name, content in self.contents.items():
            if not (folder / name).exists():
                write_whole(folder / name, content)
        return folder / self.name


@dataclass(frozen=True)
class Job:
    """All that the tasks of one run need, wherever they are computed."""

    context: RunContext
    weights: Files | None
    backbones: dict[str, Files]
    versions: dict[str, str]

    @classmethod
    def of(cls, context: RunContext) -> "Job":
        """Take the files of a run along."""
        weights = Files.read(context.weights) if context.weights else None
        backbones = (context.backbones or {}).items()
        files = {row: Files.read(backbone.file) for row, backbone in backbones}
        return cls(context, weights, files, provenance.versions())

    def runner(self) -> TaskRunner:
        """Return what computes tasks, on the machine that does it.

        Raises:
            UserError: this machine has other versions than the one that began the run.
        """
        installed = provenance.versions()
        for name, version in self.versions.items():
            if installed.get(name) != version:
                raise UserError(
                    f"a machine of the cluster has {name} {installed.get(name, 'not at all')}, the "
                    f"one that runs this has {version}: install the same lock on all of them"
                )
        backbones = {
            row: replace(backbone, file=self.backbones[row].place())
            for row, backbone in (self.context.backbones or {}).items()
        }
        weights = self.weights.place() if self.weights else None
        return TaskRunner(replace(self.context, weights=weights, backbones=backbones))


#: The run that this worker process works for, by the id of its reference.
_latest: dict[str, TaskRunner] = {}


def compute(job: "list[ObjectRef]", task: Task) -> list[Outcome]:
    """Compute a task in a worker process.

    Args:
        job: one reference to a ``Job`` in the object store; bare, Ray would read it for each task.
        task: a task of that run.

    Raises:
        UserError: the task can't be computed here, nor elsewhere.
    """
    import ray

    (reference,) = job
    name = reference.hex()
    if name not in _latest:
        _latest.clear()
        _latest[name] = ray.get(reference).runner()
    return _latest[name].compute(task)
