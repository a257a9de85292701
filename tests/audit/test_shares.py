"""Accuracies of tables as shares of the clips they are said to be of."""

from functools import cache

import pytest

from mer_keras.audit.findings import audit as uncached_audit
from mer_keras.audit.published import (
    PartAccuracy,
    PrintedNumber,
    TableAccuracies,
    load,
    papers,
)
from mer_keras.audit.shares import common_part_findings, table_accuracy_findings
from mer_keras.config.files import load_experiments
from mer_keras.databases.label_schemes import get_scheme

#: Findings of a paper, computed once.
audit = cache(uncached_audit)


def finding_of(paper, where, about):
    (finding,) = [f for f in audit(paper) if (f.where, f.about) == (where, about)]
    return finding


@pytest.mark.parametrize(
    ("where", "about", "counts"),
    [
        ("Table 2", "accuracies, samm", [37, 36, 38]),
        ("Table 2", "accuracies, casme2", [107, 106, 108]),
        ("Table 4", "accuracies", [189, 158, 193]),
        ("Table 6, SAMM", "accuracies", [31, 32, 33]),
        ("Table 6, CASME II", "accuracies", [115, 116, 122]),
        ("Table 6, SMIC", "accuracies", [68, 81, 81]),
    ],
)
def test_micro_attentions_accuracies_are_shares_of_all_clips(where, about, counts):
    finding = finding_of("micro_attention", where, about)
    clips = finding.numbers["clips"]
    assert [ways[0] for ways in finding.numbers["own"].values()] == [f"{k}/{clips}" for k in counts]
    assert "no share" not in finding.says
    assert finding.limits == ""


def test_none_of_the_quoted_ones_is_a_share_of_the_pooled_clips():
    assert (
        "of the 5 quoted accuracies 0 are"
        in finding_of("micro_attention", "Table 4", "accuracies").says
    )


@pytest.mark.parametrize(
    ("where", "nearest"), [("Table 7", "215/249"), ("Table 8", "114/135"), ("Table 9", "153/165")]
)
def test_dense_connections_were_tested_on_other_clips_than_their_rivals(where, nearest):
    finding = finding_of("dense_mixed_attention", where, "accuracies")
    assert nearest in finding.says
    assert "not of the same clips" in finding.limits


def test_a_number_of_clips_that_no_accuracy_fits():
    table = TableAccuracies(
        where="w", experiment="micro_attention/table6/samm", decimals=6, clips={"all": 20}
    )
    (finding,) = table_accuracy_findings(table)
    assert "nor near" in finding.says


def test_a_matrix_that_is_reproduced_names_its_row():
    for paper in papers():
        for matrix in load(paper).matrices:
            if matrix.experiment is None:
                assert "quoted" in matrix.title
                continue
            (config,) = load_experiments(matrix.experiment)
            (row,) = [row for row in config.rows if row.name == matrix.row]
            assert row.method is not None
            # The classes are those of the label scheme, in whatever order.
            scheme = get_scheme(config.data.scheme_of(config.data.databases[0]))
            assert set(matrix.classes) == set(scheme.classes)


@pytest.mark.parametrize(
    ("database", "sizes", "fits"),
    [
        ("CASME", [21, 42, 63, 84], False),
        ("CASME II", [12, 24, 36, 48], False),
        ("CAS(ME)^2", [12, 24, 36, 48], True),
    ],
)
def test_meranets_two_accuracies_are_of_one_tested_part(database, sizes, fits):
    finding = finding_of("meranet", "Table 1", f"all accuracies, {database}")
    assert finding.numbers["sizes"][:4] == sizes
    assert f"of one set of {', '.join(map(str, sizes))} clips" in finding.says
    assert (finding.limits == "") == fits


def test_accuracies_that_no_part_has_together():
    parts = [
        PartAccuracy(
            where="w",
            title=f"{name}, database",
            clips=12,
            number=PrintedNumber(name="accuracy", value=value, decimals=0, where="w"),
        )
        for name, value in (("a", 17.0), ("b", 91.0))
    ]
    (finding,) = common_part_findings(parts)
    assert finding.says == "no number of clips has shares that round to 17 and 91"
    assert list(common_part_findings(parts[:1])) == []


@pytest.mark.parametrize(
    ("database", "says"),
    [
        ("CAS(ME)^2", "83.25 and 79.31 are shares of one set of 203 clips, to name the smallest"),
        ("SMIC", "no number of clips has shares that round to 54.77 and 64.82"),
    ],
)
def test_fusenets_accuracies_are_shares_of_all_clips_or_of_none(database, says):
    where, about = "results of MicroExpFuseNet", f"all accuracies, {database}"
    finding = finding_of("microexp_stcnn", where, about)
    assert says in finding.says
    assert finding.limits


def test_an_accuracy_that_is_no_share_of_a_possible_number_of_clips():
    where, about = "results of MicroExpFuseNet", "MicroExpFuseNet, intermediate, SMIC: accuracy"
    finding = finding_of("microexp_stcnn", where, about)
    assert finding.says == "54.77 is no share of any number of clips up to 156"
