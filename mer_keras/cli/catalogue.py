"""What there is to choose from: experiments, methods, databases, label schemes, profiles.

Nothing here needs TensorFlow. What is wrong with one entry doesn't hide the others.
"""

from dataclasses import dataclass

from mer_keras.config.method import MethodConfig
from mer_keras.errors import ConfigError


@dataclass(frozen=True)
class ExperimentEntry:
    """An experiment.

    Attributes:
        name: by which it is run.
        heading: the paper and the table that it reproduces.
        caption: what the table shows.
        databases: names of its databases, of all parts.
        protocols: names of its protocols, of all parts.
        parts: names of its parts; empty where it is one run.
        profiles: names of its profiles.
        problem: why its file can't be read; empty where it can.
    """

    name: str
    heading: str = ""
    caption: str = ""
    databases: tuple[str, ...] = ()
    protocols: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    profiles: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class MethodEntry:
    """A method.

    Attributes:
        name: by which rows name it.
        title: for readers.
        paper: its paper in short; empty where it has none.
        runs: whether it runs here.
        missing: what it would need to run; empty where it runs.
        config: all that its file says.
        problem: why its file can't be read; empty where it can.
    """

    name: str
    title: str = ""
    paper: str = ""
    runs: bool = False
    missing: str = ""
    config: MethodConfig | None = None
    problem: str = ""


@dataclass(frozen=True)
class DatabaseEntry:
    """A database.

    Attributes:
        name: by which configs name it.
        title: for readers.
        expressions: ``micro`` or ``macro``.
        data_kind: kind of its data.
        place: its folder; None where it isn't present.
        synthetic: whether a stand-in can be drawn.
    """

    name: str
    title: str
    expressions: str
    data_kind: str
    place: str | None
    synthetic: bool


@dataclass(frozen=True)
class LabelsEntry:
    """A label scheme: its classes, which emotion counts as which, and whose division it is."""

    name: str
    title: str
    source: str
    classes: tuple[str, ...]
    mapping: dict[str, str]


@dataclass(frozen=True)
class ProfileEntry:
    """A profile: what it is for, and the experiments that have it."""

    name: str
    meaning: str
    experiments: tuple[str, ...]


def experiments() -> list[ExperimentEntry]:
    """All experiments, those of the working folder first."""
    from mer_keras.config.files import experiment_names

    return [_experiment(name) for name in experiment_names()]


def _experiment(name: str) -> ExperimentEntry:
    from mer_keras.config.files import load_experiments, part_names, profile_names

    try:
        parts, profiles = part_names(name), profile_names(name)
        configs = load_experiments(name)
    except ConfigError as error:
        return ExperimentEntry(name, problem=str(error))
    databases = (database for config in configs for database in config.data.databases)
    heading = configs[0].heading
    return ExperimentEntry(
        name=name,
        heading=heading.removesuffix(f", {parts[0]}") if parts else heading,
        caption=configs[0].caption,
        databases=tuple(dict.fromkeys(databases)),
        protocols=tuple(dict.fromkeys(str(config.protocol.name) for config in configs)),
        parts=tuple(parts),
        profiles=tuple(profiles),
    )


def methods() -> list[MethodEntry]:
    """All methods that a row can name: described ones, then networks that need no description."""
    from mer_keras.methods.registry import known_methods

    return [_method(name) for name in known_methods()]


def _method(name: str) -> MethodEntry:
    from mer_keras.config.files import load_method
    from mer_keras.methods.registry import describe_method
    from mer_keras.models.registry import MODELS

    try:
        config = load_method(name) or describe_method(name)
    except ConfigError as error:
        return MethodEntry(name, problem=str(error))
    paper = config.paper.short if config.paper else MODELS[name].paper if name in MODELS else ""
    return MethodEntry(name, config.title, paper, config.runs, config.missing, config)


def databases() -> list[DatabaseEntry]:
    """All databases: those of the suite, then the user's own."""
    from mer_keras.databases.registry import find, known_databases
    from mer_keras.synthetic.stand_ins import LAYOUTS

    places = {name: find(name) for name in known_databases()}
    return [
        DatabaseEntry(
            name=name,
            title=database.title,
            expressions=database.expressions,
            data_kind=str(database.default_kind),
            place=str(places[name]) if places[name] else None,
            synthetic=name in LAYOUTS,
        )
        for name, database in known_databases().items()
    ]


def labels() -> list[LabelsEntry]:
    """All label schemes: those of papers, then those of databases."""
    from mer_keras.databases.label_schemes import known_schemes

    return [
        LabelsEntry(name, scheme.title, scheme.source, scheme.classes, dict(scheme.mapping))
        for name, scheme in known_schemes().items()
    ]


def profiles() -> list[ProfileEntry]:
    """All profiles: those that are shipped, then others that the user's experiments have."""
    from mer_keras.config.files import PROFILES, experiment_names, profile_names

    experiments_of: dict[str, list[str]] = {profile: [] for profile in PROFILES}
    for name in experiment_names():
        try:
            own = profile_names(name)
        except ConfigError:  # The list of experiments says what is wrong with it.
            continue
        for profile in own:
            experiments_of.setdefault(profile, []).append(name)
    return [
        ProfileEntry(profile, PROFILES.get(profile, ""), tuple(names))
        for profile, names in experiments_of.items()
    ]
