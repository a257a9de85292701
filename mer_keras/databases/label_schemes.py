"""All label schemes by name: those of the papers, from ``label_schemes.yaml``, and of databases."""

from pathlib import Path

from mer_keras.config.validation import validated
from mer_keras.config.yaml_text import read_yaml
from mer_keras.databases.labels import LabelScheme
from mer_keras.databases.registry import known_databases
from mer_keras.errors import UserError, did_you_mean

_FILE = Path(__file__).with_suffix(".yaml")
_OF_PAPERS = [validated(LabelScheme, tree, str(_FILE)) for tree in read_yaml(_FILE)["schemes"]]


def known_schemes() -> dict[str, LabelScheme]:
    """Return all label schemes by name: of the papers, of the databases, of own data."""
    own = (scheme for database in known_databases().values() for scheme in database.schemes)
    return {scheme.name: scheme for scheme in (*_OF_PAPERS, *own)}


def get_scheme(name: str) -> LabelScheme:
    """Return a label scheme by name.

    Raises:
        UserError: there is none of this name.
    """
    schemes = known_schemes()
    if name not in schemes:
        raise UserError(
            f"no label scheme {name!r}{did_you_mean(name, schemes)}: there are {', '.join(schemes)}"
        )
    return schemes[name]
