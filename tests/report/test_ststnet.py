"""STSTNet's numbers beside ours: each is compared with the metric that it is."""

from pathlib import Path

import pandas as pd
import pytest

from mer_keras.config.files import load_experiments
from mer_keras.names import slug
from mer_keras.report.document import write_report
from mer_keras.report.scoring import MetricValue, RowScores, verdict
from mer_keras.report.tables import tables_of
from mer_keras.report.view import RowState, RunView
from mer_keras.terms import DataKind
from tests.report.stored import cell

LOG = Path(__file__).parents[2] / "experiments/ststnet/authors_log.csv"
(CONFIG,) = load_experiments("ststnet/megc2019")
CLASSES = ["negative", "positive", "surprise"]


@pytest.fixture
def view(tmp_path):
    """The predictions that the authors published, as if a run of ours had made them."""
    log = pd.read_csv(LOG)
    clips = log.loc[log.index.repeat(log["clips"])].reset_index(drop=True)
    clips["subject_id"] = clips["database"] + "/" + clips["subject"].astype(str)
    predictions = clips[["database", "subject_id", "label", "predicted"]].assign(
        row="ststnet", seed=0, fold=clips["subject_id"], sample_id=clips.index.astype(str)
    )
    state = RowState(
        "ststnet", "STSTNet", "row", "ststnet", "last_epoch", 68, 68, (), 1715, None, 1
    )
    manifest = {
        "experiment": CONFIG.name,
        "config": CONFIG.model_dump(mode="json"),
        "config_digest": CONFIG.digest(),
        "samples_digest": "s",
        "folds_digest": "f",
        "protocol": "leave-one-subject-out",
        "selection": "last_epoch",
        "n_samples": len(predictions),
        "n_subjects": 68,
        "class_counts": predictions["label"].value_counts().to_dict(),
        "classes": CLASSES,
        "excluded": [],
        "warnings": [],
        "created": "2026-01-01T00:00:00+00:00",
        "versions": {},
        "backend": "tensorflow",
        "device": "2 CPU cores",
        "git": "abc1234",
    }
    return RunView(
        f"{slug(CONFIG.name)}-full-public-0",
        tmp_path,
        "full",
        DataKind.PUBLIC,
        manifest,
        (state,),
        predictions,
        predictions.assign(is_copy=True).iloc[:0],
    )


def test_the_authors_own_predictions_are_consistent_with_all_of_their_numbers(view):
    (table,) = tables_of(CONFIG, [view])
    verdicts = cell(table, "STSTNet", "verdict")
    assert verdicts.startswith(
        "UF1: consistent; UAR (mean precision): consistent; UAR, recounted: consistent"
    )
    assert "lower" not in verdicts
    assert cell(table, "STSTNet", "UAR").startswith("71.86 [")
    assert "UAR 76.05 (= mean precision) [1]" in cell(table, "STSTNet", "published")
    assert "0.7186" in table.notes[0]


def test_a_uar_of_68_36_is_compared_with_the_recount(view):
    """The interval 62.5 to 74.2 holds 71.86; 76.05, which is no UAR, is compared with precision."""
    uar = MetricValue(0.6836, 0.625, 0.742, 0, 0, 0, 68)
    uap = MetricValue(0.72, 0.66, 0.78, 0, 0, 0, 68)
    scores = RowScores({"uar": uar, "uap": uap}, {}, 1)
    numbers = {number.name: number for number in CONFIG.rows[0].published}
    assert verdict(numbers["UAR, recounted"], view, scores) == "consistent"
    assert verdict(numbers["UAR"], view, scores) == "consistent"
    lower = RowScores({"uar": uar, "uap": MetricValue(0.7, 0.64, 0.75, 0, 0, 0, 68)}, {}, 1)
    assert verdict(numbers["UAR"], view, lower) == "lower"


def test_the_report_shows_the_corrections_below_the_table(view, tmp_path):
    write_report([(CONFIG, [view])], tmp_path / "report")
    for name in ("report.md", "report.html", "report.json"):
        text = (tmp_path / "report" / name).read_text(encoding="utf-8")
        table = text[: text.index("What is not as in the paper")] if name != "report.json" else text
        assert "what is printed as UAR is the mean precision" in table
        assert "Table III prints UAR 0.8686; it is mean precision" in table
