"""What a run's end shows: numbers with intervals, and on drawn faces whether motion was found."""

import pytest

from mer_keras.report.outcome import outcome_of
from mer_keras.report.scoring import score_row
from tests.report.stored import make_run


def test_drawn_motion_is_found_by_the_network_alone(tmp_path):
    outcome = outcome_of(make_run(tmp_path, kind="synthetic", profile="quick", skill=0.95))
    assert "drawn faces" in outcome.title and "chance: UAR 33.3 %" in outcome.title
    assert outcome.header[-1] == "motion"
    network, majority = outcome.rows
    assert network[0] == "Proposed ConvLSTM" and network[-1] == "found"
    assert majority[-1] == "not found" and majority[2].startswith("33.3 [33.3")
    assert "1 of 1 networks found the drawn motion" in outcome.sentence


@pytest.mark.parametrize("motion", [True, False])
def test_a_network_without_skill_is_not_found(tmp_path, motion):
    view = make_run(tmp_path, kind="synthetic", profile="quick", skill=0.0, signal=motion)
    outcome = outcome_of(view)
    assert outcome.rows[0][-1] == "not found"
    assert "0 of 1 networks found" in outcome.sentence


def test_real_data_have_numbers_and_no_check(tmp_path):
    view = make_run(tmp_path, kind="licensed")
    outcome = outcome_of(view)
    assert "motion" not in outcome.header and not outcome.sentence
    uar = score_row(view, view.rows[0]).values["uar"]
    shown = outcome.rows[0][2]
    assert shown == f"{100 * uar.pooled:.1f} [{100 * uar.low:.1f}, {100 * uar.high:.1f}]"


def test_no_published_number_stands_beside_drawn_ones(tmp_path):
    outcome = outcome_of(make_run(tmp_path, kind="synthetic", profile="quick"))
    assert "78.33" not in str(outcome)


def test_a_row_with_a_missing_fold_has_no_number(tmp_path):
    view = make_run(tmp_path, kind="synthetic", skip={("proposed-convlstm", "fold-1")})
    network, _ = outcome_of(view).rows
    assert network[1:] == ("not finished",) * 3
