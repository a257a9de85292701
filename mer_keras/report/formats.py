"""Tables as CSV, LaTeX and JSON, and text that is safe in each."""

import csv
import io
import re

from mer_keras.report.tables import Table
from mer_keras.terms import WATERMARK

#: Characters at the beginning of a cell that make a spreadsheet run it.
_FORMULA = ("=", "+", "-", "@")
#: A number with a sign, which is no formula, and perhaps its interval.
_SIGNED = re.compile(r"[+-]\d[\d.]*( \[[^\]=@]*\])?")
#: What is written in LaTeX for characters that it would read as commands.
_LATEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "±": r"$\pm$",
    "†": r"$\dagger$",
    "‡": r"$\ddagger$",
}


def as_csv(table: Table) -> str:
    """Return a table as CSV text; the first column is the kind of data."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["data_kind", *map(_harmless, table.header)])
    for row in table.rows:
        writer.writerow([table.data_kind, *map(_harmless, row)])
    return buffer.getvalue()


def as_latex(table: Table) -> str:
    """Return a table as a LaTeX ``table`` with booktabs; the caption holds the kind of data."""
    caption = f"{WATERMARK}. {table.caption}" if table.synthetic else table.caption
    lines = [
        r"% needs \usepackage{booktabs}",
        r"\begin{table}",
        rf"\caption{{{latex_text(table.title)}: {latex_text(caption)}.}}",
        rf"\begin{{tabular}}{{{'l' * len(table.header)}}}",
        r"\toprule",
        " & ".join(map(latex_text, table.header)) + r" \\",
        r"\midrule",
        *(" & ".join(map(latex_text, row)) + r" \\" for row in table.rows),
        r"\bottomrule",
        r"\end{tabular}",
        *(rf"\par [{i}] {latex_text(note)}" for i, note in enumerate(table.notes, start=1)),
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def as_json(table: Table) -> dict[str, object]:
    """Return a table JSON-ready."""
    return {
        "name": table.name,
        "title": table.title,
        "data_kind": table.data_kind,
        "caption": table.caption,
        "header": table.header,
        "rows": table.rows,
        "notes": table.notes,
    }


def latex_text(text: str) -> str:
    """Escape what LaTeX would read as a command."""
    return "".join(_LATEX.get(character, character) for character in text).replace("\n", " ")


def markdown_text(text: str) -> str:
    """Escape what markdown would read as a cell's end or as HTML."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped.replace("|", "\\|").replace("\n", " ")


def _harmless(cell: str) -> str:
    """Make a cell harmless in a spreadsheet."""
    if cell == "-" or not cell.startswith(_FORMULA) or _SIGNED.fullmatch(cell):
        return cell
    return f"'{cell}"
