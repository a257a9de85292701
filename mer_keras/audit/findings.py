"""What the printed numbers of a paper imply, and what they don't."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

import numpy as np

from mer_keras import metrics
from mer_keras.audit.fractions import (
    counts_of,
    exact_interval,
    fitting_wholes,
    is_mean_over_folds,
    rounds_to,
    row_counts,
)
from mer_keras.audit.published import Matrix, Parameters, PublishedPaper, Share, Sum, load
from mer_keras.models.registry import get_spec

#: numbers of samples of a class that are tried
MOST_SAMPLES = 400
#: classes of more clips have too many divisions into folds to try them all
MOST_CLIPS_IN_FOLDS = 16
#: a paper's number of clips of a database may differ so much from the database's own
NEAR = 4
_NAMES = {"uar": "UAR", "war": "WAR", "uf1": "UF1", "wf1": "F1 weighted by the class sizes"}


@dataclass(frozen=True)
class Finding:
    """One thing that printed numbers imply.

    Attributes:
        where: table or section.
        about: what it is about.
        says: what follows.
        limits: what does not follow; empty where nothing need be said.
        numbers: the figures behind it, JSON-ready.
    """

    where: str
    about: str
    says: str
    limits: str
    numbers: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Return it JSON-ready."""
        return asdict(self)


def audit(method: str) -> list[Finding]:
    """Return all findings about a paper.

    Raises:
        ConfigError: nothing published is known of it.
    """
    return findings_of(load(method))


def findings_of(paper: PublishedPaper) -> list[Finding]:
    """Recompute what a paper's numbers imply."""
    found: list[Finding] = []
    for matrix in paper.matrices:
        found += _of_matrix(matrix)
    for share in paper.shares:
        found.append(_of_share(share))
    for total in paper.sums:
        found.append(_of_sum(total))
    for count in paper.parameters:
        found.append(_of_parameters(count))
    return found


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


def _of_matrix(matrix: Matrix) -> Iterator[Finding]:
    sizes = implied_counts(matrix)
    yield _sizes(matrix, sizes)
    yield from _identities(matrix, sizes)


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


def _of_share(share: Share) -> Finding:
    figure = share.figure
    expected = share.clips * share.tested
    near = range(max(1, round(expected) - 2), round(expected) + 3)
    fits = [
        (k, n)
        for n in range(1, share.clips + 1)
        for k in counts_of(n, figure.value, figure.decimals, scale=figure.scale)
    ]
    at_expected = [(k, n) for k, n in fits if n in near]
    smallest = fits[:3]
    k, n = at_expected[0] if at_expected else smallest[0]
    low, high = exact_interval(k, n)
    told = ", ".join(f"{a}/{b}" for a, b in smallest)
    if at_expected:
        says = f"{figure.value:g} is {k}/{n}, and about {expected:.0f} clips are tested"
    else:
        says = (
            f"{figure.value:g} is no share of about {expected:.0f} clips, as many as the division "
            f"would test; the smallest fractions that round to it are {told}"
        )
    says += (
        f". At {n} clips one is {100 / n:.1f} points, and the exact 95 % interval is "
        f"{100 * low:.0f} to {100 * high:.0f}"
    )
    limits = "" if at_expected else "Clips may have been left out before the division."
    return Finding(
        share.where,
        f"{share.of}: {figure.name}",
        says,
        limits,
        {
            "expected": round(expected, 2),
            "fractions": [f"{a}/{b}" for a, b in fits[:12]],
            "at expected": [f"{a}/{b}" for a, b in at_expected],
            "interval": [round(low, 4), round(high, 4)],
        },
    )


def sums_that_fit(total: Sum) -> list[dict[str, tuple[int, int]]]:
    """Every way in which the databases' counts add up to the whole's, (right, clips) each."""
    options = []
    for name, figure in total.parts.items():
        about = total.about[name]
        options.append(
            [
                (k, n)
                for n in range(about - NEAR, about + NEAR + 1)
                for k in counts_of(n, figure.value, figure.decimals, scale=figure.scale)
            ]
        )
    found = []
    for way in product(*options):
        right, clips = (sum(pair[i] for pair in way) for i in (0, 1))
        whole = total.whole
        if clips == total.clips and rounds_to(
            right, clips, whole.value, whole.decimals, scale=whole.scale
        ):
            found.append(dict(zip(total.parts, way, strict=True)))
    return found


def _of_sum(total: Sum) -> Finding:
    ways = sums_that_fit(total)
    numbers = {
        "ways": [{name: f"{k}/{n}" for name, (k, n) in way.items()} for way in ways],
        "about": dict(total.about),
    }
    about = f"{total.whole.name} of the databases and of all"
    if not ways:
        says = f"no counts of {total.clips} clips give the printed figures together"
        return Finding(total.where, about, says, "", numbers)
    way = ways[0]
    right = sum(k for k, _ in way.values())
    listed = ", ".join(f"{name} {k}/{n}" for name, (k, n) in way.items())
    says = f"{total.whole.value:g} is {right}/{total.clips}: {listed}; they add up"
    others = sorted(name for name, (_, n) in way.items() if n != total.about[name])
    if others:
        differing = ", ".join(f"{name} {way[name][1]} for {total.about[name]}" for name in others)
        says += f". The databases have other numbers of clips of these classes: {differing}"
    limits = "" if len(ways) == 1 else f"{len(ways)} such sets of counts fit."
    return Finding(total.where, about, says, limits, numbers)


def _of_parameters(count: Parameters) -> Finding:
    spec = get_spec(count.model)
    classes, built = spec.classes, spec.trainable_parameters
    body = built - count.per_class * classes
    extra, rest = divmod(count.published - body, count.per_class)
    numbers = {"built": built, "published": count.published, "per class": count.per_class}
    about = f"{count.of}: parameters"
    if rest == 0 and extra > 0:
        heads = "" if extra == classes else f", not {classes}"
        says = f"{count.published:,} is exactly the network with a head of {extra} classes{heads}"
        if extra != classes:
            says += f", with which it has {built:,}"
        return Finding(count.where, about, says, "", {**numbers, "classes": extra})
    says = f"{count.published:,} is not reached by any number of classes; built: {built:,}"
    return Finding(count.where, about, says, "", numbers)
