"""What the verbs print with: progress, tables, JSON, counts."""

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated

import typer

from mer_keras.progress import Progress

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


def print_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows in columns as wide as their longest cell."""
    texts = [[str(cell) for cell in row] for row in [header, *rows]]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    for row in texts:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )


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
