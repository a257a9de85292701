"""What is printed and written."""

import re

from mer_keras.bench.measure import Measurement
from mer_keras.bench.tables import HEADER, as_markdown, facts_text, number

ROWS = [
    Measurement("work", "plain", (2.0, 4.0, 3.0), pieces=6, peak_mib=100),
    Measurement("work", "ours", (1.0,), pieces=6, facts={"UF1": 0.71234, "from": "2 and 10"}),
    Measurement("a | b", "slope", facts={"exponent": 0.98}),
]


def test_markdown_has_a_line_a_row_in_columns_of_equal_width():
    description = {"device": "2 CPU cores", "v": {"a": 1, "b": 2}}
    text = as_markdown(ROWS, {"x": "no GPU", "z": "too slow", "y": "no GPU"}, description)
    lines = text.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("|"))
    table = lines[first : first + 2 + len(ROWS)]
    assert {line.count("|") for line in table} == {len(HEADER) + 1}
    assert len({len(line) for line in table}) == 1
    assert lines[first - 1] == "" and lines[first + 2 + len(ROWS) :] == [
        "",
        "Not measured:",
        "",
        "- no GPU: x, y",
        "- too slow: z",
    ]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table]
    assert cells[0] == list(HEADER)
    assert all(re.fullmatch("--+[-:]", cell) for cell in cells[1])
    assert [cell.endswith(":") for cell in cells[1]] == [2 <= column <= 8 for column in range(10)]
    assert cells[2][2:9] == ["3.000", "2.000", "4.000", "3", "2.000", "1.00", "100"]
    assert cells[3][7] == "3.00" and cells[3][-1] == "UF1 0.712, from 2 and 10"
    assert cells[4][0] == "a / b" and cells[4][2:9] == ["-"] * 7
    assert lines[first - 3 : first - 1] == ["- device: 2 CPU cores", "- v: a 1, b 2"]


def test_markdown_says_nothing_of_cases_not_measured_where_there_are_none():
    assert as_markdown(ROWS, {}, {}).splitlines()[-1].startswith("| a / b")


def test_numbers_need_no_powers_of_ten():
    assert [number(v) for v in (None, 0.01234, 12.34, 1234.5)] == ["-", "0.012", "12.3", "1,234"]
    assert facts_text({"n": 3, "share": 0.123456, "of": "all"}) == "n 3, share 0.123, of all"
