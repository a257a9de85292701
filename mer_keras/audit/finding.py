"""One thing that the printed numbers of a paper imply."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Finding:
    """One thing that printed numbers imply.

    Attributes:
        where: table or section.
        about: what it is about.
        says: what follows.
        limits: what does not follow; empty where nothing need be said.
        numbers: the figures behind it, JSON-ready.
    """

    where: str
    about: str
    says: str
    limits: str
    numbers: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Return it JSON-ready."""
        return asdict(self)
