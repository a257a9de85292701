"""Runs of one method by one recipe: those of other seeds are taken as one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mer_keras.leaderboard.reading import Entry, matrices_of
from mer_keras.leaderboard.schema import ContributedRow

#: A row and the contribution that it is of.
RowOfRun: TypeAlias = tuple[Entry, ContributedRow]


@dataclass(frozen=True)
class Arm:
    """What one method gives by one recipe and one rule of choosing the epoch.

    Attributes:
        runs: rows of other seeds each, that of most seeds first.
    """

    runs: tuple[RowOfRun, ...]

    @property
    def entry(self) -> Entry:
        """The contribution of most seeds."""
        return self.runs[0][0]

    @property
    def row(self) -> ContributedRow:
        """What the contribution of most seeds says of the method."""
        return self.runs[0][1]

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
        """Seconds of computing that a seed took, on average."""
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
        """Whether all its runs have stored their epochs."""
        return all(row.key in entry.curves for entry, row in self.runs)

    def curves(self) -> pd.DataFrame:
        """``Entry.curves`` averaged over all seeds, at the lengths that all runs have."""
        tables = [entry.curves[row.key].set_index("epochs") for entry, row in self.runs]
        shares = [len(entry.head.seeds) / self.seeds for entry, _ in self.runs]
        mean = shares[0] * tables[0]
        for share, table in zip(shares[1:], tables[1:], strict=True):
            mean = mean + share * table  # A length that one run lacks has no value in the sum.
        return mean.dropna().reset_index()


def joined(runs: Sequence[RowOfRun]) -> Arm:
    """Take runs of other seeds as one.

    Of two runs that share a seed the one of more seeds is taken, of equally many the newer.

    Args:
        runs: rows of one method by one recipe and one rule of choosing the epoch.
    """
    first, *others = sorted(runs, key=_preference, reverse=True)
    taken, seeds = [first], set(first[0].head.seeds)
    for entry, row in others:
        if seeds.isdisjoint(entry.head.seeds) and row.rules == first[1].rules:
            taken.append((entry, row))
            seeds |= set(entry.head.seeds)
    return Arm(tuple(taken))


def _preference(run: RowOfRun) -> tuple[int, str, str]:
    entry, _ = run
    return len(entry.head.seeds), entry.head.created, entry.source
