"""The databases that can be read: each is found, read and described by its name."""

import os
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path

from mer_keras import settings
from mer_keras.config.data import Policies
from mer_keras.databases import readers
from mer_keras.databases.entry import Database
from mer_keras.databases.labels import LabelScheme, apply_scheme
from mer_keras.databases.loading import finish
from mer_keras.databases.locate import find_folder, near_misses
from mer_keras.databases.own import OwnEntry, check_new_name, database_of, own_databases
from mer_keras.databases.own import add as remember
from mer_keras.databases.own_classes import check_spelling, read_classes
from mer_keras.databases.samples import Reading, Samples
from mer_keras.errors import AnnotationError, DatabaseNotFoundError, UserError, did_you_mean
from mer_keras.terms import SYNTHETIC_MARKER, DataKind

#: Modules of ``readers``, in the order of lists; each defines its entry as ``DATABASE``, or several
#: as ``DATABASES``.
_MODULES = (
    "samm",
    "casme",
    "casme2",
    "cas_me2",
    "cas_me3",
    "smic",
    "smic_e",
    "mmew",
    "dfme",
    "four_dme",
    "megc2019",
    "megc2019_flow",
    "megc2019_key_frames",
    "ckplus",
    "ckplus48",
    "fer2013",
    "rafdb",
    "oulu_casia",
    "jaffe",
    "mug",
    "mmew_macro",
)


def _entries(name: str) -> tuple[Database, ...]:
    module = import_module(f"{readers.__name__}.{name}")
    entries: tuple[Database, ...] = getattr(module, "DATABASES", None) or (module.DATABASE,)
    return entries


#: Name -> database.
DATABASES: dict[str, Database] = {
    entry.name: entry for module in _MODULES for entry in _entries(module)
}


def known_databases() -> dict[str, Database]:
    """Return all databases by name: those of the suite, then the user's own."""
    return {**DATABASES, **own_databases()}


def add(
    table: Path,
    name: str | None = None,
    *,
    classes: Path | None = None,
    replaces: bool = False,
    check: Callable[[Reading], list[str]] = lambda _: [],
) -> Samples:
    """Check a user's own data and remember it under a name. Nothing is added if a check fails.

    Args:
        table: a list of clips (CSV in any dialect or .xlsx), or a folder of
            ``<subject>/<emotion>/<clip>`` (see ``readers.manifest``).
        name: by default that of the folder.
        classes: a YAML file that says which emotions are which class (see ``own_classes``).
        replaces: whether own data that was added under this name may be replaced.
        check: looks at the footage of what was read, raises what must be mended and returns
            remarks.

    Returns:
        Its clips, labelled where classes were given.

    Raises:
        UserError: the name can't be used or is taken, or the file of classes breaks its form.
        AnnotationError: the list breaks its format, a label is misspelt, or frames are absent.
    """
    place = table.resolve()
    folder = place.name if place.is_dir() else place.parent.name
    default = "".join(c if c.isalnum() else "_" for c in folder.lower())
    name = check_new_name(name or default, set(DATABASES), replace=replaces)
    scheme = read_classes(classes, name) if classes is not None else None
    if scheme is not None:
        _require_free_name(scheme, name)
    schemes = () if scheme is None else (scheme,)
    entry = database_of(name, OwnEntry(table=place, schemes=schemes))
    reading = entry.reader(entry.fixed_folder)
    remarks = check_spelling(reading.clips, reading.source, scheme)
    samples = finish(reading, entry.default_kind)
    if scheme is not None:
        samples = apply_scheme(samples, scheme)
    remarks += check(reading)
    remember(name, place, schemes)
    return replace(samples, warnings=(*samples.warnings, *remarks))


def _require_free_name(scheme: LabelScheme, database: str) -> None:
    """Refuse a name of classes that another database's have."""
    for other in known_databases().values():
        if other.name != database and scheme.name in {known.name for known in other.schemes}:
            raise UserError(
                f"the classes' name {scheme.name!r} is taken by {other.name!r}: give another as "
                "name: in the file of classes"
            )


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
    return find_folder(get_database(name))


def load(
    name: str,
    root: Path | None = None,
    *,
    frame_source: str = "auto",
    corrections: bool = True,
    policies: Policies | None = None,
) -> Samples:
    """Read a database. Nothing is ever written into its folder.

    Args:
        name: a key of ``DATABASES``.
        root: its folder; by default it is looked for under ``settings.data_roots()``.
        frame_source: which frames, of a database that has several kinds: ``cropped``, ``raw``, or
            ``auto`` for the first one that is there.
        corrections: apply the known corrections to its official table.
        policies: what to do about faults that leave a choice.

    Returns:
        All annotated clips, without labels (see ``labels.apply_scheme``).

    Raises:
        UserError: there is no database of this name, or it has no such frames.
        DatabaseNotFoundError: it is not where it was looked for.
        AnnotationError: its table or folders break its format.
    """
    database = get_database(name)
    folder = root if root is not None else find_folder(database)
    if folder is None or not folder.is_dir():
        raise DatabaseNotFoundError(_not_found(database, root))
    sources = database.frame_sources
    if frame_source not in ("auto", *sources):
        known = ", ".join(sources) or "none"
        raise UserError(
            f"database {name!r} has no frame source {frame_source!r}; to choose from: {known}"
        )
    reading = database.reader(folder, frame_source) if sources else database.reader(folder)
    kind = DataKind.SYNTHETIC if _is_synthetic(folder) else database.default_kind
    _check_parts(reading, kind)
    return finish(reading, kind, database=database, policies=policies, corrections=corrections)


def _is_synthetic(folder: Path) -> bool:
    return os.path.lexists(folder / SYNTHETIC_MARKER)


def _check_parts(reading: Reading, kind: DataKind) -> None:
    """Check that the parts of a composite are of its own kind: synthetic and real never mix."""
    for name, path in {clip.database: clip.path for clip in reading.clips}.items():
        synthetic = any(map(_is_synthetic, path.parents))
        if synthetic != (kind is DataKind.SYNTHETIC):
            raise AnnotationError(
                f"{reading.source}: is {kind}, but {name} in {path} is "
                f"{'synthetic' if synthetic else 'not'}: expected one kind of data; put the "
                "databases that belong together into one folder"
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


def _not_found(database: Database, root: Path | None) -> str:
    if root is not None or database.fixed_folder is not None:
        searched = f"  {root or database.fixed_folder}"
    else:
        roots = settings.data_roots()
        searched = "\n".join(f"  {base / folder}" for base in roots for folder in database.folders)
    similar = near_misses(database)
    if similar:
        searched += "\nwhat lies there under a similar name\n"
        searched += "\n".join(f"  {path}" for path in similar[:10])
    return (
        f"database {database.name!r} not found; looked for the folder(s)\n{searched}\n"
        "Set MER_DATA to the folder that holds it; how to get it and which files are expected: "
        f"mer-keras data howto {database.name}"
    )


def _indent(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
