"""Figures of stored runs within texts such as the README: put there by a command, never by hand.

A text has marks, between which a command writes what is stored:

- ``<!-- overview: begin -->`` to ``<!-- overview: end -->``: the overview of all published tables,
  or of the lines that the first mark names, one ``experiment: row`` a line;
- ``<!-- table: begin FILE.csv -->`` to ``<!-- table: end -->``: a stored table, or its columns and
  rows (by the first of these columns) that the first mark names in lines that begin with
  ``columns:`` and ``rows:``, with semicolons between the names;
- ``<!-- difference: FILE.json METRIC -->`` to ``<!-- end -->``: what ``mer-keras compare --json``
  found.

Files are named from the folder of stored reports on.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from mer_keras.errors import UserError
from mer_keras.report.formats import markdown_text
from mer_keras.report.overview import OverviewLine, as_markdown

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_OVERVIEW = re.compile(r"(<!-- overview: begin(.*?)-->\n).*?(<!-- overview: end -->)", re.DOTALL)
_TABLE = re.compile(
    r"(<!-- table: begin (\S+)\s(?:columns: (.*?)\n)?(?:rows: (.*?)\n)?-->\n)"
    r".*?(<!-- table: end -->)",
    re.DOTALL,
)
_DIFFERENCE = re.compile(r"(<!-- difference: (\S+) (\w+) -->).*?(<!-- end -->)", re.DOTALL)
_UF1 = re.compile(r"UF1 ([\d.]+) \[([\d.]+), ([\d.]+)\]")
_PRINTED_UF1 = re.compile(r"UF1 ([\d.]+)(?:;|$)")


def fill(text: str, lines: Sequence[OverviewLine], stored: Path) -> str:
    """Write what is stored between the marks of a text.

    Args:
        text: markdown with marks.
        lines: the whole overview.
        stored: folder of reports.

    Raises:
        UserError: there is no mark, or one names what isn't stored.
    """
    if not any(mark.search(text) for mark in (_OVERVIEW, _TABLE, _DIFFERENCE)):
        raise UserError(
            "expected a text with marks such as <!-- overview: begin --> and <!-- overview: end -->"
        )
    text = _OVERVIEW.sub(lambda m: f"{m[1]}{as_markdown(_chosen(lines, m[2]))}\n{m[3]}", text)
    text = _TABLE.sub(lambda m: f"{m[1]}{_stored_table(stored / m[2], m[3], m[4])}\n{m[5]}", text)
    return _DIFFERENCE.sub(lambda m: f"{m[1]}{_difference(stored / m[2], m[3])}{m[4]}", text)


def _chosen(lines: Sequence[OverviewLine], names: str) -> list[OverviewLine]:
    """The lines that are named, in that order; all where none is."""
    line_of = {f"{line.experiment}: {line.row}": line for line in lines}
    chosen = []
    for name in filter(None, map(str.strip, names.splitlines())):
        if name not in line_of:
            raise UserError(f"the overview has no line {name!r}; it has {', '.join(line_of)}")
        chosen.append(line_of[name])
    return chosen or list(lines)


def _stored_table(path: Path, columns: str | None, rows: str | None) -> str:
    """A stored CSV table as markdown; of the columns and rows that are named, if any are."""
    if not path.is_file():
        raise UserError(f"{path}: no such stored table")
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    if columns is not None:
        table = table[_known_names(columns, list(table.columns), f"{path}: column")]
    if rows is not None:
        table = table.set_index(table.columns[0], drop=False)
        table = table.loc[_known_names(rows, list(table.index), f"{path}: row")]
    lines = [list(table.columns), ["---"] * len(table.columns), *table.to_numpy().tolist()]
    return "\n".join(f"| {' | '.join(map(markdown_text, line))} |" for line in lines)


def _known_names(names: str, known: Sequence[str], where: str) -> list[str]:
    """The names that semicolons divide, each of which must be known."""
    chosen = [name.strip() for name in names.split(";")]
    for name in chosen:
        if name not in known:
            raise UserError(f"{where} {name!r} isn't there; there are {', '.join(known)}")
    return chosen


def _difference(path: Path, metric: str) -> str:
    """``+6.5 points [+3.9, +9.7]``."""
    if not path.is_file():
        raise UserError(f"{path}: no such stored comparison")
    differences = json.loads(path.read_text(encoding="utf-8"))["differences"]
    for difference in differences:
        if difference["metric"] == metric:
            low, high = (100 * end for end in difference["interval"])
            return f"{100 * difference['difference']:+.1f} points [{low:+.1f}, {high:+.1f}]"
    raise UserError(f"{path}: no metric {metric!r} is compared there")


def overview_svg(lines: Sequence[OverviewLine]) -> str:
    """Draw UF1 of every stored row with its interval, and the printed UF1 where there is one.

    Raises:
        UserError: nothing is stored.
    """
    from mer_keras.report.drawing import COLOURS, plain_drawing

    stored = [line for line in lines if _UF1.search(line.ours)]
    if not stored:
        raise UserError("no stored run to draw: mer-keras report writes one from a run")
    title = "UF1 of stored runs on real data, 95 % intervals over subjects"
    size = (8.4, 1.2 + 0.27 * len(stored))
    with plain_drawing("overview", title, size, synthetic=False) as drawing:
        axes = drawing.figure.add_subplot(xlabel="UF1, %", xlim=(30, 100))
        for position, line in enumerate(stored):
            _draw_line(axes, position, line, COLOURS)
        axes.set_yticks(range(len(stored)), [_short(line) for line in stored])
        axes.set_ylim(len(stored) - 0.4, -0.6)
        axes.grid(axis="x", alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        handles, labels = axes.get_legend_handles_labels()
        by_label = dict(zip(labels, handles, strict=True))
        axes.legend(by_label.values(), by_label.keys(), frameon=False, loc="lower right")
    return drawing.svg


def _short(line: OverviewLine) -> str:
    """``row (paper)`` of a line."""
    paper = line.paper.partition(",")[0]
    return line.row if paper == "-" else f"{line.row} ({paper})"


def _draw_line(axes: "Axes", position: int, line: OverviewLine, colours: Sequence[str]) -> None:
    """Draw a row's estimate with its interval, and the printed number."""
    value, low, high = map(float, _UF1.findall(line.ours)[0])
    axes.errorbar(
        value,
        position,
        xerr=[[max(value - low, 0)], [max(high - value, 0)]],
        fmt="o",
        markersize=5,
        color=colours[0],
        label="ours",
    )
    printed = _PRINTED_UF1.search(line.published)
    if printed:
        axes.plot(
            float(printed[1]),
            position,
            "D",
            markersize=7,
            markerfacecolor="none",
            markeredgewidth=1.5,
            color=colours[1],
            label="published",
        )
