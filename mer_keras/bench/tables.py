"""What was measured, as a table for the terminal and as markdown."""

from collections.abc import Mapping, Sequence
from typing import Any

from mer_keras.bench.measure import Measured, ratios

HEADER = ("work", "way", "median s", "min", "max", "n", "per second", "ratio", "peak MiB", "found")
#: columns whose cells are numbers
_NUMBERS = slice(2, 9)


def cells(rows: Sequence[Measured]) -> list[tuple[str, ...]]:
    """Return one line of cells a row, in the order of ``HEADER``."""
    return [
        (
            row.work,
            row.way,
            number(row.median),
            number(min(row.seconds, default=None)),
            number(max(row.seconds, default=None)),
            str(len(row.seconds) or "-"),
            number(row.rate),
            "-" if ratio is None else f"{ratio:.2f}",
            str(row.peak_mib if row.peak_mib is not None else "-"),
            told(row.facts),
        )
        for row, ratio in zip(rows, ratios(rows), strict=True)
    ]


def number(value: float | None) -> str:
    """Write a number with some four digits, without powers of ten; ``-`` for none."""
    if value is None:
        return "-"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3f}"


def told(facts: Mapping[str, float | str]) -> str:
    """Write facts in a line: ``name value, name value``."""
    return ", ".join(
        f"{name} {value}" if isinstance(value, str | int) else f"{name} {value:.3g}"
        for name, value in facts.items()
    )


def as_text(rows: Sequence[Measured]) -> str:
    """Return a table for the terminal."""
    lines = [HEADER, *cells(rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEADER))]
    numeric = range(len(HEADER))[_NUMBERS]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if i in numeric else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def as_markdown(
    rows: Sequence[Measured], absent: Mapping[str, str], described: Mapping[str, Any]
) -> str:
    """Return the whole document ``bench.md``.

    Args:
        rows: what was measured.
        absent: why, of each case that was not.
        described: machine, versions and so on, a line each.
    """
    numeric = range(len(HEADER))[_NUMBERS]
    rule = [("---:" if i in numeric else "---") for i in range(len(HEADER))]
    lines = ["# Speed and memory", "", "All data are drawn. `ratio`: seconds of the first way of a"]
    lines += ["work to these, by medians; above 1 is faster. `n`: repeats.", ""]
    lines += [f"- {name}: {_line(value)}" for name, value in described.items()]
    lines += ["", *(_markdown_row(line) for line in (HEADER, rule, *cells(rows)))]
    if absent:
        lines += ["", "Not measured:", ""]
        lines += [f"- {why}: {', '.join(names)}" for why, names in by_reason(absent).items()]
    return "\n".join(lines) + "\n"


def by_reason(absent: Mapping[str, str]) -> dict[str, list[str]]:
    """Return names by why they were not measured."""
    found: dict[str, list[str]] = {}
    for name, why in absent.items():
        found.setdefault(why, []).append(name)
    return found


def _markdown_row(line: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in line)} |"


def _line(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {one}" for name, one in value.items())
    return str(value)
