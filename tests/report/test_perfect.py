"""A perfect predictor shows 100 in every column, under every protocol, whoever lacks a class."""

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mer_keras.config.experiment import Published
from mer_keras.evaluation import metrics
from mer_keras.evaluation.file_scores import score_file
from mer_keras.evaluation.predictions_file import read_predictions
from mer_keras.evaluation.statistics import difference
from mer_keras.report.comparison import predictions_of
from mer_keras.report.details import details_of
from mer_keras.report.document import write_report
from mer_keras.report.outcome import outcome_of
from mer_keras.report.scoring import MetricValue, values_of
from mer_keras.report.status import _row_status
from mer_keras.report.tables import OVER_FOLDS, published_text, tables_of, with_interval
from tests.report.stored import CLASSES, CONFIG, cell, make_run

#: How many clips of each class (columns) each person (rows) has; two databases of three people.
CLIPS = [[1, 3, 0], [0, 2, 0], [2, 2, 0], [0, 1, 2], [1, 0, 0], [0, 4, 1]]
#: The fold that tests each person, under each protocol; clips alternate under ``as_published``.
FOLDS = {
    "subject_kfold": [0, 0, 1, 1, 2, 2],
    "loso": range(6),
    "cde": range(6),
    "sde": range(6),
    "hde": [0, 0, 0, 1, 1, 1],
    "as_published": None,
}
ROW = "proposed-convlstm"


def perfect_view(tmp_path, protocol, clips=CLIPS, *, kind="licensed"):
    """A run whose first row is right about every clip, and whose second takes all for class 0."""
    view = make_run(tmp_path, kind=kind)
    records = [
        {
            "label": CLASSES[label],
            "subject_id": f"{'samm' if person < 3 else 'smic'}/{person}",
            "database": "samm" if person < 3 else "smic",
            "fold": number % 2 if FOLDS[protocol] is None else FOLDS[protocol][person],
        }
        for person, counts in enumerate(clips)
        for label, count in enumerate(counts)
        for number in range(count)
    ]
    table = pd.DataFrame(records).assign(seed=0)
    table["sample_id"] = [f"{owner}/{n}" for n, owner in enumerate(table["subject_id"])]
    tables = [
        table.assign(row=ROW, predicted=table["label"]),
        table.assign(row="baseline-majority", predicted=CLASSES[0]),
    ]
    manifest = {**view.manifest, "class_counts": table["label"].value_counts().to_dict()}
    manifest |= {"n_samples": len(table), "n_subjects": len(clips)}
    k, share = protocol == "subject_kfold" and 3, protocol == "as_published" and 0.25
    settings = {"name": protocol, "k": k or None, "test_share": share or None}
    settings = {**manifest["config"]["protocol"], **settings}
    manifest["config"] = {**manifest["config"], "protocol": settings}
    return replace(view, manifest=manifest, predictions=pd.concat(tables))


def shown_of(tables, row="Proposed ConvLSTM"):
    """Column -> cell of a row, of every column of numbers in per cent."""
    return {
        column: value
        for table in tables
        for cells in table.rows
        if cells[0].startswith(row)
        for column, value in zip(table.header, cells, strict=True)
        if ("%" in column and "published" not in column) or "clips)" in column
    }


@pytest.mark.parametrize("kind", ["licensed", "synthetic"])
@pytest.mark.parametrize("protocol", FOLDS)
def test_fault_60_a_perfect_predictor_shows_100_in_every_column(tmp_path, protocol, kind):
    view = perfect_view(tmp_path, protocol, kind=kind)
    tables = [*tables_of(CONFIG, [view]), *details_of(CONFIG, view)]
    shown = shown_of([table for table in tables if table.view is view])
    expected = 3 + 2 + 3 + (protocol not in ("loso", "cde", "sde"))
    assert len(shown) == expected, list(shown)
    for column, text in shown.items():
        numbers = re.findall(r"\d+\.\d+", text)
        is_spread = column == OVER_FOLDS
        assert [float(n) for n in numbers] == ([100, 0] if is_spread else [100] * len(numbers))
        assert numbers


@pytest.mark.parametrize("protocol", FOLDS)
def test_fault_60_other_verbs_say_100_too(tmp_path, protocol):
    view = perfect_view(tmp_path, protocol)
    row = view.rows[0]
    status = _row_status(view, row)
    assert (status.uf1, status.uar) == (1, 1)
    shown = next(cells for cells in outcome_of(view).rows if cells[0] == row.name)
    assert all(text == "100.0 [100.0, 100.0] (6 people: too narrow)" for text in shown[1:])
    ordered = predictions_of(view.of_row(ROW))
    for metric in metrics.METRICS:
        gap = difference(ordered, ordered, CLASSES, metric)
        assert (gap.first, gap.second, gap.low, gap.high) == (1, 1, 0, 0)
        assert gap.interval_warning


@pytest.mark.parametrize("clips", [CLIPS, [[2, 3, 0]] * 6])
def test_fault_60_report_json_too(tmp_path, clips):
    """Every cell in per cent of the perfect row, in every table and database."""
    view = perfect_view(tmp_path / "run", "cde", clips)
    write_report([(CONFIG, [view])], tmp_path / "report")
    tree = json.loads((tmp_path / "report/report.json").read_text())
    (experiment,) = tree["experiments"]
    texts = [
        text
        for table in experiment["tables"]
        for cells in table["rows"]
        if cells[0].startswith("Proposed ConvLSTM")
        for column, text in zip(table["header"], cells, strict=True)
        if ("%" in column and "published" not in column) or "clips)" in column
    ]
    numbers = [float(n) for text in texts for n in re.findall(r"\d+\.\d+", text)]
    assert len(numbers) > 15
    assert set(numbers) == {100}
    assert tree["corrections"][0].keys() >= {"paper", "where", "printed", "actual", "evidence"}


@pytest.mark.parametrize("classes", [CLASSES, [*CLASSES, "absent"]])
def test_fault_60_a_scored_file_too(tmp_path, classes):
    table = perfect_view(tmp_path / "run", "loso").of_row(ROW)
    table = table[["sample_id", "database", "subject_id", "label", "predicted"]]
    table.rename(columns={"subject_id": "subject"}).to_csv(tmp_path / "p.csv", index=False)
    for part in score_file(read_predictions(tmp_path / "p.csv", classes)):
        assert all(m.value == m.low == m.high == 1 for m in part.metrics.values()), part
        assert any("people: too narrow" in warning for warning in part.warnings)
        assert any("without width" in warning for warning in part.warnings)


def test_fault_60_also_where_no_clip_has_a_class(tmp_path):
    view = perfect_view(tmp_path, "cde", [[2, 3, 0]] * 6)
    (table,) = tables_of(CONFIG, [view])
    assert all(text.startswith("100.00 [100.0, 100.0]") for text in shown_of([table]).values())
    assert f"no clip of {CLASSES[2]}: UF1 and UAR are means over the other classes" in table.notes
    (classes,) = [t for t in details_of(CONFIG, view) if t.title == "Each class"]
    assert cell(classes, "Proposed ConvLSTM", CLASSES[1]) == "100.0 / 100.0"
    assert CLASSES[2] not in " ".join(classes.header)


def test_a_mean_over_folds_is_over_each_folds_own_classes(tmp_path):
    view = perfect_view(tmp_path, "subject_kfold")
    value = values_of(view.of_row("baseline-majority"), CLASSES)["uar"]
    # Class 0 is one of two, of three and of three classes of the folds.
    assert value.fold_mean == pytest.approx((1 / 2 + 1 / 3 + 1 / 3) / 3)
    assert value.pooled == pytest.approx(1 / 3)


@pytest.mark.parametrize("metric", metrics.METRICS)
def test_a_class_without_clips_is_left_out_and_a_wrong_guess_of_it_is_an_error(metric):
    rng = np.random.default_rng(0)
    matrices = rng.integers(1, 9, (50, 4, 4))
    whole = metrics.of_present_classes(metric, matrices)
    np.testing.assert_array_equal(whole, metrics.METRICS[metric](matrices))
    matrices[:, 2] = 0
    others = np.delete(metrics.per_class_recall(matrices), 2, axis=-1)
    if metric == "uar":
        np.testing.assert_allclose(metrics.of_present_classes(metric, matrices), others.mean(-1))
    perfect = np.diag([3, 1, 0, 5])
    assert metrics.of_present_classes(metric, perfect) == 1
    perfect[0, 2], perfect[0, 0] = 1, 2
    assert metrics.of_present_classes(metric, perfect) < 1
    assert metrics.of_present_classes(metric, np.zeros((4, 4), int)) == 0


def test_an_interval_of_few_people_bears_a_warning(tmp_path):
    view = perfect_view(tmp_path, "loso")
    (table,) = tables_of(CONFIG, [view])
    assert cell(table, "Proposed ConvLSTM", "UAR") == "100.00 [100.0, 100.0] (6 people: too narrow)"
    assert any(note.startswith("an interval over 6 people is too narrow") for note in table.notes)


@pytest.mark.parametrize("people", [1, 9, 10, 30])
def test_no_interval_reads_100_to_100_without_a_warning(people):
    labels, owners = CLASSES * people, np.repeat([f"samm/{n}" for n in range(people)], 3)
    table = pd.DataFrame({"label": labels, "predicted": labels, "subject_id": owners})
    values = values_of(table.assign(seed=0, fold=owners), CLASSES)
    assert all(value.low == value.high == 1 for value in values.values())
    assert all("too narrow" in value.interval_warning for value in values.values())
    assert ("people" in values["uar"].interval_warning) == (people < metrics.FEW_SUBJECTS)


def test_an_interval_that_rounds_to_100_bears_a_warning_too():
    nearly = MetricValue(0.9998, 0.9996, 1, 0, 0, 0, 100)
    assert with_interval(nearly, 1) == "99.98 [100.0, 100.0] (resampling equal results: too narrow)"
    assert MetricValue(0.99, 0.98, 1, 0, 0, 0, 100).interval_warning == ""


def test_published_fractions_and_per_cent_stand_in_one_unit():
    numbers = [
        Published(name="UF1", value=0.7353, unit="fraction", metric="uf1"),
        Published(name="accuracy", value=78.33, metric="uar"),
        Published(name="UAR, SAMM", value=0.44, unit="fraction", metric="uar"),
    ]
    assert published_text(numbers, []) == "UF1 73.53; accuracy 78.33 (= UAR); UAR, SAMM 44"
