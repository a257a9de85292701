"""The overview: one line a published table, ours from stored reports only."""

import pytest

from mer_keras.config.files import experiment_names, load_experiments
from mer_keras.report.document import write_report
from mer_keras.report.overview import overview
from tests.report.stored import CONFIG, make_run


def line_of(lines, command):
    (line,) = [line for line in lines if line.experiment == command]
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
    assert line.command == f"`mer-keras run {CONFIG.name} --profile full`"
    assert line.ours.startswith("UF1 ")
    assert ", UAR " in line.ours
    assert (line.data, line.protocol) == ("licensed", CONFIG.protocol.title)
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
    line = line_of(overview(tmp_path / "stored"), CONFIG.name)
    assert "profile quick" in line.status
    assert line.command == f"`mer-keras run {CONFIG.name}`"


def test_the_protocol_is_that_of_the_profile(tmp_path):
    name = "dense_mixed_attention/megc2019_flow"
    (config,) = load_experiments(name, profile="quick")
    (full,) = load_experiments(name)
    row = config.rows[0].name
    csv = f'data_kind,method,"UF1 %, real [95 % over subjects]"\npublic,{row},"60 [50, 70]"\n'
    file = tmp_path / "one/tables/dense-mixed-attention-megc2019-flow.quick.last_epoch.public.csv"
    file.parent.mkdir(parents=True)
    file.write_text(csv)
    line = line_of(overview(tmp_path), name)
    assert line.protocol == config.protocol.title == "subject-exclusive stratified 5-fold"
    assert full.protocol.title != line.protocol
    file.rename(file.with_name(file.name.replace(".quick.", ".reduced.")))
    assert line_of(overview(tmp_path), name).protocol == "-", "there is no such profile any more"
