"""What a worker process of a cluster holds and does (see ``cluster``)."""

import hashlib
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mer_keras import provenance, settings
from mer_keras.errors import UserError
from mer_keras.models.weights import SUFFIXES
from mer_keras.runs.run import Ready
from mer_keras.runs.tasks import Computed, Piece, RowWork, rows_of


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
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in self.contents.items():
            if not (folder / name).exists():
                part = folder / f"part-{os.getpid()}-{name}"
                part.write_bytes(content)
                part.replace(folder / name)
        return folder / self.name


@dataclass(frozen=True)
class Job:
    """All that the pieces of one run need, wherever they are computed."""

    ready: Ready
    weights: Files | None
    trunks: dict[str, Files]
    versions: dict[str, str]

    @classmethod
    def of(cls, ready: Ready) -> "Job":
        """Take the files of a run along."""
        weights = Files.read(ready.weights) if ready.weights else None
        trunks = {name: Files.read(trunk.file) for name, trunk in ready.trunks.items()}
        return cls(ready, weights, trunks, provenance.versions())

    def rows(self) -> list[RowWork]:
        """Return the work of every row, on the machine that does it.

        Raises:
            UserError: this machine has other versions than the one that began the run.
        """
        here = provenance.versions()
        for name, version in self.versions.items():
            if here.get(name) != version:
                raise UserError(
                    f"a machine of the cluster has {name} {here.get(name, 'not at all')}, the one "
                    f"that runs this has {version}: install the same lock on all of them"
                )
        trunks = {
            name: replace(trunk, file=self.trunks[name].place())
            for name, trunk in self.ready.trunks.items()
        }
        ready, weights = self.ready, self.weights.place() if self.weights else None
        return rows_of(ready.manifest, ready.config, ready.prepared, weights, trunks)


#: of this worker process: the row it computed last, with its networks built
_latest: dict[tuple[str, int], RowWork] = {}


def compute(job: list[Any], row: int, piece: Piece) -> list[Computed]:
    """Compute a piece in a worker process.

    Args:
        job: one reference to a ``Job`` in the object store; bare, Ray would read it for each piece.
        row: which of the run's rows.
        piece: of that row.

    Raises:
        UserError: the piece can't be computed here, nor elsewhere.
    """
    import ray

    (reference,) = job
    place = (reference.hex(), row)
    if place not in _latest:
        _latest.clear()
        _latest[place] = ray.get(reference).rows()[row]
    return list(_latest[place].compute(piece, lambda epoch, epochs: None))
