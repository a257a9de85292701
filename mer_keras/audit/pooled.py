"""Accuracies of several databases and of all of them together: do they add up?"""

from itertools import product

from mer_keras.audit.finding import Finding, Kind
from mer_keras.audit.fractions import Fraction, fractions_of, rounds_to
from mer_keras.audit.published import PooledAccuracy

#: Largest difference that is tried between a paper's number of clips and the annotation's.
MOST_CLIPS_APART = 4


def fractions_that_add_up(accuracy: PooledAccuracy) -> list[dict[str, Fraction]]:
    """Every way in which the databases' fractions add up to that of all: database -> fraction."""
    pooled = accuracy.pooled
    candidates = []
    for database, number in accuracy.databases.items():
        clips = accuracy.annotated_clips[database]
        sizes = range(clips - MOST_CLIPS_APART, clips + MOST_CLIPS_APART + 1)
        candidates.append(fractions_of(sizes, number.value, number.decimals, scale=number.scale))
    return [
        dict(zip(accuracy.databases, fractions, strict=True))
        for fractions in product(*candidates)
        if (total := _sum(fractions)).clips == accuracy.clips
        and rounds_to(*total, pooled.value, pooled.decimals, scale=pooled.scale)
    ]


def pooled_accuracy_finding(accuracy: PooledAccuracy) -> Finding:
    """Find the counts behind the databases' accuracies, from the accuracy of all together."""
    combinations = fractions_that_add_up(accuracy)
    numbers = {
        "ways": [{name: str(f) for name, f in way.items()} for way in combinations],
        "about": dict(accuracy.annotated_clips),
    }
    about = f"{accuracy.pooled.name} of the databases and of all"
    if not combinations:
        says = f"no counts of {accuracy.clips} clips give the printed figures together"
        return Finding(accuracy.where, about, says, "", numbers, Kind.POOLED)
    fractions = combinations[0]
    listed = ", ".join(f"{database} {fraction}" for database, fraction in fractions.items())
    total = _sum(tuple(fractions.values()))
    says = f"{accuracy.pooled.value:g} is {total}: {listed}; they add up"
    differing = ", ".join(
        f"{database} {fraction.clips} for {accuracy.annotated_clips[database]}"
        for database, fraction in sorted(fractions.items())
        if fraction.clips != accuracy.annotated_clips[database]
    )
    if differing:
        says += f". The databases have other numbers of clips of these classes: {differing}"
    limits = "" if len(combinations) == 1 else f"{len(combinations)} such sets of counts fit."
    return Finding(accuracy.where, about, says, limits, numbers, Kind.POOLED)


def _sum(fractions: tuple[Fraction, ...]) -> Fraction:
    """Right clips and clips of all fractions together."""
    return Fraction(sum(f.right for f in fractions), sum(f.clips for f in fractions))
