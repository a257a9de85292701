"""Experiments of one row on drawn noise, and bundles made of them without any file of frames."""

import json

import numpy as np

from mer_keras.clips.assemble import ClipArrays
from mer_keras.config.experiment import Experiment
from mer_keras.config.files import load_method
from mer_keras.config.inputs import Clip
from mer_keras.databases.samples import make_samples
from mer_keras.flow_channels import FLOW_CHANNELS, FlowForm
from mer_keras.methods.registry import describe_method, inputs_of
from mer_keras.models.registry import get_spec
from mer_keras.protocols.build import build_folds
from mer_keras.runs.context import RunContext
from tests.models.small import ARGUMENTS, SHAPES

#: Clips of each of three classes, each of another subject.
PER_CLASS = 4
CLASSES = ("positive", "negative", "surprise")
#: Side of the pictures and fields that features are computed of, and of those that need more.
SIDE, LARGER = 32, {"stlbp_ip": 48}


def samples():
    """A samples table of a few clips."""
    return make_samples(
        [
            {
                "database": "samm",
                "subject": f"{number:03}",
                "clip": f"c{number}",
                "path": "nowhere",
                "emotion": "happiness",
                "label": CLASSES[number % 3],
                "onset": 10,
                "apex": 20,
                "offset": 29 + number,
                "fps": 100.0 + number,
                "data_kind": "synthetic",
            }
            for number in range(3 * PER_CLASS)
        ],
        source="drawn",
    )


def recipe_of(shape):
    """A clip recipe for clips of a shape."""
    *frames, side, _, channels = shape
    count = frames[0] if frames else 1
    if channels not in (1, 3):
        flow = {"output": "picture", "channels": ["u", "v", "magnitude", "strain"][:channels]}
        sequence = {"kind": "flow"}
        if frames:
            sequence = {"kind": "flow_sequence", "frames": count, "sampling": "interpolated"}
        return {**sequence, "size": side, "flow": flow}
    sampling = "interpolated" if frames else "apex"
    return {
        "kind": "frames",
        "frames": count,
        "size": side,
        "channels": channels,
        "sampling": sampling,
    }


def recipes_of(method):
    """Small clip recipes by the names of the inputs that a method reads."""
    config = describe_method(method)
    if config.network is not None:
        model = config.network.model
        shapes = SHAPES[model]
        names = config.input or get_spec(model).inputs
        names = (names,) if isinstance(names, str) else names
        shapes = shapes if isinstance(shapes[0], tuple) else (shapes,)
        return dict(zip(names, map(recipe_of, shapes), strict=True))
    names = config.input or "clips"
    names = (names,) if isinstance(names, str) else names
    default = {"kind": "flow", "size": SIDE, "flow": {"output": "field"}}
    recipes = {
        name: config.inputs[name].model_dump(mode="json") if name in config.inputs else default
        for name in names
    }
    return {name: {**recipe, "size": LARGER.get(method, SIDE)} for name, recipe in recipes.items()}


def experiment(method, **changes):
    """An experiment of one row."""
    described = load_method(method)
    config = describe_method(method)
    arguments = ARGUMENTS.get(config.network.model, {}) if config.network else {}
    # A method's own recipe may change parts of one that isn't here.
    methods = {method: {**described.model_dump(mode="json"), "train": {}}} if described else {}
    return Experiment.model_validate(
        {
            "name": "small/one",
            "data": {"database": "samm", "labels": "samm3"},
            "inputs": recipes_of(method),
            "protocol": {"name": "subject_kfold", "k": 3},
            "selection": "last_epoch",
            "train": {"optimizer": {"learning_rate": 0.01}, "epochs": 1, "batch_size": 6},
            "rows": [{"name": "row", "method": method, "arguments": _as_json(arguments)}],
            "methods": methods,
        }
        | changes
    )


def _as_json(arguments):
    """Arguments as a file of an experiment has them: without tuples."""
    return json.loads(json.dumps(arguments))


def arrays(recipe, seed, count=3 * PER_CLASS):
    """Noise in the form of an input, (clips, ...) float32, whose classes differ in brightness."""
    generator = np.random.default_rng(seed)
    noise = generator.random((count, *recipe.shape)).astype("float32")
    height = recipe.grid[-2]
    for number in range(count):
        rows = slice(number % 3 * height // 3, (number % 3 + 1) * height // 3)
        noise[number, ..., rows, :, :] *= 0.4
    return noise - 0.5 if recipe.kind == "flow" else noise


def context_of(config, **changes):
    """What a run would read, without any file."""
    table = samples()
    clips = {
        name: ClipArrays(
            tuple(table.ids),
            arrays(recipe, seed=number),
            flow=flow_of(recipe) if recipe.kind.startswith("flow") else None,
        )
        for number, (name, recipe) in enumerate(config.inputs.items())
    }
    folds = build_folds(table.table, config.protocol, config.selection)
    return RunContext(config, "quick", table, clips, folds, **changes)


def flow_of(recipe):
    """What the channels of drawn flow are."""
    if recipe.shape[-1] == len(FLOW_CHANNELS):
        return FlowForm(FLOW_CHANNELS, ("negate", "keep", "keep"))
    return FlowForm(recipe.flow.channels, ("unknown",) * recipe.shape[-1])


def new_clips(card, seed=9, count=5):
    """Clips that nobody trained on, by input."""
    return {
        name: arrays(Clip.model_validate(entry.clip), seed + number, count)
        for number, (name, entry) in enumerate(card.inputs.items())
    }


def plan_of(config):
    """The one row of an experiment."""
    (plan,) = config.plans
    assert inputs_of(plan) == tuple(config.inputs)
    return plan
