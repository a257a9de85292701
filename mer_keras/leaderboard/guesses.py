"""What guessing gives on the clips of a contribution."""

from collections.abc import Mapping

import numpy as np

from mer_keras.evaluation.guessing import Guess, GuessedClips, guess
from mer_keras.leaderboard.reading import Entry

#: The rule of the column that looks at every tested person's labels.
PERSON_BEST = "subject_best_latest"


class Guesses:
    """What guessing gives on the clips of a table, by the number of epochs."""

    def __init__(self, entry: Entry, repetitions: int) -> None:
        self._clips = clips_to_guess(entry)
        self.repetitions = repetitions
        self._known: dict[int, Mapping[str, Guess]] = {}

    def of(self, epochs: int | None) -> Mapping[str, Guess]:
        """Guesses where the rule may choose from so many epochs; empty without any."""
        if epochs is None:
            return {}
        if epochs not in self._known:
            self._known[epochs] = guess(
                self._clips, epochs, PERSON_BEST, repetitions=self.repetitions
            )
        return self._known[epochs]


def clips_to_guess(entry: Entry) -> GuessedClips:
    """The clips of a contribution, with the numbers of their classes."""
    clips, classes = entry.clips, entry.head.classes
    return GuessedClips(
        labels=np.array([classes.index(label) for label in clips["label"]], np.int64),
        subjects=list(clips["person"]),
        folds=list(clips["fold"]),
        classes=len(classes),
    )
