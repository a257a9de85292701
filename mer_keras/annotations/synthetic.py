"""Synthetic databases: procedural clips in the official layouts, with the official counts.

A reader can't tell one from a real database, on purpose, except by the file ``SYNTHETIC.json`` in
its root, which every reader must look for. It is written first, so that no kill leaves synthetic
frames without it.
"""

import json
import os
import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from tempfile import mkdtemp
from typing import Protocol

import numpy as np

from mer_keras import settings
from mer_keras.annotations import synthetic_plans as plans
from mer_keras.annotations.synthetic_plans import ClipPlan
from mer_keras.annotations.synthetic_workbooks import (
    MMEW_WORKBOOK,
    SAMM_WORKBOOK,
    write_mmew_workbook,
    write_samm_workbook,
)
from mer_keras.errors import FrameError, UserError, did_you_mean

#: Part of the cache folder's name: raise it whenever the same seed gives other files.
GENERATOR_VERSION = 1
#: Marks a root as synthetic.
MARKER = "SYNTHETIC.json"

Progress = Callable[[int, int], None]
FramePath = Callable[[ClipPlan, int], Path]

_JPEG_QUALITY = 95
_ABANDONED_AFTER_S = 24 * 3600.0


class Writer(Protocol):
    """What the two writers have in common."""

    def __call__(
        self,
        root: Path,
        *,
        seed: int = 0,
        signal: bool = True,
        size: int = 96,
        progress: Progress | None = None,
        clips: int | None = None,
    ) -> None:
        """Write a database under ``root``."""


def write_samm(
    root: Path,
    *,
    seed: int = 0,
    signal: bool = True,
    size: int = 96,
    progress: Progress | None = None,
    clips: int | None = None,
) -> None:
    """Write a synthetic SAMM: 159 clips of 29 subjects at 200 frames a second.

    Args:
        root: a folder that is empty or doesn't exist yet.
        seed: of everything drawn. The same seed gives the same bytes.
        signal: without it, nobody's face moves by action units; all else stays the same.
        size: side of the square frames in pixels.
        progress: called with (clips done, clips in all).
        clips: only so many of the clips, evenly spaced over the table (to try something out);
            each has the same frames as in the whole database.

    Raises:
        UserError: ``root`` holds something.
    """

    def frame_path(plan: ClipPlan, frame: int) -> Path:
        return Path(plan.subject, plan.clip, f"{plan.subject}_{frame:0{plan.digits}d}.jpg")

    chosen = _choose(plans.plan_samm(seed), clips)
    _write_frames(root, "samm", chosen, frame_path, seed, signal, size, progress)
    write_samm_workbook(root / SAMM_WORKBOOK, chosen)


def write_mmew(
    root: Path,
    *,
    seed: int = 0,
    signal: bool = True,
    size: int = 96,
    progress: Progress | None = None,
    clips: int | None = None,
) -> None:
    """Write a synthetic MMEW: 300 clips of 36 subjects at 90 frames a second.

    Args and errors are those of ``write_samm``.
    """

    def frame_path(plan: ClipPlan, frame: int) -> Path:
        return Path("Micro_Expression", plan.emotion, plan.clip, f"{frame}.jpg")

    chosen = _choose(plans.plan_mmew(seed), clips)
    _write_frames(root, "mmew", chosen, frame_path, seed, signal, size, progress)
    write_mmew_workbook(root / MMEW_WORKBOOK, chosen)


#: Database -> its writer.
WRITERS: dict[str, Writer] = {"samm": write_samm, "mmew": write_mmew}
#: Database -> name of its root folder, and the file that is written last.
_ROOTS = {"samm": ("SAMM", SAMM_WORKBOOK), "mmew": ("MMEW", MMEW_WORKBOOK)}


def ensure(
    name: str,
    *,
    signal: bool = True,
    seed: int = 0,
    size: int = 96,
    progress: Progress | None = None,
    clips: int | None = None,
) -> Path:
    """Return the root of a synthetic database in the cache, writing it if it isn't there.

    It is written beside its place and renamed, so a folder in place is whole. Two processes may
    ask at once: both write, the first one's stays.

    Args:
        name: a key of ``WRITERS``.
        signal: see ``write_samm``, as the other arguments.
        seed: see there.
        size: see there.
        progress: see there; not called if nothing is to be written.
        clips: see there.

    Raises:
        UserError: there is no writer for ``name``.
    """
    if name not in WRITERS:
        raise UserError(
            f"no synthetic stand-in for database {name!r}{did_you_mean(name, WRITERS)}: "
            f"there is one for {', '.join(sorted(WRITERS))}"
        )
    base = settings.cache_root() / "synthetic"
    key = f"{name}-v{GENERATOR_VERSION}-seed{seed}-{size}px-{'signal' if signal else 'nosignal'}"
    place = base / (key if clips is None else f"{key}-{clips}clips")
    folder, last = _ROOTS[name]
    if (place / folder / last).is_file():
        return place / folder
    base.mkdir(parents=True, exist_ok=True)
    _sweep(base)
    draft = Path(mkdtemp(prefix=f".{place.name}.", dir=base))
    try:
        made = draft / place.name  # mkdtemp's own folder is private: what is moved should not be
        WRITERS[name](
            made / folder, seed=seed, signal=signal, size=size, progress=progress, clips=clips
        )
        if place.exists() and not (place / folder / last).is_file():
            place.rename(draft / "damaged")  # somebody took files out of it
        try:
            made.rename(place)
        except OSError:
            if not (place / folder / last).is_file():
                raise
            # another process was faster, with the same bytes
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return place / folder


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


def _write_frames(
    root: Path,
    name: str,
    chosen: Sequence[ClipPlan],
    frame_path: FramePath,
    seed: int,
    signal: bool,
    size: int,
    progress: Progress | None,
) -> None:
    """Film all clips, on all cores; the bytes don't depend on how many there are."""
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise UserError(
            f"{root} is not an empty folder: a synthetic database is only written to a new place"
        )
    root.mkdir(parents=True, exist_ok=True)
    marker = {
        "database": name,
        "generator_version": GENERATOR_VERSION,
        "seed": seed,
        "signal": signal,
        "size": size,
        "clips": len(chosen),
        "note": "Procedural drawings that resemble nobody: a check of the pipeline, not data.",
    }
    (root / MARKER).write_text(json.dumps(marker, indent=2) + "\n", encoding="utf-8")
    # threads do: drawing, warping and encoding release the interpreter's lock, and unlike processes
    # they need no guarded main module and can't inherit a half-initialised TensorFlow
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        jobs = [
            pool.submit(_write_clip, root, name, plan, frame_path, seed, signal, size)
            for plan in chosen
        ]
        try:
            for done, job in enumerate(as_completed(jobs), start=1):
                job.result()
                if progress is not None:
                    progress(done, len(jobs))
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _write_clip(
    root: Path,
    name: str,
    plan: ClipPlan,
    frame_path: FramePath,
    seed: int,
    signal: bool,
    size: int,
) -> None:
    # imported here: whoever only asks where a database is needs no OpenCV
    import cv2

    from mer_keras.annotations.synthetic_faces import Identity, render_clip

    # two databases have different people, and nothing here depends on the order of the clips
    world = [seed, *name.encode()]
    frames = render_clip(
        Identity.draw(np.random.default_rng([*world, 0, plan.person])),
        plan.units,
        onset=plan.onset,
        apex=plan.apex,
        offset=plan.offset,
        rng=np.random.default_rng([*world, 1, plan.index]),
        size=size,
        peak=plan.peak,
        signal=signal,
    )
    first = root / frame_path(plan, plan.onset)
    first.parent.mkdir(parents=True, exist_ok=True)
    for number, frame in enumerate(frames, start=plan.onset):
        encoded, data = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
        if not encoded:
            raise FrameError(f"OpenCV can't encode frame {number} of {plan.clip} as JPEG")
        (root / frame_path(plan, number)).write_bytes(data.tobytes())
