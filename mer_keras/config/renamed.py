"""Keys that configs had before, and what they are called now."""

from collections.abc import Sequence

#: New key by old key, where the key stands in the same block.
_RENAMED = {
    "at": "compute_size",
    "form": "output",
    "enlarged": "resize_to",
    "to": "final_learning_rate",
    "held_back": "validation_split",
    "held_back_by": "validation_split_by",
    "per_class": "images_per_class",
    "tree": "frame_source",
    "signal": "synthetic_motion",
    "covers": "also_reproduces",
    "draw": "seed",
    "model": "method",
}
#: Where a key stands now, by the end of its old path, where the block is another one.
_MOVED = {
    "data.clip": "inputs.clips: clip recipes have names now, beside 'data'",
    "train.inner_fraction": "protocol.inner_fraction",
    "quoted": "a property of each published number: published: [{..., quoted: true}]",
}


def renamed_key(path: str, known: Sequence[str]) -> str:
    """Say what became of a key that is no longer known; empty if it never was one.

    Args:
        path: dotted path of the key, such as ``inputs.clips.enlarged``.
        known: keys of the block in which it stands.
    """
    for old, new in _MOVED.items():
        if path == old or path.endswith(f".{old}"):
            return f"; it was renamed to {new}"
    new = _RENAMED.get(path.rpartition(".")[2], "")
    return f"; it was renamed to {new!r}" if new in known else ""
