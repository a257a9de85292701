"""Tables as a page shows them: one number a column, nothing twice, nothing lost."""

import re

from mer_keras.config.files import load_experiments
from mer_keras.report.display import page_table
from mer_keras.report.table import Table
from mer_keras.report.tables import tables_of
from tests.report.stored import CONFIG, make_run


def column(table, head):
    header, rows = page_table(table)
    position = header.index(head)
    return {row[0]: row[position] for row in rows}


def test_published_numbers_have_a_column_each():
    (table,) = tables_of(CONFIG, [])
    header, rows = page_table(table)
    assert header[:3] == ("method", "published accuracy", "published F1 score")
    assert column(table, "published accuracy")["Proposed ConvLSTM"] == "78.33 = UAR [1]"
    assert column(table, "published accuracy")["Shallow CNN (quoted)"] == "68.18 ?"
    assert "real" not in header
    assert len(rows) == len(CONFIG.rows)


def test_no_published_number_is_lost():
    for name in ("dense_mixed_attention/table5", "meranet/table1/casme2"):
        (config,) = load_experiments(name)
        (table,) = tables_of(config, [])
        shown = " ".join(" ".join(row) for row in page_table(table)[1])
        for row in config.rows:
            for number in row.published:
                text = (
                    f"{int(number.value):,}" if number.metric == "parameters" else number.per_cent
                )
                assert text in shown, (row.name, number)


def test_own_numbers_stand_before_those_of_single_databases(tmp_path):
    (config,) = load_experiments("dense_mixed_attention/table5")
    (table,) = tables_of(config, [])
    names = [head for head in page_table(table)[0] if head.startswith("published ")]
    assert any("," in name for name in names), "the case must have numbers of single databases"
    view = make_run(tmp_path)
    beside = Table("x", "x", "licensed", "x", table.records, view=view, parts=table.parts)
    header = page_table(beside)[0]
    first_of_part = next(n for n, head in enumerate(header) if "," in head and "UF1" in head)
    assert all("," in head for head in header[first_of_part:])


def test_what_was_expected_is_said_only_where_it_says_something(tmp_path):
    view = make_run(tmp_path, kind="synthetic", profile="quick", skill=1.0)
    table = tables_of(CONFIG, [view])[1]
    found = column(table, "drawn motion")
    assert found["Proposed ConvLSTM"] == "found"
    assert found["majority class (baseline)"] == "not found (expected)"
    missed = make_run(tmp_path / "b", kind="synthetic", profile="quick", skill=0.0)
    table = tables_of(CONFIG, [missed])[1]
    assert column(table, "drawn motion")["Proposed ConvLSTM"] == "not found (unexpected)"


def test_heads_are_short_and_the_interval_stays(tmp_path):
    (table,) = tables_of(CONFIG, [make_run(tmp_path)])
    assert re.fullmatch(r"[\d.]+ \[[\d.]+, [\d.]+\].*", column(table, "UAR")["Proposed ConvLSTM"])


def test_of_many_verdicts_the_numbers_are_said():
    verdict = "; ".join(
        f"{name}: {word}" for name, word in zip("abc", ("lower", "lower", "higher"), strict=True)
    )
    records = [{"method": "x", "verdict": verdict}, {"method": "y", "verdict": "a: lower"}]
    shown = column(Table("x", "x", "public", "x", records), "verdict")
    assert shown == {"x": "2 lower, 1 higher", "y": "a: lower"}
