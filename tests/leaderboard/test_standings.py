"""Lines of a table: arms of one method are joined, claims stand once, others are refused."""

from dataclasses import astuple, replace
from unittest.mock import patch

import pytest

from mer_keras.errors import ResultsError
from mer_keras.leaderboard.lines import main_table
from mer_keras.leaderboard.reading import checked_entry, matrices_of
from mer_keras.leaderboard.standings import tables_of, values_of
from mer_keras.leaderboard.writing import contribution_files
from tests.leaderboard.made import BOARDS, TREE, make_run


@pytest.fixture(scope="module")
def table(entry, inner):
    (table,) = tables_of([inner, entry], repetitions=50, resamples=500)
    return table


def line(table, name):
    return next(standing for standing in table.standings if standing.name == name)


def test_one_line_for_each_method_best_first(table):
    assert [s.name for s in table.standings] == ["SVM", "Net", "majority class", "Claimed"]
    assert table.people == 5


def test_a_line_holds_all_arms(table, entry, inner):
    net = line(table, "Net")
    assert net.honest == values_of(matrices_of(entry, "net", "last_epoch"))
    assert net.inner == values_of(matrices_of(inner, "net", "as_run"))
    assert net.person_best == values_of(matrices_of(entry, "net", "subject_best_latest"))
    gap = net.person_best["uf1"].pooled - net.honest["uf1"].pooled
    assert net.choosing_adds.value == pytest.approx(gap)
    assert net.choosing_adds.low <= gap <= net.choosing_adds.high
    held_back = net.inner["uf1"].pooled - net.honest["uf1"].pooled
    assert net.inner_adds.value == pytest.approx(held_back)
    assert net.inner_adds.low <= held_back <= net.inner_adds.high
    assert line(table, "majority class").inner_adds is None
    assert 0 < net.guessed["uf1"].mean < 1
    assert net.databases["samm"]["uf1"] == pytest.approx(net.honest["uf1"].pooled)
    assert net.claimed("uf1") == 0.9


def test_a_method_without_epochs_has_no_column_of_rules(table):
    svm = line(table, "SVM")
    assert svm.honest
    assert not svm.person_best
    assert not svm.guessed
    assert svm.choosing_adds is None


def test_what_is_claimed_alone_has_no_score(table):
    claimed = line(table, "Claimed")
    assert (claimed.honest, claimed.inner, claimed.seeds) == ({}, {}, 0)
    assert claimed.claimed("uf1") == 0.95
    assert claimed.guessed["uf1"].mean > line(table, "Net").guessed["uf1"].mean


def test_only_methods_that_learn_are_compared(table):
    assert [standing.name for standing in table.compared] == ["SVM", "Net"]
    assert len(table.pairs) == 1


def run_of(folder, seeds, name, **extra):
    """A contribution of other seeds, a year newer than the fixtures' are."""
    view = make_run(folder, seeds=seeds, **{"created": "2027-01-01T00:00:00+00:00"} | extra)
    return checked_entry(name, contribution_files(view, known=BOARDS), BOARDS)


@pytest.mark.parametrize(
    ("seeds", "stands"), [([1, 2], "newer"), ([0, 1, 2], "newer"), ([0], "last")]
)
def test_of_two_runs_that_share_a_seed_the_one_of_more_seeds_stands_or_the_newer(
    tmp_path, entry, seeds, stands
):
    skills = {"net": 1, "svm": 1, "baseline-majority": 0}
    newer = run_of(tmp_path, seeds, "newer", skill=skills)
    (table,) = tables_of([newer, entry], repetitions=20, resamples=20)
    assert line(table, "SVM").sources == (stands,)
    assert (line(table, "SVM").honest["uf1"].pooled == 1) == (stands == "newer")
    assert line(table, "SVM").seeds == (2 if stands == "last" else len(seeds))


def test_runs_of_other_seeds_are_one_line_as_one_run_of_all_seeds_would_be(tmp_path, entry, inner):
    by_inner = {"selection": "inner_subjects"}
    more = run_of(tmp_path, [2], "a-later-one", seconds=4.0)
    more_inner = run_of(tmp_path, [5, 8], "an-inner-one", **by_inner)
    whole = run_of(tmp_path, [0, 1, 2], "whole")
    whole_inner = run_of(tmp_path, [0, 1, 5, 8], "whole-inner", **by_inner)
    (joined,) = tables_of([more, entry, more_inner, inner], repetitions=20, resamples=20)
    (one_run,) = tables_of([whole, whole_inner], repetitions=20, resamples=20)
    net, expected = line(joined, "Net"), line(one_run, "Net")
    assert net.sources == ("last", "a-later-one", "an-inner-one", "inner")
    assert (net.seeds, net.inner_seeds) == (expected.seeds, expected.inner_seeds) == (3, 4)
    assert net.matrices.tolist() == expected.matrices.tolist()
    assert net.honest == expected.honest
    assert net.person_best == expected.person_best
    # The seeds stand in another order, so that sums are rounded otherwise.
    of_whole = expected.inner["uf1"]
    assert astuple(net.inner["uf1"]) == pytest.approx(astuple(of_whole), rel=1e-12)
    assert net.inner_adds.value == pytest.approx(of_whole.pooled - net.honest["uf1"].pooled)
    assert net.databases == expected.databases
    assert net.arm.seconds_a_seed == pytest.approx((2 * 5 + 20) / 3)
    curves, curves_of_one = net.arm.curves(), expected.arm.curves()
    assert list(curves) == list(curves_of_one)
    assert curves.to_numpy() == pytest.approx(curves_of_one.to_numpy(), abs=1e-5)
    with patch("mer_keras.leaderboard.lines.boards", lambda: BOARDS):
        (cells,) = (cells for cells in main_table(joined).records if cells["method"] == "Net")
    assert (cells["seeds"], cells["seeds, chosen on training people"]) == ("3", "4")


def test_a_run_that_shares_a_seed_with_one_of_two_is_not_joined_with_that_one(tmp_path, entry):
    more, again = (run_of(tmp_path, seeds, f"of-{len(seeds)}") for seeds in ([2], [2, 7, 9]))
    (table,) = tables_of([more, again, entry], repetitions=20, resamples=20)
    assert line(table, "Net").sources == ("of-3", "last")
    assert line(table, "Net").seeds == 5


def test_curves_are_joined_at_the_lengths_that_all_runs_have(tmp_path, entry):
    other = run_of(tmp_path, [2], "other")
    thinned = replace(other, curves={"net": other.curves["net"].iloc[[0, 2, 4]]})
    (table,) = tables_of([thinned, entry], repetitions=20, resamples=20)
    curves = line(table, "Net").arm.curves()
    assert list(curves["epochs"]) == [1, 3, 5]
    means = (2 * entry.curves["net"]["last_epoch"] + other.curves["net"]["last_epoch"]) / 3
    assert list(curves["last_epoch"]) == pytest.approx(list(means.iloc[[0, 2, 4]]))


@pytest.mark.parametrize(
    "change",
    [
        {"package": "9.9"},
        {"versions": {"mer-keras": "9.9"}},  # That of the run; another version contributed it.
        {"backend": "jax"},
        {"folds_digest": "2" * 32},  # The same people are tested, and others held back.
        {"images_digest": "2" * 32},
    ],
)
def test_runs_under_other_conditions_are_not_joined(tmp_path, entry, change):
    other = run_of(tmp_path, [5], "other", tree={"baselines": []})
    (table,) = tables_of([other, entry], repetitions=20, resamples=20)
    assert line(table, "Net").sources == ("last", "other")
    changed = replace(other, head=other.head.model_copy(update=change))
    if "images_digest" in change:  # Another row's input says why the images differ.
        changed = replace(changed, plans=changed.plans | {"more": "another row"})
        with patch("mer_keras.leaderboard.standings.inputs_read", lambda _, plan: {str(plan): 0}):
            (table,) = tables_of([changed, entry], repetitions=20, resamples=20)
    else:
        (table,) = tables_of([changed, entry], repetitions=20, resamples=20)
    assert line(table, "Net").sources == ("last",)


def test_a_run_with_stored_epochs_stands_before_one_of_more_seeds_without(tmp_path, entry):
    other = run_of(tmp_path, [5, 6, 7], "other", tree={"record_epochs": False})
    (table,) = tables_of([other, entry], repetitions=20, resamples=20)
    assert line(table, "Net").sources == ("last",)
    assert line(table, "Net").person_best
    assert line(table, "SVM").sources == ("other", "last")


def test_a_method_that_a_table_calls_otherwise_is_one_line(tmp_path, entry):
    rows = [{"name": "SVM of pixels", "method": "svm"}, {"name": "Claimed", "method": "claimed"}]
    tree = {"rows": rows, "baselines": []}
    other = run_of(tmp_path, [4], "a-small-one", tree=tree, skill={"svm-of-pixels": 0.5})
    (table,) = tables_of([other, entry], repetitions=20, resamples=20)
    assert line(table, "SVM").sources == ("last", "a-small-one")
    assert [s.name for s in table.standings].count("Claimed") == 1
    assert not [s for s in table.standings if s.name == "SVM of pixels"]


def test_rows_of_one_run_that_were_trained_alike_stay_apart(tmp_path, entry):
    rows = [{"name": name, "method": "svm"} for name in ("SVM", "SVM again")]
    skill = {"svm": 0.8, "svm-again": 0.5}
    twice = run_of(tmp_path, [5], "twice", tree={"rows": rows, "baselines": []}, skill=skill)
    (table,) = tables_of([twice, entry], repetitions=20, resamples=20)
    assert line(table, "SVM").sources == ("last", "twice")
    assert line(table, "SVM again").sources == ("twice",)


def test_a_method_that_one_run_only_claims_stands_once(tmp_path, entry):
    rows = [{"name": "Net", "method": "net", "runs": False}, TREE["rows"][1]]
    other = run_of(tmp_path, [5], "other", tree={"rows": rows, "baselines": []})
    (table,) = tables_of([other, entry], repetitions=20, resamples=20)
    assert [s.name for s in table.standings].count("Net") == 1


def test_a_less_precise_training_is_a_line_of_its_own(tmp_path, entry, inner):
    train = TREE["train"] | {"precision": "mixed_bfloat16"}
    view = make_run(tmp_path, tree={"train": train})
    other = checked_entry("other", contribution_files(view, known=BOARDS), BOARDS)
    (table,) = tables_of([entry, inner, other], repetitions=20, resamples=20)
    formats = {standing.name: standing.precision for standing in table.standings}
    assert formats == {
        "Claimed": "float32",
        "Net": "float32",
        "Net, mixed_bfloat16": "mixed_bfloat16",
        "SVM": "float32",
        "majority class": "float32",
    }
    assert len(table.standings) == len(formats)
    assert line(table, "Net").inner
    assert not line(table, "Net, mixed_bfloat16").inner


def test_another_recipe_is_a_line_of_its_own(tmp_path, entry, inner):
    train = TREE["train"] | {"optimizer": {"learning_rate": 9.0}, "batch_size": 2}
    view = make_run(tmp_path, tree={"train": train}, created="2027-01-01T00:00:00+00:00")
    other = checked_entry("other", contribution_files(view, known=BOARDS), BOARDS)
    (table,) = tables_of([entry, inner, other], repetitions=20, resamples=20)
    names = [standing.name for standing in table.standings if standing.row.name == "Net"]
    assert sorted(names) == [
        "Net, batch_size 2, learning_rate 9.0",
        "Net, batch_size 4, learning_rate 0.1",
    ]
    assert line(table, names[0] if "0.1" in names[0] else names[1]).sources == ("last", "inner")
    assert line(table, "SVM").sources[0] == "other"  # It has no recipe: the newest run stands.


def test_what_a_row_changes_in_its_recipe_is_said(tmp_path):
    rows = [TREE["rows"][0] | {"train": {"epochs": 5, "optimizer": {"learning_rate": 0.5}}}]
    view = make_run(tmp_path, tree={"rows": rows, "baselines": []})
    entry = checked_entry("theirs", contribution_files(view, known=BOARDS), BOARDS)
    (table,) = tables_of([entry], repetitions=20, resamples=20)
    assert line(table, "Net").changed == ("learning_rate 0.5",)


def test_a_method_of_another_pretraining_or_other_held_back_people_is_a_line_of_its_own(
    tmp_path, entry
):
    protocol = {"name": "loso", "inner_fraction": 0.5}
    view = make_run(tmp_path, selection="inner_subjects", tree={"protocol": protocol})
    other = checked_entry("half", contribution_files(view, known=BOARDS), BOARDS)
    (table,) = tables_of([entry, other], repetitions=20, resamples=20)
    names = {standing.name for standing in table.standings if standing.row.name == "Net"}
    assert names == {"Net, inner_fraction 0.2", "Net, inner_fraction 0.5"}


def test_weights_from_elsewhere_make_a_line_of_their_own(tmp_path, entry):
    facts = {"images": 0, "validation_images": 0, "validation_split_by": "clip", "accuracy": 0.0}
    own, given = ({"stage": "pretraining", "digest": digit * 16, **facts} for digit in ("1f", "ab"))
    stages = [own | {"start_from": False}, given | {"start_from": True}]
    view = make_run(tmp_path, seeds=[0, 1, 2], stages=stages)
    other = checked_entry("other", contribution_files(view, known=BOARDS), BOARDS)
    assert other.head.started_from == ("ab" * 16,)
    (table,) = tables_of([entry, other], repetitions=20, resamples=20)
    nets = {s.name: s for s in table.standings if s.row.name == "Net"}
    assert set(nets) == {"Net, started_from none", "Net, started_from abababab"}
    assert nets["Net, started_from abababab"].changed == ("started_from abababab",)
    assert nets["Net, started_from none"].changed == ()
    assert line(table, "SVM").sources == ("other",)  # It starts from no weights.


def test_two_lines_of_one_name_say_run_and_row(tmp_path, entry):
    nets = [
        {"name": "Net", "method": "net", "train": {"optimizer": {"learning_rate": 0.5}}},
        {"name": "Net, learning_rate 0.5", "method": "claimed"},
    ]
    view = make_run(tmp_path, tree={"rows": nets, "baselines": []})
    other = checked_entry("other", contribution_files(view, known=BOARDS), BOARDS)
    (table,) = tables_of([entry, other], repetitions=20, resamples=20)
    names = [standing.name for standing in table.standings]
    assert len(set(names)) == len(names)
    assert {
        "Net, learning_rate 0.5 (other:net)",
        "Net, learning_rate 0.5 (other:net-learning-rate-0-5)",
    } <= set(names)


def test_other_images_in_one_table_are_refused_by_name(tmp_path, entry):
    view = make_run(tmp_path, images="2" * 32)
    other = checked_entry("theirs", contribution_files(view, known=BOARDS), BOARDS)
    with pytest.raises(ResultsError, match=r"theirs and last read other images"):
        tables_of([entry, other])


def test_images_of_other_inputs_are_not_compared(tmp_path, entry):
    inputs = {"clips": {"kind": "flow_image", "size": 14}}
    view = make_run(tmp_path, images="2" * 32, tree={"inputs": inputs})
    other = checked_entry("theirs", contribution_files(view, known=BOARDS), BOARDS)
    (table,) = tables_of([entry, other], repetitions=20, resamples=20)
    assert len([s for s in table.standings if s.row.name == "Net"]) == 2


def test_nothing_to_show_says_what_to_do():
    with pytest.raises(ResultsError, match="mer-keras run leaderboard/megc2019"):
        tables_of([])
