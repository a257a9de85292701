"""What the suite knows of a database beside how to read it; every reader module has one entry."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from mer_keras.databases.labels import LabelScheme
from mer_keras.databases.samples import Reading
from mer_keras.terms import DataKind


@dataclass(frozen=True)
class Database:
    """A database and how to get at it.

    Attributes:
        name: key in ``registry.DATABASES``.
        title: for tables and texts.
        folders: names it may have under a data root, the preferred one first; case is ignored.
        reader: its folder -> annotations of its clips; with ``frame_sources``, (its folder, which
            of them or ``auto``) -> annotations.
        whom_to_ask: how a user gets it.
        tree: the expected files.
        frame_sources: the kinds of frames it has (such as ``cropped`` and ``raw``), where a reader
            can be asked for one, the preferred one first.
        default_kind: kind of its data, unless a marker in its folder says otherwise.
        counts: clips by emotion as its owners or users print them; a difference is reported.
        subjects: people in it, likewise.
        schemes: label schemes that come with the database itself; those of papers that use it are
            in ``label_schemes``.
        fixed_folder: its folder, where it isn't looked for under the data roots.
        expressions: ``micro``, or ``macro`` for a database that is used for pretraining.
    """

    name: str
    title: str
    folders: tuple[str, ...]
    reader: Callable[..., Reading]
    whom_to_ask: str
    tree: str
    frame_sources: tuple[str, ...] = ()
    default_kind: DataKind = DataKind.LICENSED
    counts: dict[str, int] = field(default_factory=dict)
    subjects: int | None = None
    schemes: tuple[LabelScheme, ...] = ()
    fixed_folder: Path | None = None
    expressions: str = "micro"
