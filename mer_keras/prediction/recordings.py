"""What a recording is, and what is wrong with it: read as a whole, or its intervals alone."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mer_keras.prediction.held import Moment
from mer_keras.prediction.inside import Inside
from mer_keras.prediction.result import RecordingFacts, RecordingRemark
from mer_keras.video.findings import GOOD_FPS, LEAST_FPS
from mer_keras.video.reader import Recording
from mer_keras.video.spot import Spotting
from mer_keras.video.timing import frame_rate, is_variable


class LookedAt(Protocol):
    """An interval that was looked at: where it is, its times, and what was seen."""

    moment: Moment
    times: NDArray[np.float64]
    inside: Inside


def facts_of_spotting(spotting: Spotting) -> tuple[RecordingFacts, list[RecordingRemark]]:
    """Return facts of a recording that was read as a whole, and what is wrong with it."""
    of_all = spotting.facts
    facts = RecordingFacts(
        name=of_all.name,
        sha256=of_all.sha256,
        kind="images" if of_all.kind == "images" else "video",
        width=of_all.width,
        height=of_all.height,
        frames=of_all.frames,
        seconds=finite(of_all.seconds),
        fps=finite(of_all.fps),
        variable_rate=of_all.variable_rate,
        face_share=finite(of_all.face_share),
        eyes_px=finite(of_all.eyes_px),
    )
    return facts, [RecordingRemark(**finding._asdict()) for finding in spotting.findings]


def facts_of_intervals(
    recording: Recording, looked: Sequence[LookedAt]
) -> tuple[RecordingFacts, list[RecordingRemark]]:
    """Return what is known of a recording of which only given intervals were looked at.

    Args:
        recording: what was opened.
        looked: its intervals, one at least.
    """
    longest = max(looked, key=lambda entry: len(entry.times)).times
    known = len(longest) > 1 and bool(np.isfinite(longest).all())
    eyes = [entry.inside.eyes_px for entry in looked if entry.inside.eyes_px is not None]
    last = max(looked, key=lambda entry: entry.moment.offset)
    facts = RecordingFacts(
        name=recording.name,
        sha256=None,
        kind="images" if recording.kind == "images" else "video",
        width=recording.width,
        height=recording.height,
        frames=last.moment.offset + 1,
        seconds=finite(float(last.times[-1])),
        fps=finite(frame_rate(longest)) if known else None,
        variable_rate=is_variable(longest) if known else None,
        face_share=float(np.mean([entry.inside.face_share for entry in looked])),
        eyes_px=float(np.median(eyes)) if eyes else None,
    )
    return facts, _of_rate(facts)


def finite(value: float | None) -> float | None:
    """Return a number, or None where there is none: JSON has no NaN."""
    return value if value is not None and np.isfinite(value) else None


def _of_rate(facts: RecordingFacts) -> list[RecordingRemark]:
    """Say whether there are too few frames a second, whoever gave the intervals."""
    if facts.fps is None or facts.fps >= GOOD_FPS * (1 - 1e-3):
        return []
    remedy = "record at 100 frames a second or more"
    if facts.fps < LEAST_FPS * (1 - 1e-3):
        text = f"{facts.fps:.1f} frames a second: a micro-expression of 1/5 s has fewer than five"
        return [RecordingRemark(level="refuse", code="slow", message=text, remedy=remedy)]
    text = f"{facts.fps:.1f} frames a second: a micro-expression of 1/5 s has {facts.fps / 5:.0f}"
    return [RecordingRemark(level="warn", code="low_rate", message=text, remedy=remedy)]
