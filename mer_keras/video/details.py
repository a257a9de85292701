"""What is said of each interval: apex, region, strength, remarks. It reads only these frames."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_closing, label

from mer_keras.clips.flow import optical_flow
from mer_keras.progress import CountProgress
from mer_keras.video import remarks
from mer_keras.video.aligned_faces import aligned_faces
from mer_keras.video.blocks import (
    BLOCKS,
    REGIONS,
    block_means,
    counted_blocks,
    mean_of_greatest,
    region_of,
)
from mer_keras.video.curve import Curve
from mer_keras.video.face_tracker import Face
from mer_keras.video.features import head_motion
from mer_keras.video.intervals import Interval, Span, interval_at
from mer_keras.video.options import SpotOptions
from mer_keras.video.reader import Recording
from mer_keras.video.survey import Survey
from mer_keras.video.timing import GAP_SECONDS, moments_of
from mer_keras.video.track import Track

#: Motion of the head over an interval, in pixels of 128, beyond which it says nothing.
_HEAD_PX = 10.0
#: Micro-expressions last half a second at most; the frames of one interval may say a little more.
_MICRO_SECONDS = 0.7
#: The eyes' blocks move so many times as much as the greatest third of the others: a blink.
_BLINK = 1.5
_FEWEST_FRAMES = 4
#: Degrees by which the line of the eyes turns in an interval that says nothing.
_TURN = 15.0
#: A mouth that moves so many pixels for so many seconds speaks. A rest of a
#: tenth of a second is part of speech.
_SPEECH_PX, _SPEECH_SECONDS, _REST_SECONDS = 0.5, 1.0, 0.1


def with_details(
    recording: Recording,
    survey: Survey,
    track: Track,
    curve: Curve,
    spans: Sequence[Span],
    options: SpotOptions,
    progress: CountProgress | None = None,
) -> list[Interval]:
    """Return the intervals of some spans of a curve.

    The apex is where the flow from the onset is longest, as ``clips.spotting`` has it. One pass
    over the recording up to the last interval; the faces of one interval are held at a time.
    """
    moments = moments_of(survey.times, smooth=options.smooth)
    needed = np.zeros(len(moments.frames), bool)
    for span in spans:
        needed[span.first : span.last + 1] = True
    faces = aligned_faces(
        recording, moments, track, smooth=options.smooth, only=needed, progress=progress
    )
    intervals: list[Interval] = []
    held: dict[int, NDArray[np.uint8] | None] = {}
    waiting = list(spans)
    for sample, face, _ in faces:
        held[sample] = face
        while waiting and sample >= waiting[0].last:
            span = waiting.pop(0)
            stack = [held.get(index) for index in range(span.first, span.last + 1)]
            intervals.append(_interval(span, stack, survey, curve, options))
            first_needed = waiting[0].first if waiting else sample + 1
            held = {index: face for index, face in held.items() if index >= first_needed}
    return intervals


def _interval(
    span: Span,
    faces: Sequence[NDArray[np.uint8] | None],
    survey: Survey,
    curve: Curve,
    options: SpotOptions,
) -> Interval:
    """Look into the aligned faces of one span, (SIDE, SIDE) each."""
    lengths = _lengths(faces, options)  # (samples, 36)
    counted = counted_blocks(options.ignore)
    strengths = np.array([mean_of_greatest(of_sample[counted]) for of_sample in lengths])
    apex = span.first + int(strengths.argmax()) if strengths.any() else span.peak
    at_apex = lengths[apex - span.first]
    onset, at_peak, offset = (int(curve.frame[i]) for i in (span.first, apex, span.last))
    is_flow = options.method == "flow_difference"
    return interval_at(
        survey.times,
        onset,
        at_peak,
        offset,
        score=span.score,
        strength_px=span.height if is_flow else float(strengths.max()),
        region=region_of(np.where(counted, at_apex, 0)),
        remarks=_remarks(span, (onset, offset), at_apex, survey, curve, options, faces),
    )


def _lengths(
    faces: Sequence[NDArray[np.uint8] | None], options: SpotOptions
) -> NDArray[np.float64]:
    """Mean length of the flow from the onset in each block, (samples, 36), without the head's."""
    lengths = np.zeros((len(faces), BLOCKS**2))
    onset = faces[0]
    if onset is None:
        return lengths
    for index, face in enumerate(faces[1:], start=1):
        if face is None:
            continue
        flow = optical_flow(onset, face, options.flow)
        flow = flow - head_motion(flow)
        lengths[index] = block_means(np.hypot(flow[..., 0], flow[..., 1]))
    return lengths


def _remarks(
    span: Span,
    frames: tuple[int, int],
    at_apex: NDArray[np.float64],
    survey: Survey,
    curve: Curve,
    options: SpotOptions,
    faces: Sequence[NDArray[np.uint8] | None],
) -> tuple[str, ...]:
    first, last = frames
    inside = slice(span.first, span.last + 1)
    steps = np.diff(survey.times[first : last + 1])
    looks = [look.face for look in survey.looks if first <= look.frame <= last and look.face]
    head = curve.head_px[inside]
    eyes = np.zeros((BLOCKS, BLOCKS), bool)
    rows, columns = REGIONS["eyes"]
    eyes[np.ix_(list(rows), list(columns))] = True
    others = mean_of_greatest(at_apex[~eyes.ravel()])
    at_edge = span.first == 0 or span.last == len(curve.frame) - 1
    neighbours = curve.contrast[[max(0, span.first - 1), min(span.last + 1, len(curve.frame) - 1)]]
    tests = {
        remarks.HEAD_MOVED: bool((head > _HEAD_PX).any()),
        remarks.HEAD_TURNED: _turn(looks) > _TURN,
        remarks.SPEAKS: options.kind == "micro" and _speaks(curve, span),
        remarks.TOO_LONG: options.kind == "micro"
        and survey.times[last] - survey.times[first] > _MICRO_SECONDS,
        remarks.FEW_FRAMES: last - first + 1 < _FEWEST_FRAMES,
        remarks.GAP: bool(len(steps) and steps.max() > GAP_SECONDS),
        remarks.FACE_LOST: any(face is None for face in faces),
        remarks.SEVERAL_FACES: any(face.faces > 1 for face in looks),
        remarks.BLINK: float(at_apex[eyes.ravel()].mean()) > _BLINK * others,
        remarks.AT_THE_EDGE: at_edge or not np.isfinite(neighbours).all(),
    }
    return tuple(text for text, holds in tests.items() if holds)


def _turn(faces: Sequence[Face]) -> float:
    """Degrees between the extremes of the line of the eyes, where points are located; else 0."""
    corners = [face.points[1] - face.points[0] for face in faces if face.points is not None]
    angles = np.unwrap([np.arctan2(down, across) for across, down in corners])
    return float(np.degrees(np.ptp(angles))) if len(angles) else 0.0


def _speaks(curve: Curve, span: Span) -> bool:
    """Whether the mouth moves on and on around a span."""
    if curve.mouth_px is None:
        return False
    moves = np.nan_to_num(curve.mouth_px) > _SPEECH_PX
    rest = max(1, round(_REST_SECONDS * curve.rate))
    moves = binary_closing(moves, np.ones(rest + 1, bool))
    runs, _ = label(moves)
    inside = set(runs[span.first : span.last + 1]) - {0}
    longest = max((int((runs == run).sum()) for run in inside), default=0)
    return longest > _SPEECH_SECONDS * curve.rate
