"""Tables below the results: databases, classes, cost."""

from mer_keras.evaluation import metrics
from mer_keras.report.details import details_of
from tests.report.stored import CLASSES, CONFIG, cell, make_run


def tables(view):
    return {table.title: table for table in details_of(CONFIG, view)}


def test_each_database_of_a_pooled_run_is_shown(tmp_path):
    view = make_run(tmp_path)
    part = view.of_row("proposed-convlstm")
    part = part[part["database"] == "samm"]
    expected = metrics.scores(list(part["label"]), list(part["predicted"]), CLASSES)
    shown = cell(tables(view)["Each database"], "Proposed ConvLSTM", "samm (12 clips)")
    values = (expected.uf1, expected.uar, expected.war)
    assert shown == " / ".join(f"{100 * value:.2f}" for value in values)


def test_the_classes_recalls_and_f1_average_to_uar_and_uf1(tmp_path):
    view = make_run(tmp_path)
    table = tables(view)["Each class"]
    row = next(r for r in table.rows if r[0] == "Proposed ConvLSTM")
    recall, f1 = zip(*([float(v) for v in text.split(" / ")] for text in row[1:]), strict=True)
    part = view.of_row("proposed-convlstm")
    expected = metrics.scores(list(part["label"]), list(part["predicted"]), CLASSES)
    assert abs(sum(recall) / 3 - 100 * expected.uar) < 0.1
    assert abs(sum(f1) / 3 - 100 * expected.uf1) < 0.1
    assert table.header[1] == "positive (8 clips)"


def test_cost_is_that_of_the_network_as_run(tmp_path):
    table = tables(make_run(tmp_path, seeds=[0, 1]))["Cost"]
    assert table.rows == (("Proposed ConvLSTM", "11,664,323", "2,661.0", "8", "8"),)


def test_rows_without_all_folds_are_left_out(tmp_path):
    view = make_run(tmp_path, skip={("proposed-convlstm", "fold-3")})
    for title in ("Each database", "Each class"):
        assert [row[0] for row in tables(view)[title].rows] == ["majority class"]
    nothing = {
        (key, f"fold-{k}")
        for key in ("proposed-convlstm", "baseline-majority")
        for k in range(1, 5)
    }
    assert tables(make_run(tmp_path / "empty", skip=nothing)) == {}


def test_files_of_real_and_drawn_runs_have_other_names(tmp_path):
    """Else one would be written over the other."""
    names = [
        table.name
        for kind in ("licensed", "synthetic")
        for table in details_of(CONFIG, make_run(tmp_path, kind=kind))
    ]
    assert len(set(names)) == len(names) == 6
