"""Samples -> the clips of one input: read in parallel through the cache, joined by id.

What can't be used is left out with its reason; what is used otherwise than annotated is counted,
one warning for each kind of remark. Reasons and warnings name no folder, since reports print them.
"""

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Generic

import numpy as np
from numpy.typing import NDArray

from mer_keras.arrays import OneInput, take
from mer_keras.clips import frames, sampling
from mer_keras.clips.clip_frames import GAP
from mer_keras.clips.flow import form_of_flow, form_of_sequence
from mer_keras.clips.footage import Footage, UnusableClipError, open_footage
from mer_keras.clips.normalisation import Pixels
from mer_keras.clips.sample import Sample, samples_of
from mer_keras.clips.steps import Loaded, Result, check_clip, load_clip, spotting_error
from mer_keras.clips.stored_flow import FlowImages, form_of_stored, load_flow_image, stored_image
from mer_keras.config.data import Policies
from mer_keras.config.inputs import Clip
from mer_keras.databases.repeated import repeated_content
from mer_keras.databases.samples import Excluded, Samples
from mer_keras.errors import ConfigError, FrameError, InvariantError
from mer_keras.flow_channels import FlowForm
from mer_keras.progress import CountProgress


@dataclass(frozen=True, eq=False)
class ClipArrays:
    """The clips of one input, as methods read them.

    Attributes:
        sample_ids: the clips, in the order of ``arrays``.
        arrays: float32; frames (clips, frames, size, size, channels) in 0..1, single frames
            without the time axis; whole clips are a list of (frames, size, size, channels), each
            of its own length; flow (clips, size, size, 3), channels (u, v, strain), images in
            0..255 and fields in pixels; flow magnitudes (clips, size, size, 1) in pixels. With
            ``normalise``, as that leaves them. A dynamic image is an image in 0..1; sequences of
            flow are (clips, frames, size, size, channels).
        excluded: clips of the samples table that are not here, each with its reason.
        warnings: what was accepted with a remark, one line for each remark with its count.
        flow: what the channels are, of an input of optical flow.
    """

    sample_ids: tuple[str, ...]
    arrays: OneInput
    excluded: tuple[Excluded, ...] = ()
    warnings: tuple[str, ...] = ()
    flow: FlowForm | None = None

    def digest(self) -> str:
        """Digest of the arrays, and of the clips' lengths where they differ."""
        digest = hashlib.blake2b(digest_size=16)
        if isinstance(self.arrays, list):
            digest.update(str([clip.shape for clip in self.arrays]).encode())
        for clip in self.arrays:
            digest.update(clip.tobytes())
        return digest.hexdigest()

    def select(self, ids: Iterable[str]) -> OneInput:
        """Return some clips, in the order of ``ids``.

        Raises:
            InvariantError: an id is not here.
        """
        return take(self.arrays, self.rows(ids))

    def rows(self, ids: Iterable[str]) -> NDArray[np.int64]:
        """Return the positions of some clips in ``arrays``, in the order of ``ids``.

        Raises:
            InvariantError: an id is not here.
        """
        requested = list(ids)
        row_of = {sample_id: row for row, sample_id in enumerate(self.sample_ids)}
        unknown = [sample_id for sample_id in requested if sample_id not in row_of]
        if unknown:
            raise InvariantError(
                f"{len(unknown)} of {len(requested)} requested clips have no array, first "
                f"{unknown[0]!r}: folds must be made from the clips that could be loaded"
            )
        return np.array([row_of[sample_id] for sample_id in requested], dtype="int64")


def load_clips(
    samples: Samples,
    clip: Clip,
    policies: Policies | None = None,
    *,
    progress: CountProgress | None = None,
) -> ClipArrays:
    """Load every clip of a samples table, in its order, on all cores.

    Frames are resized to a square with area interpolation (the aspect ratio is not kept). A missing
    onset or offset is the folder's first or last frame. A frame that is not on disk is replaced by
    the nearest one. A clip is left out when its annotated frames lie outside its folder (see
    ``marks.SLACK``), an image of it is empty or damaged, or a policy says so.

    Args:
        samples: the samples table.
        clip: what to load.
        policies: what to do about faults that leave a choice.
        progress: called as ``progress(done, total)`` in this thread after each clip.

    Raises:
        FrameError: a folder or flow image is absent, a folder has no frames or two of one number,
            an image is too large, a flow image of another size than the config says, frames of one
            clip differ in size (unless the policy resizes them), or no clip is left.
        ConfigError: ``clip.frames`` doesn't suit ``clip.sampling``, or nothing says what the
            channels of flow images are.
    """
    rows = samples_of(samples.table)
    load: Callable[[Sample], Loaded[Pixels]]
    if clip.kind == "flow_image":
        load = partial(
            load_flow_image,
            clip=clip,
            policies=policies or Policies(),
            flow_images=samples.flow_images,
        )
    else:
        if clip.kind == "frames":
            sampling.sampled(clip, 0, 0, 0)  # An impossible number is told before any listing.
        load = _from_footage(rows, partial(load_clip, clip=clip, policies=policies or Policies()))
    loaded = _load_all(rows, load, progress)
    if not loaded.results:
        first = loaded.excluded[0] if loaded.excluded else None
        raise FrameError(
            f"none of {len(rows)} clips can be used"
            f"{f': first {first.clip}: {first.reason}' if first else ''}; expected at least one "
            "whole clip, so compare the annotation table with the frames on disk"
        )
    repeated = repeated_content(_content(loaded), samples.table)
    is_picture = clip.kind in ("frames", "dynamic_image")
    scale = np.float32(255 if is_picture and clip.normalise == "none" else 1)
    arrays: OneInput
    if clip.frames is None:
        arrays = [np.divide(array, scale, dtype=np.float32) for array in loaded.results]
    else:
        arrays = np.stack(loaded.results, dtype=np.float32)
        arrays /= scale
    return ClipArrays(
        tuple(loaded.sample_ids),
        arrays,
        tuple(loaded.excluded),
        (*loaded.warnings(), *repeated),
        _flow_form(rows, clip, samples.flow_images),
    )


def unread_clips(samples: Samples, clip: Clip, shapes: Sequence[tuple[int, ...]]) -> ClipArrays:
    """Return what ``load_clips`` returns where every clip can be used, but for the values.

    Args:
        samples: the samples table.
        clip: what would be loaded.
        shapes: of each clip, in the order of the table.

    Returns:
        arrays of zeros, which take no memory whatever their ``nbytes`` say.

    Raises:
        ConfigError: see ``load_clips``.
    """
    arrays: OneInput = [np.broadcast_to(np.float32(0), shape) for shape in shapes]
    if clip.frames is not None:
        arrays = np.broadcast_to(np.float32(0), (len(shapes), *shapes[0]))
    form = _flow_form(samples_of(samples.table), clip, samples.flow_images)
    return ClipArrays(tuple(samples.table["sample_id"]), arrays, flow=form)


def check_frames(
    samples: Samples, policies: Policies | None = None, progress: CountProgress | None = None
) -> tuple[tuple[Excluded, ...], tuple[str, ...]]:
    """Decode every frame of every clip, and tell what a run would leave out or remark.

    Nothing is cached.

    Args:
        samples: see ``load_clips``.
        policies: what to do about faults that leave a choice.
        progress: as for ``load_clips``.

    Returns:
        Clips that can't be used, each with its reason, and warnings, one line for each remark.

    Raises:
        FrameError: as ``load_clips`` does.
    """
    rows = samples_of(samples.table)
    check = _from_footage(rows, partial(check_clip, policies=policies or Policies()))
    loaded = _load_all(rows, check, progress)
    digests = dict(zip(loaded.sample_ids, loaded.results, strict=True))
    repeated = repeated_content(digests, samples.table)
    return tuple(loaded.excluded), (*loaded.warnings(), *repeated)


def spotting_errors(
    samples: Samples, policies: Policies | None = None, progress: CountProgress | None = None
) -> NDArray[np.float64]:
    """Spot the apex of every clip that has one annotated, and measure how far off it is.

    Args and errors are those of ``check_frames``.

    Returns:
        float64 (clips,): distances as shares of the clips' lengths.
    """
    rows = [sample for sample in samples_of(samples.table) if sample.apex is not None]
    spot = _from_footage(rows, partial(spotting_error, policies=policies or Policies()))
    return np.array(_load_all(rows, spot, progress).results, "float64")


@dataclass
class _AllLoaded(Generic[Result]):
    """What was computed of all samples, and what was left out or remarked."""

    sample_ids: list[str] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    excluded: list[Excluded] = field(default_factory=list)
    remarks: Counter[str] = field(default_factory=Counter)
    farthest: int = 0

    def warnings(self) -> tuple[str, ...]:
        return tuple(
            f"{remark}: {count} of {len(self.results)} clips"
            + (f" (at most {self.farthest} away)" if remark == GAP else "")
            for remark, count in sorted(self.remarks.items())
        )


def _load_all(
    samples: Sequence[Sample],
    load: Callable[[Sample], Loaded[Result]],
    progress: CountProgress | None,
) -> _AllLoaded[Result]:
    """Load on all cores: decoding, resizing and filtering release the interpreter's lock."""
    everything = _AllLoaded[Result]()
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        futures = [pool.submit(_attempt, load, sample) for sample in samples]
        try:
            for done, (sample, future) in enumerate(zip(samples, futures, strict=True), start=1):
                loaded = future.result()
                if isinstance(loaded, str):
                    everything.excluded.append(Excluded(sample.database, sample.name, loaded))
                else:
                    everything.sample_ids.append(sample.sample_id)
                    everything.results.append(loaded.result)
                    everything.remarks.update(loaded.remarks)
                    everything.farthest = max(everything.farthest, loaded.farthest)
                if progress:
                    progress(done, len(samples))
        except BaseException:  # After Ctrl-C, too, the rest of a database isn't read first.
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return everything


def _content(loaded: _AllLoaded[Pixels]) -> dict[str, bytes]:
    """Return sample id -> digest of its array, for those arrays that show anything.

    Flow without motion is the same for everybody, and is told elsewhere.
    """
    return {
        sample_id: hashlib.blake2b(array.tobytes(), digest_size=16).digest()
        for sample_id, array in zip(loaded.sample_ids, loaded.results, strict=True)
        if np.ptp(array.reshape(-1, array.shape[-1]), axis=0).any()  # (values, channels)
    }


def _flow_form(samples: Sequence[Sample], clip: Clip, flow_images: FlowImages) -> FlowForm | None:
    """What the channels of an input are; None where it isn't flow.

    Raises:
        ConfigError: an image of one clip holds flow, and one of another clip something else.
    """
    if clip.kind in ("frames", "dynamic_image"):
        return None
    if clip.kind == "flow_sequence":
        return form_of_sequence(clip.flow_channels, clip.flow.output, clip.normalise)
    if clip.kind == "flow":
        return form_of_flow(clip.flow.output, clip.normalise, clip.flow_channels)
    stored = (stored_image(sample, clip, flow_images) for sample in samples)
    first, *others = dict.fromkeys(form_of_stored(image, clip) for image in stored)
    if others:
        raise ConfigError(
            f"flow images hold {', '.join(first.channels)} for some clips and "
            f"{', '.join(others[0].channels)} for others: choose databases whose images are alike"
        )
    return first


def _attempt(load: Callable[[Sample], Loaded[Result]], sample: Sample) -> Loaded[Result] | str:
    """Load a sample, or return the reason why it can't be used."""
    try:
        return load(sample)
    except frames.UnreadableImageError as error:
        return error.reason
    except UnusableClipError as error:
        return str(error)


def _from_footage(
    samples: Iterable[Sample], load: Callable[[Sample, Footage], Loaded[Result]]
) -> Callable[[Sample], Loaded[Result]]:
    """Open the footage of all samples once, since a long recording holds many clips."""
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        paths = dict.fromkeys(sample.path for sample in samples)
        opened = {path: pool.submit(open_footage, path) for path in paths}
    for footage in opened.values():
        error = footage.exception()
        # A clip that can't be opened is left out like one that can't be read.
        of_one_clip = isinstance(error, UnusableClipError | frames.UnreadableImageError)
        if error is not None and not of_one_clip:
            raise error
    return lambda sample: load(sample, opened[sample.path].result())
