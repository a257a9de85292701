"""Contributions of one set and protocol -> the lines of one table, best honest score first."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from mer_keras.config.training import EXACT, Precision
from mer_keras.errors import ResultsError
from mer_keras.evaluation.guessing import REPETITIONS, Guess
from mer_keras.evaluation.many_methods import (
    PairDifference,
    compare_all,
    resampled_scores,
    score,
)
from mer_keras.evaluation.metrics import draw_subjects, percentiles
from mer_keras.leaderboard import schema
from mer_keras.leaderboard.arms import Arm, RowOfRun, joined
from mer_keras.leaderboard.guesses import PERSON_BEST, Guesses
from mer_keras.leaderboard.reading import Entry
from mer_keras.leaderboard.schema import ContributedClaim, ContributedRow
from mer_keras.leaderboard.settings import (
    Settings,
    changed_in,
    inputs_read,
    precision_of,
    settings_of,
    titles_of,
)
from mer_keras.terms import Selection

#: Metrics that a table shows, in order.
SHOWN = ("uf1", "uar")
#: Bootstrap samples of an interval.
RESAMPLES = 2000


@dataclass(frozen=True)
class Value:
    """A metric of one method, all values in 0..1.

    Attributes:
        pooled: the metric of all tested clips, averaged over seeds.
        low: lower end of its 95 % interval over people, averaged over seeds.
        high: upper end of that interval.
        seed_sd: standard deviation over seeds; 0 where there is one.
    """

    pooled: float
    low: float
    high: float
    seed_sd: float


#: Values of ``SHOWN`` by metric.
Values = Mapping[str, Value]


@dataclass(frozen=True)
class Standing:
    """One line of a table.

    Attributes:
        name: the method for readers.
        precision: format of numbers within its network (see ``config.training``).
        changed: what of the method's own recipe the experiment changed, as ``key value`` texts,
            the epochs and the format of numbers left out.
        sources: its contributions: those of ``honest``, then those of ``inner``.
        honest: the last epoch, or what a method without epochs predicts; empty where it was not
            run to the last epoch.
        inner: epoch or hyper-parameters chosen on held-back people of the training clips.
        inner_seeds: number of seeds of ``inner``; 0 where it was not run so.
        person_best: each tested person's best epoch; empty where epochs were not stored.
        choosing_adds: ``person_best`` minus ``honest`` in UF1, paired over people.
        inner_adds: ``inner`` minus ``honest`` in UF1, paired over people.
        guessed: what guessing gives under the rule of ``person_best`` with as many epochs.
        databases: database -> metric -> honest score of its clips.
        matrices: honest confusion matrices, (seeds, people, classes, classes).
        arm: the runs of ``honest``, or else those of ``inner``, or else what is claimed.
    """

    name: str
    precision: Precision
    changed: tuple[str, ...]
    sources: tuple[str, ...]
    honest: Values
    inner: Values
    inner_seeds: int
    person_best: Values
    choosing_adds: PairDifference | None
    inner_adds: PairDifference | None
    guessed: Mapping[str, Guess]
    databases: Mapping[str, Mapping[str, float]]
    matrices: NDArray[np.int64] | None
    arm: Arm

    @property
    def row(self) -> ContributedRow:
        """What its contribution says of it."""
        return self.arm.row

    @property
    def claims(self) -> tuple[ContributedClaim, ...]:
        """What is claimed of it."""
        return self.arm.claims

    @property
    def seeds(self) -> int:
        """Number of seeds of ``arm``; 0 where the method was not run."""
        return self.arm.seeds

    @property
    def rank_value(self) -> float:
        """What lines are ordered by: honest UF1, inner UF1, or nothing."""
        values = self.honest or self.inner
        return values["uf1"].pooled if values else -1

    @property
    def compared(self) -> bool:
        """Whether its honest score enters the comparisons: it was run and can beat chance."""
        return self.matrices is not None and self.row.learns

    def claimed(self, metric: str) -> float | None:
        """The highest number that is printed for it in a metric; ``None`` without any."""
        return max((c.value for c in self.claims if c.metric == metric), default=None)


@dataclass(frozen=True)
class Table:
    """All methods on one set under one protocol.

    Attributes:
        board: name of the set.
        protocol: how its clips were divided.
        standings: best first.
        pairs: comparisons of the methods of ``compared``, by their positions there.
        entries: the contributions.
        guesses: what guessing gives on its clips.
    """

    board: str
    protocol: str
    standings: tuple[Standing, ...]
    pairs: tuple[PairDifference, ...]
    entries: tuple[Entry, ...]
    guesses: Guesses

    @property
    def compared(self) -> list[Standing]:
        """Methods that are compared with each other, best first."""
        return [standing for standing in self.standings if standing.compared]

    @property
    def people(self) -> int:
        """Number of tested people."""
        return int(self.entries[0].clips["person"].nunique())


@dataclass
class _RunsOfLine:
    """Runs of one line by what chose the epoch, or what is claimed of a method that wasn't run."""

    honest: list[RowOfRun] = field(default_factory=list)
    inner: list[RowOfRun] = field(default_factory=list)
    claimed: list[RowOfRun] = field(default_factory=list)


def tables_of(
    entries: Sequence[Entry], *, repetitions: int = REPETITIONS, resamples: int | None = None
) -> list[Table]:
    """Make a table for each set and protocol that contributions are of.

    Args:
        entries: contributions.
        repetitions: number of guessers for each number of epochs.
        resamples: bootstrap samples of the comparisons of pairs; see ``compare_all``.

    Raises:
        ResultsError: two contributions that belong into one table contradict each other, or none
            is there.
    """
    if not entries:
        raise ResultsError(
            "no run or contribution to show: mer-keras run leaderboard/megc2019 makes one, and "
            "mer-keras contribute RUN its contribution"
        )
    groups: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        groups.setdefault((entry.head.board, entry.head.protocol), []).append(entry)
    tables = []
    for (board, protocol), group in sorted(groups.items()):
        _check_alike(group)
        guesses = Guesses(group[0], repetitions)
        standings = sorted(
            _named_apart(_standings(group, guesses)),
            key=lambda standing: (
                -standing.rank_value,
                -(standing.claimed("uf1") or 0),
                standing.name,
            ),
        )
        compared = [s.matrices for s in standings if s.compared and s.matrices is not None]
        pairs = compare_all(compared, "uf1", resamples=resamples)
        tables.append(Table(board, protocol, tuple(standings), tuple(pairs), tuple(group), guesses))
    return tables


def _check_alike(group: Sequence[Entry]) -> None:
    """Refuse contributions of one table that read other images.

    Clips, labels and folds of each are those of the set (see ``reading.checked_entry``).

    Raises:
        ResultsError: naming both.
    """
    images: dict[str, Entry] = {}
    for entry in group:
        same_inputs = images.setdefault(_inputs_read(entry), entry)
        if same_inputs.head.images_digest != entry.head.images_digest:
            raise ResultsError(
                f"{entry.source} and {same_inputs.source} read other images by the same recipes: "
                "they can't stand in one table"
            )


def _inputs_read(entry: Entry) -> str:
    """The inputs that a run read, finished rows or not, and their clip recipes, as text."""
    recipes = {
        name: recipe
        for plan in entry.plans.values()
        for name, recipe in inputs_read(entry.config, plan).items()
    }
    return json.dumps(recipes, sort_keys=True)


def _standings(group: Sequence[Entry], guesses: Guesses) -> Iterator[Standing]:
    """One line for each method and recipe; methods that are only claimed stand once."""
    # Rows of one run that were trained alike stay apart by their number.
    runs: dict[tuple[Settings, int], _RunsOfLine] = {}
    claimed: dict[str, list[RowOfRun]] = {}
    names = set()
    for entry in sorted(group, key=lambda entry: entry.source):
        alike: Counter[Settings] = Counter()
        for row in entry.head.rows:
            if not row.ran:
                claimed.setdefault(row.name, []).append((entry, row))
                continue
            names.add(row.name)
            settings = settings_of(entry.config, entry.plans[row.key], entry.head.started_from)
            of_line = runs.setdefault((settings, alike[settings]), _RunsOfLine())
            alike[settings] += 1
            is_honest = entry.head.selection is Selection.LAST_EPOCH
            (of_line.honest if is_honest else of_line.inner).append((entry, row))
    # Tables may give a method different names: a line has that of the run which it prefers.
    by_name: dict[str, list[tuple[Settings, _RunsOfLine]]] = {}
    for (settings, _), of_line in runs.items():
        name = joined(of_line.honest or of_line.inner).row.name
        by_name.setdefault(name, []).append((settings, of_line))
    for name, lines in by_name.items():
        titles = titles_of(name, [settings for settings, _ in lines])
        for title, (settings, of_line) in zip(titles, lines, strict=True):
            yield _standing(title, precision_of(settings), of_line, guesses)
    for name, rows in claimed.items():
        if name not in names:  # Else its claims stand beside its own result.
            yield _standing(name, EXACT, _RunsOfLine(claimed=rows), guesses)


def _named_apart(standings: Iterator[Standing]) -> list[Standing]:
    """Add run and row to each line whose name another line has."""
    lines = list(standings)
    names = Counter(standing.name for standing in lines)
    return [
        replace(standing, name=f"{standing.name} ({standing.arm.entry.source}:{standing.row.key})")
        if names[standing.name] > 1
        else standing
        for standing in lines
    ]


def _standing(name: str, precision: Precision, runs: _RunsOfLine, guesses: Guesses) -> Standing:
    of_last, of_inner = (joined(arm) if arm else None for arm in (runs.honest, runs.inner))
    arm = of_last or of_inner or joined(runs.claimed)
    row = arm.row
    honest: Values = {}
    person_best: Values = {}
    databases: dict[str, Mapping[str, float]] = {}
    matrices, choosing_adds, inner_adds = None, None, None
    if of_last is not None:
        rule = "last_epoch" if "last_epoch" in row.rules else schema.AS_RUN
        matrices = of_last.matrices(rule)
        honest = values_of(matrices)
        databases = {
            database: {metric: score(of_last.matrices(rule, database), metric) for metric in SHOWN}
            for database in sorted(of_last.entry.clips["database"].unique())
        }
        if PERSON_BEST in row.rules:
            best = of_last.matrices(PERSON_BEST)
            person_best = values_of(best)
            (choosing_adds,) = compare_all([matrices, best], "uf1", resamples=RESAMPLES)
    inner: Values = {}
    if of_inner is not None:
        inner_matrices = of_inner.matrices(schema.AS_RUN)
        inner = values_of(inner_matrices)
        if matrices is not None and row.learns:
            (inner_adds,) = compare_all([matrices, inner_matrices], "uf1", resamples=RESAMPLES)
    sources = [source for of_rule in (of_last, of_inner) if of_rule for source in of_rule.sources]
    return Standing(
        name=name,
        precision=precision,
        changed=_changed(arm) if row.ran else (),
        sources=tuple(dict.fromkeys(sources)),
        honest=honest,
        inner=inner,
        inner_seeds=0 if of_inner is None else of_inner.seeds,
        person_best=person_best,
        choosing_adds=choosing_adds,
        inner_adds=inner_adds,
        guessed=guesses.of(row.epochs),
        databases=databases,
        matrices=matrices,
        arm=arm,
    )


def _changed(arm: Arm) -> tuple[str, ...]:
    entry, plan = arm.entry, arm.entry.plans[arm.row.key]
    return changed_in(entry.config, plan, entry.head.started_from)


def values_of(matrices: NDArray[np.int64]) -> dict[str, Value]:
    """Score the seeds of one method: matrices are (seeds, people, classes, classes)."""
    weights = draw_subjects(matrices.shape[1], RESAMPLES, 0)
    values = {}
    for metric in SHOWN:
        of_seeds = [score(of_seed[np.newaxis], metric) for of_seed in matrices]
        intervals = [
            percentiles(resampled_scores(of_seed[np.newaxis], metric, weights), 0.95)
            for of_seed in matrices
        ]
        low, high = np.mean(intervals, axis=0)
        values[metric] = Value(
            float(np.mean(of_seeds)), float(low), float(high), float(np.std(of_seeds))
        )
    return values
