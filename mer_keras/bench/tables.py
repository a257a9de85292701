"""Measurements as markdown, in columns that a terminal shows too."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import JsonValue

from mer_keras.bench.measure import Facts, Measurement, ratios

HEADER = ("work", "way", "median s", "min", "max", "n", "per second", "ratio", "peak MiB", "facts")
#: Columns whose cells are numbers.
_NUMERIC = range(2, 9)


def cells(measurements: Sequence[Measurement]) -> list[tuple[str, ...]]:
    """Return one row of cells a measurement, in the order of ``HEADER``."""
    return [
        (
            m.work.replace("|", "/"),
            m.way.replace("|", "/"),
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
    from jinja2 import Environment, StrictUndefined

    table = [HEADER, *cells(measurements)]
    widths = [max(3, *map(len, column)) for column in zip(*table, strict=True)]
    rows = [
        [
            cell.rjust(width) if column in _NUMERIC else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        for row in table
    ]
    rule = ["-" * (width - 1) + "-:"[column in _NUMERIC] for column, width in enumerate(widths)]
    environment = Environment(  # noqa: S701 - It is no HTML.
        trim_blocks=True, keep_trailing_newline=True, undefined=StrictUndefined
    )
    template = Path(__file__).with_name("bench.md.j2").read_text(encoding="utf-8")
    return environment.from_string(template).render(
        description=description,
        rows=[rows[0], rule, *rows[1:]],
        not_measured=list(not_measured.items()),
    )
