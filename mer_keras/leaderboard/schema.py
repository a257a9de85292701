"""What a contribution says of itself: ``contribution.json``, checked field by field.

A contribution is a folder of text files that whoever ran an experiment can send:

======================== ==========================================================================
file                     what it holds
======================== ==========================================================================
``contribution.json``    the fields of ``Contribution``
``clips.csv``            one line a clip: ``boards.CLIP_COLUMNS``
``predicted/KEY.csv``    of the row KEY one line a clip: ``clip``, then a column ``SEED:RULE`` for
                         each seed and epoch rule, with numbers of the predicted classes
``curves/KEY.csv``       of a row that stored its epochs: ``epochs``, then UF1 under each rule of
                         ``epoch_curves.CURVES`` had training ended there, averaged over seeds
======================== ==========================================================================

No file names a path, a person or an id of the database, and none holds a picture.
"""

from typing import Annotated, Literal

from pydantic import Field, JsonValue, model_validator

from mer_keras.config.strict import StrictModel
from mer_keras.evaluation.epoch_rules import RULES
from mer_keras.terms import Selection

#: Version of the form of a contribution; a change that older readers can't read raises it.
SCHEMA_VERSION = 1
#: Stands for the rule where a row's epochs were not stored: what the run itself predicted.
AS_RUN = "as_run"
#: Names of the files of a contribution, and of the folders that hold one file a row.
HEAD, CLIPS, PREDICTIONS, CURVES = "contribution.json", "clips.csv", "predicted", "curves"

MOST_ROWS = 200
MOST_SEEDS = 100
MOST_EPOCHS = 1_000_000

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Key = Annotated[str, Field(pattern=r"^[a-z0-9-]+$", max_length=100)]
Text = Annotated[str, Field(max_length=2000)]
Moment = Annotated[
    str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?\+00:00$", max_length=40)
]
Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class ContributedClaim(StrictModel):
    """A number that is printed about the row's method on this set."""

    metric: Literal["uf1", "uar", "uap", "war", "wf1"]
    """What the number is."""
    value: Fraction
    """The number."""
    where: Text
    """Who prints it."""
    chosen_by: Text
    """What chose the epoch in the published code, in words."""


class ContributedRow(StrictModel):
    """One method, as it was run, or, without seeds, as it is claimed."""

    key: Key
    """Names its files."""
    name: Text
    """Its name for readers."""
    role: Literal["row", "baseline"]
    """Whether it is compared, or stands beside the others."""
    method: Text
    """Name of the method."""
    about: Text = ""
    """The method in a sentence or two."""
    paper: Text = ""
    """The paper that it comes from."""
    learns: bool = True
    """Whether it learns from clips with their own labels, so that it can beat chance."""
    selection: Selection = Selection.LAST_EPOCH
    """What chose its epoch or hyper-parameters."""
    epochs: int | None = Field(default=None, ge=1, le=MOST_EPOCHS)
    """Epochs of its recipe; null for a method without any."""
    rules: tuple[str, ...] = ()
    """Epoch rules that its predictions are stored under: all of ``epoch_rules.RULES`` where its
    epochs were stored, else ``as_run`` alone; none where it was not run.
    """
    missing: Text = ""
    """Why it was not run."""
    parameters: int | None = Field(default=None, ge=0)
    """Parameters of its network as it was built."""
    multiply_accumulates: int | None = Field(default=None, ge=0)
    """Operations of its network for one clip."""
    seconds: float = Field(default=0, ge=0, allow_inf_nan=False)
    """Computing time of all folds and seeds."""
    claims: tuple[ContributedClaim, ...] = Field(default=(), max_length=100)
    """What is printed about it on this set."""

    @model_validator(mode="after")
    def _rules_are_whole(self) -> "ContributedRow":
        if self.rules and self.rules != (AS_RUN,) and set(self.rules) != set(RULES):
            absent = [name for name in RULES if name not in self.rules]
            raise ValueError(
                f"row {self.name!r} has an incomplete trajectory: the rule(s) "
                f"{', '.join(absent) or 'of another version'} are missing; expected all of "
                f"{', '.join(RULES)}, or {AS_RUN} alone"
            )
        return self

    @model_validator(mode="after")
    def _each_rule_once(self) -> "ContributedRow":
        if len(set(self.rules)) < len(self.rules):
            raise ValueError(f"row {self.name!r}: a rule stands twice: {', '.join(self.rules)}")
        return self

    @property
    def ran(self) -> bool:
        """Whether there are predictions of it."""
        return bool(self.rules)


class Contribution(StrictModel):
    """One run, small enough to be sent."""

    schema_version: Literal[1]
    """Version of this form."""
    package: Text
    """Version of mer-keras that made it."""
    board: Text
    """Name of the set (see ``boards``)."""
    experiment: Text
    """Name of the experiment."""
    profile: Text
    """Profile of its config."""
    run_id: Key
    """Names the run; it ends with a digest of everything that decides results."""
    protocol: Text
    """How the clips were divided, in words."""
    selection: Selection
    """What chose the epoch of networks."""
    classes: tuple[Text, ...] = Field(min_length=2, max_length=100)
    """All classes, in the order of their numbers."""
    seeds: tuple[int, ...] = Field(min_length=1, max_length=MOST_SEEDS)
    """Seeds of the run."""
    config: dict[str, JsonValue]
    """The whole config, defaults included."""
    config_digest: Digest
    """Digest of the config."""
    samples_digest: Digest
    """Digest of the samples table."""
    folds_digest: Digest
    """Digest of all folds with their trained and validated clips."""
    images_digest: Digest
    """Digest of the arrays that the methods read."""
    started_from: tuple[Digest, ...] = Field(default=(), max_length=MOST_ROWS)
    """Digests of what its networks started from, where that was weights from elsewhere: of their
    file, or of the pretraining that began with them.
    """
    clips_digest: Digest
    """Digest of ``clips.csv`` but for its folds (see ``boards.clips_digest``)."""
    division_digest: Digest
    """Digest of its folds (see ``boards.division_digest``)."""
    created: Moment
    """When the run began: ISO 8601, UTC."""
    git: Text = ""
    """Commit of the code that ran."""
    backend: Text
    """What computed."""
    device: Text = ""
    """On what it computed."""
    versions: dict[str, Text]
    """Versions of the packages that decide results."""
    rows: tuple[ContributedRow, ...] = Field(min_length=1, max_length=MOST_ROWS)
    """Rows and baselines."""
    files: dict[str, Digest]
    """Digest of each other file, by its name in the folder."""

    @model_validator(mode="after")
    def _each_once(self) -> "Contribution":
        keys = [row.key for row in self.rows]
        for what, values in (("row", keys), ("seed", self.seeds), ("class", self.classes)):
            if len(set(values)) < len(values):
                raise ValueError(f"a {what} stands twice: {', '.join(map(str, values))}")
        return self
