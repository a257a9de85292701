"""Boards: digests bind clips, people, labels and folds, whatever their order and names."""

import pytest

from mer_keras.leaderboard.boards import anonymous, boards, clips_digest, division_digest


def test_order_and_names_of_folds_dont_count(entry):
    clips = entry.clips
    shuffled = clips.sample(frac=1, random_state=0).assign(fold=lambda c: "x" + c["fold"])
    assert clips_digest(shuffled) == clips_digest(clips)
    assert division_digest(shuffled) == division_digest(clips)


@pytest.mark.parametrize("column", ["clip", "database", "person", "label"])
def test_every_column_counts(entry, column):
    changed = entry.clips.copy()
    changed.loc[0, column] = changed.loc[1, column] + "0"
    assert clips_digest(changed) != clips_digest(entry.clips)


def test_a_clip_in_another_fold_counts(entry):
    changed = entry.clips.copy()
    changed.loc[0, "fold"] = next(f for f in changed["fold"] if f != changed.loc[0, "fold"])
    assert division_digest(changed) != division_digest(entry.clips)


def test_a_name_shows_nothing():
    assert anonymous("samm/006/006_1_2") == anonymous("samm/006/006_1_2")
    assert anonymous("samm/006") != anonymous("samm/007")
    assert len(anonymous("x")) == 12


def test_shipped_boards_have_their_protocols():
    for board in boards().values():
        assert "leave-one-subject-out" in board.divisions
        assert len(set(board.divisions.values())) == len(board.divisions)
