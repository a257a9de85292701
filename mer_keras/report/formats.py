"""Tables as CSV, LaTeX and JSON, pages from templates, and text that is safe in each."""

import csv
import html
import io
import re
from functools import cache
from typing import TYPE_CHECKING

from mer_keras.terms import WATERMARK

if TYPE_CHECKING:
    from jinja2 import Environment

    from mer_keras.report.tables import Table

#: Characters at the beginning of a cell that make a spreadsheet run it.
_FORMULA = ("=", "+", "-", "@")
#: A number with a sign, which is no formula, and perhaps its interval.
_SIGNED = re.compile(r"[+-]\d[\d.]*( \[[^\]=@]*\])?")
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
    }
)


def as_csv(table: "Table") -> str:
    """Return a table as CSV text; the first column is the kind of data."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["data_kind", *map(_harmless, table.header)])
    writer.writerows([table.data_kind, *map(_harmless, row)] for row in table.rows)
    return buffer.getvalue()


def as_latex(table: "Table") -> str:
    """Return a table as a LaTeX ``table`` with booktabs; the caption holds the kind of data."""
    return render("table.tex.j2", table=table)


def as_json(table: "Table") -> dict[str, object]:
    """Return a table JSON-ready, without its run."""
    keys = ("name", "title", "data_kind", "caption", "header", "rows", "notes")
    return {key: getattr(table, key) for key in keys}


def render(template: str, **values: object) -> str:
    """Fill a template of this package; what users wrote is escaped in pages for browsers.

    Templates of markdown and LaTeX escape by the filters ``cell`` and ``latex``.
    """
    return _environment().get_template(template).render(values, watermark=WATERMARK)


def latex_text(text: str) -> str:
    """Escape what LaTeX would read as a command."""
    return text.translate(_LATEX)


def markdown_text(text: str) -> str:
    """Escape what markdown would read as a cell's end or as HTML."""
    return html.escape(text, quote=False).replace("|", "\\|").replace("\n", " ")


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=PackageLoader("mer_keras.report"),
        # Users choose names of clips, classes and rows, so these are escaped for browsers.
        autoescape=select_autoescape(enabled_extensions=("html.j2",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"cell": markdown_text, "latex": latex_text}
    return environment


def _harmless(cell: str) -> str:
    """Make a cell harmless in a spreadsheet."""
    if cell == "-" or not cell.startswith(_FORMULA) or _SIGNED.fullmatch(cell):
        return cell
    return f"'{cell}"
