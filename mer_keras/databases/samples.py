"""The samples table: one row a clip, joined everywhere by ``sample_id``."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import pandas as pd

from mer_keras.errors import AnnotationError
from mer_keras.terms import SAMPLE_COLUMNS, DataKind

#: Columns that every clip needs; the other columns are derived or have a default.
REQUIRED = ("database", "subject", "clip", "path", "emotion", "data_kind")

_DTYPES: dict[str, str] = {
    "onset": "Int64",
    "apex": "Int64",
    "offset": "Int64",
    "fps": "Float64",
    "objective_class": "Int64",
    "corrected": "bool",
}
_DEFAULTS: dict[str, str | bool | None] = {
    "onset": None,
    "apex": None,
    "offset": None,
    "fps": None,
    "label": "",
    "action_units": "",
    "objective_class": None,
    "self_report": "",
    "stimulus_emotion": "",
    "corrected": False,
}
#: Columns whose texts many rows share.
_SHARED = ("subject_id", "emotion", "data_kind")
#: These columns were added to the table later. A digest counts them only where they hold
#: something, so that it stays the same for databases that don't use them.
_LATER = ("objective_class", "self_report", "stimulus_emotion")


@dataclass(frozen=True)
class Excluded:
    """A clip that was left out, and why."""

    database: str
    clip: str
    reason: str


@dataclass(frozen=True)
class FlowImage:
    """An image of the flow of one clip, computed by the publishers of its database.

    Attributes:
        path: the file.
        channels: what red, green and blue of the file are; (u, v, strain) in some order, or other
            names where the image holds something else.
    """

    path: Path
    channels: tuple[str, str, str]


#: One for all clips without stored flow: there may be a million.
_NO_IMAGES: Mapping[str, FlowImage] = {}


@dataclass(frozen=True, slots=True)
class ClipAnnotation:
    """What a database says of one clip, before corrections and checks.

    Attributes:
        database: name of the database.
        subject: as the database writes it, normalised where releases differ.
        clip: name of the clip, unique within the subject.
        path: a folder of frames, one image, a video or a table of pixels.
        emotion: as the coders named it; ``terms.UNLABELLED`` where nobody did.
        row: number of the table's row as a spreadsheet program shows it; None without a table.
        onset: first frame number of the expression; None where it isn't annotated.
        apex: frame number of the strongest expression, likewise.
        offset: last frame number of the expression (inclusive), likewise.
        fps: frames a second.
        action_units: as the coders wrote them.
        objective_class: class by action units, 1 to 7.
        self_report: emotion that the subject reported; empty where nobody asked.
        stimulus_emotion: emotion that the film which was shown is named for; empty where unknown.
        corrected: whether a known error of the table was corrected here.
        frame_source: which frames ``path`` leads to, where it isn't the reading's ``frame_source``.
        flow_images: stored images of its flow by name, of a database that has them; a recipe that
            names none is given the first.
    """

    database: str
    subject: str
    clip: str
    path: Path
    emotion: str
    row: int | None = None
    onset: int | None = None
    apex: int | None = None
    offset: int | None = None
    fps: float | None = None
    action_units: str = ""
    objective_class: int | None = None
    self_report: str = ""
    stimulus_emotion: str = ""
    corrected: bool = False
    frame_source: str | None = None
    flow_images: Mapping[str, FlowImage] = field(default_factory=lambda: _NO_IMAGES, hash=False)

    def sample(self, data_kind: DataKind) -> dict[str, object]:
        """Return the clip's columns of the samples table."""
        columns = {name: getattr(self, name) for name in _ANNOTATED}
        return {**columns, "data_kind": data_kind}

    @property
    def sample_id(self) -> str:
        """Id of the clip in the samples table."""
        return f"{self.database}/{self.subject}/{self.clip}"

    def left_out(self, reason: str) -> Excluded:
        """Return the entry of this clip in the list of excluded ones."""
        return Excluded(self.database, f"{self.subject}/{self.clip}", reason)


#: Columns of the samples table that an annotation has a value for.
_ANNOTATED = tuple(
    column.name for column in fields(ClipAnnotation) if column.name in SAMPLE_COLUMNS
)


@dataclass(frozen=True)
class Reading:
    """What a reader returns of a database's folder, before corrections and checks.

    Attributes:
        source: the annotation table (the root where folders are the annotation), for errors.
        clips: one annotation a clip.
        tree: the expected files, for errors.
        edition: which of the known releases was read: the table's name.
        frame_source: which of the database's frames the paths lead to: ``raw``, ``cropped`` or
            ``any``.
        warnings: what was accepted but deserves a line in the report.
        excluded: rows that are no samples, each with its reason.
    """

    source: Path
    clips: list[ClipAnnotation]
    tree: str
    edition: str = ""
    frame_source: str = "any"
    warnings: list[str] = field(default_factory=list)
    excluded: list[Excluded] = field(default_factory=list)


@dataclass(frozen=True)
class Samples:
    """A validated samples table with what was left out and what the user should know.

    Attributes:
        table: one row a clip, columns ``terms.SAMPLE_COLUMNS``, sorted by ``sample_id``.
        excluded: rows of the annotation that are not in ``table``, each with its reason.
        warnings: what was accepted but deserves a line in the report.
        editions: which release of each database was read.
        flow_images: stored images of each clip's flow, by sample id and name of the image.
    """

    table: pd.DataFrame
    excluded: tuple[Excluded, ...] = ()
    warnings: tuple[str, ...] = ()
    editions: tuple[str, ...] = ()
    flow_images: Mapping[str, Mapping[str, FlowImage]] = field(default_factory=dict)

    @property
    def ids(self) -> list[str]:
        """All sample ids, in table order."""
        return list(self.table["sample_id"])

    @property
    def data_kind(self) -> DataKind:
        """The one kind of data in the table; own clips pooled with licensed ones are own data.

        Raises:
            AnnotationError: the table is empty or mixes kinds, which no number may.
        """
        kinds = sorted(self.table["data_kind"].unique())
        if kinds == [DataKind.LICENSED, DataKind.OWN]:
            return DataKind.OWN
        if len(kinds) != 1:
            raise AnnotationError(
                f"a samples table must hold one kind of data, found {kinds or 'no samples'}: "
                "load each database from one root"
            )
        return DataKind(kinds[0])

    def class_counts(self) -> dict[str, int]:
        """Clips per label, in order of the label's name."""
        return {str(k): int(v) for k, v in self.table["label"].value_counts().sort_index().items()}

    def digest(self) -> str:
        """Digest of everything that a result depends on; paths are left out.

        Two copies of one database in different folders have the same digest.
        """
        unused = {c for c in _LATER if is_empty(self.table[c]).all()}
        columns = [c for c in SAMPLE_COLUMNS if c != "path" and c not in unused]
        text = self.table[columns].to_csv(index=False, lineterminator="\n")
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def make_samples(
    rows: Iterable[Mapping[str, object]],
    *,
    source: str,
    excluded: Sequence[Excluded] = (),
    warnings: Sequence[str] = (),
) -> Samples:
    """Build and check a samples table.

    Args:
        rows: one mapping a clip with the keys of ``REQUIRED`` and any of ``terms.SAMPLE_COLUMNS``.
            ``sample_id`` and ``subject_id`` are derived; ``label`` is empty until a label
            scheme is applied; frame numbers are inclusive.
        source: the file that the clips come from, named in errors.
        excluded: clips that the reader left out.
        warnings: what the reader accepted with a remark.

    Raises:
        AnnotationError: no rows, a key missing or unknown, a duplicate clip, or frame numbers
            out of order.
    """
    # A column at a time takes a tenth of the memory of a mapping a row, and a text that many rows
    # share is one object.
    columns: dict[str, list[Any]] = {name: [] for name in SAMPLE_COLUMNS}
    shared: dict[str, str] = {}
    for row in rows:
        complete = _complete(row, source)
        for name in _SHARED:
            complete[name] = shared.setdefault(complete[name], complete[name])
        for name, cells in columns.items():
            cells.append(complete[name])
    if not columns["sample_id"]:
        raise AnnotationError(f"{source}: no clip is left: expected at least one annotated row")
    # The lists are sorted, since sorting the table would copy all of it.
    ids = columns["sample_id"]
    order = sorted(range(len(ids)), key=ids.__getitem__)
    table = pd.DataFrame(
        {name: _column(name, columns.pop(name), order) for name in SAMPLE_COLUMNS}, copy=False
    )
    validate(table, source)
    return Samples(table, tuple(excluded), tuple(warnings))


def pool(parts: Sequence[Samples]) -> Samples:
    """Put the samples of several databases into one table.

    Subjects stay apart even where two databases write them alike: ``subject_id`` names both.

    Raises:
        AnnotationError: the parts are of different kinds of data, or share a clip.
    """
    if len(parts) == 1:
        return parts[0]
    table = pd.concat([part.table for part in parts], ignore_index=True)
    table = table.sort_values("sample_id", kind="stable").reset_index(drop=True)
    validate(table, "pooled databases")
    pooled = Samples(
        table,
        tuple(item for part in parts for item in part.excluded),
        tuple(line for part in parts for line in part.warnings),
        tuple(edition for part in parts for edition in part.editions),
        {sample_id: images for part in parts for sample_id, images in part.flow_images.items()},
    )
    _ = pooled.data_kind  # It raises where kinds are mixed.
    return pooled


def is_empty(column: pd.Series) -> pd.Series:
    """Say for each cell of a column whether it holds nothing: no number, or no text."""
    return column.isna() | column.astype(str).eq("")


def validate(table: pd.DataFrame, source: str) -> None:
    """Check the contract of the samples table.

    Raises:
        AnnotationError: naming the offending clip, with what was expected.
    """
    missing = [c for c in SAMPLE_COLUMNS if c not in table.columns]
    if missing:
        raise AnnotationError(f"{source}: the samples table lacks the column(s) {missing}")
    repeated = table.loc[table["sample_id"].duplicated(), "sample_id"]
    if len(repeated):
        raise AnnotationError(
            f"{source}: two rows for clip {repeated.iloc[0]!r}: each (subject, clip) may stand "
            "once; remove one of the rows"
        )
    for earlier, later in (("onset", "apex"), ("apex", "offset"), ("onset", "offset")):
        disordered = table[(table[earlier] > table[later]).fillna(False).astype(bool)]
        if len(disordered):
            row = disordered.iloc[0]
            raise AnnotationError(
                f"{source}: clip {row['sample_id']!r} has {earlier} {row[earlier]} after "
                f"{later} {row[later]}: expected onset <= apex <= offset; correct the table"
            )


def _column(name: str, cells: list[Any], order: Sequence[int]) -> pd.Series:
    """Return a column of the samples table in its type, its cells in an order."""
    return pd.Series([cells[number] for number in order], dtype=_DTYPES.get(name))


def _complete(row: Mapping[str, object], source: str) -> dict[str, Any]:
    """Return a row with all columns; the names that make up its id are checked."""
    absent = [key for key in REQUIRED if row.get(key) in (None, "")]
    if absent:
        raise AnnotationError(f"{source}: row {row.get('clip', row)!r} has no {', '.join(absent)}")
    unknown = sorted(set(row) - set(SAMPLE_COLUMNS))
    if unknown:
        raise AnnotationError(f"{source}: unknown column(s) {unknown} in a reader's row")
    for key in ("database", "subject", "clip", "path"):
        try:
            str(row[key]).encode()
        except UnicodeEncodeError as error:
            raise AnnotationError(
                f"{source}: the {key} {str(row[key])!r} is a name on disk that isn't UTF-8, in "
                "which results are kept: rename the file or folder (convmv does whole trees)"
            ) from error
    for key in ("database", "subject", "clip"):
        if "/" in str(row[key]):
            raise AnnotationError(f"{source}: {key} {row[key]!r} must not contain '/'")
    subject_id = f"{row['database']}/{row['subject']}"
    return {
        **_DEFAULTS,
        **row,
        "emotion": str(row["emotion"]).strip().lower(),
        "path": str(row["path"]),
        "subject_id": subject_id,
        "sample_id": f"{subject_id}/{row['clip']}",
        "data_kind": str(DataKind(str(row["data_kind"]))),
    }
