"""What a writer of a synthetic database has to say: its plan, its tree, its tables."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mer_keras.synthetic.plans import ClipPlan

#: a plan's clip and one of its frame numbers -> the frame's place below the database's root
FramePath = Callable[[ClipPlan, int], Path]


@dataclass(frozen=True)
class Layout:
    """The official layout of one database.

    Attributes:
        name: key in ``databases.DATABASES``.
        folder: name of the root folder.
        last: the file or folder that is written last: a root that has it is whole.
        plan: seed -> all clips.
        frame_path: where a frame goes, of the tree that the database offers as faces.
        native: width and height of those frames in the real database.
        cropped: whether those frames are cropped faces, not the camera's whole pictures.
        write_tables: (root, plans) -> annotation tables and stray files.
        camera_path: where the camera's own picture goes, if the database has such a tree. Written
            only at native size.
        camera: width and height of the camera's pictures.
        write_pixels: for a database whose images stand in its table: (root, pairs of plan and
            pictures (frames, size, size)) -> the table. No frame files are written then.
        size: side of the square frames unless asked otherwise, in pixels.
        parts: layouts of other databases that are written beside this one.
    """

    name: str
    folder: str
    last: str
    plan: Callable[[int], list[ClipPlan]]
    frame_path: FramePath
    native: tuple[int, int]
    write_tables: Callable[[Path, Sequence[ClipPlan]], None]
    cropped: bool = True
    camera_path: FramePath | None = None
    camera: tuple[int, int] | None = None
    write_pixels: Callable[[Path, Iterable[tuple[ClipPlan, np.ndarray]]], None] | None = None
    size: int = 96
    parts: tuple["Layout", ...] = ()
