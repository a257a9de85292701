"""A run's contribution holds what scores it, and nothing that names a person or a path."""

import json

import pytest

from mer_keras.config.files import load_experiments
from mer_keras.errors import MerKerasError, ResultsError
from mer_keras.evaluation.epoch_rules import RULES
from mer_keras.leaderboard.boards import boards
from mer_keras.leaderboard.reading import checked_entry, matrices_of
from mer_keras.leaderboard.standings import values_of
from mer_keras.leaderboard.writing import claims_of, contribution_files, write_contribution
from mer_keras.report.epochs import predictions_by_rule
from mer_keras.report.scoring import score_row
from mer_keras.report.scoring import values_of as values_of_table
from tests.leaderboard.made import BOARDS, CLASSES, SECRET, TREE, make_run


def row_of(entry, key):
    return next(row for row in entry.head.rows if row.key == key)


def test_scores_of_a_contribution_are_those_of_its_run(view, entry):
    for state in view.rows:
        rule = "last_epoch" if state.key == "net" else "as_run"
        own = values_of(matrices_of(entry, state.key, rule))
        expected = score_row(view, state).values
        for metric in ("uf1", "uar"):
            assert own[metric].pooled == pytest.approx(expected[metric].pooled)
            assert own[metric].seed_sd == pytest.approx(expected[metric].seed_sd)


def test_every_rule_scores_as_in_the_run(view, entry):
    for rule, table in predictions_by_rule(view, "net").items():
        expected = values_of_table(table, CLASSES)["uf1"].pooled
        assert values_of(matrices_of(entry, "net", rule))["uf1"].pooled == pytest.approx(expected)
    assert set(row_of(entry, "net").rules) == set(RULES)


def test_nothing_names_a_person_or_a_folder(files, view):
    for text in files.values():
        assert SECRET not in text
        assert str(view.path.parent) not in text


def test_claims_stand_with_their_rows_and_on_this_set_alone(entry):
    (claim,) = row_of(entry, "net").claims
    assert (claim.metric, claim.value, claim.chosen_by) == ("uf1", 0.9, "the tested clips")
    claimed = row_of(entry, "claimed")
    assert not claimed.ran
    assert (claimed.epochs, claimed.missing, claimed.claims[0].value) == (40, "the faces", 0.95)


@pytest.mark.parametrize(
    ("key", "expected"),
    [("net", {"net": 0, "svm": 0, "claimed": 1}), ("claimed", {"net": 1, "svm": 0})],
)
@pytest.mark.parametrize("variant", [{"input": "later"}, {"arguments": {"scale": 1.0}}])
def test_a_claim_is_not_of_a_variant_or_of_other_images(tmp_path, key, expected, variant):
    """Whether the row was run or not."""
    rows = [row | variant if row["method"] == key else row for row in TREE["rows"]]
    inputs = TREE["inputs"] | {"later": {"kind": "flow_image", "size": 28}}
    view = make_run(tmp_path, tree={"rows": rows, "inputs": inputs})
    entry = checked_entry("varied", contribution_files(view, known=BOARDS), BOARDS)
    claims = {row.key: len(row.claims) for row in entry.head.rows if row.role == "row"}
    assert claims == expected


def test_a_row_that_writes_its_methods_own_inputs_out_is_no_variant():
    own = "[clips, apex_offset, onset_apex_direction, apex_offset_direction]"
    name, board = "leaderboard/megc2019_key_frames_large", boards()["megc2019_key_frames"]
    claims = []
    for inputs in (own, "[apex_offset, clips, onset_apex_direction, apex_offset_direction]"):
        (config,) = load_experiments(name, overrides=[f"rows.0.input={inputs}"])
        claims.append(claims_of(config, "causalnet", "causalnet", board))
    (config,) = load_experiments(name)
    assert claims == [claims_of(config, "causalnet", "causalnet", board), []]
    assert claims[0]


def test_one_row_alone(view):
    entry = checked_entry("svm", contribution_files(view, keys=["svm"], known=BOARDS), BOARDS)
    assert list(entry.predicted) == ["svm"]


def test_it_is_written_once(files, tmp_path):
    folder = tmp_path / "new"
    write_contribution(files, folder)
    assert json.loads((folder / "contribution.json").read_text())["board"] == "small"
    with pytest.raises(ResultsError, match="is there already"):
        write_contribution(files, folder)


#: A method with a path as the name of an argument.
WITH_A_PATH = TREE["methods"]["net"] | {
    "network": {"model": "ststnet", "arguments": {"~/somebody/x": 1}}
}


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"skip": [("svm", 2)]}, r"row 'SVM' is INCOMPLETE 8/10.*resume"),
        ({"no_epochs": True}, r"row 'Net', seed 1: the trajectory of fold 1 is incomplete: 0 of 5"),
        ({"cut": 2}, r"row 'Net', seed 0: the trajectory of fold 1 is incomplete: 3 of 5"),
        ({"other_last": "net"}, r"row 'Net', seed 0: the last epoch .* not what the run predicted"),
        ({"selection": "test_fold"}, r"chosen by test_fold: expected last_epoch or inner"),
        *(
            ({"tree": {"not_reproduced": [text]}}, r"config.not_reproduced.0 names a path")
            for text in (
                "/somebody/there",
                "weights=/somebody/there",
                "of ~somebody/there",
                "../there",
                r"C:\Users\somebody",
                r"\\host\share",
                "file:///somebody",
            )
        ),
        (
            {"tree": {"methods": TREE["methods"] | {"net": WITH_A_PATH}}},
            r"config.methods.net.network.arguments names a path",
        ),
        (
            {"tree": {"data": TREE["data"] | {"database": "smalls"}}},
            r"tested on smalls \(did you mean 'small'\?\)",
        ),
    ],
)
def test_what_cant_be_contributed_is_named(tmp_path, extra, message):
    view = make_run(tmp_path, **extra)
    with pytest.raises(ResultsError, match=message) as caught:
        contribution_files(view, known=BOARDS)
    assert view.run_id in str(caught.value)


def test_strokes_that_are_no_paths_may_stand_in_a_text(tmp_path):
    texts = ["UF1 / UAR of 0.74 / 0.72", "and/or", "https://example.org/a", "a ratio x/y"]
    assert contribution_files(make_run(tmp_path, tree={"not_reproduced": texts}), known=BOARDS)


def test_fault_67_a_run_that_says_more_than_a_contribution_may_is_told(tmp_path):
    view = make_run(tmp_path)
    view.manifest["versions"]["numpy"] = "1" * 3000
    with pytest.raises(MerKerasError, match=f"{view.run_id}: versions.numpy: .*at most"):
        contribution_files(view, known=BOARDS)


def test_a_pretraining_without_a_digest_is_told(tmp_path):
    facts = {"images": 0, "validation_images": 0, "validation_split_by": "clip", "accuracy": 0.0}
    stage = {"stage": "pretraining", "start_from": True, **facts}
    view = make_run(tmp_path, stages=[stage])
    with pytest.raises(MerKerasError, match=f"{view.run_id}: started_from.0"):
        contribution_files(view, known=BOARDS)
