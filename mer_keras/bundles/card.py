"""What a bundle says of itself: the strict form of ``bundle.json``.

It rebuilds the method by names that this package knows, says how a clip becomes its input, and what
the number beside it is an estimate of. It bears no date: the same training gives the same file.
"""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, JsonValue, model_validator

from mer_keras.config.input_names import InputName
from mer_keras.config.inputs import Clip
from mer_keras.config.method import MethodConfig
from mer_keras.config.strict import StrictModel
from mer_keras.config.training import Train
from mer_keras.flow_channels import Mirroring
from mer_keras.terms import DataKind, Selection

#: Version of this form.
FORMAT: Literal["mer-keras-bundle/1"] = "mer-keras-bundle/1"
#: The members of a bundle that are no weights.
CARD, PROBE, CARD_TEXT = "bundle.json", "probe.npz", "card.md"
#: Most networks of a bundle: a fold for each of the subjects of the largest databases.
MOST_MEMBERS = 1000
#: Most values of a clip in one input, half a gibibyte of them.
MOST_VALUES = 2**27
#: Frames of the probe where clips have any number.
PROBE_FRAMES = 24

Text: TypeAlias = Annotated[str, Field(max_length=2000)]
ShortText: TypeAlias = Annotated[str, Field(max_length=200)]
Count: TypeAlias = Annotated[int, Field(ge=0, lt=2**53)]
Real: TypeAlias = Annotated[float, Field(allow_inf_nan=False)]
Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]
ClassName: TypeAlias = Annotated[str, Field(min_length=1, max_length=40)]
Side: TypeAlias = Annotated[int, Field(ge=1, le=4096)]
FileName: TypeAlias = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9./-]{0,79}$")]
Digest: TypeAlias = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Spread(StrictModel):
    """Least, median and greatest of some values."""

    least: Real
    """The least value."""
    median: Real
    """The median."""
    greatest: Real
    """The greatest value."""


class FileFacts(StrictModel):
    """What a member of the bundle must be."""

    sha256: Digest
    """Digest of its content."""
    bytes: Annotated[int, Field(ge=0, le=2_000_000_000)]
    """Its size."""


class FittedMethod(StrictModel):
    """The method, by names of the registries of this package."""

    name: ShortText
    """Name of the method."""
    config: MethodConfig
    """What it is: a network, a feature and a classifier, or a draw, with all arguments."""
    given_weights: bool = False
    """Whether its weights were trained elsewhere."""
    parameters: Count | None = None
    """Number of weights of its network."""
    recipe: Train
    """How it was trained."""
    chosen: dict[ShortText, JsonValue] = Field(default_factory=dict)
    """Values of arguments that were chosen among several."""
    holds_clips: bool = False
    """Whether what it learned contains features of training clips, such as support vectors."""

    @model_validator(mode="after")
    def _runs(self) -> "FittedMethod":
        if not self.config.runs:
            raise ValueError("'config' is of a method that is only described")
        return self


class FlowFacts(StrictModel):
    """What the channels of an input of optical flow are."""

    channels: Annotated[tuple[ShortText, ...], Field(min_length=1, max_length=8)]
    """Their names, in order."""
    mirroring: Annotated[tuple[Mirroring, ...], Field(min_length=1, max_length=8)]
    """What mirroring the picture does to each."""


class BundledInput(StrictModel):
    """One input of the method."""

    clip: Clip
    """How clips were loaded in training."""
    shape: Annotated[tuple[Side | None, ...], Field(min_length=3, max_length=4)]
    """Shape of one clip; null: any number of frames."""
    flow: FlowFacts | None = None
    """What its channels are, where it is flow."""
    low: Real
    """Least value of the probe."""
    high: Real
    """Greatest value of the probe."""
    serving: Clip | None = None
    """How the frames of a video become this input; null: they can't."""
    matched: bool = False
    """Whether that is what was done to the training clips."""
    remarks: tuple[Text, ...] = ()
    """How it differs from what was done to them, or why it can't be done."""

    @model_validator(mode="after")
    def _not_too_large(self) -> "BundledInput":
        values = 1
        for side in self.shape:
            values *= side or PROBE_FRAMES
        if values > MOST_VALUES:
            raise ValueError(f"a clip of {values:,} values, expected {MOST_VALUES:,} at most")
        if not self.low < self.high:
            raise ValueError(f"values from {self.low} to {self.high}: expected low < high")
        return self

    @model_validator(mode="after")
    def _matched_is_what_it_says(self) -> "BundledInput":
        if self.matched and self.serving != self.clip:
            raise ValueError("'matched' is true, and 'serving' is another recipe than 'clip'")
        return self


class Member(StrictModel):
    """One fitted method of the bundle."""

    seed: Annotated[int, Field(ge=0, lt=2**32)]
    """Seed of its training."""
    fold: ShortText | None = None
    """The fold whose training clips it saw; null: it saw all clips."""
    epoch: Count
    """The epoch whose weights it has; 0 where there are no epochs."""
    file: FileName
    """What it learned."""


class Footage(StrictModel):
    """What the training clips were like; null: not known."""

    fps: Spread | None = None
    """Frames a second."""
    seconds: Spread | None = None
    """Length from onset to offset."""
    frames: Spread | None = None
    """Frames from onset to offset."""
    eye_distance_px: Spread | None = None
    """Pixels between the eyes in the frames that were read."""


class Training(StrictModel):
    """Where the weights come from."""

    experiment: ShortText
    """Name of the experiment."""
    row: ShortText
    """Key of its row."""
    profile: ShortText
    """The profile that was applied."""
    run_id: ShortText | None = None
    """The stored run that the choices and the estimate are from."""
    data_kind: DataKind
    """Where the pixels come from."""
    databases: Annotated[tuple[ShortText, ...], Field(min_length=1, max_length=40)]
    """The databases."""
    labels: dict[ShortText, ShortText]
    """The label scheme of each."""
    clips: Count
    """Number of training clips."""
    subjects: Count
    """Number of people in them."""
    class_counts: dict[ClassName, Count]
    """Training clips of each class."""
    left_out: Count = 0
    """Clips of the databases that couldn't be used."""
    epochs: Text
    """What decided the number of epochs, and the values that were chosen."""
    seeds: Annotated[tuple[int, ...], Field(min_length=1, max_length=MOST_MEMBERS)]
    """Seeds of the run, or of the trainings."""
    config_digest: ShortText
    """Digest of the whole experiment."""
    samples_digest: ShortText
    """Digest of the table of clips."""
    clips_digest: ShortText
    """Digest of the clips' arrays."""
    versions: Annotated[dict[ShortText, ShortText], Field(max_length=40)]
    """Versions of the packages."""
    backend: ShortText
    """What Keras computed with."""
    git: ShortText
    """State of the program's code."""


class Interval(StrictModel):
    """A metric with its interval over subjects, all in 0..1."""

    value: Share
    """The metric of all tested clips, averaged over seeds."""
    low: Share
    """Lower end of the 95 % interval."""
    high: Share
    """Upper end."""


class ClassEstimate(StrictModel):
    """How well one class is told from the others."""

    name: ClassName
    """The class."""
    clips: Count
    """Tested clips of it."""
    recall: Share
    """Share of its clips that are found."""
    precision: Share
    """Share of right decisions among those for it."""
    f1: Share
    """Their harmonic mean."""


class OtherRow(StrictModel):
    """What another method reached in the same run."""

    name: ShortText
    """Its name."""
    uf1: Share
    """Its unweighted F1."""
    uar: Share
    """Its unweighted average recall."""


class Estimate(StrictModel):
    """What a stored run measured, and what it is an estimate of."""

    of: Text
    """What was measured, in words."""
    of_these: bool
    """Whether the tested networks are those of the bundle."""
    run_id: ShortText
    """The run."""
    protocol: ShortText
    """How its clips were divided."""
    subject_exclusive: bool
    """Whether no tested person was trained on."""
    selection: Selection
    """What chose the epoch or the hyper-parameters."""
    clips: Count
    """Tested clips."""
    subjects: Count
    """People in them, over whom the intervals are."""
    seeds: Count
    """Trainings of each fold."""
    metrics: Annotated[dict[ShortText, Interval], Field(max_length=20)]
    """Metric -> value, such as ``uf1`` and ``uar``."""
    databases: Annotated[dict[ShortText, dict[ShortText, Interval]], Field(max_length=40)]
    """The same of each database alone, where there are several."""
    classes: Annotated[tuple[ClassEstimate, ...], Field(max_length=20)]
    """Class by class, all seeds together."""
    confusion: Annotated[tuple[tuple[Count, ...], ...], Field(max_length=20)]
    """(classes, classes), rows are the truth, all seeds together."""
    baselines: Annotated[tuple[OtherRow, ...], Field(max_length=40)]
    """What every method has to beat."""
    warning: Text = ""
    """Why the intervals say less than they seem to."""

    @model_validator(mode="after")
    def _has_what_is_shown(self) -> "Estimate":
        for metrics in (self.metrics, *self.databases.values()):
            if not {"uf1", "uar"} <= set(metrics):
                raise ValueError("'metrics' lacks 'uf1' or 'uar'")
        return self


class Terms(StrictModel):
    """What may be done with the bundle."""

    data: Text
    """The terms of the training data."""
    redistribution: Text
    """Whether the weights may be passed on."""
    use: Text
    """What the bundle is for, and what not."""


class Card(StrictModel):
    """The manifest of a bundle."""

    format: Literal["mer-keras-bundle/1"]
    """Version of this form."""
    title: ShortText
    """What it is, for readers."""
    method: FittedMethod
    """The method, and how to rebuild it."""
    reads: Annotated[tuple[InputName, ...], Field(min_length=1, max_length=8)]
    """Names of its inputs, in their order."""
    inputs: Annotated[dict[InputName, BundledInput], Field(min_length=1, max_length=8)]
    """The inputs by name."""
    classes: Annotated[tuple[ClassName, ...], Field(min_length=2, max_length=20)]
    """Names of the classes, in the order of the probabilities."""
    members: Annotated[tuple[Member, ...], Field(min_length=1, max_length=MOST_MEMBERS)]
    """What was fitted: one a seed, or one a fold and seed."""
    footage: Footage
    """What the training clips were like."""
    training: Training
    """Where the weights come from."""
    estimate: Estimate | None = None
    """What a stored run measured; null: ``estimate_missing`` says why there is none."""
    estimate_missing: Text = ""
    """Why there is no estimate."""
    terms: Terms
    """What may be done with it."""
    files: Annotated[dict[FileName, FileFacts], Field(max_length=MOST_MEMBERS + 2)]
    """All members of the file but this one."""

    @model_validator(mode="after")
    def _names_agree(self) -> "Card":
        if set(self.reads) != set(self.inputs) or len(set(self.reads)) < len(self.reads):
            raise ValueError("'reads' must name each of 'inputs' once")
        if len(set(self.classes)) < len(self.classes):
            raise ValueError("a class stands twice in 'classes'")
        files = [member.file for member in self.members]
        if len(set(files)) < len(files) or {*files, PROBE, CARD_TEXT} != set(self.files):
            raise ValueError(
                f"'files' must be the file of each member, {PROBE} and {CARD_TEXT}, each once"
            )
        return self

    @property
    def is_synthetic(self) -> bool:
        """Whether it was trained on drawn faces, so that it says nothing about people."""
        return self.training.data_kind is DataKind.SYNTHETIC

    @property
    def matched(self) -> bool:
        """Whether frames of a video become every input as the training clips did."""
        return all(entry.matched for entry in self.inputs.values())
