"""The pipeline check on drawn faces: did a method find the motion that was drawn?

Chance is 1 / classes, whatever the sizes of the classes: the UAR of a method that looks at nothing
is that on average. A motion is *found* if the whole 99.9 % interval of UAR over subjects lies above
it. The 95 % interval, which tables show, would not do: among rows that look at nothing one in forty
lies above chance by it, and ``make reproduce-all`` has more than forty rows.

Resampling few people gives intervals that are too narrow: of 16 people their half-width is that of
a normal distribution, times sqrt(15 / 16), where Student's t with 15 degrees of freedom is right.
Both are put right here.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from scipy.stats import norm, t

from mer_keras.errors import UserError

#: Part of the values that lie above the 99.9 % interval's upper end.
_BEYOND = 0.0005
#: The profile that only shows that every step runs; it is too small for a motion to be found.
SMOKE = "smoke"
#: Means over classes and seeds of a value at chance differ from chance by less than this.
ROUNDING = 1e-9


class MotionCheck(StrEnum):
    """What a row shows of the drawn motion.

    Attributes:
        FOUND: the 99.9 % interval of UAR lies above chance.
        NOT_FOUND: it holds chance, or lies below it.
        UNFINISHED: a fold is missing, so that there is no interval.
    """

    FOUND = "found"
    NOT_FOUND = "not found"
    UNFINISHED = "not finished"


@dataclass(frozen=True)
class CheckedRow:
    """One row of a run on drawn faces.

    Attributes:
        name: as readers know the row.
        check: whether it found the motion.
        can_find: whether its method looks at clips and their own labels. Chance, and a method whose
            training labels are shuffled, can't find anything.
        baseline: whether it stands beside the table.
        is_network: whether its method is a network.
    """

    name: str
    check: MotionCheck
    can_find: bool = True
    baseline: bool = False
    is_network: bool = True


def chance_uar(classes: int) -> float:
    """UAR, in 0..1, that a method has on average if it looks at nothing.

    Raises:
        UserError: fewer than two classes.
    """
    if classes < 2:
        raise UserError(f"{classes} classes: a check against chance needs two or more")
    return 1 / classes


def check_motion(
    uar: float | None, uar_low: float | None, classes: int, people: int
) -> MotionCheck:
    """Say whether a row found the drawn motion.

    Args:
        uar: the row's UAR over all tested clips, in 0..1. None: a fold is missing.
        uar_low: lower end of its 95 % interval over subjects, as a report has it (see
            ``metrics.bootstrap_interval``; averaged over seeds). None: a fold is missing.
        classes: number of classes of the experiment.
        people: number of tested people; of a single one nothing can be said.

    Raises:
        UserError: fewer than two classes, or a value outside 0..1.
    """
    chance = chance_uar(classes)
    if uar is None or uar_low is None:
        return MotionCheck.UNFINISHED
    if not 0 <= uar_low <= 1 or not 0 <= uar <= 1:
        raise UserError(f"UAR {uar}, interval from {uar_low}: expected values in 0..1")
    if people < 2:
        return MotionCheck.NOT_FOUND
    is_above = min(uar_low, uar - widening(people) * (uar - uar_low)) > chance + ROUNDING
    return MotionCheck.FOUND if is_above else MotionCheck.NOT_FOUND


def widening(people: int) -> float:
    """Half-width of the 99.9 % interval over that of the 95 % interval by resampling two or more.

    By Student's t, with the variance of so many people: the mean of a resample varies by
    (people - 1) / people of what the mean of as many other people does.
    """
    right = t.ppf(1 - _BEYOND, people - 1) * math.sqrt(people / (people - 1))
    return float(right / norm.ppf(0.975))


def check_sentence(rows: Sequence[CheckedRow], *, moves: bool, profile: str = "quick") -> str:
    """Say in one sentence what a pipeline check came to.

    Args:
        rows: all rows and baselines of one run or of several, each name once.
        moves: whether the drawn faces move; without motion none may find one.
        profile: name of the runs' profile.

    Returns:
        A sentence about the rows of the table. Baselines are named only where they contradict what
        is expected of them: one that can't find anything found a motion, or the other way round.
    """
    of_table = [row for row in rows if not row.baseline]
    word = "networks" if all(row.is_network for row in of_table) else "methods"
    amount = f"{_count(of_table, MotionCheck.FOUND)} of {len(of_table)} {word}"
    unfinished = _count(of_table, MotionCheck.UNFINISHED)
    rest = f"; {unfinished} not finished" if unfinished else ""
    heading = "Pipeline check on drawn faces"
    impossible = [
        row.name for row in rows if row.check is MotionCheck.FOUND and not (moves and row.can_find)
    ]
    if not moves:
        text = f"{heading}: motion was taken away: {amount} found one"
        text += ", as it must be" if not impossible else f" ({_listed(impossible)})"
        if impossible:
            rest += (
                ": one row in two thousand does so by chance; if it does so with other seeds too, "
                "something else than motion tells the classes apart"
            )
        return f"{text}{rest}."
    if profile == SMOKE:
        return (
            f"{heading}: profile {SMOKE} shows only that every step runs; it is too small to find "
            f"a motion ({amount} did{rest})."
        )
    text = f"{heading}: {amount} found the drawn motion{rest}"
    missed = [row.name for row in rows if row.can_find and row.check is MotionCheck.NOT_FOUND]
    if missed:
        text += f"; {_listed(missed)} did not: don't trust what is said of them here"
    if impossible:
        text += (
            f"; {_listed(impossible)} found it too, which can't be but by chance: labels may leak "
            "into the clips or into the folds"
        )
    return f"{text}."


def _count(rows: Sequence[CheckedRow], check: MotionCheck) -> int:
    return sum(row.check is check for row in rows)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
