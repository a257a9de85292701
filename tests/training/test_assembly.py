"""Networks of several inputs, and what stands in front of a network."""

import numpy as np
import pytest

keras = pytest.importorskip("keras")
from mer_keras.errors import ConfigError  # noqa: E402
from mer_keras.flow_channels import FLOW_CHANNELS, FlowForm  # noqa: E402
from mer_keras.layers.dense_block import DenseBlock  # noqa: E402
from mer_keras.layers.directions import DirectionImage  # noqa: E402
from mer_keras.methods.network import NetworkMethod  # noqa: E402
from mer_keras.training.assembly import assemble  # noqa: E402
from mer_keras.training.trainer import Trainer  # noqa: E402
from tests.training.small import build, recipe  # noqa: E402

APEX, FLOW = (6, 6, 1), (6, 6, 2)


def two_streams(first=APEX, second=FLOW):
    inputs = [keras.Input(first), keras.Input(second)]
    streams = [keras.layers.Flatten()(stream) for stream in inputs]
    joined = keras.layers.Concatenate()(streams)
    return keras.Model(inputs, keras.layers.Dense(2, activation="softmax")(joined))


def clips_of(*shapes, count=16):
    rng = np.random.default_rng(0)
    labels = (np.arange(count) % 3 == 1).astype("int32")
    clips = [rng.random((count, *shape)).astype("float32") for shape in shapes]
    clips[-1][labels == 1] += 0.5
    return tuple(clips), labels


@pytest.mark.parametrize("augmented", [False, True])
def test_a_network_of_two_inputs_learns_from_both(augmented):
    settings = recipe(
        balance="oversample",
        standardise=True,
        epochs=30,
        optimizer={"learning_rate": 0.05},
        augmentation={"flip": 0.5} if augmented else None,
    )
    clips, labels = clips_of(APEX, FLOW)
    trainer = Trainer(two_streams, settings)
    record = trainer.fit(clips, labels, validation=(clips, labels), seed=1)
    probabilities = trainer.predict(clips)
    assert probabilities.shape == (16, 2)
    assert (probabilities.argmax(axis=1) == labels).mean() > 0.9
    assert set(trainer.model.input) == {"clip_0", "clip_1"} | ({"is_copy"} if augmented else set())
    assert record.history["val_accuracy"][record.epoch - 1] > 0.9
    again = Trainer(two_streams, settings)
    again.fit(clips, labels, validation=(clips, labels), seed=1)
    np.testing.assert_array_equal(again.predict(clips), probabilities)


def test_each_input_is_standardised_by_itself():
    clips, _ = clips_of(APEX, FLOW)
    trainer = Trainer(two_streams, recipe(standardise=True))
    trainer.standardise_by((clips[0], 100 * clips[1]))
    first, second = trainer.network_input((clips[0], 100 * clips[1]))
    for standardised, shape in ((first, APEX), (second, FLOW)):
        assert standardised.shape == (16, *shape)
        assert standardised.mean() == pytest.approx(0, abs=1e-4)
        assert standardised.std() == pytest.approx(1, rel=1e-3)


def test_one_draw_a_clip_changes_all_its_inputs():
    clips, _ = clips_of(APEX, FLOW, count=40)
    assembly = assemble(two_streams, recipe(augmentation={"flip": 0.5}))
    flipped = [
        np.array([np.array_equal(new, old[:, ::-1]) for new, old in zip(*pair, strict=True)])
        for pair in zip(assembly.changed(clips), clips, strict=True)
    ]
    np.testing.assert_array_equal(flipped[0], flipped[1])
    assert 5 < flipped[0].sum() < 35


SIGNED = FlowForm(FLOW_CHANNELS, ("negate", "keep", "keep"))
DIRECTIONS = FlowForm(("red", "green", "empty"), ("unknown",) * 3)


def test_fault_55_a_flip_turns_the_flow_and_not_the_pictures_beside_it():
    clips, _ = clips_of(APEX, (6, 6, 3), count=30)
    clips = clips[0], clips[1] - 0.5
    flips = recipe(augmentation={"flip": 0.5})
    assembly = assemble(lambda: two_streams(APEX, (6, 6, 3)), flips, [None, SIGNED])
    pictures, flow = assembly.changed(clips)
    flipped = [
        np.array_equal(new, old[:, ::-1]) for new, old in zip(pictures, clips[0], strict=True)
    ]
    assert 5 < sum(flipped) < 25
    mirrored = clips[1][:, :, ::-1] * np.array([-1, 1, 1], "float32")
    for clip, was_flipped in enumerate(flipped):
        np.testing.assert_array_equal(flow[clip], (mirrored if was_flipped else clips[1])[clip])


@pytest.mark.parametrize(
    ("change", "form", "complaint"),
    [
        ({"brightness": 0.1}, SIGNED, "brightness can't be done to optical flow"),
        ({"flip": 0.5, "rotation": 8}, SIGNED, "rotation can't be done to optical flow"),
        ({"salt_pepper": 0.1, "smoothing": 3}, SIGNED, "salt_pepper, smoothing can't be done"),
        ({"flip": 0.5}, DIRECTIONS, "can't be told what a mirrored face would make"),
    ],
)
def test_fault_55_flow_is_not_changed_as_if_it_were_a_picture(change, form, complaint):
    settings = recipe(augmentation=change)
    with pytest.raises(ConfigError, match=complaint):
        NetworkMethod(two_streams, settings, flow=[None, form])
    with pytest.raises(ConfigError, match=complaint):
        assemble(lambda: two_streams(APEX, (6, 6, 3)), settings, [None, form])
    NetworkMethod(two_streams, settings, flow=[None, None])


def coloured():
    """A network that reads directions off flow."""
    flow = keras.Input((6, 6, 3))
    directions = keras.layers.Flatten()(DirectionImage()(flow))
    return keras.Model(flow, keras.layers.Dense(2, activation="softmax")(directions))


@pytest.mark.parametrize("sign", ["negate", "range", "unknown", "standardised"])
def test_directions_are_read_off_bytes_alone(sign):
    stored = FlowForm(FLOW_CHANNELS, ("bytes", "keep", "keep"))
    assert assemble(coloured, recipe(), [stored])
    standardise = sign == "standardised"
    form = stored if standardise else FlowForm(FLOW_CHANNELS, (sign, "keep", "keep"))
    with pytest.raises(ConfigError, match=r"from the bytes, 0\.\.255.*kind: flow_image"):
        assemble(coloured, recipe(standardise=standardise), [form])


def test_inputs_of_different_size_cannot_be_augmented():
    with pytest.raises(ConfigError, match=r"same frames, height and width.*leave it out"):
        assemble(lambda: two_streams(APEX, (8, 8, 1)), recipe(augmentation={"flip": 0.5}))


def test_inputs_of_different_size_can_be_trained():
    clips, labels = clips_of(APEX, (8, 8, 1))
    trainer = Trainer(lambda: two_streams(APEX, (8, 8, 1)), recipe(epochs=1, standardise=True))
    trainer.fit(clips, labels, seed=1)
    assert trainer.predict(clips).shape == (16, 2)


def test_the_moving_statistics_may_follow_faster_than_the_network_says():
    def normed():
        image = keras.Input((8, 8, 1))
        maps = DenseBlock(2, 3, 3, momentum=0.99)(image)
        maps = keras.layers.BatchNormalization(momentum=0.99)(maps)
        return keras.Model(image, keras.layers.Flatten()(maps))

    def momenta(settings):
        network = assemble(normed, settings).network
        return {layer.momentum for layer in network._flatten_layers() if hasattr(layer, "epsilon")}

    assert momenta(recipe()) == {0.99}
    assert momenta(recipe(batch_norm_momentum=0.5)) == {0.5}


def test_another_number_of_inputs_is_refused():
    clips, labels = clips_of(APEX, FLOW)
    with pytest.raises(ConfigError, match=r"2 input.*given as 1"):
        Trainer(two_streams, recipe()).fit(clips[0], labels, seed=1)
    with pytest.raises(ConfigError, match=r"1 input.*given as 2"):
        Trainer(build, recipe()).predict(clips)


def test_clips_of_different_lengths_are_refused():
    clips = [np.zeros((length, 6, 6, 1), "float32") for length in (4, 5)]
    with pytest.raises(ConfigError, match="different lengths"):
        Trainer(build, recipe()).fit(clips, np.array([0, 1], "int32"), seed=1)
