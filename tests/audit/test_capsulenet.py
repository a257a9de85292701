"""CapsuleNet's figures are recounted from the 435 predictions that its authors published."""

import numpy as np
import pytest
from sklearn.metrics import f1_score, recall_score

from mer_keras.audit.findings import audit
from mer_keras.audit.published import load
from mer_keras.config.files import load_experiments

#: Clips of each class, UF1 and UAR as they are quoted.
QUOTED = {
    "all 435 clips": ((246, 109, 80), 0.6520, 0.6506),
    "SMIC-HS": ((66, 51, 40), 0.5820, 0.5877),
    "CASME II": ((88, 32, 25), 0.7068, 0.7018),
    "SAMM": ((92, 26, 15), 0.6209, 0.5989),
}


@pytest.fixture(scope="module")
def matrices():
    """Part -> counts, a row for each true class."""
    printed = load("capsulenet").counted_matrices
    return {matrix.title.partition(", ")[2]: np.array(matrix.rows) for matrix in printed}


@pytest.mark.parametrize("part", QUOTED)
def test_scikit_learn_gives_the_quoted_figures(matrices, part):
    sizes, uf1, uar = QUOTED[part]
    rows, columns = np.indices((3, 3)).reshape(2, -1)
    truth, predicted = (np.repeat(cells, matrices[part].ravel()) for cells in (rows, columns))
    assert tuple(np.bincount(truth)) == sizes
    assert f1_score(truth, predicted, average="macro") == pytest.approx(uf1, abs=5e-5)
    # One of the figures is cut off: a whole unit of its last digit.
    assert 0 <= recall_score(truth, predicted, average="macro") - uar + 5e-5 < 1.5e-4


def test_the_databases_add_up(matrices):
    of_all, *of_databases = matrices.values()
    assert np.array_equal(sum(of_databases), of_all)


def test_the_audit_tells_what_they_are():
    says = [finding.says for finding in audit("capsulenet")]
    assert says[:2] == [
        "UF1 0.6520 is UF1 of the 435 published predictions",
        "UAR 0.6506 is UAR of the 435 published predictions",
    ]
    assert says[-1] == (
        "UAR 0.5989 is UAR of the 133 published predictions, cut off and not rounded"
    )
    assert not any(finding.corrections for finding in audit("capsulenet"))


def test_the_table_that_quotes_them_has_these_figures():
    (table,) = load_experiments("dense_mixed_attention/table5")
    (row,) = [row for row in table.rows if row.method == "capsulenet"]
    figures = {number.name: number.value for number in row.published}
    assert (figures["UF1"], figures["UAR"]) == QUOTED["all 435 clips"][1:]
    assert (figures["UF1, SMIC-HS"], figures["UAR, SMIC-HS"]) == QUOTED["SMIC-HS"][1:]
    assert (figures["UF1, CASME II"], figures["UAR, CASME II"]) == QUOTED["CASME II"][1:]
    assert (figures["UF1, SAMM"], figures["UAR, SAMM"]) == QUOTED["SAMM"][1:]
