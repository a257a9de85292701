"""Drawn recordings with known truth: a still face, some of whose skin is warped now and then."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mer_keras.errors import FrameError
from mer_keras.synthetic.face_traits import FaceTraits
from mer_keras.synthetic.faces import REFERENCE_SIZE, displacement
from mer_keras.synthetic.portrait import render_neutral

#: What moves in events, by turns: corners of the mouth, brows, nose, chin (FACS).
_UNITS = ("12", "4", "15", "2", "L12")
#: The face is drawn so many times finer than frames, so that it can be moved by parts of a pixel.
_FINER = 3
#: Coding without loss: noise and motion stay as they were drawn.
LOSSLESS = "FFV1"


@dataclass(frozen=True)
class Event:
    """An expression that is drawn.

    Attributes:
        onset: index of the last frame at rest, from 0.
        apex: frame of the greatest displacement.
        offset: first frame at rest again.
        unit: action unit that moves.
        pixels: greatest displacement, in pixels of the frame.
    """

    onset: int
    apex: int
    offset: int
    unit: str
    pixels: float


@dataclass(frozen=True)
class DrawnRecording:
    """A recording that can be drawn.

    Attributes:
        events: in order.
        frames: how many.
        fps: frames a second.
        face_size: side in pixels of the square that shows the face.
        drift: half the way, in pixels, that the head goes from side to side, and up and down.
        noise: standard deviation of the sensor's noise in gray levels.
        seed: of face, times and noise.
        frame_size: width and height; None: the face's square alone.
    """

    events: tuple[Event, ...]
    frames: int
    fps: float
    face_size: int = 128
    drift: float = 0.0
    noise: float = 0.7
    seed: int = 0
    frame_size: tuple[int, int] | None = None

    def pictures(self) -> Iterator[NDArray[np.uint8]]:
        """Draw the frames one by one, uint8 (height, width), gray."""
        size = self.face_size
        traits = FaceTraits.draw(np.random.default_rng([self.seed, 0]))
        rng = np.random.default_rng([self.seed, 1])
        fine = render_neutral(traits, size * _FINER) * np.float32(255)
        fine = cv2.blur(fine, (_FINER, _FINER))
        pixels = np.arange(size, dtype=np.float32)
        column, row = np.meshgrid(pixels, pixels)
        to_reference = REFERENCE_SIZE / size
        fields = [
            displacement({event.unit: 1.0}, size, face=traits, peak=event.pixels * to_reference)
            for event in self.events
        ]  # (size, size, 2) each
        for index in range(self.frames):
            across, down = self.head_at(index)
            from_x, from_y = column - np.float32(across), row - np.float32(down)
            for event, field in zip(self.events, fields, strict=True):
                share = np.float32(_intensity(index, event))
                if share > 0:
                    from_x = from_x - field[..., 0] * share
                    from_y = from_y - field[..., 1] * share
            face = cv2.remap(
                fine,
                (from_x + 0.5) * _FINER - 0.5,
                (from_y + 0.5) * _FINER - 0.5,
                cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REPLICATE,
            )
            noise = rng.standard_normal((size, size), dtype=np.float32) * np.float32(self.noise)
            yield self._on_wall(np.clip(face + noise + 0.5, 0, 255).astype(np.uint8))

    def enlarged(self, face_size: int, frame_size: tuple[int, int]) -> "DrawnRecording":
        """Return the same recording with a larger face, which moves as much of itself.

        Args:
            face_size: side of its square in pixels.
            frame_size: width and height of the frame that it stands in.
        """
        factor = face_size / self.face_size
        events = tuple(replace(event, pixels=event.pixels * factor) for event in self.events)
        return replace(
            self,
            events=events,
            face_size=face_size,
            drift=self.drift * factor,
            frame_size=frame_size,
        )

    def head_at(self, index: int) -> tuple[float, float]:
        """Return where the head is: pixels to the right and down of where it began."""
        seconds = index / self.fps
        across = self.drift * np.sin(2 * np.pi * seconds / 4.1)
        down = 0.5 * self.drift * np.sin(2 * np.pi * seconds / 6.3)
        return float(across), float(down)

    def write(self, path: Path, codec: str = LOSSLESS) -> Path:
        """Write it as a video.

        Args:
            path: the file; its suffix chooses the container (.avi, .mkv, .mp4).
            codec: four letters.

        Raises:
            FrameError: OpenCV can't write it.
        """
        size = self.frame_size or (self.face_size, self.face_size)
        video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), self.fps, size)
        if not video.isOpened():
            raise FrameError(f"{path}: OpenCV can't write a video coded as {codec}")
        for picture in self.pictures():
            video.write(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR))
        video.release()
        return path

    def _on_wall(self, face: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if self.frame_size is None:
            return face
        width, height = self.frame_size
        picture = np.full((height, width), 120, np.uint8)
        left, top = (width - face.shape[1]) // 2, (height - face.shape[0]) // 2
        picture[top : top + face.shape[0], left : left + face.shape[1]] = face
        return picture


def draw_recording(
    *,
    seconds: float = 10.0,
    fps: float = 100.0,
    events: int = 5,
    drift: float = 0.0,
    pixels: float = 1.5,
    lengths: tuple[float, float] = (0.25, 0.45),
    seed: int = 0,
    units: Sequence[str] = _UNITS,
) -> DrawnRecording:
    """Plan a recording with some events, evenly spread, of lengths in a range.

    Args:
        seconds: of the recording.
        fps: frames a second.
        events: how many expressions.
        drift: see ``DrawnRecording``.
        pixels: greatest displacement of each event; they begin at two thirds of it.
        lengths: least and greatest seconds of an event.
        seed: of everything that is drawn by chance.
        units: action units, by turns.
    """
    rng = np.random.default_rng([seed, 2])
    part = seconds / events
    planned = []
    for index in range(events):
        length = rng.uniform(*lengths)
        start = index * part + rng.uniform(0.3, part - length - 0.3)
        onset = round(start * fps)
        offset = round((start + length) * fps)
        apex = round((start + length * rng.uniform(0.4, 0.6)) * fps)
        strength = pixels * rng.uniform(2 / 3, 1)
        planned.append(Event(onset, apex, offset, units[index % len(units)], strength))
    return DrawnRecording(tuple(planned), round(seconds * fps), fps, drift=drift, seed=seed)


def _intensity(index: int, event: Event) -> float:
    """Half a cosine up to the apex, and half a cosine down."""
    if not event.onset < index < event.offset:
        return 0.0
    if index <= event.apex:
        share = (index - event.onset) / (event.apex - event.onset)
    else:
        share = (event.offset - index) / (event.offset - event.apex)
    return 0.5 - 0.5 * float(np.cos(np.pi * share))
