"""What is not as in a paper, of an experiment and of the networks in its rows."""

from mer_keras.config.experiment import Experiment
from mer_keras.models.registry import MODELS


def departures_of(config: Experiment) -> list[str]:
    """Return a line for each departure: those of the experiment first, then its networks'.

    A line that several networks share names them all.
    """
    titles: dict[str, list[str]] = {}
    for plan in config.plans:
        network = plan.config.network
        if plan.role == "row" and network is not None and network.model in MODELS:
            spec = MODELS[network.model]
            for departure in spec.departures:
                names = titles.setdefault(departure.sentence, [])
                if spec.title not in names:
                    names.append(spec.title)
    lines = [f"{', '.join(names)}: {sentence}" for sentence, names in titles.items()]
    return [*config.not_reproduced, *lines]
