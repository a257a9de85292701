"""The one reader of a stored manifest: fields, types, and what they say of one another.

A run folder may come from somebody else. What decides a run is bound by its name: the name ends
with a digest of ``identity``, ``identity`` holds the digests of config, samples and folds, and
every prediction bears the name. So a field that was changed afterwards contradicts another.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, ValidationError

from mer_keras.config.validation import explain
from mer_keras.errors import ResultsError
from mer_keras.runs.identity import run_id_of
from mer_keras.runs.json_files import Json, read_json
from mer_keras.terms import DataKind, Selection

if TYPE_CHECKING:
    from mer_keras.config.experiment import Experiment

MANIFEST = "manifest.json"

#: Most entries of a list whose entries are multiplied with one another.
MOST = 1000
#: Most classes, and most people, of whom intervals draw thousands of times.
MOST_CLASSES, MOST_PEOPLE = 100, 50_000
#: Most cells of the confusion matrices of all people.
MOST_COUNTS = 20_000_000

#: Text that stands in names of files: no separator, no control character, no hidden file.
FileName = Annotated[
    str, Field(pattern=r"^[^./\\\x00-\x1f\x7f][^/\\\x00-\x1f\x7f]*$", max_length=255)
]
#: Text that a table or a drawing shows.
ShownText = Annotated[str, Field(max_length=2000)]
ClassName = Annotated[str, Field(max_length=200)]
#: Whole numbers that every reader of JSON keeps.
Count = Annotated[int, Field(ge=0, lt=2**53)]
Kind = Annotated[DataKind, Field(strict=False)]
Choice = Annotated[Selection, Field(strict=False)]


class _Stored(BaseModel):
    """A part of a manifest; fields that nothing reads may stand in it."""

    model_config = ConfigDict(strict=True)


class _Row(_Stored):
    key: Annotated[str, Field(pattern=r"^[a-z0-9-]+$", max_length=255)]
    name: ShownText
    role: Literal["row", "baseline"]
    method: ShownText
    selection: Choice


class _Data(_Stored):
    synthetic_motion: bool


class _Protocol(_Stored):
    name: ShownText


class _Config(_Stored):
    """What is read of a config that this version may not know as a whole."""

    seeds: Annotated[list[Count], Field(min_length=1, max_length=MOST)]
    selection: Choice
    data: _Data
    protocol: _Protocol
    inputs: dict[str, dict[str, JsonValue]] = {}
    methods: dict[str, dict[str, JsonValue]] = {}
    not_inherited: list[str] = []
    train: dict[str, JsonValue]
    record_epochs: bool = False


class _Excluded(_Stored):
    reason: str


class _Stage(_Stored):
    stage: ShownText
    images: Count
    validation_images: Count
    validation_split_by: ShownText
    accuracy: Annotated[float, Field(ge=0, le=1)]


class StoredManifest(_Stored):
    """What a manifest must hold so that a run can be shown."""

    run_id: FileName
    identity: dict[str, JsonValue]
    experiment: Annotated[str, Field(pattern=r"^[\w-]+(/[\w-]+)*$", max_length=255)]
    config: _Config
    config_digest: str
    samples_digest: str
    folds_digest: str
    profile: FileName
    data_kind: Kind
    protocol: ShownText
    subject_exclusive: bool = True
    selection: Choice
    n_samples: Count
    n_subjects: Annotated[int, Field(ge=0, le=MOST_PEOPLE)]
    classes: Annotated[list[ClassName], Field(min_length=1, max_length=MOST_CLASSES)]
    class_counts: dict[str, Count]
    excluded: list[_Excluded]
    warnings: list[str]
    editions: list[str] = []
    stages: list[_Stage] = []
    rows: Annotated[list[_Row], Field(min_length=1, max_length=MOST)]
    created: Annotated[AwareDatetime, Field(strict=False)]
    versions: Annotated[dict[ShownText, ShownText], Field(max_length=MOST)]
    backend: ShownText
    device: ShownText
    git: ShownText


def read_manifest(path: Path) -> Json:
    """Read the manifest of a run folder; check its fields, and that none contradicts another.

    Raises:
        ResultsError: naming the file, the field and what is wrong with it.
    """
    file = path / MANIFEST
    manifest = read_json(file)
    try:
        StoredManifest.model_validate(manifest)
    except ValidationError as error:
        raise ResultsError(
            f"{file}: no manifest of a run: {explain(error, StoredManifest)}"
        ) from error
    problem = _contradiction(manifest)
    if problem:
        raise ResultsError(f"{file}: {problem}: the file was changed after the run")
    return manifest


def stored_config(manifest: Mapping[str, Any]) -> "Experiment | None":
    """The config that a run began with; ``None`` where this version has no such config.

    It may be of a version with other fields or other meanings, or changed after the run.
    """
    from mer_keras.config.experiment import Experiment  # Lists of runs do without it.

    try:
        config = Experiment.model_validate(manifest["config"])
    except ValidationError:
        return None
    is_same = config.digest() == manifest["config_digest"] and config.name == manifest["experiment"]
    return config if is_same else None


def _contradiction(manifest: Json) -> str:
    """Return what of a manifest contradicts something else of it, or nothing."""
    identity = manifest["identity"]
    run_id = run_id_of(manifest["experiment"], manifest["profile"], manifest["data_kind"], identity)
    if manifest["run_id"] != run_id:
        return f"run_id is {manifest['run_id']!r}, and by the other fields it is {run_id!r}"
    for field in ("config", "samples", "folds"):
        if identity.get(field) != manifest[f"{field}_digest"]:
            return f"{field}_digest is not the one in identity"
    if identity.get("profile") != manifest["profile"]:
        return f"profile is {manifest['profile']!r}, and in identity {identity.get('profile')!r}"
    selection = Selection.EXTERNAL if identity.get("weights") else manifest["config"]["selection"]
    if manifest["selection"] != selection:
        return f"selection is {manifest['selection']!r}, and by the config {str(selection)!r}"
    if len(set(manifest["classes"])) < len(manifest["classes"]):
        return "a class stands twice"
    if manifest["n_subjects"] * len(manifest["classes"]) ** 2 > MOST_COUNTS:
        return "its people's confusion matrices would have very many cells"
    if sum(manifest["class_counts"].values()) != manifest["n_samples"]:
        return f"class_counts are not of n_samples, {manifest['n_samples']}"
    keys = [row["key"] for row in manifest["rows"]]
    if len(set(keys)) < len(keys):
        return "a row's key stands twice"
    return ""
