"""Targets that are pictures: images, TIFF with its tags, videos."""

import cv2
import numpy as np

from mer_keras.clips.footage import _probe
from mer_keras.clips.frames import read_image
from mer_keras.errors import FrameError
from mer_keras.video.reader import open_recording
from tests.fuzz.mutation import mutated, with_numbers

#: Names of TIFF's compressions in OpenCV: none, LZW, deflate, PackBits.
_COMPRESSIONS = (1, 5, 8, 32773)


def image_target(folder):
    """Frames."""
    picture = np.random.default_rng(0).integers(0, 256, (24, 20, 3), np.uint8)
    seeds = [cv2.imencode(end, picture)[1].tobytes() for end in (".png", ".jpg", ".bmp", ".tiff")]
    file = folder / "frame.png"

    def read(data):
        file.write_bytes(data)
        read_image(file)

    return seeds, mutated, read


def tiff_target(folder):
    """TIFF of several depths and compressions, whose tags claim other sizes."""
    generator = np.random.default_rng(0)
    seeds = []
    for compression in _COMPRESSIONS:
        for kind, shape in (("uint8", (24, 20, 3)), ("uint16", (9, 300)), ("float32", (24, 20))):
            picture = generator.integers(0, 256, shape).astype(kind)
            options = [cv2.IMWRITE_TIFF_COMPRESSION, compression]
            seeds.append(cv2.imencode(".tiff", picture, options)[1].tobytes())
    file = folder / "frame.tiff"

    def read(data):
        file.write_bytes(data)
        read_image(file)

    return seeds, with_numbers, read


def video_target(folder):
    """Videos with damaged headers and tails, as a recording and as a clip of a database."""
    frames = [np.full((48, 64, 3), 10 * number, np.uint8) for number in range(8)]
    seeds = []
    for suffix, codec in ((".avi", "MJPG"), (".mp4", "mp4v"), (".mkv", "FFV1")):
        file = folder / f"seed{suffix}"
        writer = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*codec), 25, (64, 48))
        for frame in frames:
            writer.write(frame)
        writer.release()
        seeds.append(file.read_bytes())
    file = folder / "clip.avi"

    def read(data):
        file.write_bytes(data)
        _, facts = _probe(file)
        _show(file)
        if facts["problem"]:
            raise FrameError(facts["problem"])

    def change(rng, data):
        if rng.random() < 0.2:
            return data[: rng.randrange(len(data))]
        if rng.random() < 0.3:  # The index and other tables stand at the end.
            half = len(data) // 2
            return data[:half] + with_numbers(rng, data[half:])
        return with_numbers(rng, data)

    return seeds, change, read


def _show(file):
    """Decode at most the first frames of a recording; a header may promise hours."""
    recording = open_recording(file)
    for frame in recording.frames():
        if frame.index > 20:
            break
