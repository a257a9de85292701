"""Methods as ``experiments/methods/<name>.yaml`` describe them: what they are, and how they run."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, JsonValue, model_validator

from mer_keras.config.inputs import Clip
from mer_keras.config.strict import StrictModel


class Paper(StrictModel):
    """Bibliographic data of a paper."""

    title: str
    authors: str
    venue: str
    year: int

    @property
    def short(self) -> str:
        """First author and venue, such as ``Shukla et al., ACCV 2022 workshops``."""
        year = "" if str(self.year) in self.venue else f" {self.year}"
        return f"{self.authors.split(',')[0]} et al., {self.venue}{year}"


class Network(StrictModel):
    """A network of ``models.registry``, and arguments of its builder."""

    model: str
    arguments: dict[str, JsonValue] = Field(default_factory=dict)


class Classical(StrictModel):
    """A feature of ``features.registry`` and a classifier of ``methods.classifiers``.

    ``arguments`` are those of the feature, ``classifier_arguments`` those of the classifier.
    ``choices``: values of classifier arguments that are tried; the validation clips choose, as
    they choose the epoch of a network. Without validation clips the first values are taken.
    """

    feature: str = "pixels"
    arguments: dict[str, JsonValue] = Field(default_factory=dict)
    classifier: str
    classifier_arguments: dict[str, JsonValue] = Field(default_factory=dict)
    choices: dict[str, Annotated[tuple[JsonValue, ...], Field(min_length=1)]] = Field(
        default_factory=dict
    )


class Chance(StrictModel):
    """A predictor that looks at the training labels only.

    ``most_frequent``: always the class that most training clips have. ``stratified``: a draw from
    the training labels for each clip.
    """

    strategy: Literal["most_frequent", "stratified"]


class Claim(StrictModel):
    """A number that a paper prints about its own method.

    ``chosen_epoch``: what chose the epoch in the published code.
    """

    where: str
    value: float
    unit: Literal["percent", "fraction"] = "percent"
    metric: Literal["war", "uar", "uf1", "wf1", "unknown"]
    protocol: str = ""
    chosen_epoch: Literal["last", "tested_best", "inner", "none", "unknown"] = "unknown"


class MethodConfig(StrictModel):
    """One method: what it is, and, if it runs here, of which kind it is.

    At most one of ``network``, ``classical`` and ``chance`` is given; a method without any is only
    quoted, and ``missing`` says what it would need. ``input``: the experiment's input that it
    reads, or several; None: those that its network names, else ``clips``. ``inputs``: clip recipes
    that it brings for names of ``input`` (see ``config.method_inputs``). ``train`` holds what its
    recipe has otherwise than the experiment's. ``shuffled_labels``: training labels are permuted
    first, so that the method can be no better than chance.
    """

    title: str
    paper: Paper | None = None
    about: str = ""
    input: str | tuple[str, ...] | None = None
    inputs: dict[str, Clip] = Field(default_factory=dict)
    network: Network | None = None
    classical: Classical | None = None
    chance: Chance | None = None
    train: dict[str, JsonValue] = Field(default_factory=dict)
    shuffled_labels: bool = False
    missing: str = ""
    claims: tuple[Claim, ...] = ()
    facts: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_kind_or_a_reason(self) -> "MethodConfig":
        kinds = [kind for kind in (self.network, self.classical, self.chance) if kind is not None]
        if len(kinds) > 1:
            raise ValueError("give at most one of 'network', 'classical' and 'chance'")
        if bool(kinds) == bool(self.missing):
            raise ValueError(
                "give 'network', 'classical' or 'chance', or say in 'missing' what the method needs"
            )
        return self

    @property
    def runs(self) -> bool:
        """Whether it can be run here."""
        return not self.missing

    def with_arguments(self, arguments: Mapping[str, JsonValue]) -> "MethodConfig":
        """The same method with some arguments of its network or feature changed."""
        if not arguments:
            return self
        kind, block = ("network", self.network) if self.network else ("classical", self.classical)
        if block is None:
            raise ValueError(f"{self.title!r} takes no arguments, found {', '.join(arguments)}")
        merged = block.model_copy(update={"arguments": {**block.arguments, **arguments}})
        return self.model_copy(update={kind: merged})
