"""A spy in everything that learns: which samples does it ever see?

Every clip bears its own number in each of its pixels, so that arrays can be read back as samples,
however they were copied, shuffled or batched on the way. Pixels are features too, so that the same
holds of what scikit-learn's estimators are given.
"""

from functools import partial

import numpy as np
import pytest

keras = pytest.importorskip("keras")
from sklearn.dummy import DummyClassifier  # noqa: E402
from sklearn.metrics import f1_score  # noqa: E402
from sklearn.pipeline import Pipeline, make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402
from sklearn.svm import SVC  # noqa: E402

from mer_keras.clips.assemble import ClipArrays  # noqa: E402
from mer_keras.config.files import load_experiments  # noqa: E402
from mer_keras.databases.samples import make_samples  # noqa: E402
from mer_keras.methods.network import NetworkMethod  # noqa: E402
from mer_keras.methods.registry import make_method  # noqa: E402
from mer_keras.runs import context as context_room  # noqa: E402
from mer_keras.runs import samples as samples_room  # noqa: E402
from mer_keras.runs.run import run_experiment  # noqa: E402
from mer_keras.runs.units import units_of  # noqa: E402
from mer_keras.terms import DataKind  # noqa: E402
from mer_keras.training.augmentation import ClipAugmentation  # noqa: E402
from mer_keras.training.standardise import StandardiseByTraining  # noqa: E402
from mer_keras.training.vectorised.stacked import Stack  # noqa: E402

pytestmark = pytest.mark.slow

EMOTIONS = ["happiness", "anger", "anger", "fear", "surprise"]
CLASS_OF = {"happiness": "positive", "anger": "negative", "fear": "negative"}
PEOPLE = {"samm": 3, "casme2": 3}
PARTS = ("train", "val", "test")
PROTOCOLS = {
    "kfold": "protocol={name: subject_kfold, k: 3}",
    "loso": "protocol={name: loso}",
    "cde": "protocol={name: cde}",
    "sde": "protocol={name: sde}",
    "hde": "protocol={name: hde}",
    "as_published": "protocol={name: as_published, test_share: 0.25}",
}
SIDE = 28


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


def watch(monkeypatch, owner, name, watcher):
    """Call a watcher before each call of a function or method."""
    real = getattr(owner, name)

    def watched(*args, **kwargs):
        watcher(*args, **kwargs)
        return real(*args, **kwargs)

    monkeypatch.setattr(owner, name, watched)


@pytest.fixture
def number(places, monkeypatch):
    """Replace all data by clips that bear their numbers; return the number by sample id."""
    tables = {name: samples_of(name) for name in PEOPLE}
    number = {}
    monkeypatch.setattr(samples_room.databases, "find", lambda name: None)
    monkeypatch.setattr(
        samples_room.databases, "load", lambda name, root=None, **options: tables[name]
    )
    monkeypatch.setattr(samples_room.stand_ins, "ensure", lambda *_, **__: None)

    def load(given, clip, policies, progress=None):
        number.update({sample: place + 1 for place, sample in enumerate(given.ids)})
        values = np.array([number[i] for i in given.ids], "float32") / 100
        shape = (len(values), SIDE, SIDE, 3)
        clips = np.broadcast_to(values.reshape(-1, 1, 1, 1), shape).copy()
        return ClipArrays(tuple(given.ids), clips)

    monkeypatch.setattr(context_room, "load_clips", load)
    return number


def config_of(protocol, selection, *changes):
    if (protocol, selection) == ("as_published", "inner_subjects"):
        selection = "inner_clips"
    (config,) = load_experiments(
        "shallow_convlstm/table1",
        profile="quick",
        overrides=[
            "data.database=[samm, casme2]",
            "data.labels=cde3_samm",
            "rows.0.method=ststnet",  # It is the smallest network.
            "rows.1.runs=false",
            "rows.2.runs=false",
            "train.epochs=2",
            "train.plateau=null",
            "baselines=[]",
            f"selection={selection}",
            PROTOCOLS[protocol],
            *changes,
        ],
    )
    return config


def parts_of(folder, number):
    """The folds of a run with the numbers of the clips of their parts."""
    return [
        (fold, {part: {number[i] for i in getattr(fold, part)} for part in PARTS})
        for fold in folder.folds().folds
    ]


@pytest.fixture(scope="module")
def networks():
    """Recipe -> what trains by it, kept from case to case."""
    return {}


@pytest.fixture
def spied(number, monkeypatch, networks):
    """Return a function that runs a protocol and returns, fold by fold, what learned from what."""
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

    def made_once(plan, *args, **options):
        """One network for all cases: they differ in who is trained on, not in what is trained."""
        if plan.recipe not in networks:
            networks[plan.recipe] = make_method(plan, *args, **options)
        method = networks[plan.recipe]
        assert isinstance(method, NetworkMethod)
        return method

    monkeypatch.setattr(context_room, "make_method", made_once)
    watch(monkeypatch, keras.Model, "fit", watch_fit)
    watch(monkeypatch, keras.Model, "predict", watch_predict)

    def clips_of(stack, rows, counted):
        (rows,) = rows  # Folds are trained one at a time.
        return np.asarray(stack._clips)[rows[counted[0] > 0]]

    def watch_step(self, batch):
        rows, weights, copies = batch
        spies[-1].note("fit", clips_of(self, rows, weights))
        spies[-1].note("copies", clips_of(self, rows, copies))

    def watch_evaluation(self, batch):
        rows, weights, _ = batch
        spies[-1].note("watched", clips_of(self, rows, weights))

    def watch_answer(self, batch):
        # What fills up a batch is answered too, and thrown away.
        rows, weights, _ = batch
        spies[-1].note("predicted", clips_of(self, rows, weights))

    watch(monkeypatch, Stack, "set", lambda self, states: spies.append(Spy()))
    watch(monkeypatch, Stack, "train", watch_step)
    watch(monkeypatch, Stack, "evaluate", watch_evaluation)
    watch(monkeypatch, Stack, "predict", watch_answer)
    standardised = []
    watch(
        monkeypatch,
        StandardiseByTraining,
        "set_from",
        lambda self, clips: standardised.append(np.array(clips)),
    )

    def run(protocol, selection, engine, *changes):
        config = config_of(protocol, selection, f"train.engine={engine}", *changes)
        folder = run_experiment(config, profile="quick", data="synthetic")
        for spy, clips in zip(spies, standardised, strict=True):
            spy.note("standardised by", clips)
        parts = parts_of(folder, number)
        return [(fold, ids, spy.seen) for (fold, ids), spy in zip(parts, spies, strict=True)]

    return run


CASES = [
    *(("sequential", protocol, "inner_subjects") for protocol in PROTOCOLS),
    # Without validation clips a fold trains on all that it doesn't test, whatever divided them.
    ("sequential", "kfold", "last_epoch"),
    ("sequential", "as_published", "last_epoch"),
    # A fold's rows are the same whoever trains on them.
    ("vectorised", "loso", "inner_subjects"),
    ("vectorised", "hde", "last_epoch"),
    ("vectorised", "as_published", "last_epoch"),
]


@pytest.mark.parametrize(("engine", "protocol", "selection"), CASES)
def test_no_network_learns_from_a_tested_clip(spied, engine, protocol, selection):
    for fold, ids, seen in spied(protocol, selection, engine):
        assert seen["fit"] == ids["train"], fold.name
        assert seen["standardised by"] == ids["train"]
        assert seen.get("copies", set()) <= ids["train"]
        assert seen.get("watched", set()) == ids["val"]
        assert seen["predicted"] == ids["test"]
        learned = seen["fit"] | seen.get("watched", set()) | seen["standardised by"]
        assert not learned & ids["test"]


@pytest.mark.parametrize("engine", ["sequential", "vectorised"])
def test_predictions_of_all_epochs_are_of_tested_clips_and_teach_nothing(spied, engine):
    for _, ids, seen in spied("kfold", "inner_subjects", engine, "record_epochs=true"):
        assert seen["predicted"] == ids["test"]
        assert seen["fit"] == seen["standardised by"] == ids["train"]
        assert seen["watched"] == ids["val"]


@pytest.mark.parametrize("engine", ["sequential", "vectorised"])
def test_the_spy_sees_a_leak(spied, engine):
    """Under ``test_fold`` selection looks at the tested clips: a blind spy would pass that too."""
    for _, ids, seen in spied("kfold", "test_fold", engine):
        assert seen["watched"] == ids["test"]
        assert seen["fit"] == ids["train"]


class Fits:
    """Numbers of the clips that scikit-learn's pipelines were given, call by call."""

    def __init__(self, monkeypatch):
        self.fitted, self.predicted = [], []
        watch(monkeypatch, Pipeline, "fit", self._fit)
        watch(monkeypatch, Pipeline, "predict", self._predict)

    def _fit(self, pipeline, x, y):
        self.fitted.append((self._numbers(x), list(y)))

    def _predict(self, pipeline, x):
        self.predicted.append(set(self._numbers(x)))

    @staticmethod
    def _numbers(x):
        return np.rint(np.asarray(x)[:, 0] * 100).astype(int).tolist()


SVM = "{title: svm, classical: {feature: pixels, classifier: linear_svm%s}%s}"
CHOICES = ", choices: {C: [0.01, 1.0, 100.0]}"


def classical(choices="", shuffled=""):
    method = SVM % (choices, shuffled)
    return [f"methods.svm={method}", "rows.0.method=svm"]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_no_classifier_learns_from_a_tested_clip(number, monkeypatch, protocol):
    """C is chosen by validation clips, which are training subjects that are held back."""
    fits = Fits(monkeypatch)
    config = config_of(protocol, "inner_subjects", *classical(CHOICES))
    folder = run_experiment(config, profile="quick", data="synthetic")
    class_of = class_numbers(folder, number)
    parts = parts_of(folder, number)
    assert len(fits.fitted) == 3 * len(parts)
    for index, (fold, ids) in enumerate(parts):
        for clips, labels in fits.fitted[3 * index : 3 * (index + 1)]:
            assert set(clips) == ids["train"], fold.name
            assert list(labels) == [class_of[clip] for clip in clips]
        of_fold = fits.predicted[4 * index : 4 * (index + 1)]
        assert of_fold == [ids["val"]] * 3 + [ids["test"]]
        assert not ids["test"] & (ids["train"] | ids["val"])


@pytest.mark.parametrize("protocol", ["loso", "hde"])
def test_training_subjects_choose_c_where_no_clips_are_held_back(number, monkeypatch, protocol):
    """They are left out by turns, in three parts; then all training clips are fitted."""
    fits = Fits(monkeypatch)
    config = config_of(protocol, "last_epoch", *classical(CHOICES))
    folder = run_experiment(config, profile="quick", data="synthetic")
    subject_of = {n: sample.rsplit("/", 1)[0] for sample, n in number.items()}
    for _, ids in parts_of(folder, number):
        # Three values of C are tried, in three parts of the training subjects each.
        of_fold, fits.fitted = fits.fitted[:10], fits.fitted[10:]
        answers, fits.predicted = fits.predicted[:10], fits.predicted[10:]
        assert set(of_fold[-1][0]) == ids["train"]
        assert answers[-1] == ids["test"]
        for (clips, _), left_out in zip(of_fold[:-1], answers[:-1], strict=True):
            assert set(clips) | left_out == ids["train"]
            people = {subject_of[clip] for clip in clips}
            assert not people & {subject_of[clip] for clip in left_out}


def class_numbers(folder, number):
    """Class number by the number that a clip bears."""
    classes = folder.manifest()["classes"]
    emotions = {n: EMOTIONS[int(sample[-1])] for sample, n in number.items()}
    return {n: classes.index(CLASS_OF.get(name, name)) for n, name in emotions.items()}


def test_the_spy_sees_a_classifier_that_chooses_by_tested_clips(number, monkeypatch):
    fits = Fits(monkeypatch)
    config = config_of("kfold", "test_fold", *classical(CHOICES))
    folder = run_experiment(config, profile="quick", data="synthetic")
    for index, (_, ids) in enumerate(parts_of(folder, number)):
        assert fits.predicted[4 * index : 4 * index + 4] == [ids["test"]] * 4


def test_c_is_that_which_validation_clips_prefer(number):
    """Whatever the tested clips would have preferred."""
    config = config_of("kfold", "inner_subjects", *classical(CHOICES))
    folder = run_experiment(config, profile="quick", data="synthetic")
    class_of = class_numbers(folder, number)
    (units,) = units_of(folder.manifest(), folder.folds()).values()

    def data(ids):
        numbers = [number[i] for i in ids]
        pixels = np.repeat(np.array(numbers, "float32")[:, None] / 100, SIDE * SIDE * 3, 1)
        return pixels, [class_of[n] for n in numbers]

    for unit, fold in zip(units, folder.folds().folds, strict=True):
        scores = {}
        for c in (0.01, 1.0, 100.0):
            svm = SVC(kernel="linear", C=c, class_weight="balanced")
            model = make_pipeline(StandardScaler(), svm).fit(*data(fold.train))
            x, y = data(fold.val)
            scores[c] = f1_score(
                y, model.predict(x), labels=[0, 1, 2], average="macro", zero_division=0
            )
        assert folder.record(unit)["chosen"] == {"C": max(scores, key=scores.get)}
        assert set(folder.predictions([unit])["selection"]) == {"inner_subjects"}


@pytest.mark.parametrize("protocol", ["loso", "as_published"])
def test_shuffled_labels_are_those_of_training_clips_alone(number, monkeypatch, protocol):
    fits = Fits(monkeypatch)
    config = config_of(protocol, "inner_subjects", *classical(shuffled=", shuffled_labels: true"))
    folder = run_experiment(config, profile="quick", data="synthetic")
    class_of, moved = class_numbers(folder, number), 0
    for (_, ids), (clips, labels) in zip(parts_of(folder, number), fits.fitted, strict=True):
        assert set(clips) == ids["train"]
        own = [class_of[clip] for clip in clips]
        assert sorted(labels) == sorted(own), "a permutation"
        moved += list(labels) != own
    assert moved


@pytest.mark.parametrize("strategy", ["most_frequent", "stratified"])
@pytest.mark.parametrize("protocol", ["loso", "as_published"])
def test_chance_knows_training_labels_alone(number, monkeypatch, strategy, protocol):
    counted = []
    watch(monkeypatch, DummyClassifier, "fit", lambda self, x, y: counted.append((x, list(y))))
    method = f"methods.guess={{title: guess, chance: {{strategy: {strategy}}}}}"
    config = config_of(protocol, "inner_subjects", method, "rows.0.method=guess")
    folder = run_experiment(config, profile="quick", data="synthetic")
    class_of = class_numbers(folder, number)
    for (_, ids), (x, labels) in zip(parts_of(folder, number), counted, strict=True):
        assert not np.any(x), "no clip is looked at"
        assert sorted(labels) == sorted(class_of[clip] for clip in ids["train"])


def test_every_kind_of_method_is_spied_on_above():
    """A new kind needs a test here."""
    from mer_keras.config.method import MethodConfig

    kinds = {"network", "classical", "chance"}
    others = {"title", "paper", "about", "input", "inputs", "train", "missing", "claims", "facts"}
    assert set(MethodConfig.model_fields) == kinds | others | {"shuffled_labels"}


def test_augmentation_changes_training_clips_only():
    layer = ClipAugmentation({"flip": 0.5, "brightness": 0.1, "salt_pepper": 0.1})
    clips = np.random.default_rng(0).random((4, 3, 8, 8, 1)).astype("float32")
    still = partial(layer, clips, apply=np.ones(4, "float32"))
    np.testing.assert_array_equal(still(training=False), clips)
    assert np.any(np.array(still(training=True)) != clips)
