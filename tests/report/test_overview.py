"""The README's table: one line a published table, ours from stored reports only."""

from pathlib import Path

import pytest

from mer_keras.config.files import experiment_names
from mer_keras.errors import UserError
from mer_keras.report.document import write_report
from mer_keras.report.overview import BEGIN, END, as_markdown, overview, put_into
from tests.report.stored import CONFIG, make_run

ROOT = Path(__file__).parents[2]


def line_of(lines, command):
    (line,) = [line for line in lines if line.command == f"`mer-keras run {command}`"]
    return line


def test_without_stored_runs_nothing_is_claimed(tmp_path):
    lines = overview(tmp_path)
    assert {line.status for line in lines} == {"not run"}
    assert {line.ours for line in lines} == {"-"}
    shown = {line.command for line in lines}
    for name in experiment_names():
        assert any(name in command for command in shown), name


def test_a_stored_real_run_is_shown_with_its_verdict(tmp_path):
    view = make_run(tmp_path / "runs")
    write_report([(CONFIG, [view])], tmp_path / "stored/table1")
    line = line_of(overview(tmp_path / "stored"), CONFIG.name)
    assert line.ours.startswith("UF1 ")
    assert ", UAR " in line.ours
    assert line.data == "licensed"
    assert "accuracy: " in line.status
    assert "78.33 (= UAR)" in line.published


@pytest.mark.parametrize(
    "run", [{"kind": "synthetic"}, {"skip": {("proposed-convlstm", "fold-1")}}]
)
def test_synthetic_and_unfinished_runs_never_are(tmp_path, run):
    write_report([(CONFIG, [make_run(tmp_path / "runs", **run)])], tmp_path / "stored/table1")
    assert line_of(overview(tmp_path / "stored"), CONFIG.name).status == "not run"


def test_other_profiles_say_so(tmp_path):
    write_report([(CONFIG, [make_run(tmp_path / "runs", profile="quick")])], tmp_path / "stored/x")
    assert "profile quick" in line_of(overview(tmp_path / "stored"), CONFIG.name).status


def test_it_stands_between_its_marks():
    text = f"a\n{BEGIN}\nold\n{END}\nz"
    assert put_into(text, "| new |") == f"a\n{BEGIN}\n| new |\n{END}\nz"
    assert put_into(put_into(text, "x"), "x") == put_into(text, "x")


def test_the_readmes_table_is_what_is_stored():
    """After a run is stored: mer-keras overview --update README.md."""
    text = (ROOT / "README.md").read_text()
    table = as_markdown(overview(ROOT / "results/published"))
    assert put_into(text, table) == text


def test_a_text_without_marks_is_refused(tmp_path):
    from mer_keras.cli.stored import overview as command

    (tmp_path / "x.md").write_text("nothing")
    with pytest.raises(UserError, match="marks"):
        command(tmp_path, tmp_path / "x.md")
