"""The units that a run consists of, as its manifest and folds say."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from mer_keras.errors import ResultsError
from mer_keras.names import slug
from mer_keras.protocols.folds import FoldSet

#: What a manifest file holds; it was read from disk, so that its values have no type yet.
Manifest: TypeAlias = Mapping[str, Any]

#: Most units of a run: twenty methods, ten seeds and a fold for each of a thousand people are less.
MOST_UNITS = 300_000


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
    """All units of a run, by the row's key.

    Raises:
        ResultsError: the manifest has no rows or seeds, or they are none.
    """
    try:
        keys, seeds = [row["key"] for row in manifest["rows"]], manifest["config"]["seeds"]
        named = all(isinstance(key, str) for key in keys)
        numbered = all(isinstance(seed, int) for seed in seeds)
    except (KeyError, TypeError) as error:
        raise ResultsError(f"the manifest has no rows or no seeds: {error!r}") from error
    if not (named and numbered):
        raise ResultsError("in the manifest a row's key is no text, or a seed no number")
    amount = len(keys) * len(seeds) * len(folds.folds)
    if amount > MOST_UNITS:
        raise ResultsError(
            f"{len(keys):,} rows, {len(seeds):,} seeds and {len(folds.folds):,} folds are "
            f"{amount:,} trainings, expected {MOST_UNITS:,} at most"
        )
    return {
        key: [Unit(key, seed, fold.name) for seed in seeds for fold in folds.folds] for key in keys
    }
