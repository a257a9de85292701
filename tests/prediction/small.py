"""A bundle without a network, and a drawn face, for tests of predictions."""

from types import SimpleNamespace

import cv2
import numpy as np

from mer_keras.bundles.bundle import Votes
from mer_keras.bundles.card import Card

CLASSES = ("negative", "positive", "surprise")
_DIGEST = "0" * 64
_CLIP = {"kind": "frames", "frames": 1, "size": 16, "sampling": "apex", "crop": "centre"}


def card(**changes):
    """A card of licensed training clips of 0.1 to 1 s at 100 to 200 frames a second."""
    file = {"sha256": _DIGEST, "bytes": 1}
    tree = {
        "format": "mer-keras-bundle/1",
        "title": "A small <method>",
        "method": {
            "name": "majority",
            "config": {"title": "Majority", "chance": {"strategy": "most_frequent"}},
            "recipe": {"optimizer": {"learning_rate": 0.1}, "epochs": 1, "batch_size": 4},
        },
        "reads": ["clips"],
        "inputs": {
            "clips": {
                "clip": _CLIP,
                "shape": [16, 16, 1],
                "low": 0,
                "high": 1,
                "serving": _CLIP,
                "matched": True,
            }
        },
        "classes": CLASSES,
        "members": [{"seed": 0, "epoch": 0, "file": "weights/0.npz"}],
        "footage": {
            "fps": {"least": 100, "median": 200, "greatest": 200},
            "seconds": {"least": 0.1, "median": 0.4, "greatest": 1.0},
        },
        "training": {
            "experiment": "small",
            "row": "majority",
            "profile": "full",
            "data_kind": "licensed",
            "databases": ["casme2"],
            "labels": {"casme2": "three"},
            "clips": 100,
            "subjects": 20,
            "class_counts": dict.fromkeys(CLASSES, 30),
            "epochs": "none",
            "seeds": [0],
            "config_digest": "0",
            "samples_digest": "0",
            "clips_digest": "0",
            "versions": {},
            "backend": "tensorflow",
            "git": "0",
        },
        "estimate_missing": "no run was named",
        "terms": {"data": "ask the owners", "redistribution": "no", "use": "research"},
        "files": {"weights/0.npz": file, "probe.npz": file, "card.md": file},
    }
    return Card.model_validate(tree | changes)


def with_training(**changes):
    """The card with other facts of its training."""
    small = card()
    return small.model_copy(update={"training": small.training.model_copy(update=changes)})


class SmallBundle:
    """Votes by a rule that tests choose: members of fixed shares."""

    def __init__(self, bundle_card=None, members=((0.2, 0.7, 0.1),)):
        self.card = bundle_card or card()
        self.digest = "ab" * 32
        self.classes = self.card.classes
        self.members = np.array(members, "float32")
        self.batches = []

    def predict_inputs(self, inputs):
        clips = inputs["clips"]
        assert clips.dtype == np.float32
        assert clips.shape[1:] == (16, 16, 1)
        self.batches.append(len(clips))
        per_seed = np.repeat(self.members[:, None], len(clips), axis=1)
        return Votes(per_seed.mean(axis=0), per_seed)


def faces(count, size=96):
    """Frames of a bright disc that grows to the middle and shrinks again, uint8, in colour."""
    frames = []
    for index in range(count):
        frame = np.full((size, size, 3), 60, np.uint8)
        share = 1 - abs(2 * index / max(count - 1, 1) - 1)
        cv2.circle(
            frame, (size // 2, size // 2), round(size / 5 + share * size / 12), (200,) * 3, -1
        )
        frames.append(frame)
    return frames


def write_frames(folder, count, size=96):
    """A folder of numbered frames."""
    folder.mkdir(parents=True, exist_ok=True)
    for index, frame in enumerate(faces(count, size)):
        cv2.imwrite(str(folder / f"frame{index:03}.png"), frame)
    return folder


def interval(**changes):
    """A spotted interval as the video room makes it."""
    return SimpleNamespace(**{"onset": 0, "apex": 5, "offset": 10, **changes})
