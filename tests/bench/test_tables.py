"""What is printed and written."""

from mer_keras.bench.measure import Measurement
from mer_keras.bench.tables import HEADER, as_markdown, as_text, by_reason, facts_text, number

ROWS = [
    Measurement("work", "plain", (2.0, 4.0, 3.0), pieces=6, peak_mib=100),
    Measurement("work", "ours", (1.0,), pieces=6, facts={"UF1": 0.71234, "from": "2 and 10"}),
    Measurement("a | b", "slope", facts={"exponent": 0.98}),
]


def test_table_for_the_terminal_has_a_line_a_row():
    lines = as_text(ROWS).splitlines()
    assert len(lines) == 4
    assert "3.000  2.000  4.000  3" in lines[1] and lines[1].split()[-1] == "100"
    assert "3.00" in lines[2] and lines[2].endswith("UF1 0.712, from 2 and 10")
    assert lines[3].endswith("exponent 0.98")


def test_markdown_has_as_many_cells_in_every_row():
    text = as_markdown(
        ROWS, {"x": "no GPU", "y": "no GPU"}, {"device": "2 CPU cores", "v": {"a": 1}}
    )
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len(table) == 2 + len(ROWS)
    assert {line.count("|") for line in table} == {len(HEADER) + 1}
    assert "- no GPU: x, y" in text
    assert "- device: 2 CPU cores" in text and "- v: a 1" in text


def test_numbers_need_no_powers_of_ten():
    assert [number(v) for v in (None, 0.01234, 12.34, 1234.5)] == ["-", "0.012", "12.3", "1,234"]
    assert facts_text({"n": 3, "share": 0.123456, "of": "all"}) == "n 3, share 0.123, of all"


def test_reasons_stand_once():
    assert by_reason({"a": "x", "b": "y", "c": "x"}) == {"x": ["a", "c"], "y": ["b"]}
