"""Every reader on its whole stand-in: the printed counts, and nothing guessed silently."""

import shutil
from collections import Counter
from pathlib import Path

import pytest

from mer_keras.config.data import Policies
from mer_keras.databases import registry
from mer_keras.databases.label_schemes import get_scheme, known_schemes
from mer_keras.databases.labels import apply_scheme
from mer_keras.errors import AnnotationError, DatabaseNotFoundError, UserError
from mer_keras.synthetic import megc2019, stand_ins
from mer_keras.synthetic.stand_ins import LAYOUTS
from mer_keras.terms import SYNTHETIC_MARKER, DataKind

#: whole stand-ins are written and read
pytestmark = pytest.mark.slow

#: clips and subjects as printed by the databases' authors or the challenge
SIZES = {
    "samm": (159, 29),
    "casme": (195, 19),
    "casme2": (255, 26),
    "cas_me2": (57, 22),
    "smic": (164, 16),
    "mmew": (300, 36),
    "megc2019": (442, 68),
}
#: scheme -> (database, clips a class)
SCHEME_COUNTS = {
    "samm3": ("samm", {"positive": 26, "negative": 92, "surprise": 15}),
    "samm5": (
        "samm",
        {"happiness": 26, "other": 26, "anger": 57, "contempt": 12, "surprise": 15},
    ),
    "mmew5": (
        "mmew",
        {"happiness": 36, "surprise": 89, "disgust": 72, "fear": 16, "sadness": 13},
    ),
    "smic3": ("smic", {"negative": 70, "positive": 51, "surprise": 43}),
    "casme2_5": (
        "casme2",
        {"disgust": 63, "happiness": 32, "repression": 27, "surprise": 25, "other": 99},
    ),
    "meranet_casme": ("casme", {"disgust": 34, "repression": 36, "tense": 45}),
    "meranet_cas_me2": ("cas_me2", {"happiness": 18, "anger": 22, "disgust": 17}),
    "megc3": ("megc2019", {"negative": 250, "positive": 109, "surprise": 83}),
}


def load(root, name, **options):
    return registry.load(name, root, **options)


def test_a_stand_in_is_for_a_database_that_can_be_read():
    assert set(LAYOUTS) <= set(registry.DATABASES)


@pytest.mark.parametrize("name", SIZES)
def test_clips_and_subjects_are_the_printed_ones(sketched, name):
    samples = load(sketched(name), name)
    assert (len(samples.table), samples.table["subject_id"].nunique()) == SIZES[name]
    assert samples.data_kind is DataKind.SYNTHETIC
    assert samples.editions
    assert not any("other counts than printed" in line for line in samples.warnings)


@pytest.mark.parametrize("scheme", SCHEME_COUNTS)
def test_classes_are_the_published_ones(sketched, scheme):
    name, counts = SCHEME_COUNTS[scheme]
    samples = apply_scheme(load(sketched(name), name), get_scheme(scheme))
    assert Counter(samples.table["label"]) == counts
    assert not any("differ from the published" in line for line in samples.warnings)


def test_objective_classes_are_the_published_ones_in_both_databases(sketched):
    scheme, pooled = get_scheme("objective5"), Counter()
    for name in ("casme2", "samm"):
        labelled = apply_scheme(load(sketched(name), name), scheme)
        assert not any("differ" in line for line in labelled.warnings)
        pooled.update(labelled.table["label"])
    # the rows of the confusion matrix in Table 5 of Wang et al.
    assert pooled == {
        "happiness": 49,
        "surprise": 28,
        "anger": 119,
        "disgust": 34,
        "sadness": 23,
    }


def test_a_published_count_that_the_database_does_not_have_is_reported(sketched):
    # MERANet prints 28 clips of surprise; CASME II has 25
    samples = apply_scheme(load(sketched("casme2"), "casme2"), get_scheme("meranet_casme2"))
    (line,) = [line for line in samples.warnings if "differ" in line]
    assert "surprise 25 (published: 28)" in line
    assert Counter(samples.table["label"])["surprise"] == 25


def test_every_scheme_names_its_source_and_classes():
    for name, scheme in known_schemes().items():
        assert scheme.name == name and scheme.source and len(scheme.classes) >= 3


class TestComposite:
    def test_each_database_gives_its_official_part(self, sketched):
        samples = load(sketched("megc2019"), "megc2019")
        parts = Counter(samples.table["database"])
        assert parts == {"smic": 164, "casme2": 145, "samm": 133}
        subjects = samples.table.groupby("database")["subject"].nunique().to_dict()
        assert subjects == {"smic": 16, "casme2": 24, "samm": 28}

    def test_subjects_written_without_zeros_are_joined(self, sketched):
        table = (sketched("megc2019") / megc2019.TABLE).read_bytes()
        assert b"samm,6,006_" in table and table.endswith(b"\r\n")
        samples = load(sketched("megc2019"), "megc2019")
        assert any(i.startswith("samm/006/006_") for i in samples.ids)

    def test_known_errors_of_the_parts_are_corrected(self, sketched):
        samples = load(sketched("megc2019"), "megc2019")
        assert samples.table["corrected"].sum() == 2
        with pytest.raises(AnnotationError, match="onset <= apex <= offset"):
            load(sketched("megc2019"), "megc2019", corrections=False)

    def test_a_missing_part_is_named(self, sketched, tmp_path, monkeypatch):
        monkeypatch.setenv("MER_DATA", str(tmp_path / "none"))
        shutil.copytree(sketched("megc2019"), tmp_path / "MEGC2019")
        with pytest.raises(DatabaseNotFoundError, match="data howto casme2"):
            load(tmp_path / "MEGC2019", "megc2019")

    def test_drawn_and_real_parts_never_mix(self, sketched, tmp_path):
        for part in ("SAMM", "CASME2", "SMIC", "MEGC2019"):
            shutil.copytree(sketched("megc2019").parent / part, tmp_path / part)
        (tmp_path / "SAMM" / SYNTHETIC_MARKER).unlink()
        with pytest.raises(AnnotationError, match="expected one kind of data"):
            load(tmp_path / "MEGC2019", "megc2019")

    def test_a_clip_that_its_database_does_not_have(self, sketched, tmp_path):
        root = tmp_path / "MEGC2019"
        shutil.copytree(sketched("megc2019"), root)
        for part in ("SAMM", "CASME2", "SMIC"):
            (tmp_path / part).symlink_to(sketched("megc2019").parent / part)
        with (root / megc2019.TABLE).open("ab") as file:
            file.write(b"samm,6,006_9_9,0\r\n")
        with pytest.raises(AnnotationError, match=r"1 row\(s\): 443 name.*samm"):
            load(root, "megc2019")

    @pytest.mark.parametrize(
        ("line", "words"),
        [
            ("samm,6,006_1_2,3", "column 'label': '3'"),
            ("sam,6,006_1_2,0", "did you mean 'samm'"),
            ("casme2,sub100,EP02_01f,0", "column 'subject'"),
            ("samm,6,../x,0", "column 'clip'"),
        ],
    )
    def test_bad_cells(self, sketched, tmp_path, line, words):
        root = tmp_path / "MEGC2019"
        root.mkdir()
        for part in ("SAMM", "CASME2", "SMIC"):
            (tmp_path / part).symlink_to(sketched("megc2019").parent / part)
        (root / megc2019.TABLE).write_text(line + "\n")
        with pytest.raises(AnnotationError, match=words) as caught:
            load(root, "megc2019")
        assert "row 1" in str(caught.value)


class TestCasme2:
    def test_the_apex_that_nobody_coded_is_empty_and_its_row_named(self, sketched):
        samples = load(sketched("casme2"), "casme2")
        row = samples.table.set_index("sample_id").loc["casme2/sub04/EP12_01f"]
        assert row["apex"] is not None and str(row["apex"]) == "<NA>"
        assert any("no apex frame in 1 row(s)" in line for line in samples.warnings)

    def test_folders_without_a_row_are_counted(self, sketched):
        samples = load(sketched("casme2"), "casme2")
        assert any(line.startswith("2 clip folder(s) have no row") for line in samples.warnings)

    def test_the_clip_that_ends_early_is_corrected_for_cropped_frames_only(self, sketched):
        samples = load(sketched("casme2"), "casme2")
        table = samples.table.set_index("sample_id")
        assert table.loc["casme2/sub16/EP01_08", "offset"] == 96
        assert table.loc["casme2/sub16/EP01_08", "corrected"]
        as_is = load(sketched("casme2"), "casme2", corrections=False)
        assert as_is.table.set_index("sample_id").loc["casme2/sub16/EP01_08", "offset"] == 110

    def test_fault_11_the_edition_is_recorded_and_another_one_accepted(self, sketched, tmp_path):
        root = tmp_path / "CASME2"
        shutil.copytree(sketched("casme2"), root)
        assert load(root, "casme2").editions == ("CASME2-coding-20140508.xlsx, Cropped",)
        (root / "CASME2-coding-20140508.xlsx").rename(root / "CASME2-coding-20190701.xlsx")
        assert load(root, "casme2").editions == ("CASME2-coding-20190701.xlsx, Cropped",)

    def test_without_the_objective_classes_the_scheme_says_what_is_missing(
        self, sketched, tmp_path
    ):
        root = tmp_path / "CASME2"
        shutil.copytree(sketched("casme2"), root)
        (root / "CASME2-ObjectiveClasses.xlsx").unlink()
        samples = load(root, "casme2")
        assert any("objective classes are unknown" in line for line in samples.warnings)
        with pytest.raises(AnnotationError, match="data howto casme2"):
            apply_scheme(samples, get_scheme("objective5"))

    def test_the_other_frames_can_be_asked_for(self, sketched, tmp_path):
        root = tmp_path / "CASME2"
        shutil.copytree(sketched("casme2"), root)
        with pytest.raises(AnnotationError, match="CASME2_RAW_selected"):
            load(root, "casme2", frame_source="raw")
        (root / "Cropped").rename(root / "CASME2_RAW_selected")
        samples = load(root, "casme2")
        assert samples.editions == ("CASME2-coding-20140508.xlsx, CASME2_RAW_selected",)
        # the raw frames go on where the cropped ones end
        assert samples.table.set_index("sample_id").loc["casme2/sub16/EP01_08", "offset"] == 110

    def test_unknown_frames(self, sketched):
        choices = "no frame source 'croped'; to choose from: cropped, raw"
        with pytest.raises(UserError, match=choices):
            load(sketched("casme2"), "casme2", frame_source="croped")


class TestSamm:
    def test_stray_apexes_are_corrected_or_refused_or_left_out(self, sketched):
        samples = load(sketched("samm"), "samm")
        table = samples.table.set_index("clip")
        assert table.loc[["028_4_1", "032_3_1"], "apex"].isna().all()
        assert table.loc[["028_4_1", "032_3_1"], "corrected"].all()
        with pytest.raises(AnnotationError, match=r"row \d+: onset \d+ after apex 1") as caught:
            load(sketched("samm"), "samm", corrections=False)
        assert "data.policies.frame_order=exclude" in str(caught.value)
        policy = Policies(frame_order="exclude")
        kept = load(sketched("samm"), "samm", corrections=False, policies=policy)
        assert len(kept.table) == 157
        assert {e.clip for e in kept.excluded} == {"028/028_4_1", "032/032_3_1"}
        assert all("after apex 1" in e.reason for e in kept.excluded)

    def test_clips_without_an_apex_can_be_left_out(self, sketched):
        samples = load(sketched("samm"), "samm", policies=Policies(apex="exclude"))
        assert {e.reason for e in samples.excluded} == {"apex not annotated"}
        assert len(samples.table) == 157

    def test_corrections_change_the_digest(self, sketched):
        policy = Policies(frame_order="exclude")
        one = load(sketched("samm"), "samm", policies=policy)
        other = load(sketched("samm"), "samm", corrections=False, policies=policy)
        assert one.digest() != other.digest()


class TestCasMe2:
    def test_an_offset_of_zero_is_the_apex(self, sketched):
        samples = load(sketched("cas_me2"), "cas_me2")
        assert any("offset 0, the apex stands in, in 1 row(s)" in w for w in samples.warnings)
        assert (samples.table["offset"] == samples.table["apex"]).sum() == 1

    def test_two_clips_of_one_name_are_told_apart_by_their_onset(self, sketched):
        samples = load(sketched("cas_me2"), "cas_me2")
        (again,) = [i for i in samples.ids if "@" in i]
        assert again.rsplit("@")[0] in samples.ids

    def test_the_misnamed_folder_is_found_by_the_code_of_its_stimulus(self, sketched):
        root = sketched("cas_me2")
        assert any(p.name.startswith("23_0502") for p in (root / "rawpic" / "s19").iterdir())
        assert len(load(root, "cas_me2").table) == 57

    def test_fault_12_full_width_commas_in_action_units_become_ascii(self, sketched):
        units = load(sketched("cas_me2"), "cas_me2").table["action_units"]
        assert units.str.contains(",").any()
        assert not units.str.contains("\uff0c").any()

    def test_macro_expressions_are_counted_not_read(self, sketched):
        samples = load(sketched("cas_me2"), "cas_me2")
        assert any("300 macro-expressions are not read" in w for w in samples.warnings)


class TestSmic:
    def test_names_are_those_of_the_challenge(self, sketched):
        ids = load(sketched("smic"), "smic").ids
        assert all(i.split("/")[2].startswith(i.split("/")[1]) for i in ids)
        assert all(len(i.split("/")[1]) == 3 for i in ids)

    def test_a_clip_is_its_whole_folder_and_nobody_annotated_an_apex(self, sketched):
        table = load(sketched("smic"), "smic").table
        assert table["apex"].isna().all()
        clips = {tuple(c.name.split("_")): c for c in LAYOUTS["smic"].draw_clips(0)}
        first = table.iloc[0]
        clip = clips["s1", *first["clip"].split("_")[1:]]
        assert (first["onset"], first["offset"]) == (clip.onset, clip.offset)

    def test_strange_folders_are_counted(self, sketched, tmp_path):
        root = tmp_path / "SMIC"
        shutil.copytree(sketched("smic"), root)
        (root / "SMIC_all_cropped/HS/s1/micro/negative/backup").mkdir()
        (root / "SMIC_all_cropped/HS/s1/micro/Thumbs").mkdir()
        (root / "SMIC_all_cropped/HS/notes").mkdir()
        samples = load(root, "smic")
        assert len(samples.table) == 164
        assert any(line.startswith("1 folder(s) that are no clip") for line in samples.warnings)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in SIZES if name != "megc2019"])
def test_fault_33_34_odd_places_and_read_only_folders_work(sketched, tmp_path, name):
    place = tmp_path / "данные 中文" / ("long" * 20) / LAYOUTS[name].folder
    shutil.copytree(sketched(name), place)
    folders = [place, *(path for path in place.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    try:
        assert len(load(place, name).table) == SIZES[name][0]
    finally:
        for folder in folders:
            folder.chmod(0o755)


@pytest.mark.parametrize("name", ["casme", "casme2", "samm", "cas_me2"])
def test_a_clip_folder_that_is_a_link_out_of_the_database_is_refused(sketched, tmp_path, name):
    root = tmp_path / LAYOUTS[name].folder
    shutil.copytree(sketched(name), root)
    victim = load(root, name).table["path"].iloc[0]
    shutil.move(victim, tmp_path / "elsewhere")
    Path(victim).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(AnnotationError, match="leads out of"):
        load(root, name)


def test_a_table_in_the_old_format_is_named_with_the_way_out(sketched, tmp_path):
    root = tmp_path / "CASME"
    shutil.copytree(sketched("casme"), root)
    (root / "CASME.xlsx").rename(root / "CASME-coded-20190721.xls")
    with pytest.raises(AnnotationError, match=r"found CASME-coded-20190721\.xls; open it"):
        load(root, "casme")


@pytest.mark.parametrize("name", ["casme", "casme2", "smic"])
def test_stray_files_are_ignored(sketched, tmp_path, name):
    root = tmp_path / LAYOUTS[name].folder
    shutil.copytree(sketched(name), root)
    for folder in [p for p in root.rglob("*") if p.is_dir()][:20]:
        for stray in ("Thumbs.db", ".DS_Store", "._img1.jpg", "Desktop - Shortcut.lnk"):
            (folder / stray).write_bytes(b"\x00")
    assert len(load(root, name).table) == SIZES[name][0]


@pytest.mark.slow
def test_native_frames_have_the_databases_own_size_and_the_camera_tree(tmp_path):
    import cv2

    options = stand_ins.StandInOptions(native=True, clips=1)
    stand_ins.write("casme2", tmp_path / "CASME2", options)
    sizes = {}
    for path in (tmp_path / "CASME2").rglob("*.jpg"):
        sizes[path.relative_to(tmp_path / "CASME2").parts[0]] = cv2.imread(str(path), 0).shape
    assert sizes == {"Cropped": (340, 280), "CASME2_RAW_selected": (480, 640)}
    assert len(load(tmp_path / "CASME2", "casme2", frame_source="raw").table) == 1
