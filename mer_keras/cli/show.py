"""What the verbs print with: progress, tables, counts."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

#: of progress, where it is not shown on a terminal
SECONDS_BETWEEN_LINES = 5


@contextmanager
def show_progress(title: str) -> Iterator[Callable[[str, float, float], None]]:
    """Show one bar with the time left on the terminal, or a line now and then elsewhere."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.1f}/{task.total:.0f}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    with bar:
        task = bar.add_task(title, total=1)
        last = 0.0

        def tell(what: str, done: float, total: float) -> None:
            nonlocal last
            bar.update(task, description=f"{title}: {what}", completed=done, total=total)
            now = time.monotonic()
            if not console.is_terminal and (now - last > SECONDS_BETWEEN_LINES or done == total):
                print(f"{title}: {what} {done:.1f}/{total:.0f}", file=sys.stderr, flush=True)
                last = now

        yield tell


def print_table(header: list[str], rows: list[list[Any]]) -> None:
    """Print rows in columns as wide as their longest cell."""
    texts = [[str(cell) for cell in row] for row in [header, *rows]]
    widths = [max(len(row[i]) for row in texts) for i in range(len(header))]
    for row in texts:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )


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


def counts(of: dict[str, int]) -> str:
    """Return ``"anger 57, fear 8"``."""
    return ", ".join(f"{name} {count}" for name, count in of.items())
