"""Databases of the user's own: added once, known from then on."""

import json
import multiprocessing

import pytest

from mer_keras.databases import own, registry
from mer_keras.databases.label_schemes import get_scheme
from mer_keras.databases.labels import apply_scheme
from mer_keras.databases.own import own_databases
from mer_keras.errors import AnnotationError, UserError
from mer_keras.terms import UNLABELLED, DataKind
from tests.databases.trees import touch, write_xlsx


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


def test_a_name_that_is_taken_is_replaced_only_where_that_is_wanted(table, tmp_path):
    registry.add(table, "lab")
    moved = table.parent.rename(tmp_path / "moved") / table.name
    assert registry.find("lab") is None
    with pytest.raises(UserError, match=r"--replace, or mer-keras data remove lab") as caught:
        registry.add(moved, "lab")
    assert caught.value.exit_code == 2 and str(table) in str(caught.value)
    assert registry.find("lab") is None
    registry.add(moved, "lab", replaces=True)
    assert registry.find("lab") == moved.parent


def test_a_list_with_faults_is_not_added(table):
    (table.parent / "a" / "1.png").unlink()
    with pytest.raises(AnnotationError, match=r"correct the paths in clips\.csv") as caught:
        registry.add(table, "lab")
    assert "unpack" not in str(caught.value)
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


class TestKindsOfLists:
    @pytest.mark.parametrize("name", ["clips.xlsx", "clips.csv", "list.tsv"])
    def test_fault_76_tables_in_any_dialect_are_accepted(self, table, name):
        rows = [["emotion", "subject", "path", "sample"], ["fear", 6, "a", "a"]]
        file = table.with_name(name)
        if name.endswith(".xlsx"):
            write_xlsx(file, rows)
        else:
            lines = ["\t".join(map(str, row)) for row in rows]
            file.write_bytes("\r\n".join(lines).encode("utf-16"))
        assert registry.add(file, "lab").ids == ["lab/6/a"]
        assert registry.load("lab").ids == ["lab/6/a"]

    def test_fault_76_cells_as_programs_of_other_countries_write_them(self, table):
        touch(table.parent / "day 1" / "b" / "1.png")
        table.write_text("sample;subject;path;emotion;fps\nb;p1;day 1\\b;fear;29,97\n")
        (clip,) = registry.add(table, "lab").table.to_dict("records")
        assert (clip["fps"], clip["path"]) == (29.97, str(table.parent / "day 1" / "b"))

    def test_fault_76_a_table_without_a_header_is_told_the_own_columns(self, table):
        table.write_text("a,p1,a,fear\n")
        with pytest.raises(AnnotationError, match=r"(?s)no header row.*sample,subject") as caught:
            registry.add(table, "lab")
        assert "official" not in str(caught.value)

    def test_a_folder_of_subjects_emotions_and_clips(self, table, tmp_path):
        root = tmp_path / "Other Lab"
        for path in ("p1/Happiness/c1/1.png", "p1/anger/c1/1.png", "p2/unlabelled/c2.mp4"):
            touch(root / path)
        samples = registry.add(root)
        assert samples.ids == [
            "other_lab/p1/Happiness-c1",
            "other_lab/p1/anger-c1",
            "other_lab/p2/unlabelled-c2.mp4",
        ]
        assert samples.table["emotion"].tolist() == ["happiness", "anger", UNLABELLED]
        assert registry.find("other_lab") == root
        assert registry.load("other_lab").ids == samples.ids
        assert registry.get_database("other_lab").default_kind is DataKind.OWN

    def test_a_folder_without_a_clip_says_what_it_should_hold(self, table, tmp_path):
        touch(tmp_path / "empty" / "p1" / "1.png")
        with pytest.raises(AnnotationError, match="<subject>/<emotion>/<clip>"):
            registry.add(tmp_path / "empty")

    def test_clips_without_an_emotion_are_accepted(self, table):
        touch(table.parent / "b" / "1.png")
        table.write_text("sample,subject,path,emotion\na,p1,a,fear\nb,p1,b,\n")
        samples = registry.add(table)
        assert samples.table["emotion"].tolist() == ["fear", UNLABELLED]


class TestClasses:
    CLASSES = "classes: {bad: [fear, Angry], good: [happy]}\nleaves_out: [others]\n"

    @pytest.fixture
    def labelled(self, table):
        emotions = ["fear", "anger", "Happiness", "other", ""]
        lines = ["sample,subject,path,emotion"]
        for number, emotion in enumerate(emotions):
            touch(table.parent / f"c{number}" / "1.png", bytes([number]))
            lines.append(f"c{number},p{number},c{number},{emotion}")
        table.write_text("\n".join(lines))
        return table

    def write(self, table, text):
        file = table.with_name("classes.yaml")
        file.write_text(text)
        return file

    def test_a_small_file_makes_a_label_scheme(self, labelled):
        samples = registry.add(labelled, "lab", classes=self.write(labelled, self.CLASSES))
        assert samples.class_counts() == {"bad": 2, "good": 1}
        assert "1 clip(s) without a label are left out" in samples.warnings
        scheme = get_scheme("lab_2")
        assert scheme.classes == ("bad", "good")
        # It's the database's from then on, by whatever process.
        again = apply_scheme(registry.load("lab"), scheme)
        assert again.class_counts() == samples.class_counts()

    def test_a_list_of_emotions_is_a_class_each(self, labelled):
        text = "name: lab_all\nclasses: [fear, anger, happiness, other]\n"
        samples = registry.add(labelled, "lab", classes=self.write(labelled, text))
        assert len(samples.class_counts()) == 4
        assert get_scheme("lab_all").title == "lab, 4 classes"

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("classes: {bad: [fear], good: [happy]}\n", "row 3: emotion 'anger'"),
            ("classes: {bad: [feer, anger], good: [happy, other]}\n", "did you mean 'feer'"),
            ("classes: {bad: [fear], good: [fear]}\n", "an emotion in two classes"),
            ("classes: {bad: [fear, other], good: [happy]}\nleaves_out: [other]\n", "left out"),
            ("klasses: [fear]\n", "expected classes, such as"),
            ("classes: 3\n", "expected classes, such as"),
            ("classes: [\n", "expected a file such as"),
            ("classes: {a: [fear], b: [happy]}\ncounts: 3\n", "counts"),
        ],
    )
    def test_fault_76_a_file_that_does_not_fit_is_refused_and_nothing_added(
        self, labelled, text, words
    ):
        with pytest.raises(UserError, match=words) as caught:
            registry.add(labelled, "lab", classes=self.write(labelled, text))
        assert caught.value.exit_code == 2
        assert own_databases() == {}

    def test_a_name_of_another_databases_classes_is_refused(self, labelled):
        text = f"name: smic3\n{self.CLASSES}"
        with pytest.raises(UserError, match="'smic3' is taken by 'smic'"):
            registry.add(labelled, "lab", classes=self.write(labelled, text))


class TestRemove:
    def test_what_was_added_is_forgotten_and_its_files_stay(self, table):
        registry.add(table, "lab")
        assert own.remove("lab") == table
        assert own_databases() == {}
        assert table.is_file()

    def test_an_unknown_name_is_told(self, table):
        registry.add(table, "my_lab")
        with pytest.raises(UserError, match=r"did you mean 'my_lab'\?.*added are my_lab"):
            own.remove("my_leb")
        with pytest.raises(UserError, match="can't be removed"):
            own.remove("samm")


class TestTheListOfDatabases:
    def test_fault_71_many_processes_lose_nothing(self, table):
        def add_many(writer):
            for number in range(20):
                own.add(f"lab_{writer}_{number}", table)

        fork = multiprocessing.get_context("fork")
        processes = [fork.Process(target=add_many, args=(writer,)) for writer in range(3)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        assert len(own_databases()) == 60

    def test_fault_71_a_full_disk_leaves_what_was_there(self, table, monkeypatch):
        registry.add(table, "lab")

        def full(path, content):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(own, "write_users_file", full)
        with pytest.raises(UserError, match="No space left"):
            registry.add(table, "other")
        assert list(own_databases()) == ["lab"]

    def test_entries_of_earlier_releases_are_read(self, table, tmp_path):
        (tmp_path / "config").mkdir()
        file = tmp_path / "config" / "databases.json"
        file.write_text(json.dumps({"lab": str(table)}))
        assert registry.load("lab").ids == ["lab/p1/a"]
