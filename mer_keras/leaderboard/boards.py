"""The public sets that methods are compared on: their clips, and how these may be divided.

A clip and a person are named by digests of their ids, so that no id of a person stands in a stored
result. The digests of a board bind its labels, its people and its folds: predictions of other clips
never come beside those of these.
"""

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pandas as pd
import yaml
from pydantic import Field

from mer_keras.config.strict import StrictModel
from mer_keras.errors import ResultsError, did_you_mean

#: Columns of the table of clips that every stored result holds, one line a clip.
CLIP_COLUMNS = ("clip", "database", "person", "fold", "label")


class Board(StrictModel):
    """One public set, and the divisions of its clips that have a table each."""

    title: str
    """The set in words."""
    databases: tuple[str, ...]
    """Names of the databases that an experiment must read."""
    classes: tuple[str, ...] = Field(min_length=2)
    """All classes, in order."""
    claims_on: str
    """Words that stand in ``where`` of a claim about this set."""
    clips_digest: str
    """Digest of clips, databases, people and labels (see ``clips_digest``)."""
    divisions: dict[str, str]
    """Digest of the folds (see ``division_digest``) by the protocol in words."""


@cache
def boards() -> Mapping[str, Board]:
    """All boards by name."""
    text = Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8")
    return {name: Board.model_validate(entry) for name, entry in yaml.safe_load(text).items()}


def board_of(databases: tuple[str, ...], known: Mapping[str, Board], where: str) -> str:
    """Return the name of the board of an experiment's databases.

    Args:
        databases: what the experiment reads.
        known: boards by name.
        where: names the run in the message.

    Raises:
        ResultsError: there is none.
    """
    for name, board in known.items():
        if board.databases == databases:
            return name
    of_boards = [database for board in known.values() for database in board.databases]
    raise ResultsError(
        f"{where}: tested on {', '.join(databases)}{did_you_mean(databases[0], of_boards)}: "
        f"expected one of the public sets {', '.join(of_boards)}"
    )


def anonymous(text: str) -> str:
    """Name of a clip or person that doesn't show the id: 12 hexadecimal digits.

    Whoever knows how ids are written can find it by trying.
    """
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def clips_digest(clips: pd.DataFrame) -> str:
    """Digest of which clips there are, of whom, and what they show; whatever their order.

    Args:
        clips: a table with ``CLIP_COLUMNS``.
    """
    columns = (clips[name].astype(str) for name in ("clip", "database", "person", "label"))
    return _digest(sorted(map(",".join, zip(*columns, strict=True))))


def division_digest(clips: pd.DataFrame) -> str:
    """Digest of which clips are tested together; names of folds don't count.

    Args:
        clips: a table with ``CLIP_COLUMNS``.
    """
    folds = clips.groupby("fold")["clip"].agg(lambda names: " ".join(sorted(names)))
    return _digest(sorted(folds))


def _digest(lines: list[str]) -> str:
    return hashlib.blake2b("\n".join(lines).encode(), digest_size=16).hexdigest()
