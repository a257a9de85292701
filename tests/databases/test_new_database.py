"""A new database is one module, one line of the registry and its test; all verbs know it then."""

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mer_keras.cli.data import app
from mer_keras.databases import readers, registry
from mer_keras.databases.delimited import read_csv
from mer_keras.databases.entry import Database
from mer_keras.databases.label_schemes import get_scheme
from mer_keras.databases.labels import LabelScheme, apply_scheme
from mer_keras.databases.links import require_inside
from mer_keras.databases.samples import ClipAnnotation, Reading
from mer_keras.databases.tables import table_rows
from mer_keras.errors import AnnotationError, UserError
from mer_keras.synthetic.stand_ins import LAYOUTS
from mer_keras.terms import DataKind

# What a module of mer_keras/databases/readers would hold.

NAME = "lab_faces"
TREE = """LabFaces/
  coding.csv           Person,Clip,Onset,Apex,Offset,Emotion
  p1/smile/001.png     <person>/<clip>/<frame>.png"""


def read(root: Path) -> Reading:
    table = root / "coding.csv"
    columns = dict.fromkeys(("Person", "Clip", "Onset", "Apex", "Offset", "Emotion"), ())
    rows, remarks = table_rows(read_csv(table), columns, table)
    clips = []
    for row in rows:
        subject, clip = row.name("Person"), row.name("Clip")
        path = require_inside(root / subject / clip, root, row.where("Clip"))
        span, emotion = row.span("Onset", "Apex", "Offset"), row.required_text("Emotion")
        clips.append(
            ClipAnnotation(NAME, subject, clip, path, emotion, row=row.number, **span._asdict())
        )
    return Reading(table, clips, TREE, edition=table.name, warnings=remarks)


DATABASE = Database(
    name=NAME,
    title="Faces of a laboratory",
    folders=("LabFaces",),
    reader=read,
    whom_to_ask="The laboratory: write to it.",
    tree=TREE,
    counts={"happiness": 2, "surprise": 1},
    subjects=2,
    schemes=(
        LabelScheme(
            name="lab_faces2",
            title="Faces of a laboratory, 2 classes",
            classes=("happiness", "surprise"),
            mapping={"happiness": "happiness", "surprise": "surprise"},
            source="its own table",
            counts={"happiness": 2, "surprise": 1},
        ),
    ),
)

# Its test with rows as the table has them.

ROWS = [
    ["p1", "smile", "1", "2", "3", "Happy"],
    ["p1", "brows", "1", "", "4", "surprise"],
    ["p2", "smile", "2", "3", "3", "happiness"],
]


@pytest.fixture
def lab_faces(places, monkeypatch):
    """Register the database by its one entry, and write its tree under the data root."""
    monkeypatch.setitem(registry.DATABASES, NAME, DATABASE)
    root = places / "data" / "LabFaces"
    for person, clip, *_ in ROWS:
        (root / person / clip).mkdir(parents=True)
        (root / person / clip / "001.png").write_bytes(b"an image, to those who read names only")
    with (root / "coding.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            [["Person", "Clip", "Onset", "Apex", "Offset", "Emotion"], *ROWS]
        )
    return root


def call(*arguments):
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def test_it_is_found_read_and_labelled(lab_faces):
    assert registry.find(NAME) == lab_faces
    samples = apply_scheme(registry.load(NAME), get_scheme("lab_faces2"))
    assert samples.ids == ["lab_faces/p1/brows", "lab_faces/p1/smile", "lab_faces/p2/smile"]
    assert samples.table["label"].tolist() == ["surprise", "happiness", "happiness"]
    assert samples.table["apex"].isna().tolist() == [True, False, False]
    assert samples.data_kind is DataKind.LICENSED
    assert samples.warnings == ()


def test_its_faults_are_told_as_those_of_any_other(lab_faces):
    (lab_faces / "p2" / "smile" / "001.png").unlink()
    with pytest.raises(AnnotationError, match="holds no image"):
        registry.load(NAME)


def test_the_data_verbs_know_it(lab_faces):
    listed = {entry["name"]: entry for entry in json.loads(call("list", "--json"))}
    assert listed[NAME]["place"] == str(lab_faces)
    assert not listed[NAME]["synthetic"]
    assert DATABASE.title in call("list")
    howto = call("howto", NAME)
    assert "write to it" in howto and "<person>/<clip>" in howto
    checked = json.loads(call("check", NAME, "--json"))
    assert (checked["clips"], checked["subjects"]) == (3, 2)
    assert checked["emotions"] == {"happiness": 1, "happy": 1, "surprise": 1}
    card = call("card", NAME)
    assert "| happiness | 2 |" in card


def test_a_stand_in_is_optional(lab_faces):
    assert NAME not in LAYOUTS
    with pytest.raises(UserError, match="no synthetic stand-in for database 'lab_faces'"):
        call("synth", NAME)


def test_every_reader_has_its_line_in_the_registry():
    """Some modules define no database: users' own data are read there, or readers share it."""
    modules = {path.stem for path in Path(readers.__file__).parent.glob("*.py")}
    shared = {"__init__", "manifest", "own_folder", "coding", "published_flow"}
    assert modules - shared == set(registry._MODULES)
    descriptions = {path.stem for path in Path(readers.__file__).parent.glob("*.yaml")}
    assert descriptions == set(registry.DATABASES)


def test_every_reader_has_its_test():
    tests = {path.stem for path in (Path(__file__).parent / "readers").glob("test_*.py")}
    assert {f"test_{module}" for module in registry._MODULES} <= tests
