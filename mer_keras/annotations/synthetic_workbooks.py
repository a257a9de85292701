"""Annotation workbooks of the synthetic databases, in the official formats."""

import io
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mer_keras.annotations.synthetic_plans import ClipPlan

SAMM_WORKBOOK = "SAMM_Micro_FACS_Codes_v2.xlsx"
MMEW_WORKBOOK = "MMEW_Micro_Exp.xlsx"
_SAMM_TEXT = (
    "Synthetic stand-in for the SAMM coding table",
    "Procedural faces: no person was recorded and no real annotation was copied.",
    "Subject: three digits, to be read as text.",
    "Filename: subject, inducement and running number.",
    "Inducement Code: which film was shown, 1 to 7.",
    "Onset, Apex, Offset Frame: frame numbers of the whole recording, both ends inclusive.",
    "Duration: number of frames from onset to offset.",
    "Frame rate: 200 frames per second.",
    "Micro: all rows are micro-expressions.",
    "Action Units: L and R mark movements of one side.",
    "Estimated Emotion: the emotion whose prototype was drawn.",
    "Objective Classes: I to VII, by action units.",
    "The table starts below.",
)
_SAMM_HEADER = (
    "Subject",
    "Filename",
    "Inducement Code",
    "Onset Frame",
    "Apex Frame",
    "Offset Frame",
    "Duration",
    "Micro",
    "Action Units",
    "Estimated Emotion",
    "Objective Classes",
    "Notes",
)
_MMEW_HEADER = (
    "Subject",
    "Filename",
    "OnsetFrame",
    "ApexFrame",
    "OffsetFrame",
    "Action Units",
    "Estimated Emotion",
    "remarks",
)


def write_samm_workbook(path: Path, clips: Sequence[ClipPlan]) -> None:
    """Write SAMM's table: lines of text, then the header in row 14, then one row a clip."""
    rows = [
        (
            plan.subject,
            plan.clip,
            plan.inducement,
            plan.onset,
            plan.apex,
            plan.offset,
            plan.offset - plan.onset + 1,
            "Micro - 1/2",
            plan.units_text,
            plan.emotion.capitalize(),
            plan.objective,
            None,
        )
        for plan in clips
    ]
    text = [(line,) for line in _SAMM_TEXT]
    _write_workbook(path, "MICRO_ONLY", [*text, _SAMM_HEADER, *rows])


def write_mmew_workbook(path: Path, clips: Sequence[ClipPlan]) -> None:
    """Write MMEW's table: a header, then one row a clip."""
    rows = [
        (
            plan.subject,
            plan.clip,
            plan.onset,
            plan.apex,
            plan.offset,
            plan.units_text,
            plan.emotion,
            None,
        )
        for plan in clips
    ]
    _write_workbook(path, "Sheet1", [_MMEW_HEADER, *rows])


def _write_workbook(path: Path, sheet: str, rows: Sequence[Sequence[Any]]) -> None:
    """Write rows as they are, with the same bytes at any time on any machine."""
    from openpyxl import Workbook

    book = Workbook()
    page = book.active
    page.title = sheet
    for row in rows:
        page.append(row)
    raw = io.BytesIO()
    book.save(raw)
    # a workbook carries the time of writing, in its properties and in each entry of the archive
    with zipfile.ZipFile(raw) as entries, zipfile.ZipFile(path, "w") as out:
        for name in entries.namelist():
            data = entries.read(name)
            if name == "docProps/core.xml":
                data = re.sub(rb"\d{4}-\d\d-\d\dT[\d:.]+Z", b"2000-01-01T00:00:00Z", data)
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            out.writestr(entry, data, zipfile.ZIP_DEFLATED)
