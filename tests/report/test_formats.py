"""Text that is safe in a spreadsheet, in LaTeX and in markdown."""

import csv
import io
import re

import pytest

from mer_keras.report.formats import (
    as_csv,
    as_json,
    as_latex,
    latex_text,
    markdown_text,
    numeric_columns,
)
from mer_keras.report.table import Table, without_empty_columns
from mer_keras.terms import WATERMARK


def table(*rows, kind="licensed"):
    records = [dict(zip(("method", "UF1_x"), row, strict=True)) for row in rows]
    return Table("n", "Title", kind, "24 clips, 95 %", records, ("a note",))


@pytest.mark.parametrize("cell", ["=1+1", "+cmd|x", "@SUM(1)", "-2+3+cmd|' /C calc'!A0", "+1.2=x"])
def test_fault_13_formulas_are_disarmed(cell):
    line = list(csv.reader(io.StringIO(as_csv(table((cell, "1"))))))[1]
    assert line == ["licensed", f"'{cell}", "1"]


@pytest.mark.parametrize(
    "cell",
    [
        *(
            "\t=1+1",
            "\r=1+1",
            " =1+1",
            "\u00a0=1",
            "\n@x",
            "\uff1d1+1",
            "\uff0b1",
            "\uff0d1",
            "\uff20x",
        ),
        *("\x00=1", "\ufeff=1", "\u200b@x", "\x1b=1", "+1 [cmd|x]"),
    ],
)
def test_fault_69_formulas_behind_blanks_or_in_full_width_are_disarmed(cell):
    line = list(csv.reader(io.StringIO(as_csv(table((cell, "1"))))))[1]
    assert line == ["licensed", "'" + cell.replace("\r", "\n"), "1"]


@pytest.mark.parametrize("cell", ["[1] first", "* best", "  [x]", "\n[x]"])
def test_fault_69_a_latex_cell_is_no_argument_of_the_line_before(cell):
    """``\\\\ [1cm]`` is a distance between lines, and ``\\\\*`` a line without a page break."""
    text = as_latex(table(("a", "1"), (cell, "2")))
    body = text.split(r"\midrule")[1].split(r"\bottomrule")[0]
    assert not re.search(r"(\\\\|^)\s*[\[*]", body)
    assert latex_text("a [1]") == "a [1]"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\r| b |\r\nc", "a \\| b \\| c"),
        ("![x](http://evil/x.png)", "!\\[x]\\(http://evil/x.png)"),
        ("[x](javascript:y)", "[x]\\(javascript:y)"),
        ("\x1b[2J\u202eb", "\ufffd[2J\ufffdb"),
        ("64.83 [57.0, 71.6]", "64.83 [57.0, 71.6]"),
    ],
)
def test_fault_69_a_markdown_cell_has_no_lines_links_or_pictures(text, shown):
    assert markdown_text(text) == shown


def test_columns_that_say_nothing_are_left_out():
    header, rows = without_empty_columns(
        ("a", "b", "c", "d"), [("-", "-", "1", ""), ("", "", "-", "-")]
    )
    assert header == ("a", "c")
    assert rows == (("-", "1"), ("", "-"))
    assert without_empty_columns(("a", "b"), []) == (("a",), ())


def test_files_for_programs_keep_every_column():
    wide = Table("n", "T", "public", "c", ({"method": "x", "verdict": "-", "UF1": "1"},))
    assert wide.header == ("method", "UF1")
    assert as_csv(wide).splitlines()[0] == "data_kind,method,verdict,UF1"
    assert as_json(wide)["header"] == ["method", "verdict", "UF1"]
    assert "verdict" not in as_latex(wide)


@pytest.mark.parametrize("cell", ["-", "-1.89 [-7.1, +2.9]", "+8.3", "12.0 [1.0, 2.0]", "a-b"])
def test_numbers_and_dashes_stay(cell):
    assert list(csv.reader(io.StringIO(as_csv(table((cell, "1"))))))[1][1] == cell


def test_latex_is_escaped():
    assert latex_text(r"50 % & a_b {x} \input{y} $1 #2 ~ ^ <") == (
        r"50 \% \& a\_b \{x\} \textbackslash{}input\{y\} \$1 \#2 \textasciitilde{} "
        r"\textasciicircum{} \textless{}"
    )


def test_a_latex_table_has_as_many_cells_as_columns():
    text = as_latex(table(("a & b", "1"), ("c", "2")))
    body = text.split(r"\midrule")[1].split(r"\bottomrule")[0].strip().splitlines()
    assert [line.replace(r"\&", "").count("&") for line in body] == [1, 1]
    assert r"\begin{tabular}{ll}" in text
    assert r"\caption{Title: 24 clips, 95 \%.}" in text
    assert "[1] a note" in text


def test_synthetic_latex_bears_the_watermark():
    assert WATERMARK in as_latex(table(("a", "1"), kind="synthetic"))
    assert WATERMARK not in as_latex(table(("a", "1")))


def test_markdown_cells_end_where_they_should():
    assert markdown_text("a|b\n<i>&") == r"a\|b &lt;i&gt;&amp;"


def test_columns_of_numbers_are_known():
    header = ("method", "UF1", "parameters", "verdict", "power", "empty")
    rows = [
        ("A", "61.72 [50.5, 71.7]", "1,158,083", "UAR: lower", "21%", "-"),
        ("B", "INCOMPLETE 3/4", "-", "2 lower", "100%", ""),
        ("C", "78.33 = UAR [1]", "4", "-", "5%", "-"),
    ]
    assert numeric_columns(header, rows) == [False, True, True, False, True, False]
