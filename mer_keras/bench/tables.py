"""Measurements as a table for the terminal and as markdown."""

from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from mer_keras.bench.measure import Facts, Measurement, ratios

HEADER = ("work", "way", "median s", "min", "max", "n", "per second", "ratio", "peak MiB", "facts")
#: Columns whose cells are numbers.
_NUMERIC = range(2, 9)


def cells(measurements: Sequence[Measurement]) -> list[tuple[str, ...]]:
    """Return one row of cells a measurement, in the order of ``HEADER``."""
    return [
        (
            m.work,
            m.way,
            number(m.median),
            number(min(m.seconds, default=None)),
            number(max(m.seconds, default=None)),
            str(len(m.seconds) or "-"),
            number(m.rate),
            "-" if ratio is None else f"{ratio:.2f}",
            str(m.peak_mib if m.peak_mib is not None else "-"),
            facts_text(m.facts),
        )
        for m, ratio in zip(measurements, ratios(measurements), strict=True)
    ]


def number(value: float | None) -> str:
    """Write a number with some four digits, without powers of ten; ``-`` for none."""
    if value is None:
        return "-"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3f}"


def facts_text(facts: Facts) -> str:
    """Write facts in a line: ``name value, name value``."""
    return ", ".join(
        f"{name} {value}" if isinstance(value, str | int) else f"{name} {value:.3g}"
        for name, value in facts.items()
    )


def as_text(measurements: Sequence[Measurement]) -> str:
    """Return a table for the terminal."""
    rows = [HEADER, *cells(measurements)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column in _NUMERIC else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def as_markdown(
    measurements: Sequence[Measurement],
    not_measured: Mapping[str, str],
    description: Mapping[str, JsonValue],
) -> str:
    """Return the whole document ``bench.md``.

    Args:
        measurements: one row of the table each.
        not_measured: names of cases, each with the reason.
        description: machine, versions and so on, one line each.
    """
    rule = [("---:" if column in _NUMERIC else "---") for column in range(len(HEADER))]
    lines = [
        "# Speed and memory",
        "",
        "All data are synthetic. `ratio`: seconds of the first way of",
    ]
    lines += [
        "a work, divided by those of this way (medians); above 1 is faster. `n`: repeats.",
        "",
    ]
    lines += [f"- {name}: {_value_text(value)}" for name, value in description.items()]
    lines += ["", *(_markdown_row(row) for row in (HEADER, rule, *cells(measurements)))]
    if not_measured:
        lines += ["", "Not measured:", ""]
        lines += [
            f"- {reason}: {', '.join(names)}" for reason, names in by_reason(not_measured).items()
        ]
    return "\n".join(lines) + "\n"


def by_reason(not_measured: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the names of cases by the reason why they were not measured."""
    names: dict[str, list[str]] = {}
    for name, reason in not_measured.items():
        names.setdefault(reason, []).append(name)
    return names


def _markdown_row(row: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in row)} |"


def _value_text(value: JsonValue) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {item}" for name, item in value.items())
    return str(value)
