"""A table as a page shows it: one number a column, short heads, nothing that the caption says.

The table's files keep their columns. A page has less room: a cell with several numbers is divided,
heads are shortened (the legend above the tables says what they mean), and what a method was
expected to find stands beside what it found only where the two differ.
"""

import re
from collections import Counter
from collections.abc import Iterator

from mer_keras.evaluation.pipeline_check import MotionCheck
from mer_keras.report.table import EMPTY_CELLS, Table, without_empty_columns
from mer_keras.report.tables import CHOSEN_BY, OVER_FOLDS, PUBLISHED, WEIGHTS

#: What shortened heads and marks mean, for the legend of a page.
LEGEND = (
    "UF1, UAR and WAR are in per cent, pooled over all tested clips. Brackets and bars are 95 % "
    "bootstrap intervals over subjects. UAR of folds is the mean ± SD over folds, over the classes "
    "of each fold. ? marks a published number whose paper doesn't say which average it is. "
    "What chose the epoch is said of the method's own public code"
)
_HEADS = {
    CHOSEN_BY: "epoch chosen by",
    OVER_FOLDS: "UAR of folds",
    WEIGHTS: "parameters",
    "million multiply-accumulates a clip": "million operations a clip",
}
#: Sentences of cells -> the few words that they have on a page.
_CELLS = {"there are no epochs": "no epochs", "nothing, it is the last": "last epoch"}
_METRIC_HEAD = re.compile(r"(\w+) %.* \[95 % over subjects\]")
#: Columns that say what the caption says, or another column's cells.
_SAID_ELSEWHERE = ("real", "expected")
#: Verdicts of a row that stand in full.
_VERDICTS_IN_FULL = 2


def page_table(table: Table) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Heads and rows of a table for a page, without empty columns."""
    heads = tuple(_heads(table))
    rows = [_page_row(table, number) for number in range(len(table.records))]
    return without_empty_columns(
        heads, [tuple(row.get(head, "-") for head in heads) for row in rows]
    )


def _heads(table: Table) -> Iterator[str]:
    """Heads of a page's columns, empty ones too, in the order of the table's columns.

    Beside own results stand the published numbers of the whole table alone; those of its parts,
    whose names have a comma, come last.
    """
    last = []
    for column in table.records[0]:
        if column in table.parts:
            names = dict.fromkeys(name for of_row in table.parts[column] for name in of_row)
            of_parts = [name for name in names if table.view is not None and "," in name]
            last += [_part_head(column, name) for name in of_parts]
            yield from (_part_head(column, name) for name in names if name not in of_parts)
        elif column not in _SAID_ELSEWHERE:
            yield _head(column)
    yield from last


def _page_row(table: Table, number: int) -> dict[str, str]:
    """Head -> cell of one row."""
    cells: dict[str, str] = {}
    record = table.records[number]
    for column, cell in record.items():
        if column in table.parts:
            cells |= {
                _part_head(column, name): _short(part)
                for name, part in table.parts[column][number].items()
            }
        elif column == "drawn motion":
            cells[column] = _found(cell, record["expected"])
        elif column == "verdict":
            cells[column] = _verdicts(cell)
        elif column not in _SAID_ELSEWHERE:
            cells[_head(column)] = _CELLS.get(cell, cell)
    return cells


def _head(column: str) -> str:
    match = _METRIC_HEAD.fullmatch(column)
    return match[1] if match else _HEADS.get(column, column)


def _part_head(column: str, name: str) -> str:
    """Head of one number of a divided column."""
    return f"published {name}" if column == PUBLISHED else f"{column}, {name}"


def _short(cell: str) -> str:
    """A published number with the short form of what is said of it."""
    cell = cell.replace(" (which average: unknown)", " ?")
    return re.sub(r" \((= [^)]*)\)", r" \1", cell)


def _verdicts(cell: str) -> str:
    """The verdicts on a row's published numbers; of more than two, how many there are of each."""
    words = [text.rpartition(": ")[2] for text in cell.split("; ")]
    if len(words) <= _VERDICTS_IN_FULL:
        return cell
    return ", ".join(f"{count} {word}" for word, count in Counter(words).items())


def _found(cell: str, expected: str) -> str:
    """What a row found, and what was expected of it where it is worth saying."""
    if cell == MotionCheck.NOT_FOUND and expected == MotionCheck.NOT_FOUND:
        return f"{cell} (expected)"
    if expected in EMPTY_CELLS or cell in (expected, MotionCheck.UNFINISHED):
        return cell
    return f"{cell} (unexpected)"
