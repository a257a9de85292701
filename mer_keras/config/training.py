"""Training recipes."""

from typing import Literal

from pydantic import Field, model_validator

from mer_keras.config.strict import StrictModel


class Optimizer(StrictModel):
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


class Plateau(StrictModel):
    """Multiply the learning rate by ``factor`` after ``patience`` epochs without improvement."""

    factor: float = Field(gt=0, lt=1)
    patience: int = Field(ge=1)


class StepDecay(StrictModel):
    """Multiply the learning rate by ``factor`` after each ``every`` epochs."""

    factor: float = Field(gt=0, lt=1)
    every: int = Field(ge=1)


class Cosine(StrictModel):
    """Let the learning rate fall to ``final_learning_rate`` along half a cosine (Loshchilov, Hutter, SGDR)."""

    final_learning_rate: float = Field(default=0.0, ge=0)


class EarlyStopping(StrictModel):
    """Stop after ``patience`` epochs without improvement and go back to the best epoch.

    ``monitor``: what must improve on the data that ``selection`` names.
    """

    patience: int = Field(ge=1)
    monitor: Literal["loss", "accuracy"] = "loss"


class Augmentation(StrictModel):
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


class Train(StrictModel):
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

    @model_validator(mode="after")
    def _one_schedule(self) -> "Train":
        if sum(s is not None for s in (self.plateau, self.step_decay, self.cosine)) > 1:
            raise ValueError("give at most one of 'plateau', 'step_decay' and 'cosine'")
        return self
