"""Keys that configs had before, and what they are called now: ``renamed.yaml``."""

from collections.abc import Sequence
from pathlib import Path

from mer_keras.config.yaml_text import read_yaml

#: ``same_block``: new key by old key; ``other_block``: what to write, by the old path's end.
RENAMED = read_yaml(Path(__file__).with_name("renamed.yaml"))


def renamed_key(path: str, known: Sequence[str]) -> str:
    """Say what became of a key that is no longer known; empty if it never was one.

    Args:
        path: dotted path of the key, such as ``inputs.clips.enlarged``.
        known: keys of the block in which it stands.
    """
    for old, remedy in RENAMED["other_block"].items():
        if f".{path}".endswith(f".{old}"):
            return f"; {remedy}"
    new = RENAMED["same_block"].get(path.rpartition(".")[2], "")
    return f"; it was renamed to {new!r}" if new in known else ""
