"""Which databases of their own users have added: a small file of names and lists of clips."""

import json
import os
import re
from pathlib import Path

from mer_keras import settings
from mer_keras.databases.entry import Database
from mer_keras.databases.readers import manifest
from mer_keras.errors import UserError

_NAME = re.compile(r"[a-z][a-z0-9_]{1,39}")


def own_databases() -> dict[str, Database]:
    """Return the databases that were added, by name.

    Raises:
        UserError: the file that lists them is damaged.
    """
    return {
        name: manifest.database(name, Path(table).parent, Path(table).name)
        for name, table in _load().items()
    }


def check_new_name(name: str, taken: set[str]) -> str:
    """Return a name that a database can be added under.

    Raises:
        UserError: it has another form, or belongs to a database that the suite knows.
    """
    if not _NAME.fullmatch(name):
        raise UserError(
            f"name {name!r}: expected two or more lower-case letters, digits and underscores, a "
            "letter first; choose another with --name"
        )
    if name in taken:
        raise UserError(f"name {name!r} is that of a known database; choose another with --name")
    return name


def add(name: str, table: Path) -> Path:
    """Remember a list of clips under a name; an earlier one of this name is replaced.

    Args:
        name: see ``check_new_name``.
        table: the CSV file (see ``readers.manifest``).

    Returns:
        The file that lists all of them.

    Raises:
        UserError: it can't be written.
    """
    file = settings.registry_path()
    entries = {**_load(), name: str(table.resolve())}
    draft = file.with_suffix(f".{os.getpid()}.tmp")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        draft.write_text(json.dumps(entries, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        draft.replace(file)
    except OSError as error:
        raise UserError(
            f"{file}: can't be written ({error.strerror}): set MER_CONFIG to a folder that can"
        ) from error
    return file


def _load() -> dict[str, str]:
    file = settings.registry_path()
    try:
        entries = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise UserError(f"{file}: can't be read ({error}); mend or remove it") from error
    if not isinstance(entries, dict) or not all(isinstance(e, str) for e in entries.values()):
        raise UserError(f"{file}: expected names and files; mend or remove it")
    return entries
