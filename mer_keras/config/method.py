"""Methods as ``experiments/methods/<name>.yaml`` describe them: what they are, and how they run."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, JsonValue, model_validator

from mer_keras.config.input_names import InputName, InputNames
from mer_keras.config.inputs import Clip
from mer_keras.config.strict import StrictModel


class Paper(StrictModel):
    """Bibliographic data of a paper."""

    title: str
    """Its title."""
    authors: str
    """Last names, the first author's first."""
    venue: str
    """Journal or conference."""
    year: int
    """Year of publication."""

    @property
    def short(self) -> str:
        """First author and venue, such as ``Shukla et al., ACCV 2022 workshops``."""
        year = "" if str(self.year) in self.venue else f" {self.year}"
        return f"{self.authors.split(',')[0]} et al., {self.venue}{year}"


class Network(StrictModel):
    """A network of ``models.registry``, and arguments of its builder."""

    model: str
    """Name of the network."""
    arguments: dict[str, JsonValue] = Field(default_factory=dict)
    """Arguments of its builder, such as another reading of the paper."""


class Classical(StrictModel):
    """A feature of ``features.registry`` and a classifier of ``methods.classifiers``."""

    feature: str = "pixels"
    """Name of the feature."""
    arguments: dict[str, JsonValue] = Field(default_factory=dict)
    """Arguments of the feature."""
    classifier: str
    """Name of the classifier."""
    classifier_arguments: dict[str, JsonValue] = Field(default_factory=dict)
    """Arguments of the classifier."""
    choices: dict[str, Annotated[tuple[JsonValue, ...], Field(min_length=1)]] = Field(
        default_factory=dict
    )
    """Values of classifier arguments that are tried. The validation clips choose, as they choose
    the epoch of a network; without any, the training clips do, in folds of their subjects.
    """
    inner_folds: int = Field(default=3, ge=2)
    """Folds of training subjects in which a value is chosen where there are no validation clips."""

    @property
    def looks_at_tested_clips(self) -> bool:
        """Whether tested clips weigh the training clips by their values (``methods.transfer``)."""
        return self.classifier_arguments.get("adapt", "none") != "none" or "adapt" in self.choices


class Chance(StrictModel):
    """A predictor that looks at the training labels only."""

    strategy: Literal["most_frequent", "stratified"]
    """``most_frequent``: always the class that most training clips have. ``stratified``: a draw
    from the training labels for each clip.
    """


#: What chose the epoch of a claimed number, in words, by ``Claim.chosen_epoch``.
CHOSEN_BY = {
    "last": "nothing, it is the last",
    "tested_best": "the tested clips",
    "inner": "held-back training clips",
    "none": "there are no epochs",
    "unknown": "not known",
}
#: Metrics that have no usual abbreviation.
_IN_WORDS = {
    "uap": "mean precision",
    "f1_of_means": "F1 of mean precision and mean recall",
    "unknown": "(metric unknown)",
}


class Claim(StrictModel):
    """A number that a paper prints about its own method."""

    where: str
    """Table or section that prints it."""
    value: float
    """The number."""
    unit: Literal["percent", "fraction"] = "percent"
    """Unit of the number."""
    metric: Literal["war", "uar", "uf1", "wf1", "uap", "f1_of_means", "unknown"]
    """What the number is."""
    protocol: str = ""
    """The paper's protocol in words."""
    chosen_epoch: Literal["last", "tested_best", "inner", "none", "unknown"] = "unknown"
    """What chose the epoch in the published code."""

    @property
    def number(self) -> str:
        """The number with its unit and metric, such as ``0.7432 UF1``."""
        unit = " %" if self.unit == "percent" else ""
        metric = _IN_WORDS.get(self.metric, self.metric.upper())
        return f"{self.value:g}{unit} {metric}"

    @property
    def fraction(self) -> float:
        """The number on the scale 0..1."""
        return self.value / 100 if self.unit == "percent" else self.value

    @property
    def chosen_by(self) -> str:
        """What chose the epoch, in words."""
        return CHOSEN_BY[self.chosen_epoch]


class MethodConfig(StrictModel):
    """One method: what it is, and, if it runs here, of which kind it is.

    At most one of ``network``, ``classical`` and ``chance`` is given; a method without any is only
    quoted, and ``missing`` says what it would need.
    """

    title: str
    """Its name for readers."""
    paper: Paper | None = None
    """The paper that it comes from."""
    about: str = ""
    """What it does, in a sentence or two."""
    input: InputNames | None = None
    """The experiment's input that it reads, or several; null: those that its network names, else
    ``clips``.
    """
    inputs: dict[InputName, Clip] = Field(default_factory=dict)
    """Clip recipes that it brings for names of ``input`` (see ``config.method_inputs``)."""
    network: Network | None = None
    """The network that it is."""
    classical: Classical | None = None
    """The feature and the classifier that it is."""
    chance: Chance | None = None
    """The draw from the training labels that it is."""
    train: dict[str, JsonValue] = Field(default_factory=dict)
    """What its training recipe has otherwise than the experiment's."""
    shuffled_labels: bool = False
    """Whether training labels are permuted first, so that it can be no better than chance."""
    missing: str = ""
    """What it would need before it can run here."""
    claims: tuple[Claim, ...] = ()
    """Numbers that its paper prints."""
    facts: tuple[str, ...] = ()
    """What else is known of it."""

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
    def can_find_motion(self) -> bool:
        """Whether it learns from clips with their own labels, so that it can beat chance."""
        return self.chance is None and not self.shuffled_labels

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
