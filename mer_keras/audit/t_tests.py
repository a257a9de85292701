"""Printed p-values of t-tests between methods: over which numbers they were computed."""

from dataclasses import dataclass

from scipy import stats

from mer_keras.audit.finding import Finding
from mer_keras.audit.published import TTests
from mer_keras.config.experiment import Experiment, Published, Row
from mer_keras.config.files import load_experiments
from mer_keras.errors import ConfigError, did_you_mean

#: numbers below it are called significant by the paper
LEVEL = 0.05


@dataclass(frozen=True)
class Form:
    """One way to compute p from a few figures a method.

    ``whole``: the figure of all databases together counts as one more measurement.
    """

    paired: bool
    sides: int
    whole: bool

    @property
    def title(self) -> str:
        """The form in words."""
        kind = "paired" if self.paired else "unpaired"
        return f"{kind}, {'one' if self.sides == 1 else 'two'}-sided"


FORMS = tuple(Form(p, s, w) for p in (True, False) for s in (2, 1) for w in (False, True))


def p_value(own: Row, other: Row, metric: str, form: Form) -> float:
    """Return p of a t-test between the figures that a table prints of two methods.

    Args:
        own: the method that is said to be better.
        other: another, with figures of the same databases.
        metric: which of their figures.
        form: how it is computed.
    """
    first, second = _figures(own, metric), _figures(other, metric)
    shared = [name for name in first if name in second and (form.whole or name is not None)]
    a, b = [first[name] for name in shared], [second[name] for name in shared]
    test = stats.ttest_rel if form.paired else stats.ttest_ind
    return float(test(a, b, alternative="two-sided" if form.sides == 2 else "greater").pvalue)


def fits(p: float, printed: str) -> bool:
    """Whether a p-value is printed so, rounded or cut off."""
    decimals = len(printed.partition(".")[2])
    return abs(p - float(printed)) < 10**-decimals


def of_t_tests(tests: TTests) -> Finding:
    """Find the form that gives the printed p-values, and what another gives."""
    (config,) = load_experiments(tests.experiment)
    rows = {row.name: row for row in config.rows}
    own = _row(rows, tests.own, config)
    printed = [
        (metric, _row(rows, name, config), text)
        for metric, of_metric in tests.p.items()
        for name, text in of_metric.items()
    ]
    values = {
        form: [p_value(own, other, metric, form) for metric, other, _ in printed] for form in FORMS
    }
    hits = {
        form: sum(fits(p, text) for p, (_, _, text) in zip(values[form], printed, strict=True))
        for form in FORMS
    }
    best = max(FORMS, key=lambda form: hits[form])
    strict = Form(paired=True, sides=2, whole=False)
    below = [sum(p < LEVEL for p in values[form]) for form in (best, strict)]
    figures = _figures(own, printed[0][0])
    count = len(figures) if best.whole else len(figures) - 1
    says = (
        f"{hits[best]} of the {len(printed)} p-values are those of a {best.title} t-test over "
        f"{count} figures a method"
    )
    if best.whole:
        says += (
            ": those of the databases and, as if it were one more, that of all of them together. "
            f"Two-sided and over the databases alone {below[1]} would be below {LEVEL:g}, not "
            f"{below[0]}"
        )
    limits = (
        "Such a test asks whether the databases agree, not whether other clips or other people "
        "would: for that, predictions of the same clips are needed."
    )
    numbers = {
        f"{form.title}, {'with' if form.whole else 'without'} the whole": {
            "fit": hits[form],
            "below 0.05": sum(p < LEVEL for p in values[form]),
        }
        for form in FORMS
    }
    return Finding(tests.where, "p-values of t-tests", says, limits, numbers)


def _row(rows: dict[str, Row], name: str, config: Experiment) -> Row:
    if name not in rows:
        raise ConfigError(f"{config.name} has no row {name!r}{did_you_mean(name, rows)}")
    return rows[name]


def _figures(row: Row, metric: str) -> dict[str | None, float]:
    """Database (``None``: all together) -> the printed figure."""

    def wanted(number: Published) -> bool:
        return number.metric == metric

    return {number.database: number.fraction for number in filter(wanted, row.published)}
