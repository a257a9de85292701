"""Confusion matrices: how many samples stand behind them, and what the numbers beside them are."""

from collections.abc import Iterator, Sequence

import numpy as np

from mer_keras.audit.finding import Finding
from mer_keras.audit.fractions import fitting_wholes, is_mean_over_folds, row_counts
from mer_keras.audit.published import PrintedMatrix, PrintedNumber
from mer_keras.evaluation import metrics

#: Largest number of samples of a class that is tried.
MOST_SAMPLES = 400
#: Classes of more clips have too many divisions into folds to try them all.
MOST_CLIPS_IN_FOLDS = 16
_NAMES = {"uar": "UAR", "war": "WAR", "uf1": "UF1", "wf1": "F1 weighted by the class sizes"}


def matrix_findings(matrix: PrintedMatrix) -> Iterator[Finding]:
    """Findings about one matrix and the numbers printed beside it."""
    sizes = implied_counts(matrix)
    yield _samples_finding(matrix, sizes)
    matrices = _matrices_by_samples(matrix, sizes)
    for number in matrix.numbers:
        yield _metric_finding(matrix, number, matrices, exact=counted(matrix, sizes) is not None)


def implied_counts(matrix: PrintedMatrix) -> dict[str, int | None]:
    """Samples of each class that the printed shares are fractions of.

    The class's own number of clips where that fits, else the smallest number that does; ``None``
    where none up to ``MOST_SAMPLES`` does.
    """
    sizes: dict[str, int | None] = {}
    for name, row in zip(matrix.classes, matrix.rows, strict=True):
        rounded, rounded_or_cut = (
            fitting_wholes(row, matrix.decimals, MOST_SAMPLES, units=units)
            for units in _units(matrix)
        )
        clips = matrix.clips[name]
        smallest = next(iter([*rounded, *rounded_or_cut]), None)
        sizes[name] = clips if clips in rounded_or_cut else smallest
    return sizes


def _units(matrix: PrintedMatrix) -> tuple[float, float]:
    """Half a unit of the last digit; then a whole one, where the digits still say something."""
    return (0.5, 1.0 if matrix.decimals >= 2 else 0.5)


def counted(matrix: PrintedMatrix, sizes: dict[str, int | None]) -> metrics.Matrices | None:
    """The matrix in counts, (classes, classes) int64; ``None`` where a row can't be counted."""
    rows = []
    for name, row in zip(matrix.classes, matrix.rows, strict=True):
        size = sizes[name] or 0
        attempts = (row_counts(row, matrix.decimals, size, units=u) for u in _units(matrix))
        counts = next(filter(None, attempts), None) if size else None
        if counts is None:
            return None
        rows.append(counts)
    return np.array(rows, np.int64)


def weighted(matrix: PrintedMatrix, sizes: dict[str, int]) -> metrics.Matrices:
    """The matrix in shares times class sizes: (classes, classes), what so many samples give."""
    shares = np.array(matrix.rows) / 100
    return shares * np.array([[sizes[name]] for name in matrix.classes], float)


def _samples_finding(matrix: PrintedMatrix, sizes: dict[str, int | None]) -> Finding:
    """Of how many samples of each class the rows are shares."""
    about = f"{matrix.title}: samples behind the matrix"
    numbers: dict[str, object] = {"implied": sizes, "clips": dict(matrix.clips)}
    if sizes == matrix.clips:
        total = sum(matrix.clips.values())
        says = f"every row is made of fractions of its class's clips, {total} in all"
        return Finding(matrix.where, about, says, "", numbers)
    differing = [name for name, size in sizes.items() if size != matrix.clips[name]]
    listed = ", ".join(
        f"{name}: {sizes[name] or 'no number up to ' + str(MOST_SAMPLES)} for "
        f"{matrix.clips[name]} clips"
        for name in differing
    )
    says = f"the rows are no fractions of the classes' clips; smallest numbers that fit: {listed}"
    can_be_mean = _can_be_mean_over_folds(matrix, differing)
    numbers["mean over folds"] = can_be_mean
    excluded = [name for name, possible in can_be_mean.items() if possible is False]
    if excluded:
        says += (
            f". Nor can a mean over {matrix.folds} folds give the rows of {', '.join(excluded)}, "
            "however their clips fall into the folds: other samples were evaluated than the clips, "
            "such as copies of them"
        )
        limits = "The numbers are the smallest that fit: multiples fit too."
    else:
        limits = (
            "Shares that were averaged over folds could give such rows too: then nothing follows "
            "about the samples."
        )
    return Finding(matrix.where, about, says, limits, numbers)


def _can_be_mean_over_folds(matrix: PrintedMatrix, names: list[str]) -> dict[str, bool | None]:
    """Whether the row of each named class could be a mean; ``None`` where that can't be tried."""

    def is_possible(row: Sequence[float], clips: int) -> bool | None:
        """Whether one row could be a mean over folds."""
        if matrix.folds is None or clips > MOST_CLIPS_IN_FOLDS:
            return None
        folds, units = matrix.folds, _units(matrix)[1]
        return all(is_mean_over_folds(v, matrix.decimals, clips, folds, units=units) for v in row)

    rows = dict(zip(matrix.classes, matrix.rows, strict=True))
    return {name: is_possible(rows[name], matrix.clips[name]) for name in names}


def _matrices_by_samples(
    matrix: PrintedMatrix, sizes: dict[str, int | None]
) -> dict[str, metrics.Matrices]:
    """The matrix with the classes' clips and with the implied numbers of samples, by these words.

    It holds counts where the shares can be counted, and shares times class sizes elsewhere.
    """
    exact = counted(matrix, sizes)
    if exact is not None and sizes == matrix.clips:
        return {"the classes' clips": exact}
    shares = {"the classes' clips": weighted(matrix, matrix.clips)}
    return shares if exact is None else {**shares, "the implied numbers of samples": exact}


def _metric_finding(
    matrix: PrintedMatrix,
    number: PrintedNumber,
    matrices: dict[str, metrics.Matrices],
    *,
    exact: bool,
) -> Finding:
    """Which metric of the matrix a printed number is; ``exact``: one of ``matrices`` is counted."""
    values = {
        (name, samples): float(metric(counts)) * number.scale
        for samples, counts in matrices.items()
        for name, metric in metrics.METRICS.items()
    }
    # Printed shares are rounded themselves, so their mean may be off by as much.
    tolerance = 0.5 * 10**-number.decimals + (0 if exact else 0.5 * 10**-matrix.decimals)
    equal = [key for key, value in values.items() if abs(value - number.value) <= tolerance]
    if equal:
        names = " and ".join(_NAMES[name] for name in sorted({name for name, _ in equal}))
        says = f"{number.name} {number.value:g} is {names} of the matrix"
        samples_of_equal = sorted({samples for _, samples in equal})
        if len(samples_of_equal) < len(matrices):
            says += f", over {samples_of_equal[0]}"
    else:
        name, samples = min(values, key=lambda key: abs(values[key] - number.value))
        says = (
            f"{number.name} {number.value:g} is no usual average of the matrix; nearest is "
            f"{_NAMES[name]} over {samples}, {values[name, samples]:.{number.decimals}f}"
        )
    numbers = {f"{name} over {samples}": round(v, 4) for (name, samples), v in values.items()}
    about = f"{matrix.title}: what {number.name} is"
    return Finding(number.where, about, says, "", numbers)
