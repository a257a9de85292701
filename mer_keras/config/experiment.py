"""Experiment configs: one strict, typed YAML file per published table.

A config says what is reproduced (paper, table, published numbers), on which data, under which
protocol and recipe. Nothing is read that is not declared here. How files become configs, with
profiles, parts and bases: ``config.files``.
"""

import hashlib
import json
from typing import Any, Literal

from pydantic import Field, model_validator

from mer_keras.config.data import Data
from mer_keras.config.inputs import Sampling
from mer_keras.config.protocol import ProtocolConfig
from mer_keras.config.strict import StrictModel
from mer_keras.config.training import Train
from mer_keras.terms import Selection


class Paper(StrictModel):
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


class Published(StrictModel):
    """One number of a published table.

    ``name`` is the column as the paper prints it, ``metric`` what the number is: papers print an
    "accuracy" that is a mean of per-class recalls. ``wf1`` is F1 weighted by class size. ``why``
    tells how that is known. ``database``: of a pooled run, only the clips of this one. ``part``: of
    a table that has several runs, only this one (see ``config.files``).
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


class Row(StrictModel):
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


class Source(StrictModel):
    """One database of a stage: which frames of its clips, and how its emotions become classes."""

    database: str
    labels: str
    frames: int = Field(default=1, ge=1, le=512)
    sampling: Sampling = "apex"


class Stage(StrictModel):
    """Training on other data before the folds (see ``experiment.pretrain``).

    ``sources``: databases that are pooled; all else about their images (size, channels, crop) is as
    in the experiment's ``data.clip``, but nothing is magnified. ``each_frame``: every frame of a
    clip is an image of its own. ``balance``: ``subsample`` uses as many images of each class as the
    smallest has; ``images_per_class`` is an upper limit. ``model``: the network that is trained, with its
    ``arguments``; None: that of each row. ``validation_split`` of the images, by clips or by subjects,
    choose the epoch.
    """

    name: str
    sources: tuple[Source, ...] = Field(min_length=1)
    train: Train
    model: str | None = None
    arguments: dict[str, Any] = Field(default_factory=dict)
    each_frame: bool = False
    balance: Literal["none", "subsample"] = "none"
    images_per_class: int | None = Field(default=None, ge=1)
    validation_split: float = Field(default=0.1, gt=0, lt=1)
    validation_split_by: Literal["clip", "subject"] = "subject"
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
                "frame_source": "auto",
                "synthetic_motion": True,
                "synthetic_clips": self.synthetic_clips,
            }
        )


class Experiment(StrictModel):
    """One published table as an experiment; see the module's docstring."""

    name: str
    paper: Paper
    table: str
    caption: str
    #: other tables and figures of the paper that the same runs belong to
    also_reproduces: tuple[str, ...] = ()
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
