"""What a rule picks out of a recorded trajectory is what training by that rule gives."""

import numpy as np
import pytest

keras = pytest.importorskip("keras")
from mer_keras.evaluation.epoch_rules import fold_best, last_epoch  # noqa: E402
from mer_keras.training.fold import FoldRows  # noqa: E402
from mer_keras.training.trainer import Trainer  # noqa: E402
from mer_keras.training.vectorised.all_folds import AllFolds  # noqa: E402
from tests.training.small import recipe  # noqa: E402

BACKEND = keras.backend.backend()
EPOCHS, COUNT, TESTED = 12, 40, 10
SETTINGS = {
    "epochs": EPOCHS,
    "batch_size": 16,
    "optimizer": {"learning_rate": 0.05},
    "balance": "oversample",
    "augmentation": {"flip": 0.5},
}
RULES = [
    {"ties": ties, "stop_at": stop_at} for ties in ("first", "latest") for stop_at in (None, 1.0)
]
ENGINES = [
    pytest.param("sequential", id="sequential"),
    pytest.param(
        "vectorised",
        id="vectorised",
        marks=pytest.mark.skipif(BACKEND == "torch", reason="has no stacks"),
    ),
]


def build():
    images = keras.Input((8, 8, 1))
    x = keras.layers.Flatten()(images)
    x = keras.layers.Dense(6, activation="relu")(x)
    x = keras.layers.Dropout(0.3)(x)
    return keras.Model(images, keras.layers.Dense(2, activation="softmax")(x))


@pytest.fixture(scope="module")
def clips():
    rng = np.random.default_rng(4)
    labels = (np.arange(COUNT) % 3 == 1).astype("int32")
    images = rng.random((COUNT, 8, 8, 1)).astype("float32")
    images[labels == 1, 2:5] += 0.25
    return images, labels


def folds_of(*, watch_tested=False, held_back=0, count=COUNT // TESTED):
    """Folds of ten tested clips. These are watched, or so many others, which are held back."""
    folds = []
    for first in range(0, count * TESTED, TESTED):
        test = np.arange(first, first + TESTED)
        others = np.setdiff1d(np.arange(COUNT), test)
        watched = test if watch_tested else others[:held_back]
        folds.append(FoldRows(others[held_back:], watched, test))
    return folds


def trained(engine, clips, *, record_epochs=False, at_once=1, folds=None, **changes):
    """Train all folds; return of each the record or outcome, its probabilities, its trajectory."""
    images, labels = clips
    trainer = Trainer(build, recipe(**SETTINGS, **changes))
    folds = folds or folds_of()
    if engine == "vectorised":
        stacks = AllFolds(trainer, *clips)
        outcomes = []
        for first in range(0, len(folds), at_once):
            seeds = range(first, first + at_once)
            stack = folds[first : first + at_once]
            outcomes += stacks.fit_predict(stack, seeds, record_epochs=record_epochs)
        return [(outcome, outcome.probabilities, outcome.trajectory) for outcome in outcomes]
    results = []
    for seed, fold in enumerate(folds):
        tested, trajectory = images[fold.test], []

        def record(epoch, epochs, tested=tested, trajectory=trajectory):
            trajectory.append(trainer.predict(tested))

        outcome = trainer.fit(
            images[fold.train],
            labels[fold.train],
            validation=(images[fold.val], labels[fold.val]) if len(fold.val) else None,
            seed=seed,
            on_epoch=record if record_epochs else None,
        )
        results.append((outcome, trainer.predict(tested), np.array(trajectory)))
    return results


@pytest.fixture(scope="module")
def recorded(clips):
    """All folds by engine, trained to the last epoch once."""
    engines = ["sequential"] if BACKEND == "torch" else ["sequential", "vectorised"]
    return {engine: trained(engine, clips, record_epochs=True) for engine in engines}


@pytest.mark.parametrize("engine", ENGINES)
def test_recording_disturbs_nothing(engine, clips, recorded):
    for (outcome, probabilities, trajectory), (unrecorded, expected, _) in zip(
        recorded[engine], trained(engine, clips), strict=True
    ):
        np.testing.assert_array_equal(probabilities, expected)
        assert outcome.history == unrecorded.history
        assert outcome.epoch == unrecorded.epoch == EPOCHS
        assert trajectory.shape == (EPOCHS, TESTED, 2)
        assert trajectory.dtype == np.float32
        np.testing.assert_array_equal(trajectory[-1], expected)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("rule", RULES, ids=str)
def test_training_by_a_rule_gives_what_the_rule_picks(engine, rule, clips, recorded):
    trajectories = [trajectory for _, _, trajectory in recorded[engine]]
    folds = folds_of(watch_tested=True)
    labels = [clips[1][fold.test] for fold in folds]
    epochs = fold_best(
        trajectories, labels, ties=rule["ties"], stop_at_perfect=rule["stop_at"] == 1.0
    )
    stopping = {"monitor": "accuracy", "patience": EPOCHS, **rule}
    by_rule = trained(engine, clips, folds=folds, early_stopping=stopping)
    for (outcome, probabilities, _), trajectory, epoch in zip(
        by_rule, trajectories, epochs, strict=True
    ):
        assert outcome.epoch == epoch
        np.testing.assert_array_equal(probabilities, trajectory[epoch - 1])


@pytest.mark.skipif(BACKEND != "tensorflow", reason="others draw other numbers, and may agree")
def test_the_rules_differ_on_these_clips(recorded, clips):
    """Rules that all pick one epoch would be told apart by no test."""
    trajectories = [trajectory for _, _, trajectory in recorded["sequential"]]
    labels = [clips[1][fold.test] for fold in folds_of(watch_tested=True)]
    epochs = [
        tuple(fold_best(trajectories, labels, ties=ties, stop_at_perfect=perfect))
        for ties, perfect in (("first", False), ("latest", False), ("latest", True))
    ]
    assert len({*epochs, tuple(last_epoch(trajectories))}) == 4


@pytest.mark.parametrize("engine", ENGINES)
def test_a_fold_that_ends_has_no_epochs_after_its_end(engine, clips):
    stopping, folds = {"monitor": "accuracy", "patience": 2}, folds_of(watch_tested=True)
    for outcome, _, trajectory in trained(
        engine, clips, record_epochs=True, folds=folds, at_once=2, early_stopping=stopping
    ):
        assert len(trajectory) == len(outcome.history["loss"]) <= EPOCHS


def test_arms_that_are_read_from_one_training_share_its_learning_rates(clips):
    """A plateau watches the held-back clips; no rule that is read from the epochs changes that."""
    folds = folds_of(held_back=6, count=2)
    settings = {"folds": folds, "plateau": {"factor": 0.5, "patience": 1}}
    recorded = trained("sequential", clips, record_epochs=True, **settings)
    chosen = trained("sequential", clips, **settings)
    for (_, _, trajectory), (outcome, probabilities, _) in zip(recorded, chosen, strict=True):
        np.testing.assert_array_equal(probabilities, trajectory[outcome.epoch - 1])
    histories = [outcome.history for outcome, _, _ in recorded]
    assert histories == [outcome.history for outcome, _, _ in chosen]
    rates = [history["learning_rate"] for history in histories]
    assert all(of_fold[-1] < of_fold[0] for of_fold in rates)


def test_a_plateau_rests_where_nothing_is_watched(clips):
    """Such a training has other learning rates than one with held-back clips."""
    folds, plateau = folds_of(count=1), {"factor": 0.5, "patience": 1}
    ((outcome, _, _),) = trained("sequential", clips, folds=folds, plateau=plateau)
    ((plain, _, _),) = trained("sequential", clips, folds=folds)
    assert outcome.history == plain.history
