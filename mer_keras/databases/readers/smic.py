"""SMIC-HS (Li et al., FG 2013): the part that was filmed at 100 frames a second.

164 clips of 16 subjects. The folders are the labels (negative, positive, surprise) and a clip is
all of its folder: onset and offset are its first and last frame. Nobody annotated an apex.
"""

import re
from pathlib import Path

from mer_keras.databases.entry import Database, describe
from mer_keras.databases.folders import (
    MAX_DIGITS,
    find_frames,
    images,
    incomplete,
    look_through,
    subfolders,
    wrappers,
)
from mer_keras.databases.links import require_inside
from mer_keras.databases.samples import ClipAnnotation, Reading
from mer_keras.errors import AnnotationError

NAME = "smic"
FPS = 100.0
EMOTIONS = ("negative", "positive", "surprise")

_SUBJECT = re.compile(r"s0*([0-9]{1,2})", re.IGNORECASE | re.ASCII)
_CLIP = re.compile(r"s0*([0-9]{1,2})_([a-z]+)_0*([0-9]+)", re.IGNORECASE | re.ASCII)


def read(root: Path, frame_source: str = "auto") -> Reading:
    """Find the clips' folders.

    Args:
        root: the folder that holds ``SMIC_all_cropped`` and/or ``SMIC_all_raw``.
        frame_source: ``cropped``, ``raw``, or ``auto`` for the first one that is there.

    Returns:
        One annotation a clip; names are normalised (see ``normalise_clip``). Onset and offset are
        the clip's first and last frame, the apex isn't annotated.

    Raises:
        AnnotationError: there are no such frames, or no clip among them.
    """
    frames, chosen = _find_frames(root, frame_source)
    clips, strange = [], 0
    for subject in subfolders(frames):
        if not _SUBJECT.fullmatch(subject.name):
            continue
        for emotion in subfolders(subject / "micro"):
            for clip in subfolders(emotion):
                if emotion.name.lower() not in EMOTIONS or not _CLIP.fullmatch(clip.name):
                    strange += 1
                    continue
                onset, offset = _ends(clip)
                clips.append(
                    ClipAnnotation(
                        NAME,
                        normalise_subject(subject.name),
                        normalise_clip(clip.name),
                        require_inside(clip, root, str(frames)),
                        emotion.name.lower(),
                        onset=onset,
                        offset=offset,
                        fps=FPS,
                    )
                )
    if not clips:
        raise incomplete(f"{frames}: no clip in it", DATABASE.tree)
    warnings = [f"{strange} folder(s) that are no clip of SMIC-HS are not read"] if strange else []
    edition = f"folders of {frames.parent.name}"
    return Reading(
        frames, clips, DATABASE.tree, edition=edition, frame_source=chosen, warnings=warnings
    )


def _find_frames(root: Path, frame_source: str) -> tuple[Path, str]:
    """Find the subjects' folders, and tell which frames they hold.

    Some copies have ``HS`` alone, without a folder that says which frames are in it: cropped faces
    are known by their names.
    """
    try:
        return find_frames(
            root, DATABASE.frame_sources, frame_source, DATABASE.tree, _SUBJECT.pattern
        )
    except AnnotationError:
        named = [name for names in DATABASE.frame_sources.values() for name in names]
        of_releases = {name.split("/")[0].casefold() for name in named}
        for wrapper in wrappers(root):
            if of_releases & {part.casefold() for part in wrapper.relative_to(root).parts}:
                continue
            for folder in subfolders(wrapper):
                if folder.name.casefold() == "hs":
                    frames = look_through(folder, _SUBJECT.pattern)
                    kind = "cropped" if _holds_cropped_faces(frames) else "raw"
                    if frame_source in ("auto", kind):
                        return frames, kind
        raise


def _holds_cropped_faces(frames: Path) -> bool:
    """Say by the first clip's frames whether they are cropped, as ``reg_image200010.bmp`` is."""
    for subject in subfolders(frames):
        for emotion in subfolders(subject / "micro"):
            for clip in subfolders(emotion):
                for picture in images(clip):
                    return picture.name.lower().startswith("reg")
    return False


def _ends(clip: Path) -> tuple[int, int] | tuple[None, None]:
    """Return the first and the last frame number; none for an empty folder, an error later."""
    numbers = [n for picture in images(clip) for n in re.findall(r"[0-9]+", picture.stem)[-1:]]
    if any(len(number) > MAX_DIGITS for number in numbers):
        raise AnnotationError(
            f"{clip}: a frame's number has more than {MAX_DIGITS} digits: expected the database's "
            "own names, such as reg_image200010.bmp; unpack it anew"
        )
    frames = [int(number) for number in numbers]
    return (min(frames), max(frames)) if frames else (None, None)


def normalise_subject(name: str) -> str:
    """Return ``s01`` for s1, s01 and S01: releases differ. Other names are returned as they are."""
    match = _SUBJECT.fullmatch(name.strip())
    return f"s{int(match[1]):02d}" if match else name


def normalise_clip(name: str) -> str:
    """Return ``s01_ne_01`` for s1_ne_01 and s01_ne_1. Other names are returned as they are."""
    match = _CLIP.fullmatch(name.strip())
    if not match:
        return name
    return f"s{int(match[1]):02d}_{match[2].lower()}_{int(match[3]):02d}"


DATABASE = describe(NAME, read, Database)
