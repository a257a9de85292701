"""Databases of the user's own: added once, known from then on."""

import json

import pytest

from mer_keras.databases import registry
from mer_keras.databases.own import own_databases
from mer_keras.errors import AnnotationError, UserError
from mer_keras.terms import DataKind
from tests.databases.trees import touch


@pytest.fixture
def table(tmp_path, monkeypatch):
    """Write a list of one clip and its frame; the user's config is this test's own."""
    monkeypatch.setenv("MER_CONFIG", str(tmp_path / "config"))
    touch(tmp_path / "My Lab" / "a" / "1.png")
    file = tmp_path / "My Lab" / "clips.csv"
    file.write_text("sample,subject,path,emotion\na,p1,a,fear\n")
    return file


def test_an_added_list_is_known_under_the_name_of_its_folder(table):
    assert registry.add(table).ids == ["my_lab/p1/a"]
    assert registry.load("my_lab").data_kind is DataKind.OWN
    assert registry.find("my_lab") == table.parent
    assert registry.load("my_lab").ids == ["my_lab/p1/a"]
    assert "my_lab" in registry.known_databases()


def test_a_list_that_is_added_again_replaces_the_earlier_one(table, tmp_path):
    registry.add(table, "lab")
    moved = table.parent.rename(tmp_path / "moved") / table.name
    assert registry.find("lab") is None
    registry.add(moved, "lab")
    assert registry.find("lab") == moved.parent


def test_a_list_with_faults_is_not_added(table):
    (table.parent / "a" / "1.png").unlink()
    with pytest.raises(AnnotationError):
        registry.add(table, "lab")
    assert own_databases() == {}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("samm", "that of a known database"),
        ("Lab", "lower-case"),
        ("x", "lower-case"),
        ("a/b", "lower-case"),
    ],
)
def test_names_that_can_not_be_used(table, name, words):
    with pytest.raises(UserError, match=words):
        registry.add(table, name)


@pytest.mark.parametrize("content", ["not json", "[]", json.dumps({"lab": 1})])
def test_a_damaged_list_of_databases_is_named(table, tmp_path, content):
    (tmp_path / "config").mkdir()
    file = tmp_path / "config" / "databases.json"
    file.write_text(content)
    with pytest.raises(UserError, match="mend or remove it") as caught:
        registry.known_databases()
    assert str(file) in str(caught.value)


def test_a_config_folder_that_can_not_be_written(table, tmp_path):
    (tmp_path / "config").write_text("a file")
    with pytest.raises(UserError, match="can't be"):
        registry.add(table, "lab")
