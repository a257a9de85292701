"""Nothing is taken over that isn't true of other data or clips."""

import pytest

from mer_keras.config.files import load_experiments
from mer_keras.config.inheritance import data_changes
from tests.config.small import FILE, SMALL

NUMBER = {"name": "acc", "value": 50, "metric": "war"}
BASE = SMALL | {
    "also_reproduces": ["figure2"],
    "not_reproduced": ["The crop is not said."],
    "rows": [
        {"name": "own", "method": "resnet10", "published": [NUMBER]},
        {"name": "old", "published": [NUMBER | {"quoted": True}]},
    ],
    "profiles": {"full": {}, "small": {"inputs.clips.size": 30}, "short": {"train.epochs": 2}},
}
SMIC = {"data": {"database": "smic", "labels": "smic3"}}
WHY = "since data.database is smic, not samm, data.labels is smic3, not samm3"


@pytest.fixture
def derive(add):
    """Return a function that loads ``other/table2``, derived from ``paper/table1``."""
    add("paper/table1", BASE)

    def load(name="other/table2", profile="full", overrides=(), **values):
        add(name, {"base": "paper/table1", **values})
        (config,) = load_experiments(name, profile=profile, overrides=overrides)
        return config

    return load


def test_other_data_leave_paper_and_numbers_behind(derive):
    config = derive(**SMIC)
    assert config.paper is None
    assert (config.table, config.caption, config.also_reproduces) == ("", "", ())
    assert config.not_reproduced == ()
    assert [(row.name, row.published) for row in config.rows] == [("own", ())]
    assert config.heading == "other/table2"
    (line,) = config.not_inherited
    assert line == (
        "base paper/table1: not taken over are paper, table, caption, also_reproduces, "
        f"not_reproduced, published numbers, {WHY}"
    )


@pytest.mark.parametrize(
    "values",
    [
        {"inputs": {"clips": {"size": 30}}},
        {"inputs": {"clips": {"crop": "haar"}}},
        {"data": {"labels": "samm5"}},
        {"data": {"database": ["samm", "smic"], "labels": {"samm": "a", "smic": "b"}}},
    ],
)
def test_clips_and_labels_count_as_well_as_databases(derive, values):
    assert derive(**values).paper is None


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"train": {"epochs": 3}},
        {"selection": "inner_subjects"},
        {"data": {"database": ["samm"], "labels": {"samm": "samm3"}}},  # It is the same.
        {"inputs": {"clips": {"size": 90, "normalise": "none"}}},  # These are the defaults.
        {"inputs": {"motion": {"kind": "flow"}}},
        {"data": {"corrections": False}},
    ],
)
def test_what_is_of_the_same_data_is_kept(derive, values):
    config = derive(**values)
    assert config.paper.title == "t"
    assert config.table == "Table 1"
    assert len(config.rows) == 2
    assert config.not_inherited == ()


def test_what_is_stated_anew_stays(derive):
    rows = [{"name": "new", "method": "resnet10", "published": [NUMBER]}]
    config = derive(**SMIC, caption="SMIC", rows=rows, not_reproduced=["x"])
    assert (config.caption, config.not_reproduced) == ("SMIC", ("x",))
    assert len(config.rows[0].published) == 1
    assert "not taken over are paper, table, also_reproduces, since" in config.not_inherited[0]


def test_a_table_of_the_same_paper_keeps_the_paper_and_its_departures(derive):
    config = derive("paper/table2", **SMIC, table="Table 2")
    assert config.paper.title == "t"
    assert config.not_reproduced == tuple(BASE["not_reproduced"])
    elsewhere = derive("other/table2", **SMIC, table="Table 2")
    assert elsewhere.paper is None


def test_profiles_and_overrides_are_derived_too(add):
    add("paper/table1", BASE)
    (small,) = load_experiments("paper/table1", profile="small")
    assert small.paper is None
    assert small.not_inherited[0].startswith("profile small: not taken over are paper, table, ")
    (short,) = load_experiments("paper/table1", profile="short")
    assert short.paper is not None
    changes = ["data.database=smic", "data.labels=smic3", "caption=SMIC here"]
    (other,) = load_experiments("paper/table1", overrides=changes)
    assert (other.paper, other.caption) == (None, "SMIC here")
    assert other.not_inherited == (
        "--set: not taken over are paper, table, also_reproduces, not_reproduced, published "
        f"numbers, {WHY}",
    )
    (both,) = load_experiments("paper/table1", profile="small", overrides=changes)
    assert len(both.not_inherited) == 1, "what has gone can't go again"


def test_positions_of_rows_are_those_of_the_file(add):
    rows = [BASE["rows"][1], BASE["rows"][0]]
    add("paper/table1", BASE | {"rows": rows})
    changes = ["inputs.clips.size=30", "rows.1.name=renamed"]
    (config,) = load_experiments("paper/table1", overrides=changes)
    assert [row.name for row in config.rows] == ["renamed"]


def test_parts_are_the_files_own_statement(add):
    one = {"data.database": "smic", "data.labels": "smic3"}
    add("paper/table1", BASE | {"parts": {"a": one}})
    (config,) = load_experiments("paper/table1")
    assert (config.table, config.not_inherited) == ("Table 1, a", ())


@pytest.mark.parametrize(
    "broken", [{"data": 5}, {"data": {}}, {"inputs": []}, {"inputs": {"a": 1}}, {}]
)
def test_what_is_no_config_yet_is_compared_all_the_same(broken):
    assert isinstance(data_changes(FILE, broken), tuple)
    assert isinstance(data_changes(broken, FILE), tuple)
    assert data_changes(broken, broken) == ()


def test_fault_75_nothing_of_a_shipped_table_is_said_of_own_data(tmp_path):
    text = "base: shallow_convlstm/table1\ndata: {database: my_lab, labels: samm3}\n"
    (tmp_path / "mine.yaml").write_text(text)
    (config,) = load_experiments(str(tmp_path / "mine.yaml"))
    assert config.paper is None
    assert "SAMM" not in config.caption
    assert not any(row.published for row in config.rows)
    assert not config.not_reproduced


@pytest.mark.parametrize(
    "overrides",
    [
        ["data.database=casme2", "data.labels=samm3"],
        ["data.labels=samm3", "data.database=casme2"],
        ["data.database=casme2"],
    ],
)
def test_fault_75_set_drops_what_is_not_true_whatever_its_order(overrides):
    (config,) = load_experiments("shallow_convlstm/table1", overrides=overrides)
    assert (config.paper, config.caption, config.not_reproduced) == (None, "", ())
    assert not any(row.published for row in config.rows)
    assert any("data.database is casme2, not samm" in line for line in config.not_inherited)
    (same,) = load_experiments("shallow_convlstm/table1", overrides=["train.epochs=3"])
    assert same.paper is not None and "SAMM" in same.caption
