"""Text that is safe in a spreadsheet, in LaTeX and in markdown."""

import csv
import io

import pytest

from mer_keras.report.formats import as_csv, as_latex, latex_text, markdown_text
from mer_keras.report.tables import Table
from mer_keras.terms import WATERMARK


def table(*rows, kind="licensed"):
    records = [dict(zip(("method", "UF1_x"), row, strict=True)) for row in rows]
    return Table("n", "Title", kind, "24 clips, 95 %", records, ("a note",))


@pytest.mark.parametrize("cell", ["=1+1", "+cmd|x", "@SUM(1)", "-2+3+cmd|' /C calc'!A0", "+1.2=x"])
def test_fault_13_formulas_are_disarmed(cell):
    line = list(csv.reader(io.StringIO(as_csv(table((cell, "1"))))))[1]
    assert line == ["licensed", f"'{cell}", "1"]


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
