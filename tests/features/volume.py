"""Gray clips for tests of texture features, and what a public program counts in one of them."""

from pathlib import Path

import numpy as np

from mer_keras.arrays import Array

#: Vectors of public programs and of literal loops for ``volume()``, by name.
STORED = np.load(Path(__file__).with_name("texture_vectors.npz"))


def volume():
    """Ten frames of 32x28 pixels by a formula, uint8."""
    t, y, x = np.meshgrid(np.arange(10), np.arange(32), np.arange(28), indexing="ij")
    wave = np.sin(0.05 * x * y / (1 + t)) + np.sin(0.31 * x + 0.17 * y + 0.23 * t)
    return np.floor(63.75 * (2 + wave)).astype(np.uint8)


def noise(time, height, width, seed=0):
    """A clip of independent gray values of a few levels, so that equal ones are frequent."""
    return (np.random.default_rng(seed).integers(0, 8, (time, height, width)) * 30).astype(np.uint8)


def as_input(clip) -> Array:
    """A clip as inputs hold it: float32 (time, height, width, 1) in 0..1."""
    return clip[..., np.newaxis].astype(np.float32) / np.float32(255)


def edges(side, parts):
    """Where the blocks of a side begin and end."""
    return [(part * side // parts, (part + 1) * side // parts) for part in range(parts)]
