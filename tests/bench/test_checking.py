"""What is checked at a large size is sound at a small one."""

from itertools import islice

import pytest

from mer_keras.bench import checking, contributions, flow_like
from mer_keras.databases import registry
from mer_keras.leaderboard.reading import read_contribution
from mer_keras.leaderboard.writing import write_contribution


@pytest.fixture
def config(places, monkeypatch):
    monkeypatch.setenv("MER_CONFIG", str(places / "config"))
    return places


def test_rows_of_a_list_are_different_intervals_of_one_small_folder(config):
    table = checking._write_list(config / "list", 4000)
    assert len(list((table.parent / "recording").iterdir())) == checking._FRAMES
    checking._check_plainly(table.parent)
    samples = registry.add(table, "lab").table
    assert len(samples) == 4000 and samples["subject_id"].nunique() == 1000
    assert not samples.duplicated(["onset", "offset"]).any()
    checking._data_check("lab")


def test_the_longest_list_has_intervals_enough():
    last = next(islice(checking._intervals(), max(checking.ROWS) - 1, None))
    assert 0 <= last[0] < last[1] < checking._FRAMES


def test_a_database_has_as_many_files_as_it_says(config):
    root = checking._write_files(config / "files", 130)
    assert len(list(root.rglob("*.jpg"))) == 130
    assert len(registry.add(root, "lab").table) == 3
    checking._walk(root)
    checking._data_check("lab", "--frames")


def test_contributions_are_accepted_and_differ(tmp_path):
    clips = contributions._clips()
    known = {"megc2019": contributions._drawn_board(clips)}
    predicted = []
    for number in range(2):
        folder = tmp_path / str(number)
        write_contribution(contributions._contribution(clips, number), folder)
        (of_rows,) = read_contribution(folder, known).predicted.values()
        assert list(of_rows) == [(seed, "as_run") for seed in (0, 1, 2)]
        predicted.append(of_rows[0, "as_run"].tolist())
    assert predicted[0] != predicted[1]


def test_a_crowd_is_the_set_and_further_sets_of_other_people():
    few, many = flow_like.draw_crowd(5), flow_like.draw_crowd(70)
    assert few.people() == flow_like.draw(people=5).people()
    assert len(set(many.people())) == 70
    assert many.people()[:68] == flow_like.draw().people()
    assert len(many.images) == len(many.labels) == len(many.databases) > 442
