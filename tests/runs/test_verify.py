"""``verify``: a fold is derived anew, and whatever marks or describes a result is compared."""

import hashlib
import io
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("keras")
from mer_keras.errors import ResultsError, UserError
from mer_keras.runs import verify as room
from mer_keras.runs.folder import FOLDS, MANIFEST
from mer_keras.runs.json_files import read_json, write_json
from mer_keras.runs.verify import verify_fold
from tests.runs.small import BASELINE, NETWORK, contents, unit

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def computed():
    """What a fold gave when it was computed anew for the first time, by unit."""
    return {}


@pytest.fixture
def quick_verify(computed, monkeypatch):
    """Compute each unit anew once for all tests: they tamper with what is stored of it."""
    real = room.TaskRunner.compute_again

    def once(self, unit):
        if unit not in computed:
            computed[unit] = real(self, unit)
        return computed[unit]

    monkeypatch.setattr(room.TaskRunner, "compute_again", once)
    return verify_fold


def change_manifest(folder, change):
    tree = read_json(folder.path / MANIFEST)
    change(tree)
    write_json(folder.path / MANIFEST, tree)


def change_file(folder, one, suffix, content):
    """Replace a unit's file, and mend its record so that the unit still counts as done."""
    path = folder.path / "predictions" / f"{one.stem()}{suffix}"
    path.write_bytes(content)
    record_file = path.with_name(path.name.removesuffix(suffix) + ".json")
    record = read_json(record_file)
    record["checksums"][suffix] = hashlib.blake2b(content, digest_size=16).hexdigest()
    write_json(record_file, record)
    assert folder.is_done(one)


def change_table(folder, one, change):
    table = folder.predictions([one])
    content = io.BytesIO()
    change(table).to_parquet(content, index=False)
    change_file(folder, one, ".parquet", content.getvalue())


def test_untouched_runs_verify_identical(copied_run):
    for fold in copied_run.folds().folds:
        for row in (NETWORK, BASELINE):
            verification = verify_fold(copied_run, row=row, fold=fold.name)
            assert verification.identical
            assert verification.agrees
            assert (verification.samples, verification.changed) == (len(fold.test), 0)
            assert "fold" not in verification.to_json()


def set_to(key, value):
    return lambda tree: tree.update({key: value})


def change_config(key, value):
    return lambda tree: tree["config"].update({key: value})


def change_identity(key):
    return lambda tree: tree["identity"].update({key: "0" * 32})


def change_row(number, key, value):
    return lambda tree: tree["rows"][number].update({key: value})


MANIFEST_CHANGES = {
    "experiment": set_to("experiment", "shallow_convlstm/table2"),
    "profile": set_to("profile", "full"),
    "protocol": set_to("protocol", "leave-one-subject-out"),
    "subject_exclusive": set_to("subject_exclusive", False),
    "selection": set_to("selection", "last_epoch"),
    "n_samples": set_to("n_samples", 133),
    "n_subjects": set_to("n_subjects", 28),
    "classes": lambda tree: tree["classes"].reverse(),
    "class_counts": set_to("class_counts", {"negative": 92, "positive": 26, "surprise": 15}),
    "excluded": lambda tree: tree["excluded"].append({"clip": "c", "reason": "r"}),
    "warnings": lambda tree: tree["warnings"].append("everything is fine"),
    "editions": lambda tree: tree["editions"].append("another"),
    "stages": lambda tree: tree["stages"].append({"stage": "faces", "data_kind": "public"}),
    "config_digest": set_to("config_digest", "0" * 32),
    "samples_digest": set_to("samples_digest", "0" * 32),
    "folds_digest": set_to("folds_digest", "0" * 32),
    "a row's key": change_row(1, "key", "baseline-stratified"),
    "a row's name": change_row(0, "name", "Proposed network"),
    "a row's method": change_row(0, "method", "shallow_convlstm"),
    "a row's role": change_row(1, "role", "row"),
    "a row's selection": change_row(0, "selection", "last_epoch"),
    "a row fewer": lambda tree: tree["rows"].pop(),
    "another row": lambda tree: tree["rows"].append({**tree["rows"][0], "key": "better"}),
    "caption": change_config("caption", "Another caption"),
    "published": lambda tree: tree["config"]["rows"][0].update(
        published=[{"name": "UAR", "value": 12.5, "metric": "uar"}]
    ),
    "not_reproduced": change_config("not_reproduced", ["all is as in the paper"]),
    "evaluate_augmented": change_config("evaluate_augmented", True),
    **{
        f"identity: {key}": change_identity(key)
        for key in ("config", "profile", "samples", "clips", "folds", "stages")
    },
}


@pytest.mark.parametrize("what", MANIFEST_CHANGES)
def test_fault_59_a_manifest_that_says_what_is_not_so_is_told(copied_run, quick_verify, what):
    change_manifest(copied_run, MANIFEST_CHANGES[what])
    with pytest.raises(ResultsError):
        quick_verify(copied_run)


def test_fault_59_a_run_under_another_name_is_told(copied_run, quick_verify):
    change_manifest(copied_run, set_to("run_id", "another-run"))
    with pytest.raises(ResultsError, match="run_id is 'another-run', and by the other fields"):
        quick_verify(copied_run)


def test_fault_59_real_and_synthetic_data_are_never_taken_for_each_other(copied_run, quick_verify):
    change_manifest(copied_run, set_to("data_kind", "licensed"))
    with pytest.raises(ResultsError, match=r"-synthetic-.* it is .*-licensed-"):
        quick_verify(copied_run)


def test_every_field_of_a_manifest_is_changed_above(calm_run):
    from mer_keras import provenance

    # The form of the layers says by what a run was computed, as the versions do.
    of_machine = {*provenance.describe(), "layers"}
    described = set(read_json(calm_run.path / MANIFEST)) - of_machine
    elsewhere = {"run_id", "data_kind", "identity", "config", "rows"}
    assert described - elsewhere <= set(MANIFEST_CHANGES)


def column(name, value):
    return lambda table: table.assign(**{name: value})


NEXT = {"positive": "negative", "negative": "surprise", "surprise": "positive"}
TABLE_CHANGES = {
    "label": lambda table: table.assign(label=np.roll(table["label"], 1)),
    "all labels as predicted": lambda table: table.assign(label=table["predicted"]),
    "subject_id": column("subject_id", "samm/099"),
    "selection": column("selection", "last_epoch"),
    "protocol": column("protocol", "leave-one-subject-out"),
    "data_kind": column("data_kind", "licensed"),
    "database": column("database", "casme2"),
    "experiment": column("experiment", "another"),
    "table": column("table", "Table 9"),
    "method": column("method", "shallow_convlstm"),
    "predicted": lambda table: table.assign(predicted=table["predicted"].map(NEXT)),
    "predicted as labelled": lambda table: table.assign(predicted=table["label"]),
    "a column fewer": lambda table: table.drop(columns="prob_surprise"),
    "another column": column("prob_other", 0.0),
}


@pytest.mark.parametrize("what", TABLE_CHANGES)
def test_fault_59_predictions_that_say_what_is_not_so_are_told(copied_run, quick_verify, what):
    before = contents(copied_run.path, ".parquet")
    change_table(copied_run, unit(), TABLE_CHANGES[what])
    assert contents(copied_run.path, ".parquet") != before
    with pytest.raises(ResultsError):
        quick_verify(copied_run)


def test_fault_59_clips_that_are_called_copies_are_told(copied_run, quick_verify):
    """Copies are left out of every number: a wrong clip could be hidden among them."""
    change_table(copied_run, unit(), lambda table: table.assign(is_copy=np.arange(len(table)) == 0))
    with pytest.raises(ResultsError, match="not those that the fold tests"):
        quick_verify(copied_run)


def test_fault_59_a_clip_that_is_added_as_a_copy_is_told(copied_run, quick_verify):
    change_table(
        copied_run, unit(), lambda table: pd.concat([table, table.iloc[:1].assign(is_copy=True)])
    )
    with pytest.raises(ResultsError):
        quick_verify(copied_run)


@pytest.mark.parametrize("shift", [1, 2])
def test_fault_59_other_probabilities_do_not_agree(copied_run, quick_verify, shift):
    """Someone thorough changes ``predicted`` too."""

    def change(table):
        names = [name for name in table if name.startswith("prob_")]
        values = np.roll(table[names].to_numpy(), shift, axis=1)
        predicted = [names[i].removeprefix("prob_") for i in values.argmax(axis=1)]
        return table.assign(predicted=predicted, **dict(zip(names, values.T, strict=True)))

    change_table(copied_run, unit(), change)
    verification = quick_verify(copied_run)
    assert not verification.agrees
    assert verification.changed
    assert quick_verify(copied_run, fold="fold-2").identical, "the other folds are as they were"


@pytest.mark.parametrize("key", ["parameters", "multiply_accumulates", "chosen"])
def test_fault_59_a_record_that_describes_another_method_is_told(copied_run, quick_verify, key):
    file = copied_run.path / "predictions" / f"{unit().stem()}.json"
    write_json(file, read_json(file) | {key: 1})
    with pytest.raises(ResultsError, match=f"the record says {key}=1"):
        quick_verify(copied_run)


def test_fault_59_epochs_that_were_changed_do_not_agree(copied_run, quick_verify):
    epochs = copied_run.trajectory(unit())
    content = io.BytesIO()
    np.save(content, epochs[:, :, ::-1])
    change_file(copied_run, unit(), ".npy", content.getvalue())
    assert not quick_verify(copied_run).agrees


def test_fault_59_epochs_that_were_taken_away_are_told(copied_run, quick_verify):
    file = copied_run.path / "predictions" / f"{unit().stem()}.json"
    record = read_json(file)
    del record["checksums"][".npy"]
    write_json(file, record)
    with pytest.raises(ResultsError, match="probabilities of all epochs"):
        quick_verify(copied_run)


@pytest.mark.parametrize(
    "change",
    [
        lambda epochs: epochs[:1],
        lambda epochs: np.concatenate([epochs, epochs[-1:]]),
        lambda epochs: epochs[:0],
        lambda epochs: np.where(np.arange(len(epochs))[:, None, None] == 0, np.nan, epochs),
    ],
    ids=["cut", "appended", "none", "NaN"],
)
def test_fault_59_epochs_that_no_training_gives_are_told(copied_run, quick_verify, change):
    content = io.BytesIO()
    np.save(content, change(copied_run.trajectory(unit())).astype("float32"))
    change_file(copied_run, unit(), ".npy", content.getvalue())
    with pytest.raises(ResultsError, match="epochs"):
        quick_verify(copied_run)


@pytest.mark.parametrize(
    "change",
    [{"epoch": 77}, {"history": {"loss": [0.1], "accuracy": [1.0]}}],
    ids=["epoch", "history"],
)
def test_fault_59_what_a_record_says_of_its_epochs_is_compared(copied_run, quick_verify, change):
    file = copied_run.path / "predictions" / f"{unit().stem()}.json"
    write_json(file, read_json(file) | change)
    with pytest.raises(ResultsError, match=f"the record says {next(iter(change))}="):
        quick_verify(copied_run)


def test_fault_59_the_epoch_that_predictions_name_is_compared(copied_run, quick_verify):
    change_table(copied_run, unit(), lambda table: table.assign(epoch=99))
    with pytest.raises(ResultsError, match="a prediction says epoch=99"):
        quick_verify(copied_run)


def test_fault_59_other_folds_are_told(copied_run, quick_verify):
    """Folds may be whole, and yet not those of the config."""
    folds = copied_run.folds()
    first = folds.folds[0]
    moved = replace(first, train=first.train[1:])
    write_json(copied_run.path / FOLDS, replace(folds, folds=(moved, *folds.folds[1:])).to_json())
    with pytest.raises(ResultsError, match="folds were changed"):
        quick_verify(copied_run)


@pytest.mark.parametrize(
    "change",
    [
        lambda tree: tree.pop("identity"),
        lambda tree: tree.pop("config"),
        lambda tree: tree.update(rows=None),
        lambda tree: tree["config"].update(rows=[]),
        lambda tree: tree.update(stages=[1]),
        lambda tree: tree.update(identity=[]),
    ],
)
def test_what_is_no_manifest_is_told(copied_run, quick_verify, change):
    change_manifest(copied_run, change)
    with pytest.raises(ResultsError):
        quick_verify(copied_run)


def test_fault_59_a_network_of_another_backend_is_neither_confirmed_nor_called_false(
    copied_run, quick_verify
):
    """The other backend draws other weights from the seed; what needs no training is checked."""
    change_manifest(copied_run, set_to("backend", "jax"))
    change_manifest(copied_run, lambda tree: tree["versions"].update(numpy="0.1", jax="0.11"))
    with pytest.raises(UserError, match=f"backend jax, .*KERAS_BACKEND=jax .*--row {BASELINE}"):
        quick_verify(copied_run, row=NETWORK)
    verification = quick_verify(copied_run, row=BASELINE)
    assert verification.identical
    assert "backend: jax, here tensorflow" in verification.elsewhere
    assert any(text.startswith("numpy: 0.1, here ") for text in verification.elsewhere)
    change_table(copied_run, unit(), lambda table: table.assign(label=table["predicted"]))
    with pytest.raises(ResultsError, match="says label="):
        quick_verify(copied_run, row=NETWORK)


def test_fault_59_a_run_of_this_machine_was_not_made_elsewhere(copied_run, quick_verify):
    assert quick_verify(copied_run).elsewhere == ()


def test_what_cannot_be_verified_is_said(copied_run):
    with pytest.raises(UserError, match="no row 'nothing'"):
        verify_fold(copied_run, row="nothing")
    with pytest.raises(UserError, match="no fold 'nine'"):
        verify_fold(copied_run, fold="nine")
