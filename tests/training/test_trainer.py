"""Training of one fold: fresh state, selection, determinism, failure."""

from dataclasses import replace

import numpy as np
import pytest

keras = pytest.importorskip("keras")
from mer_keras.config.training import Train  # noqa: E402
from mer_keras.terms import Selection  # noqa: E402
from mer_keras.training.fold import FoldData, FoldFailedError  # noqa: E402
from mer_keras.training.trainer import Trainer  # noqa: E402


def build():
    clips = keras.Input((4, 6, 6, 1), name="clip")
    x = keras.layers.Flatten(name="flatten")(clips)
    x = keras.layers.Dense(8, activation="relu", name="hidden")(x)
    x = keras.layers.Dropout(0.3, name="dropout")(x)
    x = keras.layers.BatchNormalization(name="norm")(x)
    return keras.Model(clips, keras.layers.Dense(2, activation="softmax", name="out")(x))


def recipe(**changes):
    base = {"optimizer": {"learning_rate": 0.01}, "epochs": 4, "batch_size": 8}
    return Train.model_validate(base | changes)


AUGMENTED = recipe(
    augmentation={"flip": 0.5, "brightness": 0.1, "salt_pepper": 0.02}, standardise=True
)


def data(seed=0, train=20, test=6):
    rng = np.random.default_rng(seed)

    def part(n):
        labels = np.arange(n, dtype="int32") % 2
        clips = rng.random((n, 4, 6, 6, 1)).astype("float32") * 0.5
        clips[labels == 1, 2] += 0.4
        return clips, labels

    (x, y), (v, w), (t, _) = part(train), part(8), part(test)
    return FoldData(x, y, np.arange(train) >= train // 2, v, w, t)


@pytest.mark.parametrize("settings", [recipe(), AUGMENTED], ids=["plain", "augmented"])
@pytest.mark.parametrize("selection", [Selection.LAST_EPOCH, Selection.INNER_SUBJECTS])
def test_a_reused_network_gives_what_a_new_one_gives(settings, selection):
    fold, other = data(1), data(2, train=33)
    alone = Trainer(build, settings).fit_predict(fold, selection, seed=7)
    trainer = Trainer(build, settings)
    trainer.fit_predict(other, selection, seed=3)
    after = trainer.fit_predict(fold, selection, seed=7)
    np.testing.assert_array_equal(after.probabilities, alone.probabilities)
    assert after.history == alone.history
    assert after.epoch == alone.epoch


def test_seeds_differ_and_nothing_carries_over():
    trainer = Trainer(build, recipe())
    trainer.reset(1)
    first = [np.array(v) for v in trainer.network.weights]
    trainer.fit_predict(data(), Selection.LAST_EPOCH, seed=2)
    trainer.reset(1)
    for variable, value in zip(trainer.network.weights, first, strict=True):
        np.testing.assert_array_equal(variable, value)
    trainer.reset(2)
    assert any(
        np.any(np.array(v) != f) for v, f in zip(trainer.network.weights, first, strict=True)
    )


def test_learning_rate_starts_anew_in_each_fold():
    settings = recipe(epochs=6, plateau={"factor": 0.1, "patience": 1})
    trainer = Trainer(build, settings)
    for seed in (1, 2):
        history = trainer.fit_predict(data(), Selection.INNER_SUBJECTS, seed).history
        assert history["learning_rate"][0] == pytest.approx(0.01)


@pytest.mark.parametrize("selection", [Selection.INNER_SUBJECTS, Selection.TEST_FOLD])
def test_the_best_watched_epoch_predicts(selection):
    settings = recipe(epochs=8, early_stopping={"patience": 2}, optimizer={"learning_rate": 0.3})
    trainer = Trainer(build, settings)
    fold = data()
    outcome = trainer.fit_predict(fold, selection, seed=5)
    watched = outcome.history["val_loss"]
    assert outcome.epoch == int(np.argmin(watched)) + 1
    probabilities = trainer.predict(fold.x_val)
    loss = -np.log(probabilities[np.arange(8), fold.y_val]).mean()
    assert loss == pytest.approx(min(watched), rel=1e-3)


def test_last_epoch_looks_at_nothing():
    settings = recipe(plateau={"factor": 0.5, "patience": 1}, early_stopping={"patience": 1})
    outcome = Trainer(build, settings).fit_predict(data(), Selection.LAST_EPOCH, seed=5)
    assert outcome.epoch == 4
    assert set(outcome.history) == {"loss", "accuracy"}


def test_fit_never_sees_test_clips(monkeypatch):
    seen = []
    real = keras.Model.fit

    def spy(self, x=None, y=None, **rest):
        if not isinstance(x, dict):
            for inputs, _ in x:
                seen.append(np.asarray(inputs["clip"]))
        else:
            seen.append(np.asarray(x["clip"]))
        if rest.get("validation_data"):
            seen.append(np.asarray(rest["validation_data"][0]["clip"]))
        return real(self, x, y, **rest)

    monkeypatch.setattr(keras.Model, "fit", spy)
    fold = data()
    tested = {clip.tobytes() for clip in fold.x_test}
    for selection in (Selection.INNER_SUBJECTS, Selection.LAST_EPOCH):
        seen.clear()
        Trainer(build, recipe()).fit_predict(fold, selection, seed=1)
        assert seen
        assert not tested & {clip.tobytes() for batch in seen for clip in batch}


def test_only_copies_are_changed(monkeypatch):
    trainer = Trainer(build, AUGMENTED)
    trainer.reset(0)
    fold = data()
    layer = trainer._model.get_layer("augmentation")
    flags = fold.is_copy.astype("float32")
    out = np.asarray(layer(fold.x_train, apply=flags, training=True))
    changed = np.any(out != fold.x_train, axis=(1, 2, 3, 4))
    assert changed[fold.is_copy].any()
    assert not changed[~fold.is_copy].any()


def test_statistics_come_from_original_training_clips_only():
    fold = data()
    trainer = Trainer(build, AUGMENTED)
    trainer.fit_predict(fold, Selection.LAST_EPOCH, seed=1)
    layer = trainer._model.get_layer("standardise")
    frames = fold.x_train[~fold.is_copy].reshape(-1, 6, 6, 1)
    np.testing.assert_allclose(layer.mean, frames.mean(axis=0), atol=1e-6)
    assert float(layer.scale) == pytest.approx((frames - frames.mean(axis=0)).std(), rel=1e-5)
    out = np.asarray(layer(fold.x_train[~fold.is_copy]))
    assert out.mean() == pytest.approx(0, abs=1e-4)
    assert out.std() == pytest.approx(1, rel=1e-3)
    poisoned = FoldData(
        fold.x_train, fold.y_train, fold.is_copy, fold.x_val, fold.y_val, fold.x_test + 100
    )
    trainer.fit_predict(poisoned, Selection.LAST_EPOCH, seed=1)
    np.testing.assert_allclose(layer.mean, frames.mean(axis=0), atol=1e-6)


def test_every_training_clip_is_seen_once_an_epoch():
    from mer_keras.training.dataset import training_input

    inputs = {"clip": np.arange(10, dtype="float32")[:, None]}
    given = training_input(inputs, np.arange(10, dtype="int32"), batch_size=4, seed=1)
    if keras.backend.backend() != "tensorflow":
        assert given["shuffle"] is True
        return
    epochs = []
    for _ in range(2):
        parts = [(np.asarray(x["clip"])[:, 0], np.asarray(y)) for x, y in given["x"]]
        assert [len(x) for x, _ in parts] == [4, 4, 2]
        values = np.concatenate([x for x, _ in parts])
        np.testing.assert_array_equal(values, np.concatenate([y for _, y in parts]))
        assert sorted(values) == list(range(10))
        epochs.append(list(values))
    assert epochs[0] != epochs[1]


def test_by_class_every_epoch_has_the_same_batches_class_after_class():
    from mer_keras.training.dataset import training_input

    fold = data(4, train=11)
    seen = []
    original = training_input

    def watched(inputs, labels, **options):
        seen.append((inputs["clip"], labels, options["shuffle"]))
        return original(inputs, labels, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mer_keras.training.trainer.training_input", watched)
        trainer = Trainer(build, recipe(order="by_class"))
        trainer.fit_predict(fold, Selection.LAST_EPOCH, seed=7)
    ((clips, labels, shuffle),) = seen
    assert not shuffle
    assert labels.tolist() == sorted(fold.y_train.tolist())
    order = np.argsort(fold.y_train, kind="stable")
    np.testing.assert_array_equal(clips, fold.x_train[order])


def test_without_shuffling_batches_are_cut_in_order():
    from mer_keras.training.dataset import training_input

    if keras.backend.backend() != "tensorflow":
        pytest.skip("on other backends Keras cuts the batches")
    numbers = np.arange(10, dtype="float32")[:, None]
    labels = np.arange(10, dtype="int32")
    given = training_input({"clip": numbers}, labels, batch_size=4, seed=0, shuffle=False)
    for _ in range(2):
        batches = [y.numpy().tolist() for _, y in given["x"]]
        assert batches == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_a_loss_that_is_not_finite_fails_the_fold():
    fold = data()
    fold.x_train[0] = np.nan
    trainer = Trainer(build, recipe())
    with pytest.raises(FoldFailedError, match="learning_rate"):
        trainer.fit_predict(fold, Selection.LAST_EPOCH, seed=1)
    good = trainer.fit_predict(data(), Selection.LAST_EPOCH, seed=1)
    assert np.isfinite(good.probabilities).all()


def test_progress_is_told():
    told = []
    Trainer(build, recipe()).fit_predict(
        data(), Selection.LAST_EPOCH, seed=1, on_epoch=lambda *step: told.append(step)
    )
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


@pytest.mark.skipif(keras.backend.backend() == "torch", reason="torch traces nothing")
def test_the_graph_of_a_step_is_traced_once(monkeypatch):
    """Tracing takes most of the first step of a deep network."""
    real, calls = keras.Model.train_step, []

    def count(self, *args):
        calls.append(1)
        return real(self, *args)

    monkeypatch.setattr(keras.Model, "train_step", count)
    trainer = Trainer(build, AUGMENTED)
    for seed in (1, 2):
        trainer.fit_predict(data(), Selection.INNER_SUBJECTS, seed)
    # whole batches of 8, and the rest of 4
    assert len(calls) <= 2


def test_a_start_is_given_before_every_fold():
    given = []

    def start(network):
        given.append(np.array(network.get_layer("hidden").kernel))
        network.get_layer("hidden").kernel.assign(given[0] * 0 + 0.5)

    trainer = Trainer(build, recipe(epochs=1, optimizer={"learning_rate": 1e-12}), start)
    for seed in (1, 2):
        trainer.fit_predict(data(), Selection.LAST_EPOCH, seed)
        np.testing.assert_allclose(trainer.network.get_layer("hidden").kernel, 0.5, atol=1e-6)
    assert np.any(given[0] != given[1])
    assert 0.5 not in given[1]


@pytest.mark.parametrize("monitor", ["loss", "accuracy"])
def test_what_is_monitored_chooses_the_epoch(monitor):
    settings = recipe(epochs=8, early_stopping={"patience": 8, "monitor": monitor})
    outcome = Trainer(build, settings).fit_predict(data(), Selection.INNER_SUBJECTS, 3)
    curve = np.array(outcome.history[f"val_{monitor}"])
    best = curve.argmax() if monitor == "accuracy" else curve.argmin()
    assert outcome.epoch == best + 1


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ({"step_decay": {"factor": 0.1, "every": 2}}, [0.01, 0.01, 0.001, 0.001]),
        ({"cosine": {"to": 0.0}}, [0.01, 0.0085355, 0.005, 0.0014645]),
    ],
)
def test_schedules_reach_the_optimiser_in_every_fold(schedule, expected):
    trainer = Trainer(build, recipe(**schedule))
    for seed in (1, 2):
        history = trainer.fit_predict(data(), Selection.LAST_EPOCH, seed).history
        np.testing.assert_allclose(history["learning_rate"], expected, rtol=1e-4)


def test_kernels_are_drawn_anew_in_every_fold():
    trainer = Trainer(build, recipe(initializer="he_uniform"))
    kernels = []
    for seed in (1, 1, 2):
        trainer.reset(seed)
        kernels.append(np.array(trainer.network.get_layer("hidden").kernel))
    bound = (6 / kernels[0].shape[0]) ** 0.5
    assert 0.9 * bound < np.abs(kernels[0]).max() <= bound
    np.testing.assert_array_equal(kernels[0], kernels[1])
    assert np.any(kernels[0] != kernels[2])


@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_other_optimisers_are_reset_too(name):
    optimizer = {"name": "sgd", "learning_rate": 0.01, "momentum": 0.9, "weight_decay": 1e-3}
    if name == "adam":
        optimizer = {"learning_rate": 0.01, "warmup": "linear"}
    settings = recipe(optimizer=optimizer)
    alone = Trainer(build, settings).fit_predict(data(1), Selection.LAST_EPOCH, 5)
    trainer = Trainer(build, settings)
    trainer.fit_predict(data(2), Selection.LAST_EPOCH, 4)
    again = trainer.fit_predict(data(1), Selection.LAST_EPOCH, 5)
    np.testing.assert_array_equal(again.probabilities, alone.probabilities)


@pytest.mark.parametrize("copies", [0, 5])
def test_copies_are_tested_beside_the_clips(copies):
    """None, where a fold holds clips of the largest class only."""
    trainer = Trainer(build, recipe(augmentation={"flip": 0.5, "brightness": 0.4}))
    given = replace(data(), x_copies=data().x_test[:copies])
    outcome = trainer.fit_predict(given, Selection.LAST_EPOCH, 0)
    assert outcome.copies.shape == (copies, outcome.probabilities.shape[1])
    if copies:
        assert np.any(outcome.copies != outcome.probabilities[:copies])
