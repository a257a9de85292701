"""What the suite knows of a database beside how to read it; every reader module has one entry."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from mer_keras.databases.samples import Reading
from mer_keras.terms import DataKind


@dataclass(frozen=True)
class Database:
    """A database and how to get at it.

    Attributes:
        name: key in ``databases.DATABASES``.
        title: for tables and texts.
        folders: names it may have under a data root, the preferred one first; case is ignored.
        reader: its folder -> rows; with ``trees``, (its folder, which tree) -> rows.
        whom_to_ask: how a user gets it.
        tree: the expected files.
        trees: the frame trees that a reader can be asked for, the preferred one first.
        default_kind: of its data, unless a marker in its folder says otherwise.
        counts: clips by emotion as its owners or users print them; a difference is reported.
        subjects: people in it, likewise.
        place: its folder, where that is known beforehand.
        expressions: ``micro``, or ``macro`` for a database that is used for pretraining.
    """

    name: str
    title: str
    folders: tuple[str, ...]
    reader: Callable[..., Reading]
    whom_to_ask: str
    tree: str
    trees: tuple[str, ...] = ()
    default_kind: DataKind = DataKind.LICENSED
    counts: dict[str, int] = field(default_factory=dict)
    subjects: int | None = None
    place: Path | None = None
    expressions: str = "micro"
