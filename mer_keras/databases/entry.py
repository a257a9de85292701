"""What the suite knows of a database beside how to read it: ``readers/<database>.yaml``."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import Field

from mer_keras.config.strict import StrictModel
from mer_keras.config.validation import validated
from mer_keras.config.yaml_text import read_yaml
from mer_keras.databases.labels import LabelScheme
from mer_keras.databases.samples import Reading
from mer_keras.flow_channels import FlowOrder
from mer_keras.terms import DataKind

_READERS = Path(__file__).with_name("readers")


class Database(StrictModel):
    """A database and how to get at it.

    Attributes:
        name: key in ``registry.DATABASES``.
        title: for tables and texts.
        folders: names it may have under a data root, the preferred one first; case is ignored.
        reader: its folder -> annotations of its clips; with ``frame_sources``, (its folder, which
            of them or ``auto``) -> annotations.
        whom_to_ask: how a user gets it.
        compared_with: what of the real database the reader was compared with, and what is from
            memory.
        tree: the expected files.
        frame_sources: the kinds of frames it has (such as ``cropped`` and ``raw``), where a reader
            can be asked for one, and the folders that releases call each; the preferred one first.
        default_kind: kind of its data, unless a marker in its folder says otherwise.
        counts: clips by emotion as its owners or users print them; a difference is reported.
        subjects: people in it, likewise.
        schemes: label schemes that come with the database itself; those of papers that use it are
            in ``label_schemes.yaml``.
        fixed_folder: its folder, where it isn't looked for under the data roots.
        expressions: ``micro``, or ``macro`` for a database that is used for pretraining.
        flow_channels: what red, green and blue of its flow images are, where it has such images.
    """

    name: str
    title: str
    folders: tuple[str, ...]
    reader: Callable[..., Reading]
    whom_to_ask: str
    tree: str
    compared_with: str = ""
    frame_sources: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    default_kind: DataKind = DataKind.LICENSED
    counts: dict[str, int] = Field(default_factory=dict)
    subjects: int | None = None
    schemes: tuple[LabelScheme, ...] = ()
    fixed_folder: Path | None = None
    expressions: Literal["micro", "macro"] = "micro"
    flow_channels: FlowOrder | None = None


Entry = TypeVar("Entry", bound=Database)


def describe(name: str, reader: Callable[..., Reading], model: type[Entry]) -> Entry:
    """Return the entry that a database's file describes.

    Args:
        name: name of the database, and of its file beside the readers.
        reader: see ``Database``.
        model: ``Database``, or a kind of it that has more to say.

    Raises:
        ConfigError: the file that is shipped lacks a key, or has an unknown one.
    """
    path = _READERS / f"{name}.yaml"
    return validated(model, {"name": name, "reader": reader, **read_yaml(path)}, str(path))
