"""Small files in the official layouts, for tests to write."""

from pathlib import Path

from openpyxl import Workbook

IMAGE = b"an image, to those who look only at names"


def touch(path: Path, content: bytes = IMAGE) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


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
