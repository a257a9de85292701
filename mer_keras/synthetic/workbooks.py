"""Annotation workbooks of the synthetic databases."""

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path


def write_workbook(path: Path, sheets: Mapping[str, Sequence[Sequence[object]]]) -> None:
    """Write rows as they are, with the same bytes at any time on any machine.

    Args:
        path: an .xlsx file.
        sheets: name -> rows of cells, in the order of the book.
    """
    from openpyxl import Workbook

    book = Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    raw = io.BytesIO()
    book.save(raw)
    # A workbook carries the time of writing, in its properties and in each entry of the archive.
    with zipfile.ZipFile(raw) as entries, zipfile.ZipFile(path, "w") as out:
        for name in entries.namelist():
            data = entries.read(name)
            if name == "docProps/core.xml":
                data = re.sub(rb"\d{4}-\d\d-\d\dT[\d:.]+Z", b"2000-01-01T00:00:00Z", data)
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            out.writestr(entry, data, zipfile.ZIP_DEFLATED)
