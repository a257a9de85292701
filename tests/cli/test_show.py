"""Tables fit the terminal: wrapped between words, or as a list of cells where they can't."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mer_keras.cli.show import print_table, print_wrapped, show_progress


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")


def printed(capsys, *table):
    print_table(*table)
    return capsys.readouterr().out.splitlines()


def test_a_narrow_table_has_a_line_for_each_row(capsys):
    assert printed(capsys, ["name", "n"], [["a b", 1], ["c", 22]]) == [
        "name  n",
        "a b   1",
        "c     22",
    ]


def test_the_widest_column_is_wrapped_and_no_interval_is_cut(capsys):
    text = "a long text in many words, then UF1 64.83 [57.0, 71.6] and 178 MiB of it"
    lines = printed(capsys, ["key", "what"], [["one", text], ["two", "short"]])
    assert max(map(len, lines)) <= 40
    assert any("[57.0, 71.6]" in line for line in lines)
    assert any("178 MiB" in line for line in lines)
    assert " ".join(" ".join(lines).replace("one", "").split()).startswith(
        "key what a long text in"
    )


def test_words_too_long_for_columns_make_a_list_of_cells(capsys):
    lines = printed(capsys, ["path", "other"], [["x" * 30, "y" * 20]])
    assert lines == [f"path: {'x' * 30}", f"    other: {'y' * 20}"]


def test_a_column_that_says_nothing_is_left_out(capsys):
    assert printed(capsys, ["a", "b"], [["1", "-"]]) == ["a", "1"]


def test_fault_69_no_cell_or_sentence_is_a_command_for_the_terminal(capsys):
    print_table(["a\x1b[1m", "b"], [["\x1b]0;x\x07", "\u202eevil"]])
    print_wrapped("x\x9b2J\ty")
    printed_text = capsys.readouterr().out
    assert all(letter.isprintable() or letter == "\n" for letter in printed_text)
    assert "a\ufffd[1m" in printed_text and "x\ufffd2J" in printed_text


def test_fault_69_progress_shows_markup_as_text(monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    with show_progress("[red]t[/red]") as progress:
        progress("[link=http://evil]\x1b[2J[/link][/nothing]", 1, 2)
    assert "link=http://evil" in capsys.readouterr().err


def test_sentences_are_wrapped(capsys):
    print_wrapped("some words " * 10, indent=4)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 40 and all(line.startswith("    some") for line in lines)


@given(st.lists(st.tuples(*[st.text("ab c", max_size=60)] * 3), min_size=1, max_size=4))
def test_no_word_is_lost(rows):
    from mer_keras.cli.show import _widths, _wrap

    widths = _widths([["x", "y", "z"], *rows])
    assert widths is None or sum(widths) + 4 <= 40
    for row in rows:
        for cell, width in zip(row, widths or (40, 40, 40), strict=True):
            assert " ".join(_wrap(cell, width)).split() == cell.split()
