"""The official layout of a database as its stand-in needs it: its clips, its tree, its tables."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mer_keras.synthetic.synthetic_clip import SyntheticClip

#: A clip and one of its frame numbers -> the frame's file, relative to the database's root.
FramePath = Callable[[SyntheticClip, int], Path]
#: A clip and its frames, uint8 (frames, size, size).
RenderedClip = tuple[SyntheticClip, NDArray[np.uint8]]


@dataclass(frozen=True)
class Layout:
    """The official layout of one database.

    Attributes:
        name: the database's name.
        folder: name of the root folder.
        last: the file or folder that is written last: a root that has it is whole.
        draw_clips: seed -> all clips.
        frame_path: the file of a frame, among those that the database offers as faces.
        native: width and height of those frames in the real database, in pixels.
        cropped: whether those frames are cropped faces, not the camera's whole pictures.
        write_tables: (root, clips) -> annotation tables and stray files.
        camera_path: the file of the camera's own picture, if the database has such pictures. They
            are written only at native size.
        camera: width and height of the camera's pictures, in pixels.
        write_pixels: for a database whose images stand in its table: (root, rendered clips) -> the
            table. No frame files are written then.
        size: side of the square frames unless the options say another, in pixels.
        parts: layouts of other databases that are written beside this one.
    """

    name: str
    folder: str
    last: str
    draw_clips: Callable[[int], list[SyntheticClip]]
    frame_path: FramePath
    native: tuple[int, int]
    write_tables: Callable[[Path, Sequence[SyntheticClip]], None]
    cropped: bool = True
    camera_path: FramePath | None = None
    camera: tuple[int, int] | None = None
    write_pixels: Callable[[Path, Iterable[RenderedClip]], None] | None = None
    size: int = 96
    parts: tuple["Layout", ...] = ()
