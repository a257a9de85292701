"""Files -> configs: bases, parts, other names, and what is wrong with them."""

import tempfile
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mer_keras.config.experiment import Experiment
from mer_keras.config.files import experiment_names, find_config, load_config, load_experiments
from mer_keras.config.yaml_text import read_yaml
from mer_keras.errors import ConfigError
from tests.config.small import FILE

TABLE1 = find_config("shallow_convlstm/table1")[0]


def test_values_stand_over_those_of_the_base(add):
    add(
        "paper/table2",
        {
            "name": "paper/table2",
            "base": "table1",
            "data": {"database": "samm", "labels": "cde3_samm"},
            "protocol": {"name": "loso"},
            "stages": None,
            "profiles": {"quick": {"train.epochs": 3, "stages.0.train.epochs": None}},
        },
    )
    (full,) = load_experiments("paper/table2")
    assert full.data.databases == ("samm",)
    assert full.inputs["clips"].size == 64
    assert full.protocol.name == "loso"
    assert full.stages == ()
    assert full.train.epochs == 9
    (quick,) = load_experiments("paper/table2", profile="quick")
    assert quick.train.epochs == 3


def test_profiles_and_overrides_reach_into_lists(add):
    (quick,) = load_experiments("paper/table1", profile="quick")
    assert quick.stages[0].train.epochs == 1
    (other,) = load_experiments("paper/table1", overrides=["stages.0.validation_split=0.3"])
    assert other.stages[0].validation_split == 0.3
    (bare,) = load_experiments("paper/table1", overrides=["stages=[]"])
    assert bare.stages == ()


class TestParts:
    @pytest.fixture(autouse=True)
    def parts(self, add):
        one = {"data.database": "samm", "data.labels": "cde3_samm", "protocol": {"name": "loso"}}
        add("paper/table1", FILE | {"parts": {"a": one, "b": {**one, "train.epochs": 4}}})

    def test_each_part_is_an_experiment(self):
        a, b = load_experiments("paper/table1")
        assert (a.name, b.name) == ("paper/table1/a", "paper/table1/b")
        assert a.table == "Table 1, a"
        assert (a.train.epochs, b.train.epochs) == (9, 4)
        assert a.digest() != b.digest()

    def test_profiles_and_overrides_come_after_parts(self):
        quick = load_experiments("paper/table1", profile="quick")
        assert [config.train.epochs for config in quick] == [2, 2]
        (b,) = load_experiments("paper/table1/b", overrides=["train.epochs=5"])
        assert b.train.epochs == 5

    def test_numbers_of_other_parts_are_left_out_with_rows_that_are_left_empty(self):
        a, b = load_experiments("paper/table1")
        assert [row.name for row in a.rows] == ["own"]
        assert [row.name for row in b.rows] == ["own", "other"]

    def test_an_unknown_part_is_refused(self):
        with pytest.raises(ConfigError, match="no part 'c'; known: a, b"):
            load_experiments("paper/table1/c")

    def test_a_file_with_parts_needs_one(self):
        path, _ = find_config("paper/table1")
        with pytest.raises(ConfigError, match="no part"):
            load_config(path)


def test_a_table_that_is_reproduced_too_has_its_own_name(add):
    assert [config.name for config in load_experiments("paper/figure2")] == ["paper/table1"]
    assert "paper/table1" in experiment_names()
    with pytest.raises(ConfigError, match="no experiment 'paper/figure3'"):
        load_experiments("paper/figure3")


def test_methods_and_printed_numbers_are_no_experiments(add):
    add("methods/own", {"title": "t", "missing": "x"})
    add("paper/published", {"matrices": []})
    assert [name for name in experiment_names() if name.startswith(("paper", "methods"))] == [
        "paper/table1"
    ]


@pytest.mark.parametrize(
    ("base", "complaint"),
    [
        ("../table1", "no such experiment"),
        ("../table1.yaml", "no such config file"),
        ("tabel1", r"no such experiment \(did you mean 'paper/table1'\?\)"),
        ("shallow_convlst/table1", r"did you mean 'shallow_convlstm/table1'"),
        ("table2", "more than 5 bases"),
        (5, "expected the name of an experiment"),
    ],
)
def test_bad_bases(add, base, complaint):
    add("paper/table2", {"name": "paper/table2", "base": base})
    with pytest.raises(ConfigError, match=complaint):
        load_experiments("paper/table2")


@pytest.mark.parametrize(
    ("base", "name"),
    [
        ("shallow_convlstm/table1", "shallow_convlstm/table1"),
        ("shallow_convlstm/table3", "shallow_convlstm/table2"),  # It reproduces Table 3 too.
        ("meranet/table1/casme2", "meranet/table1/casme2"),
        ("./other.yaml", "other"),
        ("other", "other"),
        ("{folder}/other.yaml", "other"),
    ],
)
def test_a_base_is_any_experiment_from_anywhere(tmp_path, base, name):
    (tmp_path / "other.yaml").write_text(yaml.safe_dump(FILE | {"name": "other", "parts": {}}))
    mine = {"base": base.format(folder=tmp_path), "train": {"epochs": 7}}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(mine))
    (config,) = load_experiments(str(tmp_path / "mine.yaml"))
    (whole,) = load_experiments(str(tmp_path / "other.yaml") if name == "other" else name)
    assert config.name == "mine"
    assert config.train.epochs == 7
    same = {"name", "train", "rows", "methods", "inputs"}
    assert config.model_dump(exclude=same) == whole.model_dump(exclude=same)
    assert config.inputs == whole.inputs
    assert config.not_inherited == ()


class TestNames:
    """Runs are filed under a name, and files are found by their path: both are one."""

    @pytest.mark.parametrize(
        ("path", "name"),
        [
            ("experiments/lab/first", "lab/first"),
            ("first", "first"),
            ("lab/first", "first"),
            ("experiments/first", "first"),
        ],
    )
    def test_a_file_without_a_name_is_named_by_its_path(self, tmp_path, path, name):
        file = tmp_path / f"{path}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(yaml.safe_dump({k: FILE[k] for k in FILE if k != "name"}))
        assert load_config(file).name == name

    @pytest.mark.parametrize(
        ("path", "name"),
        [
            ("experiments/lab/first", "lab/second"),
            ("experiments/lab/first", "first"),
            ("first", "shallow_convlstm/table1"),
            ("first", "Second"),
        ],
    )
    def test_a_copy_that_kept_its_name_is_refused(self, tmp_path, path, name):
        file = tmp_path / f"{path}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(yaml.safe_dump(FILE | {"name": name}))
        with pytest.raises(ConfigError, match=r"runs are filed under .*: write '(lab/)?first', or"):
            load_config(file)

    def test_the_end_of_a_path_is_a_name_too(self, tmp_path):
        (tmp_path / "lab").mkdir()
        (tmp_path / "lab/first.yaml").write_text(yaml.safe_dump(FILE | {"name": "lab/first"}))
        assert load_config(tmp_path / "lab/first.yaml").name == "lab/first"

    def test_a_file_that_can_be_no_name_is_refused(self, tmp_path):
        (tmp_path / "my table.yaml").write_text(yaml.safe_dump({"caption": "c"}))
        with pytest.raises(ConfigError, match="rename the file to letters"):
            load_config(tmp_path / "my table.yaml")

    def test_neither_overrides_nor_profiles_rename(self, add):
        with pytest.raises(ConfigError, match="--set 'name': runs are filed under"):
            load_experiments("paper/table1", overrides=["name=other"])
        add("paper/table1", FILE | {"profiles": {"full": {"name": "other"}}})
        with pytest.raises(ConfigError, match="profile 'full': 'name': runs are filed under"):
            load_experiments("paper/table1")


def test_unknown_profile_and_experiment():
    with pytest.raises(ConfigError, match="did you mean 'quick'"):
        load_config(TABLE1, profile="quik")
    with pytest.raises(ConfigError, match=r"did you mean 'shallow_convlstm/table1'"):
        find_config("shallow_convlst/table1")


def test_files_that_are_no_config(tmp_path):
    for text in ("- a\n", "a: [\n", "\x00", "!!python/object/apply:os.system ['true']"):
        file = tmp_path / "bad.yaml"
        file.write_text(text)
        with pytest.raises(ConfigError):
            load_config(file)
    with pytest.raises(ConfigError, match="no such config"):
        load_config(tmp_path / "absent.yaml")
    (tmp_path / "big.yaml").write_text("#" * 1_000_001)
    with pytest.raises(ConfigError, match="larger than"):
        load_config(tmp_path / "big.yaml")


def test_a_file_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    def forbidden(*_args, **_options):
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "x.yaml"
    path.write_text("a: 1")
    monkeypatch.setattr(type(path), "read_text", forbidden)
    with pytest.raises(ConfigError, match=r"x\.yaml: can't be read \(Permission denied\)"):
        load_config(path)
    with pytest.raises(ConfigError, match="no such config"):
        load_config(tmp_path / f"{'y' * 300}.yaml")


def test_a_config_survives_being_written():
    config = load_config(TABLE1)
    text = yaml.safe_dump(config.model_dump(mode="json"))
    assert Experiment.model_validate(yaml.safe_load(text)) == config


@given(st.text(max_size=200))
def test_any_text_is_a_config_or_a_config_error(text):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "x.yaml"
        file.write_bytes(text.encode("utf-8", "surrogatepass"))
        with pytest.raises(ConfigError):
            load_config(file)


names = st.sampled_from(
    [
        *("shallow_convlstm", "table1", "meranet", "figure4", "casme", "published", ".yaml"),
        *("methods", "majority", "/", "..", ".", "*", "**", "[", "\0", "x" * 300, "\ud800"),
    ]
)


@given(st.lists(names, max_size=4).map("".join) | st.text())
def test_any_name_is_an_experiment_or_refused(name):
    try:
        assert load_experiments(name)
    except ConfigError as error:
        assert len(str(error)) < 4000


@pytest.mark.parametrize(
    "rows", ["text", 5, ["text"], {"a": "b"}, [{"published": ["x"]}], [{"published": 5}], None]
)
def test_rows_of_parts_that_are_none(add, rows):
    add("paper/table1", FILE | {"rows": rows, "parts": {"a": {"train.epochs": 4}}})
    with pytest.raises(ConfigError, match="rows"):
        load_experiments("paper/table1/a")


@pytest.mark.parametrize("methods", ["text", 5, ["x"], {"own": 5}, {1: {}}, {"own": {}}])
def test_methods_that_are_none(add, methods):
    add("paper/table1", FILE | {"methods": methods})
    with pytest.raises(ConfigError, match="methods"):
        load_experiments("paper/table1")


def test_what_is_also_reproduced_may_be_nonsense_elsewhere(add):
    add("paper/table2", FILE | {"name": "paper/table2", "also_reproduces": 5})
    with pytest.raises(ConfigError, match="no experiment 'paper/figure9'"):
        load_experiments("paper/figure9")


@pytest.mark.parametrize("key", ["profiles", "parts"])
@pytest.mark.parametrize(
    "value", ["text", ["a"], {"quick": "text"}, {"quick": ["a"]}, {"quick": {1: 2}}]
)
def test_sets_of_values_that_are_none(tmp_path, key, value):
    """Found by ``make fuzz``."""
    (tmp_path / "x.yaml").write_text(yaml.safe_dump(FILE | {"name": "x", key: value}))
    with pytest.raises(ConfigError, match=f"{key}.*expected names"):
        load_config(tmp_path / "x.yaml", profile="quick", part="quick" if key == "parts" else None)


@pytest.mark.parametrize(
    "text", ["selection: last_epoch\nselection: test_fold\n", "inputs:\n  a: {x: 1, x: 2}\n"]
)
def test_a_key_that_stands_twice_is_refused(tmp_path, text):
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(ConfigError, match="stands twice in one mapping"):
        read_yaml(tmp_path / "a.yaml")
