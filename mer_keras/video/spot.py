"""Spotting in a recording: two passes for the curve, a third one over its intervals alone."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import cv2

from mer_keras.errors import FrameError
from mer_keras.progress import Progress, under_title
from mer_keras.video.curve import Curve, compute_curve
from mer_keras.video.details import with_details
from mer_keras.video.face_tracker import finder_of
from mer_keras.video.facts import VideoFacts, facts_of
from mer_keras.video.findings import LEAST_FPS, Finding, findings_of
from mer_keras.video.intervals import Interval, spans_of
from mer_keras.video.options import SpotOptions
from mer_keras.video.reader import Recording, Source, open_recording
from mer_keras.video.survey import Survey, survey
from mer_keras.video.track import Track, track_of

#: A recording with a face in fewer of its frames is refused.
_LEAST_FACES = 0.1


@dataclass(frozen=True)
class Spotting:
    """What was spotted in a recording.

    Attributes:
        facts: what the recording is.
        curve: its motion.
        intervals: in order of time.
        findings: what is wrong with the recording, the gravest first.
        options: how it was spotted.
    """

    facts: VideoFacts
    curve: Curve
    intervals: tuple[Interval, ...]
    findings: tuple[Finding, ...]
    options: SpotOptions

    @property
    def remarks(self) -> tuple[str, ...]:
        """The findings as sentences."""
        return tuple(finding.message for finding in self.findings)


def spot_video(
    source: Source,
    options: SpotOptions | None = None,
    *,
    fps: float | None = None,
    progress: Progress | None = None,
) -> Spotting:
    """Spot expressions in a recording.

    Args:
        source: a video, a folder of numbered images, or several images.
        options: how; the repaired ``flow_difference`` for micro-expressions by default.
        fps: frames a second of images.
        progress: called with (what is done, frames done, frames in all).

    Raises:
        FrameError: the recording can't be used: no video, no face, too slow, too long, too large.
    """
    options = options or SpotOptions()
    recording = open_recording(source, fps)
    with one_thread():
        first_pass, track = follow_face(recording, options, progress)
        facts = facts_of(first_pass)
        require_fit(facts)
        curve = compute_curve(
            recording, first_pass.times, track, options, under_title(progress, "motion")
        )
        spans = spans_of(curve.contrast, curve.half, curve.rate, options)
        intervals = with_details(
            recording, first_pass, track, curve, spans, options, under_title(progress, "intervals")
        )
    return Spotting(facts, curve, tuple(intervals), tuple(findings_of(facts)), options)


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Let OpenCV compute in one thread: on faces of 128 pixels more of them mostly wait."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def follow_face(
    recording: Recording, options: SpotOptions, progress: Progress | None = None
) -> tuple[Survey, Track]:
    """Read a recording once and follow its face."""
    finder = finder_of(options.crop)
    first_pass = survey(recording, finder, under_title(progress, "faces"))
    return first_pass, track_of(first_pass, three_points=options.align == "three_points")


def require_fit(facts: VideoFacts) -> None:
    """Refuse what can't be spotted in.

    Raises:
        FrameError: too few frames, too slow, or no face.
    """
    if facts.frames < 3:
        raise FrameError(
            f"{facts.name}: {facts.frames} frame(s): expected a recording with the motion of a face"
        )
    if facts.fps < LEAST_FPS:
        raise FrameError(
            f"{facts.name}: {facts.fps:.1f} frames a second, expected 24 or more: a "
            "micro-expression of 1/5 s would have fewer than five frames; record at 100 or more"
        )
    if facts.face_share < _LEAST_FACES:
        raise FrameError(
            f"{facts.name}: a face in {facts.face_share:.0%} of {facts.looks} frames that were "
            "looked at, expected one from the front, 250 pixels wide; if these are cropped faces "
            "already, use --crop centre"
        )
