"""Accuracies: of how many clips can they be a share?"""

from collections.abc import Iterator

from mer_keras.audit.finding import Finding
from mer_keras.audit.fractions import counts_of, exact_interval
from mer_keras.audit.published import Accuracies, Share
from mer_keras.config.experiment import Published
from mer_keras.config.files import load_experiments

#: so many clips more or fewer than the database has are tried
NEAR = 12


def of_share(share: Share) -> Finding:
    """Find the fractions that an accuracy on a part of a database can be."""
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


def of_accuracies(table: Accuracies) -> Iterator[Finding]:
    """Tell, for each database of a table, which accuracies are shares of its clips."""
    rows = [
        (row, number)
        for config in load_experiments(table.experiment)
        for row in config.rows
        for number in row.published
        if number.metric == "war" or (row.quoted and number.metric == "unknown")
    ]
    for database, clips in table.clips.items():
        own, quoted = (
            {
                row.name: _fractions(number, clips, table.decimals)
                for row, number in rows
                if row.quoted is is_quoted and (number.database or "all") == database
            }
            for is_quoted in (False, True)
        )
        yield _shares_of(table, database, clips, own, quoted)


def _shares_of(
    table: Accuracies,
    database: str,
    clips: int,
    own: dict[str, list[tuple[int, int]]],
    quoted: dict[str, list[tuple[int, int]]],
) -> Finding:
    """``own`` and ``quoted``: row -> (right, clips) that its accuracy can be, nearest first."""
    exact = {name: ways[0] for name, ways in own.items() if ways and ways[0][1] == clips}
    odd = {name: ways for name, ways in own.items() if name not in exact}
    parts = []
    if exact:
        listed = ", ".join(f"{name} {k}/{n}" for name, (k, n) in exact.items())
        parts.append(f"shares of the {clips} clips: {listed}")
    if odd:
        listed = ", ".join(
            f"{name} ({ways[0][0]}/{ways[0][1]} is the nearest)" if ways else f"{name} (nor near)"
            for name, ways in odd.items()
        )
        parts.append(f"no share of the {clips} clips of the database: {listed}")
    fitting = [name for name, ways in quoted.items() if ways and ways[0][1] == clips]
    if quoted:
        parts.append(f"of the {len(quoted)} quoted accuracies {len(fitting)} are such shares")
    best = max([*exact.values(), *(ways[0] for ways in odd.values() if ways)], default=None)
    if best:
        low, high = exact_interval(*best)
        parts.append(
            f"one clip is {100 / best[1]:.2f} points; {best[0]}/{best[1]} has the exact 95 % "
            f"interval {100 * low:.1f} to {100 * high:.1f}, clips taken as independent"
        )
    name = "" if database == "all" else f", {database}"
    limits = ""
    if odd:
        limits = (
            "Other clips than the database's may have been tested, or an average over people was "
            "printed. The rows beside it are then not of the same clips."
        )
    return Finding(
        table.where,
        f"accuracies{name}",
        "; ".join(parts),
        limits,
        {
            "clips": clips,
            "own": {row: [f"{k}/{n}" for k, n in ways[:3]] for row, ways in own.items()},
            "quoted": {row: [f"{k}/{n}" for k, n in ways[:3]] for row, ways in quoted.items()},
        },
    )


def _fractions(number: Published, clips: int, decimals: int) -> list[tuple[int, int]]:
    """Fractions of about so many clips that round to an accuracy, nearest number first."""
    sizes = sorted(range(clips - NEAR, clips + NEAR + 1), key=lambda n: (abs(n - clips), n))
    scale = 100 if number.unit == "percent" else 1
    return [(k, n) for n in sizes for k in counts_of(n, number.value, decimals, scale=scale)]
