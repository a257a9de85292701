"""Experiments: one strict, typed config per published table.

A config says what is reproduced (paper, table, published numbers), on which data, under which
protocol and recipe. Nothing is read that is not declared here. How files become configs, with
profiles, parts and bases: ``config.files``.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, JsonValue, ValidationError, model_validator

from mer_keras.config.data import Data
from mer_keras.config.input_names import InputName, InputNames
from mer_keras.config.inputs import Clip, Sampling
from mer_keras.config.leaves import leaves
from mer_keras.config.method import MethodConfig, Network, Paper
from mer_keras.config.protocol import ProtocolConfig
from mer_keras.config.strict import StrictModel
from mer_keras.config.training import Train
from mer_keras.config.validation import explain
from mer_keras.config.yaml_text import Yaml
from mer_keras.errors import did_you_mean
from mer_keras.names import slug
from mer_keras.terms import Selection

#: Version of what a config means; a change that makes equal configs give other results raises it.
SCHEMA_VERSION = 3


#: Seed of a run; NumPy and Keras take no other.
Seed = Annotated[int, Field(strict=True, ge=0, lt=2**32)]


class Published(StrictModel):
    """One number of a published table."""

    name: str
    """The column as the paper prints it."""
    value: float
    """The number as the paper prints it."""
    unit: Literal["percent", "fraction", "count"] = "percent"
    """Unit of the number."""
    metric: Literal["war", "uar", "uf1", "wf1", "uap", "f1_of_means", "parameters", "unknown"]
    """What the number is: papers print an "accuracy" that is a mean of per-class recalls. ``wf1``
    is F1 weighted by class size, ``uap`` the mean of per-class precisions, ``f1_of_means`` the F1
    of the means of precision and recall.
    """
    why: str = ""
    """How that is known."""
    where: str = ""
    """Table or section that prints it, where that isn't the row's own."""
    quoted: bool = False
    """Whether the paper quotes it from others."""
    database: str | None = None
    """Of a pooled run, only the clips of this one."""
    part: str | None = None
    """Of a table that has several runs, only this one (see ``config.files``)."""

    @property
    def per_cent(self) -> str:
        """The value in per cent with the digits that the paper prints, such as ``73.53``."""
        return f"{100 * self.fraction:g}"

    @property
    def fraction(self) -> float:
        """The value on the scale 0..1 (counts are returned as they are)."""
        return self.value / 100 if self.unit == "percent" else self.value


class Row(StrictModel):
    """One row of the table: published numbers, and the method that gives our own beside them."""

    name: str
    """The row's name in the paper."""
    method: str | None = None
    """Name of the method, or of the network (see ``mer-keras list methods``)."""
    runs: bool = True
    """Whether it runs, if it can: not where it needs what this experiment doesn't have."""
    arguments: dict[str, JsonValue] = Field(default_factory=dict)
    """Arguments of the method's network or feature that differ from the method's own."""
    input: InputNames | None = None
    """Input that the method reads in this row, or several."""
    train: dict[str, JsonValue] = Field(default_factory=dict)
    """What the training recipe of this row has otherwise than its method's."""
    published: tuple[Published, ...] = ()
    """What papers print of this row."""

    @property
    def quoted(self) -> bool:
        """Whether the paper quotes all of the row's numbers from others."""
        return bool(self.published) and all(number.quoted for number in self.published)


class Source(StrictModel):
    """One database of a stage: which frames of its clips, and how its emotions become classes."""

    database: str
    """Name of the database."""
    labels: str
    """Label scheme."""
    frames: int = Field(default=1, ge=1, le=512)
    """Images of a clip."""
    sampling: Sampling = "apex"
    """Which frames."""


class Stage(StrictModel):
    """Training on other data before the folds (see ``runs.pretrain``), of the paper's own rows.

    Rows whose numbers are all quoted from other papers are trained without. All else about the
    images of its databases (size, channels, crop) is as in the input of the row that is pretrained,
    but nothing is magnified.
    """

    name: str
    """Name of the stage."""
    sources: tuple[Source, ...] = Field(min_length=1)
    """Databases that are pooled."""
    train: Train
    """The stage's own training recipe."""
    model: str | None = None
    """The network that is trained; null: that of each row."""
    arguments: dict[str, JsonValue] = Field(default_factory=dict)
    """Arguments of the network."""
    each_frame: bool = False
    """Whether every frame of a clip is an image of its own."""
    balance: Literal["none", "subsample"] = "none"
    """``subsample`` uses as many images of each class as the smallest has."""
    images_per_class: int | None = Field(default=None, ge=1)
    """Most images of a class."""
    validation_split: float = Field(default=0.1, gt=0, lt=1)
    """Share of the images that choose the epoch."""
    validation_split_by: Literal["clip", "subject"] = "subject"
    """Whether these are chosen by clips or by subjects."""
    synthetic_clips: int | None = Field(default=None, ge=1)
    """Synthetic data only: so many clips of each database."""

    def data_of(self, source: Source, target: Data) -> Data:
        """Which clips are loaded of a source for an experiment on ``target``."""
        return target.model_copy(
            update={
                "database": source.database,
                "labels": source.labels,
                "frame_source": "auto",
                "synthetic_motion": True,
                "synthetic_clips": self.synthetic_clips,
                "synthetic_strength": 1.0,
            }
        )

    @staticmethod
    def input_of(source: Source, target: Clip) -> Clip:
        """How clips of a source are loaded for an experiment whose input is ``target``."""
        return target.model_copy(
            update={"frames": source.frames, "sampling": source.sampling, "magnification": None}
        )


@dataclass(frozen=True)
class RowPlan:
    """A row or baseline that runs, with everything that its method and the experiment add.

    Attributes:
        key: names its files; no other row of the experiment has it.
        name: as readers see it.
        role: ``row`` of the table, or a ``baseline`` beside it.
        method: name of the method.
        config: the method, the row's arguments merged into it.
        inputs: names of the experiment's inputs; empty: those that the method reads by default.
        recipe: the training recipe.
    """

    key: str
    name: str
    role: Literal["row", "baseline"]
    method: str
    config: MethodConfig
    inputs: tuple[str, ...]
    recipe: Train


class Experiment(StrictModel):
    """One published table as an experiment; see the module's docstring."""

    name: str = Field(pattern=r"^[\w-]+(/[\w-]+)*$")
    """``<paper>/<table>``; names its files, runs and reports."""
    paper: Paper | None = None
    """The paper that prints the table."""
    table: str = ""
    """Which table or figure of the paper."""
    caption: str = ""
    """What the table shows."""
    also_reproduces: tuple[str, ...] = ()
    """Other tables and figures of the paper that the same runs belong to."""
    data: Data
    """Which clips, and how their emotions become classes."""
    inputs: dict[InputName, Clip] = Field(min_length=1)
    """Clip recipes by name; a method reads ``clips`` unless it or its row names another."""
    protocol: ProtocolConfig
    """How samples are divided into folds."""
    selection: Selection
    """What chooses the epoch, or the hyper-parameters: held-back subjects or clips, nothing (the
    last epoch), or the tested clips themselves.
    """
    train: Train
    """The training recipe."""
    stages: tuple[Stage, ...] = ()
    """Pretraining, in order."""
    evaluate_augmented: bool = False
    """Whether to test the copies too that oversampling would make of the tested clips, changed as
    training changes them; they are shown apart, only to tell what a paper's numbers may be of.
    """
    record_epochs: bool = False
    """Whether to store the tested clips' probabilities after every epoch (see
    ``evaluation.epoch_rules``).
    """
    seeds: tuple[Seed, ...] = Field(default=(0,), min_length=1)
    """Each row runs once for each of them."""
    rows: tuple[Row, ...] = Field(min_length=1)
    """Rows of the table, in its order."""
    baselines: tuple[str, ...] = ()
    """Methods that every row has to beat, run on the same clips."""
    methods: dict[str, MethodConfig] = Field(default_factory=dict)
    """Descriptions of the methods that rows and baselines name; networks need none. One without a
    title has what is otherwise than in the described method of its name, such as a shorter
    training in a profile.
    """
    not_reproduced: tuple[str, ...] = ()
    """What this config leaves open or does otherwise than the paper, for the report."""
    not_inherited: tuple[str, ...] = ()
    """What was left behind of a base, or of the file itself, since it is not true of other data or
    clips, and why (see ``config.inheritance``).
    """

    @model_validator(mode="after")
    def _each_row_has_its_key_and_inputs(self) -> "Experiment":
        if self.selection is Selection.EXTERNAL:
            raise ValueError("selection 'external' is set by --weights, not by a config")
        if len(set(self.seeds)) != len(self.seeds):
            raise ValueError(f"seeds must differ, found {self.seeds}")
        if len(set(self.baselines)) != len(self.baselines):
            raise ValueError(f"baselines must differ, found {self.baselines}")
        name_of: dict[str, str] = {}
        for row in (*self.rows, *self._baseline_rows):
            key = slug(row.name)
            if key in name_of:
                raise ValueError(
                    f"rows {name_of[key]!r} and {row.name!r} would have one key, {key!r}: rename "
                    "one, with letters a to z or digits that the other lacks"
                )
            name_of[key] = row.name
        for plan in self.plans:
            problem = self.missing_input(plan, plan.inputs)
            if problem:
                raise ValueError(problem)
        return self

    def missing_input(self, plan: RowPlan, names: Sequence[str]) -> str:
        """Say which of the inputs that a row reads is absent; empty if none is."""
        for name in names:
            if name not in self.inputs:
                return (
                    f"row {plan.name!r} reads input {name!r}{did_you_mean(name, self.inputs)}, "
                    f"which is not among 'inputs': {', '.join(self.inputs)}"
                )
        return ""

    @property
    def quoted_keys(self) -> set[str]:
        """Keys of rows whose numbers a paper quotes from others; its stages don't train them."""
        return {slug(row.name) for row in self.rows if row.quoted}

    @property
    def heading(self) -> str:
        """Paper and table, as far as they are known, or the experiment's own name."""
        names = [self.paper.short if self.paper else "", self.table]
        return ": ".join(name for name in names if name) or self.name

    @property
    def plans(self) -> tuple[RowPlan, ...]:
        """Rows and baselines that run, in the order of the table, baselines last."""
        rows = (self.plan_of(row) for row in self.rows)
        baselines = (self.plan_of(row, "baseline") for row in self._baseline_rows)
        return tuple(plan for plan in (*rows, *baselines) if plan is not None)

    def rows_apart(self, key: str) -> list[str]:
        """Names of the rows of networks whose recipe isn't the table's in a key.

        Args:
            key: dotted, without ``train``, such as ``optimizer.learning_rate``; a block is compared
                as a whole.
        """
        own = _values_at(self.train, key)
        plans = [plan for plan in self.plans if plan.config.network is not None]
        return [plan.name for plan in plans if _values_at(plan.recipe, key) != own]

    @property
    def _baseline_rows(self) -> list[Row]:
        return [Row(name=f"baseline {method}", method=method) for method in self.baselines]

    def describe(self, method: str) -> MethodConfig:
        """The description of a method; one without is a network of its name."""
        return self.methods.get(method) or MethodConfig(title=method, network=Network(model=method))

    def plan_of(self, row: Row, role: Literal["row", "baseline"] = "row") -> RowPlan | None:
        """How a row of the table, or a baseline, runs; None where it doesn't."""
        if row.method is None or not row.runs:
            return None
        config = self.describe(row.method)
        if role == "row" and not config.runs:
            return None
        names = row.input or config.input or ()
        return RowPlan(
            key=slug(row.name),
            name=row.name if role == "row" else config.title,
            role=role,
            method=row.method,
            config=config.with_arguments(row.arguments),
            inputs=(names,) if isinstance(names, str) else names,
            recipe=self._recipe(row, config),
        )

    def _recipe(self, row: Row, method: MethodConfig) -> Train:
        tree = self.train.model_dump(mode="json", exclude_unset=True)
        try:
            return Train.model_validate(merge(merge(tree, method.train), row.train))
        except ValidationError as error:
            problems = explain(error, Train, at=("train",))
            raise ValueError(f"row {row.name!r}: {problems}") from error

    def digest(self) -> str:
        """Digest of the whole config, defaults included, and of what configs mean here.

        Equal configs, however written, have equal digests. A default that changes makes another.
        Where the values came from is left out.
        """
        config = self.model_dump(mode="json", exclude={"not_inherited"})
        with suppress(ValueError):  # A copy that nobody checked may hold no recipe.
            recipes = {plan.key: plan.recipe.model_dump(mode="json") for plan in self.plans}
            for row in config["rows"]:
                row["train"] = _as_read(row["train"], recipes.get(slug(row["name"]), {}))
        text = json.dumps({"schema": SCHEMA_VERSION, "config": config}, sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _values_at(recipe: Train, key: str) -> dict[str, Yaml]:
    """Values of a recipe at a dotted key or below it, by their keys."""
    values = leaves(recipe.model_dump(mode="json"))
    return {name: value for name, value in values if f"{name}.".startswith(f"{key}.")}


def _as_read(part: Mapping[str, JsonValue], whole: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """A part of a recipe with the values that the whole recipe has in their place.

    So ``1`` and ``1.0``, and ``"1e-3"`` and ``0.001``, are one value where a number is read.
    """
    read: dict[str, JsonValue] = {}
    for key, value in part.items():
        inner = whole.get(key, value)
        nested = isinstance(value, dict) and isinstance(inner, dict)
        read[key] = _as_read(value, inner) if nested else inner  # type: ignore[arg-type]
    return read


def merge(below: Mapping[str, JsonValue], above: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Values of ``above`` over those of ``below``; mappings are merged, an empty value removes."""
    merged = deepcopy(dict(below))
    for key, value in above.items():
        inner = merged.get(key)
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict) and isinstance(inner, dict):
            merged[key] = merge(inner, value)
        else:
            merged[key] = deepcopy(value)
    return merged
