"""How long work takes: what was expected beforehand, corrected by what is done already.

Work is divided into pieces: drawing clips, loading an input, training a row over its folds. Each
has the seconds that it is expected to take. Pieces of one kind are slower or quicker than expected
by one factor, which is learned from the parts that are done.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from mer_keras.progress import Progress

#: An expectation weighs as much as so many seconds of work that was timed.
_TRUST = 2.0
#: What is common to a group of kinds, such as a machine that is busy, weighs less: so many seconds.
_TRUST_IN_GROUP = 6.0
#: Building and tracing a network take as long as expected, up to this factor either way.
_START_FACTOR = 3.0
#: The group of the times before the first part of a piece is done.
START = "start"
#: A kind is a group and names within it: what is common is learned within the group.
SEPARATOR = "|"


@dataclass(frozen=True)
class Piece:
    """One piece of work.

    Attributes:
        title: as reports of progress name it.
        kind: pieces of one kind are slower or quicker than expected by one factor; a group, such as
            ``train``, and names within it, divided by ``SEPARATOR``.
        seconds: that it is expected to take.
        start: seconds that are expected to pass before, such as for building a network.
        start_kind: kind of that time.
    """

    title: str
    kind: str
    seconds: float
    start: float = 0.0
    start_kind: str = START

    @property
    def total(self) -> float:
        """All seconds that it is expected to take."""
        return self.start + self.seconds


@dataclass(frozen=True)
class Moment:
    """Where work stands.

    Attributes:
        what: title of the piece that is being worked on, or what else is being done.
        table: name of the table that it belongs to.
        number: position of this table, from 1.
        tables: number of tables.
        share: part of all work that is done, in 0..1, by time.
        left: seconds that the rest is expected to take.
    """

    what: str
    table: str
    number: int
    tables: int
    share: float
    left: float


class Timetable:
    """All work of a command, table by table, and how far it is."""

    def __init__(
        self,
        expected: Mapping[str, Sequence[Piece]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin.

        Args:
            expected: the pieces of each table, in the order in which tables are worked on.
            clock: returns seconds.
        """
        self._clock = clock
        self._began = self._reported = clock()
        self._pieces = {table: {p.title: p for p in pieces} for table, pieces in expected.items()}
        self._done: dict[tuple[str, str], float] = {}
        self._table = next(iter(self._pieces), "")
        self._title = ""
        #: Expected and measured seconds of what is done, by kind.
        self._timed: dict[str, tuple[float, float]] = {}

    def begin(self, table: str) -> Progress:
        """Begin a table; return the callback that reports on its pieces."""
        self._table, self._title, self._reported = table, "", self._clock()
        return partial(self._report, table)

    def expect(self, table: str, pieces: Sequence[Piece]) -> None:
        """Replace what is left to do of a table, as when it is known more exactly."""
        self._pieces[table] = {piece.title: piece for piece in pieces}
        self._done = {key: share for key, share in self._done.items() if key[0] != table}

    def finish(self, table: str) -> None:
        """End a table: nothing of it is left to do."""
        self.expect(table, ())

    def factor(self, kind: str) -> float:
        """Return how many times the expected seconds work of a kind takes, as far as is known."""
        group = _group(kind)
        of_group = [pair for name, pair in list(self._timed.items()) if _group(name) == group]
        expected = sum(pair[0] for pair in of_group)
        measured = sum(pair[1] for pair in of_group)
        common = (measured + _TRUST_IN_GROUP) / (expected + _TRUST_IN_GROUP)
        expected, measured = self._timed.get(kind, (0.0, 0.0))
        return (measured + _TRUST * common) / (expected + _TRUST)

    def timed(self) -> dict[str, tuple[float, float]]:
        """Return the expected and the measured seconds of what is done, by kind."""
        return dict(self._timed)

    def left(self) -> float:
        """Return how many seconds the rest is expected to take."""
        seconds = 0.0
        for table, pieces in self._pieces.items():
            for title, piece in pieces.items():
                rest = self._left_of(table, piece)
                if (table, title) == (self._table, self._title):
                    rest = max(0.0, rest - (self._clock() - self._reported))
                seconds += rest
        return seconds

    def moment(self) -> Moment:
        """Return where work stands now."""
        elapsed, left = self._clock() - self._began, self.left()
        tables = list(self._pieces)
        return Moment(
            what=self._title,
            table=self._table,
            number=tables.index(self._table) + 1 if self._table in tables else 0,
            tables=len(tables),
            share=elapsed / (elapsed + left) if elapsed + left else 1.0,
            left=left,
        )

    def _left_of(self, table: str, piece: Piece) -> float:
        done = self._done.get((table, piece.title))
        if done is None:
            start = piece.start * self.factor(piece.start_kind)
            return start + piece.seconds * self.factor(piece.kind)
        return (1 - done) * piece.seconds * self.factor(piece.kind)

    def _report(self, table: str, title: str, done: float, total: float) -> None:
        """Note that part of a piece is done; ``done`` 0 says that it begins."""
        now = self._clock()
        elapsed = now - self._reported
        self._table, self._title, self._reported = table, title, now
        piece = self._pieces.get(table, {}).get(title)
        if piece is None or done <= 0:
            return
        before = self._done.get((table, title))
        share = min(1.0, done / total)
        expected = (share - (before or 0.0)) * piece.seconds
        if before is None and piece.start:
            expected_start = piece.start * self.factor(piece.start_kind)
            start = elapsed - expected * self.factor(piece.kind)
            start = min(max(start, expected_start / _START_FACTOR), expected_start * _START_FACTOR)
            start = min(start, elapsed)
            self._add(piece.start_kind, piece.start, start)
            elapsed -= start
        self._add(piece.kind, expected, elapsed)
        self._done[table, title] = share

    def _add(self, kind: str, expected: float, measured: float) -> None:
        if expected > 0:
            before = self._timed.get(kind, (0.0, 0.0))
            self._timed[kind] = before[0] + expected, before[1] + measured


def _group(kind: str) -> str:
    return kind.partition(SEPARATOR)[0]
