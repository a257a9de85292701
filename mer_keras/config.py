"""Experiment configs: one strict, typed YAML file per published table.

A config says what is reproduced (paper, table, published numbers), on which data, under which
protocol and recipe. ``profiles`` holds named sets of overrides: ``full`` is the paper's settings,
``quick`` a small version for two CPU cores. Nothing is read that is not declared here.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from mer_keras.errors import ConfigError, did_you_mean
from mer_keras.terms import Selection

MAX_CONFIG_BYTES = 1_000_000


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Paper(_Strict):
    """Bibliographic data of the reproduced paper."""

    title: str
    authors: str
    venue: str
    year: int


class Published(_Strict):
    """One number of a published table.

    ``name`` is the column as the paper prints it, ``metric`` what the number is: papers print an
    "accuracy" that is a mean of per-class recalls. ``wf1`` is F1 weighted by class size. ``why``
    tells how that is known.
    """

    name: str
    value: float
    unit: Literal["percent", "fraction", "count"] = "percent"
    metric: Literal["war", "uar", "uf1", "wf1", "parameters", "unknown"]
    why: str = ""
    where: str = ""

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
    """

    method: Literal["tvl1", "farneback", "dis"] = "tvl1"
    at: int = Field(default=128, ge=16, le=1024)


class Clip(_Strict):
    """What a network is fed with.

    ``frames``: ``frames`` images of ``size`` pixels squared, gray or RGB by ``channels``, scaled to
    0..1. ``flow``: horizontal and vertical flow and optical strain, computed from the onset and the
    apex frame, 0..255. ``flow_image``: the same, precomputed, as its file holds it (0..255,
    OpenCV's order).

    ``crop``: which part of a frame; ``haar`` finds the face on the onset frame and levels the eyes
    if ``align``. ``normalise`` is done clip by clip: ``unit`` to 0..1, ``standard`` to mean 0 and
    standard deviation 1.
    """

    kind: Literal["frames", "flow", "flow_image"]
    frames: int = Field(default=1, ge=1, le=512)
    size: int = Field(default=90, ge=8, le=1024)
    channels: Literal[1, 3] = 1
    sampling: Literal[
        "around_apex", "uniform_with_apex", "apex_window", "apex", "last", "interpolated"
    ] = "around_apex"
    crop: Literal["none", "centre", "haar"] = "none"
    align: bool = True
    magnification: Magnification | None = None
    flow: Flow = Flow()
    normalise: Literal["none", "unit", "standard"] = "none"


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
    """Which clips, and how their emotions become classes."""

    database: str
    labels: str
    clip: Clip
    #: which of a database's frame trees: its own cropped faces, or the camera's pictures
    tree: Literal["auto", "cropped", "raw"] = "auto"
    #: apply the known corrections to the official table (see ``annotations.corrections``)
    corrections: bool = True
    policies: Policies = Policies()
    #: synthetic data only: with ``False`` nothing moves, so that every method must be at chance
    signal: bool = True


class ProtocolConfig(_Strict):
    """How samples are divided (see ``protocols``)."""

    name: Literal["subject_kfold", "loso"]
    k: int | None = Field(default=None, ge=2)

    @model_validator(mode="after")
    def _k_belongs_to_kfold(self) -> "ProtocolConfig":
        if (self.name == "subject_kfold") != (self.k is not None):
            raise ValueError("'k' is needed for subject_kfold and has no meaning for loso")
        return self


class Optimizer(_Strict):
    """Optimiser and its start value."""

    name: Literal["adam"] = "adam"
    learning_rate: float = Field(gt=0)


class Plateau(_Strict):
    """Multiply the learning rate by ``factor`` after ``patience`` epochs without improvement."""

    factor: float = Field(gt=0, lt=1)
    patience: int = Field(ge=1)


class EarlyStopping(_Strict):
    """Stop after ``patience`` epochs without improvement and go back to the best epoch."""

    patience: int = Field(ge=1)


class Augmentation(_Strict):
    """Random changes of training clips, drawn once a clip (see ``pipeline.augmentation``).

    ``applies_to``: ``copies`` changes only the copies that oversampling adds, ``all`` every clip.
    """

    applies_to: Literal["copies", "all"] = "copies"
    flip: float = Field(default=0.0, ge=0, le=1)
    brightness: float = Field(default=0.0, ge=0, le=1)
    salt_pepper: float = Field(default=0.0, ge=0, le=1)


class Train(_Strict):
    """The training recipe."""

    optimizer: Optimizer
    epochs: int = Field(ge=1)
    batch_size: int = Field(ge=1)
    plateau: Plateau | None = None
    early_stopping: EarlyStopping | None = None
    balance: Literal["none", "oversample"] = "none"
    augmentation: Augmentation | None = None
    #: ``by_class``: the same batches in every epoch, class after class, as code without shuffling
    #: has it that reads its images from one folder a class
    order: Literal["shuffled", "by_class"] = "shuffled"
    #: subtract the mean frame of the training clips and divide by their standard deviation
    standardise: bool = False
    #: part of the training subjects that ``inner_subjects`` holds back for selection
    inner_fraction: float = Field(default=0.2, gt=0, lt=1)


class Experiment(_Strict):
    """One published table as an experiment; see the module's docstring."""

    name: str
    paper: Paper
    table: str
    caption: str
    data: Data
    protocol: ProtocolConfig
    selection: Selection
    train: Train
    seeds: tuple[int, ...] = Field(default=(0,), min_length=1)
    rows: tuple[Row, ...] = Field(min_length=1)
    baselines: tuple[Literal["majority", "stratified", "shuffled_labels", "linear_svm"], ...] = ()
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


def parse_policies(texts: Sequence[str]) -> Policies:
    """Return the policies that ``name=value`` texts ask for.

    Raises:
        ConfigError: a text has another form, or names no policy or value.
    """
    tree: dict[str, Any] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            raise ConfigError(f"policy {text!r}: expected name=value, such as frame_order=exclude")
        tree[key.strip()] = value.strip()
    try:
        return Policies.model_validate(tree)
    except ValidationError as error:
        raise ConfigError(f"policy: {_explain(error, Policies)}") from error


def find_config(name: str) -> Path:
    """Return the file of an experiment, given as a path or as ``<method>/<table>``.

    Names are looked up in ``experiments/`` of the working folder, then of the checkout.

    Raises:
        ConfigError: no such experiment.
    """
    if Path(name).suffix in (".yaml", ".yml"):
        return Path(name)
    roots = [Path("experiments"), Path(__file__).parent.parent / "experiments"]
    for root in roots:
        file = root / f"{name}.yaml"
        if file.is_file():
            return file
    known = sorted(
        str(file.relative_to(root).with_suffix(""))
        for root in roots
        for file in root.glob("*/*.yaml")
    )
    raise ConfigError(
        f"no experiment {name!r}{did_you_mean(name, known)}; known: "
        f"{', '.join(dict.fromkeys(known)) or 'none'}"
    )


def load_config(path: Path, *, profile: str = "full", overrides: Sequence[str] = ()) -> Experiment:
    """Read a config, apply a profile and then overrides, and check the result.

    Args:
        path: a YAML file of the form of ``Experiment``, plus ``profiles``.
        profile: name of an entry of ``profiles``: a mapping of dotted keys to values.
        overrides: ``dotted.key=value`` texts; the value is read as YAML.

    Raises:
        ConfigError: the file is absent, too large, not YAML, has a key that nothing reads, a
            value of the wrong type, or no such profile.
    """
    tree = _read_yaml(path)
    profiles = tree.pop("profiles", None) or {}
    if profile not in profiles:
        raise ConfigError(
            f"{path}: no profile {profile!r}{did_you_mean(profile, profiles)}; "
            f"known: {', '.join(profiles) or 'none'}"
        )
    for key, value in (profiles[profile] or {}).items():
        _assign(tree, key, value, f"{path}: profile {profile!r}")
    for key, value in parse_overrides(overrides).items():
        _assign(tree, key, value, f"override {key!r}")
    try:
        return Experiment.model_validate(tree)
    except ValidationError as error:
        raise ConfigError(f"{path}: {_explain(error)}") from error


def parse_overrides(texts: Sequence[str]) -> dict[str, Any]:
    """Read ``dotted.key=value`` texts, the values as YAML.

    Raises:
        ConfigError: no ``=``, or a value that is not YAML.
    """
    found = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            raise ConfigError(f"override {text!r}: expected key=value, such as train.epochs=5")
        try:
            found[key.strip()] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise ConfigError(f"override {text!r}: the value is not YAML") from error
    return found


def _read_yaml(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ConfigError(f"{path}: no such config file")
    if path.stat().st_size > MAX_CONFIG_BYTES:
        raise ConfigError(f"{path}: larger than {MAX_CONFIG_BYTES:,} bytes, which no config is")
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(f"{path}: not a YAML file: {error}") from error
    if not isinstance(tree, dict):
        raise ConfigError(f"{path}: expected a mapping at the top, found {type(tree).__name__}")
    return tree


def _assign(tree: dict[str, Any], dotted: str, value: Any, where: str) -> None:
    *parents, last = dotted.split(".")
    node: Any = tree
    for part in parents:
        child = node.get(part)
        if child is None:
            child = node[part] = {}
        if not isinstance(child, Mapping):
            raise ConfigError(f"{where}: {dotted!r} goes into {part!r}, which holds a value")
        node = child
    node[last] = value


def _explain(error: ValidationError, model: type[BaseModel] = Experiment) -> str:
    lines = []
    for item in error.errors():
        place = ".".join(str(part) for part in item["loc"]) or "config"
        if item["type"] == "extra_forbidden":
            known = _fields_at(item["loc"][:-1], model)
            hint = did_you_mean(str(item["loc"][-1]), known) or f"; known: {', '.join(known)}"
            lines.append(f"{place}: unknown key{hint}")
        else:
            lines.append(f"{place}: {item['msg']} (found {item['input']!r})")
    return "; ".join(lines)


def _fields_at(location: Sequence[int | str], model: type[BaseModel]) -> list[str]:
    """Names of the fields of the model at a pydantic error location, from a model on."""
    for part in location:
        if isinstance(part, int):
            continue
        if part not in model.model_fields:
            return []
        model = _model_in(model.model_fields[part].annotation) or model
    return sorted(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in getattr(annotation, "__args__", ()):
        found = _model_in(inner)
        if found:
            return found
    return None
