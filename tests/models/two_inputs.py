"""A network with two inputs, as somebody may add one: apex flow and the clip's frames."""

import keras
from keras import layers

from mer_keras.models.specs import ModelSpec

SHAPES = ((6, 6, 3), (4, 6, 6, 1))


def build(input_shape=SHAPES, classes=3, *, filters=2):
    flow_shape, clip_shape = input_shape
    flow, clips = keras.Input(flow_shape, name="flow"), keras.Input(clip_shape, name="clips")
    flow_features = layers.Conv2D(filters, 3, name="flow_convolution")(flow)
    clip_features = layers.Conv3D(filters, 3, name="clip_convolution")(clips)
    joined = layers.Concatenate(name="joined")(
        [
            layers.GlobalAveragePooling2D(name="flow_mean")(flow_features),
            layers.GlobalAveragePooling3D(name="clip_mean")(clip_features),
        ]
    )
    outputs = layers.Dense(classes, activation="softmax", name="classes")(joined)
    return keras.Model([flow, clips], outputs, name="two_inputs")


SPEC = ModelSpec(
    name="two_inputs",
    title="two streams",
    paper="nobody, tests 2026",
    builder="tests.models.two_inputs:build",
    input_shape=SHAPES,
    classes=3,
    published_parameters=None,
    built_parameters=(27 * 2 + 2) + (27 * 2 + 2) + (4 * 3 + 3),
    trainable_parameters=127,
    # 4 x 4 and 2 x 4 x 4 positions, each with two filters of 27 weights; then a matrix
    multiply_accumulates=16 * 27 * 2 + 32 * 27 * 2 + 4 * 3,
    activations=(108 + 144) + (32 + 64) + (2 + 2) + 4 + 3,
    leaves_open="nothing",
    inputs=("flow", "clips"),
)
