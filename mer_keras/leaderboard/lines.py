"""A table's standings -> text cells: scores, comparisons, power, origin of the numbers."""

from collections.abc import Mapping, Sequence
from string import ascii_lowercase

import numpy as np

from mer_keras.config.files import load_method
from mer_keras.evaluation.guessing import USUAL_EPOCHS, Guess
from mer_keras.evaluation.many_methods import PairDifference, indistinct_groups
from mer_keras.evaluation.power import ENOUGH, STUDIES, PowerPoint, power_curve, smallest_shown
from mer_keras.leaderboard.boards import boards
from mer_keras.leaderboard.reading import Entry
from mer_keras.leaderboard.schema import ContributedRow
from mer_keras.leaderboard.standings import SHOWN, Standing, Table, Value
from mer_keras.names import slug
from mer_keras.report import table as text_table
from mer_keras.terms import DAGGER, DataKind

#: Stands in a cell that has nothing to say.
EMPTY = "-"
#: Parts of the names of a page's tables.
PARTS = ("scores", "guessing", "power", "claims", "methods", "differences")
NOTES = (
    "UF1 and UAR in per cent, of all tested clips pooled. In brackets: 95 % interval over people, "
    "averaged over seeds; behind ±: standard deviation of these seeds (the root of their mean "
    "square distance from their mean), where there are several.",
    f"{DAGGER} The epoch was chosen by the labels of tested clips, which new clips don't have.",
    "Guessing: each clip's class is drawn anew in every epoch, each class as often as it occurs, "
    "and each tested person's best of as many epochs as the method trains is reported; in "
    "brackets: the middle 95 % of guessers.",
    "Two methods without a common letter differ in UF1; of two methods with a common letter no "
    "difference is shown (paired bootstrap over people, p < 0.05 after Holm's correction over all "
    "pairs of the table). This p is over people alone: of a method with one seed, another training "
    "may give another result.",
    "Chosen on training people: some of them are held back to choose, so that a method learns from "
    "fewer people. Where nothing is chosen, as for the linear SVM, the column shows what that "
    "costs. What choosing adds is the difference to the last epoch, in brackets its 95 % interval "
    "over people, who are the same in both.",
    "Changed in the recipe: what the experiment sets otherwise than the method's own recipe, but "
    "for the epochs and the number format, which have columns of their own; started_from has the "
    "first digits of the digest of weights from elsewhere.",
    "Runs of one method and recipe that share no seed are taken as one if their version, backend, "
    "folds and images are the same.",
    "Claimed numbers are of the same set, one person left out at a time, on each paper's own "
    "images, whatever the folds and images of this table. Methods without scores were not run.",
)


def main_table(table: Table) -> text_table.Table:
    """The table of all methods, best honest UF1 first."""
    letters = _letters(table)
    databases = sorted({name for standing in table.standings for name in standing.databases})
    records = [_record(standing, letters, databases) for standing in table.standings]
    return text_table.Table(
        name=file_name(table, "scores"),
        title=f"{boards()[table.board].title}, {table.protocol}",
        data_kind=DataKind.PUBLIC,
        caption=(
            f"{len(table.entries[0].clips)} clips of {table.people} people; {table.protocol}; "
            "folds, clips and labels are bound by their digests"
        ),
        records=records,
        notes=NOTES,
    )


def file_name(table: Table, part: str) -> str:
    """Name of a file of a table, without its ending."""
    return f"{slug(table.board)}.{slug(table.protocol)}.{part}"


def _record(
    standing: Standing, letters: Mapping[str, str], databases: Sequence[str]
) -> dict[str, str]:
    """Cells of one line; the first names it."""
    row = standing.row
    record = {
        "method": standing.name + (" (baseline)" if row.role == "baseline" else ""),
        "claimed UF1 / UAR": _claimed(standing),
        "epoch in the published code chosen by": _chosen_by(standing),
    }
    for metric in SHOWN:
        name = metric.upper()
        record |= {
            f"{name}, last epoch or none": _shown(standing.honest.get(metric)),
            f"{name}, chosen on training people": _shown(standing.inner.get(metric)),
            f"{name}, tested person's best epoch {DAGGER}": _shown(
                standing.person_best.get(metric)
            ),
            f"{name}, guessing under that rule {DAGGER}": _guess(standing.guessed.get(metric)),
        }
    record["choosing adds to UF1"] = _difference(standing.choosing_adds)
    record["choosing on training people adds to UF1"] = _difference(standing.inner_adds)
    record["not told apart"] = letters.get(standing.name, EMPTY)
    for database in databases:
        scores = standing.databases.get(database)
        record[f"{database}, UF1 / UAR"] = (
            " / ".join(_per_cent(scores[metric]) for metric in SHOWN) if scores else EMPTY
        )
    record |= {
        "epochs": str(row.epochs) if row.epochs and row.ran else EMPTY,
        "number format": standing.precision if row.epochs and row.ran else EMPTY,
        "changed in the recipe": "; ".join(standing.changed) or EMPTY,
        "seeds": str(standing.seeds) if row.ran else EMPTY,
        "seeds, chosen on training people": str(standing.inner_seeds or EMPTY),
        "parameters": f"{row.parameters:,}" if row.parameters else EMPTY,
        "multiply-accumulates": f"{row.multiply_accumulates:,}"
        if row.multiply_accumulates
        else EMPTY,
        "seconds a seed": f"{standing.arm.seconds_a_seed:,.0f}" if row.ran else EMPTY,
        "stored in": "; ".join(standing.sources) or EMPTY,
    }
    return record


def _claimed(standing: Standing) -> str:
    """All numbers that are claimed, UF1 before the stroke and UAR behind it."""
    texts = []
    for metric in SHOWN:
        values = dict.fromkeys(c.value for c in standing.claims if c.metric == metric)
        texts.append(", ".join(f"{100 * value:.2f}" for value in values) or EMPTY)
    return EMPTY if set(texts) == {EMPTY} else " / ".join(texts)


def _chosen_by(standing: Standing) -> str:
    """What chose the epoch of the claimed numbers."""
    reasons = dict.fromkeys(claim.chosen_by for claim in standing.claims)
    return "; ".join(reasons) or EMPTY


def _shown(value: Value | None) -> str:
    if value is None:
        return EMPTY
    text = f"{_per_cent(value.pooled)} [{_per_cent(value.low)}, {_per_cent(value.high)}]"
    # The mean of equal numbers may differ from them by rounding.
    return f"{text} ± {_per_cent(value.seed_sd)}" if value.seed_sd > 1e-9 else text


def _guess(value: Guess | None) -> str:
    if value is None:
        return EMPTY
    return f"{_per_cent(value.mean)} [{_per_cent(value.low)}, {_per_cent(value.high)}]"


def _difference(pair: PairDifference | None) -> str:
    if pair is None:
        return EMPTY
    return f"{100 * pair.value:+.1f} [{100 * pair.low:+.1f}, {100 * pair.high:+.1f}]"


def _per_cent(fraction: float) -> str:
    return f"{100 * fraction:.1f}"


def _letters(table: Table) -> dict[str, str]:
    """Letters of the groups that each compared method belongs to."""
    compared = table.compared
    groups = indistinct_groups(len(compared), table.pairs)
    letters: dict[str, list[str]] = {standing.name: [] for standing in compared}
    for number, group in enumerate(groups):
        times, place = divmod(number, len(ascii_lowercase))
        letter = ascii_lowercase[place] + (str(times + 1) if times else "")
        for position in group:
            letters[compared[position].name].append(letter)
    gap = " " if len(groups) > len(ascii_lowercase) else ""
    return {name: gap.join(of_method) for name, of_method in letters.items()}


def methods_table(table: Table) -> text_table.Table:
    """What each method is, and why some were not run."""
    return text_table.Table(
        name=file_name(table, "methods"),
        title="What the methods are",
        data_kind=DataKind.PUBLIC,
        caption="In the order of the scores",
        records=[
            {
                "method": standing.name,
                "paper": standing.row.paper or EMPTY,
                **_described(standing.row),
                "why it was not run": standing.row.missing or EMPTY,
            }
            for standing in table.standings
        ],
    )


def _described(row: ContributedRow) -> dict[str, str]:
    """What a method is and what is known of it: this version's words where it has the method."""
    config = load_method(row.method)
    about, facts = (config.about, config.facts) if config is not None else (row.about, ())
    return {"about": about or EMPTY, "what is known of it": " ".join(facts) or EMPTY}


def claims_table(table: Table) -> text_table.Table | None:
    """Every claimed number, who prints it and what chose its epoch; ``None`` without any."""
    records = [
        {
            "method": standing.name,
            "claimed": f"{claim.metric.upper()} {100 * claim.value:.2f}",
            "printed in": claim.where,
            "epoch chosen by": claim.chosen_by,
        }
        for standing in table.standings
        for claim in standing.claims
    ]
    if not records:
        return None
    return text_table.Table(
        name=file_name(table, "claims"),
        title="What is claimed, and where",
        data_kind=DataKind.PUBLIC,
        caption="Numbers in per cent; UAP is a mean of precisions, which a paper may print as UAR",
        records=records,
    )


def pairs_table(table: Table) -> text_table.Table | None:
    """Differences of all pairs of methods; ``None`` where fewer than two are compared."""
    compared = table.compared
    if not table.pairs:
        return None
    records = [
        {
            "better": compared[pair.first].name,
            "worse": compared[pair.second].name,
            "UF1 points more": f"{-100 * pair.value:+.1f}",
            "95 % over people": f"[{-100 * pair.high:+.1f}, {-100 * pair.low:+.1f}]",
            "p": f"{pair.p:.4f}",
            "p by Holm": f"{pair.corrected_p:.4f}",
            "differ": "yes" if pair.differs() else "no",
        }
        for pair in table.pairs
    ]
    return text_table.Table(
        name=file_name(table, "differences"),
        title="Differences of all pairs",
        data_kind=DataKind.PUBLIC,
        caption=(
            "Honest UF1, the first method minus the second; paired bootstrap over people, "
            f"{len(table.pairs)} pairs, p corrected by Holm; intervals are not corrected"
        ),
        records=records,
    )


def power_table(table: Table, studies: int = STUDIES) -> text_table.Table | None:
    """What so many people can show of the two best methods; ``None`` of fewer than two."""
    compared = table.compared
    if len(compared) < 2:
        return None
    best, second = compared[0], compared[1]
    if best.matrices is None or second.matrices is None:
        return None
    records = []
    for people in dict.fromkeys((table.people, 2 * table.people, 4 * table.people)):
        points = power_curve(best.matrices[0], second.matrices[0], people=people, studies=studies)
        smallest = smallest_shown(points)
        records.append(
            {
                "people": str(people),
                "smallest difference shown, UF1 points": EMPTY
                if smallest is None
                else f"{100 * smallest:.1f}",
                **{f"power at {step} points": _power_at(points, step / 100) for step in (2, 5, 8)},
            }
        )
    return text_table.Table(
        name=file_name(table, "power"),
        title=f"What {table.people} people can show",
        data_kind=DataKind.PUBLIC,
        caption=(
            f"Simulated from the stored predictions of {best.name} and {second.name}: people are "
            "drawn anew, and wrong clips of the second are mended until it is better by a true "
            "difference. Power is the share of such studies whose 95 % interval over people, of "
            "one comparison, lies above zero. Smallest difference shown: the one with a power of "
            f"{ENOUGH:.0%}. Methods whose errors are less alike need more people"
        ),
        records=records,
    )


def guesses_table(table: Table) -> text_table.Table:
    """What guessing gives where each tested person's best epoch is taken, by number of epochs."""
    trained = {standing.row.epochs for standing in table.standings if standing.row.epochs}
    return text_table.Table(
        name=file_name(table, "guessing"),
        title="What guessing gives",
        data_kind=DataKind.PUBLIC,
        caption=(
            "Each clip's class is drawn anew in every epoch, each class as often as it occurs, and "
            f"each tested person's best epoch is taken; {table.guesses.repetitions} guessers, in "
            "brackets the middle 95 % of them"
        ),
        records=[
            {
                "epochs": str(epochs),
                **{metric.upper(): _guess(table.guesses.of(epochs)[metric]) for metric in SHOWN},
            }
            for epochs in sorted({*USUAL_EPOCHS, *trained})
        ],
    )


def _power_at(points: Sequence[PowerPoint], difference: float) -> str:
    """Power at a true difference, by linear interpolation, or nothing outside what was tried."""
    differences = [point.difference for point in points]
    if not differences[0] <= difference <= differences[-1]:
        return EMPTY
    return f"{np.interp(difference, differences, [point.power for point in points]):.0%}"


def provenance(entry: Entry) -> dict[str, str]:
    """Where the numbers of one contribution come from."""
    head = entry.head
    return {
        "run": head.run_id,
        "experiment": f"{head.experiment}, profile {head.profile}",
        "selection": head.selection,
        "seeds": ", ".join(map(str, head.seeds)),
        "created": head.created,
        "config digest": head.config_digest,
        "samples digest": head.samples_digest,
        "folds digest": head.folds_digest,
        "images digest": head.images_digest,
        "clips digest": head.clips_digest,
        "division digest": head.division_digest,
        "device": head.device,
        "backend": head.backend,
        "versions": ", ".join(f"{name} {version}" for name, version in head.versions.items()),
        "git": head.git,
    }
