"""Speed of reading large lists of clips and large folders."""

from collections.abc import Callable
from pathlib import Path

from mer_keras.bench.case import CaseOptions
from mer_keras.bench.measure import Measurement, time_ways
from mer_keras.clips.added import check_footage
from mer_keras.clips.frames import list_frames
from mer_keras.databases.loading import finish
from mer_keras.databases.readers import manifest
from mer_keras.terms import DataKind

#: Rows of the list, each a clip of its own within one recording.
ROWS = 10_000
#: Frames of the recording.
FRAMES = 100_000


def read(options: CaseOptions) -> list[Measurement]:
    """Read 10,000 rows about a folder of 100,000 frames, list it, and check what is annotated."""
    rows, frames = (ROWS // 50, FRAMES // 50) if options.quick else (ROWS, FRAMES)
    root = _write(options.folder / "lab", rows, frames)
    repeats = 1 if options.quick else 3
    reading = manifest.read(root, "lab")
    of_rows: dict[str, Callable[[], object]] = {
        "table and folders": lambda: finish(manifest.read(root, "lab"), DataKind.OWN),
        "frame numbers and content, as data add": lambda: check_footage(reading),
    }
    of_frames: dict[str, Callable[[], object]] = {
        "list of frames": lambda: list_frames(root / "recording")
    }
    return [
        *time_ways(f"reading {rows:,} rows about {frames:,} frames", of_rows, rows, repeats),
        *time_ways(f"listing a folder of {frames:,} frames", of_frames, frames, repeats),
    ]


def _write(root: Path, rows: int, frames: int) -> Path:
    """Write a list of clips that follow each other in one recording; no image is decoded."""
    recording = root / "recording"
    recording.mkdir(parents=True)
    for number in range(frames):
        # Images differ in size, as real ones do.
        (recording / f"img{number}.jpg").write_bytes(bytes(number % 1009))
    length = frames // rows
    lines = ["sample,subject,path,onset,apex,offset,emotion"]
    for row in range(rows):
        onset = row * length
        lines.append(f"c{row},p{row % 100},recording,{onset},{onset + 3},{onset + length - 1},fear")
    (root / manifest.TABLE).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return root
