"""What the papers' numbers imply: the known findings, from the printed numbers alone."""

import json
from functools import cache

import pytest

from mer_keras.audit.findings import audit as uncached_audit
from mer_keras.audit.findings import findings_of
from mer_keras.audit.matrices import implied_counts
from mer_keras.audit.pooled import fractions_that_add_up
from mer_keras.audit.published import (
    ParameterCount,
    PartAccuracy,
    PrintedMatrix,
    PrintedNumber,
    PublishedPaper,
    load,
    papers,
)
from mer_keras.config.files import experiment_names, load_experiments
from mer_keras.errors import ConfigError

#: Findings of a paper, computed once.
audit = cache(uncached_audit)
PAPERS = list(papers())


def said(paper, where, about=""):
    return " ".join(f.says for f in audit(paper) if f.where == where and f.about.startswith(about))


def test_all_papers_are_there():
    assert PAPERS == [
        "capsulenet",
        "dense_mixed_attention",
        "meranet",
        "micro_attention",
        "microexp_stcnn",
        "shallow_attention",
        "shallow_convlstm",
        "ststnet",
    ]
    # CapsuleNet is a row of another paper's table.
    assert set(PAPERS) - {"capsulenet"} <= {name.split("/")[0] for name in experiment_names()}


class TestShallowConvLstm:
    def test_the_samples_behind_both_matrices(self):
        five, three = load("shallow_convlstm").matrices
        assert implied_counts(five) == {
            "happiness": 64,
            "contempt": 76,
            "anger": 46,
            "other": 60,
            "surprise": 54,
        }
        assert implied_counts(three) == {"positive": 86, "negative": 68, "surprise": 104}

    def test_which_rows_were_not_rounded(self):
        findings = [f for f in audit("shallow_convlstm") if "samples behind" in f.about]
        off = [f.numbers["printed a unit of the last digit off"] for f in findings]
        assert off == [["contempt", "other"], ["negative"]]

    def test_means_over_folds_do_not_explain_them(self):
        assert "Nor can a mean over 5 folds give the rows of contempt, surprise" in said(
            "shallow_convlstm", "Table 3"
        )
        assert "rows of surprise" in said("shallow_convlstm", "Table 4")

    def test_the_accuracies_are_means_of_recalls(self):
        for where, value in (("Table 2", "67.64"), ("Table 1", "78.33")):
            assert f"accuracy {value} is UAR of the matrix" in said("shallow_convlstm", where)

    def test_the_f1_is_weighted_by_the_samples_that_were_evaluated(self):
        assert (
            "F1 score 78.92 is F1 weighted by the class sizes of the matrix, over the implied"
            in said("shallow_convlstm", "Table 1")
        )
        assert "no usual average" in said("shallow_convlstm", "Table 2")
        assert "67.67" in said("shallow_convlstm", "Table 2")


class TestShallowAttention:
    def test_74_is_a_mean_of_recalls(self):
        assert "accuracy 74 is UAR" in said("shallow_attention", "Table 1", "2D ConvLSTM")

    def test_what_it_would_be_by_clips(self):
        own, quoted = (
            f.numbers for f in audit("shallow_attention") if f.about.endswith("what accuracy is")
        )
        assert own["uar over the classes' clips"] == pytest.approx(73.8)
        assert own["war over the classes' clips"] == pytest.approx(79.0, abs=0.05)
        assert quoted["uar over the classes' clips"] == pytest.approx(51)
        assert quoted["war over the classes' clips"] == pytest.approx(80, abs=0.5)
        assert "69 is no usual average" in said("shallow_attention", "Table 1", "TLCNN")

    def test_where_folds_can_explain_a_matrix_nothing_is_concluded(self):
        for finding in audit("shallow_attention"):
            if "samples behind" in finding.about:
                assert "other samples were evaluated" not in finding.says
                assert "nothing follows" in finding.limits


def test_micro_attention_is_consistent():
    """Table 5 gives the accuracy and the F1 of Table 4, over the 253 clips of the databases."""
    (matrix,) = load("micro_attention").matrices
    assert implied_counts(matrix) == matrix.clips
    assert sum(matrix.clips.values()) == 253
    assert "253 in all" in said("micro_attention", "Table 5")
    assert "accuracy 0.763 is WAR of the matrix" in said("micro_attention", "Table 4")
    assert "F1-score 0.668 is UF1 of the matrix" in said("micro_attention", "Table 4")
    numbers = next(f.numbers for f in audit("micro_attention") if "accuracy" in f.about)
    assert numbers["war over the classes' clips"] == pytest.approx(193 / 253, abs=1e-4)


class TestMeranet:
    def test_fractions_and_what_one_clip_is_worth(self):
        assert "19/21" in said("meranet", "Table 1", "MERANet, CASME:")
        assert "17/21" in said("meranet", "Table 1", "3-D ResNet, CASME:")
        assert "11/12" in said("meranet", "Table 1", "MERANet, CAS(ME)^2")
        assert "one is 8.3 points" in said("meranet", "Table 1", "MERANet, CAS(ME)^2")
        assert "no share of about 29 clips" in said("meranet", "Table 1", "MERANet, CASME:")

    def test_the_two_totals_have_heads_of_different_size(self):
        text = said("meranet", "section 5.1")
        assert "33,167,811 is exactly the network with a head of 3 classes" in text
        assert "33,547,552 is exactly the network with a head of 400 classes, not 3" in text


class TestDenseMixedAttention:
    def test_the_databases_add_up(self):
        first, *others = load("dense_mixed_attention").pooled_accuracies
        (fractions,) = fractions_that_add_up(first)
        assert fractions == {"casme2": (142, 150), "samm": (119, 132), "smic": (158, 165)}
        for accuracy in others:
            (fractions,) = fractions_that_add_up(accuracy)
            assert [fraction.clips for fraction in fractions.values()] == [150, 132, 165]

    def test_they_are_not_the_databases_own_numbers(self):
        assert "samm 132 for 133" in said("dense_mixed_attention", "Tables 5 and 6")

    def test_the_numbers_are_those_of_the_configs(self):
        printed = {
            (p.where, p.database, p.value)
            for name in ("table5", "table11", "table12")
            for config in load_experiments(f"dense_mixed_attention/{name}")
            for row in config.rows
            for p in row.published
            if p.metric == "war"
        }
        for accuracy in load("dense_mixed_attention").pooled_accuracies:
            table = {"Table 10": "Table 11", "Tables 5 and 6": "Table 6"}
            where = table.get(accuracy.where, accuracy.where)
            for database, number in accuracy.databases.items():
                assert (where, database, number.value) in printed


@pytest.mark.parametrize("paper", PAPERS)
def test_rows_of_printed_matrices_add_up(paper):
    for matrix in load(paper).matrices:
        for row in matrix.rows:
            assert sum(row) == pytest.approx(100, abs=0.03 if matrix.decimals else 1)


@pytest.mark.parametrize("paper", PAPERS)
def test_every_number_beside_a_matrix_stands_in_a_config_too(paper):
    printed = {
        (p.where, p.value)
        for name in experiment_names()
        if name.startswith(f"{paper}/")
        for config in load_experiments(name)
        for row in config.rows
        for p in row.published
    }
    for matrix in load(paper).matrices:
        for number in matrix.numbers:
            assert (number.where, number.value) in printed


@pytest.mark.parametrize("paper", PAPERS)
def test_findings_are_json_ready_and_say_something(paper):
    for finding in audit(paper):
        assert json.loads(json.dumps(finding.to_json()))["says"]


class TestMadeUpNumbers:
    def test_a_clean_matrix_is_called_clean(self):
        matrix = PrintedMatrix(
            where="Table 1",
            title="x",
            classes=("a", "b"),
            clips={"a": 30, "b": 10},
            rows=((90.0, 10.0), (40.0, 60.0)),
            numbers=(
                PrintedNumber(name="accuracy", value=82.5, decimals=1, where="Table 1"),
                PrintedNumber(name="recall", value=75.0, decimals=1, where="Table 1"),
            ),
        )
        sizes, accuracy, recall = findings_of(PublishedPaper(title="t", matrices=(matrix,)))
        assert "40 in all" in sizes.says
        assert accuracy.says == "accuracy 82.5 is WAR of the matrix"
        assert recall.says == "recall 75 is UAR of the matrix"

    def test_a_share_that_the_division_can_give(self):
        number = PrintedNumber(name="accuracy", value=80.0, decimals=1, where="w")
        accuracy = PartAccuracy(where="w", title="x", number=number, clips=100, tested_share=0.2)
        (finding,) = findings_of(PublishedPaper(title="t", part_accuracies=(accuracy,)))
        assert finding.says.startswith("80 is 16/20, and about 20 clips are tested")
        assert finding.limits == ""

    def test_a_count_that_no_head_gives(self):
        count = ParameterCount(
            where="w", title="x", published=33_167_812, model="resnet3d_18", per_class=513
        )
        (finding,) = findings_of(PublishedPaper(title="t", parameter_counts=(count,)))
        assert "not reached by any number of classes" in finding.says

    @pytest.mark.parametrize(
        "change", [{"rows": ((90.0, 10.0),)}, {"clips": {"a": 3}}, {"classes": ("a",)}]
    )
    def test_a_matrix_that_is_not_square_is_refused(self, change):
        whole = {
            "where": "w",
            "title": "x",
            "classes": ("a", "b"),
            "clips": {"a": 3, "b": 1},
            "rows": ((90.0, 10.0), (40.0, 60.0)),
        }
        with pytest.raises(ValueError, match=r"expected \d rows|name the classes"):
            PrintedMatrix(**(whole | change))


def test_an_unknown_paper_is_refused():
    with pytest.raises(ConfigError, match="did you mean 'meranet'"):
        audit("meranett")
