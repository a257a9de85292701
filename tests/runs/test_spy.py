"""A spy in everything that learns: which samples does it ever see?

Every clip bears its own number in each of its pixels, so that arrays can be read back as samples,
however they were copied, shuffled or batched on the way.
"""

from functools import partial

import numpy as np
import pytest

keras = pytest.importorskip("keras")
from mer_keras.clips.assemble import ClipArrays  # noqa: E402
from mer_keras.config.files import load_experiments  # noqa: E402
from mer_keras.databases.samples import make_samples  # noqa: E402
from mer_keras.models import baselines  # noqa: E402
from mer_keras.runs import pieces as pieces_room  # noqa: E402
from mer_keras.runs import prepare as prepare_room  # noqa: E402
from mer_keras.runs.run import run_experiment  # noqa: E402
from mer_keras.terms import DataKind  # noqa: E402
from mer_keras.training.augmentation import ClipAugmentation  # noqa: E402
from mer_keras.training.standardise import StandardiseByTraining  # noqa: E402
from mer_keras.training.vectorised.stacked import Stack  # noqa: E402

pytestmark = pytest.mark.slow

EMOTIONS = ["happiness", "anger", "anger", "fear", "surprise"]
PEOPLE = {"samm": 3, "casme2": 3}
PROTOCOLS = {
    "kfold": "protocol={name: subject_kfold, k: 3}",
    "loso": "protocol={name: loso}",
    "cde": "protocol={name: cde}",
    "sde": "protocol={name: sde}",
    "hde": "protocol={name: hde}",
    "as_published": "protocol={name: as_published, test_share: 0.25}",
}


def samples_of(database):
    rows = [
        {
            "database": database,
            "subject": f"{subject:03}",
            "clip": f"c{clip}",
            "path": "unused",
            "emotion": emotion,
            "data_kind": DataKind.SYNTHETIC,
        }
        for subject in range(PEOPLE[database])
        for clip, emotion in enumerate(EMOTIONS)
    ]
    return make_samples(rows, source="test")


class Spy:
    """Collects the numbers of the clips that pass by, by what they passed."""

    def __init__(self):
        self.seen = {}

    def note(self, where, clips):
        if not len(clips):
            return
        numbers = np.rint(np.asarray(clips).reshape(len(clips), -1)[:, 0] * 100).astype(int)
        self.seen.setdefault(where, set()).update(numbers.tolist())

    def wrap(self, monkeypatch, owner, name, watch):
        real = getattr(owner, name)

        def watched(*args, **kwargs):
            watch(*args, **kwargs)
            return real(*args, **kwargs)

        monkeypatch.setattr(owner, name, watched)


@pytest.fixture(scope="module")
def trainers():
    """Recipe -> what trains by it, kept from case to case."""
    return {}


@pytest.fixture
def spied(places, monkeypatch, trainers):
    """Return a function that runs a protocol and returns, fold by fold, what learned from what."""
    tables = {name: samples_of(name) for name in PEOPLE}
    number = {}
    monkeypatch.setattr(prepare_room.databases, "find", lambda name: None)
    monkeypatch.setattr(
        prepare_room.databases, "load", lambda name, root=None, **options: tables[name]
    )
    monkeypatch.setattr(prepare_room.stand_ins, "ensure", lambda *_, **__: None)

    def load(given, clip, policies, progress=None):
        number.update({sample: place + 1 for place, sample in enumerate(given.ids)})
        values = np.array([number[i] for i in given.ids], "float32") / 100
        shape = (len(values), 28, 28, 3)
        return ClipArrays(
            tuple(given.ids), np.broadcast_to(values.reshape(-1, 1, 1, 1), shape).copy()
        )

    monkeypatch.setattr(prepare_room, "load_clips", load)
    spies = []

    def watch_fit(self, x=None, y=None, validation_data=None, **_):
        spy = Spy()
        spies.append(spy)
        for batch, _labels in x:
            spy.note("fit", batch["clip"])
            copies = np.asarray(batch["is_copy"]) > 0
            if copies.any():
                spy.note("copies", np.asarray(batch["clip"])[copies])
        if validation_data is not None:
            spy.note("watched", validation_data[0]["clip"])
            assert not np.any(validation_data[0]["is_copy"])

    def watch_predict(self, x, **_):
        if spies:
            spies[-1].note("predicted", x["clip"])
            assert not np.any(x["is_copy"])

    real_trainer = pieces_room.make_trainer

    def made_once(config, name, prepared, trunk=None):
        """One network for all cases: they differ in who is trained on, not in what is trained."""
        if config.train not in trainers:
            trainers[config.train] = real_trainer(config, name, prepared, trunk)
        return trainers[config.train]

    monkeypatch.setattr(pieces_room, "make_trainer", made_once)
    pending = []
    watcher = Spy()
    watcher.wrap(monkeypatch, keras.Model, "fit", watch_fit)
    watcher.wrap(monkeypatch, keras.Model, "predict", watch_predict)

    def clips_of(stack, rows, counted):
        (rows,) = rows  # one fold at a time
        return np.asarray(stack._clips)[rows if counted is None else rows[counted[0] > 0]]

    def watch_set(self, states):
        spies.append(Spy())

    def watch_step(self, rows, weights, copies):
        spies[-1].note("fit", clips_of(self, rows, weights))
        spies[-1].note("copies", clips_of(self, rows, copies))

    def watch_evaluation(self, rows, weights):
        spies[-1].note("watched", clips_of(self, rows, weights))

    def watch_answer(self, rows):
        # what fills up a batch is answered too, and thrown away
        filled = np.flatnonzero(rows[0])[-1] + 1 if rows.any() else 1
        spies[-1].note("predicted", clips_of(self, rows[:, :filled], None))

    watcher.wrap(monkeypatch, Stack, "set", watch_set)
    watcher.wrap(monkeypatch, Stack, "train", watch_step)
    watcher.wrap(monkeypatch, Stack, "evaluate", watch_evaluation)
    watcher.wrap(monkeypatch, Stack, "predict", watch_answer)
    watcher.wrap(
        monkeypatch,
        StandardiseByTraining,
        "set_from",
        lambda self, clips: pending.append(np.array(clips)),
    )

    def run(protocol, selection, engine):
        (config,) = load_experiments(
            "shallow_convlstm/table1",
            profile="quick",
            overrides=[
                "data.database=[samm, casme2]",
                "data.labels=cde3_samm",
                "rows.0.model=ststnet",  # the smallest
                "train.epochs=2",
                "baselines=[]",
                f"selection={selection}",
                f"train.engine={engine}",
                "train.plateau=null",
                PROTOCOLS[protocol],
            ],
        )
        folder = run_experiment(config, profile="quick", data="synthetic")
        folds = folder.folds().folds
        for spy, clips in zip(spies, pending, strict=True):
            spy.note("standardised by", clips)
        return [
            (fold, {part: {number[i] for i in getattr(fold, part)} for part in PARTS}, spy.seen)
            for fold, spy in zip(folds, spies, strict=True)
        ]

    return run


PARTS = ("train", "val", "test")


CASES = [
    *(("sequential", p, s) for p in PROTOCOLS for s in ("inner_subjects", "last_epoch")),
    # a fold's rows are the same whoever trains on them
    ("all_folds", "loso", "inner_subjects"),
    ("all_folds", "hde", "last_epoch"),
    ("all_folds", "as_published", "last_epoch"),
]


@pytest.mark.parametrize(("engine", "protocol", "selection"), CASES)
def test_nothing_that_learns_sees_a_tested_clip(spied, engine, protocol, selection):
    if (protocol, selection) == ("as_published", "inner_subjects"):
        selection = "inner_clips"
    for fold, ids, seen in spied(protocol, selection, engine):
        assert seen["fit"] == ids["train"], fold.name
        assert seen["standardised by"] == ids["train"]
        assert seen.get("copies", set()) <= ids["train"]
        assert seen.get("watched", set()) == ids["val"]
        assert seen["predicted"] == ids["test"]
        learned = seen["fit"] | seen.get("watched", set()) | seen["standardised by"]
        assert not learned & ids["test"]


@pytest.mark.parametrize("engine", ["sequential", "all_folds"])
def test_the_spy_sees_a_leak(spied, engine):
    """Under ``test_fold`` selection looks at the tested clips: a blind spy would pass that too."""
    for _, ids, seen in spied("kfold", "test_fold", engine):
        assert seen["watched"] == ids["test"]
        assert seen["fit"] == ids["train"]


def test_augmentation_changes_training_clips_only(monkeypatch):
    layer = ClipAugmentation(flip=0.5, brightness=0.1, salt_pepper=0.1)
    clips = np.random.default_rng(0).random((4, 3, 8, 8, 1)).astype("float32")
    still = partial(layer, clips, apply=np.ones(4, "float32"))
    np.testing.assert_array_equal(still(training=False), clips)
    assert np.any(np.array(still(training=True)) != clips)


@pytest.mark.parametrize("name", ["linear_svm", "shuffled_labels", "flow_svm"])
def test_baselines_are_fitted_on_training_clips(name, monkeypatch):
    spy = Spy()
    real = baselines._linear_svm

    def watch(train, labels, test):
        spy.note("fit", train)
        return real(train, labels, test)

    monkeypatch.setattr(baselines, "_linear_svm", watch)
    train = np.arange(1, 9, dtype="float32").reshape(8, 1, 1) / 100 * np.ones((8, 2, 2), "float32")
    test = np.full((2, 2, 2), 0.5, "float32")
    baselines.predict(name, train, np.arange(8) % 2, test, 2, 0)
    assert spy.seen["fit"] == set(range(1, 9))
