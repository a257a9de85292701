"""``status``: every run on a line, with what is wrong, and at once."""

import os
import subprocess
import sys

import pytest

from mer_keras.evaluation import metrics
from mer_keras.report import shown_runs
from mer_keras.report.status import status_of
from mer_keras.runs.folder import RunFolder
from mer_keras.runs.naming import read_stored_run
from mer_keras.runs.units import Unit
from tests.report.stored import make_run


@pytest.fixture
def results(places):
    return places / "results"


def test_scores_are_those_of_all_tested_clips(results):
    view = make_run(results, seeds=[0, 1])
    status = status_of(read_stored_run(view.path))
    assert (status.state, status.reason) == ("complete", "")
    assert (status.done, status.expected, status.failed) == (16, 16, 0)
    facts = (status.experiment, status.profile, status.data_kind)
    assert facts == ("shallow_convlstm/table1", "full", "licensed")
    network, baseline = status.rows
    assert (network.role, baseline.role) == ("row", "baseline")
    assert network.n == 24
    clips = view.of_row(network.key)
    of_seeds = [
        metrics.scores(list(part["label"]), list(part["predicted"]), view.classes)
        for _, part in clips.groupby("seed")
    ]
    assert network.uf1 == pytest.approx(sum(scores.uf1 for scores in of_seeds) / 2)
    assert network.uar == pytest.approx(sum(scores.uar for scores in of_seeds) / 2)
    assert baseline.uar == pytest.approx(1 / 3)


def test_no_number_while_a_fold_is_missing(results):
    view = make_run(results, skip={("proposed-convlstm", "fold-2")})
    status = status_of(read_stored_run(view.path))
    assert status.state == "unfinished"
    assert "7 of 8 folds" in status.reason and "mer-keras resume" in status.reason
    assert status.rows[0].uf1 is None and status.rows[0].n is None
    assert status.rows[1].uf1 is not None


def test_failed_folds_are_a_state_with_a_reason(results):
    view = make_run(results, skip={("proposed-convlstm", "fold-2")})
    RunFolder(view.path).fail(Unit("proposed-convlstm", 0, "fold-2"), "the loss became nan")
    status = status_of(read_stored_run(view.path))
    assert (status.state, status.failed) == ("failed folds", 1)
    assert "the loss became nan" in status.reason


def test_a_run_that_is_written_now_is_running(results):
    view = make_run(results, skip={("proposed-convlstm", "fold-2")})
    run = read_stored_run(view.path)
    with RunFolder(view.path).writer():
        status = status_of(run)
        assert status.state == "running"
        assert f"process {os.getpid()} is writing it, 7 of 8 folds" in status.reason
    assert status_of(run).state == "unfinished"


def test_files_that_a_running_run_renames_are_no_fault(results, monkeypatch):
    view = make_run(results)
    before = status_of(read_stored_run(view.path))
    (view.path / "predictions" / "gone.part").symlink_to("nowhere")
    assert status_of(read_stored_run(view.path)) == before


def test_what_was_read_once_is_read_again_only_where_a_file_changed(results, monkeypatch):
    view = make_run(results)
    first = status_of(read_stored_run(view.path))
    with monkeypatch.context() as patch:
        patch.setattr(shown_runs, "read_view", lambda path: pytest.fail("read again"))
        assert status_of(read_stored_run(view.path)) == first
    next(view.path.glob("predictions/**/fold-3-*.json")).unlink()
    assert status_of(read_stored_run(view.path)).done == 7


def test_a_cache_that_cannot_be_written_or_is_damaged_costs_time_alone(places, monkeypatch):
    view = make_run(places / "results")
    first = status_of(read_stored_run(view.path))
    (file,) = (places / "cache").glob("status/*.json")
    for content in ("{", '{"fingerprint": 1}', "[]"):
        file.write_text(content)
        assert status_of(read_stored_run(view.path)) == first
    (places / "file").touch()
    monkeypatch.setenv("MER_CACHE", str(places / "file"))
    assert status_of(read_stored_run(view.path)) == first


def test_fault_67_a_broken_run_has_a_state_and_a_reason(results):
    view = make_run(results)
    (view.path / "folds.json").write_text("{}")
    status = status_of(read_stored_run(view.path))
    assert status.state == "broken" and status.reason
    (view.path / "manifest.json").write_text("{}")
    status = status_of(read_stored_run(view.path))
    assert status.state == "broken" and "experiment" in status.reason


def test_a_list_of_runs_that_have_not_changed_needs_no_heavy_library(results):
    view = make_run(results)
    status_of(read_stored_run(view.path))
    code = (
        "import sys; sys.argv = ['mer-keras', 'status']\n"
        "from mer_keras.cli import main as cli\n"
        "try: cli.main()\n"
        "except SystemExit: pass\n"
        "heavy = {'tensorflow', 'keras', 'pandas', 'pyarrow', 'sklearn', 'cv2', 'matplotlib'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.strip() == "[]"
    assert view.path.name in done.stdout
