"""What guessing scores where the epoch is chosen by the tested clips.

A guesser draws each clip's class anew in every epoch, each class as often as it occurs among all
clips. An epoch rule that counts right clips then takes, for each group of tested clips, an epoch in
which most of the group are right: a group is a tested person, a fold, or all clips. What such a
rule reports of a guesser is what it is worth by itself.

No epoch has to be drawn for that. The best number of right clips of a group over ``epochs`` draws
has the distribution function F ** epochs, F being that of one draw; and the draw that is taken has
the distribution of one draw with that many right clips, whichever of equally good epochs is taken
and whether or not training ends at 100 %. So 3,000 epochs cost as much as one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mer_keras.errors import UserError
from mer_keras.evaluation.epoch_rules import RULES
from mer_keras.evaluation.metrics import METRICS, Matrices, of_present_classes, percentiles

#: Whose right clips a rule counts, by the name of the rule (see ``epoch_rules.RULES``). The other
#: rules look at more than the number of right clips.
COUNTED_FOR: Mapping[str, str] = {
    "last_epoch": "nobody",
    "best_for_all": "all",
    "fold_best": "fold",
    "subject_best_stopped": "subject",
    "subject_best_latest_stopped": "subject",
    "subject_best_latest": "subject",
}
REPETITIONS = 1000
#: Numbers of epochs for which guesses are shown beside those that methods train.
USUAL_EPOCHS = (1, 40, 200, 800)
#: Most draws of one call, repetitions times clips: they are held in memory.
MOST_DRAWS = 10**9


@dataclass(frozen=True)
class GuessedClips:
    """Clips that are guessed; all attributes have the same order.

    Attributes:
        labels: true class of each clip, (clips,), integers in 0..classes-1.
        subjects: person of each clip.
        folds: fold that tests each clip.
        classes: number of classes.
    """

    labels: NDArray[np.int64]
    subjects: Sequence[str]
    folds: Sequence[str]
    classes: int


@dataclass(frozen=True)
class Guess:
    """A metric of many guessers, in 0..1: mean, and the middle 95 % of them."""

    mean: float
    low: float
    high: float


def guess(
    tested: GuessedClips,
    epochs: int,
    rule: str = "subject_best_latest",
    *,
    repetitions: int = REPETITIONS,
    seed: int = 0,
) -> dict[str, Guess]:
    """What an epoch rule reports of guessers: metric (a key of ``METRICS``) -> value.

    Means over classes are of those that have clips, as in ``mer-keras score``.

    Args:
        tested: the clips.
        epochs: how many epochs the rule may choose from.
        rule: a key of ``COUNTED_FOR``.
        repetitions: number of guessers, at least 2.
        seed: seed of the draws.

    Raises:
        UserError: no such rule, no clip, or numbers that can't be.
    """
    if rule not in COUNTED_FOR:
        reason = "looks at more than the number of right clips" if rule in RULES else "is no rule"
        raise UserError(f"{rule}: {reason}: expected one of {', '.join(COUNTED_FOR)}")
    if epochs < 1 or repetitions < 2 or not len(tested.labels):
        raise UserError(
            f"{epochs} epochs, {repetitions} repetitions, {len(tested.labels)} clips: expected at "
            "least one epoch, two repetitions and one clip"
        )
    if repetitions * len(tested.labels) > MOST_DRAWS:
        raise UserError(f"{repetitions} repetitions are too many for {len(tested.labels)} clips")
    matrices = guessed_matrices(tested, epochs, COUNTED_FOR[rule], repetitions, seed)
    values = {name: of_present_classes(name, matrices) for name in METRICS}  # (repetitions,) each
    return {
        name: Guess(float(of_metric.mean()), *percentiles(of_metric, 0.95))
        for name, of_metric in values.items()
    }


def guessed_matrices(
    tested: GuessedClips, epochs: int, counted_for: str, repetitions: int, seed: int
) -> Matrices:
    """Confusion matrices of guessers: (repetitions, classes, classes) int64, rows are the truth."""
    rng = np.random.default_rng(seed)
    shares = np.bincount(tested.labels, minlength=tested.classes) / len(tested.labels)
    matrices = np.zeros((repetitions, tested.classes, tested.classes), np.int64)
    draws = epochs if counted_for != "nobody" else 1
    for group in _groups(tested, counted_for):
        labels = tested.labels[group]
        is_right = _best_draws(shares[labels], draws, repetitions, rng)  # (repetitions, clips)
        for clip, label in enumerate(labels):
            predicted = _wrong_classes(shares, int(label), repetitions, rng)  # (repetitions,)
            predicted[is_right[:, clip]] = label
            matrices[np.arange(repetitions), label, predicted] += 1
    return matrices


def _groups(tested: GuessedClips, counted_for: str) -> Iterator[NDArray[np.int64]]:
    """Positions of the clips for which a rule takes one epoch together."""
    if counted_for in ("nobody", "all"):
        names: Sequence[str] = [""] * len(tested.labels)
    elif counted_for == "fold":
        names = tested.folds
    else:  # A person who is tested in two folds chooses in each.
        names = [f"{f}\n{s}" for f, s in zip(tested.folds, tested.subjects, strict=True)]
    _, numbers = np.unique(np.asarray(names, dtype=str), return_inverse=True)
    for number in range(numbers.max() + 1):
        yield np.flatnonzero(numbers == number)


def _best_draws(
    chances: NDArray[np.float64], draws: int, repetitions: int, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Which clips are right in a draw that has most of them right: (repetitions, clips).

    Args:
        chances: probability that a clip is right in one draw, (clips,).
        draws: of how many draws the best is taken.
        repetitions: how often that is done.
        rng: source of the draws.
    """
    clips = len(chances)
    # tails[i, k]: probability that k of the clips i, i+1, ... are right.
    tails = np.zeros((clips + 1, clips + 1))
    tails[clips, 0] = 1
    for clip in reversed(range(clips)):
        tails[clip] = tails[clip + 1] * (1 - chances[clip])
        tails[clip, 1:] += tails[clip + 1, :-1] * chances[clip]
    distribution = np.cumsum(tails[0])
    best = np.searchsorted(distribution / distribution[-1], rng.random(repetitions) ** (1 / draws))
    is_right = np.zeros((repetitions, clips), bool)
    missing = best  # (repetitions,): right clips that are still to be placed
    for clip, chance in enumerate(chances):
        rest = tails[clip + 1, np.maximum(missing - 1, 0)]
        probability = np.where(missing > 0, chance * rest, 0) / tails[clip, missing]
        is_right[:, clip] = rng.random(repetitions) < probability
        missing = missing - is_right[:, clip]
    return is_right


def _wrong_classes(
    shares: NDArray[np.float64], label: int, repetitions: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw classes other than the label, each as often as it occurs: (repetitions,)."""
    others = shares.copy()
    others[label] = 0
    if not others.any():  # The clips have one class, which every draw gets right.
        return np.full(repetitions, label)
    return np.searchsorted(np.cumsum(others / others.sum()), rng.random(repetitions), side="right")
