"""Synthetic clips -> frames, in memory or as the files of an official layout."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mer_keras.errors import FrameError
from mer_keras.progress import CountProgress
from mer_keras.synthetic.layout import Layout, RenderedClip
from mer_keras.synthetic.options import StandInOptions
from mer_keras.synthetic.synthetic_clip import SyntheticClip

#: A clip and one of its frame numbers -> the frame's file, relative to the database's root.
FramePath = Callable[[SyntheticClip, int], Path]

_JPEG_QUALITY = 95
#: Height of the rendered picture, which shows head and shoulders, as a share of a camera's frame.
_SHARE_OF_CAMERA = 0.66


def rendered_clips(
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
        peak=clip.peak * options.strength,
        motion=options.motion,
    )
    if root is None:
        return clip, frames
    if not options.native:
        _save(root, clip, frames, layout.frame_path)
    elif not layout.cropped:
        _save(root, clip, on_camera(frames, layout.native, clip.person), layout.frame_path)
    else:
        _save(root, clip, _resized(frames, layout.native), layout.frame_path)
        if layout.camera_file is not None and layout.camera is not None:
            _save(root, clip, on_camera(frames, layout.camera, clip.person), layout.camera_path)
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


def on_camera(frames: NDArray[np.uint8], camera: tuple[int, int], person: int) -> NDArray[np.uint8]:
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
