"""The one reader of manifests: nothing of a received run is believed unless it fits the rest."""

import json

import pytest

from mer_keras.config.files import load_config
from mer_keras.errors import ResultsError
from mer_keras.runs import json_files
from mer_keras.runs.stored_manifest import MANIFEST, read_manifest, stored_config
from tests.runs.manifests import manifest_of, write_manifest
from tests.runs.small import TABLE1


def test_what_a_run_says_comes_back_with_fields_that_nothing_reads(tmp_path):
    path = write_manifest(tmp_path, remark={"of": ["somebody"]})
    assert read_manifest(path) == manifest_of(remark={"of": ["somebody"]})


@pytest.mark.parametrize("field", sorted(set(manifest_of()) - {"subject_exclusive"}))
def test_fault_67_an_absent_field_is_named(tmp_path, field):
    manifest = manifest_of()
    del manifest[field]
    json_files.write_json(tmp_path / MANIFEST, manifest)
    with pytest.raises(ResultsError, match=f"no manifest of a run: .*{field}"):
        read_manifest(tmp_path)


OTHER_TYPES = [
    {"run_id": 3},
    {"identity": []},
    {"config": None},
    {"config": {"seeds": ["../../etc"]}},
    {"experiment": "../../etc/passwd"},
    {"experiment": "paper/table1.yaml"},
    {"profile": "../full"},
    {"profile": ".hidden"},
    {"profile": "a\x1bb"},
    {"data_kind": "real"},
    {"selection": "best"},
    {"subject_exclusive": "yes"},
    {"n_samples": -1},
    {"n_samples": "4"},
    {"classes": []},
    {"classes": [str(number) for number in range(101)]},
    {"classes": ["x" * 201, "y"]},
    {"n_subjects": 10**6},
    {"n_samples": 10**400},
    {"protocol": "x" * 3000},
    {"versions": {"numpy": "x" * 3000}},
    {"versions": {str(number): "1" for number in range(1001)}},
    {"config": {**manifest_of()["config"], "protocol": None}},
    {"config": {**manifest_of()["config"], "methods": {"majority": "os.system"}}},
    {"classes": "positive"},
    {"class_counts": {"positive": 2.5}},
    {"excluded": ["d/1/c"]},
    {"warnings": [1]},
    {"stages": [{"stage": "faces"}]},
    {"rows": []},
    {"rows": [{"key": "net"}]},
    {"rows": [manifest_of()["rows"][0] | {"key": "../net"}]},
    {"rows": [manifest_of()["rows"][0] | {"role": "winner"}]},
    {"rows": [manifest_of()["rows"][0]] * 2000},
    {"created": "yesterday"},
    {"created": None},
    {"versions": []},
]


@pytest.mark.parametrize("changes", OTHER_TYPES, ids=lambda c: f"{str(c)[:40]}")
def test_fault_67_other_types_and_names_that_lead_elsewhere_are_refused(tmp_path, changes):
    json_files.write_json(tmp_path / MANIFEST, manifest_of() | changes)
    with pytest.raises(ResultsError, match="no manifest of a run"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"profile": "full"}, "run_id is .*-quick-.*it is .*-full-"),
        ({"data_kind": "licensed"}, "run_id is .*-synthetic-.*it is .*-licensed-"),
        ({"experiment": "paper/table2"}, "run_id is"),
        ({"run_id": "paper-table1-quick-synthetic-00000000"}, "run_id is"),
        ({"identity": manifest_of()["identity"] | {"weights": "w"}}, "run_id is"),
        ({"config_digest": "c1"}, "config_digest is not the one in identity"),
        ({"samples_digest": "s1"}, "samples_digest"),
        ({"folds_digest": "f1"}, "folds_digest"),
        ({"selection": "inner_subjects"}, "selection is 'inner_subjects'.*'last_epoch'"),
        ({"classes": ["positive", "positive"]}, "a class stands twice"),
        ({"n_samples": 400}, "class_counts are not of n_samples, 400"),
        ({"rows": manifest_of()["rows"][:1] * 2}, "a row's key stands twice"),
    ],
)
def test_fault_67_a_field_that_contradicts_another_is_told(tmp_path, changes, said):
    json_files.write_json(tmp_path / MANIFEST, manifest_of() | changes)
    with pytest.raises(ResultsError, match=f"{said}.*changed after the run"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"\xff\xfe", b"[" * 100_000, b"\x00" * 40, b'{"a": 1e999}']
)
def test_fault_67_what_is_no_json_of_a_run_is_refused(tmp_path, content):
    (tmp_path / MANIFEST).write_bytes(content)
    with pytest.raises(ResultsError, match=MANIFEST):
        read_manifest(tmp_path)


def test_files_without_end_are_not_read(tmp_path, monkeypatch):
    (tmp_path / MANIFEST).symlink_to("/dev/zero")
    with pytest.raises(ResultsError, match="no file"):
        read_manifest(tmp_path)
    (tmp_path / MANIFEST).unlink()
    monkeypatch.setattr(json_files, "MOST_BYTES", 1000)
    write_manifest(tmp_path, ".", remark="x" * 1000)
    with pytest.raises(ResultsError, match="larger than 1,000 bytes"):
        read_manifest(tmp_path)
    (tmp_path / MANIFEST).unlink()
    (tmp_path / MANIFEST).mkdir()
    with pytest.raises(ResultsError, match="no file"):
        read_manifest(tmp_path)


def test_a_config_is_that_of_the_run_or_none():
    config = load_config(TABLE1)
    tree = json.loads(json.dumps(config.model_dump(mode="json")))
    manifest = {"config": tree, "config_digest": config.digest(), "experiment": config.name}
    assert stored_config(manifest) == config
    assert stored_config(manifest | {"config_digest": "0"}) is None
    assert stored_config(manifest | {"experiment": "another"}) is None
    assert stored_config(manifest | {"config": tree | {"caption": "another"}}) is None
    assert stored_config(manifest | {"config": tree | {"field_of_another_version": 1}}) is None
    assert stored_config(manifest | {"config": {"seeds": [0]}}) is None


def test_fault_67_a_message_is_short_whatever_the_manifest_holds(tmp_path):
    within = {}
    for _ in range(300):
        within = {"train": within}
    for changes in ({"device": "y" * 10**5}, {"config": manifest_of()["config"] | within}):
        path = write_manifest(tmp_path, folder=str(len(changes)), **changes)
        with pytest.raises(ResultsError) as caught:
            read_manifest(path)
        assert len(str(caught.value)) < 1000
