"""One thing that the printed numbers of a paper imply."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum


class Kind(StrEnum):
    """Kinds of findings: the question that was put to the printed numbers."""

    METRIC = "which metric is it?"
    SAMPLES = "how many samples are behind it?"
    SHARE = "of how many clips is it a share?"
    POOLED = "do the databases add up?"
    POSSIBLE = "can both scores be true?"
    SHARED = "does another table print the same figures?"
    ARITHMETIC = "does the text follow from the tables?"
    PARAMETERS = "of which network is the count?"
    TEST = "what was tested?"
    READING = "does the text say so elsewhere?"


@dataclass(frozen=True)
class Correction:
    """A printed statement that the paper's own figures contradict.

    Attributes:
        where: table or section that prints it.
        printed: what is printed.
        actual: what it is.
        evidence: how that is known.
        method: the method's name in ``experiments/methods``, by which papers are found that quote
            the number; empty where nobody can quote it.
        fractions: the printed numbers on the scale 0..1.
        experiment: name of the experiment whose table prints the number, to which the correction
            is limited; empty where it holds for every table that prints the number of the method.
    """

    where: str
    printed: str
    actual: str
    evidence: str
    method: str = ""
    fractions: tuple[float, ...] = ()
    experiment: str = ""


@dataclass(frozen=True)
class Finding:
    """One thing that printed numbers imply.

    Attributes:
        where: table or section of the paper.
        about: which numbers it is about.
        says: what follows from them.
        limits: what does not follow; empty where nothing need be said.
        numbers: the evidence: the numbers behind it, JSON-ready.
        kind: the question that it answers.
        corrections: what of the print it contradicts.
    """

    where: str
    about: str
    says: str
    limits: str
    numbers: Mapping[str, object]
    kind: Kind
    corrections: tuple[Correction, ...] = ()

    def to_json(self) -> dict[str, object]:
        """Return it JSON-ready."""
        return asdict(self)
