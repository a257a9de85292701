"""Differences that a text states: do they follow from the printed numbers?"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import permutations

from mer_keras.audit.finding import Correction, Finding, Kind
from mer_keras.audit.published import Difference
from mer_keras.audit.shared import printed_entries
from mer_keras.evaluation.metrics import TITLES


def difference_findings(paper: str, differences: Sequence[Difference]) -> Iterator[Finding]:
    """Compare stated differences with those of the printed numbers: one finding for each that errs.

    Where one doesn't follow, other rows of the same table and column that give it are named.

    Args:
        paper: name of the paper's folder, in whose experiments such rows are looked for.
        differences: what the text states.
    """
    if not differences:
        return
    right = [difference for difference in differences if _follows(difference)]
    yield Finding(
        "text",
        "differences that the text states",
        f"{len(right)} of the {len(differences)} follow from the printed numbers",
        "",
        {difference.about: difference.printed for difference in right},
        Kind.ARITHMETIC,
    )
    for difference in differences:
        if not _follows(difference):
            yield _wrong_difference(paper, difference)
        if difference.metrics:
            yield _mixed_metrics(difference)


def _value(difference: Difference) -> Decimal:
    """What the printed numbers give."""
    value = Decimal(str(difference.first)) - Decimal(str(difference.second))
    if difference.percent_of is not None:
        value = 100 * value / Decimal(str(difference.percent_of))
    return value


def _follows(difference: Difference) -> bool:
    """Whether the stated difference rounds from that of the printed numbers."""
    printed = Decimal(difference.printed)
    half = Decimal(1).scaleb(int(printed.as_tuple().exponent)) / 2
    return abs(_value(difference) - printed) <= half


def _operation(difference: Difference) -> str:
    """The computation in figures."""
    operation = f"{difference.first:.10g} - {difference.second:.10g}"
    if difference.percent_of is not None:
        operation = f"100 ({operation}) / {difference.percent_of:.10g}"
    return operation


def _wrong_difference(paper: str, difference: Difference) -> Finding:
    """A difference that the printed numbers don't give."""
    printed = Decimal(difference.printed)
    shown = f"{_value(difference):.2f}" if difference.percent_of else str(_value(difference))
    others = _rows_that_give(paper, difference.where, printed)
    about = f"{difference.about}: {difference.printed}"
    says = f"{_operation(difference)} = {shown}, not {difference.printed}"
    actual = shown
    if others:
        says += f"; {difference.printed} is {', '.join(others)}"
        actual += f"; {difference.printed} is {others[0]}"
    numbers = {"printed": difference.printed, "recomputed": shown, "rows that give it": others}
    evidence = f"{_operation(difference)}, all as printed"
    correction = Correction(difference.where, about, actual, evidence)
    return Finding(difference.where, about, says, "", numbers, Kind.ARITHMETIC, (correction,))


def _mixed_metrics(difference: Difference) -> Finding:
    """A difference between numbers of two different metrics."""
    first, second = (TITLES[name] for name in difference.metrics or ())
    about = f"{difference.about}: {difference.printed}"
    says = f"a {second} is subtracted from a {first}: {difference.why}"
    limits = "How far the methods differ in one metric doesn't follow."
    correction = Correction(difference.where, about, f"a {first} less a {second}", difference.why)
    return Finding(difference.where, about, says, limits, {}, Kind.ARITHMETIC, (correction,))


def _rows_that_give(paper: str, where: str, printed: Decimal) -> list[str]:
    """Pairs of rows of one table and column whose difference is the printed one."""
    columns: dict[tuple[str, str], dict[str, Decimal]] = defaultdict(dict)
    for entry in printed_entries():
        if entry.paper == paper and entry.where in where:
            columns[entry.where, entry.column][entry.row] = Decimal(str(entry.value))
    return [
        f"{first} less {second} ({table}, {title})"
        for (table, title), of_rows in columns.items()
        for first, second in permutations(of_rows, 2)
        if of_rows[first] - of_rows[second] == printed
    ]
