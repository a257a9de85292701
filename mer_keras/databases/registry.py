"""The databases that can be read: where each is looked for, who reads it, whom to ask for it."""

import os
from pathlib import Path

from mer_keras import settings
from mer_keras.config.data import Policies
from mer_keras.databases.entry import Database
from mer_keras.databases.loading import finish
from mer_keras.databases.own import add as remember
from mer_keras.databases.own import check_new_name, own_databases
from mer_keras.databases.readers import (
    cas_me2,
    casme,
    casme2,
    ckplus,
    fer2013,
    jaffe,
    manifest,
    megc2019,
    megc2019_flow,
    mmew,
    mug,
    oulu_casia,
    rafdb,
    samm,
    smic,
)
from mer_keras.databases.samples import Reading, Samples
from mer_keras.errors import AnnotationError, DatabaseNotFoundError, UserError, did_you_mean
from mer_keras.terms import DataKind

#: A file of this name in a database's folder says that its frames are synthetic.
SYNTHETIC_MARKER = "SYNTHETIC.json"


def _folder_in(root: Path, database: Database) -> Path | None:
    """Return the database's folder in a data root; case is ignored, the preferred name first."""
    present = _folders_of(root)
    for folder in database.folders:
        same = [name for name in present if name.casefold() == folder.casefold()]
        if same:
            return root / (folder if folder in same else same[0])
    return None


def _find_part(database: Database, first: Path) -> Path | None:
    """Find a part of a composite database: beside it, then under the data roots."""
    return _folder_in(first, database) or find(database.name)


_MEGC2019 = Database(
    name=megc2019.NAME,
    title="MEGC 2019 composite of SMIC-HS, CASME II and SAMM",
    folders=("MEGC2019", "MEGC_2019"),
    reader=megc2019.reader(_find_part),
    whom_to_ask=(
        "The three databases: see their own entries. The table is handed out by the organisers of\n"
        "the second facial micro-expressions grand challenge:\n"
        "https://facial-micro-expressiongc.github.io/MEGC2019/"
    ),
    tree=megc2019.TREE,
    counts={"negative": 250, "positive": 109, "surprise": 83},
    subjects=68,
)

_ALL: tuple[Database, ...] = (
    samm.DATABASE,
    casme.DATABASE,
    casme2.DATABASE,
    cas_me2.DATABASE,
    smic.DATABASE,
    mmew.DATABASE,
    _MEGC2019,
    megc2019_flow.DATABASE,
    ckplus.DATABASE,
    fer2013.DATABASE,
    rafdb.DATABASE,
    oulu_casia.DATABASE,
    jaffe.DATABASE,
    mug.DATABASE,
)

#: Name -> database.
DATABASES: dict[str, Database] = {database.name: database for database in _ALL}


def known_databases() -> dict[str, Database]:
    """Return all databases by name: those of the suite, then the user's own."""
    return {**DATABASES, **own_databases()}


def add(table: Path, name: str | None = None) -> Samples:
    """Check a user's own list of clips and remember it under a name.

    Args:
        table: the CSV file (see ``readers.manifest``).
        name: by default that of its folder.

    Returns:
        Its clips.

    Raises:
        UserError: the name can't be used.
        AnnotationError: the list breaks its format, or frames are absent. Nothing is added then.
    """
    wanted = name or "".join(c if c.isalnum() else "_" for c in table.resolve().parent.name.lower())
    name = check_new_name(wanted, set(DATABASES))
    entry = manifest.database(name, table.parent, table.name)
    samples = finish(entry.reader(table.parent), entry.default_kind)
    remember(name, table)
    return samples


def get_database(name: str) -> Database:
    """Return a database by name.

    Raises:
        UserError: there is none of this name.
    """
    known = known_databases()
    if name not in known:
        raise UserError(
            f"no database {name!r}{did_you_mean(name, known)}: there are {', '.join(known)}"
        )
    return known[name]


def find(name: str) -> Path | None:
    """Return the database's folder under the first data root that has it, or None.

    Raises:
        UserError: there is no database of this name.
    """
    database = get_database(name)
    if database.place is not None:
        return database.place if database.place.is_dir() else None
    places = (_folder_in(root, database) for root in settings.data_roots())
    return next((place for place in places if place is not None), None)


def load(
    name: str,
    root: Path | None = None,
    *,
    tree: str = "auto",
    corrections: bool = True,
    policies: Policies | None = None,
) -> Samples:
    """Read a database. Nothing is ever written into its folder.

    Args:
        name: a key of ``DATABASES``.
        root: its folder; by default it is looked for under ``settings.data_roots()``.
        tree: which frames, of a database that has several trees: ``cropped``, ``raw``, or ``auto``
            for the first one that is there.
        corrections: apply the known corrections to its official table.
        policies: what to do about faults that leave a choice.

    Returns:
        All annotated clips, without labels (see ``labels.apply_scheme``).

    Raises:
        UserError: there is no database of this name, or it has no such tree.
        DatabaseNotFoundError: it is not where it was looked for.
        AnnotationError: its table or folders break its format.
    """
    database = get_database(name)
    place = root if root is not None else find(name)
    if place is None or not place.is_dir():
        raise DatabaseNotFoundError(_not_found(database, root))
    if tree != "auto" and tree not in database.trees:
        known = ", ".join(database.trees) or "none"
        raise UserError(f"database {name!r} has no frame tree {tree!r}; to choose from: {known}")
    reading = database.reader(place, tree) if database.trees else database.reader(place)
    kind = _kind(place, database)
    _check_parts(reading, kind)
    return finish(reading, kind, database=database, policies=policies, corrections=corrections)


def _kind(place: Path, database: Database) -> DataKind:
    synthetic = os.path.lexists(place / SYNTHETIC_MARKER)
    return DataKind.SYNTHETIC if synthetic else database.default_kind


def _check_parts(reading: Reading, kind: DataKind) -> None:
    """Check that the parts of a composite are of its own kind: drawn and real clips never mix."""
    for name, row in {row["database"]: row for row in reading.rows}.items():
        drawn = any(os.path.lexists(p / SYNTHETIC_MARKER) for p in Path(row["path"]).parents)
        if drawn != (kind is DataKind.SYNTHETIC):
            raise AnnotationError(
                f"{reading.source}: is {kind}, but {name} in {Path(row['path'])} is "
                f"{'synthetic' if drawn else 'not'}: expected one kind of data; put the databases "
                "that belong together into one folder"
            )


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
    if root is not None or database.place is not None:
        looked = f"  {root or database.place}"
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
