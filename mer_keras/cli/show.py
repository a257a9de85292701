"""What the verbs print with: progress, tables, JSON, counts."""

import json
import re
import shutil
import sys
import textwrap
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import zip_longest
from typing import Annotated

import typer

from mer_keras.progress import Progress
from mer_keras.report.table import without_empty_columns

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

#: A blank within an interval, or between a number and its unit; it is no place to end a line.
_WITHIN = re.compile(r"(?<=[\d],) (?=[-+]?[\d.]+\])|(?<=\d) (?=(?:[GMk]|MiB|GiB|%|s|min)\b)")
_GLUE = "\N{NO-BREAK SPACE}"
#: Seconds between two lines of progress, where there is no terminal to show a bar on.
SECONDS_BETWEEN_LINES = 5


@contextmanager
def show_progress(title: str) -> Iterator[Progress]:
    """Show one bar with the time left on the terminal, or a line now and then elsewhere."""
    from rich import progress as rich_progress
    from rich.console import Console

    console = Console(stderr=True)
    bar = rich_progress.Progress(
        rich_progress.TextColumn("{task.description}", markup=False),
        rich_progress.BarColumn(),
        rich_progress.TextColumn("{task.completed:.1f}/{task.total:.0f}"),
        rich_progress.TimeElapsedColumn(),
        rich_progress.TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    with bar:
        task = bar.add_task(title, total=1)
        last_line = 0.0

        def report(step: str, done: float, total: float) -> None:
            nonlocal last_line
            step = printable(step)  # It may name a row of somebody else's run.
            bar.update(task, description=f"{title}: {step}", completed=done, total=total)
            now = time.monotonic()
            due = now - last_line > SECONDS_BETWEEN_LINES or done == total
            if due and not console.is_terminal:
                print(f"{title}: {step} {done:.1f}/{total:.0f}", file=sys.stderr, flush=True)
                last_line = now

        yield report


def print_json(tree: object) -> None:
    """Print something JSON-ready."""
    print(json.dumps(tree, indent=1))


def print_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows in columns that fit the terminal, without columns that say nothing.

    What a terminal would take for commands is replaced, here as in ``print_wrapped``.

    The widest columns are wrapped first, between words. Where even that is too wide, each row is
    printed as a list of its cells.

    Args:
        header: names of the columns.
        rows: as many cells each.
    """
    titles, shown = without_empty_columns(
        [printable(title) for title in header],
        [[printable(str(cell)) for cell in row] for row in rows],
    )
    widths = _widths([titles, *shown])
    if widths is None:
        _print_records(titles, shown)
        return
    for row in [titles, *shown]:
        cells = [_wrap(cell, width) for cell, width in zip(row, widths, strict=True)]
        for lines in zip_longest(*cells, fillvalue=""):
            padded = (line.ljust(width) for line, width in zip(lines, widths, strict=True))
            print("  ".join(padded).rstrip())


def _widths(rows: Sequence[Sequence[str]]) -> list[int] | None:
    """Widths of columns that fit the terminal; None where words are too long for that."""
    columns = list(zip(*rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    least = [max(map(_longest_word, column)) for column in columns]
    room = _terminal_width() - 2 * (len(columns) - 1)
    if sum(least) > room:
        return None
    while sum(widths) > room:
        wide = [number for number, width in enumerate(widths) if width > least[number]]
        widths[max(wide, key=lambda number: widths[number])] -= 1
    return widths


def _longest_word(text: str) -> int:
    return max(map(len, _glued(text).split(" ")), default=0)


def _print_records(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print the first cell of each row, and below it the others with the names of their columns."""
    for first, *others in rows:
        print(f"{titles[0]}: {first}")
        for title, cell in zip(titles[1:], others, strict=True):
            print_wrapped(f"{title}: {cell}", indent=4)


def print_wrapped(text: str, *, indent: int = 0) -> None:
    """Print a text in lines no wider than the terminal, indented by so many columns."""
    for line in _wrap(printable(text), max(_terminal_width() - indent, 20)):
        print(" " * indent + line)


def _terminal_width() -> int:
    return shutil.get_terminal_size((80, 24)).columns


def _wrap(text: str, width: int) -> list[str]:
    """Lines of a text; a word is never broken, such as a path, nor an interval or a unit."""
    lines = textwrap.wrap(_glued(text), width, break_long_words=False, break_on_hyphens=False)
    return [line.replace(_GLUE, " ") for line in lines] or [""]


def _glued(text: str) -> str:
    """A text in which ``[57.0, 71.6]`` and ``178 MiB`` are one word each."""
    return _WITHIN.sub(_GLUE, text)


def show(
    as_json: bool, tree: object, header: Sequence[str], rows: Sequence[Sequence[object]]
) -> None:
    """Print JSON where that is asked for, else a table that says the same to readers."""
    if as_json:
        print_json(tree)
    else:
        print_table(header, rows)


def duration(seconds: float) -> str:
    """Return ``"under a minute"``, ``"12 min"``, ``"3 h 05 min"`` or ``"4 days"``."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return "under a minute"
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60:02} min"
    return f"{round(minutes / 60 / 24)} days"


def counts(of_classes: Mapping[str, int]) -> str:
    """Return ``"anger 57, fear 8"``."""
    return ", ".join(f"{name} {count}" for name, count in of_classes.items())


def printable(text: str) -> str:
    """Return text without what a terminal would take for commands."""
    return "".join(
        c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text
    )
