"""Figures that stand in two tables of different databases or classes: were they mixed up?"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path

from mer_keras import settings
from mer_keras.audit.finding import Correction, Finding, Kind
from mer_keras.config.experiment import Experiment
from mer_keras.config.files import experiment_names, load_experiments
from mer_keras.databases.label_schemes import get_scheme
from mer_keras.errors import ConfigError

#: Figures with fewer digits agree too often by chance.
FEWEST_DIGITS = 3
#: Databases that a published set is made of.
_PARTS = {"megc2019_flow": ("casme2", "samm", "smic")}


@dataclass(frozen=True)
class Entry:
    """One printed figure of a method and what it is said to be of.

    Attributes:
        experiment: name of the experiment.
        where: table that prints it.
        row: name of the row.
        method: name of the method.
        column: name of the column.
        value: the figure as printed.
        fraction: the figure, on the scale 0..1.
        databases: databases whose clips it is said to be of.
        classes: number of classes.
        quoted: whether the table quotes it.
        source: the paper in short; empty where the experiment reproduces none.
    """

    experiment: str
    where: str
    row: str
    method: str
    column: str
    value: float
    fraction: float
    databases: frozenset[str]
    classes: int
    quoted: bool
    source: str

    @property
    def paper(self) -> str:
        """Folder name of the paper."""
        return self.experiment.partition("/")[0]

    @property
    def data(self) -> tuple[frozenset[str], int]:
        """What a figure is of: databases and number of classes."""
        return self.databases, self.classes

    @property
    def figure(self) -> str:
        """The figure in per cent."""
        return f"{100 * self.fraction:.4g}"


def shared_figure_findings(paper: str) -> Iterator[Finding]:
    """Tell which figures a paper quotes of a method that stand elsewhere for other data.

    Args:
        paper: name of the paper's folder.
    """
    for entries in _by_method(printed_entries()).values():
        yield from _findings_of_method(paper, entries)


def equal_pairs(entries: Sequence[Entry]) -> list[tuple[Entry, Entry]]:
    """Two entries of one method with the same figure, of different data, of which one is quoted."""
    return [
        (first, second)
        for first, second in combinations(entries, 2)
        if abs(first.fraction - second.fraction) < 5e-6
        and first.data != second.data
        and (first.quoted or second.quoted)
    ]


def _tells(pair: tuple[Entry, Entry]) -> bool:
    """Whether a figure has digits enough that it doesn't agree by chance."""
    return len(pair[0].figure.replace(".", "").strip("0")) >= FEWEST_DIGITS


def _findings_of_method(paper: str, entries: list[Entry]) -> Iterator[Finding]:
    """One finding for each pair of tables that share figures of a method."""
    shared: dict[tuple[str, str], list[tuple[Entry, Entry]]] = defaultdict(list)
    for first, second in equal_pairs(entries):
        own, other = (first, second) if first.paper == paper and first.quoted else (second, first)
        if own.paper == paper and own.quoted:
            shared[own.experiment, other.experiment].append((own, other))
    for pairs in (pairs for pairs in shared.values() if any(map(_tells, pairs))):
        own, other = pairs[0]
        figures = " and ".join(dict.fromkeys(of_pair.figure for of_pair, _ in pairs))
        swapped = any(_meaning(a.column) != _meaning(b.column) for a, b in pairs)
        says = (
            f"{own.row}: {figures} stands for {_data(own)} here and for {_data(other)} in "
            f"{other.experiment.partition('/')[0]}, {other.where}"
        )
        if swapped:
            columns = ", ".join(f"{a.column} here, {b.column} there" for a, b in pairs)
            says += f", in other columns ({columns})"
        limits = "Which of the two is right doesn't follow from the figures alone."
        correction = Correction(
            where=own.where,
            printed=f"{own.row}: {figures} for {_data(own)}, quoted",
            actual=f"also printed for {_data(other)}" + (", in other columns" if swapped else ""),
            evidence=f"{other.experiment.partition('/')[0]}, {other.where}: {other.row}",
            method=own.method,
            fractions=tuple(dict.fromkeys(of_pair.fraction for of_pair, _ in pairs)),
            experiment=own.experiment,
        )
        numbers = {
            "here": [f"{a.column} {a.figure}" for a, _ in pairs],
            "there": [f"{b.column} {b.figure}" for _, b in pairs],
        }
        about = f"figures of {own.row} that stand twice"
        yield Finding(own.where, about, says, limits, numbers, Kind.SHARED, (correction,))


def _meaning(column: str) -> str:
    """``f1`` or ``accuracy``, by the name of a column."""
    return "f1" if "f1" in column.lower() else "accuracy"


def _data(entry: Entry) -> str:
    """What an entry is of, in words."""
    return f"{' + '.join(sorted(entry.databases))}, {entry.classes} classes"


def _by_method(entries: Sequence[Entry]) -> dict[str, list[Entry]]:
    """Entries of each method."""
    of_method: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        of_method[entry.method].append(entry)
    return of_method


def printed_entries() -> tuple[Entry, ...]:
    """Every printed score of every experiment that can be read; of parts that repeat it, once."""
    return _entries_below(tuple(settings.experiment_roots()))


@cache
def _entries_below(roots: tuple[Path, ...]) -> tuple[Entry, ...]:
    """Every printed score of the experiments below these folders, which are the known ones."""
    entries: dict[tuple[object, ...], Entry] = {}
    for name in experiment_names():
        try:
            configs = load_experiments(name)
        except ConfigError:
            continue
        for config in configs:
            for entry in _entries_of(config):
                key = (entry.paper, entry.where, entry.method, entry.column, *entry.data)
                entries.setdefault((*key, entry.fraction), entry)
    return tuple(entries.values())


def _entries_of(config: Experiment) -> Iterator[Entry]:
    """Printed scores of an experiment."""
    for row in config.rows:
        for number in row.published:
            if row.method is None or number.metric == "parameters":
                continue
            databases = [number.database] if number.database else config.data.databases
            scheme = get_scheme(config.data.scheme_of(config.data.databases[0]))
            yield Entry(
                experiment=config.name,
                where=number.where or config.table,
                row=row.name,
                method=row.method,
                column=number.name,
                value=number.value,
                fraction=number.fraction,
                databases=frozenset(p for name in databases for p in _PARTS.get(name, (name,))),
                classes=len(scheme.classes),
                quoted=number.quoted,
                source=config.paper.short if config.paper else "",
            )
