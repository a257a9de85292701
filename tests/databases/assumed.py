"""Tables of which no row is known: CASME and MMEW, as public loaders read them.

Headers, forms of names and published counts are the real ones; all rows are filled in.
"""

from itertools import cycle
from pathlib import Path

from tests.databases.official import listed
from tests.databases.trees import write_frames, write_xlsx

#: Clips of CASME that MERANet counts; what the others show is not known, but 193 there are.
CASME_COUNTED = {"disgust": 34, "repression": 36, "tense": 45}
CASME_OTHERS = ["surprise", "happiness", "sadness", "contempt", "fear"]
CASME_ROWS = 193
CASME_HEADER = [
    "Subject", "Filename", None, "OnsetF", "ApexF1", "ApexF2", "OffsetF", None, "Onset", "Total",
    "AU", "Emotion",
]  # fmt: skip

MMEW_EMOTIONS = {
    "happiness": ("01", 36), "surprise": ("02", 89), "anger": ("03", 8), "disgust": ("04", 72),
    "fear": ("05", 16), "sadness": ("06", 13), "others": ("07", 66),
}  # fmt: skip
MMEW_HEADER = [
    "Subject", "Filename", "OnsetFrame", "ApexFrame", "OffsetFrame", "Action Units",
    "Estimated Emotion", "remarks",
]  # fmt: skip


def write_casme(root: Path) -> Path:
    """193 rows of 19 subjects; some clips of a counted emotion are shorter than 16 frames."""
    emotions = listed(CASME_COUNTED)
    short_from = len(emotions)
    others = cycle([*CASME_OTHERS, "tense"])
    emotions += [next(others) for _ in range(CASME_ROWS - len(emotions))]
    subjects, rows = cycle(range(1, 20)), []
    for take, emotion in enumerate(emotions, start=1):
        subject, onset = next(subjects), 20 + take
        length = 10 if take > short_from and emotion == "tense" else 20
        name, apex, offset = f"EP{take % 13 + 1:02d}_{take}", onset + 5, onset + length - 1
        # The first half of the table has unpadded numbers, the second half three digits.
        number = "{}" if take <= CASME_ROWS // 2 else "{:03d}"
        frames = root / "Cropped" / f"sub{subject:02d}" / name
        write_frames(frames, f"reg_{name}-{number}.jpg", onset, offset, apex)
        marks = [onset, apex, "\\" if take % 3 else apex + 1, offset]
        rows.append([subject, name, None, *marks, None, 1, length, "4+7", emotion])
    write_xlsx(root / "CASME-coded-20190721.xlsx", [CASME_HEADER, *rows])
    return root


def write_mmew(root: Path) -> Path:
    """300 rows of 36 subjects; a clip's frames count from 1."""
    rows = []
    for emotion, (code, count) in MMEW_EMOTIONS.items():
        subjects = cycle(range(1, 37))
        for take in range(1, count + 1):
            name = f"S{next(subjects):02d}-{code}-{take:03d}"
            write_frames(root / "Micro_Expression" / emotion / name, "{}.jpg", 1, 30, 15)
            rows.append([int(name[1:3]), name, 1, 15, 30, "4", emotion, None])
    write_xlsx(root / "MMEW_Micro_Exp.xlsx", [MMEW_HEADER, *rows])
    return root
