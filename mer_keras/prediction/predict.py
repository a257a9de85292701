"""Predicts the expressions of a recording: spotted, given, or the whole of a short clip."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_keras.arrays import OneInput
from mer_keras.bundles.bundle import Bundle
from mer_keras.bundles.card import Card
from mer_keras.bundles.serving import inputs_of_frames
from mer_keras.clips.face_models import require_models
from mer_keras.errors import AnnotationError, UserError
from mer_keras.prediction.given import (
    GivenInterval,
    intervals_of,
    moments_of_elan,
    moments_of_given,
)
from mer_keras.prediction.held import Held, Moment, held_frames
from mer_keras.prediction.inside import Inside, look_inside
from mer_keras.prediction.reasons import Reasons, rate_remarks, reasons_against
from mer_keras.prediction.recordings import facts_of_intervals, facts_of_spotting, finite
from mer_keras.prediction.result import (
    PredictedInterval,
    Prediction,
    RecordingFacts,
    RecordingRemark,
)
from mer_keras.prediction.sources import NamedSource
from mer_keras.prediction.votes import said_of
from mer_keras.prediction.words import EXPECT_LITTLE, NOT_FOR, facts_of_model
from mer_keras.progress import Progress, under_title
from mer_keras.video.curve import Curve
from mer_keras.video.intervals import Interval
from mer_keras.video.options import SpotOptions
from mer_keras.video.reader import Picture, Recording, open_recording
from mer_keras.video.spot import Spotting, spot_video

#: Intervals that go through the method at a time.
BATCH = 16
#: Shorter recordings are one expression each, unless something else is said.
CLIP_SECONDS = 2.0

#: Height in pixels of the frames that are kept.
_PICTURE_HEIGHT = 160

#: What a recording is taken for.
Treatment = Literal["auto", "recording", "clip"]
Origin = Literal["spotted", "given", "whole"]


@dataclass(frozen=True)
class PredictOptions:
    """How recordings are predicted.

    Attributes:
        spotting: how expressions are spotted where none is given.
        intervals: expressions that are given; none: they are spotted.
        elan: an ELAN file with the expressions of one recording, instead.
        treat_as: ``clip``: each recording is one expression, from its first to its last frame;
            ``recording``: expressions are spotted; ``auto``: what is shorter than two seconds is a
            clip.
        fps: frames a second of images.
        allow_synthetic: predict by a bundle that was trained on drawn faces.
        keep_pictures: keep the frames at onset, apex and offset, which show a face.
    """

    spotting: SpotOptions = field(default_factory=SpotOptions)
    intervals: tuple[GivenInterval, ...] = ()
    elan: Path | None = None
    treat_as: Treatment = "auto"
    fps: float | None = None
    allow_synthetic: bool = False
    keep_pictures: bool = False


class Shown(NamedTuple):
    """What is drawn of an interval beside its numbers.

    Attributes:
        blocks: float64 (6, 6): motion from onset to apex in pixels of a face of 128 pixels; None
            without a face.
        pictures: onset, apex and offset frame, uint8 (height, width, 3), at most 160 pixels high;
            none unless they are kept.
    """

    blocks: NDArray[np.float64] | None
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True)
class Predicted:
    """A prediction with what figures are drawn of.

    Attributes:
        prediction: what ``result.json`` holds.
        curve: the motion of the face; None where nothing was spotted.
        shown: of each interval.
    """

    prediction: Prediction
    curve: Curve | None
    shown: tuple[Shown, ...]


@dataclass
class _Looked:
    """An interval whose frames have been looked at, on its way to the vote."""

    number: int
    moment: Moment
    times: NDArray[np.float64]
    inside: Inside
    reasons: Reasons
    inputs: dict[str, OneInput] | None
    shown: Shown
    votes: NDArray[np.float32] | None = None


def predict_recording(
    bundle: Bundle,
    named: NamedSource,
    options: PredictOptions | None = None,
    progress: Progress | None = None,
) -> Predicted:
    """Predict the expressions of one recording.

    Memory grows by some numbers a frame, and by the frames of one interval.

    Args:
        bundle: votes on each expression.
        named: the recording.
        options: where its expressions are, and how they are spotted.
        progress: called with (what is done, done, in all).

    Raises:
        UserError: the bundle can't be used on videos.
        AnnotationError: no interval of a file is of this recording, or one isn't inside it.
        FrameError: the recording can't be used.
    """
    options = options or PredictOptions()
    require_usable(bundle.card, allow_synthetic=options.allow_synthetic)
    recording = open_recording(named.source, options.fps)
    spotting: Spotting | None = None
    origin: Origin = "given"
    if options.elan is not None:
        moments = moments_of_elan(options.elan, recording)
    elif options.intervals:
        names = (recording.name, recording.name.rpartition(".")[0], named.name)
        chosen = intervals_of(options.intervals, names)
        if not chosen:
            raise AnnotationError(
                f"{recording.name}: the file of intervals has none of this recording"
            )
        moments = moments_of_given(chosen, recording)
    elif named.is_pair or _is_clip(recording, options):
        origin = "whole"
        moments = [_whole(recording, is_pair=named.is_pair)]
    else:
        origin = "spotted"
        spotting = spot_video(named.source, options.spotting, fps=options.fps, progress=progress)
        moments = [Moment(of.onset, of.apex, of.offset) for of in spotting.intervals]
    looked = _looked_at(bundle, recording, moments, spotting, options, progress)
    facts, remarks = _facts_and_remarks(bundle.card, recording, spotting, looked)
    intervals = [_interval(bundle, entry, origin, spotting, remarks) for entry in looked]
    prediction = Prediction(
        not_for=NOT_FOR if spotting is None else (*NOT_FOR, EXPECT_LITTLE),
        recording=facts,
        remarks=tuple(remarks),
        model=facts_of_model(bundle),
        spotting=spotting.options if spotting else None,
        threshold=finite(spotting.curve.threshold) if spotting else None,
        intervals=tuple(intervals),
    )
    curve = spotting.curve if spotting else None
    return Predicted(prediction, curve, tuple(entry.shown for entry in looked))


def require_usable(card: Card, *, allow_synthetic: bool) -> None:
    """Refuse a bundle that can't or shouldn't be used on videos.

    Raises:
        UserError: saying why.
        FrameError: it needs the extra ``[face]``, which isn't installed as it must be.
    """
    if card.is_synthetic and not allow_synthetic:
        raise UserError(
            f"{card.title} was trained on drawn faces: what it says of a video means nothing. To "
            "try the commands, allow it (--allow-synthetic)"
        )
    for name in card.reads:
        entry = card.inputs[name]
        if entry.serving is None:
            reasons = "; ".join(entry.remarks) or "the card doesn't say how"
            raise UserError(f"{card.title}: input {name!r} can't be made from frames: {reasons}")
        if entry.serving.crop == "mesh":
            require_models()


def _is_clip(recording: Recording, options: PredictOptions) -> bool:
    if options.treat_as != "auto":
        return options.treat_as == "clip"
    if not recording.claimed_fps:
        return False
    if recording.claimed_frames / recording.claimed_fps >= CLIP_SECONDS:
        return False
    # The header of a long video may claim few frames, or none.
    return all(frame.time_s < CLIP_SECONDS for frame in recording.frames())


def _whole(recording: Recording, *, is_pair: bool) -> Moment:
    """All frames of a short clip; of a pair, the second one is the apex."""
    if is_pair:
        return Moment(0, 1, recording.claimed_frames - 1)
    count = sum(1 for _ in recording.frames())
    return Moment(0, None, max(0, count - 1))


def _looked_at(
    bundle: Bundle,
    recording: Recording,
    moments: Sequence[Moment],
    spotting: Spotting | None,
    options: PredictOptions,
    progress: Progress | None,
) -> list[_Looked]:
    """Look at the frames of all intervals and let the bundle vote, a batch at a time."""
    count_progress = under_title(progress, "classes")
    entries = (
        _look(bundle, held, moments[held.number], spotting, options)
        for held in held_frames(recording, moments, count_progress)
    )
    looked: list[_Looked] = []
    while batch := list(islice(entries, BATCH)):
        _vote(bundle, batch)
        looked += batch
    return sorted(looked, key=lambda entry: entry.number)


def _look(
    bundle: Bundle,
    held: Held,
    moment: Moment,
    spotting: Spotting | None,
    options: PredictOptions,
) -> _Looked:
    """Make the inputs of one interval; its frames are not kept."""
    crop = options.spotting.crop
    relative = None if moment.apex is None else moment.apex - moment.onset
    inside = look_inside(held.frames, relative, crop)
    spotted = spotting.intervals[held.number].remarks if spotting else ()
    reasons = reasons_against(bundle.card, inside, held.times, spotted)
    last = len(held.frames) - 1
    inputs: dict[str, OneInput] | None = None
    if not reasons.withheld:
        accepted: set[str] = set()
        try:
            inputs = inputs_of_frames(
                bundle.card, held.frames, list(held.times), 0, inside.apex, last, accepted
            )
        except UserError as error:
            reasons = Reasons((str(error),), reasons.remarks)
        reasons = reasons._replace(remarks=(*reasons.remarks, *sorted(accepted)))
    positions = (0, inside.apex, last) if options.keep_pictures else ()
    pictures = tuple(_small(held.frames[position]) for position in positions)
    shown = Shown(inside.blocks, pictures)
    return _Looked(held.number, moment, held.times, inside, reasons, inputs, shown)


def _small(picture: Picture) -> Picture:
    """A picture that is small enough to be kept of every interval."""
    height, width = picture.shape[:2]
    if height <= _PICTURE_HEIGHT:
        return picture
    size = (max(1, round(width * _PICTURE_HEIGHT / height)), _PICTURE_HEIGHT)
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _vote(bundle: Bundle, batch: Sequence[_Looked]) -> None:
    """Let the bundle vote on the intervals of a batch whose class isn't withheld."""
    voting = [entry for entry in batch if entry.inputs is not None]
    if not voting:
        return
    inputs = {name: _joined(voting, name) for name in bundle.card.reads}
    votes = bundle.predict_inputs(inputs).per_seed  # (members, clips, classes)
    for position, entry in enumerate(voting):
        entry.votes = votes[:, position]
        entry.inputs = None


def _joined(voting: Sequence[_Looked], name: str) -> OneInput:
    """One input of several intervals; clips of different lengths stay a list."""
    clips = [entry.inputs[name] for entry in voting if entry.inputs is not None]
    if isinstance(clips[0], list):
        return [clip for of_interval in clips for clip in of_interval]
    return np.concatenate([np.asarray(clip) for clip in clips])


def _facts_and_remarks(
    card: Card, recording: Recording, spotting: Spotting | None, looked: Sequence[_Looked]
) -> tuple[RecordingFacts, list[RecordingRemark]]:
    if spotting is not None:
        facts, remarks = facts_of_spotting(spotting)
    else:
        facts, remarks = facts_of_intervals(recording, looked)
    return facts, [*remarks, *rate_remarks(card, facts.fps)]


def _interval(
    bundle: Bundle,
    entry: _Looked,
    origin: Origin,
    spotting: Spotting | None,
    remarks: Sequence[RecordingRemark],
) -> PredictedInterval:
    spotted: Interval | None = spotting.intervals[entry.number] if spotting else None
    onset = entry.moment.onset
    positions = (0, entry.inside.apex, len(entry.times) - 1)
    times = [finite(float(entry.times[position])) for position in positions]
    grave = [f"the recording: {remark.message}" for remark in remarks if remark.level == "refuse"]
    withheld = (*entry.reasons.withheld, *grave)
    said = None
    if entry.votes is not None and not withheld:
        said = said_of(bundle.classes, entry.votes)
    strength = spotted.strength_px if spotted else entry.inside.strength_px
    return PredictedInterval(
        onset=onset,
        apex=onset + entry.inside.apex,
        offset=entry.moment.offset,
        onset_s=times[0],
        apex_s=times[1],
        offset_s=times[2],
        origin=origin,
        score=finite(spotted.score) if spotted else None,
        strength_px=finite(strength),
        region=spotted.region if spotted else entry.inside.region,
        votes=said.votes if said else None,
        decision=said.decision if said else None,
        undecided=said is not None and said.decision is None,
        withheld=withheld,
        remarks=(*entry.reasons.remarks, *(said.remarks if said else ())),
    )
