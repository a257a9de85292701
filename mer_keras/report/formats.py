"""Tables as CSV, LaTeX and JSON, pages from templates, and text that is safe in each."""

import csv
import html
import io
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from mer_keras.databases.cells import harmless
from mer_keras.errors import ResultsError
from mer_keras.names import shown
from mer_keras.report.drawing import themed
from mer_keras.report.table import EMPTY_CELLS, Table
from mer_keras.terms import WATERMARK
from mer_keras.whole_files import write_whole

if TYPE_CHECKING:
    from jinja2 import Environment

#: A cell that begins with a number and says little more, or says why there is none.
_NUMBER = re.compile(r"INCOMPLETE|[+-]?\d[\d.,]*%?( .{1,30})?$")
#: What is written in LaTeX for characters that it would read as commands.
_LATEX = str.maketrans(
    {character: f"\\{character}" for character in "{}&%$#_"}
    | {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "±": r"$\pm$",
        "†": r"$\dagger$",
        "‡": r"$\ddagger$",
        "\n": " ",
        "\r": " ",
    }
)


def write_texts(files: Mapping[str, str], folder: Path) -> list[Path]:
    """Write texts into a folder, each whole or not at all; return their paths.

    Args:
        files: name within the folder -> text.
        folder: created if absent; files of the same names are replaced.

    Raises:
        ResultsError: a file can't be written; what stood there before still does.
    """
    paths = []
    for name, text in files.items():
        path = folder / name
        try:
            write_whole(path, text.encode())
        except OSError as error:
            raise ResultsError(f"{path}: can't be written: {error.strerror or error}") from error
        paths.append(path)
    return paths


def numeric_columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[bool]:
    """Which columns hold numbers alone, perhaps with an interval or a short remark.

    Args:
        header: names of the columns.
        rows: cells, as many as columns in each row.
    """
    columns = [[row[number] for row in rows] for number in range(len(header))]
    return [
        any(cell not in EMPTY_CELLS for cell in column)
        and all(cell in EMPTY_CELLS or _NUMBER.match(cell) for cell in column)
        for column in columns
    ]


def as_csv(table: "Table") -> str:
    """Return a table as CSV text; the first column is the kind of data.

    It has all columns of its kind of table, empty ones too: whoever reads many such files finds
    the same columns in each.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["data_kind", *map(harmless, table.records[0])])
    writer.writerows([table.data_kind, *map(harmless, cells.values())] for cells in table.records)
    return buffer.getvalue()


def as_latex(table: "Table") -> str:
    """Return a table as a LaTeX ``table`` with booktabs; the caption holds the kind of data."""
    return render("table.tex.j2", table=table)


def as_json(table: "Table") -> dict[str, object]:
    """Return a table JSON-ready, without its run; with all columns, as in CSV."""
    keys = ("name", "title", "data_kind", "caption", "notes")
    return {
        **{key: getattr(table, key) for key in keys},
        "header": list(table.records[0]),
        "rows": [list(cells.values()) for cells in table.records],
    }


def render(template: str, **values: object) -> str:
    """Fill a template of this package; what users wrote is escaped in pages for browsers.

    Templates of markdown and LaTeX escape by the filters ``cell`` and ``latex``.
    """
    return _environment().get_template(template).render(values, watermark=WATERMARK)


def latex_text(text: str) -> str:
    """Escape what LaTeX would read as a command.

    A bracket or star at the beginning would belong to the line break or rule before it.
    """
    escaped = text.translate(_LATEX)
    return f"{{}}{escaped}" if escaped.lstrip().startswith(("[", "*")) else escaped


def markdown_text(text: str) -> str:
    """Escape what markdown would read as a cell's end, as HTML, as a link or as a picture."""
    escaped = html.escape(shown(text), quote=False).replace("|", "\\|").replace("\n", " ")
    return escaped.replace("](", "]\\(").replace("![", "!\\[")


def _finalized(value: object) -> object:
    """What a template shows of a value; drawings and what was escaped are as they should be."""
    return shown(value) if type(value) is str else value


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=PackageLoader("mer_keras.report"),
        # Users choose names of clips, classes and rows, so these are escaped for browsers.
        autoescape=select_autoescape(enabled_extensions=("html.j2",)),
        undefined=StrictUndefined,
        finalize=_finalized,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"cell": markdown_text, "latex": latex_text, "themed": themed}
    environment.globals["numeric_columns"] = numeric_columns
    return environment
