"""Quoted accuracies: are they a share of any set of clips that the quoted paper can have had?"""

from collections.abc import Iterator

from mer_keras.audit.finding import Correction, Finding, Kind
from mer_keras.audit.fractions import Fraction, counts_of
from mer_keras.audit.published import QuotedAccuracies
from mer_keras.config.experiment import Published, Row
from mer_keras.config.files import load_experiments

_OF_TABLE = "the table's clips"
_LIMITS = (
    "An average over people, classes or folds need not be such a share, and a share of one set of "
    "clips can round to that of another."
)


def subset_finding(table: QuotedAccuracies) -> Finding:
    """Tell of which of the named sets of clips each quoted accuracy of a table is a share."""
    sets = {_OF_TABLE: table.clips} | table.subsets
    fits: dict[str, dict[str, Fraction]] = {}
    corrections = []
    for row, number in _quoted_accuracies(table):
        fractions = _fractions(number, table.decimals, sets)
        fits[f"{row.name} {number.value:.{table.decimals}f}"] = fractions
        if _OF_TABLE not in fractions:
            corrections.append(_correction(table, row, number, fractions))
    no_share = [name for name, fractions in fits.items() if not fractions]
    denominators = sorted(
        {
            next(iter(fractions.values())).clips
            for name, fractions in fits.items()
            if name not in no_share
        }
    )
    listed = "; ".join(
        f"{name} is {' or '.join(f'{f} ({title})' for title, f in fractions.items())}"
        for name, fractions in fits.items()
        if fractions
    )
    sentences = [listed] if listed else []
    if no_share:
        sizes = ", ".join(str(size) for size in sorted(set(sets.values())))
        sentences.append(f"no share of {sizes} clips: {', '.join(no_share)}")
    if len(denominators) > 1:
        sentences.append(f"sets of {', '.join(map(str, denominators))} clips stand in one table")
    return Finding(
        table.where,
        "quoted accuracies, by sets of clips",
        "; ".join(sentences),
        _LIMITS,
        {
            "sets": sets,
            "fractions": {
                name: {title: str(fraction) for title, fraction in fractions.items()}
                for name, fractions in fits.items()
            },
        },
        Kind.SHARE,
        tuple(corrections),
    )


def _quoted_accuracies(table: QuotedAccuracies) -> Iterator[tuple[Row, Published]]:
    """Quoted accuracies of a table that are not of one database of several."""
    for config in load_experiments(table.experiment):
        for row in config.rows:
            for number in row.published:
                is_accuracy = number.name.lower().startswith("acc")
                if is_accuracy and number.quoted and number.database is None:
                    yield row, number


def _fractions(number: Published, decimals: int, sets: dict[str, int]) -> dict[str, Fraction]:
    """Set of clips -> the fraction of it that rounds to the number; sets without one are absent."""
    scale = 100 if number.unit == "percent" else 1
    counts = {
        title: counts_of(clips, number.value, decimals, scale=scale)
        for title, clips in sets.items()
    }
    return {title: Fraction(of[0], sets[title]) for title, of in counts.items() if of}


def _correction(
    table: QuotedAccuracies, row: Row, number: Published, fractions: dict[str, Fraction]
) -> Correction:
    """What an accuracy is that is no share of the table's clips."""
    shares = " or ".join(f"{fraction}, {title}" for title, fraction in fractions.items())
    actual = shares or f"no share of {table.clips} clips: an average, or other clips"
    return Correction(
        where=table.where,
        printed=f"{row.name}: {number.name} {number.value:.{table.decimals}f}, quoted",
        actual=actual,
        evidence=f"no count of {table.clips} clips rounds to it",
        method=row.method or "",
        fractions=(number.fraction,),
        experiment=table.experiment,
    )
