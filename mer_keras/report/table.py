"""A table of text cells, which is shown without its empty columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from mer_keras.terms import DataKind

if TYPE_CHECKING:
    from mer_keras.report.view import RunView

#: What stands in a cell that has nothing to say.
EMPTY_CELLS = ("", "-")


@dataclass(frozen=True)
class Table:
    """A table of text cells.

    Attributes:
        name: names its files.
        title: names it for readers.
        data_kind: value of ``terms.DataKind``; ``published`` where there is no run.
        caption: what was run, on which data, under which protocol and selection.
        records: one a row, at least one: name of the column -> cell; the first names the row.
        notes: remarks below the table, numbered from 1.
        view: the run that the numbers come from.
        parts: name of a column that holds several numbers -> for each row, name of a number ->
            cell. A page has a column for each number.
    """

    name: str
    title: str
    data_kind: str
    caption: str
    records: Sequence[Mapping[str, str]]
    notes: Sequence[str] = ()
    view: "RunView | None" = None
    parts: Mapping[str, Sequence[Mapping[str, str]]] = field(default_factory=dict)

    @property
    def header(self) -> tuple[str, ...]:
        """Names of the columns that say something."""
        return self._shown[0]

    @property
    def rows(self) -> tuple[tuple[str, ...], ...]:
        """Cells of each row, in the columns that say something."""
        return self._shown[1]

    @cached_property
    def _shown(self) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
        return without_empty_columns(
            tuple(self.records[0]), [tuple(cells.values()) for cells in self.records]
        )

    @property
    def synthetic(self) -> bool:
        """Whether it needs the watermark."""
        return self.data_kind == DataKind.SYNTHETIC


def without_empty_columns(
    header: Sequence[str], rows: Sequence[Sequence[str]]
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Leave out the columns of which no row says anything, but for the first one.

    Args:
        header: names of the columns.
        rows: cells, as many as columns in each row.

    Returns:
        The names that are left, and the rows with the cells that are left.
    """
    shown = [
        number
        for number in range(len(header))
        if number == 0 or any(row[number] not in EMPTY_CELLS for row in rows)
    ]
    return (
        tuple(header[number] for number in shown),
        tuple(tuple(row[number] for number in shown) for row in rows),
    )
