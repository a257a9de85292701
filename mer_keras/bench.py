"""Speed of the steps that a user waits for, as ratios within one run: ``make bench``.

Seconds depend on the machine; how much faster one way is than another on the same machine, a moment
later, says more. Each measurement is the best of a few repeats.
"""

import json
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd

from mer_keras import settings
from mer_keras.annotations import databases
from mer_keras.annotations.samples import Samples
from mer_keras.annotations.synthetic import stand_ins
from mer_keras.clips import faces, flow, magnification, sampling, spotting
from mer_keras.clips.assemble import load_clips
from mer_keras.config import Clip

#: Clips of the stand-in for CASME II, as its camera recorded them (640x480).
CLIPS = 12
CLIP = Clip(kind="frames", frames=9, size=90, sampling="uniform_with_apex", crop="haar")


@dataclass(frozen=True)
class Measured:
    """One way of doing a piece of work.

    Attributes:
        work: what is done.
        way: how.
        seconds: for all of it.
        rate: pieces a second.
        ratio: of the seconds of the first way of this work to these: above 1 is faster.
    """

    work: str
    way: str
    seconds: float
    rate: float
    ratio: float


def best_of(repeats: int, act: Callable[[], Any]) -> float:
    """Return the seconds that a call takes, the least of some repeats."""
    taken = []
    for _ in range(repeats):
        started = time.perf_counter()
        act()
        taken.append(time.perf_counter() - started)
    return min(taken)


def preprocessing(folder: Path) -> list[Measured]:
    """Decode, crop to the face, sample, resize and keep clips: a plain loop against ``load_clips``.

    Args:
        folder: empty, for the stand-in, the arrays and the cache.
    """
    root = folder / "CASME2"
    stand_ins.write("casme2", root, stand_ins.Film(native=True, clips=CLIPS))
    samples = databases.load("casme2", root, tree="raw")
    count = len(samples.table)
    os.environ["MER_CACHE"] = str(folder / "cache")

    def cold() -> None:
        from mer_keras.clips import cache

        cache.clear()
        load_clips(samples, CLIP)

    ways = {
        "OpenCV loop, one process": lambda: _plain_loop(samples, folder / "plain"),
        "mer_keras, empty cache": cold,
        "mer_keras, full cache": lambda: load_clips(samples, CLIP),
    }
    return _compared("preprocessing, clips of 640x480", ways, count, repeats=3)


def _plain_loop(samples: Samples, kept: Path) -> None:
    """Do what ``load_clips`` does to these clips, as a script would."""
    kept.mkdir(exist_ok=True)
    for row in samples.table.to_dict("records"):
        apex = None if pd.isna(row["apex"]) else int(row["apex"])
        wanted = sampling.uniform_with_apex(int(row["onset"]), apex, int(row["offset"]), 9)
        files = [f"{row['path']}/img{number}.jpg" for number in wanted]
        onset = np.asarray(cv2.imread(files[0], cv2.IMREAD_GRAYSCALE), np.uint8)
        box = faces.find_face(onset) or faces.centre_box(onset.shape)
        frames = []
        for file in files:
            frame = np.asarray(cv2.imread(file, cv2.IMREAD_GRAYSCALE), np.uint8)
            face = faces.apply_box(frame, box)
            frames.append(cv2.resize(face, (90, 90), interpolation=cv2.INTER_AREA))
        np.save(kept / f"{row['subject']}-{row['clip']}.npy", np.stack(frames))


def magnifying() -> list[Measured]:
    """Eulerian magnification of 30 gray frames of 640x480, by pyramid."""
    clip = np.random.default_rng(0).random((30, 480, 640), dtype=np.float32)

    def way(pyramid: magnification.Pyramid) -> Callable[[], Any]:
        params = magnification.Magnification(15, 0.5, 10, 30, "ideal", pyramid, 4)
        return lambda: magnification.magnify(clip, params)

    ways = {pyramid: way(pyramid) for pyramid in ("gaussian", "laplacian")}
    return _compared("magnification, 30 frames of 640x480", ways, 1, repeats=3)


def motion() -> list[Measured]:
    """Flow image of a 280x340 pair by method, and spotting of a clip of 60 frames."""
    rng = np.random.default_rng(0)
    texture = cv2.GaussianBlur(rng.random((340, 284)).astype(np.float32), (0, 0), 3)
    texture = np.rint((texture - texture.min()) / np.ptp(texture) * 255).astype(np.uint8)
    pair = np.ascontiguousarray(texture[:, :280]), np.ascontiguousarray(texture[:, 1:281])

    def way(method: flow.FlowMethod) -> Callable[[], Any]:
        return lambda: flow.flow_image(*pair, method=method)

    methods = {str(m): way(m) for m in reversed(flow.FlowMethod)}
    frames = np.stack([np.roll(texture[:96, :96], k // 20, axis=1) for k in range(60)])
    return [
        *_compared("flow image, 280x340", methods, 1, repeats=2),
        *_compared("spotting, 60 frames of 96x96", {"flow": lambda: spotting.spot(frames)}, 1, 2),
    ]


def _compared(
    work: str, ways: dict[Any, Callable[[], Any]], pieces: int, repeats: int
) -> list[Measured]:
    seconds = {way: best_of(repeats, act) for way, act in ways.items()}
    first = next(iter(seconds.values()))
    return [
        Measured(work, str(way), round(s, 4), round(pieces / s, 2), round(first / s, 2))
        for way, s in seconds.items()
    ]


def print_measured(rows: Sequence[Measured]) -> None:
    """Print the measurements as a table."""
    print(f"{'work':38}{'way':28}{'seconds':>10}{'per second':>12}{'ratio':>8}")
    for row in rows:
        print(f"{row.work:38}{row.way:28}{row.seconds:10.3f}{row.rate:12.1f}{row.ratio:8.2f}")


def main() -> None:
    """Measure, print, and write ``bench.json`` into the results folder."""
    with tempfile.TemporaryDirectory() as folder:
        rows = [*preprocessing(Path(folder)), *magnifying(), *motion()]
    print_measured(rows)
    place = settings.results_root() / "bench.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    found = {
        "cores": os.cpu_count(),
        "opencv": cv2.__version__,
        "data_kind": "synthetic",
        "measured": [asdict(row) for row in rows],
    }
    place.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(f"\n{place}")


if __name__ == "__main__":
    main()
