"""Spotting in long recordings: frames a second on one core, and memory that doesn't grow."""

import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import cv2

from mer_keras.bench.case import CaseOptions
from mer_keras.bench.measure import Measurement, timed
from mer_keras.bench.memory import peak_memory
from mer_keras.video.drawn import draw_recording
from mer_keras.video.options import SpotOptions
from mer_keras.video.spot import spot_video

#: Least frames a second with dense inverse search on a face of 128 pixels, and most memory in MiB.
LEAST_FRAMES_A_SECOND, MOST_MIB = 25, 600
#: A long recording repeats so many drawn frames, there and back, so that none jumps.
_DRAWN_FRAMES = 40


def spot(options: CaseOptions) -> list[Measurement]:
    """Spot in a drawn recording of a face of 128 pixels, 100 frames a second, on one core."""
    drawn = draw_recording(seconds=2 if options.quick else 10, events=1 if options.quick else 5)
    video = drawn.write(options.folder / "drawn.mkv")
    ways = {
        "flow_difference, DIS": SpotOptions(crop="centre", flow="dis"),
        "flow_difference, Farneback": SpotOptions(crop="centre"),
        "lbp_difference": SpotOptions(crop="centre", method="lbp_difference"),
    }

    def way(choices: SpotOptions) -> Callable[[], object]:
        return lambda: spot_video(video, choices)

    repeats = 1 if options.quick else 3
    work = f"spotting in a video, {drawn.frames} frames of 128x128"
    return [
        Measurement(
            work,
            name,
            timed(way(choices), repeats, clock=time.process_time),
            drawn.frames,
            facts={"least_frames_a_second": LEAST_FRAMES_A_SECOND},
        )
        for name, choices in ways.items()
    ]


def memory(options: CaseOptions) -> list[Measurement]:
    """Spot in 30 s and in 10 min of 640x480 at 200 frames a second: the peak must not grow."""
    fps = 200.0
    measurements = []
    for seconds in (2, 6) if options.quick else (30, 600):
        video = write_long(options.folder / f"{seconds}.mp4", seconds, fps)
        taken = timed(lambda video=video: spot_video(video, SpotOptions()), 1)  # type: ignore[misc]
        measurements.append(
            Measurement(
                f"memory of spotting, {seconds} s of 640x480 at {fps:g} fps",
                "flow_difference, Farneback",
                taken,
                round(seconds * fps),
                peak_memory(),
                {"most_mib": MOST_MIB},
            )
        )
        video.unlink()
    return measurements


def write_long(path: Path, seconds: float, fps: float) -> Path:
    """Write a video of a drawn face on a camera's frame of 640x480, a few frames repeated.

    Args:
        path: the file (.mp4).
        seconds: of the video.
        fps: frames a second.
    """
    drawn = draw_recording(seconds=2, fps=fps, events=1, drift=1.0).enlarged(256, (640, 480))
    grays = islice(drawn.pictures(), _DRAWN_FRAMES)
    pictures = [cv2.cvtColor(gray, cv2.COLOR_GRAY2BGR) for gray in grays]
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), fps, (640, 480))
    loop = [*pictures, *pictures[::-1]]
    for number in range(round(seconds * fps)):
        video.write(loop[number % len(loop)])
    video.release()
    return path
