"""Files -> configs: bases, parts, other names, and what is wrong with them."""

import re
import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mer_keras.config.data import Policies
from mer_keras.config.experiment import Experiment
from mer_keras.config.files import (
    MAX_VALUES,
    differences,
    experiment_names,
    find_config,
    load_config,
    load_experiments,
    parse_overrides,
    parse_policies,
)
from mer_keras.errors import ConfigError

BASE = {
    "name": "method/table1",
    "paper": {"title": "t", "authors": "a", "venue": "v", "year": 2020},
    "table": "Table 1",
    "caption": "c",
    "also_reproduces": ["figure2"],
    "data": {
        "database": ["samm", "casme2"],
        "labels": {"samm": "cde3_samm", "casme2": "cde3_casme2"},
        "clip": {"kind": "frames", "frames": 1, "sampling": "apex", "size": 64},
    },
    "protocol": {"name": "cde"},
    "selection": "last_epoch",
    "train": {"optimizer": {"learning_rate": 0.1}, "epochs": 9, "batch_size": 8},
    "stages": [
        {
            "name": "first",
            "sources": [{"database": "ckplus", "labels": "macro3"}],
            "train": {"optimizer": {"learning_rate": 0.1}, "epochs": 7, "batch_size": 8},
        }
    ],
    "rows": [
        {"name": "own", "model": "resnet10", "published": []},
        {
            "name": "other",
            "quoted": True,
            "published": [{"name": "acc", "value": 50, "metric": "war", "part": "b"}],
        },
    ],
    "profiles": {"full": {}, "quick": {"train.epochs": 2, "stages.0.train.epochs": 1}},
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An ``experiments`` folder of its own; returns a function that adds a file to it."""
    monkeypatch.chdir(tmp_path)
    place = tmp_path / "experiments/method"
    place.mkdir(parents=True)

    def add(name, tree):
        (place / f"{name}.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))

    add("table1", BASE)
    return add


def test_values_stand_over_those_of_the_base(folder):
    folder(
        "table2",
        {
            "name": "method/table2",
            "base": "table1",
            "data": {"database": "samm", "labels": "cde3_samm"},
            "protocol": {"name": "loso"},
            "stages": None,
            "profiles": {"quick": {"train.epochs": 3, "stages.0.train.epochs": None}},
        },
    )
    (full,) = load_experiments("method/table2")
    assert full.data.databases == ("samm",)
    assert full.data.clip.size == 64
    assert full.protocol.name == "loso"
    assert full.stages == ()
    assert full.train.epochs == 9
    (quick,) = load_experiments("method/table2", profile="quick")
    assert quick.train.epochs == 3


def test_overrides_reach_into_lists(folder):
    (quick,) = load_experiments("method/table1", profile="quick")
    assert quick.stages[0].train.epochs == 1
    (other,) = load_experiments("method/table1", overrides=["stages.0.validation_split=0.3"])
    assert other.stages[0].validation_split == 0.3
    (bare,) = load_experiments("method/table1", overrides=["stages=[]"])
    assert bare.stages == ()
    for wrong in ("stages.1.validation_split=0.3", "stages.x=1"):
        with pytest.raises(ConfigError, match="no place in a list of 1"):
            load_experiments("method/table1", overrides=[wrong])


class TestParts:
    @pytest.fixture(autouse=True)
    def parts(self, folder):
        one = {"data.database": "samm", "data.labels": "cde3_samm", "protocol": {"name": "loso"}}
        folder("table1", BASE | {"parts": {"a": one, "b": {**one, "train.epochs": 4}}})

    def test_each_part_is_an_experiment(self):
        a, b = load_experiments("method/table1")
        assert (a.name, b.name) == ("method/table1/a", "method/table1/b")
        assert a.table == "Table 1, a"
        assert (a.train.epochs, b.train.epochs) == (9, 4)
        assert a.digest() != b.digest()

    def test_profiles_and_overrides_come_after_parts(self):
        assert [c.train.epochs for c in load_experiments("method/table1", profile="quick")] == [
            2
        ] * 2
        (b,) = load_experiments("method/table1/b", overrides=["train.epochs=5"])
        assert b.train.epochs == 5

    def test_numbers_of_other_parts_are_left_out_with_rows_that_are_left_empty(self):
        a, b = load_experiments("method/table1")
        assert [row.name for row in a.rows] == ["own"]
        assert [row.name for row in b.rows] == ["own", "other"]

    def test_an_unknown_part_is_refused(self):
        with pytest.raises(ConfigError, match="no part 'c'; known: a, b"):
            load_experiments("method/table1/c")

    def test_a_file_with_parts_needs_one(self):
        path, _ = find_config("method/table1")
        with pytest.raises(ConfigError, match="no part"):
            load_config(path)


def test_what_a_table_covers_is_found_by_its_own_name(folder):
    assert [c.name for c in load_experiments("method/figure2")] == ["method/table1"]
    assert "method/table1" in experiment_names()
    with pytest.raises(ConfigError, match="no experiment 'method/figure3'"):
        load_experiments("method/figure3")


@pytest.mark.parametrize(
    ("base", "complaint"),
    [("../table1", "a file beside"), ("absent", "no such config"), ("table2", "bases")],
)
def test_bad_bases(folder, base, complaint):
    folder("table2", {"name": "method/table2", "base": base})
    with pytest.raises(ConfigError, match=complaint):
        load_experiments("method/table2")


@pytest.mark.parametrize(
    ("override", "complaint"),
    [
        ("data.labels={samm: cde3_samm}", "one scheme for each"),
        ("data.database=[samm, samm]", "different databases"),
        ("data.clip.resize_to=80", "flow_image"),
        ("train.cosine={}", "at most one"),
        ("stages.0.sources=[]", "at least 1 item"),
        ("stages.0.sources.0.frame=2", "did you mean 'frames'"),
    ],
)
def test_contradictions_are_refused(folder, override, complaint):
    with pytest.raises(ConfigError, match=complaint):
        load_experiments(
            "method/table1",
            overrides=["train.plateau={factor: 0.5, patience: 2}", override],
        )


ONE = find_config("shallow_convlstm/table1")[0]
#: what keys and values of overrides are made of, and what YAML gives a meaning to
keys = st.sampled_from(
    [
        *("train", "epochs", "rows", "0", "1", "-1", "data", "clip", "size", "profiles", "seeds"),
        *("model", "paper", "arguments", "x", "stages", "name"),
        *("", " ", "\u00b2", "\u0661", "9" * 5000),
    ]
)
pieces = st.sampled_from(
    [
        *("[", "]", "{", "}", ": ", ", ", "&a ", "*a", "''", "=", "%", "\0", "\n- ", "? ", "<<: "),
        *("!!python/object:os.system ", "!!int", "!!timestamp ", "!!binary ", "\ud800"),
        *("1", "x", "2001-99-99", ".nan", ".inf", "1e999", "0x", "1:9", "9" * 5000, "null", "true"),
    ]
)
overrides = st.builds(
    "{}={}".format,
    st.lists(keys, max_size=4).map(".".join),
    st.lists(pieces, max_size=6).map("".join),
)


@given(st.lists(overrides | st.text(), min_size=1, max_size=3))
def test_any_override_is_taken_or_refused(texts):
    try:
        config = load_config(ONE, profile="quick", overrides=texts)
    except ConfigError as error:
        assert len(str(error)) < 4000
        return
    assert Experiment.model_validate(config.model_dump(mode="json")).digest() == config.digest()


leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
plain = st.recursive(
    leaves | st.dates(),
    lambda more: st.lists(more) | st.dictionaries(st.text(), more),
    max_leaves=5,
)


@given(st.dictionaries(st.text("abc.0_"), plain, max_size=3))
def test_overrides_are_yaml(values):
    dumped = {key: yaml.safe_dump(value, allow_unicode=True) for key, value in values.items()}
    assert parse_overrides([f"{key}={text}" for key, text in dumped.items()]) == {
        key: yaml.safe_load(text) for key, text in dumped.items()
    }


names = st.sampled_from(
    [
        *("shallow_convlstm", "table1", "meranet", "figure4", "casme", "published", ".yaml"),
        *("/", "..", ".", "*", "**", "[", "\0", "x" * 300, "\ud800"),
    ]
)


@given(st.lists(names, max_size=4).map("".join) | st.text())
def test_any_name_is_an_experiment_or_refused(name):
    try:
        assert load_experiments(name)
    except ConfigError as error:
        assert len(str(error)) < 4000


@given(st.lists(st.text() | st.sampled_from(["apex=spot", "sizes=resize", "face=x", "apex=apex"])))
def test_any_policies_are_taken_or_refused(texts):
    try:
        policies = parse_policies(texts)
    except ConfigError as error:
        assert len(str(error)) < 4000
        return
    assert all("=" in text for text in texts)
    assert isinstance(policies, Policies)


@pytest.mark.parametrize("where", ["file", "override"])
@pytest.mark.parametrize("depth", [9, None])
def test_aliases_that_grow_without_end_are_refused_at_once(tmp_path, where, depth):
    """A few hundred bytes are a thousand million values once they are written into a manifest."""
    more = [f"&a{n + 1} [{', '.join([f'*a{n}'] * 10)}]" for n in range(depth or 0)]
    bomb = f"[{', '.join(['&a0 [x]', *more])}]" if depth else "&a0 [*a0]"
    path, given_ones = ONE, [f"rows.0.arguments={{width: {bomb}}}"]
    if where == "file":
        path, given_ones = tmp_path / "x.yaml", []
        row = {"name": "own", "model": "resnet10", "arguments": {"width": "BOMB"}}
        text = yaml.safe_dump(BASE | {"rows": [row]}, sort_keys=False)
        path.write_text(text.replace("BOMB", bomb))
    started = time.monotonic()
    with pytest.raises(ConfigError, match=f"more than {MAX_VALUES:,} values"):
        load_config(path, overrides=given_ones)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    "value", ["2001-99-99", "!!timestamp x", "!!int ''", "[" * 1000, "9" * 5000, "{a: 2001-99-99}"]
)
def test_values_that_yaml_itself_trips_over(tmp_path, value):
    """Each raises an error of its own in the parser."""
    with pytest.raises(ConfigError, match="not YAML"):
        load_config(ONE, overrides=[f"train.epochs={value}"])
    (tmp_path / "x.yaml").write_text(f"name: {value}")
    with pytest.raises(ConfigError, match=re.escape(str(tmp_path / "x.yaml"))):
        load_config(tmp_path / "x.yaml")


@pytest.mark.parametrize(
    "rows", ["text", 5, ["text"], {"a": "b"}, [{"published": ["x"]}], [{"published": 5}], None]
)
def test_rows_of_parts_that_are_none(folder, rows):
    folder("table1", BASE | {"rows": rows, "parts": {"a": {"train.epochs": 4}}})
    with pytest.raises(ConfigError, match="rows"):
        load_experiments("method/table1/a")


def test_what_is_covered_may_be_nonsense_elsewhere(folder):
    folder("table2", BASE | {"name": "method/table2", "also_reproduces": 5})
    with pytest.raises(ConfigError, match="no experiment 'method/figure9'"):
        load_experiments("method/figure9")


def test_a_file_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    path = tmp_path / "x.yaml"
    path.write_text("a: 1")
    monkeypatch.setattr(type(path), "read_text", forbidden)
    with pytest.raises(ConfigError, match=r"x\.yaml: can't be read \(Permission denied\)"):
        load_config(path)
    with pytest.raises(ConfigError, match="no such config"):
        load_config(tmp_path / f"{'y' * 300}.yaml")


def forbidden(*_args, **_options):
    raise PermissionError(13, "Permission denied")


class TestDifferences:
    def config(self, *overrides):
        (config,) = load_experiments("ststnet/megc2019", overrides=overrides)
        return config

    def test_an_unchanged_config_has_none(self):
        assert differences(self.config(), self.config()) == ()

    @pytest.mark.parametrize(
        ("overrides", "expected"),
        [
            (["selection=test_fold"], ("selection=test_fold",)),
            (["train.epochs=3"], ("train.epochs=3",)),
            # a new block shows what it sets, not its defaults
            (["train.augmentation.flip=0.5"], ("train.augmentation.flip=0.5",)),
            (["baselines=[majority]"], None),
            (["train.optimizer.learning_rate=1e-4"], ("train.optimizer.learning_rate=0.0001",)),
            # back to a default
            (["data.clip.kind=frames", "data.clip.size=90"], None),
        ],
    )
    def test_what_was_set_is_said(self, overrides, expected):
        found = differences(self.config(), self.config(*overrides))
        if expected is None:
            assert found
        else:
            assert found == expected

    def test_rows_are_compared_by_name_and_absent_ones_are_none(self):
        (whole,) = load_experiments("micro_attention/table4")
        part = whole.model_copy(update={"rows": whole.rows[-1:]})
        assert differences(whole, part) == ()
        row = whole.rows[-1].model_copy(update={"arguments": {"reading": "x"}})
        changed = whole.model_copy(update={"rows": (*whole.rows[:-1], row)})
        assert differences(whole, changed) == (f"rows.{row.name}.arguments.reading=x",)

    def test_words_change_nothing(self):
        other = self.config().model_copy(update={"caption": "x", "not_reproduced": ("y",)})
        assert differences(self.config(), other) == ()


@pytest.mark.parametrize("key", ["profiles", "parts"])
@pytest.mark.parametrize(
    "value", ["text", ["a"], {"quick": "text"}, {"quick": ["a"]}, {"quick": {1: 2}}]
)
def test_sets_of_values_that_are_none(tmp_path, key, value):
    """Found by ``make fuzz``."""
    tree = BASE | {key: value}
    (tmp_path / "x.yaml").write_text(yaml.safe_dump(tree))
    with pytest.raises(ConfigError, match=f"{key}.*expected names"):
        load_config(tmp_path / "x.yaml", profile="quick", part="quick" if key == "parts" else None)
