"""Synthetic databases: procedural clips in the official layouts, with the official counts.

A reader can't tell one from a real database, on purpose. Only the marker file in its root
(``terms.SYNTHETIC_MARKER``) says it, and gives its data their kind. It is written first, so that no
kill leaves synthetic frames without it.
"""

import json
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
from numpy.typing import NDArray

from mer_keras import settings
from mer_keras.errors import FrameError, UserError, did_you_mean
from mer_keras.progress import CountProgress
from mer_keras.synthetic import (
    cas_me2,
    casme,
    casme2,
    megc2019,
    mmew,
    samm,
    sequences,
    smic,
    stills,
)
from mer_keras.synthetic.layout import FramePath, Layout, RenderedClip
from mer_keras.synthetic.synthetic_clip import SyntheticClip, evenly_spaced
from mer_keras.terms import SYNTHETIC_MARKER

#: Part of the cache folder's name: raise it whenever the same seed gives other files.
GENERATOR_VERSION = 2

_JPEG_QUALITY = 95
_ABANDONED_AFTER_S = 24 * 3600.0
#: Height of the rendered picture, which shows head and shoulders, as a share of a camera's frame.
_SHARE_OF_CAMERA = 0.66

#: Database -> its layout.
LAYOUTS: dict[str, Layout] = {
    layout.name: layout
    for layout in (
        samm.LAYOUT,
        casme.LAYOUT,
        casme2.LAYOUT,
        cas_me2.LAYOUT,
        smic.LAYOUT,
        mmew.LAYOUT,
        megc2019.LAYOUT,
        *sequences.LAYOUTS,
        *stills.LAYOUTS,
    )
}


@dataclass(frozen=True)
class StandInOptions:
    """How the clips of a stand-in are rendered, and how many.

    Attributes:
        seed: seeds everything that is drawn. The same seed gives the same bytes.
        motion: without it, nobody's face moves by action units; all else stays the same.
        size: side of the square frames in pixels; None: the layout's own.
        native: whether frames have the database's true size instead, with its camera's pictures.
        clips: only so many of the clips, evenly spaced over the table (to try something out); each
            has the same frames as in the whole database.
    """

    seed: int = 0
    motion: bool = True
    size: int | None = None
    native: bool = False
    clips: int | None = None

    def key(self, layout: Layout) -> str:
        """Return the name of the cache folder of a database that is rendered in this way."""
        parts = [
            layout.name,
            f"v{GENERATOR_VERSION}",
            f"seed{self.seed}",
            "native" if self.native else f"{self.size or layout.size}px",
            "signal" if self.motion else "nosignal",
        ]
        return "-".join(parts + ([] if self.clips is None else [f"{self.clips}clips"]))


def get_layout(name: str) -> Layout:
    """Return the layout of a database.

    Raises:
        UserError: there is no synthetic stand-in for it.
    """
    if name not in LAYOUTS:
        raise UserError(
            f"no synthetic stand-in for database {name!r}{did_you_mean(name, LAYOUTS)}: "
            f"there is one for {', '.join(sorted(LAYOUTS))}"
        )
    return LAYOUTS[name]


def write(
    name: str,
    root: Path,
    options: StandInOptions | None = None,
    progress: CountProgress | None = None,
) -> None:
    """Write a synthetic database.

    Args:
        name: a key of ``LAYOUTS``.
        root: a folder that is empty or doesn't exist yet. The parts of a composite database are
            written beside it.
        options: how its clips are rendered.
        progress: called with (clips done, clips in all).

    Raises:
        UserError: there is no writer for ``name``, or ``root`` holds something.
    """
    layout, options = get_layout(name), options or StandInOptions()
    clips: list[SyntheticClip] = []
    for part in layout.parts or (layout,):
        chosen = _choose(part.draw_clips(options.seed), options.clips)
        if layout.parts:
            write(part.name, root.parent / part.folder, options, progress)
        clips += chosen
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise UserError(
            f"{root} is not an empty folder: a synthetic database is only written to a new place"
        )
    root.mkdir(parents=True, exist_ok=True)
    marker = {
        "database": name,
        "generator_version": GENERATOR_VERSION,
        "seed": options.seed,
        "signal": options.motion,
        "size": "native" if options.native else options.size or layout.size,
        "clips": len(clips),
        "note": "Procedural drawings that resemble nobody: a check of the pipeline, not data.",
    }
    (root / SYNTHETIC_MARKER).write_text(json.dumps(marker, indent=2) + "\n", encoding="utf-8")
    if layout.write_pixels is not None:
        layout.write_pixels(root, _rendered_clips(layout, clips, options, progress))
    elif not layout.parts:
        for _ in _rendered_clips(layout, clips, options, progress, root):
            pass
    layout.write_tables(root, clips)


def ensure(
    name: str, options: StandInOptions | None = None, progress: CountProgress | None = None
) -> Path:
    """Return the root of a synthetic database in the cache, writing it if it isn't there.

    It is written beside its final folder and renamed, so that this folder is always whole. Two
    processes may ask at once: both write, the first one's stays.

    Args:
        name: a key of ``LAYOUTS``.
        options: how its clips are rendered.
        progress: as for ``write``; not called if nothing is to be written.

    Raises:
        UserError: there is no writer for ``name``.
    """
    layout, options = get_layout(name), options or StandInOptions()
    cache = settings.cache_root() / "synthetic"
    folder = cache / options.key(layout)
    root = folder / layout.folder
    if (root / layout.last).exists():
        return root
    cache.mkdir(parents=True, exist_ok=True)
    _sweep(cache)
    draft = Path(mkdtemp(prefix=f".{folder.name}.", dir=cache))
    try:
        # The folder that mkdtemp makes is private, so it is one within it that is moved.
        written = draft / folder.name
        write(name, written / layout.folder, options, progress)
        if folder.exists() and not (root / layout.last).exists():
            folder.rename(draft / "damaged")  # Somebody took files out of it.
        try:
            written.rename(folder)
        except OSError:
            # Another process may have been faster, with the same bytes.
            if not (root / layout.last).exists():
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return root


def _sweep(cache: Path) -> None:
    """Remove drafts that a killed process left behind."""
    for draft in cache.glob(".*"):
        if draft.is_dir() and time.time() - draft.stat().st_mtime > _ABANDONED_AFTER_S:
            shutil.rmtree(draft, ignore_errors=True)


def _choose(clips: Sequence[SyntheticClip], count: int | None) -> list[SyntheticClip]:
    """Return so many of the clips, evenly spaced."""
    if count is None:
        return list(clips)
    if not 1 <= count <= len(clips):
        raise UserError(f"clips={count}: expected 1 to {len(clips)}, or None for all")
    return evenly_spaced(clips, count)


def _rendered_clips(
    layout: Layout,
    clips: Sequence[SyntheticClip],
    options: StandInOptions,
    progress: CountProgress | None,
    root: Path | None = None,
) -> Iterator[RenderedClip]:
    """Render all clips on all cores, and write their frames where a root is given.

    Yields:
        Clip and frames (frames, size, size), in the order of ``clips`` if nothing is written, else
        as they are done. The bytes don't depend on the number of cores.
    """
    # Threads suffice: drawing, warping and encoding release the interpreter's lock. Unlike
    # processes they need no guarded main module and can't inherit a half-initialised TensorFlow.
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        jobs = [pool.submit(_render_clip, layout, clip, options, root) for clip in clips]
        try:
            for done, job in enumerate(jobs if root is None else as_completed(jobs), start=1):
                yield job.result()
                if progress is not None:
                    progress(done, len(jobs))
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _render_clip(
    layout: Layout, clip: SyntheticClip, options: StandInOptions, root: Path | None
) -> RenderedClip:
    """Render one clip; its frames are returned, or written below the root."""
    # OpenCV is imported here, since somebody who only asks where a database is needs none.
    from mer_keras.synthetic.face_traits import FaceTraits
    from mer_keras.synthetic.faces import render_clip

    # Two databases have different people, and nothing here depends on the order of the clips.
    seeds = [options.seed, *layout.name.encode()]
    frames = render_clip(
        FaceTraits.draw(np.random.default_rng([*seeds, 0, clip.person])),
        clip.action_units,
        onset=clip.onset,
        apex=clip.apex,
        offset=clip.offset,
        rng=np.random.default_rng([*seeds, 1, clip.index]),
        first=clip.frame_numbers.start,
        last=clip.frame_numbers.stop - 1,
        size=_rendered_size(layout, options),
        peak=clip.peak,
        motion=options.motion,
    )
    if root is None:
        return clip, frames
    if not options.native:
        _save(root, clip, frames, layout.frame_path)
    elif not layout.cropped:
        _save(root, clip, _on_camera(frames, layout.native, clip.person), layout.frame_path)
    else:
        _save(root, clip, _resized(frames, layout.native), layout.frame_path)
        if layout.camera_path is not None and layout.camera is not None:
            _save(root, clip, _on_camera(frames, layout.camera, clip.person), layout.camera_path)
    return clip, frames[:0]  # Written frames are dropped, since many clips are under way at once.


def _rendered_size(layout: Layout, options: StandInOptions) -> int:
    if not options.native:
        return options.size or layout.size
    camera = layout.camera if layout.cropped else layout.native
    return round(_SHARE_OF_CAMERA * camera[1]) if camera else max(layout.native)


def _save(root: Path, clip: SyntheticClip, frames: NDArray[np.uint8], path_of: FramePath) -> None:
    import cv2

    for number, frame in zip(clip.frame_numbers, frames, strict=True):
        path = root / path_of(clip, number)
        path.parent.mkdir(parents=True, exist_ok=True)
        quality = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY] if path.suffix == ".jpg" else []
        encoded, data = cv2.imencode(path.suffix, frame, quality)
        if not encoded:
            raise FrameError(f"OpenCV can't encode frame {number} of {clip.name} as {path.suffix}")
        path.write_bytes(data.tobytes())


def _resized(frames: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    import cv2

    # (frames, height, width)
    return np.stack([cv2.resize(f, size, interpolation=cv2.INTER_AREA) for f in frames])


def _on_camera(
    frames: NDArray[np.uint8], camera: tuple[int, int], person: int
) -> NDArray[np.uint8]:
    """Set the rendered picture into a softly lit wall; each person sits a little elsewhere."""
    width, height = camera
    side = frames.shape[1]
    rng = np.random.default_rng([person, width, height])
    left = int((width - side) * rng.uniform(0.35, 0.65))
    top = int((height - side) * rng.uniform(0.35, 0.65))
    wall = 110 + 30 * np.linspace(0, 1, width)[None, :] + 10 * np.linspace(1, 0, height)[:, None]
    pictures = np.repeat(wall.astype(np.uint8)[None], len(frames), axis=0)  # (frames, h, w)
    pictures[:, top : top + side, left : left + side] = frames
    return pictures
