"""The labelled samples that an experiment is about."""

from mer_keras.config.data import Data
from mer_keras.databases import registry as databases
from mer_keras.databases.label_schemes import get_scheme, labels_remedy
from mer_keras.databases.labels import apply_scheme
from mer_keras.databases.samples import Samples, pool
from mer_keras.errors import AnnotationError, ConfigError
from mer_keras.progress import Progress, under_title
from mer_keras.synthetic import stand_ins
from mer_keras.terms import DataKind


def load_samples(data: Data, kind: str, progress: Progress | None = None) -> Samples:
    """Find the config's databases and return their labelled samples, pooled.

    Args:
        data: the databases, and how emotions become classes.
        kind: ``real``, ``synthetic``, or ``auto``: real where all databases are present, else
            synthetic where this package can write them all.
        progress: a callback that reports how synthetic clips are written.

    Raises:
        DatabaseNotFoundError: a database is absent and nothing stands in for it.
        ConfigError: ``kind`` and the config contradict each other.
    """
    kind = kind_of(data, kind)
    parts = []
    for name in data.databases:
        root = None
        if kind == "synthetic":
            report = under_title(progress, drawing_title(name))
            root = stand_ins.ensure(name, stand_in_options(data), report)
        samples = databases.load(
            name,
            root,
            frame_source=data.frame_source,
            corrections=data.corrections,
            policies=data.policies,
        )
        if not data.synthetic_motion and samples.data_kind is not DataKind.SYNTHETIC:
            raise ConfigError(
                "data.synthetic_motion=false is for synthetic data: add --data synthetic"
            )
        try:
            parts.append(apply_scheme(samples, get_scheme(data.scheme_of(name))))
        except AnnotationError as error:
            if samples.data_kind is not DataKind.OWN:
                raise
            raise AnnotationError(f"{error}\n{labels_remedy(samples)}") from error
    return pool(parts)


def kind_of(data: Data, kind: str) -> str:
    """Decide between ``real`` and ``synthetic``; see ``load_samples``.

    Raises:
        ConfigError: synthetic clips are asked for, and nothing writes them.
    """
    unwritable = [name for name in data.databases if name not in stand_ins.LAYOUTS]
    if kind == "auto":
        present = all(databases.find(name) is not None for name in data.databases)
        kind = "real" if present or unwritable else "synthetic"
    if kind == "synthetic" and unwritable:
        raise ConfigError(f"there is no synthetic {unwritable[0]}: use real data")
    return kind


def stand_in_options(data: Data) -> stand_ins.StandInOptions:
    """How the stand-ins of a config are drawn."""
    return stand_ins.StandInOptions(
        motion=data.synthetic_motion,
        strength=data.synthetic_strength,
        clips=data.synthetic_clips,
    )


def drawing_title(database: str) -> str:
    """Title under which the drawing of a stand-in is reported."""
    return f"synthetic {database}: writing clips"


def is_drawn(data: Data) -> bool:
    """Whether the stand-ins of all databases of a config are drawn already."""
    return all(stand_ins.is_drawn(name, stand_in_options(data)) for name in data.databases)


def classes_of(data: Data) -> tuple[str, ...]:
    """The classes of a config, in the paper's order.

    Raises:
        ConfigError: label schemes of pooled databases have other classes.
    """
    schemes = [get_scheme(data.scheme_of(name)) for name in data.databases]
    for scheme in schemes[1:]:
        if scheme.classes != schemes[0].classes:
            raise ConfigError(
                f"data.labels: {schemes[0].name} and {scheme.name} have different classes, "
                f"{', '.join(schemes[0].classes)} and {', '.join(scheme.classes)}: pooled "
                "databases need the same classes in the same order"
            )
    return schemes[0].classes
