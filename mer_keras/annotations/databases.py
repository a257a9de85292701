"""The databases that can be read: where each is looked for, who reads it, whom to ask for it."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mer_keras import settings
from mer_keras.annotations import megc2019_flow, mmew, samm
from mer_keras.annotations.samples import Samples
from mer_keras.annotations.synthetic import MARKER
from mer_keras.errors import DatabaseNotFoundError, UserError, did_you_mean
from mer_keras.terms import DataKind

#: A file of this name in a database's folder says that its frames are synthetic.
SYNTHETIC_MARKER = MARKER


@dataclass(frozen=True)
class Database:
    """A database and how to get at it.

    Attributes:
        name: key in ``DATABASES``.
        title: for tables and texts.
        folders: names it may have under a data root, the preferred one first; case is ignored.
        reader: (its folder, kind of data) -> samples.
        default_kind: of its data, unless ``SYNTHETIC_MARKER`` says otherwise.
        whom_to_ask: how a user gets it.
        tree: the expected files.
    """

    name: str
    title: str
    folders: tuple[str, ...]
    reader: Callable[[Path, DataKind], Samples]
    default_kind: DataKind
    whom_to_ask: str
    tree: str


_ALL = (
    Database(
        name=samm.NAME,
        title="SAMM, spontaneous micro-facial movements",
        folders=("SAMM",),
        reader=samm.read,
        default_kind=DataKind.LICENSED,
        whom_to_ask=(
            "Manchester Metropolitan University (M. H. Yap): sign the licence agreement at\n"
            "https://helward.mmu.ac.uk/STAFF/M.Yap/dataset.php and send it as described there."
        ),
        tree=samm.TREE,
    ),
    Database(
        name=mmew.NAME,
        title="MMEW, micro- and macro-expression warehouse",
        folders=("MMEW", "MMEW_Final"),
        reader=mmew.read,
        default_kind=DataKind.LICENSED,
        whom_to_ask=(
            "Shandong University (X. Ben): sign the licence agreement at\n"
            "http://www.dpailab.com/database.html and send it as described there."
        ),
        tree=mmew.TREE,
    ),
    Database(
        name=megc2019_flow.NAME,
        title="MEGC 2019 composite set as optical flow",
        folders=("megc2019_flow",),
        reader=megc2019_flow.read,
        default_kind=DataKind.PUBLIC,
        whom_to_ask=(
            "Public, though no licence is stated: the input images of STSTNet, which its authors\n"
            "link from https://github.com/christy1206/STSTNet. They come in one folder a left-out\n"
            "subject, whose test images are that subject's own clips. Copy each clip's image once\n"
            "and list all in samples.csv (database: casme2, samm or smic; subject as its database\n"
            "writes it; emotion: negative, positive or surprise)."
        ),
        tree=megc2019_flow.TREE,
    ),
)

#: Name -> database.
DATABASES: dict[str, Database] = {database.name: database for database in _ALL}


def get_database(name: str) -> Database:
    """Return a database by name.

    Raises:
        UserError: there is none of this name.
    """
    if name not in DATABASES:
        raise UserError(
            f"no database {name!r}{did_you_mean(name, DATABASES)}: there are {', '.join(DATABASES)}"
        )
    return DATABASES[name]


def find(name: str) -> Path | None:
    """Return the database's folder under the first data root that has it, or None.

    Raises:
        UserError: there is no database of this name.
    """
    database = get_database(name)
    for root in settings.data_roots():
        present = _folders_of(root)
        for folder in database.folders:
            same = [name for name in present if name.casefold() == folder.casefold()]
            if same:
                return root / (folder if folder in same else same[0])
    return None


def load(name: str, root: Path | None = None) -> Samples:
    """Read a database. Nothing is ever written into its folder.

    Args:
        name: a key of ``DATABASES``.
        root: its folder; by default it is looked for under ``settings.data_roots()``.

    Returns:
        All annotated clips, without labels (see ``labels.apply_scheme``).

    Raises:
        UserError: there is no database of this name.
        DatabaseNotFoundError: it is not where it was looked for.
        AnnotationError: its table or folders break its format.
    """
    database = get_database(name)
    place = root if root is not None else find(name)
    if place is None or not place.is_dir():
        raise DatabaseNotFoundError(_not_found(database, root))
    synthetic = os.path.lexists(place / SYNTHETIC_MARKER)
    return database.reader(place, DataKind.SYNTHETIC if synthetic else database.default_kind)


def howto(name: str) -> str:
    """Return how to get a database, where to put it and which files are expected.

    Raises:
        UserError: there is no database of this name.
    """
    database = get_database(name)
    roots = "\n".join(f"  {root.absolute()}" for root in settings.data_roots())
    return (
        f"{database.title} ({database.default_kind})\n\n"
        f"How to get it\n{_indent(database.whom_to_ask)}\n\n"
        f"Expected files\n{_indent(database.tree)}\n\n"
        f"Where to put it: into one of the folders that MER_DATA names, now\n{roots}\n\n"
        f"Then check it: mer-keras data check {database.name}\n"
    )


def _folders_of(root: Path) -> list[str]:
    """Names of the folders in a data root; none if it can't be listed."""
    try:
        with os.scandir(root) as entries:
            # links to folders are usual here: databases lie on other disks
            return sorted(entry.name for entry in entries if entry.is_dir())
    except OSError:
        return []


def _not_found(database: Database, root: Path | None) -> str:
    if root is not None:
        looked = f"  {root}"
    else:
        roots = settings.data_roots()
        looked = "\n".join(f"  {base / folder}" for base in roots for folder in database.folders)
    return (
        f"database {database.name!r} not found; looked for the folder(s)\n{looked}\n"
        "Set MER_DATA to the folder that holds it; how to get it and which files are expected: "
        f"mer-keras data howto {database.name}"
    )


def _indent(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
