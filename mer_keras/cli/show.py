"""What the verbs print with: progress, tables, JSON, counts."""

import json
import shutil
import sys
import textwrap
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated

import typer

from mer_keras.progress import Progress
from mer_keras.report.formats import without_empty_columns

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

#: Seconds between two lines of progress, where there is no terminal to show a bar on.
SECONDS_BETWEEN_LINES = 5


@contextmanager
def show_progress(title: str) -> Iterator[Progress]:
    """Show one bar with the time left on the terminal, or a line now and then elsewhere."""
    from rich import progress as rich_progress
    from rich.console import Console

    console = Console(stderr=True)
    bar = rich_progress.Progress(
        rich_progress.TextColumn("{task.description}"),
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


def print_table(
    header: Sequence[str], rows: Sequence[Sequence[object]], *, fit: bool = False
) -> None:
    """Print rows in columns as wide as their longest cell, without columns that say nothing.

    Args:
        header: names of the columns.
        rows: as many cells each.
        fit: wrap the last column, so that no line is wider than the terminal.
    """
    titles, shown = without_empty_columns(header, [[str(cell) for cell in row] for row in rows])
    texts = [titles, *shown]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    indent = sum(widths[:-1]) + 2 * (len(widths) - 1)
    for row in texts:
        *cells, last = row
        padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=False)]
        lines = _wrap(last, indent) if fit else [last]
        print("  ".join([*padded, lines[0]]).rstrip())
        for line in lines[1:]:
            print(" " * indent + line)


def print_wrapped(text: str, *, indent: int = 0) -> None:
    """Print a text in lines no wider than the terminal, indented by so many columns."""
    for line in _wrap(text, indent):
        print(" " * indent + line)


def _wrap(text: str, indent: int) -> list[str]:
    """Lines of a text that fit behind an indentation; a word is never broken, such as a path."""
    width = max(shutil.get_terminal_size((80, 24)).columns - indent, 20)
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]


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
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)
