"""Contributions of others: whole ones are read, everything else is refused by name."""

import json
from functools import partial

import pytest

from mer_keras.errors import ResultsError
from mer_keras.evaluation.epoch_rules import RULES
from mer_keras.leaderboard import reading
from mer_keras.leaderboard.digests import content_digest
from mer_keras.leaderboard.reading import checked_entry, read_contribution
from mer_keras.leaderboard.writing import contribution_files, write_contribution
from tests.leaderboard.made import BOARDS, IDS, LABELS, make_run


@pytest.fixture
def folder(files, tmp_path):
    write_contribution(files, tmp_path / "sent")
    return tmp_path / "sent"


def changed(files, name, change):
    """The files with one changed, and its digest made to fit as a forger would."""
    text = change(files[name])
    assert text != files[name]
    head = json.loads(files["contribution.json"])
    if name == "contribution.json":
        return {**files, name: text}
    head["files"][name] = content_digest(text)
    return {**files, name: text, "contribution.json": json.dumps(head)}


def in_head(**fields):
    return lambda text: json.dumps(json.loads(text) | fields)


def in_row(key, /, **fields):
    def change(text):
        head = json.loads(text)
        next(row for row in head["rows"] if row["key"] == key).update(fields)
        return json.dumps(head)

    return change


in_net, in_claimed = partial(in_row, "net"), partial(in_row, "claimed")


def swapped(old, new):
    return lambda text: text.replace(old, new, 1)


def test_a_folder_is_read_as_it_was_written(folder, entry):
    read = read_contribution(folder, BOARDS)
    assert read.head == entry.head
    assert read.clips.equals(entry.clips)
    assert read.source == "sent"


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("contribution.json", in_head(schema_version=2), "schema_version"),
        ("contribution.json", in_head(more=1), "more: unknown key"),
        ("contribution.json", in_head(board="x"), "board 'x': expected one of small"),
        ("contribution.json", in_head(selection="test_fold"), "selection test_fold"),
        ("contribution.json", in_head(protocol="cde"), "protocol 'cde': small has tables of"),
        ("contribution.json", in_head(classes=["a", "b", "c"]), "classes a, b, c"),
        ("contribution.json", in_head(config={"data": {"database": "x"}}), "other images: .* x"),
        ("contribution.json", in_head(seeds=[0, 1, 2]), r"seeds \(0, 1, 2\): its config has"),
        ("contribution.json", in_head(created="soon"), "created"),
        ("contribution.json", in_head(division_digest="0" * 32), "other folds"),
        ("contribution.json", in_head(clips_digest="0" * 32), "other clips or labels"),
        ("contribution.json", in_net(rules=["last_epoch"]), "'Net' has an incomplete trajectory"),
        ("contribution.json", in_net(epochs=6), "rows.net: epochs 6: its config has 5"),
        ("contribution.json", in_net(method="svm"), "no row 'net' of method svm"),
        ("contribution.json", in_net(name="SVM"), "rows.net: name SVM: its config has Net"),
        ("contribution.json", in_net(role="baseline"), "rows.net: role baseline: its config"),
        ("contribution.json", in_net(learns=False), "rows.net: learns False: its config has"),
        ("contribution.json", in_net(about="Best."), "rows.net: about Best.: its config has"),
        ("contribution.json", in_net(paper="Nobody"), "rows.net: paper Nobody: its config has"),
        ("contribution.json", in_net(rules=[*RULES, "fold_best"]), "'Net': a rule stands twice"),
        *(
            (
                "contribution.json",
                in_claimed(**{field: value}),
                "row '.*' was not run and is not what the config says of claimed",
            )
            for field, value in (
                ("name", "Another"),
                ("epochs", 7),
                ("missing", "its paper is wrong"),
                ("role", "baseline"),
                ("claims", []),
            )
        ),
        ("contribution.json", in_head(experiment="x"), "experiment x: its config has"),
        (
            "contribution.json",
            in_net(claims=[{"metric": "uf1", "value": 1, "where": "x", "chosen_by": "y"}]),
            "row 'Net' has a claim that the config doesn't have of it",
        ),
        ("contribution.json", in_net(key="../net"), "rows.0.key"),
        ("contribution.json", in_net(seconds=float("nan")), "seconds"),
        ("contribution.json", in_net(key="svm"), "a row stands twice"),
        ("contribution.json", lambda text: text[:-9], "not a JSON file"),
        ("contribution.json", lambda _: "[" * 10**5, "not a JSON file"),
        ("contribution.json", lambda _: "[]", "contribution.json"),
        ("clips.csv", swapped(",negative", ",positive"), "other clips or labels"),
        ("clips.csv", swapped("fold-1", "fold-2"), "other folds"),
        ("clips.csv", swapped("person", "name"), "columns clip, database, name"),
        ("clips.csv", swapped(",samm,", ","), "row 2 has 4 cells"),
        ("clips.csv", lambda text: "\n".join(text.splitlines()[:1]), "1 lines"),
        ("clips.csv", lambda text: text + text.splitlines()[1] + "\n", "each clip once"),
        ("predicted/svm.csv", swapped("0:as_run", "7:as_run"), "0:as_run"),
        ("predicted/svm.csv", lambda _: "\n" * 9, "row 1 is empty"),
        ("predicted/svm.csv", swapped(",0\n", ",3\n"), "column 1:as_run: '3'"),
        ("predicted/svm.csv", lambda text: text.replace("\n", ",\n"), "column"),
        ("predicted/net.csv", swapped("0:fold_best,", ""), "'Net' .*|has 1[0-9] cells"),
        ("curves/net.csv", swapped("\n5,", "\n6,"), "ends at epoch 6 of 5"),
        ("curves/net.csv", swapped("\n5,0", "\n5,1"), "expected whole lengths|it ends at"),
        ("curves/net.csv", swapped("1,0.", "1,x."), "expected numbers"),
        ("curves/net.csv", swapped("\n2,", "\n1.5,"), "expected whole lengths"),
    ],
)
def test_fault_67_what_contradicts_is_refused_by_name(files, name, change, message):
    with pytest.raises(ResultsError, match=message) as caught:
        checked_entry("theirs", changed(files, name, change), BOARDS)
    assert "theirs" in str(caught.value)


def in_config(change):
    """A contribution with a change of its config's rows, methods or recipe."""

    def changed_head(text):
        head = json.loads(text)
        change(head["config"])
        return json.dumps(head)

    return changed_head


def both(config, **fields):
    """A config of which some fields are changed, of the experiment and of its row alike."""
    config["train"] |= fields
    config["rows"][0]["train"] |= fields


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda config: both(config, epochs=3), "rows.net: epochs 5: its config has 3"),
        (lambda config: config.update(selection="test_fold"), "selection last_epoch: its config"),
        (
            lambda config: config.update(protocol={"name": "subject_kfold", "k": 2}),
            "protocol leave-one-subject-out: its config has",
        ),
        (lambda config: both(config, precision="int4"), "config: .*precision"),
        (lambda config: config.update(more=1), "config: more: unknown key"),
        (
            lambda config: config["methods"]["claimed"]["train"].update(epochs="many"),
            "config: epochs: .*many",
        ),
        (
            lambda config: config["methods"]["claimed"]["claims"][0].update(value=120),
            "config: claims.0.value: .*1.2",
        ),
        (
            lambda config: config["methods"]["net"]["network"].update(model="own_net"),
            "row 'Net': no network 'own_net'",
        ),
    ],
)
def test_fault_67_a_config_of_another_run_is_refused(files, change, message):
    with pytest.raises(ResultsError, match=f"theirs/contribution.json: {message}"):
        checked_entry("theirs", changed(files, "contribution.json", in_config(change)), BOARDS)


def test_rules_of_epochs_belong_to_the_last_epoch(files):
    def other(text):
        head = json.loads(text)
        head["config"]["selection"] = head["selection"] = "inner_subjects"
        return json.dumps(head)

    with pytest.raises(ResultsError, match=r"row 'Net' .*by its config no epochs are stored of it"):
        checked_entry("theirs", changed(files, "contribution.json", other), BOARDS)


def test_a_trajectory_that_was_cut_off_is_missed(files):
    """Else each tested person's best epoch could stand for the last one."""
    lines = [line.split(",") for line in files["predicted/net.csv"].splitlines()]
    kept = [0, lines[0].index("0:subject_best_latest"), lines[0].index("1:subject_best_latest")]
    texts = [",".join(line[column] for column in kept) for line in lines[1:]]
    best = "\n".join(["clip,0:as_run,1:as_run", *texts]) + "\n"
    cut = {name: text for name, text in files.items() if name != "curves/net.csv"}
    cut = changed(cut, "predicted/net.csv", lambda _: best)
    head = json.loads(in_net(rules=["as_run"])(cut["contribution.json"]))
    del head["files"]["curves/net.csv"]
    with pytest.raises(ResultsError, match=r"Net.*by its config its trajectory is incomplete"):
        checked_entry("theirs", cut | {"contribution.json": json.dumps(head)}, BOARDS)


def test_a_prediction_that_was_mended_contradicts_the_curve(files):
    def mend(text):
        header, first, *rest = text.splitlines()
        clip, *numbers = first.split(",")
        return "\n".join([header, ",".join([clip, *("1" for _ in numbers)]), *rest]) + "\n"

    with pytest.raises(ResultsError, match=r"theirs/curves/net.csv: under .* it ends at"):
        checked_entry("theirs", changed(files, "predicted/net.csv", mend), BOARDS)


def test_a_file_that_was_changed_is_named(files):
    with pytest.raises(ResultsError, match=r"predicted/svm.csv was changed"):
        checked_entry("theirs", {**files, "predicted/svm.csv": "clip\n"}, BOARDS)


def test_a_file_too_few_or_too_many(folder):
    (folder / "face.png").write_bytes(b"")
    with pytest.raises(ResultsError, match=r"face.png is no file of a contribution"):
        read_contribution(folder, BOARDS)
    (folder / "face.png").unlink()
    (folder / "predicted/net.csv").unlink()
    with pytest.raises(ResultsError, match=r"predicted/net.csv is missing"):
        read_contribution(folder, BOARDS)


def test_files_that_are_none(folder, monkeypatch):
    text = (folder / "clips.csv").read_text()
    (folder / "clips.csv").write_bytes(b"\xff\xfe")
    with pytest.raises(ResultsError, match="no UTF-8 text"):
        read_contribution(folder, BOARDS)
    (folder / "clips.csv").write_text(text)
    monkeypatch.setattr(reading, "MOST_BYTES", 100)
    with pytest.raises(ResultsError, match="larger than 100 bytes"):
        read_contribution(folder, BOARDS)
    (folder / "endless").symlink_to("/dev/zero")
    with pytest.raises(ResultsError, match="endless is a link"):
        read_contribution(folder, BOARDS)
    with pytest.raises(ResultsError, match=r"holds no contribution.json"):
        read_contribution(folder / "predicted", BOARDS)


def test_other_labels_or_people_make_another_set(tmp_path):
    labels = LABELS | {IDS[0]: "surprise"}
    view = make_run(tmp_path, labels=labels)
    with pytest.raises(ResultsError, match="other clips or labels"):
        checked_entry("theirs", contribution_files(view, known=BOARDS), BOARDS)


def test_folds_of_two_people_are_other_folds(tmp_path):
    view = make_run(tmp_path, people=2)
    with pytest.raises(ResultsError, match="other folds"):
        checked_entry("theirs", contribution_files(view, known=BOARDS), BOARDS)
