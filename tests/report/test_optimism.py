"""The optimism gap: runs of one experiment that know more and more of the tested clips."""

import pytest

from mer_keras.evaluation.epoch_rules import RULES
from mer_keras.evaluation.metrics import scores
from mer_keras.report.document import write_report
from mer_keras.report.optimism import gaps_of
from mer_keras.report.tables import tables_of
from mer_keras.report.view import RunView
from mer_keras.terms import DAGGER
from tests.report.stored import CLASSES, CONFIG, cell, make_run

HONEST = "epoch chosen on held-back training subjects"


@pytest.fixture
def views(tmp_path):
    return [
        make_run(tmp_path, selection="test_fold", skill=0.95),
        make_run(tmp_path, selection="last_epoch", skill=0.7),
        make_run(tmp_path, selection="inner_subjects", skill=0.6),
    ]


def test_settings_stand_from_the_most_honest_downwards(views):
    (gap,) = gaps_of(CONFIG, views)
    assert [row[0] for row in gap.table.rows] == [
        HONEST,
        "last epoch",
        "epoch chosen on the tested samples †",
    ]
    assert gap.row == "Proposed ConvLSTM"


def test_differences_are_from_the_first_and_have_intervals(views):
    (gap,) = gaps_of(CONFIG, views)
    values = [gap.values[row[0]]["uf1"].pooled for row in gap.table.rows]
    last = gap.table.rows[-1][-1]
    assert gap.table.rows[0][-1] == "-"
    assert float(last.split(" ")[0]) == pytest.approx(100 * (values[2] - values[0]), abs=0.006)
    low, high = (float(x) for x in last.partition("[")[2].rstrip("]").split(", "))
    assert low < float(last.split(" ")[0]) < high


def test_one_training_that_stored_its_epochs_has_a_line_for_each_rule(tmp_path):
    (gap,) = gaps_of(CONFIG, [make_run(tmp_path, record_epochs=True)])
    names = [row[0] for row in gap.table.rows]
    others = [rule.title for name, rule in RULES.items() if name != "last_epoch"]
    assert names == ["last epoch", *(f"{title} {DAGGER}" for title in others)]
    best = gap.values[names[-2]]["war"].pooled
    assert all(best >= gap.values[name]["war"].pooled for name in names)
    assert any("the public code of HTNet" in note for note in gap.table.notes)


def test_what_all_runs_changed_alike_names_no_setting(views, monkeypatch):
    def changes(view):
        own = ("train.epochs=9",) if view.manifest["selection"] == "last_epoch" else ()
        return ("seeds=[0, 1]", *own)

    monkeypatch.setattr(RunView, "changes", property(changes))
    (gap,) = gaps_of(CONFIG, views)
    assert [row[0] for row in gap.table.rows][:2] == [HONEST, "last epoch, train.epochs=9"]
    assert "changed for this run: seeds=[0, 1]" in gap.table.caption


def test_one_training_with_held_back_subjects_gives_every_rule(tmp_path):
    """Its lines share weights, clips and learning rates: only the choice of the epoch differs."""
    inner = make_run(tmp_path, selection="inner_subjects", record_epochs=True)
    (gap,) = gaps_of(CONFIG, [inner])
    names = [row[0] for row in gap.table.rows]
    best = [f"{rule.title} {DAGGER}" for name, rule in RULES.items() if name != "last_epoch"]
    titles = ["last epoch", *best]
    assert names == [HONEST, *(f"{title}, subjects held back" for title in titles)]
    assert {row[2] for row in gap.table.rows} == {"1"}
    assert "differ in the choice of the epoch alone" in gap.table.caption
    assert not any("learning rate" in note for note in gap.table.notes)
    assert any(note.startswith("last epoch, subjects held back: the") for note in gap.table.notes)


def test_trainings_whose_learning_rates_differ_are_named(tmp_path, views):
    """The recipe has a plateau, which watches what chooses the epoch."""
    (gap,) = gaps_of(CONFIG, views)
    assert [row[2] for row in gap.table.rows] == ["1", "2", "3"]
    notes = " ".join(gap.table.notes)
    assert "lines of different trainings differ in the learning rate too" in notes
    assert "training 1: train.plateau lowers the learning rate by the loss on held-back" in notes
    assert "training 2: the learning rate never falls" in notes
    assert "training 3: train.plateau lowers the learning rate by the loss on the tested" in notes


def test_trainings_without_a_plateau_have_no_such_note(tmp_path):
    """Learning rates that follow the epoch alone are the same whatever chooses the epoch."""
    views = [
        make_run(tmp_path, selection=selection, plateau=None)
        for selection in ("inner_subjects", "last_epoch")
    ]
    (gap,) = gaps_of(CONFIG, views)
    assert not any("learning rate" in note for note in gap.table.notes)


@pytest.mark.parametrize(
    ("selection", "words"),
    [
        ("inner_subjects", ""),
        ("last_epoch", "the learning rate never falls"),
        ("test_fold", "by the loss on the tested clips"),
    ],
)
def test_a_table_says_when_a_plateau_rests_or_sees_tested_clips(tmp_path, selection, words):
    (table,) = tables_of(CONFIG, [make_run(tmp_path, selection=selection)])
    notes = [note for note in table.notes if "learning rate" in note]
    assert len(notes) == bool(words)
    assert all(words in note for note in notes)


def test_stored_epochs_change_no_setting(tmp_path, views):
    recorded = make_run(tmp_path, folder="recorded", skill=0.7, record_epochs=True)
    (gap,) = gaps_of(CONFIG, [*views, recorded])
    names = [row[0] for row in gap.table.rows]
    assert names[:2] == [HONEST, "last epoch"]
    assert names[-1] == "epoch chosen on the tested samples †"
    assert len(names) == len(set(names)) == 3 + len(RULES) - 1
    assert all(row[-1] != "-" for row in gap.table.rows[1:])


def test_copies_are_told_apart_from_clips(tmp_path, views):
    with_copies = make_run(tmp_path, folder="copies", copies=True, skill=0.7, epochs=7)
    (gap,) = gaps_of(CONFIG, [*views, with_copies])
    name = "last epoch, train.epochs=7"
    plain, both = (r for r in gap.table.rows if r[0].startswith(name))
    assert (plain[1], both[1]) == ("24", "48 with copies")
    # every copy is right, so that only a count of both can be higher
    assert gap.values[both[0]]["war"].pooled > gap.values[plain[0]]["war"].pooled
    assert both[-1] == "other samples"


def test_copies_never_enter_a_headline_number(tmp_path):
    view = make_run(tmp_path, copies=True)
    assert len(view.copies) == 24
    part = view.of_row("proposed-convlstm")
    assert len(part) == 24
    expected = scores(list(part["label"]), list(part["predicted"]), CLASSES).uf1
    files = {f.name: f for f in write_report([(CONFIG, [view])], tmp_path / "out")}
    name = next(n for n in files if n.endswith(".licensed.csv"))
    assert f"{100 * expected:.2f} [" in files[name].read_text()


def test_kinds_profiles_and_data_are_never_compared(tmp_path, views):
    others = [
        make_run(tmp_path, kind="synthetic", selection="last_epoch"),
        make_run(tmp_path, profile="quick", selection="last_epoch"),
    ]
    (gap,) = gaps_of(CONFIG, [*views, *others])
    assert len(gap.table.rows) == 3


def test_one_setting_is_no_gap(views):
    assert list(gaps_of(CONFIG, views[:1])) == []


def test_rows_that_are_not_finished_are_left_out(tmp_path, views):
    half = make_run(
        tmp_path / "half", selection="inner_subjects", skip={("proposed-convlstm", "fold-1")}
    )
    (gap,) = gaps_of(CONFIG, [*views[:2], half])
    assert gap.table.rows[0][0] == "last epoch"


def test_the_report_shows_table_and_figure(tmp_path, views):
    write_report([(CONFIG, views)], tmp_path / "out")
    page = (tmp_path / "out/report.html").read_text()
    assert "What choosing and testing add: Proposed ConvLSTM" in page
    assert len(list((tmp_path / "out/figures").glob("*optimism.svg"))) == 1
    table = next((tmp_path / "out/tables").glob("*optimism.csv")).read_text()
    assert table.count("\n") == 4
    assert cell(next(gaps_of(CONFIG, views)).table, HONEST, "tested") == "24"
