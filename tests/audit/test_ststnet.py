"""STSTNet's printed UAR is a mean precision: from the counts of its authors' predictions."""

from pathlib import Path

import pandas as pd
import pytest
from sklearn.metrics import f1_score, precision_score, recall_score

from mer_keras.audit.corrections import all_corrected_lines, as_markdown
from mer_keras.audit.finding import Kind
from mer_keras.audit.findings import audit
from mer_keras.audit.published import load
from mer_keras.config.files import load_experiments
from mer_keras.evaluation.file_scores import score_file
from mer_keras.evaluation.predictions_file import read_predictions

ROOT = Path(__file__).parents[2]
LOG = ROOT / "experiments/ststnet/authors_log.csv"
CLASSES = ("negative", "positive", "surprise")
#: Clips of each class, UF1, mean recall and mean precision.
EXPECTED = {
    "all": ((250, 109, 83), 0.7353, 0.7186, 0.7605),
    "smic": ((70, 51, 43), 0.6801, 0.6703, 0.7013),
    "casme2": ((88, 32, 25), 0.8382, 0.8190, 0.8686),
    "samm": ((92, 26, 15), 0.6588, 0.6415, 0.6810),
}


@pytest.fixture(scope="session")
def parts():
    return {part.name: part for part in score_file(read_predictions(LOG, CLASSES))}


@pytest.mark.parametrize("name", EXPECTED)
def test_the_file_of_predictions_gives_it(parts, name):
    sizes, uf1, uar, uap = EXPECTED[name]
    part = parts[name]
    assert tuple(part.class_counts.values()) == sizes
    values = {metric: round(scored.value, 4) for metric, scored in part.metrics.items()}
    assert (values["uf1"], values["uar"], values["uap"]) == (uf1, uar, uap)


def test_scikit_learn_agrees():
    table = pd.read_csv(LOG)
    truth, predicted, clips = table["label"], table["predicted"], table["clips"]
    keys = {"average": "macro", "sample_weight": clips}
    assert precision_score(truth, predicted, **keys) == pytest.approx(0.7605, abs=5e-5)
    assert recall_score(truth, predicted, **keys) == pytest.approx(0.7186, abs=5e-5)
    assert f1_score(truth, predicted, **keys) == pytest.approx(0.7353, abs=5e-5)
    assert table.groupby("database")["subject"].nunique().sum() == 68


def test_the_stored_counts_are_those_of_the_file(parts):
    names = {"all 442 clips": "all", "SMIC-HS": "smic", "CASME II": "casme2", "SAMM": "samm"}
    for matrix in load("ststnet").counted_matrices:
        part = parts[names[matrix.title.partition(", ")[2]]]
        assert [list(row) for row in matrix.rows] == part.matrix


def test_the_audit_says_so():
    findings = [f for f in audit("ststnet") if f.about.endswith("what UAR is")]
    assert len(findings) == 4
    for finding, (_, _, uar, uap) in zip(findings, EXPECTED.values(), strict=True):
        assert finding.kind == Kind.METRIC
        assert f"UAR {uap:.4f} is mean precision" in finding.says
        assert f"these have UAR {uar:.4f}" in finding.says


def test_the_experiments_declare_it():
    for name in ("ststnet/megc2019", "dense_mixed_attention/table5", "leaderboard/flow_features"):
        (config,) = load_experiments(name)
        (row,) = [row for row in config.rows if row.name == "STSTNet"]
        printed = [number for number in row.published if number.name.startswith("UAR")]
        assert printed
        for number in printed:
            recounted = number.name == "UAR, recounted"
            assert number.metric == ("uar" if recounted else "uap")


class TestCorrections:
    def test_who_quotes_it(self):
        line = next(line for line in all_corrected_lines(["ststnet"]) if "0.7605" in line.printed)
        assert line.actual == "mean precision"
        assert "0.7186" in line.evidence
        assert "Gan et al." in line.quoted_by
        assert "Table 5" in line.quoted_by

    def test_the_stored_table_is_what_the_command_prints(self):
        """After a change: mer-keras audit --corrections > results/published/corrections.md."""
        stored = (ROOT / "results/published/corrections.md").read_text()
        assert stored == as_markdown(all_corrected_lines())
