"""Model and data cards: what is known of a network or a database, on one page of markdown."""

from collections.abc import Iterator

from mer_keras.arrays import shape_text
from mer_keras.config.experiment import Experiment
from mer_keras.config.files import experiment_names, load_experiments
from mer_keras.databases.corrections import corrections_for
from mer_keras.databases.label_schemes import get_scheme
from mer_keras.databases.registry import get_database
from mer_keras.models.registry import get_spec
from mer_keras.report.formats import render


def model_card(name: str) -> str:
    """Return the card of a network.

    Raises:
        UserError: no such network.
    """
    spec = get_spec(name)
    uses = [
        (config, plan)
        for config in _experiments()
        for plan in config.plans
        if plan.config.network is not None and plan.config.network.model == name
    ]
    shape = shape_text(spec.input_shape).replace("x", " x ")
    return render("model_card.md.j2", spec=spec, shape=shape, uses=uses)


def data_card(name: str) -> str:
    """Return the card of a database.

    Raises:
        UserError: no such database.
    """
    database = get_database(name)
    uses = []
    for config in _experiments():
        if name in config.data.databases:
            scheme = get_scheme(config.data.scheme_of(name))
            uses.append(f"`{config.name}`: {scheme.title} ({', '.join(scheme.classes)})")
        uses += [
            f"`{config.name}`, before the folds: {source.labels}"
            for stage in config.stages
            for source in stage.sources
            if source.database == name
        ]
    corrections = len(corrections_for(name))
    return render("data_card.md.j2", database=database, corrections=corrections, uses=uses)


def _experiments() -> Iterator[Experiment]:
    for name in experiment_names():
        yield from load_experiments(name)
