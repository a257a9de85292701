"""The MEGC 2019 composite over whole stand-ins of its three databases."""

import shutil
from collections import Counter

import pytest

from mer_keras.databases import registry
from mer_keras.errors import AnnotationError, DatabaseNotFoundError
from mer_keras.synthetic.stand_ins import LAYOUTS
from mer_keras.terms import SYNTHETIC_MARKER

TABLE = LAYOUTS["megc2019"].last

#: Whole stand-ins are written and read.
pytestmark = pytest.mark.slow


def load(root, **options):
    return registry.load("megc2019", root, **options)


def test_each_database_gives_its_official_part(sketched):
    samples = load(sketched("megc2019"))
    parts = Counter(samples.table["database"])
    assert parts == {"smic": 164, "casme2": 145, "samm": 133}
    subjects = samples.table.groupby("database")["subject"].nunique().to_dict()
    assert subjects == {"smic": 16, "casme2": 24, "samm": 28}


def test_subjects_written_without_zeros_are_joined(sketched):
    table = (sketched("megc2019") / TABLE).read_bytes()
    assert b"samm,6,006_" in table and table.endswith(b"\r\n")
    samples = load(sketched("megc2019"))
    assert any(i.startswith("samm/006/006_") for i in samples.ids)


def test_known_errors_of_the_parts_are_corrected(sketched):
    samples = load(sketched("megc2019"))
    assert samples.table["corrected"].sum() == 2
    with pytest.raises(AnnotationError, match="onset <= apex <= offset"):
        load(sketched("megc2019"), corrections=False)


def test_a_missing_part_is_named(sketched, tmp_path, monkeypatch):
    monkeypatch.setenv("MER_DATA", str(tmp_path / "none"))
    shutil.copytree(sketched("megc2019"), tmp_path / "MEGC2019")
    with pytest.raises(DatabaseNotFoundError, match="data howto casme2"):
        load(tmp_path / "MEGC2019")


def test_drawn_and_real_parts_never_mix(sketched, tmp_path):
    for part in ("SAMM", "CASME2", "SMIC", "MEGC2019"):
        shutil.copytree(sketched("megc2019").parent / part, tmp_path / part)
    (tmp_path / "SAMM" / SYNTHETIC_MARKER).unlink()
    with pytest.raises(AnnotationError, match="expected one kind of data"):
        load(tmp_path / "MEGC2019")


def test_a_clip_that_its_database_does_not_have(sketched, tmp_path):
    root = tmp_path / "MEGC2019"
    shutil.copytree(sketched("megc2019"), root)
    for part in ("SAMM", "CASME2", "SMIC"):
        (tmp_path / part).symlink_to(sketched("megc2019").parent / part)
    with (root / TABLE).open("ab") as file:
        file.write(b"samm,6,006_9_9,0\r\n")
    with pytest.raises(AnnotationError, match=r"1 row\(s\): 443 name.*samm"):
        load(root)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("samm,6,006_1_2,3", "column 'label': '3'"),
        ("sam,6,006_1_2,0", "did you mean 'samm'"),
        ("casme2,sub100,EP02_01f,0", "column 'subject'"),
        ("samm,6,../x,0", "column 'clip'"),
    ],
)
def test_bad_cells(sketched, tmp_path, line, words):
    root = tmp_path / "MEGC2019"
    root.mkdir()
    for part in ("SAMM", "CASME2", "SMIC"):
        (tmp_path / part).symlink_to(sketched("megc2019").parent / part)
    (root / TABLE).write_text(line + "\n")
    with pytest.raises(AnnotationError, match=words) as caught:
        load(root)
    assert "row 1" in str(caught.value)
