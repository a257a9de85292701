"""A trial with known truth: ``python -m mer_keras.video.trial`` draws, spots, counts, stores.

A warp of a drawn face says that the code finds a motion that is there, and how much it finds that
isn't. It is no person: nothing follows for expressions of people.
"""

import argparse
import json
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from mer_keras.clips.face_models import has_models
from mer_keras.provenance import installed_version
from mer_keras.video.drawn import DrawnRecording, draw_recording
from mer_keras.video.evaluate import Annotation, Counts, count
from mer_keras.video.intervals import spans_of
from mer_keras.video.options import SIDE, SpotOptions
from mer_keras.video.spot import Spotting, spot_video
from mer_keras.whole_files import write_whole

#: What ``trial.json`` holds, or a row of it.
Tree: TypeAlias = dict[str, Any]

#: Where the figures are stored with the code.
STORED = Path("results/published/spotting_trial")
#: Half the way that the head drifts from side to side, in pixels of a face of 128.
DRIFT = 2.0
#: A head that moves more, in the same pixels.
_FAR_DRIFT = 8.0
#: A face on a camera's frame: its side, and the frame's width and height.
_CAMERA_FACE, _CAMERA = 256, (640, 480)
#: Thresholds whose counts are listed beside those of the default.
THRESHOLDS = (0.15, 0.25, 0.4)
_SEEDS = (0, 1)


@dataclass(frozen=True)
class Row:
    """One way of spotting, in recordings of one kind.

    Attributes:
        name: of the way.
        options: of it.
        fps: frames a second of the recordings.
        drift: of the head, in pixels of a face of 128.
        camera: a face of 256 pixels on a frame of 640x480; else a face of 128 that fills it.
    """

    name: str
    options: SpotOptions
    fps: float = 100.0
    drift: float = 0.0
    camera: bool = False


def rows() -> Iterator[Row]:
    """Yield all rows of the trial, the default way first; some need the extra ``[face]``."""
    ways = {
        "flow_difference, Farneback": SpotOptions(crop="centre"),
        "flow_difference, DIS": SpotOptions(crop="centre", flow="dis"),
        "lbp_difference": SpotOptions(crop="centre", method="lbp_difference"),
    }
    for name, options in ways.items():
        for drift in (0.0, DRIFT):
            yield Row(name, options, drift=drift)
    for fps in (30.0, 200.0):
        for drift in (0.0, DRIFT):
            yield Row("flow_difference, Farneback", ways["flow_difference, Farneback"], fps, drift)
    if has_models():
        crops = {
            "square of the mesh": SpotOptions(crop="mesh"),
            "three points of the mesh": SpotOptions(crop="mesh", align="three_points"),
        }
        for drift in (0.0, DRIFT, _FAR_DRIFT):
            for name, options in crops.items():
                yield Row(f"flow_difference, Farneback, {name}", options, 100.0, drift, camera=True)
    released = SpotOptions.released().model_copy(update={"crop": "centre"})
    yield Row("flow_difference as released", released)


def count_recording(row: Row, seed: int) -> dict[float, Counts]:
    """Draw a recording, spot in it, and count at several thresholds.

    Args:
        row: what is drawn and how it is spotted.
        seed: of the drawing.
    """
    drawn = draw_recording(fps=row.fps, drift=row.drift, seed=seed)
    if row.camera:
        drawn = drawn.enlarged(_CAMERA_FACE, _CAMERA)
    with tempfile.TemporaryDirectory() as folder:
        spotting = spot_video(drawn.write(Path(folder) / "drawn.mkv"), row.options)
    is_released = row.options.intervals == "runs"
    thresholds = {row.options.threshold} | (set() if is_released else set(THRESHOLDS))
    return {share: _counts(drawn, spotting, share) for share in sorted(thresholds)}


def run(seeds: Sequence[int] = _SEEDS, only: Sequence[Row] | None = None, workers: int = 1) -> Tree:
    """Run the trial.

    Args:
        seeds: one recording each, of another face, times and noise.
        only: rows; all by default.
        workers: processes that share the recordings.

    Returns:
        JSON-ready: what was drawn, and for each row the counts, added over the recordings.
    """
    chosen_rows = list(only if only is not None else rows())
    tasks = [(row, seed) for row in chosen_rows for seed in seeds]
    with ProcessPoolExecutor(workers) as pool:
        of_tasks = list(pool.map(_count_task, tasks))
    results = []
    for index, row in enumerate(chosen_rows):
        of_seeds = of_tasks[index * len(seeds) : (index + 1) * len(seeds)]
        by_threshold = {}
        for share in of_seeds[0]:
            summed = np.sum([counts[share] for counts in of_seeds], axis=0)
            total = Counts(*(int(number) for number in summed))
            by_threshold[f"{share:g}"] = {**total._asdict(), "f1": round(total.f1, 3)}
        results.append(
            {
                "way": row.name,
                "fps": row.fps,
                "drift_px": row.drift,
                "face_px": _CAMERA_FACE if row.camera else SIDE,
                "default_threshold": row.options.threshold,
                "by_threshold": by_threshold,
            }
        )
    return {
        "data_kind": "synthetic",
        "drawn": "a still face, 10 s, 5 events of 0.25 to 0.45 s and 1 to 1.5 px each, sensor "
        "noise of sd 0.7; drifting: the head moves so far to each side in 4.1 s; pixels are those "
        "of a face of 128",
        "right": "an overlap of half of the union with an event, one to one",
        "seeds": list(seeds),
        "events": 5 * len(seeds),
        "versions": {name: installed_version(name) for name in ("numpy", "opencv-python-headless")},
        "rows": results,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the trial and store its figures."""
    parser = argparse.ArgumentParser(description="The trial of spotting with known truth.")
    parser.add_argument("--out", type=Path, default=STORED, help="folder to write into")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument(
        "--only", help="rows of this word alone; the others stay as they are stored"
    )
    options = parser.parse_args(arguments)
    out = options.out
    named = [row for row in rows() if not options.only or options.only in row.name]
    result = run(only=named, workers=options.workers)
    if options.only:
        stored = json.loads((out / "trial.json").read_text(encoding="utf-8"))
        result["rows"] = _with_new_rows(stored["rows"], result["rows"])
    write_whole(out / "trial.json", (json.dumps(result, indent=1) + "\n").encode())
    write_whole(out / "trial.md", markdown(result).encode())
    print(out)


def _with_new_rows(stored: list[Tree], new: list[Tree]) -> list[Tree]:
    """Put rows in the place of stored ones of the same way, rate and drift."""
    by_key = {(row["way"], row["fps"], row["drift_px"]): row for row in [*stored, *new]}
    return list(by_key.values())


def markdown(result: Tree) -> str:
    """Return the figures as a table, right / false / missed at each threshold."""
    lines = [
        "# Spotting trial with known truth (synthetic)",
        "",
        f"{result['events']} events: {result['drawn']}. Right: {result['right']}.",
        "",
        "| way | face px | fps | head | threshold | right | false | missed | F1 |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in result["rows"]:
        head = "still" if not row["drift_px"] else f"drifts by {row['drift_px']:g} px"
        for share, counts in row["by_threshold"].items():
            mark = " (default)" if float(share) == row["default_threshold"] else ""
            lines.append(
                f"| {row['way']} | {row['face_px']} | {row['fps']:g} | {head} | {share}{mark} "
                f"| {counts['true_positives']} | {counts['false_positives']} "
                f"| {counts['false_negatives']} | {counts['f1']:.2f} |"
            )
    return "\n".join(lines) + "\n"


def _counts(drawn: DrawnRecording, spotting: Spotting, share: float) -> Counts:
    options = spotting.options.model_copy(update={"threshold": share})
    curve = spotting.curve
    spans = spans_of(curve.contrast, curve.half, curve.rate, options)
    spotted = [Annotation("", int(curve.frame[s.first]), int(curve.frame[s.last])) for s in spans]
    true = [Annotation("", event.onset, event.offset) for event in drawn.events]
    return count(spotted, true)


def _count_task(task: tuple[Row, int]) -> dict[float, Counts]:
    """Do one task of a worker process, and say what came out."""
    row, seed = task
    counts = count_recording(row, seed)
    head = "still" if not row.drift else f"drift {row.drift:g} px"
    print(f"{row.name}, {row.fps:g} fps, {head}, seed {seed}: {counts}", flush=True)
    return counts


if __name__ == "__main__":
    main()
