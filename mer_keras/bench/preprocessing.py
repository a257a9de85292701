"""Speed of decoding, cropping, magnifying and of optical flow."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mer_keras.bench.case import CaseOptions
from mer_keras.bench.measure import Measurement, time_ways
from mer_keras.clips import faces, flow, magnification, sampling, spotting
from mer_keras.clips.assemble import load_clips
from mer_keras.config.inputs import Clip, FlowMethod, Magnification
from mer_keras.databases import registry
from mer_keras.databases.samples import Samples
from mer_keras.synthetic import stand_ins

#: Clips of the stand-in for CASME II, as its camera recorded them (640x480).
CLIPS = 12
CLIP = Clip(kind="frames", frames=9, size=90, sampling="uniform_with_apex", crop="haar")


def load(options: CaseOptions) -> list[Measurement]:
    """Decode, crop to the face, sample, resize and keep clips: a plain loop and ``load_clips``."""
    folder = options.folder
    root = folder / "CASME2"
    stand_in = stand_ins.StandInOptions(native=True, clips=2 if options.quick else CLIPS)
    stand_ins.write("casme2", root, stand_in)
    samples = registry.load("casme2", root, frame_source="raw")
    count = len(samples.table)

    def cold() -> None:
        from mer_keras.clips import cache

        cache.clear()
        load_clips(samples, CLIP)

    ways = {
        "OpenCV loop, one process": lambda: _plain_loop(samples, folder / "plain"),
        "mer_keras, empty cache": cold,
        "mer_keras, full cache": lambda: load_clips(samples, CLIP),
    }
    repeats = 1 if options.quick else 5
    return time_ways(f"preprocessing, {count} clips of 640x480", ways, count, repeats)


def _plain_loop(samples: Samples, folder: Path) -> None:
    """Do what ``load_clips`` does to these clips, as a script would."""
    folder.mkdir(exist_ok=True)
    for row in samples.table.to_dict("records"):
        apex = None if pd.isna(row["apex"]) else int(row["apex"])
        numbers = sampling.uniform_with_apex(int(row["onset"]), apex, int(row["offset"]), 9)
        files = [f"{row['path']}/img{number}.jpg" for number in numbers]
        onset = np.asarray(cv2.imread(files[0], cv2.IMREAD_GRAYSCALE), np.uint8)
        box = faces.find_face(onset) or faces.centre_box(onset.shape)
        frames = []
        for file in files:
            frame = np.asarray(cv2.imread(file, cv2.IMREAD_GRAYSCALE), np.uint8)
            face = faces.apply_box(frame, box)
            frames.append(cv2.resize(face, (90, 90), interpolation=cv2.INTER_AREA))
        np.save(folder / f"{row['subject']}-{row['clip']}.npy", np.stack(frames))


def magnify(options: CaseOptions) -> list[Measurement]:
    """Magnify 30 gray frames of 640x480."""
    clip = np.random.default_rng(0).random((30, 480, 640), dtype=np.float32)

    def way(pyramid: Literal["gaussian", "laplacian"]) -> Callable[[], object]:
        recipe = Magnification(alpha=15, low=0.5, high=10, pyramid=pyramid, levels=4)
        return lambda: magnification.magnify(clip, recipe, fps=30)

    ways = {"gaussian": way("gaussian"), "laplacian": way("laplacian")}
    return time_ways("magnification, 30 frames of 640x480", ways, 30, 1 if options.quick else 5)


def magnify_apex(options: CaseOptions) -> list[Measurement]:
    """Magnify the apex frame, the middle one of 68 coloured frames of 640x480 (CASME II)."""
    texture = cv2.resize(_texture(), (640, 480))
    colours = cv2.cvtColor(texture, cv2.COLOR_GRAY2BGR)
    pictures = [np.roll(colours, number // 10, axis=1) for number in range(68)]
    apex = len(pictures) // 2

    def way(temporal_filter: Literal["ideal", "iir"]) -> Callable[[], object]:
        low, high = (0.1, 0.4) if temporal_filter == "iir" else (3.0, 20.0)
        recipe = Magnification(
            alpha=15, low=low, high=high, temporal_filter=temporal_filter, levels=4
        )
        # The recursive filter never looks ahead.
        clip = pictures[: apex + 1] if temporal_filter == "iir" else pictures
        return lambda: magnification.magnify_pictures(clip, [apex], recipe, fps=200)

    ways = {"recursive filter": way("iir"), "ideal filter": way("ideal")}
    repeats = 1 if options.quick else 5
    return time_ways("magnified apex frame, 68 frames of 640x480", ways, 1, repeats)


def compute_flow(options: CaseOptions) -> list[Measurement]:
    """Compute the flow image of a 280x340 pair."""
    texture = _texture()
    pair = np.ascontiguousarray(texture[:, :280]), np.ascontiguousarray(texture[:, 1:281])

    def way(method: FlowMethod) -> Callable[[], object]:
        return lambda: flow.flow_image(*pair, method=method)

    methods: dict[str, Callable[[], object]] = {
        name: way(name) for name in reversed(list(flow.METHODS))
    }
    return time_ways("flow image, 280x340", methods, 1, 1 if options.quick else 5)


def spot(options: CaseOptions) -> list[Measurement]:
    """Spot the apex of a clip that moves slowly."""
    texture = _texture()
    frames = np.stack([np.roll(texture[:96, :96], k // 20, axis=1) for k in range(60)])
    ways = {"flow": lambda: spotting.spot(frames)}
    return time_ways("spotting, 60 frames of 96x96", ways, 60, 1 if options.quick else 5)


def _texture() -> NDArray[np.uint8]:
    """A smooth gray texture, (340, 284)."""
    rng = np.random.default_rng(0)
    smooth = cv2.GaussianBlur(rng.random((340, 284)).astype(np.float32), (0, 0), 3)
    return np.rint((smooth - smooth.min()) / np.ptp(smooth) * 255).astype(np.uint8)
