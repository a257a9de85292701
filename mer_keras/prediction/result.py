"""What is predicted of one recording: the strict form of ``result.json``.

It names files without the folders above them, no person and no machine, and has no date: the same
bundle and recording give the same text.
"""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from mer_keras.config.strict import StrictModel
from mer_keras.video.options import SpotOptions

#: A share of the vote, in 0..1.
Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]
#: A number that is never NaN or infinite.
Real: TypeAlias = Annotated[float, Field(allow_inf_nan=False)]
#: Index of a frame, from 0 in the order in which frames are shown.
FrameIndex: TypeAlias = Annotated[int, Field(ge=0)]


class Vote(StrictModel):
    """How much of a bundle's vote a class has. It is no calibrated probability."""

    share: Share
    """Mean over the members of the bundle."""
    least: Share
    """The least share that a member gives it."""
    greatest: Share
    """The greatest."""


class PredictedInterval(StrictModel):
    """An expression, and what the bundle says of it."""

    onset: FrameIndex
    """Its first frame."""
    apex: FrameIndex
    """Its strongest frame."""
    offset: FrameIndex
    """Its last frame, inclusive."""
    onset_s: Real | None
    """Seconds from the first frame of the recording; null: images without a frame rate."""
    apex_s: Real | None
    """Likewise."""
    offset_s: Real | None
    """Likewise."""
    origin: Literal["spotted", "given", "whole"]
    """Who says that here is an expression: a rule, the user, or the user by giving a whole clip."""
    score: Real | None = None
    """Of spotted intervals: 1 for the highest peak of the recording, 0 for the mean."""
    strength_px: Real | None = None
    """Height of the peak, or the greatest motion, in pixels of a face of 128 pixels."""
    region: str = ""
    """Where the face moves most; empty where that isn't known."""
    votes: dict[str, Vote] | None
    """The vote by class, in the order of the bundle's classes; null where it is withheld."""
    decision: str | None
    """The class with the greatest share; null where the vote is withheld or undecided."""
    undecided: bool
    """Whether two classes are close together, or the members of the bundle disagree."""
    withheld: tuple[str, ...] = ()
    """Why the vote is withheld; empty where it isn't."""
    remarks: tuple[str, ...] = ()
    """What makes the vote less sure."""

    @property
    def seconds(self) -> float | None:
        """Its length, from the first to the last frame."""
        if self.onset_s is None or self.offset_s is None:
            return None
        return self.offset_s - self.onset_s


class RecordingFacts(StrictModel):
    """What a recording is."""

    name: str
    """Of the file or folder, without the folders above it."""
    sha256: str | None
    """Digest of the file; null where only its intervals were read."""
    kind: Literal["video", "images"]
    """What it is."""
    width: int
    """Of a frame in pixels."""
    height: int
    """Likewise."""
    frames: int
    """How many frames were decoded; of given intervals those up to the last one."""
    seconds: Real | None
    """From the first to the last of these."""
    fps: Real | None
    """Frames a second by the median step between time stamps; null: images without a rate."""
    variable_rate: bool | None
    """Whether more than one step in a hundred is off the median; null where that isn't known."""
    face_share: Real | None
    """Share of the frames that were looked at with a face in them."""
    eyes_px: Real | None
    """Median distance between the pupils in pixels."""


class RecordingRemark(StrictModel):
    """Something that makes a recording less fit."""

    level: Literal["refuse", "warn", "note"]
    """``refuse``: no class is given of any interval; ``warn``: votes are less sure."""
    code: str
    """A short name."""
    message: str
    """What was found, in a sentence."""
    remedy: str = ""
    """What to do about it; empty if nothing need be."""


class ModelFacts(StrictModel):
    """What the bundle is, as far as a reader of a prediction must know."""

    title: str
    """Its name, for readers."""
    classes: tuple[str, ...]
    """Names of the classes, as annotators labelled clips."""
    bundle_sha256: str
    """Digest of the bundle's file."""
    members: int
    """How many fitted methods vote."""
    data_kind: str
    """Where the training clips' pixels come from."""
    databases: tuple[str, ...]
    """Databases of the training clips."""
    clips: int
    """Training clips."""
    subjects: int
    """People in them."""
    estimate: str
    """What a stored run measured on people left out, in a sentence; or why there is none."""
    matched: bool
    """Whether frames of a video become the method's input as the training clips did."""
    input_remarks: tuple[str, ...] = ()
    """How that differs."""
    terms: tuple[str, ...]
    """Terms of the training data, whether weights may be passed on, what the bundle is for."""


class Prediction(StrictModel):
    """What is predicted of one recording."""

    format: Literal["mer-keras-prediction/1"] = "mer-keras-prediction/1"
    """Version of this form."""
    not_for: tuple[str, ...]
    """What a prediction must not be used for, and what it doesn't say."""
    recording: RecordingFacts
    """The recording."""
    remarks: tuple[RecordingRemark, ...] = ()
    """What is wrong with the recording, the gravest first."""
    model: ModelFacts
    """The bundle."""
    spotting: SpotOptions | None
    """How intervals were spotted; null: they were given."""
    threshold: Real | None = None
    """Contrast above which an interval begins, in pixels of a face of 128 pixels for
    ``flow_difference``; null: nothing was spotted.
    """
    intervals: tuple[PredictedInterval, ...]
    """In order of time; those that a user gives, in the user's order."""
