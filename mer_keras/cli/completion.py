"""What the shell may complete: names of experiments, runs, profiles, papers, networks, databases.

Each function takes the beginning of a word and returns the words that begin so. Nothing that a user
may have got wrong in a file stops a completion.
"""

from collections.abc import Callable, Iterable

from mer_keras.errors import MerKerasError

Completer = Callable[[str], list[str]]


def _completer(names: Callable[[str], Iterable[str]]) -> Completer:
    """A function for the shell from one that lists names, given the beginning of the word."""

    def complete(incomplete: str) -> list[str]:
        try:
            return [name for name in names(incomplete) if name.startswith(incomplete)]
        except (MerKerasError, OSError):
            return []

    return complete


def _experiments(incomplete: str) -> list[str]:
    from mer_keras.config.files import experiment_names, part_names

    names = experiment_names()
    whole = incomplete.rpartition("/")[0]
    return [f"{whole}/{part}" for part in part_names(whole)] if whole in names else names


def _runs(_: str) -> list[str]:
    from mer_keras.runs.naming import LATEST, stored_runs

    return [LATEST, *(run.name for run in stored_runs())]


def _profiles(_: str) -> Iterable[str]:
    from mer_keras.config.files import PROFILES

    return PROFILES


def _papers(_: str) -> Iterable[str]:
    from mer_keras.audit.published import papers

    return papers()


def _networks(_: str) -> Iterable[str]:
    from mer_keras.models.registry import MODELS

    return MODELS


def _databases(_: str) -> Iterable[str]:
    from mer_keras.databases.registry import known_databases

    return known_databases()


def _keys(_: str) -> list[str]:
    from mer_keras.config.keys import config_keys

    return [key.name for key in config_keys()]


experiments = _completer(_experiments)
runs = _completer(_runs)
experiments_and_runs = _completer(lambda word: [*_experiments(word), *_runs(word)])
profiles = _completer(_profiles)
papers = _completer(_papers)
networks = _completer(_networks)
databases = _completer(_databases)
keys = _completer(_keys)
