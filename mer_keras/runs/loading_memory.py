"""How much memory the frames of clips take at their own size, while clips are loaded."""

import os
from pathlib import Path

import pandas as pd

from mer_keras.clips.footage import open_footage
from mer_keras.config.inputs import Clip

#: Bytes of a value of a frame that is magnified: difference, sum and pyramid in float32.
MAGNIFIED_VALUE_BYTES = 12


def loading_bytes(recipe: Clip, table: pd.DataFrame) -> int:
    """Return the bytes that decoded frames take at most while an input is loaded.

    Each thread holds the frames of one clip, 8 bits a value, before they are cut and resized. The
    longest clip of each database is reckoned with, and the size of its first frame.

    Args:
        recipe: of the input; what a database's publishers computed takes nothing here.
        table: samples table, with ``database``, ``path``, ``onset`` and ``offset``.
    """
    if recipe.kind == "flow_image" or table.empty:
        return 0
    lengths = (table["offset"] - table["onset"] + 1).fillna(0).astype("int64")
    largest = 0
    for _, database_lengths in lengths.groupby(table["database"]):
        footage = open_footage(Path(table.loc[database_lengths.idxmax(), "path"]))
        (picture,), _ = footage.read([footage.numbers[0]])  # (height, width)
        channels = recipe.channels if recipe.kind in ("frames", "dynamic_image") else 1
        length = int(database_lengths.max()) or len(footage.numbers)
        value_bytes = _frames_held(recipe, length)
        if recipe.magnification is not None and recipe.magnification.before_crop:
            value_bytes += MAGNIFIED_VALUE_BYTES
        largest = max(largest, picture.size * channels * value_bytes)
    return largest * min(os.cpu_count() or 1, len(table))


def _frames_held(recipe: Clip, length: int) -> int:
    """Frames of a clip of this length that are decoded together."""
    if recipe.kind == "flow":
        return 2
    if recipe.kind in ("dynamic_image", "flow_sequence"):
        return length
    if recipe.frames is None or recipe.magnification is not None:
        return length
    return min(recipe.frames, length)
