"""Errors say what is needed, and no more."""

from mer_keras.errors import LONGEST_MESSAGE, UserError, did_you_mean


def test_a_message_keeps_its_ends_and_no_damaged_files_content():
    text = "table.xlsx: damaged: " + "\\x00" * 10_000 + ": save it again"
    shown = str(UserError(text))
    assert len(shown) < LONGEST_MESSAGE
    assert shown.startswith("table.xlsx: damaged")
    assert shown.endswith("save it again")
    assert str(UserError("short")) == "short"


def test_the_nearest_word_is_offered():
    assert did_you_mean("happines", ["happiness", "anger"]) == " (did you mean 'happiness'?)"
    assert did_you_mean("zzz", ["happiness"]) == ""
