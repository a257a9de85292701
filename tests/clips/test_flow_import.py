"""Importing a published set: what is copied, what is refused, and that nothing is left behind."""

import csv
import os
import struct
import zipfile

import cv2
import numpy as np
import pytest

from mer_keras.clips import flow_import
from mer_keras.clips.assemble import load_clips
from mer_keras.clips.flow_import import import_flow
from mer_keras.config.inputs import Clip
from mer_keras.databases import registry
from mer_keras.databases.readers.megc2019_key_frames import IMAGES
from mer_keras.errors import AnnotationError, MerKerasError, UserError
from mer_keras.terms import DataKind
from tests.databases import published_flow
from tests.databases.published_flow import CLIPS, divided, flat, stem_of


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("MER_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def picture(path, side=28):
    rng = np.random.default_rng(sum(path.stem.strip().encode()))
    return rng.integers(0, 256, (side, side, 3), np.uint8)


def painted(root):
    """Fill the files of a tree with images, each of its own; as ``touch`` wrote them they hold
    nothing."""
    for path in root.rglob("*.png"):
        path.write_bytes(cv2.imencode(".png", picture(path)[..., ::-1])[1].tobytes())
    return root


def zipped(root, archive):
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(root.rglob("*")):
            file.write(path, path.relative_to(root.parent))
    return archive


def check(imported, data, images=None):
    """The copy holds every clip, its class and its own image, and nothing else lies beside it."""
    assert imported.samples.table.set_index("sample_id")["emotion"].to_dict() == CLIPS
    assert imported.samples.excluded == ()
    assert [path.name for path in data.iterdir()] == [imported.folder.name]
    loaded = load_clips(imported.samples, Clip(kind="flow_image", size=28))
    for sample_id, array in zip(loaded.sample_ids, loaded.arrays, strict=True):
        path = imported.folder / f"{stem_of(sample_id)} .png"
        np.testing.assert_array_equal(array, picture(path))
    with (imported.folder / "samples.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == len(CLIPS)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("layout", [divided, flat])
def test_a_folder_or_a_zip_of_either_layout(tmp_path, data, layout, packed):
    root = painted(layout(tmp_path / "HTNet"))
    source = zipped(root, tmp_path / "HTNet.zip") if packed else root
    before = sorted(root.rglob("*"))
    done = []
    imported = import_flow("megc2019_flow", source, lambda *numbers: done.append(numbers))
    check(imported, data)
    assert done[-1] == (len(CLIPS), len(CLIPS))
    assert sorted(root.rglob("*")) == before
    assert registry.load("megc2019_flow").data_kind is DataKind.PUBLIC


def test_four_images_a_clip(tmp_path, data):
    root = painted(flat(tmp_path / "CausalNet", images=published_flow.IMAGES))
    imported = import_flow("megc2019_key_frames", root)
    check(imported, data)
    for number, name in enumerate(IMAGES):
        loaded = load_clips(imported.samples, Clip(kind="flow_image", size=28, image=name))
        end = published_flow.IMAGES[number]
        first = tmp_path / f"{stem_of(loaded.sample_ids[0])}{end} .png"
        np.testing.assert_array_equal(loaded.arrays[0], picture(first))


def test_drawn_images_stay_synthetic(tmp_path, data):
    root = painted(flat(tmp_path / "set"))
    (root / "SYNTHETIC.json").write_text("{}")
    import_flow("megc2019_flow", root)
    assert registry.load("megc2019_flow").data_kind is DataKind.SYNTHETIC


def test_fault_20_a_damaged_image_is_left_out_with_the_reason(tmp_path, data):
    root = painted(flat(tmp_path / "set"))
    image = root / "STSNet_whole_norm_u_v_os" / "sub03_EP01_2 .png"
    image.write_bytes(image.read_bytes()[:-20])
    imported = import_flow("megc2019_flow", root)
    assert len(imported.samples.table) == len(CLIPS) - 1
    (excluded,) = imported.samples.excluded
    assert excluded.clip == "sub03/EP01_2"
    assert excluded.reason.startswith("sub03_EP01_2 .png: PNG with a chunk that claims")


def refusal(name, source, data):
    """Why an import is refused; nothing is left in the data root."""
    with pytest.raises(MerKerasError) as caught:
        import_flow(name, source)
    assert caught.value.exit_code == 2
    assert not data.exists() or list(data.iterdir()) == []
    return str(caught.value)


def test_fault_49_what_is_missing_in_an_archive_is_named_by_the_archive(tmp_path, data):
    (tmp_path / "HTNet").mkdir()
    archive = zipped(tmp_path / "HTNet", tmp_path / "HTNet.zip")
    message = refusal("megc2019_flow", archive, data)
    assert message.startswith(f"{archive}/samples.csv is absent, and {archive} holds no images")
    assert str(data) not in message


def test_fault_49_an_archive_without_its_end(tmp_path, data):
    archive = zipped(painted(flat(tmp_path / "set")), tmp_path / "set.zip")
    archive.write_bytes(archive.read_bytes()[:-200])
    assert "without its end: download it anew" in refusal("megc2019_flow", archive, data)


def test_fault_47_folders_in_capitals(tmp_path, data):
    image = painted(divided(tmp_path / "set")) / "sub03" / "u_test"
    capitals = image.parent.with_name("SUB03")
    image.parent.rename(capitals)
    (capitals / "u_test").rename(capitals / "U_TEST")
    assert len(import_flow("megc2019_flow", tmp_path / "set").samples.table) == len(CLIPS)


@pytest.mark.parametrize("packed", [False, True])
def test_fault_47_a_listed_set_one_folder_further_in(tmp_path, data, packed):
    root = painted(flat(tmp_path / "set"))
    listed = import_flow("megc2019_flow", root).folder.rename(tmp_path / "top")
    outer = tmp_path / "outer"
    outer.mkdir()
    listed.rename(outer / "megc2019_flow")
    source = zipped(outer, tmp_path / "a.zip") if packed else outer
    assert len(import_flow("megc2019_flow", source).samples.table) == len(CLIPS)


def test_images_of_another_size_are_another_set(tmp_path, data):
    root = painted(flat(tmp_path / "set"))
    image = root / "STSNet_whole_norm_u_v_os" / "006_006_1_2 .png"
    cv2.imwrite(str(image), picture(image, side=30))
    assert "30x30 pixels, expected 28x28" in refusal("megc2019_flow", root, data)


@pytest.mark.parametrize(
    ("name", "complaint"),
    [("samm", "can't be imported"), ("megc2019_flows", "did you mean 'megc2019_flow'")],
)
def test_other_databases_are_not_imported(tmp_path, data, name, complaint):
    assert complaint in refusal(name, tmp_path, data)


def test_a_set_that_was_unpacked_into_the_data_root_is_read_and_can_be_imported(tmp_path, data):
    root = painted(divided(data / "three_norm_u_v_os"))
    assert registry.find("megc2019_flow") == root
    import_flow("megc2019_flow", root)
    assert registry.find("megc2019_flow") == data / "megc2019_flow"
    assert len(registry.load("megc2019_flow").table) == len(CLIPS)


def test_neither_folder_nor_zip(tmp_path, data):
    (tmp_path / "set.rar").write_bytes(b"Rar!")
    assert "neither a folder nor a zip" in refusal("megc2019_flow", tmp_path / "set.rar", data)
    assert "is absent" in refusal("megc2019_flow", tmp_path / "nothing", data)


def test_what_is_there_already_is_not_replaced(tmp_path, data):
    root = painted(flat(tmp_path / "set"))
    import_flow("megc2019_flow", root)
    with pytest.raises(UserError, match="is there already: remove or rename it"):
        import_flow("megc2019_flow", root)


def test_fault_72_a_data_root_that_cannot_be_written(tmp_path, monkeypatch):
    root = painted(flat(tmp_path / "set"))
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("MER_DATA", str(tmp_path / "file"))
    with pytest.raises(UserError, match="can't be written there"):
        import_flow("megc2019_flow", root)


class TestHostileArchives:
    @staticmethod
    def archive(tmp_path, entries):
        path = tmp_path / "set.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
            for name, content in entries:
                file.writestr(name, content)
        return path

    @pytest.mark.parametrize(
        "name",
        ["../outside.png", "a/../../outside.png", "/outside.png", "a\\..\\b.png", "C:/outside.png"],
    )
    def test_fault_17_names_that_lead_out(self, tmp_path, data, name):
        path = self.archive(tmp_path, [("a/006_006_1_2.png", b"x"), (name, b"x")])
        assert "leads out of the archive's folder" in refusal("megc2019_flow", path, data)
        assert not (tmp_path / "outside.png").exists()

    def test_fault_47_backslashes_between_folders_are_named(self, tmp_path, data):
        path = self.archive(tmp_path, [("u_test\\0\\006_006_1_2.png", b"x")])
        message = refusal("megc2019_flow", path, data)
        assert "backslashes between its folders" in message and "leads out" not in message

    def test_fault_17_links(self, tmp_path, data):
        link = zipfile.ZipInfo("006_006_1_2.png")
        link.external_attr = 0o120777 << 16
        path = self.archive(tmp_path, [(link, "/etc/passwd")])
        assert "is a link" in refusal("megc2019_flow", path, data)

    def test_fault_65_one_file_of_zeros(self, tmp_path, data):
        path = self.archive(tmp_path, [("006_006_1_2.png", bytes(flow_import.MAX_FILE_BYTES + 1))])
        assert "expected at most" in refusal("megc2019_flow", path, data)

    def test_fault_65_a_size_that_is_claimed_wrongly(self, tmp_path, data):
        """The entry says 10 bytes and unpacks to far more."""
        content = bytes(flow_import.MAX_FILE_BYTES + 1)
        path = self.archive(tmp_path, [("006_006_1_2.png", content)])
        size, claimed = struct.pack("<I", len(content)), struct.pack("<I", 10)
        path.write_bytes(path.read_bytes().replace(size, claimed))
        refusal("megc2019_flow", path, data)

    def test_fault_65_many_files(self, tmp_path, data, monkeypatch):
        monkeypatch.setattr(flow_import, "MAX_ENTRIES", 5)
        path = self.archive(tmp_path, [(f"{n}_006_1_2.png", b"x") for n in range(6)])
        assert "expected at most 5 files" in refusal("megc2019_flow", path, data)

    def test_fault_65_many_bytes_in_all(self, tmp_path, data, monkeypatch):
        monkeypatch.setattr(flow_import, "MAX_BYTES", 50)
        path = self.archive(tmp_path, [(f"{n}_006_1_2.png", bytes(20)) for n in range(3)])
        assert "50 bytes in all" in refusal("megc2019_flow", path, data)

    def test_fault_65_a_list_of_entries_that_would_fill_the_memory(
        self, tmp_path, data, monkeypatch
    ):
        """Entries that aren't unpacked are listed all the same."""
        path = self.archive(tmp_path, [(f"{n}.sh", b"x") for n in range(6)])
        monkeypatch.setattr(flow_import, "MAX_LISTED", 5)
        assert "6 entries: expected at most" in refusal("megc2019_flow", path, data)
        monkeypatch.setattr(flow_import, "MAX_ARCHIVE_BYTES", 100)
        assert "bytes: expected at most" in refusal("megc2019_flow", path, data)

    @pytest.mark.timeout(20)
    def test_fault_65_a_pipe_is_not_waited_for(self, tmp_path, data):
        os.mkfifo(tmp_path / "set.zip")
        message = refusal("megc2019_flow", tmp_path / "set.zip", data)
        assert "is neither a folder nor a zip archive" in message

    def test_names_that_stand_twice(self, tmp_path, data):
        path = self.archive(tmp_path, [("006_006_1_2.png", b"x"), ("006_006_1_2.PNG", b"y")])
        assert "stands twice" in refusal("megc2019_flow", path, data)

    @pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
    def test_an_archive_that_is_cut_off(self, tmp_path, data, share):
        path = zipped(painted(flat(tmp_path / "set")), tmp_path / "set.zip")
        content = path.read_bytes()
        path.write_bytes(content[: int(share * len(content))])
        refusal("megc2019_flow", path, data)

    def test_a_damaged_entry(self, tmp_path, data):
        path = zipped(painted(flat(tmp_path / "set")), tmp_path / "set.zip")
        content = bytearray(path.read_bytes())
        content[500:600] = bytes(100)
        path.write_bytes(content)
        assert "damaged zip archive" in refusal("megc2019_flow", path, data)

    def test_only_images_and_tables_are_unpacked(self, tmp_path):
        path = self.archive(
            tmp_path,
            [("a/run.sh", b"x"), (".git/x.png", b"x"), ("__MACOSX/._a.png", b"x"), ("b.csv", b"x")],
        )
        folder = flow_import.unpack(path, tmp_path / "out")
        assert [p.name for p in folder.rglob("*") if p.is_file()] == ["b.csv"]


def test_fault_66_whatever_a_decoder_raises_is_our_error(tmp_path, monkeypatch):
    path = TestHostileArchives.archive(tmp_path, [("006_006_1_2.png", b"x")])

    def broken(*_):
        raise NotImplementedError("compression type 99")

    monkeypatch.setattr(zipfile.ZipFile, "open", broken)
    with pytest.raises(AnnotationError, match="damaged zip archive"):
        flow_import.unpack(path, tmp_path / "out")
