"""Training recipes."""

from typing import Literal, TypeAlias

from pydantic import Field, model_validator

from mer_keras.config.strict import StrictModel

#: Formats of numbers within networks.
Precision: TypeAlias = Literal["float32", "mixed_bfloat16", "mixed_float16"]
#: The most exact of them.
EXACT: Precision = "float32"


def with_precision(name: str, precision: Precision) -> str:
    """Return the name of what was computed, with the number format unless it is float32."""
    return name if precision == EXACT else f"{name}, {precision}"


class Optimizer(StrictModel):
    """Optimiser and the learning rate that it starts with (see ``training.optimizers``)."""

    name: Literal["adam", "sgd"] = "adam"
    """The optimiser."""
    learning_rate: float = Field(gt=0)
    """Learning rate of the first epoch."""
    momentum: float = Field(default=0.0, ge=0, lt=1)
    """Momentum of ``sgd``."""
    weight_decay: float = Field(default=0.0, ge=0)
    """L2 penalty of ``sgd``, as a part of the gradient, as in Caffe."""
    warmup: Literal["none", "linear", "exponential"] = "none"
    """How ``adam`` takes its first steps: at once, or with a bound that rises."""

    @model_validator(mode="after")
    def _fields_belong_to_the_name(self) -> "Optimizer":
        if self.name == "adam" and (self.momentum or self.weight_decay):
            raise ValueError("'momentum' and 'weight_decay' belong to sgd")
        if self.name == "sgd" and self.warmup != "none":
            raise ValueError("'warmup' belongs to adam")
        return self


class Plateau(StrictModel):
    """Multiply the learning rate by ``factor`` after ``patience`` epochs without improvement."""

    factor: float = Field(gt=0, lt=1)
    """What the learning rate is multiplied by."""
    patience: int = Field(ge=1)
    """Epochs without improvement before that."""


class StepDecay(StrictModel):
    """Multiply the learning rate by ``factor`` after each ``every`` epochs."""

    factor: float = Field(gt=0, lt=1)
    """What the learning rate is multiplied by."""
    every: int = Field(ge=1)
    """Epochs between two such steps."""


class Cosine(StrictModel):
    """Let the learning rate fall to ``final_learning_rate`` along half a cosine.

    Source: Loshchilov and Hutter, "SGDR", ICLR 2017, equation 5 without restarts.
    """

    final_learning_rate: float = Field(default=0.0, ge=0)
    """Learning rate of the last epoch."""


class EarlyStopping(StrictModel):
    """Stop after ``patience`` epochs without improvement and go back to the best epoch."""

    patience: int = Field(ge=1)
    """Epochs without improvement before training stops."""
    monitor: Literal["loss", "accuracy"] = "loss"
    """What must improve on the data that ``selection`` names."""
    ties: Literal["first", "latest"] = "first"
    """Which of equally good epochs is the best; with ``latest``, a tie counts as improvement."""
    stop_at: float | None = Field(default=None, gt=0, le=1)
    """Accuracy, 0..1, at which training stops at once; 1.0: all watched clips are right."""

    @model_validator(mode="after")
    def _only_accuracy_is_reached(self) -> "EarlyStopping":
        if self.stop_at is not None and self.monitor != "accuracy":
            raise ValueError("'stop_at' is an accuracy: it needs monitor: accuracy")
        return self


class Augmentation(StrictModel):
    """Random changes of training clips, drawn once a clip (see ``training.random_changes``).

    A zero leaves a change out.
    """

    applies_to: Literal["copies", "all"] = "copies"
    """Which clips: only the copies that oversampling adds, or every one."""
    flip: float = Field(default=0.0, ge=0, le=1)
    """Probability that a clip is mirrored."""
    brightness: float = Field(default=0.0, ge=0, le=1)
    """Largest change of all pixels alike, as a share of a pixel's range."""
    salt_pepper: float = Field(default=0.0, ge=0, le=1)
    """Largest share of pixels that become black or white."""
    colour_shift: float = Field(default=0.0, ge=0, le=1)
    """Largest change of each channel, as a share of a pixel's range."""
    rotation: float = Field(default=0.0, ge=0, le=180)
    """Largest angle in degrees."""
    smoothing: int = Field(default=0, ge=0, le=32)
    """Side of the largest smoothing window in pixels."""
    corner_crop: float = Field(default=0.0, ge=0, lt=1)
    """Side of what is left of a cut image, as a share."""
    pixel_probability: float = Field(default=1.0, gt=0, le=1)
    """Probability of brightness and of salt-and-pepper noise, drawn independently; 1: every clip
    that may be changed gets both.
    """
    probability: float = Field(default=0.5, gt=0, le=1)
    """Probability of colour shift, rotation, smoothing and corner crop, drawn independently."""


class Train(StrictModel):
    """The training recipe."""

    optimizer: Optimizer
    """Optimiser and learning rate."""
    epochs: int = Field(ge=1)
    """Most passes over the training clips."""
    batch_size: int = Field(ge=1)
    """Clips of one step."""
    plateau: Plateau | None = None
    """Lower the learning rate where nothing improves."""
    step_decay: StepDecay | None = None
    """Lower the learning rate after every so many epochs."""
    cosine: Cosine | None = None
    """Lower the learning rate along half a cosine."""
    early_stopping: EarlyStopping | None = None
    """Stop where nothing improves, and take the best epoch."""
    initializer: Literal["glorot_uniform", "glorot_normal", "he_uniform", "he_normal"] | None = None
    """Initial convolution and dense kernels; null leaves them to the network's builder."""
    batch_norm_momentum: float | None = Field(default=None, ge=0, lt=1)
    """Momentum of batch normalisation's moving statistics; null leaves it to the network's builder.
    They remember about 1 / (1 - momentum) steps, so that a training of few steps needs a lower one
    than the framework of its paper has: what is tested would be close to the statistics that
    training starts with.
    """
    balance: Literal["none", "oversample"] = "none"
    """Whether copies of clips make all classes as large as the largest."""
    augmentation: Augmentation | None = None
    """Random changes of training clips."""
    order: Literal["shuffled", "by_class"] = "shuffled"
    """``by_class``: the same batches in every epoch, class after class, as code has it that reads
    its images from one folder a class and does not shuffle.
    """
    standardise: bool = False
    """Whether to subtract the mean frame of the training clips and divide by their standard
    deviation.
    """
    engine: Literal["auto", "sequential", "vectorised"] = "auto"
    """``sequential``: one fold after the other by ``fit``. ``vectorised``: without ``fit``, several
    folds in one stack where that pays; for small networks, with the same results but for rounding.
    ``auto`` decides by the network (see ``training.vectorised.engine``).
    """
    folds_at_once: int | None = Field(default=None, ge=1)
    """Folds of a stack in ``vectorised``; null leaves it to the backend."""
    precision: Precision = EXACT
    """Format of numbers within networks; weights and probabilities are kept in float32."""
    jit_compile: bool | None = None
    """Whether to compile steps with XLA; null: where that can be, on JAX (see ``training.recipe``).
    """
    data_parallel: bool = False
    """Whether to divide each batch among all devices of this machine (see ``training.device``)."""

    @model_validator(mode="after")
    def _one_schedule(self) -> "Train":
        if sum(s is not None for s in (self.plateau, self.step_decay, self.cosine)) > 1:
            raise ValueError("give at most one of 'plateau', 'step_decay' and 'cosine'")
        return self
