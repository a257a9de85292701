"""The package's own errors. Each says what was found, what was expected and what to do."""

from collections.abc import Iterable
from difflib import get_close_matches

#: Most characters of a message that are shown: a damaged file's bytes may end up in it.
LONGEST_MESSAGE = 2000


class MerKerasError(Exception):
    """Base of all errors raised on purpose; the command line exits with ``exit_code``."""

    exit_code = 2

    def __str__(self) -> str:
        """Return the message, its middle left out where it is very long."""
        message = super().__str__()
        if len(message) <= LONGEST_MESSAGE:
            return message
        return f"{message[: LONGEST_MESSAGE // 2]} ... {message[-LONGEST_MESSAGE // 4 :]}"


class UserError(MerKerasError):
    """The user's input can't be used: a path, a table, a config, an argument."""


class DatabaseNotFoundError(UserError):
    """A database is in none of the folders that the settings name."""


class AnnotationError(UserError):
    """An annotation table or the samples table breaks its contract."""


class FrameError(UserError):
    """An image or a clip folder can't be read."""


class ConfigError(UserError):
    """An experiment config is not valid."""


class ProtocolError(UserError):
    """A protocol can't be applied to these samples."""


class ResultsError(UserError):
    """A run folder can't be used: foreign, damaged, held by another process or incomplete."""


class RunFailedError(MerKerasError):
    """A run ended without all of its folds: a training failed, which no other input would mend."""

    exit_code = 3


class InvariantError(MerKerasError):
    """A promise of this package is broken (for example a leak between folds)."""

    exit_code = 3


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``" (did you mean 'x'?)"`` for the nearest known word, or an empty string."""
    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" (did you mean {near[0]!r}?)" if near else ""
