"""Units that a manifest and folds say; somebody else may have written both."""

import pytest

from mer_keras.errors import ResultsError
from mer_keras.protocols.folds import Fold, FoldSet
from mer_keras.runs.folder import RunFolder
from mer_keras.runs.units import MOST_UNITS, units_of
from mer_keras.terms import Selection

FOLDS = FoldSet(
    tuple(Fold(str(k), ("a",), (), (f"{k}",), Selection.LAST_EPOCH) for k in range(400))
)


def manifest(rows, seeds):
    return {
        "rows": [{"key": str(number)} for number in range(rows)],
        "config": {"seeds": list(range(seeds))},
    }


def test_fault_65_lists_that_are_multiplied_are_bounded_together():
    """Each is within its own bound, and the units would fill the memory."""
    with pytest.raises(ResultsError, match="400,000,000 trainings, expected 300,000 at most"):
        units_of(manifest(1000, 1000), FOLDS)
    assert sum(map(len, units_of(manifest(2, 3), FOLDS).values())) == 2 * 3 * 400 <= MOST_UNITS


def test_fault_67_no_weights_are_written_by_a_link_of_a_received_run(tmp_path):
    run, other = tmp_path / "run", tmp_path / "other"
    run.mkdir()
    other.mkdir()
    folder, file = RunFolder(run), run / "weights/row/seed-0/fold.weights.h5"
    folder.check_no_link(file)
    (run / "weights").symlink_to(other)
    with pytest.raises(ResultsError, match="weights: is a link"):
        folder.check_no_link(file)
