"""How an experiment is named: by the path of its file."""

import re
from os.path import abspath
from pathlib import Path

from mer_keras.config.yaml_text import Yaml
from mer_keras.errors import ConfigError

WHY_NAMED = "runs are filed under the name of an experiment, which is the path of its file"


def path_parts(path: Path) -> tuple[str, ...]:
    """Folders and name of a file, without suffix; links are not followed, which may be renamed."""
    return Path(abspath(path)).with_suffix("").parts  # noqa: PTH100 - resolve() follows links.


def name_of(path: Path, stated: Yaml) -> Yaml:
    """The name of a file's experiment: its path; what is no text is left to the later check.

    Raises:
        ConfigError: the file states another name, or its own can't be that of an experiment.
    """
    folders = path_parts(path)
    in_experiments = folders[-3:-2] == ("experiments",)
    name = "/".join(folders[-2:] if in_experiments else folders[-1:])
    if stated is None:
        if not re.fullmatch(r"[\w-]+(/[\w-]+)?", name):
            raise ConfigError(
                f"{path}: {WHY_NAMED}: rename the file to letters, digits, '_' and '-'"
            )
        return name
    if not isinstance(stated, str):
        return stated
    names = tuple(stated.split("/"))
    is_end_of_path = folders[-len(names) :] == names
    if stated == name or (is_end_of_path and not in_experiments):
        return stated
    raise ConfigError(f"{path}: name {stated!r}: {WHY_NAMED}: write {name!r}, or leave it out")
