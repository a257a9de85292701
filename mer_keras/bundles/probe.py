"""Drawn clips with the probabilities that they must give: a bundle proves itself when it is read.

The clips are noise, so that no training clip travels with the weights.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from mer_keras.arrays import OneInput
from mer_keras.bundles.bundle import Bundle, Votes
from mer_keras.bundles.card import PROBE_FRAMES, BundledInput, Card
from mer_keras.errors import MerKerasError, UserError
from mer_keras.training.learned import Learned, from_bytes, to_bytes

#: Clips of a probe.
CLIPS = 2
#: Greatest difference of a probability: machines and backends round otherwise.
TOLERANCE = 1e-4
#: The array of the probabilities that the clips must give, (members, clips, classes).
VOTES = "votes"
#: What features and classifiers raise on arrays that aren't theirs.
_MISFITS = (
    ValueError,
    IndexError,
    TypeError,
    KeyError,
    ArithmeticError,
    RuntimeError,
    MemoryError,
)


def new_probe(bundle: Bundle) -> bytes:
    """Return the content of a probe's file: drawn clips, and what each member says of them."""
    generator = np.random.default_rng(0)
    noise = {
        _name(name, number): generator.integers(0, 256, _probe_shape(entry.shape, number), np.uint8)
        for name, entry in bundle.card.inputs.items()
        for number in range(CLIPS)
    }
    votes = bundle.predict_inputs(_clips(bundle.card, noise)).per_seed
    return to_bytes(Learned({**noise, VOTES: votes}, {}))


def check_probe(bundle: Bundle, content: bytes, name: str) -> None:
    """Predict the clips of a probe, and compare.

    Args:
        bundle: as it was read.
        content: of the probe's file.
        name: names the file in messages.

    Raises:
        UserError: the probabilities are others than the file says, or can't be computed.
    """
    arrays = dict(from_bytes(content, name).arrays)
    stored = arrays.pop(VOTES, np.empty(0))
    clips = clips_of(bundle.card, arrays, name)
    votes = _predicted(bundle, clips, name).per_seed
    if stored.shape != votes.shape:
        raise UserError(f"{name}: not the answers to a probe of this bundle")
    difference = float(np.abs(votes - stored).max())
    if not difference <= TOLERANCE:  # A difference that is no number isn't small either.
        raise UserError(
            f"{name}: the bundle's answers to its own probe differ by {difference:.2g} from those "
            f"that it was written with, expected {TOLERANCE:g} at most: it was changed, or this "
            "version of the program computes otherwise"
        )


def clips_of(card: Card, arrays: Mapping[str, NDArray], name: str) -> dict[str, OneInput]:
    """Return the clips of a probe, by input, within the range of the training clips.

    Args:
        card: of the bundle.
        arrays: of the probe's file, without the answers.
        name: names the file in messages.

    Raises:
        UserError: a clip is missing, or isn't one of the bundle's inputs.
    """
    expected = {_name(key, number) for key in card.inputs for number in range(CLIPS)}
    if set(arrays) != expected or any(array.dtype != np.uint8 for array in arrays.values()):
        raise UserError(f"{name}: not a probe: expected {CLIPS} clips of bytes for each input")
    for key, entry in card.inputs.items():
        for number in range(CLIPS):
            shape = arrays[_name(key, number)].shape
            if shape != _probe_shape(entry.shape, number):
                raise UserError(f"{name}: a clip of shape {shape} for input {key!r}")
    return _clips(card, arrays)


def value_ranges(inputs: Mapping[str, OneInput]) -> dict[str, tuple[float, float]]:
    """Least and greatest value of each input's clips, which are never equal."""
    ranges = {}
    for name, clips in inputs.items():
        low = min(float(clip.min()) for clip in clips)
        high = max(float(clip.max()) for clip in clips)
        ranges[name] = (low, high) if low < high else (low, low + 1)
    return ranges


def _predicted(bundle: Bundle, clips: Mapping[str, OneInput], name: str) -> Votes:
    try:
        return bundle.predict_inputs(clips)
    except MerKerasError as error:
        raise UserError(f"{name}: the bundle can't predict: {error}") from error
    except _MISFITS as error:
        raise UserError(
            f"{name}: the bundle can't predict: its arrays don't fit its method ({error})"
        ) from error


def _clips(card: Card, noise: Mapping[str, NDArray]) -> dict[str, OneInput]:
    return {
        name: _scaled([noise[_name(name, number)] for number in range(CLIPS)], entry)
        for name, entry in card.inputs.items()
    }


def _name(key: str, number: int) -> str:
    return f"clips/{key}/{number}"


def _probe_shape(shape: tuple[int | None, ...], number: int) -> tuple[int, ...]:
    """Shape of a clip of the probe; of clips of any length, each has another."""
    return tuple(side or PROBE_FRAMES - number for side in shape)


def _scaled(clips: list[NDArray], entry: BundledInput) -> OneInput:
    """Bytes as values between the least and the greatest of the training clips, float32."""
    step = (entry.high - entry.low) / 255
    scaled = [(entry.low + step * clip).astype(np.float32) for clip in clips]
    return scaled if None in entry.shape else np.stack(scaled)
