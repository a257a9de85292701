"""Finding and loading databases by name."""

import os

import pytest

from mer_keras.databases import registry
from mer_keras.errors import DatabaseNotFoundError, UserError
from mer_keras.terms import SYNTHETIC_MARKER, DataKind


@pytest.fixture
def data_root(tmp_path, monkeypatch):
    """Let MER_DATA name the folder in which the trees are written."""
    monkeypatch.setenv("MER_DATA", str(tmp_path))
    return tmp_path


class TestRegistry:
    def test_every_entry_is_complete(self):
        for name, database in registry.DATABASES.items():
            assert database.name == name
            assert database.folders
            assert database.title
            assert database.whom_to_ask
            assert database.tree

    @pytest.mark.parametrize(
        "ask", [registry.get_database, registry.find, registry.load, registry.howto]
    )
    def test_no_such_database(self, ask):
        with pytest.raises(UserError, match=r"'sam' \(did you mean 'samm'\?\)") as caught:
            ask("sam")
        assert caught.value.exit_code == 2


class TestFind:
    def test_absent(self, data_root):
        assert registry.find("samm") is None

    @pytest.mark.parametrize("folder", ["SAMM", "samm", "Samm"])
    def test_case_does_not_matter(self, data_root, folder):
        (data_root / folder).mkdir()
        assert registry.find("samm") == data_root / folder

    def test_preferred_name_first(self, data_root):
        for folder in ("MMEW_Final", "mmew", "MMEW"):
            (data_root / folder).mkdir()
        assert registry.find("mmew") == data_root / "MMEW"

    def test_roots_in_their_order(self, tmp_path, monkeypatch):
        for root in "ab":
            (tmp_path / root / "SAMM").mkdir(parents=True)
        roots = [str(tmp_path / name) for name in ("absent", "b", "a")]
        monkeypatch.setenv("MER_DATA", os.pathsep.join(roots))
        assert registry.find("samm") == tmp_path / "b" / "SAMM"

    def test_a_file_is_no_database(self, data_root):
        (data_root / "SAMM").write_text("x")
        assert registry.find("samm") is None

    def test_a_link_to_another_disk_is(self, data_root, tmp_path_factory):
        (data_root / "SAMM").symlink_to(tmp_path_factory.mktemp("disk"))
        assert registry.find("samm") == data_root / "SAMM"


class TestLoad:
    def test_each_database(self, data_root, samm_tree, mmew_tree, flow_tree):
        samm_tree()
        mmew_tree()
        flow_tree()
        kinds = {name: registry.load(name).data_kind for name in ("samm", "mmew", "megc2019_flow")}
        assert kinds == {
            "samm": DataKind.LICENSED,
            "mmew": DataKind.LICENSED,
            "megc2019_flow": DataKind.PUBLIC,
        }

    def test_from_a_given_folder(self, samm_tree, monkeypatch):
        monkeypatch.setenv("MER_DATA", "")
        assert len(registry.load("samm", samm_tree()).table) == 3

    @pytest.mark.parametrize("marker", ["{}", "", "not json"])
    def test_synthetic_marker(self, samm_tree, marker):
        root = samm_tree()
        (root / SYNTHETIC_MARKER).write_text(marker)
        assert registry.load("samm", root).data_kind is DataKind.SYNTHETIC

    def test_marker_that_points_nowhere_counts(self, samm_tree):
        root = samm_tree()
        (root / SYNTHETIC_MARKER).symlink_to(root / "gone.json")
        assert registry.load("samm", root).data_kind is DataKind.SYNTHETIC

    def test_read_only_folder(self, samm_tree):
        root = samm_tree()
        folders = [root, *(path for path in root.rglob("*") if path.is_dir())]
        for folder in folders:
            folder.chmod(0o555)
        try:
            assert len(registry.load("samm", root).table) == 3
        finally:
            for folder in folders:
                folder.chmod(0o755)

    def test_not_found_says_where_and_what_to_do(self, data_root):
        with pytest.raises(DatabaseNotFoundError) as caught:
            registry.load("mmew")
        assert caught.value.exit_code == 2
        for words in (
            str(data_root / "MMEW"),
            str(data_root / "MMEW_Final"),
            "MER_DATA",
            "mer-keras data howto mmew",
        ):
            assert words in str(caught.value)

    def test_given_folder_not_found(self, data_root):
        with pytest.raises(DatabaseNotFoundError) as caught:
            registry.load("samm", data_root / "nowhere")
        assert str(data_root / "nowhere") in str(caught.value)


@pytest.mark.parametrize("name", registry.DATABASES)
def test_howto(name, data_root):
    text = registry.howto(name)
    database = registry.get_database(name)
    for words in (database.title, *database.whom_to_ask.splitlines(), str(data_root)):
        assert words in text
    assert database.tree.splitlines()[-1] in text
    assert f"mer-keras data check {name}" in text


def test_digest_does_not_depend_on_the_place(samm_tree, tmp_path):
    first = samm_tree()
    before = registry.load("samm", first)
    moved = first.rename(tmp_path / "moved")
    after = registry.load("samm", moved)
    assert before.digest() == after.digest()
    assert before.table["path"].tolist() != after.table["path"].tolist()
