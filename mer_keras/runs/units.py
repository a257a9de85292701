"""The units that a run consists of, as its manifest and folds say."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from mer_keras.names import slug
from mer_keras.protocols.folds import FoldSet

#: What a manifest file holds; it is read from disk, so that its values have no type yet.
Manifest: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Unit:
    """The smallest piece of work: one row of a table, one seed, one fold."""

    row: str
    seed: int
    fold: str

    def stem(self) -> str:
        """File stem; a digest keeps names apart that look alike after cleaning."""
        digest = hashlib.blake2b(self.fold.encode(), digest_size=3).hexdigest()
        return f"{slug(self.row)}/seed-{self.seed}/{slug(self.fold)}-{digest}"


#: Units of one row and seed that are computed together.
Task: TypeAlias = tuple[Unit, ...]


def units_of(manifest: Manifest, folds: FoldSet) -> dict[str, list[Unit]]:
    """All units of a run, by the row's key."""
    seeds = manifest["config"]["seeds"]
    return {
        row["key"]: [Unit(row["key"], seed, fold.name) for seed in seeds for fold in folds.folds]
        for row in manifest["rows"]
    }
