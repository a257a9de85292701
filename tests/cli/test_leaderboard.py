"""``mer-keras leaderboard``, ``contribute`` and ``guess``: what they print and write."""

import json
from pathlib import Path

import pytest

from mer_keras.cli.leaderboard import contribute, guess, leaderboard
from mer_keras.errors import MerKerasError, UserError
from tests.leaderboard.made import BOARDS, make_run

LOG = Path(__file__).parents[2] / "experiments/ststnet/authors_log.csv"


@pytest.fixture
def run(places, monkeypatch):
    """A run below the results, on a set that is known here."""
    for room in ("writing", "reading", "lines"):
        monkeypatch.setattr(f"mer_keras.leaderboard.{room}.boards", lambda: BOARDS)
    monkeypatch.setattr("mer_keras.leaderboard.page.STUDIES", 10)
    return make_run(places / "results", seeds=[0])


def test_a_run_is_contributed_and_shown(run, places, capsys):
    contribute(run.run_id, places / "sent")
    assert f"{places / 'sent'}: 6 files" in capsys.readouterr().out
    leaderboard([str(places / "sent")], places / "none", places / "page", as_json=True)
    (table,) = json.loads(capsys.readouterr().out)
    assert [m["method"] for m in table["methods"]][:2] == ["SVM", "Net"]
    assert (places / "page/leaderboard.html").is_file()


def test_all_that_lies_here_is_shown(run, places, capsys):
    contribute(run.run_id, places / "sent/same")
    make_run(places / "results", seeds=[5], skip=[("svm", 0)])
    capsys.readouterr()
    leaderboard([], places / "sent", places / "page", as_json=False)
    output = capsys.readouterr()
    assert "SVM is left out: 4 of 5 folds" in output.err
    assert output.out.count("Net ") == 1
    assert "leaderboard.html" in output.out


def test_a_contribution_that_is_refused_does_not_keep_others_from_being_shown(run, places, capsys):
    contribute(run.run_id, places / "sent/whole")
    other = make_run(places / "results", seeds=[5])
    contribute(other.run_id, places / "sent/changed")
    (places / "sent/changed/clips.csv").write_text("clip\n")
    capsys.readouterr()
    leaderboard([], places / "sent", places / "page", as_json=False)
    output = capsys.readouterr()
    assert "changed: left out: changed: clips.csv was changed" in output.err
    assert output.out.count("Net ") == 1
    with pytest.raises(UserError, match=r"clips.csv was changed"):
        leaderboard([str(places / "sent/changed")], places, places / "page", as_json=False)


def test_folders_that_are_none_are_named(run, places):
    (places / "empty").mkdir()
    with pytest.raises(UserError, match=r"empty: holds neither contribution.json"):
        leaderboard([str(places / "empty")], places, places / "page", as_json=False)
    with pytest.raises(UserError, match=r"--contributions .*typo: expected a folder"):
        leaderboard([], places / "typo", places / "page", as_json=False)


def test_finished_rows_may_be_sent_before_the_others(run, places, capsys):
    unfinished = make_run(places / "results", seeds=[6], skip=[("svm", 0)])
    with pytest.raises(MerKerasError, match="row 'SVM' is INCOMPLETE 4/5"):
        contribute(unfinished.run_id, places / "sent")
    contribute(unfinished.run_id, places / "sent", finished=True)
    assert "SVM is left out: 4 of 5 folds" in capsys.readouterr().err
    leaderboard([str(places / "sent")], places / "none", places / "page", as_json=True)
    (table,) = json.loads(capsys.readouterr().out)
    names = [m["method"] for m in table["methods"]]
    assert names == ["Net", "majority class (baseline)", "Claimed"]


def test_rows_of_one_run_may_be_sent_apart(run, places, capsys):
    for row in ("net", "svm"):
        contribute(f"{run.run_id}:{row}", places / "sent" / row)
    capsys.readouterr()
    folders = [str(places / "sent" / row) for row in ("net", "svm")]
    leaderboard(folders, places / "none", places / "page", as_json=True)
    (table,) = json.loads(capsys.readouterr().out)
    assert [m["method"] for m in table["methods"]] == ["SVM", "Net", "Claimed"]


def test_two_runs_of_one_name_are_refused(run, places):
    other = make_run(places / "results", seeds=[5])
    for view, parent in ((run, "a"), (other, "b")):
        contribute(view.run_id, places / parent / "sent")
    folders = [str(places / parent / "sent") for parent in "ab"]
    with pytest.raises(UserError, match=r"two contributions are named sent: .*rename"):
        leaderboard(folders, places / "none", places / "page", as_json=False)


def test_a_refusal_names_the_run_and_ends_with_2(run, places):
    other = make_run(places / "results", cut=1, seeds=[7])
    with pytest.raises(MerKerasError, match="trajectory of fold 1 is incomplete") as caught:
        contribute(other.run_id, places / "sent")
    assert caught.value.exit_code == 2
    assert not (places / "sent").exists()
    with pytest.raises(UserError, match="no such run"):
        leaderboard(["nothing"], places, places / "page", as_json=False)


def test_guess_in_words_and_as_json(capsys):
    guess(str(LOG), [40], repetitions=20, rule="subject_best_latest", seed=0, as_json=False)
    text = capsys.readouterr().out
    assert "442 clips of 68 people" in text
    assert "40" in text
    guess(str(LOG), [1], repetitions=20, rule="fold_best", seed=0, as_json=True)
    tree = json.loads(capsys.readouterr().out)
    assert tree["people"] == 68
    assert tree["epochs"]["1"]["uar"]["mean"] == pytest.approx(1 / 3, abs=0.03)


def test_clips_that_were_not_tested_are_told(run, places, capsys):
    unfinished = make_run(places / "results", seeds=[6], skip=[("net", 0)])
    guess(unfinished.run_id, [5], repetitions=2, rule="fold_best", seed=0, as_json=True)
    output = capsys.readouterr()
    said = "row 'Net' has 4 of 5 folds of a seed: clips that were not tested yet are left out"
    assert said in output.err
    assert json.loads(output.out)["people"] == 4
    later = make_run(places / "results", seeds=[6, 7], skip_seed=7, skip=[("net", 0)])
    guess(later.run_id, [5], repetitions=2, rule="fold_best", seed=0, as_json=True)
    assert "left out" not in capsys.readouterr().err


def test_clips_of_a_run_and_of_a_contribution_are_guessed_alike(run, places, capsys):
    contribute(run.run_id, places / "sent")
    capsys.readouterr()
    values = []
    for name in (run.run_id, str(places / "sent")):
        guess(name, [5], repetitions=400, rule="subject_best_latest", seed=0, as_json=True)
        values.append(json.loads(capsys.readouterr().out)["epochs"]["5"]["uf1"]["mean"])
    assert values[0] == pytest.approx(values[1], abs=0.02)
