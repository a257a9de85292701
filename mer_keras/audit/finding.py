"""One thing that the printed numbers of a paper imply."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that printed numbers imply.

    Attributes:
        where: table or section of the paper.
        about: which numbers it is about.
        says: what follows from them.
        limits: what does not follow; empty where nothing need be said.
        numbers: the numbers behind it, JSON-ready.
    """

    where: str
    about: str
    says: str
    limits: str
    numbers: Mapping[str, object]

    def to_json(self) -> dict[str, object]:
        """Return it JSON-ready."""
        return asdict(self)
