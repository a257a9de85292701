"""Small files in the official layouts, for tests to write."""

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from openpyxl import Workbook

IMAGE = b"an image, to those who look only at names"


def touch(path: Path, content: bytes = IMAGE) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


@lru_cache
def picture(suffix: str, seed: int, side: int = 32) -> bytes:
    """An encoded picture of noise in colour."""
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8)
    return cv2.imencode(suffix, pixels)[1].tobytes()


def write_frames(folder: Path, name: str, onset: int, offset: int, apex: int) -> None:
    """Write three frames of a clip: the same three pictures for every clip.

    What is computed of a clip is then computed once, since results are kept by content.
    """
    for seed, number in enumerate((onset, apex, offset)):
        if onset <= number <= offset:
            touch(folder / name.format(number), picture(Path(name).suffix, seed))


def write_xlsx(path: Path, rows, sheet="Sheet1", empty_sheet_first=False) -> Path:
    book = Workbook()
    page = book.active
    page.title = sheet
    for row in rows:
        page.append(list(row))
    if empty_sheet_first:
        book.create_sheet("Empty", 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)
    return path


def write_book(path: Path, sheets) -> Path:
    """Write a workbook of several sheets: name -> rows."""
    book = Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        page = book.create_sheet(name)
        for row in rows:
            page.append(list(row))
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)
    return path
