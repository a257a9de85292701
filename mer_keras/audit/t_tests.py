"""Printed p-values of t-tests between methods: over which numbers they were computed."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from scipy import stats

from mer_keras.audit.finding import Finding, Kind
from mer_keras.audit.published import PrintedTTests
from mer_keras.config.experiment import Experiment, Row
from mer_keras.config.files import load_experiments
from mer_keras.errors import ConfigError, did_you_mean

#: Differences with a smaller p are called significant by the paper.
LEVEL = 0.05


@dataclass(frozen=True)
class TTestForm:
    """One way to compute p from a few numbers a method.

    Attributes:
        paired: whether the numbers of the two methods are paired by database.
        sides: 1 where the own method is asked to be better, 2 where only to differ.
        with_pooled: whether the number of all databases together counts as one more measurement.
    """

    paired: bool
    sides: int
    with_pooled: bool

    @property
    def title(self) -> str:
        """The form in words."""
        kind = "paired" if self.paired else "unpaired"
        return f"{kind}, {'one' if self.sides == 1 else 'two'}-sided"


FORMS = tuple(TTestForm(*form) for form in product((True, False), (2, 1), (False, True)))
#: The form that asks whether two methods differ on the databases.
_STRICT = TTestForm(paired=True, sides=2, with_pooled=False)


def p_value(own: Row, other: Row, metric: str, form: TTestForm) -> float:
    """Return p of a t-test between the numbers that a table prints of two methods.

    Args:
        own: the method that is said to be better.
        other: another, with numbers of the same databases.
        metric: which of their numbers.
        form: how it is computed.
    """
    own_numbers, other_numbers = _numbers(own, metric), _numbers(other, metric)
    pairs = [
        (number, other_numbers[database])
        for database, number in own_numbers.items()
        if database in other_numbers and (form.with_pooled or database is not None)
    ]
    test = stats.ttest_rel if form.paired else stats.ttest_ind
    alternative = "two-sided" if form.sides == 2 else "greater"
    return float(test(*zip(*pairs, strict=True), alternative=alternative).pvalue)


def fits(p: float, printed: str) -> bool:
    """Whether a p-value is printed so, rounded or cut off."""
    decimals = len(printed.partition(".")[2])
    return abs(p - float(printed)) < 10**-decimals


def t_test_finding(tests: PrintedTTests) -> Finding:
    """Find the form that gives the printed p-values, and what another gives."""
    (config,) = load_experiments(tests.experiment)
    rows = {row.name: row for row in config.rows}
    own = _row(rows, tests.own, config)
    printed = [
        (metric, _row(rows, name, config), text)
        for metric, texts in tests.p.items()
        for name, text in texts.items()
    ]
    fitting: dict[TTestForm, int] = {}
    significant: dict[TTestForm, int] = {}
    for form in FORMS:
        p_values = [p_value(own, other, metric, form) for metric, other, _ in printed]
        texts = (text for _, _, text in printed)
        fitting[form] = sum(map(fits, p_values, texts))
        significant[form] = sum(p < LEVEL for p in p_values)
    best = max(FORMS, key=lambda form: fitting[form])
    count = len(_numbers(own, printed[0][0])) - (0 if best.with_pooled else 1)
    says = (
        f"{fitting[best]} of the {len(printed)} p-values are those of a {best.title} t-test over "
        f"{count} figures a method"
    )
    if best.with_pooled:
        says += (
            ": those of the databases and, as if it were one more, that of all of them together. "
            f"Two-sided and over the databases alone {significant[_STRICT]} would be below "
            f"{LEVEL:g}, not {significant[best]}"
        )
    limits = (
        "Such a test asks whether the databases agree, not whether other clips or other people "
        "would: for that, predictions of the same clips are needed."
    )
    numbers = {
        f"{form.title}, {'with' if form.with_pooled else 'without'} the whole": {
            "fit": fitting[form],
            "below 0.05": significant[form],
        }
        for form in FORMS
    }
    endings = _endings(own, printed, best)
    says += f". {endings}" if endings else ""
    return Finding(tests.where, "p-values of t-tests", says, limits, numbers, Kind.TEST)


def _endings(own: Row, printed: Sequence[tuple[str, Row, str]], form: TTestForm) -> str:
    """How the digits of each metric's p-values end, where the two metrics' end otherwise."""
    endings = {}
    for metric in dict.fromkeys(metric for metric, _, _ in printed):
        p_values = [
            (p_value(own, other, metric, form), text) for of, other, text in printed if of == metric
        ]
        rounded = sum(_is_rounded(p, text) for p, text in p_values)
        cut_off = sum(_is_cut_off(p, text) for p, text in p_values)
        endings[metric] = "rounded" if rounded > cut_off else "cut off"
    if len(set(endings.values())) < 2:
        return ""
    return "Digits of " + ", of ".join(f"{m.upper()} are {how}" for m, how in endings.items())


def _is_rounded(p: float, text: str) -> bool:
    """Whether a p-value is printed so by rounding."""
    return f"{p:.{len(text.partition('.')[2])}f}" == text


def _is_cut_off(p: float, text: str) -> bool:
    """Whether a p-value is printed so by leaving out its further digits."""
    decimals = len(text.partition(".")[2])
    return math.floor(p * 10**decimals) == round(float(text) * 10**decimals)


def _row(rows: Mapping[str, Row], name: str, config: Experiment) -> Row:
    if name not in rows:
        raise ConfigError(f"{config.name} has no row {name!r}{did_you_mean(name, rows)}")
    return rows[name]


def _numbers(row: Row, metric: str) -> dict[str | None, float]:
    """Database (``None``: all together) -> the number printed under this name, in 0..1."""
    return {
        number.database: number.fraction
        for number in row.published
        if number.name.partition(",")[0].lower() == metric
    }
