"""Small drawn clips for tests of the steps."""

import cv2
import numpy as np

from mer_keras.clips.assemble import load_clips
from mer_keras.config.inputs import Clip
from mer_keras.databases.samples import make_samples

#: Frames of a clip.
COUNT = 20
CLIP = Clip(kind="frames", frames=5, size=32)


def draw(folder, moves, shape=(60, 80)):
    """Write a clip of a blob on a texture, in colour, so far to the right in each frame."""
    folder.mkdir(parents=True)
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    for number, move in enumerate(moves, start=1):
        ground = 90 + 25 * np.sin(x / 3.3) * np.cos(y / 4.1)
        blob = 90 * np.exp(-((x - 40 - move) ** 2 + (y - 30) ** 2) / 60)
        gray = np.clip(ground + blob, 0, 255).astype(np.uint8)
        picture = np.dstack([gray, gray // 2, 255 - gray])
        assert cv2.imwrite(str(folder / f"img{number}.png"), picture)
    return folder


def samples(path, fps=100.0, **marks):
    """Return the table of one clip."""
    row = {
        "database": "demo",
        "subject": "01",
        "clip": "a",
        "path": str(path),
        "onset": 1,
        "apex": 11,
        "offset": COUNT,
        "fps": fps,
        "emotion": "surprise",
        "data_kind": "synthetic",
    }
    return make_samples([{**row, **marks}], source="test")


def load(path, clip=CLIP, policies=None, **marks):
    """Load one clip."""
    return load_clips(samples(path, **marks), clip, policies)
