"""Confusion matrices: how many samples stand behind them, and what the numbers beside them are."""

from collections.abc import Iterator, Sequence

import numpy as np

from mer_keras.audit.finding import Correction, Finding, Kind
from mer_keras.audit.fractions import fitting_wholes, is_mean_over_folds, row_counts
from mer_keras.audit.published import CountedMatrix, PrintedMatrix, PrintedNumber
from mer_keras.evaluation import metrics

#: Largest number of samples of a class that is tried.
MOST_SAMPLES = 400
#: Classes of more clips have too many divisions into folds to try them all.
MOST_CLIPS_IN_FOLDS = 16
_NAMES = metrics.TITLES
#: Units of the last digit by which a sum of floats may miss a half.
_ALMOST = 1e-5


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
    if cut_off := _not_rounded(matrix, sizes):
        numbers["printed a unit of the last digit off"] = cut_off
    if sizes == matrix.clips:
        total = sum(matrix.clips.values())
        says = f"every row is made of fractions of its class's clips, {total} in all"
        return Finding(matrix.where, about, says, "", numbers, Kind.SAMPLES)
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
        if cut_off:
            limits += f" Shares of {', '.join(cut_off)} fit to a whole unit of their last digit."
    else:
        limits = (
            "Shares that were averaged over folds could give such rows too: then nothing follows "
            "about the samples."
        )
    return Finding(matrix.where, about, says, limits, numbers, Kind.SAMPLES)


def _not_rounded(matrix: PrintedMatrix, sizes: dict[str, int | None]) -> list[str]:
    """Classes whose shares are fractions of these samples only if some weren't rounded."""
    return [
        name
        for name, row in zip(matrix.classes, matrix.rows, strict=True)
        if (size := sizes[name]) and row_counts(row, matrix.decimals, size, units=0.5) is None
    ]


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
    evidence = f"recomputed from the confusion matrix ({matrix.where})"
    names_equal = {name for name, _ in equal}
    corrections = _metric_corrections(number, names_equal, evidence, experiment=matrix.experiment)
    return Finding(number.where, about, says, "", numbers, Kind.METRIC, corrections)


def _metric_corrections(
    number: PrintedNumber,
    equal: set[str],
    evidence: str,
    *,
    method: str = "",
    experiment: str | None = None,
) -> tuple[Correction, ...]:
    """What the number is, where its name means another metric than those that it equals."""
    if not equal or not number.claimed or number.claimed & equal:
        return ()
    actual = " and ".join(_NAMES[name] for name in sorted(equal))
    printed = f"{number.name} {number.value:.{number.decimals}f}"
    return (
        Correction(
            number.where,
            printed,
            actual,
            evidence,
            method=method,
            fractions=(number.fraction,),
            experiment=experiment or "",
        ),
    )


def counted_matrix_findings(matrix: CountedMatrix) -> Iterator[Finding]:
    """Tell of each number beside published predictions which metric of them it is."""
    counts = np.array(matrix.rows, np.int64)
    values = {name: float(metric(counts)) for name, metric in metrics.METRICS.items()}
    total = int(counts.sum())
    shown = {name: round(value, 6) for name, value in values.items()}
    numbers = {"counts": [list(row) for row in matrix.rows], "source": matrix.source, **shown}
    for number in matrix.numbers:
        unit = 10**-number.decimals
        beyond = {n: (number.scale * v - number.value) / unit for n, v in values.items()}
        rounded = {n for n, units in beyond.items() if abs(units) <= 0.5 + _ALMOST}
        # Coarser figures have many values above them that they could have been cut off from.
        may_be_cut_off = number.claimed if number.decimals >= 2 else set()
        equal = rounded or {n for n in may_be_cut_off if 0 <= beyond[n] < 1}
        printed = f"{number.name} {number.value:.{number.decimals}f}"
        truth = ", ".join(
            f"{_NAMES[name]} {number.scale * values[name]:.{number.decimals}f}"
            for name in sorted(number.claimed)
        )
        if equal:
            names = " and ".join(_NAMES[name] for name in sorted(equal))
            says = f"{printed} is {names} of the {total} published predictions"
            says += "" if rounded else ", cut off and not rounded"
        else:
            says = f"{printed} is no usual average of the {total} published predictions"
        if not number.claimed & equal:
            says += f"; these have {truth}"
        evidence = f"recounted from {matrix.source}; true value: {truth}"
        corrections = _metric_corrections(number, equal, evidence, method=matrix.method)
        about = f"{matrix.title}: what {number.name} is"
        yield Finding(number.where, about, says, "", numbers, Kind.METRIC, corrections)
