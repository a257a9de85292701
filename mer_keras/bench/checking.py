"""``mer-keras data check`` on lists of up to a million rows and on up to 100,000 files.

A million clips have no files of their own here: the rows of a list are all different intervals of
one recording, a folder of a few thousand small images. So what is measured is the list: reading,
checking, the table of samples. Its checks look at every row, and at each folder once, as they do
where every clip has a folder; ``check_files`` measures the folders.
"""

import contextlib
import io
import os
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from mer_keras.bench.case import CaseOptions
from mer_keras.bench.isolation import call_in_process
from mer_keras.bench.measure import Measurement, Timing, time_sizes, timed
from mer_keras.bench.memory import peak_memory
from mer_keras.databases import own
from mer_keras.databases.readers import manifest

#: Rows of the lists.
ROWS, QUICK_ROWS = (10_000, 100_000, 1_000_000), (1_000, 10_000)
#: Files of the databases.
FILES, QUICK_FILES = (1_000, 10_000, 100_000), (500, 5_000)
#: Frames of the one recording: it has more intervals than the longest list has rows.
_FRAMES = 2_000
_FRAMES_OF_CLIP, _CLIPS_OF_SUBJECT = 50, 20
_EMOTIONS = ("happiness", "surprise", "disgust", "fear", "sadness")


def check_list(options: CaseOptions) -> list[Measurement]:
    """Check longer and longer lists of own data: a plain script, and ``mer-keras data check``."""
    sizes = QUICK_ROWS if options.quick else ROWS
    for rows in sizes:
        table = _write_list(options.folder / f"list-{rows}", rows)
        own.add(f"list_{rows}", table)

    def plainly(rows: int) -> Timing:
        return call_in_process(
            _timed, partial(_check_plainly, options.folder / f"list-{rows}"), options.quick
        )

    def check(rows: int) -> Timing:
        return call_in_process(_timed, partial(_data_check, f"list_{rows}"), options.quick)

    return _side_by_side("data check of a list", "rows", sizes, plainly, check)


def check_files(options: CaseOptions) -> list[Measurement]:
    """Check larger and larger databases: a walk over all files, and ``mer-keras data check``.

    With ``--frames`` every image is decoded, so that it stands apart.
    """
    sizes = QUICK_FILES if options.quick else FILES
    for files in sizes:
        root = _write_files(options.folder / f"files-{files}", files)
        own.add(f"files_{files}", root)

    def walk(files: int) -> Timing:
        return call_in_process(
            _timed, partial(_walk, options.folder / f"files-{files}"), options.quick
        )

    def check(*choices: str, files: int) -> Timing:
        return call_in_process(
            _timed, partial(_data_check, f"files_{files}", *choices), options.quick
        )

    return [
        *_side_by_side(
            "data check of a database", "files", sizes, walk, lambda files: check(files=files)
        ),
        *time_sizes(
            "data check --frames of a database",
            "mer_keras",
            "files",
            sizes[:2],
            lambda files: check("--frames", files=files),
        ),
    ]


def _side_by_side(
    work: str,
    name: str,
    sizes: tuple[int, ...],
    plainly: Callable[[int], Timing],
    check: Callable[[int], Timing],
) -> list[Measurement]:
    """Measure a plain script and the suite at each size, then the exponent of each."""
    return [
        *time_sizes(work, "plain script", name, sizes, plainly),
        *time_sizes(work, "mer_keras", name, sizes, check),
    ]


def _timed(function: Callable[[], object], quick: bool) -> Timing:
    """Time a function in this process, and return its peak memory in MiB too."""
    function()  # The first call imports modules, which isn't timed.
    return timed(function, 1 if quick else 3, budget=60), peak_memory()


def _data_check(name: str, *choices: str) -> None:
    from mer_keras.cli.main import app

    with contextlib.redirect_stdout(io.StringIO()):
        app(["data", "check", name, *choices], standalone_mode=False)


def _check_plainly(folder: Path) -> None:
    """What a script of few lines says of a list: counts, repeated rows, order of the frames.

    Raises:
        ValueError: the list is not as it was written.
    """
    table = pd.read_csv(folder / manifest.TABLE)
    in_order = (table["onset"] <= table["apex"]) & (table["apex"] <= table["offset"])
    repeated = table.duplicated(["path", "onset", "offset"])
    absent = [path for path in table["path"].unique() if not any((folder / path).iterdir())]
    if not in_order.all() or repeated.any() or absent or table["sample"].duplicated().any():
        raise ValueError(f"{folder}: other rows than were written")
    table.groupby("emotion")["subject"].agg(["size", "nunique"])


def _walk(root: Path) -> None:
    """Look at the name of every file below a folder."""
    amount = sum(len(files) for _, _, files in os.walk(root))
    if not amount:
        raise ValueError(f"{root}: no file")


def _write_list(root: Path, rows: int) -> Path:
    """Write a list of clips, each another interval of one recording; no image is decoded."""
    recording = root / "recording"
    recording.mkdir(parents=True)
    for number in range(_FRAMES):
        (recording / f"img{number}.jpg").write_bytes(bytes(number % 1009))
    table = root / manifest.TABLE
    with table.open("w", encoding="utf-8") as file:
        file.write("sample,subject,path,onset,apex,offset,emotion,fps\n")
        for row, (onset, offset) in enumerate(islice(_intervals(), rows)):
            subject, emotion = f"p{row % 1000}", _EMOTIONS[row % len(_EMOTIONS)]
            apex = (onset + offset) // 2
            file.write(f"c{row},{subject},recording,{onset},{apex},{offset},{emotion},200\n")
    return table


def _intervals() -> Iterator[tuple[int, int]]:
    """Yield all intervals of the recording, the short ones first."""
    for length in range(1, _FRAMES):
        for onset in range(_FRAMES - length):
            yield onset, onset + length


def _write_files(root: Path, files: int) -> Path:
    """Write a database of small images of noise: ``<subject>/<emotion>/<clip>/<frame>.jpg``."""
    random = np.random.default_rng(0)
    pictures = [
        cv2.imencode(".jpg", random.integers(0, 255, (48, 48), dtype=np.uint8))[1].tobytes()
        for _ in range(997)
    ]
    for number in range(files):
        clip, frame = divmod(number, _FRAMES_OF_CLIP)
        subject, emotion = clip // _CLIPS_OF_SUBJECT, _EMOTIONS[clip % len(_EMOTIONS)]
        folder = root / f"p{subject:03}" / emotion / f"clip{clip}"
        if frame == 0:
            folder.mkdir(parents=True)
        # Clips differ in their content, since 997 is no multiple of their length.
        (folder / f"{frame}.jpg").write_bytes(pictures[number % len(pictures)])
    return root
