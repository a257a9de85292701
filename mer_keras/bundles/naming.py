"""How a row of an experiment is named: ``EXPERIMENT:ROW``."""

from mer_keras.config.files import find_config
from mer_keras.errors import ConfigError


def experiment_and_row(name: str) -> tuple[str, str | None]:
    """Return the experiment, and the row's key or name, if there is one.

    A path may hold a colon, and so may the name of a row.

    Raises:
        ConfigError: there is no such experiment.
    """
    positions = [position for position, character in enumerate(name) if character == ":"]
    for position in reversed(positions):
        try:
            path, _ = find_config(name[:position])
        except ConfigError:
            continue
        if path.is_file():
            return name[:position], name[position + 1 :] or None
    find_config(name)
    return name, None
