"""Training of one fold: fresh state, selection, determinism, failure."""

import numpy as np
import pytest

keras = pytest.importorskip("keras")
from mer_keras.training.balance import training_rows  # noqa: E402
from mer_keras.training.dataset import training_input  # noqa: E402
from mer_keras.training.fold import FoldFailedError  # noqa: E402
from mer_keras.training.trainer import Trainer  # noqa: E402
from tests.training.small import AUGMENTED, build, fold, recipe  # noqa: E402


@pytest.mark.parametrize("settings", [recipe(), AUGMENTED], ids=["plain", "augmented"])
@pytest.mark.parametrize("watched", [False, True])
def test_a_reused_network_gives_what_a_new_one_gives(settings, watched):
    clips, others = (fold(1), fold(2, train=33))
    if not watched:
        clips, others = clips.unwatched, others.unwatched
    alone, expected = clips.trained(settings, seed=7)
    trainer = Trainer(build, settings)
    others.fit(trainer, seed=3)
    record = clips.fit(trainer, seed=7)
    np.testing.assert_array_equal(trainer.predict(clips.tested), expected)
    assert record.history == alone.history
    assert record.epoch == alone.epoch


def test_seeds_differ_and_nothing_carries_over():
    trainer = Trainer(build, recipe())
    trainer.reset(1)
    first = [np.array(v) for v in trainer.network.weights]
    fold().unwatched.fit(trainer, seed=2)
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
        history = fold().fit(trainer, seed).history
        assert history["learning_rate"][0] == pytest.approx(0.01)


def test_the_best_watched_epoch_predicts():
    settings = recipe(epochs=8, early_stopping={"patience": 2}, optimizer={"learning_rate": 0.3})
    trainer = Trainer(build, settings)
    clips = fold()
    record = clips.fit(trainer, seed=5)
    losses = record.history["val_loss"]
    assert record.epoch == int(np.argmin(losses)) + 1
    watched, labels = clips.watched
    probabilities = trainer.predict(watched)
    loss = -np.log(probabilities[np.arange(8), labels]).mean()
    assert loss == pytest.approx(min(losses), rel=1e-3)


def test_without_watched_clips_the_last_epoch_is_kept():
    settings = recipe(plateau={"factor": 0.5, "patience": 1}, early_stopping={"patience": 1})
    record, _ = fold().unwatched.trained(settings, seed=5)
    assert record.epoch == 4
    assert set(record.history) == {"loss", "accuracy"}


@pytest.mark.parametrize("monitor", ["loss", "accuracy"])
def test_the_epoch_kept_is_the_best_of_the_curve(monitor):
    settings = recipe(epochs=12, early_stopping={"patience": 12, "monitor": monitor})
    record, _ = fold().trained(settings, seed=3)
    curve = np.array(record.history[f"val_{monitor}"])
    best = curve.argmax() if monitor == "accuracy" else curve.argmin()
    assert record.epoch == best + 1


def test_only_training_clips_and_watched_clips_reach_keras(monkeypatch):
    seen = []
    real = keras.Model.fit

    def spy(self, x=None, y=None, **rest):
        batches = [(x, y)] if isinstance(x, dict) else x
        seen.extend(clip.tobytes() for inputs, _ in batches for clip in np.asarray(inputs["clip"]))
        if rest.get("validation_data"):
            seen.extend(clip.tobytes() for clip in rest["validation_data"][0]["clip"])
        return real(self, x, y, **rest)

    monkeypatch.setattr(keras.Model, "fit", spy)
    clips = fold()
    for training in (clips, clips.unwatched):
        seen.clear()
        training.fit(Trainer(build, recipe(balance="oversample")), seed=1)
        watched = training.watched[0] if training.watched else []
        assert set(seen) == {clip.tobytes() for clip in [*clips.x, *watched]}


def test_only_copies_are_changed():
    trainer = Trainer(build, AUGMENTED)
    trainer.reset(0)
    clips = fold().x
    is_copy = np.arange(len(clips)) >= 12
    layer = trainer.model.get_layer("augmentation")
    augmented = np.asarray(layer(clips, apply=is_copy.astype("float32"), training=True))
    changed = np.any(augmented != clips, axis=(1, 2, 3, 4))
    assert changed[is_copy].any()
    assert not changed[~is_copy].any()


def test_statistics_come_from_training_clips_each_once():
    clips = fold()
    trainer = Trainer(build, AUGMENTED)
    clips.unwatched.fit(trainer, seed=1)
    layer = trainer.model.get_layer("standardise")
    frames = clips.x.reshape(-1, 6, 6, 1)
    np.testing.assert_allclose(layer.mean, frames.mean(axis=0), atol=1e-6)
    assert float(layer.scale) == pytest.approx((frames - frames.mean(axis=0)).std(), rel=1e-5)
    standardised = trainer.network_input(clips.x)
    assert standardised.mean() == pytest.approx(0, abs=1e-4)
    assert standardised.std() == pytest.approx(1, rel=1e-3)


def test_every_training_clip_is_seen_once_an_epoch():
    inputs = {"clip": np.arange(10, dtype="float32")[:, None]}
    arguments = training_input(inputs, np.arange(10, dtype="int32"), batch_size=4, seed=1)
    if keras.backend.backend() != "tensorflow":
        assert arguments["shuffle"] is True
        return
    epochs = []
    for _ in range(2):
        parts = [(np.asarray(x["clip"])[:, 0], np.asarray(y)) for x, y in arguments["x"]]
        assert [len(x) for x, _ in parts] == [4, 4, 2]
        values = np.concatenate([x for x, _ in parts])
        np.testing.assert_array_equal(values, np.concatenate([y for _, y in parts]))
        assert sorted(values) == list(range(10))
        epochs.append(list(values))
    assert epochs[0] != epochs[1]


@pytest.mark.parametrize("order", ["shuffled", "by_class"])
def test_copies_and_order_are_those_of_the_recipe(order, monkeypatch):
    clips, calls = fold(4, train=11).unwatched, []

    def spy(inputs, labels, **options):
        calls.append((inputs, labels, options["shuffle"]))
        return training_input(inputs, labels, **options)

    monkeypatch.setattr("mer_keras.training.trainer.training_input", spy)
    settings = recipe(order=order, balance="oversample", augmentation={"flip": 0.5})
    clips.fit(Trainer(build, settings), seed=7)
    rows, is_copy = training_rows(clips.y, settings, seed=7)
    ((inputs, labels, shuffle),) = calls
    assert shuffle == (order == "shuffled")
    assert (np.bincount(labels) == 7).all()
    np.testing.assert_array_equal(labels, clips.y[rows])
    np.testing.assert_array_equal(inputs["clip"], clips.x[rows])
    np.testing.assert_array_equal(inputs["is_copy"], is_copy)


def test_without_shuffling_batches_are_cut_in_order():
    if keras.backend.backend() != "tensorflow":
        pytest.skip("on other backends Keras cuts the batches")
    numbers = np.arange(10, dtype="float32")[:, None]
    labels = np.arange(10, dtype="int32")
    arguments = training_input({"clip": numbers}, labels, batch_size=4, seed=0, shuffle=False)
    for _ in range(2):
        batches = [y.numpy().tolist() for _, y in arguments["x"]]
        assert batches == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_a_loss_that_is_not_finite_fails_the_fold():
    clips = fold().unwatched
    clips.x[0] = np.nan
    trainer = Trainer(build, recipe())
    with pytest.raises(FoldFailedError, match="learning_rate"):
        clips.fit(trainer, seed=1)
    fold().unwatched.fit(trainer, seed=1)
    assert np.isfinite(trainer.predict(fold().tested)).all()


def test_a_prediction_that_is_not_finite_fails_the_fold():
    trainer = Trainer(build, recipe())
    trainer.network.get_layer("out").bias.assign([np.nan, 0])
    with pytest.raises(FoldFailedError, match=r"clip 1 of 6 is not finite"):
        trainer.predict(fold().tested)


def test_progress_is_told():
    steps = []
    trainer = Trainer(build, recipe())
    fold().unwatched.fit(trainer, seed=1, on_epoch=lambda *step: steps.append(step))
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]


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
        fold().fit(trainer, seed)
    # Whole batches of 8 are traced, and the rest of 4.
    assert len(calls) <= 2


def test_a_start_is_given_before_every_fold():
    kernels = []

    def start(network):
        kernels.append(np.array(network.get_layer("hidden").kernel))
        network.get_layer("hidden").kernel.assign(kernels[0] * 0 + 0.5)

    trainer = Trainer(build, recipe(epochs=1, optimizer={"learning_rate": 1e-12}), start)
    for seed in (1, 2):
        fold().unwatched.fit(trainer, seed)
        np.testing.assert_allclose(trainer.network.get_layer("hidden").kernel, 0.5, atol=1e-6)
    assert np.any(kernels[0] != kernels[1])
    assert 0.5 not in kernels[1]


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ({"step_decay": {"factor": 0.1, "every": 2}}, [0.01, 0.01, 0.001, 0.001]),
        ({"cosine": {"final_learning_rate": 0.0}}, [0.01, 0.0085355, 0.005, 0.0014645]),
    ],
)
def test_schedules_reach_the_optimiser_in_every_fold(schedule, expected):
    trainer = Trainer(build, recipe(**schedule))
    for seed in (1, 2):
        history = fold().unwatched.fit(trainer, seed).history
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
    clips = fold(1).unwatched
    _, expected = clips.trained(settings, seed=5)
    trainer = Trainer(build, settings)
    fold(2).unwatched.fit(trainer, seed=4)
    clips.fit(trainer, seed=5)
    np.testing.assert_array_equal(trainer.predict(clips.tested), expected)


@pytest.mark.parametrize("copies", [0, 5])
def test_copies_are_tested_beside_the_clips(copies):
    """A fold that holds clips of the largest class only has none."""
    trainer = Trainer(build, recipe(augmentation={"flip": 0.5, "brightness": 0.4}))
    clips = fold().unwatched
    clips.fit(trainer, seed=0)
    of_copies = trainer.predict_changed(clips.tested[:copies])
    assert of_copies.shape == (copies, 2)
    if copies:
        assert np.any(of_copies != trainer.predict(clips.tested[:copies]))
