"""Confusion matrices: how many samples stand behind them, and what the figures beside them are."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from mer_keras.audit.finding import Finding
from mer_keras.audit.fractions import fitting_wholes, is_mean_over_folds, row_counts
from mer_keras.audit.published import Matrix
from mer_keras.evaluation import metrics

#: numbers of samples of a class that are tried
MOST_SAMPLES = 400
#: classes of more clips have too many divisions into folds to try them all
MOST_CLIPS_IN_FOLDS = 16
_NAMES = {"uar": "UAR", "war": "WAR", "uf1": "UF1", "wf1": "F1 weighted by the class sizes"}


def of_matrix(matrix: Matrix) -> Iterator[Finding]:
    """Findings about one matrix and the figures printed beside it."""
    sizes = implied_counts(matrix)
    yield _sizes(matrix, sizes)
    yield from _identities(matrix, sizes)


def implied_counts(matrix: Matrix) -> dict[str, int | None]:
    """Samples of each class that the printed shares are fractions of.

    The class's own number of clips where that fits, else the smallest number that does; ``None``
    where none up to ``MOST_SAMPLES`` does.
    """
    found: dict[str, int | None] = {}
    for name, row in zip(matrix.classes, matrix.rows, strict=True):
        fits, loosely = (
            fitting_wholes(row, matrix.decimals, MOST_SAMPLES, units=units)
            for units in _units(matrix)
        )
        own = matrix.clips[name]
        found[name] = own if own in loosely else next(iter([*fits, *loosely]), None)
    return found


def _units(matrix: Matrix) -> tuple[float, float]:
    """Half a unit of the last digit; then a whole one, where the digits still say something."""
    return (0.5, 1.0 if matrix.decimals >= 2 else 0.5)


def counted(matrix: Matrix, sizes: dict[str, int | None]) -> np.ndarray | None:
    """The matrix in counts, (classes, classes) int64; ``None`` where a row can't be counted."""
    rows = []
    for name, row in zip(matrix.classes, matrix.rows, strict=True):
        whole = sizes[name]
        if whole is None:
            return None
        tries = (row_counts(row, matrix.decimals, whole, units=u) for u in _units(matrix))
        counts = next((counts for counts in tries if counts is not None), None)
        if counts is None:
            return None
        rows.append(counts)
    return np.array(rows, np.int64)


def weighted(matrix: Matrix, sizes: dict[str, int]) -> np.ndarray:
    """The matrix in shares times class sizes: what it would be with so many samples."""
    shares = np.array(matrix.rows) / 100
    return shares * np.array([[sizes[name]] for name in matrix.classes], float)


def _sizes(matrix: Matrix, sizes: dict[str, int | None]) -> Finding:
    numbers: dict[str, Any] = {"implied": sizes, "clips": dict(matrix.clips)}
    if sizes == matrix.clips:
        total = sum(matrix.clips.values())
        return Finding(
            matrix.where,
            f"{matrix.of}: samples behind the matrix",
            f"every row is made of fractions of its class's clips, {total} in all",
            "",
            numbers,
        )
    odd = [name for name, size in sizes.items() if size != matrix.clips[name]]
    listed = ", ".join(
        f"{name}: {sizes[name] or 'no number up to ' + str(MOST_SAMPLES)} for "
        f"{matrix.clips[name]} clips"
        for name in odd
    )
    says = f"the rows are no fractions of the classes' clips; smallest numbers that fit: {listed}"
    verdicts = _folds(matrix, odd)
    numbers["mean over folds"] = verdicts
    excluded = [name for name, possible in verdicts.items() if possible is False]
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
    return Finding(matrix.where, f"{matrix.of}: samples behind the matrix", says, limits, numbers)


def _folds(matrix: Matrix, names: list[str]) -> dict[str, bool | None]:
    """Whether each row could be a mean over folds; ``None`` where that is too much to try."""
    found: dict[str, bool | None] = {}
    for name, row in zip(matrix.classes, matrix.rows, strict=True):
        clips = matrix.clips[name]
        if name not in names:
            continue
        if matrix.folds is None or clips > MOST_CLIPS_IN_FOLDS:
            found[name] = None
            continue
        loosely = _units(matrix)[1]
        found[name] = all(
            is_mean_over_folds(value, matrix.decimals, clips, matrix.folds, units=loosely)
            for value in row
        )
    return found


def _identities(matrix: Matrix, sizes: dict[str, int | None]) -> Iterator[Finding]:
    """Which metric each printed figure is."""
    exact = counted(matrix, sizes)
    bases = {"the classes' clips": weighted(matrix, matrix.clips)}
    if exact is not None and sizes != matrix.clips:
        bases["the implied numbers of samples"] = exact
    elif exact is not None:
        bases = {"the classes' clips": exact}
    for figure in matrix.figures:
        values = {
            (name, base): float(metric(made)) * figure.scale
            for base, made in bases.items()
            for name, metric in metrics.METRICS.items()
        }
        # shares are rounded themselves: their mean may be off by as much
        slack = 0.5 * 10**-figure.decimals + (
            0 if exact is not None else 0.5 * 10**-matrix.decimals
        )
        near = {key: value for key, value in values.items() if abs(value - figure.value) <= slack}
        best = min(values, key=lambda key: abs(values[key] - figure.value))
        equal = sorted({name for name, _ in near})
        numbers = {f"{name} over {base}": round(v, 4) for (name, base), v in values.items()}
        if equal:
            names = " and ".join(_NAMES[name] for name in equal)
            says = f"{figure.name} {figure.value:g} is {names} of the matrix"
            bases_of = sorted({base for name, base in near if name in equal})
            if len(bases_of) < len(bases):
                says += f", over {bases_of[0]}"
        else:
            says = (
                f"{figure.name} {figure.value:g} is no usual average of the matrix; nearest is "
                f"{_NAMES[best[0]]} over {best[1]}, {values[best]:.{figure.decimals}f}"
            )
        yield Finding(figure.where, f"{matrix.of}: what {figure.name} is", says, "", numbers)
