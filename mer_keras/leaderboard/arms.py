"""Runs of one method by one recipe: those of other seeds are taken as one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mer_keras.leaderboard import schema
from mer_keras.leaderboard.reading import Entry, matrices_of
from mer_keras.leaderboard.schema import ContributedClaim, ContributedRow

#: A row and the contribution that it is of.
RowOfRun: TypeAlias = tuple[Entry, ContributedRow]


@dataclass(frozen=True)
class Arm:
    """What one method gives by one recipe and one rule of choosing the epoch.

    Attributes:
        runs: rows of other seeds each, the one that ``joined`` prefers first.
    """

    runs: tuple[RowOfRun, ...]

    @property
    def entry(self) -> Entry:
        """The preferred contribution."""
        return self.runs[0][0]

    @property
    def row(self) -> ContributedRow:
        """What the preferred contribution says of the method."""
        return self.runs[0][1]

    @property
    def claims(self) -> tuple[ContributedClaim, ...]:
        """What any of the contributions says that is claimed, each claim once."""
        return tuple(dict.fromkeys(claim for _, row in self.runs for claim in row.claims))

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the contributions."""
        return tuple(entry.source for entry, _ in self.runs)

    @property
    def seeds(self) -> int:
        """Number of seeds; 0 where the method was not run."""
        return sum(len(entry.head.seeds) for entry, row in self.runs if row.ran)

    @property
    def seconds_a_seed(self) -> float:
        """Seconds that a seed took to compute, on average."""
        return sum(row.seconds for _, row in self.runs) / max(self.seeds, 1)

    def matrices(self, rule: str, database: str | None = None) -> NDArray[np.int64]:
        """Confusion matrices under a rule, (seeds, people, classes, classes).

        Args:
            rule: an epoch rule, or ``schema.AS_RUN``.
            database: only the clips of this one.
        """
        return np.concatenate(
            [matrices_of(entry, row.key, rule, database) for entry, row in self.runs]
        )

    @property
    def has_curves(self) -> bool:
        """Whether its epochs were stored; all runs of an arm have the same rules."""
        return self.row.key in self.entry.curves

    def curves(self) -> pd.DataFrame:
        """``Entry.curves`` averaged over all seeds, at the lengths that all runs have."""
        tables = [entry.curves[row.key].set_index("epochs") for entry, row in self.runs]
        shares = [len(entry.head.seeds) / self.seeds for entry, _ in self.runs]
        mean = shares[0] * tables[0]
        for share, table in zip(shares[1:], tables[1:], strict=True):
            mean = mean + share * table  # A length that one run lacks has no value in the sum.
        return mean.dropna().reset_index()


def joined(runs: Sequence[RowOfRun]) -> Arm:
    """Take runs that share no seed as one.

    They must be of one version of the suite, one backend, the same folds (held-back people
    included), the same images, and the same rules of choosing the epoch. Runs that stored their
    epochs are taken before others, those of more seeds before those of fewer, newer ones before
    older ones.

    Args:
        runs: rows of one method by one recipe and one rule of choosing the epoch.

    Example: of runs of the seeds (0, 1, 2), (3, 4) and (2,) the first two are taken, 5 seeds.
    """
    first, *others = sorted(runs, key=_preference, reverse=True)
    taken, seeds = [first], set(first[0].head.seeds)
    for run in others:
        of_run = run[0].head.seeds
        if seeds.isdisjoint(of_run) and _conditions(run) == _conditions(first):
            taken.append(run)
            seeds |= set(of_run)
    return Arm(tuple(taken))


def _preference(run: RowOfRun) -> tuple[bool, int, str, str]:
    entry, row = run
    stored_epochs = row.ran and schema.AS_RUN not in row.rules
    return stored_epochs, len(entry.head.seeds), entry.head.created, entry.source


def _conditions(run: RowOfRun) -> tuple[object, ...]:
    """What runs must have in common to be taken as one."""
    head, rules = run[0].head, frozenset(run[1].rules)
    version = head.versions.get("mer-keras", head.package)
    return version, head.backend, head.folds_digest, head.images_digest, rules
