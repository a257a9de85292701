"""Which databases of their own users have added: a small file of names, lists and classes."""

import json
import re
from collections.abc import Callable
from pathlib import Path

from mer_keras import settings
from mer_keras.config.strict import StrictModel
from mer_keras.config.validation import validated
from mer_keras.databases.entry import Database
from mer_keras.databases.labels import LabelScheme
from mer_keras.databases.readers import manifest
from mer_keras.errors import ConfigError, InvariantError, UserError, did_you_mean
from mer_keras.whole_files import locked, write_users_file

_NAME = re.compile(r"[a-z][a-z0-9_]{1,39}")


class OwnEntry(StrictModel):
    """A database that a user added.

    Attributes:
        table: the list of clips (CSV or .xlsx), or a folder of ``<subject>/<emotion>/<clip>``.
        schemes: classes that were given for it.
    """

    table: Path
    schemes: tuple[LabelScheme, ...] = ()


def own_databases() -> dict[str, Database]:
    """Return the databases that were added, by name.

    Raises:
        UserError: the file that lists them is damaged.
    """
    return {name: database_of(name, entry) for name, entry in _load().items()}


def database_of(name: str, entry: OwnEntry) -> Database:
    """Return the entry of a user's own database."""
    table = entry.table
    if table.suffix.lower() in manifest.SUFFIXES:
        return manifest.database(name, table.parent, table.name, entry.schemes)
    return manifest.database(name, table, None, entry.schemes)


def check_new_name(name: str, taken: set[str], *, replace: bool = False) -> str:
    """Return a name that a database can be added under.

    Args:
        name: what the user calls it.
        taken: names of the databases that the suite knows.
        replace: whether one that was added under this name may be replaced.

    Raises:
        UserError: it has another form, belongs to a database that the suite knows, or to one that
            was added and may not be replaced.
    """
    if not _NAME.fullmatch(name):
        raise UserError(
            f"name {name!r}: expected two or more lower-case letters, digits and underscores, a "
            "letter first; choose another with --name"
        )
    if name in taken:
        raise UserError(f"name {name!r} is that of a known database; choose another with --name")
    added = _load()
    if name in added and not replace:
        raise UserError(
            f"name {name!r} is that of own data that was added: {added[name].table}; choose "
            f"another with --name, replace it with --replace, or mer-keras data remove {name}"
        )
    return name


def add(name: str, table: Path, schemes: tuple[LabelScheme, ...] = ()) -> Path:
    """Remember a list of clips under a name; an earlier one of this name is replaced.

    Args:
        name: see ``check_new_name``.
        table: see ``OwnEntry``.
        schemes: likewise.

    Returns:
        The file that lists all of them.

    Raises:
        UserError: it can't be written.
    """
    entry = OwnEntry(table=table.resolve(), schemes=schemes)
    return _change(lambda entries: {**entries, name: entry})


def remove(name: str) -> Path:
    """Forget a database that was added; its own files stay as they are.

    Returns:
        Its list of clips, or its folder.

    Raises:
        UserError: none of this name was added, or the file can't be written.
    """
    known = _load()
    if name not in known:
        added = ", ".join(known) or "none"
        raise UserError(
            f"no own database {name!r}{did_you_mean(name, known)}: those that were added are "
            f"{added}; the suite's own can't be removed"
        )
    _change(lambda entries: {key: entry for key, entry in entries.items() if key != name})
    return known[name].table


def _change(change: Callable[[dict[str, OwnEntry]], dict[str, OwnEntry]]) -> Path:
    """Change the file that lists all of them: under a lock, and written whole."""
    file = settings.registry_path()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with locked(file):
            entries = change(_load())
            tree = {name: entry.model_dump(mode="json") for name, entry in entries.items()}
            write_users_file(file, (json.dumps(tree, indent=1, sort_keys=True) + "\n").encode())
    except OSError as error:
        raise UserError(
            f"{file}: can't be written ({error.strerror or error}): set MER_CONFIG to a folder "
            "that can"
        ) from error
    return file


def _load() -> dict[str, OwnEntry]:
    file = settings.registry_path()
    try:
        entries = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise UserError(f"{file}: can't be read ({error}); mend or remove it") from error
    if not isinstance(entries, dict):
        raise UserError(f"{file}: expected names and files; mend or remove it")
    try:
        return {name: _entry(entry, str(file)) for name, entry in entries.items()}
    except (ConfigError, InvariantError) as error:
        raise UserError(f"{error}; mend or remove it") from error


def _entry(value: object, where: str) -> OwnEntry:
    """Return the entry that the file holds; earlier releases wrote the table alone."""
    return validated(OwnEntry, {"table": value} if isinstance(value, str) else value, where)
