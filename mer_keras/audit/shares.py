"""Accuracies: of how many clips can they be a share?"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from mer_keras.audit.finding import Finding, Kind
from mer_keras.audit.fractions import Fraction, counts_of, exact_interval, fractions_of
from mer_keras.audit.published import PartAccuracy, TableAccuracies
from mer_keras.config.experiment import Published
from mer_keras.config.files import load_experiments

#: So many clips more or fewer than a table's database has are tried.
MOST_CLIPS_APART = 12
#: So many clips more or fewer than the tested part of a database are tried.
MOST_CLIPS_FROM_PART = 2

#: Row of a table -> fractions that its accuracy can be, nearest number of clips first.
Fractions = dict[str, list[Fraction]]


def part_accuracy_finding(accuracy: PartAccuracy) -> Finding:
    """Find the fractions that an accuracy on a part of a database can be."""
    number = accuracy.number
    expected = accuracy.clips * accuracy.tested_share
    sizes = range(1, accuracy.clips + 1)
    fractions = fractions_of(sizes, number.value, number.decimals, scale=number.scale)
    expected_fractions = [
        fraction
        for fraction in fractions
        if abs(fraction.clips - round(expected)) <= MOST_CLIPS_FROM_PART
    ]
    about = f"{accuracy.title}: {number.name}"
    if not fractions:
        says = f"{number.value:g} is no share of any number of clips up to {accuracy.clips}"
        limits = "Another average may have been printed."
        return Finding(accuracy.where, about, says, limits, {"fractions": []}, Kind.SHARE)
    fraction = (expected_fractions or fractions)[0]
    low, high = exact_interval(*fraction)
    if expected_fractions:
        says = f"{number.value:g} is {fraction}, and about {expected:.0f} clips are tested"
    else:
        says = (
            f"{number.value:g} is no share of about {expected:.0f} clips, as many as the division "
            f"would test; the smallest fractions that round to it are {', '.join(_text(fractions))}"
        )
    says += (
        f". At {fraction.clips} clips one is {100 / fraction.clips:.1f} points, and the exact 95 % "
        f"interval is {100 * low:.0f} to {100 * high:.0f}"
    )
    limits = "" if expected_fractions else "Clips may have been left out before the division."
    return Finding(
        accuracy.where,
        about,
        says,
        limits,
        {
            "expected": round(expected, 2),
            "fractions": _text(fractions, 12),
            "at expected": [str(fraction) for fraction in expected_fractions],
            "interval": [round(low, 4), round(high, 4)],
        },
        Kind.SHARE,
    )


def common_part_findings(accuracies: Sequence[PartAccuracy]) -> Iterator[Finding]:
    """Find the numbers of clips of which all accuracies on one part of a database are shares.

    Args:
        accuracies: those of one paper; what stands after the comma of a title names the database.
    """
    of_part: dict[tuple[str, str, float], list[PartAccuracy]] = defaultdict(list)
    for accuracy in accuracies:
        database = accuracy.title.rpartition(", ")[2]
        of_part[accuracy.where, database, accuracy.clips * accuracy.tested_share].append(accuracy)
    for (where, database, expected), of_database in of_part.items():
        if len(of_database) > 1:
            yield _common_part_finding(where, database, expected, of_database)


def _common_part_finding(
    where: str, database: str, expected: float, accuracies: Sequence[PartAccuracy]
) -> Finding:
    """Of how many clips all accuracies on one part of a database are shares."""
    sizes = [
        clips
        for clips in range(1, accuracies[0].clips + 1)
        if all(
            counts_of(clips, a.number.value, a.number.decimals, scale=a.number.scale)
            for a in accuracies
        )
    ]
    listed = " and ".join(f"{a.number.value:g}" for a in accuracies)
    is_expected = any(abs(size - round(expected)) <= MOST_CLIPS_FROM_PART for size in sizes)
    says = f"no number of clips has shares that round to {listed}"
    if sizes:
        says = (
            f"{listed} are shares of one set of {', '.join(map(str, sizes[:4]))} clips, to name "
            f"the smallest; the division would test about {expected:.0f}"
        )
    return Finding(
        where,
        f"all accuracies, {database}",
        says,
        "" if is_expected else "Clips may have been left out before the division.",
        {"sizes": sizes, "expected": round(expected, 2)},
        Kind.SHARE,
    )


def table_accuracy_findings(table: TableAccuracies) -> Iterator[Finding]:
    """Tell, for each database of a table, which accuracies are shares of its clips."""
    numbers = [
        (row.name, number)
        for config in load_experiments(table.experiment)
        for row in config.rows
        for number in row.published
    ]
    for database, clips in table.clips.items():
        accuracies: dict[bool, Fractions] = {False: {}, True: {}}
        for name, number in numbers:
            is_accuracy = number.metric == "war" or (
                number.quoted and number.metric == "unknown" and number.name.lower()[:3] == "acc"
            )
            if is_accuracy and (number.database or "all") == database:
                fractions = _nearest_fractions(number, clips, table.decimals)
                accuracies[number.quoted][name] = fractions
        yield _table_finding(table, database, own=accuracies[False], quoted=accuracies[True])


def _table_finding(
    table: TableAccuracies, database: str, own: Fractions, quoted: Fractions
) -> Finding:
    """Which of the paper's own and of the quoted accuracies are shares of a database's clips."""
    clips = table.clips[database]
    shares = {row: fractions[0] for row, fractions in own.items() if _is_share(fractions, clips)}
    others = {row: fractions for row, fractions in own.items() if row not in shares}
    sentences = []
    if shares:
        listed = ", ".join(f"{row} {fraction}" for row, fraction in shares.items())
        sentences.append(f"shares of the {clips} clips: {listed}")
    if others:
        listed = ", ".join(
            f"{row} ({fractions[0]} is the nearest)" if fractions else f"{row} (nor near)"
            for row, fractions in others.items()
        )
        sentences.append(f"no share of the {clips} clips of the database: {listed}")
    if quoted:
        fitting = sum(_is_share(fractions, clips) for fractions in quoted.values())
        sentences.append(f"of the {len(quoted)} quoted accuracies {fitting} are such shares")
    best = max((fractions[0] for fractions in own.values() if fractions), default=None)
    if best:
        low, high = exact_interval(*best)
        sentences.append(
            f"one clip is {100 / best.clips:.2f} points; {best} has the exact 95 % "
            f"interval {100 * low:.1f} to {100 * high:.1f}, clips taken as independent"
        )
    limits = (
        "Other clips than the database's may have been tested, or an average over people was "
        "printed. The rows beside it are then not of the same clips."
    )
    return Finding(
        table.where,
        "accuracies" if database == "all" else f"accuracies, {database}",
        "; ".join(sentences),
        limits if others else "",
        {
            "clips": clips,
            "own": {row: _text(fractions) for row, fractions in own.items()},
            "quoted": {row: _text(fractions) for row, fractions in quoted.items()},
        },
        Kind.SHARE,
    )


def _nearest_fractions(number: Published, clips: int, decimals: int) -> list[Fraction]:
    """Fractions of about so many clips that round to an accuracy, nearest number first."""
    sizes = range(clips - MOST_CLIPS_APART, clips + MOST_CLIPS_APART + 1)
    scale = 100 if number.unit == "percent" else 1
    nearest_first = sorted(sizes, key=lambda size: (abs(size - clips), size))
    return fractions_of(nearest_first, number.value, decimals, scale=scale)


def _is_share(fractions: list[Fraction], clips: int) -> bool:
    """Whether the nearest fraction is one of exactly so many clips."""
    return bool(fractions) and fractions[0].clips == clips


def _text(fractions: list[Fraction], count: int = 3) -> list[str]:
    """The first few fractions as texts."""
    return [str(fraction) for fraction in fractions[:count]]
