"""From votes of a bundle's members to what is said of one expression."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mer_keras.prediction.result import Vote

#: Two classes whose shares differ by less than this are not told apart.
CLOSE = 0.1
#: A vote is undecided where more than this share of the members choose another class.
_DISSENT = 0.25


class Said(NamedTuple):
    """What the members say of one expression.

    Attributes:
        votes: by class.
        decision: the class with the greatest share; None: undecided.
        remarks: why it is undecided.
    """

    votes: dict[str, Vote]
    decision: str | None
    remarks: tuple[str, ...]


def said_of(classes: Sequence[str], per_member: NDArray[np.floating]) -> Said:
    """Count the members' votes of one expression.

    Args:
        classes: their names.
        per_member: (members, classes), each row of sum 1.
    """
    shares = np.clip(per_member.astype(np.float64), 0, 1)
    mean = shares.mean(axis=0)  # (classes,)
    votes = {
        name: Vote(share=mean[index], least=of_class.min(), greatest=of_class.max())
        for index, (name, of_class) in enumerate(zip(classes, shares.T, strict=True))
    }
    chosen = int(mean.argmax())
    second, first = np.sort(mean)[-2:]
    dissent = float((shares.argmax(axis=1) != chosen).mean())
    remarks = []
    if first - second < CLOSE:
        remarks.append(f"undecided: the first two classes differ by less than {CLOSE:g}")
    if dissent > _DISSENT:
        count = round(dissent * len(shares))
        remarks.append(f"undecided: {count} of {len(shares)} members choose another class")
    return Said(votes, None if remarks else classes[chosen], tuple(remarks))
