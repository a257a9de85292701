"""All label schemes by name: those of the papers, from ``label_schemes.yaml``, and of databases."""

from collections import Counter
from pathlib import Path

from mer_keras.config.validation import validated
from mer_keras.config.yaml_text import read_yaml
from mer_keras.databases.labels import LabelScheme, plain_emotion
from mer_keras.databases.registry import known_databases
from mer_keras.databases.samples import Samples
from mer_keras.errors import UserError, did_you_mean
from mer_keras.terms import UNLABELLED

#: Most label schemes that a message names.
MOST_SHOWN = 5
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


def fitting_schemes(samples: Samples) -> list[LabelScheme]:
    """Label schemes that know every emotion of some clips and have two or more of their classes.

    Those of the database itself stand first, then those that leave the fewest clips out.
    """
    emotions = samples.table["emotion"].map(plain_emotion)
    clips = Counter(emotions[emotions != UNLABELLED])
    databases = known_databases()
    own = {
        scheme.name
        for database in set(samples.table["database"])
        if database in databases
        for scheme in databases[database].schemes
    }
    fitting = [
        scheme
        for scheme in known_schemes().values()
        if scheme.column == "emotion"
        and set(clips) <= {*scheme.mapping, *scheme.leaves_out}
        and len({scheme.mapping[name] for name in clips if name in scheme.mapping}) > 1
    ]
    return sorted(
        fitting,
        key=lambda scheme: (
            scheme.name not in own,
            sum(count for name, count in clips.items() if name in scheme.leaves_out),
        ),
    )


def labels_remedy(samples: Samples) -> str:
    """Say which ``data.labels`` fit some clips, as options of a command with their classes."""
    databases = ", ".join(sorted(set(samples.table["database"])))
    options = [
        f"--set data.labels={scheme.name} ({', '.join(scheme.classes)})"
        for scheme in fitting_schemes(samples)[:MOST_SHOWN]
    ]
    if options:
        return f"label schemes that know all emotions of {databases}: {'; '.join(options)}"
    if len({*samples.table["emotion"]} - {UNLABELLED}) == 1:
        return f"all clips of {databases} have one emotion: classes need two or more"
    return (
        f"no label scheme knows all emotions of {databases}: correct their spelling, or say which "
        "emotions are which class: mer-keras data add TABLE --classes classes.yaml"
    )
