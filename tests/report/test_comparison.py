"""Two rows of stored runs."""

import pytest

from mer_keras.errors import UserError
from mer_keras.report.comparison import compare
from tests.report.stored import make_run


@pytest.fixture(autouse=True)
def results(tmp_path, monkeypatch):
    monkeypatch.setenv("MER_RESULTS", str(tmp_path))
    return tmp_path


def test_a_network_against_a_baseline_of_its_run(results):
    run = make_run(results).run_id
    found = compare(f"{run}:baseline-majority", f"{run}:Proposed ConvLSTM")
    assert found["n_samples"] == 24
    assert found["data_kind"] == "licensed"
    by_metric = {d["metric"]: d for d in found["differences"]}
    assert by_metric["uar"]["first"] == pytest.approx(1 / 3)
    assert by_metric["uar"]["difference"] > 0
    low, high = by_metric["uar"]["interval"]
    assert low <= by_metric["uar"]["difference"] <= high
    assert found["mcnemar"]["only_second"] > found["mcnemar"]["only_first"]
    assert found["second"]["row"] == "Proposed ConvLSTM"


def test_a_run_with_one_network_needs_no_row(results):
    first = make_run(results, folder="one").path.name
    make_run(results, folder="two")
    assert compare(first, "two")["differences"][0]["difference"] == pytest.approx(0)


@pytest.mark.parametrize(
    ("second", "complaint"),
    [
        ("absent", "no such run"),
        ("one:nothing", "no row 'nothing'"),
        ("drawn", "never compared"),
        ("half", "INCOMPLETE 3/4"),
    ],
)
def test_what_cannot_be_compared_is_refused(results, second, complaint):
    make_run(results, folder="one")
    make_run(results, folder="drawn", kind="synthetic")
    make_run(results, folder="half", skip={("proposed-convlstm", "fold-2")})
    with pytest.raises(UserError, match=complaint):
        compare("one", second)
