"""The top of a report: one line a table, true of its runs."""

import json

import pytest

from mer_keras.report.document import write_report
from mer_keras.report.scoring import score_row
from mer_keras.report.summary import summary_line
from tests.report.stored import CONFIG, make_run


def test_without_a_run_nothing_is_claimed():
    line = summary_line(CONFIG, [])
    assert (line.status, line.tone) == ("not run", "calm")
    assert line.table == CONFIG.heading
    assert "No real clips of samm" in line.sentence


@pytest.mark.parametrize(
    ("shift", "status", "tone"), [(0.0, "consistent", "good"), (0.3, "differs", "warn")]
)
def test_a_full_real_run_is_judged_by_its_interval(tmp_path, shift, status, tone):
    view = make_run(tmp_path)
    pooled = score_row(view, view.rows[0]).values["uar"].pooled
    first, *others = CONFIG.rows
    number = first.published[0].model_copy(update={"value": 100 * (pooled + shift)})
    row = first.model_copy(update={"published": (number,)})
    config = CONFIG.model_copy(update={"rows": (row, *others)})
    line = summary_line(config, [view])
    assert (line.status, line.tone) == (status, tone)
    assert f"{100 * pooled:.1f} %" in line.sentence
    assert line.sentence.endswith("consistent." if shift == 0 else "lower.")


def test_a_quick_real_run_is_compared_with_nothing(tmp_path):
    line = summary_line(CONFIG, [make_run(tmp_path, profile="quick")])
    assert line.status == "run"
    assert "No published number is comparable" in line.sentence


def test_a_full_run_goes_before_a_quick_one(tmp_path):
    quick = make_run(tmp_path, profile="quick")
    full = make_run(tmp_path, skip={("proposed-convlstm", "fold-3")})
    assert summary_line(CONFIG, [quick, full]).status == "unfinished"


def test_own_data_are_said_to_be_other_data(tmp_path):
    view = make_run(tmp_path, kind="own")
    view.manifest["config"]["data"] |= {"database": "my_lab"}
    line = summary_line(CONFIG, [view])
    assert line.status == "other clips"
    assert "78.33" not in line.sentence


@pytest.mark.parametrize(
    ("options", "status", "tone"),
    [
        ({"skill": 1.0}, "pipeline works", "good"),
        ({"skill": 0.0}, "motion missed", "warn"),
        ({"skill": 0.0, "signal": False}, "at chance", "good"),
        ({"profile": "smoke"}, "steps run", "calm"),
        ({"skip": {("proposed-convlstm", "fold-1")}}, "unfinished", "warn"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_drawn_faces_say_whether_the_motion_was_found(tmp_path, options, status, tone):
    view = make_run(tmp_path, kind="synthetic", **{"profile": "quick", **options})
    line = summary_line(CONFIG, [view])
    assert (line.status, line.tone) == (status, tone)
    assert "78.33" not in line.sentence


def test_it_stands_on_the_page_and_in_json(tmp_path):
    view = make_run(tmp_path / "runs", kind="synthetic", profile="quick", skill=1.0)
    write_report([(CONFIG, [view])], tmp_path)
    tree = json.loads((tmp_path / "report.json").read_text())
    summary = tree["experiments"][0]["summary"]
    assert summary["status"] == "pipeline works"
    top = (tmp_path / "report.html").read_text().split("<main")[0]
    assert f'href="#{summary["anchor"]}"' in top
    assert '<span class="chip good">pipeline works</span>' in top
    assert summary["sentence"] in top
    markdown = (tmp_path / "report.md").read_text()
    line = f"- {CONFIG.heading}: **pipeline works**. {summary['sentence']}"
    assert line in markdown.splitlines()
