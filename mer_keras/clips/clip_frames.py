"""The frames of one clip as stacks of small squares, and what is odd about them."""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, TypeAlias, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_keras.clips import cache, face_models, faces
from mer_keras.clips.footage import Footage, Picture
from mer_keras.clips.motionless import BLACK, IDENTICAL
from mer_keras.clips.sample import Sample
from mer_keras.config.data import Policies
from mer_keras.config.inputs import PartBounds
from mer_keras.errors import FrameError

#: Frames of one clip, uint8 (frames, side, side), or (frames, side, side, 3) in RGB.
Stack: TypeAlias = NDArray[np.uint8]

#: Frames of one clip in another form; those that are not needed may be left out.
PictureStep: TypeAlias = Callable[[Sequence[Picture]], list[Picture]]

GAP = "frame not on disk, the nearest one stands in"


class WholeFrames(NamedTuple):
    """What is done to whole frames before they are cut and resized.

    Attributes:
        step: its name in the cache.
        params: everything that it depends on beside the frames.
        compute: frames of one shape -> frames.
    """

    step: str
    params: cache.Parameters
    compute: PictureStep


class ClipFrames:
    """What the steps of one clip share.

    Attributes:
        sample: the clip.
        footage: its frames.
        policies: what is done about faults that leave a choice.
        box: what is cut out of each frame; None: all of it.
        remarks: what was accepted, but a report should mention.
        farthest: frames between a requested frame and the one that stands in for it, at most.
    """

    def __init__(self, sample: Sample, footage: Footage, policies: Policies) -> None:
        """Prepare; nothing is read."""
        self.sample = sample
        self.footage = footage
        self.policies = policies
        self.numbers = footage.numbers
        self.box: faces.FaceBox | None = None
        self.remarks: set[str] = set()
        self.farthest = 0

    def nearest(self, numbers: Sequence[int]) -> list[int]:
        """Return the frames on disk that stand in for some numbers; of two, the earlier."""
        stand_ins = []
        for number in numbers:
            index = bisect_left(self.numbers, number)
            neighbours = self.numbers[max(0, index - 1) : index + 1]
            stand_ins.append(min(neighbours, key=lambda neighbour: abs(neighbour - number)))
        distance = max(abs(a - b) for a, b in zip(numbers, stand_ins, strict=True))
        if distance:
            self.remarks.add(GAP)
            self.farthest = max(self.farthest, distance)
        return stand_ins

    def between(self, onset: int, offset: int) -> list[int]:
        """Return the numbers of all frames on disk from onset to offset."""
        return [number for number in self.numbers if onset <= number <= offset]

    def locate(
        self, crop: faces.Crop, onset: int, *, align: bool | Literal["three_points"]
    ) -> None:
        """Set the box that later stacks are cut by, from the onset frame."""

        def locate(pictures: Sequence[Picture]) -> NDArray[np.float64]:
            return faces.locate(pictures[0], crop, align=align)

        params: dict[str, cache.JsonValue] = {
            "how": crop,
            "align": align,
            "opencv": cv2.__version__,
        }
        if crop == "mesh":
            params |= {"colour": True, "models": face_models.RELEASE}
        numbers = self.nearest([onset])
        entry = self.footage.fetch(numbers, "face box, second form", params, locate)
        self.box = faces.FaceBox.unpacked(entry.array)

    def stack(
        self,
        numbers: Sequence[int],
        size: int,
        channels: int = 1,
        whole_frames: WholeFrames | None = None,
        part: PartBounds | None = None,
    ) -> cache.Entry[np.uint8]:
        """Return frames on disk, cut by the box and resized to squares of ``size``, as ``Stack``.

        Args:
            numbers: which frames.
            size: side in pixels.
            channels: 1: gray, 3: RGB.
            whole_frames: what is done to them before; its frames are then returned.
            part: bounds of what is resized of the box, as shares of its height and width.

        Raises:
            FrameError: an image can't be used, or frames differ in size and a policy forbids it.
            UnusableClipError: a frame of a video can't be decoded.
        """
        box = self.box

        def resize(pictures: Sequence[Picture]) -> Stack:
            if box is not None or whole_frames is not None:
                width_height = pictures[0].shape[1::-1]
                pictures = [
                    np.asarray(cv2.resize(picture, width_height), np.uint8) for picture in pictures
                ]
            if whole_frames is not None:
                pictures = whole_frames.compute(pictures)
            if box is not None:  # Its pixels are those of the first frame.
                pictures = [faces.apply_box(picture, box) for picture in pictures]
            if part is not None:
                pictures = [_part_of(picture, part) for picture in pictures]
            small = [
                cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA)
                for picture in pictures
            ]
            if channels == 3:
                small = [cv2.cvtColor(picture, cv2.COLOR_BGR2RGB) for picture in small]
            return np.stack(small).astype(np.uint8, copy=False)

        params: dict[str, cache.JsonValue] = {"size": size, "opencv": cv2.__version__}
        if box is not None:
            params["box"] = box.packed().tolist()
        step = "gray frames, area-resized, 8 bits"
        if channels == 3:
            params["colour"], step = True, "colour frames, area-resized, 8 bits"
        if part is not None:
            params["part"] = [*part]
        if whole_frames is not None:
            step = f"{whole_frames.step}, {step}"
            params |= {"whole_frames": dict(whole_frames.params)}
        entry = self.footage.fetch(numbers, step, params, resize)
        formats = cast("list[str | None]", entry.facts["formats"])
        self.remark(numbers, entry.array, formats, cast("int", entry.facts["shapes"]))
        if entry.not_stored:
            self.remarks.add(f"not written to the cache ({entry.not_stored})")
        return entry

    def remark(
        self,
        numbers: Sequence[int],
        pictures: Sequence[Picture] | Stack,
        formats: Sequence[str | None],
        shapes: int,
    ) -> None:
        """Note what is odd about some decoded frames, or stop where a policy says so.

        Args:
            numbers: which frames.
            pictures: the frames.
            formats: of the image files.
            shapes: how many different shapes the files have.
        """
        if shapes > 1:
            if self.policies.sizes == "error":
                raise FrameError(
                    f"{self.footage.path}: frames of different sizes in one clip; expected one "
                    "size: check the folder, or let each be resized with "
                    "data.policies.sizes=resize"
                )
            self.remarks.add("frames of different sizes in one clip, each resized")
        self.remarks |= self.footage.misnamed(numbers, formats)
        if not any(picture.any() for picture in pictures):
            self.remarks.add(BLACK)
        elif len(pictures) > 1 and all(np.array_equal(p, pictures[0]) for p in pictures[1:]):
            self.remarks.add(IDENTICAL)


def _part_of(picture: Picture, part: PartBounds) -> Picture:
    """Cut a part of a picture, at least a pixel high and wide."""
    height, width = picture.shape[:2]
    top, bottom = round(part[0] * height), round(part[1] * height)
    left, right = round(part[2] * width), round(part[3] * width)
    return picture[top : max(bottom, top + 1), left : max(right, left + 1)]
