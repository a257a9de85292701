"""Synthetic databases: procedural clips in the official layouts, with the official counts.

A reader can't tell one from a real database, on purpose. Only the file ``SYNTHETIC.json`` in its
root says it, and gives its data their kind. It is written first, so that no kill leaves synthetic
frames without it.
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
from mer_keras.synthetic.layout import FramePath, Layout
from mer_keras.synthetic.plans import ClipPlan

#: Part of the cache folder's name: raise it whenever the same seed gives other files.
GENERATOR_VERSION = 2
#: Marks a root as synthetic.
MARKER = "SYNTHETIC.json"


_JPEG_QUALITY = 95
_ABANDONED_AFTER_S = 24 * 3600.0
#: Height of the drawn picture in a camera's frame, in which a head and shoulders are seen.
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
class Film:
    """How clips are filmed.

    Attributes:
        seed: of everything drawn. The same seed gives the same bytes.
        signal: without it, nobody's face moves by action units; all else stays the same.
        size: side of the square frames in pixels; None: the layout's own.
        native: the database's true sizes instead, and its camera's pictures too.
        clips: only so many of the clips, evenly spaced over the table (to try something out); each
            has the same frames as in the whole database.
    """

    seed: int = 0
    signal: bool = True
    size: int | None = None
    native: bool = False
    clips: int | None = None

    def key(self, layout: Layout) -> str:
        """Name of the cache folder of a database filmed in this way."""
        size = "native" if self.native else f"{self.size or layout.size}px"
        parts = [
            layout.name,
            f"v{GENERATOR_VERSION}",
            f"seed{self.seed}",
            size,
            "signal" if self.signal else "nosignal",
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
    name: str, root: Path, film: Film | None = None, progress: CountProgress | None = None
) -> None:
    """Write a synthetic database.

    Args:
        name: a key of ``LAYOUTS``.
        root: a folder that is empty or doesn't exist yet. The parts of a composite database are
            written beside it.
        film: how it is filmed.
        progress: called with (clips done, clips in all).

    Raises:
        UserError: there is no writer for ``name``, or ``root`` holds something.
    """
    layout, film = get_layout(name), film or Film()
    clips: list[ClipPlan] = []
    for part in layout.parts or (layout,):
        chosen = _choose(part.plan(film.seed), film.clips)
        if layout.parts:
            write(part.name, root.parent / part.folder, film, progress)
        clips += chosen
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise UserError(
            f"{root} is not an empty folder: a synthetic database is only written to a new place"
        )
    root.mkdir(parents=True, exist_ok=True)
    marker = {
        "database": name,
        "generator_version": GENERATOR_VERSION,
        "seed": film.seed,
        "signal": film.signal,
        "size": "native" if film.native else film.size or layout.size,
        "clips": len(clips),
        "note": "Procedural drawings that resemble nobody: a check of the pipeline, not data.",
    }
    (root / MARKER).write_text(json.dumps(marker, indent=2) + "\n", encoding="utf-8")
    if layout.write_pixels is not None:
        layout.write_pixels(root, _filmed(layout, clips, film, progress))
    elif not layout.parts:
        for _ in _filmed(layout, clips, film, progress, root):
            pass
    layout.write_tables(root, clips)


def ensure(name: str, film: Film | None = None, progress: CountProgress | None = None) -> Path:
    """Return the root of a synthetic database in the cache, writing it if it isn't there.

    It is written beside its place and renamed, so a folder in place is whole. Two processes may
    ask at once: both write, the first one's stays.

    Args:
        name: a key of ``LAYOUTS``.
        film: how it is filmed.
        progress: as for ``write``; not called if nothing is to be written.

    Raises:
        UserError: there is no writer for ``name``.
    """
    layout, film = get_layout(name), film or Film()
    base = settings.cache_root() / "synthetic"
    place = base / film.key(layout)
    if (place / layout.folder / layout.last).exists():
        return place / layout.folder
    base.mkdir(parents=True, exist_ok=True)
    _sweep(base)
    draft = Path(mkdtemp(prefix=f".{place.name}.", dir=base))
    try:
        made = draft / place.name  # mkdtemp's own folder is private: what is moved should not be
        write(name, made / layout.folder, film, progress)
        if place.exists() and not (place / layout.folder / layout.last).exists():
            place.rename(draft / "damaged")  # somebody took files out of it
        try:
            made.rename(place)
        except OSError:
            if not (place / layout.folder / layout.last).exists():
                raise
            # another process was faster, with the same bytes
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return place / layout.folder


def _sweep(base: Path) -> None:
    """Remove drafts that a killed process left behind."""
    for draft in base.glob(".*"):
        if draft.is_dir() and time.time() - draft.stat().st_mtime > _ABANDONED_AFTER_S:
            shutil.rmtree(draft, ignore_errors=True)


def _choose(every: Sequence[ClipPlan], clips: int | None) -> list[ClipPlan]:
    if clips is None:
        return list(every)
    if not 1 <= clips <= len(every):
        raise UserError(f"clips={clips}: expected 1 to {len(every)}, or None for all")
    return [every[k * len(every) // clips] for k in range(clips)]


def _filmed(
    layout: Layout,
    clips: Sequence[ClipPlan],
    film: Film,
    progress: CountProgress | None,
    root: Path | None = None,
) -> Iterator[tuple[ClipPlan, np.ndarray]]:
    """Film all clips on all cores, and write their frames where a root is given.

    Yields:
        Plan and frames (frames, size, size), in the order of ``clips`` if nothing is written, else
        as they are done. The bytes don't depend on the number of cores.
    """
    # threads do: drawing, warping and encoding release the interpreter's lock, and unlike processes
    # they need no guarded main module and can't inherit a half-initialised TensorFlow
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        jobs = [pool.submit(_film_clip, layout, plan, film, root) for plan in clips]
        try:
            for done, job in enumerate(jobs if root is None else as_completed(jobs), start=1):
                yield job.result()
                if progress is not None:
                    progress(done, len(jobs))
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _film_clip(
    layout: Layout, plan: ClipPlan, film: Film, root: Path | None
) -> tuple[ClipPlan, np.ndarray]:
    # imported here: whoever only asks where a database is needs no OpenCV
    from mer_keras.synthetic.faces import Identity, render_clip

    # two databases have different people, and nothing here depends on the order of the clips
    world = [film.seed, *layout.name.encode()]
    frames = render_clip(
        Identity.draw(np.random.default_rng([*world, 0, plan.person])),
        plan.units,
        onset=plan.onset,
        apex=plan.apex,
        offset=plan.offset,
        rng=np.random.default_rng([*world, 1, plan.index]),
        first=plan.filmed.start,
        last=plan.filmed.stop - 1,
        size=_drawn_size(layout, film),
        peak=plan.peak,
        signal=film.signal,
    )
    if root is None:
        return plan, frames
    if not film.native:
        _save(root, plan, frames, layout.frame_path)
    elif not layout.cropped:
        _save(root, plan, _on_camera(frames, layout.native, plan.person), layout.frame_path)
    else:
        _save(root, plan, _resized(frames, layout.native), layout.frame_path)
        if layout.camera_path is not None and layout.camera is not None:
            _save(root, plan, _on_camera(frames, layout.camera, plan.person), layout.camera_path)
    return plan, frames[:0]  # many clips are in flight: what is written is not kept


def _drawn_size(layout: Layout, film: Film) -> int:
    if not film.native:
        return film.size or layout.size
    camera = layout.camera if layout.cropped else layout.native
    return round(_SHARE_OF_CAMERA * camera[1]) if camera else max(layout.native)


def _save(root: Path, plan: ClipPlan, frames: np.ndarray, path_of: FramePath) -> None:
    import cv2

    for number, frame in zip(plan.filmed, frames, strict=True):
        path = root / path_of(plan, number)
        path.parent.mkdir(parents=True, exist_ok=True)
        quality = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY] if path.suffix == ".jpg" else []
        encoded, data = cv2.imencode(path.suffix, frame, quality)
        if not encoded:
            raise FrameError(f"OpenCV can't encode frame {number} of {plan.clip} as {path.suffix}")
        path.write_bytes(data.tobytes())


def _resized(frames: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    import cv2

    return np.stack([cv2.resize(f, size, interpolation=cv2.INTER_AREA) for f in frames])


def _on_camera(frames: np.ndarray, camera: tuple[int, int], person: int) -> np.ndarray:
    """Set the drawn picture into a softly lit wall; each person sits a little elsewhere."""
    width, height = camera
    side = frames.shape[1]
    rng = np.random.default_rng([person, width, height])
    left = int((width - side) * rng.uniform(0.35, 0.65))
    top = int((height - side) * rng.uniform(0.35, 0.65))
    wall = 110 + 30 * np.linspace(0, 1, width)[None, :] + 10 * np.linspace(1, 0, height)[:, None]
    pictures = np.repeat(wall.astype(np.uint8)[None], len(frames), axis=0)
    pictures[:, top : top + side, left : left + side] = frames
    return pictures
