"""Training recipes."""

from typing import Literal

from pydantic import Field, model_validator

from mer_keras.config.strict import StrictModel


class Optimizer(StrictModel):
    """Optimiser and the learning rate that it starts with (see ``training.optimizers``).

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


class Plateau(StrictModel):
    """Multiply the learning rate by ``factor`` after ``patience`` epochs without improvement."""

    factor: float = Field(gt=0, lt=1)
    patience: int = Field(ge=1)


class StepDecay(StrictModel):
    """Multiply the learning rate by ``factor`` after each ``every`` epochs."""

    factor: float = Field(gt=0, lt=1)
    every: int = Field(ge=1)


class Cosine(StrictModel):
    """Let the learning rate fall to ``final_learning_rate`` along half a cosine.

    Source: Loshchilov and Hutter, "SGDR", ICLR 2017, equation 5 without restarts.
    """

    final_learning_rate: float = Field(default=0.0, ge=0)


class EarlyStopping(StrictModel):
    """Stop after ``patience`` epochs without improvement and go back to the best epoch.

    ``monitor``: what must improve on the data that ``selection`` names.
    """

    patience: int = Field(ge=1)
    monitor: Literal["loss", "accuracy"] = "loss"
    #: Which of equally good epochs is the best one. With ``latest``, a tie counts as improvement.
    ties: Literal["first", "latest"] = "first"
    #: Accuracy, 0..1, at which training stops at once; 1.0: all watched clips are right.
    stop_at: float | None = Field(default=None, gt=0, le=1)

    @model_validator(mode="after")
    def _only_accuracy_is_reached(self) -> "EarlyStopping":
        if self.stop_at is not None and self.monitor != "accuracy":
            raise ValueError("'stop_at' is an accuracy: it needs monitor: accuracy")
        return self


class Augmentation(StrictModel):
    """Random changes of training clips, drawn once a clip (see ``training.random_changes``).

    ``applies_to``: ``copies`` changes only the copies that oversampling adds, ``all`` every clip.
    A zero leaves a change out. ``probability`` is that of colour shift, rotation, smoothing and
    corner crop, which are drawn independently.
    """

    applies_to: Literal["copies", "all"] = "copies"
    flip: float = Field(default=0.0, ge=0, le=1)
    brightness: float = Field(default=0.0, ge=0, le=1)
    salt_pepper: float = Field(default=0.0, ge=0, le=1)
    #: Share of a pixel's range.
    colour_shift: float = Field(default=0.0, ge=0, le=1)
    #: Largest angle in degrees.
    rotation: float = Field(default=0.0, ge=0, le=180)
    #: Largest window in pixels.
    smoothing: int = Field(default=0, ge=0, le=32)
    #: Side of what is left of a cut image, as a share.
    corner_crop: float = Field(default=0.0, ge=0, lt=1)
    probability: float = Field(default=0.5, gt=0, le=1)


class Train(StrictModel):
    """The training recipe."""

    optimizer: Optimizer
    epochs: int = Field(ge=1)
    batch_size: int = Field(ge=1)
    plateau: Plateau | None = None
    step_decay: StepDecay | None = None
    cosine: Cosine | None = None
    early_stopping: EarlyStopping | None = None
    #: Initial convolution and dense kernels; None leaves them to the network's builder.
    initializer: Literal["glorot_uniform", "glorot_normal", "he_uniform", "he_normal"] | None = None
    balance: Literal["none", "oversample"] = "none"
    augmentation: Augmentation | None = None
    #: ``by_class``: the same batches in every epoch, class after class, as code has it that reads
    #: its images from one folder a class and does not shuffle.
    order: Literal["shuffled", "by_class"] = "shuffled"
    #: Whether to subtract the mean frame of the training clips and divide by their standard
    #: deviation.
    standardise: bool = False
    #: ``sequential``: one fold after the other by ``fit``. ``vectorised``: without ``fit``, several
    #: folds in one stack where that pays; for small networks, with the same results but for
    #: rounding. ``auto`` decides by the network (see ``training.vectorised.engine``).
    engine: Literal["auto", "sequential", "vectorised"] = "auto"
    #: Folds of a stack in ``vectorised``; None leaves it to the backend.
    folds_at_once: int | None = Field(default=None, ge=1)
    #: Format of numbers within networks; weights and probabilities are kept in float32.
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = "float32"
    #: Whether to compile steps with XLA; None: where that can be, on JAX (see ``training.recipe``).
    jit_compile: bool | None = None
    #: Whether to divide each batch among all devices of this machine (see ``training.device``).
    data_parallel: bool = False

    @model_validator(mode="after")
    def _one_schedule(self) -> "Train":
        if sum(s is not None for s in (self.plateau, self.step_decay, self.cosine)) > 1:
            raise ValueError("give at most one of 'plateau', 'step_decay' and 'cosine'")
        return self
