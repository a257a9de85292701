"""Experiment configs: one strict, typed YAML file per published table.

A config says what is reproduced (paper, table, published numbers), on which data, under which
protocol and recipe. Nothing is read that is not declared here. How files become configs, with
profiles, parts and bases: ``config_files``.
"""

import hashlib
import json
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mer_keras.terms import Selection

Sampling = Literal[
    "around_apex", "uniform_with_apex", "apex_window", "apex", "last", "interpolated"
]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Paper(_Strict):
    """Bibliographic data of the reproduced paper."""

    title: str
    authors: str
    venue: str
    year: int

    @property
    def short(self) -> str:
        """First author and venue, such as ``Shukla et al., ACCV 2022 workshops``."""
        year = "" if str(self.year) in self.venue else f" {self.year}"
        return f"{self.authors.split(',')[0]} et al., {self.venue}{year}"


class Published(_Strict):
    """One number of a published table.

    ``name`` is the column as the paper prints it, ``metric`` what the number is: papers print an
    "accuracy" that is a mean of per-class recalls. ``wf1`` is F1 weighted by class size. ``why``
    tells how that is known. ``database``: of a pooled run, only the clips of this one. ``part``: of
    a table that has several runs, only this one (see ``config_files``).
    """

    name: str
    value: float
    unit: Literal["percent", "fraction", "count"] = "percent"
    metric: Literal["war", "uar", "uf1", "wf1", "parameters", "unknown"]
    why: str = ""
    where: str = ""
    database: str | None = None
    part: str | None = None

    @property
    def fraction(self) -> float:
        """The value on the scale 0..1 (counts are returned as they are)."""
        return self.value / 100 if self.unit == "percent" else self.value


class Row(_Strict):
    """One row of the table: a network of the paper's own, or a number it quotes from others."""

    name: str
    model: str | None = None
    arguments: dict[str, Any] = Field(default_factory=dict)
    quoted: bool = False
    published: tuple[Published, ...] = ()

    @model_validator(mode="after")
    def _own_or_quoted(self) -> "Row":
        if self.quoted == (self.model is not None):
            raise ValueError(f"row {self.name!r}: give either 'model' or 'quoted: true'")
        return self


class Magnification(_Strict):
    """Eulerian magnification of all frames of a clip (see ``clips.magnification``).

    ``low`` and ``high`` bound the band: in Hz, but of ``iir`` they are the two coefficients.
    ``fps``: frames a second that the band is reckoned with; None takes the clip's own.
    """

    alpha: float = Field(gt=0)
    low: float = Field(gt=0)
    high: float = Field(gt=0)
    temporal_filter: Literal["ideal", "butterworth", "iir"] = "ideal"
    pyramid: Literal["gaussian", "laplacian"] = "gaussian"
    levels: int = Field(default=2, ge=0, le=10)
    #: of ``laplacian``: see ``clips.magnification.Magnification``
    wavelength_cutoff: float | None = Field(default=None, gt=0)
    outer_levels: bool = False
    fps: float | None = Field(default=None, gt=0)


class Flow(_Strict):
    """Optical flow from the onset to the apex frame (see ``clips.flow``).

    ``at``: side in pixels of the squares that flow is computed on before it is made smaller.
    ``form``: ``image`` is flow to the right, flow down and strain, each scaled by its own range to
    0..255; ``magnitude`` is the length of the flow in pixels, one channel.
    """

    method: Literal["tvl1", "farneback", "dis"] = "tvl1"
    at: int = Field(default=128, ge=16, le=1024)
    form: Literal["image", "magnitude"] = "image"


class Clip(_Strict):
    """What a network is fed with.

    ``frames``: ``frames`` images of ``size`` pixels squared, gray or RGB by ``channels``, scaled to
    0..1; one frame is an image, without a time axis. ``flow``: horizontal and vertical flow and
    optical strain, computed from the onset and the apex frame, 0..255. ``flow_image``: the same,
    precomputed, as its file holds it (0..255, OpenCV's order), ``size`` being its own side;
    ``enlarged`` is the side it is brought to for networks that need a larger one.

    ``crop``: which part of a frame; ``haar`` finds the face on the onset frame and levels the eyes
    if ``align``. ``normalise`` is done clip by clip: ``unit`` to 0..1, ``standard`` to mean 0 and
    standard deviation 1.
    """

    kind: Literal["frames", "flow", "flow_image"]
    frames: int = Field(default=1, ge=1, le=512)
    size: int = Field(default=90, ge=8, le=1024)
    enlarged: int | None = Field(default=None, ge=8, le=1024)
    channels: Literal[1, 3] = 1
    sampling: Sampling = "around_apex"
    crop: Literal["none", "centre", "haar"] = "none"
    align: bool = True
    magnification: Magnification | None = None
    flow: Flow = Flow()
    normalise: Literal["none", "unit", "standard"] = "none"

    @model_validator(mode="after")
    def _only_flow_images_are_enlarged(self) -> "Clip":
        if self.enlarged is not None and (self.kind != "flow_image" or self.enlarged < self.size):
            raise ValueError("'enlarged' is for flow_image, and no smaller than 'size'")
        return self


class Policies(_Strict):
    """What is done about faults that leave a choice. The defaults guess nothing.

    ``frame_order``: onset <= apex <= offset doesn't hold: stop, or leave the clip out.
    ``apex``: nobody annotated it: the middle frame stands in, it is spotted from optical flow (with
    onset and offset, where none of the three is annotated), or the clip is left out.
    ``sizes``: frames of one clip differ in size: stop, or resize each.
    ``face``: none is found: the centre of the frame stands in, or the clip is left out.
    """

    frame_order: Literal["error", "exclude"] = "error"
    apex: Literal["middle", "spot", "exclude"] = "middle"
    sizes: Literal["error", "resize"] = "error"
    face: Literal["centre", "exclude"] = "centre"


class Data(_Strict):
    """Which clips, and how their emotions become classes.

    ``database``: one, or several that are pooled. ``labels``: a label scheme, or one for each of
    several databases; their classes must be the same.
    """

    database: str | tuple[str, ...]
    labels: str | dict[str, str]
    clip: Clip
    #: which of a database's frame trees: its own cropped faces, or the camera's pictures
    tree: Literal["auto", "cropped", "raw"] = "auto"
    #: apply the known corrections to the official table (see ``annotations.corrections``)
    corrections: bool = True
    policies: Policies = Policies()
    #: synthetic data only: with ``False`` nothing moves, so that every method must be at chance
    signal: bool = True
    #: synthetic data only: so many clips of each database, evenly spaced over its table
    synthetic_clips: int | None = Field(default=None, ge=1)

    @property
    def databases(self) -> tuple[str, ...]:
        """The databases, one or more."""
        return (self.database,) if isinstance(self.database, str) else self.database

    def scheme_of(self, database: str) -> str:
        """Name of a database's label scheme."""
        return self.labels if isinstance(self.labels, str) else self.labels[database]

    @model_validator(mode="after")
    def _each_database_once(self) -> "Data":
        if not self.databases or len(set(self.databases)) != len(self.databases):
            raise ValueError(f"'database' must name different databases, found {self.databases}")
        if isinstance(self.labels, dict) and set(self.labels) != set(self.databases):
            raise ValueError(
                f"'labels' must have one scheme for each of {', '.join(self.databases)}, found "
                f"{', '.join(self.labels)}"
            )
        return self


class ProtocolConfig(_Strict):
    """How samples are divided (see ``protocols``).

    ``subject_kfold``: ``k`` groups of subjects. ``loso``: one subject is left out. ``cde``: the
    same over several pooled databases. ``sde``: the same within each of several databases, whose
    networks never see another. ``hde``: one database is left out. ``as_published``: one random
    stratified division by clips, ``test_share`` of them tested; their subjects are trained on too.
    """

    name: Literal["subject_kfold", "loso", "cde", "sde", "hde", "as_published"]
    k: int | None = Field(default=None, ge=2)
    test_share: float | None = Field(default=None, gt=0, lt=1)
    #: which of the possible divisions of ``subject_kfold`` or ``as_published`` is drawn
    draw: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _fields_belong_to_the_name(self) -> "ProtocolConfig":
        for field, owner in (("k", "subject_kfold"), ("test_share", "as_published")):
            if (self.name == owner) != (getattr(self, field) is not None):
                raise ValueError(f"{field!r} is needed for {owner} and has no meaning for others")
        return self

    @property
    def subject_exclusive(self) -> bool:
        """Whether no tested subject is trained on."""
        return self.name != "as_published"

    @property
    def title(self) -> str:
        """The protocol in words."""
        if self.name == "subject_kfold":
            return f"subject-exclusive stratified {self.k}-fold"
        if self.name == "as_published":
            share = f"{100 * (self.test_share or 0):g} %"
            return f"random clip split, {share} tested, NOT subject-exclusive"
        return {
            "loso": "leave-one-subject-out",
            "cde": "composite-database leave-one-subject-out (CDE)",
            "sde": "leave-one-subject-out within each database (SDE)",
            "hde": "holdout-database: trained on the others, tested on one (HDE)",
        }[self.name]


class Optimizer(_Strict):
    """Optimiser and its start value (see ``optimizers``).

    ``momentum`` and ``weight_decay`` (a part of the gradient, as in Caffe) belong to ``sgd``,
    ``warmup`` belongs to ``adam``.
    """

    name: Literal["adam", "sgd"] = "adam"
    learning_rate: float = Field(gt=0)
    momentum: float = Field(default=0.0, ge=0, lt=1)
    weight_decay: float = Field(default=0.0, ge=0)
    warmup: Literal["none", "linear", "exponential"] = "none"

    @model_validator(mode="after")
    def _fields_belong_to_the_name(self) -> "Optimizer":
        if self.name == "adam" and (self.momentum or self.weight_decay):
            raise ValueError("'momentum' and 'weight_decay' belong to sgd")
        if self.name == "sgd" and self.warmup != "none":
            raise ValueError("'warmup' belongs to adam")
        return self


class Plateau(_Strict):
    """Multiply the learning rate by ``factor`` after ``patience`` epochs without improvement."""

    factor: float = Field(gt=0, lt=1)
    patience: int = Field(ge=1)


class StepDecay(_Strict):
    """Multiply the learning rate by ``factor`` after each ``every`` epochs."""

    factor: float = Field(gt=0, lt=1)
    every: int = Field(ge=1)


class Cosine(_Strict):
    """Let the learning rate fall to ``to`` along half a cosine (Loshchilov, Hutter, SGDR)."""

    to: float = Field(default=0.0, ge=0)


class EarlyStopping(_Strict):
    """Stop after ``patience`` epochs without improvement and go back to the best epoch.

    ``monitor``: what must improve on the data that ``selection`` names.
    """

    patience: int = Field(ge=1)
    monitor: Literal["loss", "accuracy"] = "loss"


class Augmentation(_Strict):
    """Random changes of training clips, drawn once a clip (see ``pipeline.random_changes``).

    ``applies_to``: ``copies`` changes only the copies that oversampling adds, ``all`` every clip.
    A zero leaves a change out. ``probability`` is that of colour shift, rotation, smoothing and
    corner crop, each drawn for itself.
    """

    applies_to: Literal["copies", "all"] = "copies"
    flip: float = Field(default=0.0, ge=0, le=1)
    brightness: float = Field(default=0.0, ge=0, le=1)
    salt_pepper: float = Field(default=0.0, ge=0, le=1)
    #: of 1, the range of a pixel
    colour_shift: float = Field(default=0.0, ge=0, le=1)
    #: degrees
    rotation: float = Field(default=0.0, ge=0, le=180)
    #: largest window in pixels
    smoothing: int = Field(default=0, ge=0, le=32)
    #: side of what is left of a cut image, as a share
    corner_crop: float = Field(default=0.0, ge=0, lt=1)
    probability: float = Field(default=0.5, gt=0, le=1)


class Train(_Strict):
    """The training recipe."""

    optimizer: Optimizer
    epochs: int = Field(ge=1)
    batch_size: int = Field(ge=1)
    plateau: Plateau | None = None
    step_decay: StepDecay | None = None
    cosine: Cosine | None = None
    early_stopping: EarlyStopping | None = None
    #: of convolution and dense kernels; None leaves it to the network's builder
    initializer: Literal["glorot_uniform", "glorot_normal", "he_uniform", "he_normal"] | None = None
    balance: Literal["none", "oversample"] = "none"
    augmentation: Augmentation | None = None
    #: ``by_class``: the same batches in every epoch, class after class, as code without shuffling
    #: has it that reads its images from one folder a class
    order: Literal["shuffled", "by_class"] = "shuffled"
    #: subtract the mean frame of the training clips and divide by their standard deviation
    standardise: bool = False
    #: ``sequential``: one fold after the other by ``fit``. ``all_folds``: without ``fit``, several
    #: folds in one stack where that pays; for small networks, with the same results but for
    #: rounding. ``auto`` decides by the network (see ``training.engine``).
    engine: Literal["auto", "sequential", "all_folds"] = "auto"
    #: of ``all_folds``: folds of a stack; None leaves it to the backend
    folds_at_once: int | None = Field(default=None, ge=1)
    #: of numbers within networks; weights are kept in float32, and so are probabilities
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = "float32"
    #: compile steps with XLA; None: where that can be, on JAX (see ``training.recipe``)
    jit_compile: bool | None = None
    #: divide each batch among all devices of this machine (see ``training.device``)
    data_parallel: bool = False
    #: part of the training subjects that ``inner_subjects`` holds back for selection, or of the
    #: training clips that ``inner_clips`` does
    inner_fraction: float = Field(default=0.2, gt=0, lt=1)

    @model_validator(mode="after")
    def _one_schedule(self) -> "Train":
        if sum(s is not None for s in (self.plateau, self.step_decay, self.cosine)) > 1:
            raise ValueError("give at most one of 'plateau', 'step_decay' and 'cosine'")
        return self


class Source(_Strict):
    """One database of a stage: which frames of its clips, and how its emotions become classes."""

    database: str
    labels: str
    frames: int = Field(default=1, ge=1, le=512)
    sampling: Sampling = "apex"


class Stage(_Strict):
    """Training on other data before the folds (see ``experiment.pretrain``).

    ``sources``: databases that are pooled; all else about their images (size, channels, crop) is as
    in the experiment's ``data.clip``, but nothing is magnified. ``each_frame``: every frame of a
    clip is an image of its own. ``balance``: ``subsample`` uses as many images of each class as the
    smallest has; ``per_class`` is an upper limit. ``model``: the network that is trained, with its
    ``arguments``; None: that of each row. ``held_back`` of the images, by clips or by subjects,
    choose the epoch.
    """

    name: str
    sources: tuple[Source, ...] = Field(min_length=1)
    train: Train
    model: str | None = None
    arguments: dict[str, Any] = Field(default_factory=dict)
    each_frame: bool = False
    balance: Literal["none", "subsample"] = "none"
    per_class: int | None = Field(default=None, ge=1)
    held_back: float = Field(default=0.1, gt=0, lt=1)
    held_back_by: Literal["clip", "subject"] = "subject"
    #: synthetic data only: so many clips of each database
    synthetic_clips: int | None = Field(default=None, ge=1)

    def data_of(self, source: Source, target: Data) -> Data:
        """What is loaded of a source for an experiment on ``target``."""
        clip = target.clip.model_copy(
            update={"frames": source.frames, "sampling": source.sampling, "magnification": None}
        )
        return target.model_copy(
            update={
                "database": source.database,
                "labels": source.labels,
                "clip": clip,
                "tree": "auto",
                "signal": True,
                "synthetic_clips": self.synthetic_clips,
            }
        )


class Experiment(_Strict):
    """One published table as an experiment; see the module's docstring."""

    name: str
    paper: Paper
    table: str
    caption: str
    #: other tables and figures of the paper that the same runs belong to
    covers: tuple[str, ...] = ()
    data: Data
    protocol: ProtocolConfig
    selection: Selection
    train: Train
    #: pretraining, in order
    stages: tuple[Stage, ...] = ()
    #: also test the copies that oversampling would make of the tested clips, changed as training
    #: changes them; shown apart, as it exists only to show what a paper's numbers may be of
    evaluate_augmented: bool = False
    seeds: tuple[int, ...] = Field(default=(0,), min_length=1)
    rows: tuple[Row, ...] = Field(min_length=1)
    baselines: tuple[
        Literal["majority", "stratified", "shuffled_labels", "linear_svm", "flow_svm"], ...
    ] = ()
    #: what this config leaves open or does otherwise than the paper, for the report
    not_reproduced: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _rows_differ(self) -> "Experiment":
        names = [row.name for row in self.rows]
        if len(set(names)) != len(names):
            raise ValueError(f"row names must differ, found {names}")
        if self.selection is Selection.EXTERNAL:
            raise ValueError("selection 'external' is set by --weights, not by a config")
        return self

    def digest(self) -> str:
        """Digest of the canonical config: equal configs, however written, have equal digests.

        Values that equal their default are left out, so that a new field with a default does not
        orphan finished runs.
        """
        text = json.dumps(self.model_dump(mode="json", exclude_defaults=True), sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
