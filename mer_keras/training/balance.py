"""Oversampling: every class of a training set as large as its largest."""

from collections.abc import Sequence

import numpy as np

from mer_keras.errors import InvariantError


def oversample(
    ids: Sequence[str], labels: Sequence[str | int], rng: np.random.Generator
) -> tuple[list[str], np.ndarray]:
    """Add copies of clips until all classes are as large as the largest.

    The copies of a class are spread over its clips as evenly as their number allows; which clips
    get the odd ones is drawn. Only training ids belong here: a copy of a tested clip is a leak.

    Args:
        ids: sample ids, each once.
        labels: the class of each id.
        rng: decides the odd copies and the order of the copies of a class.

    Returns:
        The ids in their order followed by the copies, and a bool array that is true for a copy.

    Raises:
        InvariantError: an id stands twice, or ids and labels differ in number.
    """
    if len(ids) != len(labels) or len(set(ids)) != len(ids):
        raise InvariantError(
            f"oversampling needs one label for each of its different ids, found {len(ids)} ids "
            f"({len(set(ids))} different) and {len(labels)} labels"
        )
    members: dict[str | int, list[str]] = {}
    for sample_id, label in zip(ids, labels, strict=True):
        members.setdefault(label, []).append(sample_id)
    largest = max(map(len, members.values()), default=0)
    copies: list[str] = []
    for label in sorted(members, key=str):  # the draw must not depend on which class comes first
        own = members[label]
        rounds, odd = divmod(largest - len(own), len(own))
        for count in (len(own),) * rounds + (odd,):
            copies += [own[place] for place in rng.permutation(len(own))[:count]]
    is_copy = np.zeros(len(ids) + len(copies), dtype=bool)
    is_copy[len(ids) :] = True
    return [*ids, *copies], is_copy
