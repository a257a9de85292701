"""Why a class is withheld or less sure: the rules that no vote overrides."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mer_keras.bundles.card import Card
from mer_keras.config.inputs import Clip
from mer_keras.prediction.inside import Inside
from mer_keras.prediction.result import RecordingRemark
from mer_keras.video import remarks
from mer_keras.video.findings import GOOD_EYES, LEAST_EYES
from mer_keras.video.timing import GAP_SECONDS

#: Lengths and frame rates from the least of training over this to the greatest times this are
#: taken for those of training. A rate of 100 may be measured as 99.99.
_TOLERATED = 2.001
#: Motion of the head, in pixels of a face of 128 pixels, beyond which an interval says nothing.
_HEAD_PX = 10.0
_FEWEST_FRAMES = 4

NO_FACE = "no face is found in it"
SMALL_FACE = f"fewer than {LEAST_EYES:.0f} pixels between the eyes"


class Reasons(NamedTuple):
    """What speaks against a vote.

    Attributes:
        withheld: why no class is given.
        remarks: what makes a class less sure.
    """

    withheld: tuple[str, ...]
    remarks: tuple[str, ...]


def reasons_against(
    card: Card,
    inside: Inside,
    times: NDArray[np.float64],
    spotted: Sequence[str] = (),
) -> Reasons:
    """Say what speaks against a vote on one expression.

    Args:
        card: of the bundle.
        inside: what was seen in its frames.
        times: seconds of its frames, (frames,); NaN where unknown.
        spotted: what was said of it when it was spotted.
    """
    seconds = float(times[-1] - times[0])
    steps = np.diff(times)
    eyes = inside.eyes_px
    tests = {
        NO_FACE: inside.faces == 0,
        SMALL_FACE: eyes is not None and eyes < LEAST_EYES,
        remarks.HEAD_MOVED: inside.head_px > _HEAD_PX,
        remarks.SEVERAL_FACES: inside.faces > 1,
        remarks.FEW_FRAMES: len(times) < _FEWEST_FRAMES and not reads_key_frames(card),
        # At a low frame rate every step is as long.
        remarks.GAP: bool(len(steps) and steps.max() > max(GAP_SECONDS, 1.75 * np.median(steps))),
    }
    withheld = [text for text in spotted if text in remarks.WITHHOLDING]
    withheld += [text for text, holds in tests.items() if holds]
    withheld += _unlike_training(card, seconds)
    less_sure = [text for text in spotted if text not in remarks.WITHHOLDING]
    if 0 < inside.face_share < 1:
        less_sure.append("the face is not found in each of the frames that were looked at")
    if eyes is not None and LEAST_EYES <= eyes < GOOD_EYES:
        less_sure.append(f"{eyes:.0f} pixels between the eyes: small motion is lost in noise")
    return Reasons(tuple(dict.fromkeys(withheld)), tuple(less_sure))


def reads_key_frames(card: Card) -> bool:
    """Whether a bundle reads no other frames than onset and apex, so that two are enough."""
    return all(
        entry.serving is not None and _of_key_frames(entry.serving)
        for entry in card.inputs.values()
    )


def rate_remarks(card: Card, fps: float | None) -> list[RecordingRemark]:
    """Compare a recording's frame rate with those of training."""
    trained = card.footage.fps
    if fps is None or trained is None:
        return []
    if trained.least / _TOLERATED <= fps <= trained.greatest * _TOLERATED:
        return []
    rates = sorted({f"{rate:.0f}" for rate in (trained.least, trained.greatest)}, key=float)
    text = (
        f"{fps:.0f} frames a second; the model was trained at {' to '.join(rates)} and has not "
        "seen such motion"
    )
    remedy = f"record at {trained.median:.0f} frames a second"
    return [RecordingRemark(level="warn", code="other_rate", message=text, remedy=remedy)]


def _unlike_training(card: Card, seconds: float) -> list[str]:
    trained = card.footage.seconds
    if trained is None or not np.isfinite(seconds):
        return []
    if trained.least / _TOLERATED <= seconds <= trained.greatest * _TOLERATED:
        return []
    return [
        f"{seconds:.2f} s long; the model was trained on expressions of {trained.least:.2f} to "
        f"{trained.greatest:.2f} s"
    ]


def _of_key_frames(clip: Clip) -> bool:
    one_frame = clip.kind == "frames" and clip.frames == 1
    return clip.kind == "flow" or (one_frame and clip.magnification is None)
