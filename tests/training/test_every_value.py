"""Every allowed value of every config field trains two folds, or is refused with a remedy.

The values come from the schema: all of a choice, both of a switch, the bounds of a number. What is
not trained here stands in ``LEFT`` with its reason; a new field without either fails.
"""

import types
import typing
from copy import deepcopy
from dataclasses import replace
from functools import partial

import cv2
import keras
import numpy as np
import pytest
from keras import layers

from mer_keras.clips.assemble import load_clips
from mer_keras.clips.face_models import has_models
from mer_keras.config.experiment import Experiment
from mer_keras.config.strict import StrictModel
from mer_keras.databases.samples import make_samples
from mer_keras.errors import UserError
from mer_keras.layers.choice import choose
from mer_keras.layers.streams import ConvNormPool
from mer_keras.methods.network import NetworkMethod
from mer_keras.protocols.build import build_folds
from mer_keras.runs.context import RunContext
from mer_keras.training.fold import FoldOutcome

pytestmark = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="on TensorFlow")

BASE = {
    "name": "every/value",
    "data": {"database": ["a", "b"], "labels": "any"},
    "inputs": {"clips": {"kind": "frames", "size": 10, "sampling": "apex"}},
    "protocol": {"name": "subject_kfold", "k": 2, "inner_fraction": 0.4},
    "selection": "inner_subjects",
    "train": {"optimizer": {"learning_rate": 0.01}, "epochs": 2, "batch_size": 4},
    "rows": [{"name": "small"}],
}
#: Fields that no training reads: names and words, published numbers, and other methods.
LEFT = ["name", "paper", "table", "caption", "also_reproduces", "rows", "baselines", "methods"]
LEFT += ["seeds", "not_reproduced", "not_inherited"]
#: How clips of a database are read and drawn: tests of databases, clips and pretraining have these.
LEFT += ["data.database", "data.labels", "data.frame_source", "data.corrections", "stages"]
LEFT += [f"data.synthetic_{name}" for name in ("motion", "clips", "strength")]
#: Of images of flow that a database brings.
LEFT += [f"inputs.clips.{name}" for name in ("resize_to", "image", "channel_order")]

SGD, TIM = (
    {"train.optimizer.name": "sgd"},
    {"inputs.clips.sampling": "tim", "inputs.clips.frames": 4},
)
CLIP = {"inputs.clips.frames": 5, "inputs.clips.sampling": "around_apex"}


def band(low, high):
    """Bounds of what is magnified."""
    names = ("inputs.clips.magnification.low", "inputs.clips.magnification.high")
    return dict(zip(names, (low, high), strict=True))


PYRAMID = {"inputs.clips.magnification.pyramid": "laplacian"}
#: What a value needs beside it: by field, or by field and value.
NEEDS = {
    "train.optimizer.momentum": SGD,
    "train.optimizer.weight_decay": SGD,
    "train.early_stopping.stop_at": {"train.early_stopping.monitor": "accuracy"},
    "inputs.clips.flow.channels": {
        "inputs.clips.kind": "flow",
        "inputs.clips.flow.output": "picture",
        "inputs.clips.frames": 1,
    },
    "train.folds_at_once": {"train.engine": "vectorised"},
    "train.augmentation": {"train.balance": "oversample"},
    "protocol.test_share": {"protocol.name": "as_published", "protocol.k": None},
    "protocol.name=as_published": {"protocol.k": None, "protocol.test_share": 0.4},
    **{f"protocol.name={name}": {"protocol.k": None} for name in ("loso", "cde", "sde", "hde")},
    "inputs.clips.kind=flow": {"inputs.clips.size": 28},
    "inputs.clips.kind=flow_sequence": {
        "inputs.clips.sampling": "interpolated",
        "inputs.clips.flow.output": "field",
    },
    "inputs.clips.flow": {"inputs.clips.kind": "flow", "inputs.clips.size": 28},
    "inputs.clips.interpolation": TIM,
    "inputs.clips.sampling": {"inputs.clips.frames": 5},
    "inputs.clips.sampling=apex": {"inputs.clips.frames": 1},
    "inputs.clips.sampling=last": {"inputs.clips.frames": 1},
    "inputs.clips.sampling=whole": {"inputs.clips.frames": None},
    "inputs.clips.frames": {"inputs.clips.sampling": "interpolated"},
    "inputs.clips.magnification": CLIP,
    "inputs.clips.magnification.wavelength_cutoff": CLIP | PYRAMID,
    "inputs.clips.magnification.outer_levels": CLIP | PYRAMID,
    "inputs.clips.magnification.temporal_filter=iir": CLIP | band(0.1, 0.4),
    "inputs.clips.magnification.high=0.25": CLIP | band(0.1, 0.25),
    "inputs.clips.magnification.fps=0.25": CLIP | band(0.04, 0.1),
    "inputs.clips.magnification.fps=1.25": CLIP | band(0.2, 0.5),
    "inputs.clips.frames=None": {"inputs.clips.sampling": "whole"},
    "protocol.k=None": {"protocol.name": "loso"},
    "protocol.test_share=None": {"protocol.name": "subject_kfold", "protocol.k": 2},
    "inputs.clips.align": {"inputs.clips.crop": "haar"},
    "inputs.clips.align=three_points": {"inputs.clips.crop": "mesh"},
    "data.policies.face": {"inputs.clips.crop": "haar"},
}
#: What stands for a whole part, such as the schedule ``plateau``.
PARTS = {
    "train.plateau": {"factor": 0.5, "patience": 1},
    "train.step_decay": {"factor": 0.5, "every": 1},
    "train.cosine": {},
    "train.early_stopping": {"patience": 1},
    "train.augmentation": {"flip": 0.5},
    "inputs.clips.magnification": {"alpha": 3, "low": 1, "high": 3, "fps": 10},
}
#: Values that are refused, with words of the remedy.
REFUSED = {
    "train.jit_compile=True": "KERAS_BACKEND=jax",
    "selection=external": "set by --weights",
    "inputs.clips.sampling=whole": "different lengths",
    "inputs.clips.frames=None": "different lengths",
    "inputs.clips.kind=flow_image": "flow image",
    "data.policies.face=exclude": "none of 16 clips",
}
if not has_models():
    NO_MODELS = "extra \\[face\\], which isn't installed"
    REFUSED |= {"inputs.clips.crop=mesh": NO_MODELS, "inputs.clips.align=three_points": NO_MODELS}

#: Quick ones that stand for the rest where time is short.
QUICK = (
    "train.precision=mixed_float16", "train.precision=mixed_bfloat16", "train.engine=sequential",
    "train.plateau=part", "train.optimizer.warmup=linear", "train.order=by_class",
    "train.standardise=True", "protocol.name=hde",
)  # fmt: skip


def bounds(metadata):
    """Lowest and highest values that a number may have, a quarter away from open bounds."""
    low, high = 0.0, None
    for bound in metadata:
        low = getattr(bound, "ge", low)
        high = getattr(bound, "le", high)
        if (above := getattr(bound, "gt", None)) is not None:
            low = above + 0.25
        if (below := getattr(bound, "lt", None)) is not None:
            high = below - 0.25
    return low, high


def values_of(annotation, metadata=(), path=""):
    """(path, value) of every value that a type allows; ``part`` stands for a whole part."""
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        yield from values_of(inner[0], inner[1:], path)
    elif origin in (types.UnionType, typing.Union):
        for kind in inner:
            yield from values_of(kind, metadata, path)
    elif origin is typing.Literal:
        yield from ((path, value) for value in inner)
    elif annotation is type(None):
        yield path, None
    elif annotation is bool:
        yield from ((path, value) for value in (True, False))
    elif annotation in (int, float):
        low, high = bounds(metadata)
        yield path, annotation(low)
        yield path, annotation(min(high, low + 1) if high is not None else low + 1)
    elif isinstance(annotation, type) and issubclass(annotation, StrictModel):
        if path in PARTS:
            yield path, "part"
        for name, field in annotation.model_fields.items():
            yield from values_of(field.annotation, field.metadata, f"{path}.{name}".lstrip("."))
    elif isinstance(annotation, type) and issubclass(annotation, str) and annotation is not str:
        yield from ((path, str(value)) for value in annotation)
    elif origin is tuple and path.endswith(".part"):
        yield path, (0.0, 0.5, 0.25, 1.0)
    elif origin is tuple and typing.get_origin(inner[0]) is typing.Literal:
        yield path, typing.get_args(inner[0])
    elif origin is dict and isinstance(inner[1], type) and issubclass(inner[1], StrictModel):
        yield from values_of(inner[1], (), f"{path}.clips")
    else:
        yield path, None if path in LEFT else f"no rule for {annotation}"


def is_left(path):
    return any(path == left or path.startswith(f"{left}.") for left in LEFT)


VALUES = {
    f"{path}={value}": (path, value)
    for path, value in dict.fromkeys(values_of(Experiment))
    if not is_left(path)
}


def put(tree, path, value):
    """Set a value in a nested tree; parts on the way begin as ``PARTS`` says."""
    *parents, name = path.split(".")
    for depth, parent in enumerate(parents):
        if not isinstance(tree.get(parent), dict):
            tree[parent] = dict(PARTS.get(".".join(parents[: depth + 1]), {}))
        tree = tree[parent]
    tree[name] = dict(PARTS[path]) if value == "part" else value


def config_of(path, value):
    """An experiment with one value, and what it needs beside it."""
    tree = deepcopy(BASE)
    parents = [path.rsplit(".", count)[0] for count in range(path.count("."), 0, -1)]
    for key in (*parents, path, f"{path}={value}"):
        for needed, beside in NEEDS.get(key, {}).items():
            put(tree, needed, beside)
    put(tree, path, value)
    return Experiment.model_validate(tree)


def build(shape):
    """A network with statistics over the batch and dropout, for images or clips."""
    clips = keras.Input(shape)
    if len(shape) == 3 and shape[0] % 3 == 1:
        x = choose(ConvNormPool)(4)(clips)
    else:
        convolution = layers.Conv3D if len(shape) == 4 else layers.Conv2D
        x = convolution(4, 3, strides=2, padding="same")(clips)
        x = choose(layers.BatchNormalization)()(x)
    x = choose(layers.Dropout)(0.5)(layers.Flatten()(x))
    return keras.Model(clips, layers.Dense(2, activation="softmax", name="classes")(x))


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    """Sixteen clips of noise, of four people in each of two databases; one class is brighter."""
    folder, rng, rows = tmp_path_factory.mktemp("frames"), np.random.default_rng(0), []
    for number in range(16):
        path = folder / f"clip{number}"
        path.mkdir()
        for frame in range(1, 8):
            picture = rng.integers(0, 100, (30, 30, 3)) + 60 * (number % 2)
            assert cv2.imwrite(str(path / f"img{frame}.png"), picture.astype(np.uint8))
        row = {"database": "ab"[number // 8], "subject": f"{number // 2}", "clip": path.name}
        marks = {"path": str(path), "onset": 1, "apex": 4, "offset": 6 + number % 2, "fps": 10.0}
        emotion = {"emotion": "xy"[number % 2], "data_kind": "synthetic"}
        rows.append(row | marks | emotion)
    samples = make_samples(rows, source="test")
    samples.table["label"] = samples.table["emotion"]
    return samples


def trained(config, samples):
    """Outcomes of two folds."""
    clips = load_clips(samples, config.inputs["clips"], config.data.policies)
    folds = build_folds(samples.table, config.protocol, config.selection)
    context = RunContext(config, "full", samples, {"clips": clips}, folds)
    y = (samples.table["label"] == "y").to_numpy("int32")
    rows = [context.fold_rows(fold.name) for fold in folds.folds[:2]]
    if config.evaluate_augmented:
        rows = [replace(fold, copies=fold.test) for fold in rows]
    shape = clips.arrays[0].shape
    method = NetworkMethod(partial(build, shape), config.train, flow=[clips.flow])
    return rows, method.fit_predict_folds(
        clips.arrays, y, rows, range(len(rows)), record_epochs=config.record_epochs
    )


def check(key, samples):
    path, value = VALUES[key]
    if key in REFUSED:
        with pytest.raises((UserError, ValueError), match=REFUSED[key]):
            trained(config_of(path, value), samples)
        return
    config = config_of(path, value)
    rows, outcomes = trained(config, samples)
    for fold, outcome in zip(rows, outcomes, strict=True):
        assert isinstance(outcome, FoldOutcome), outcome
        assert outcome.probabilities.shape == (len(fold.test), 2)
        np.testing.assert_allclose(outcome.probabilities.sum(axis=1), 1, atol=1e-3)
        assert np.isfinite(outcome.history["loss"]).all()
        assert (outcome.trajectory is not None) == config.record_epochs
        assert (outcome.copies is not None) == config.evaluate_augmented


def test_every_field_has_values_or_a_reason():
    unknown = [key for key in VALUES if "no rule for" in key]
    assert unknown == []
    assert set(QUICK) | set(REFUSED) <= set(VALUES)
    assert {path for path, _ in VALUES.values()} >= {"train.precision", "protocol.name"}


@pytest.mark.slow
@pytest.mark.parametrize("key", QUICK)
def test_fault_63_a_value_trains_two_folds(samples, key):
    check(key, samples)


@pytest.mark.long
@pytest.mark.parametrize("key", [key for key in VALUES if key not in QUICK])
def test_fault_63_every_value_trains_two_folds(samples, key):
    check(key, samples)
