"""Inputs that are small enough for tests, and weights and inputs that need no random numbers."""

import numpy as np
import pytest

from mer_keras.arrays import each_shape
from mer_keras.models import registry

SHAPES = {
    "shallow_convlstm": (3, 12, 12, 1),
    "shallow_attention_conv3d": (7, 21, 21, 1),
    "shallow_attention_conv2d": (5, 12, 12, 1),
    "shallow_attention_convlstm": (3, 12, 12, 1),
    "resnet10": (40, 40, 1),
    "micro_attention": (40, 40, 1),
    "complex_attention": (40, 40, 1),
    "resnet3d_18": (4, 24, 24, 3),
    "meranet": (4, 24, 24, 3),
    "dense_mixed_attention": (32, 32, 3),
    "ststnet": (28, 28, 3),
    "off_apexnet": (28, 28, 3),
    "dual_inception": (28, 28, 3),
    "rcn": (28, 28, 3),
    "htnet": (28, 28, 3),
    "causalnet": ((28, 28, 3),) * 4,
    "causalnet_onset_apex": (28, 28, 3),
    "off_tanet": (32, 32, 3),
    "macnn": (32, 32, 3),
    "sssnet": (40, 40, 3),
    "capsulenet": (28, 28, 3),
    "sssn": (63, 63, 3),
    "dssn": ((63, 63, 3),) * 2,
    "dssn_flow": (63, 63, 3),
    "learnet": (64, 64, 3),
    "microexp_stcnn": (9, 16, 16, 1),
    "microexp_fusenet": ((9, 16, 16, 1),) * 2,
    "microexp_fusenet_late": ((9, 16, 16, 1),) * 2,
    "alexnet": (67, 67, 3),
    "alexnet_lstm": (3, 67, 67, 3),
    "vgg16": (32, 32, 3),
    "googlenet": (64, 64, 3),
    "elrcn": (3, 32, 32, 4),
    "elrcn_te": ((3, 32, 32, 3),) * 2,
    "dtscnn": ((64, 32, 32, 3),) * 2,
    "strcn": (32, 32, 2),
    "emr": (40, 40, 3),
    "icegan_discriminator": (32, 32, 1),
}

_ALEXNET = {"maps": (8, 16, 16, 16, 16), "units": 32, "means": (0.5,) * 3, "scale": 1.0}
_ELRCN = {"maps": (8, 8, 16, 16, 16), "units": 64, "lstm_units": 32, "hidden": 32}
_ELRCN |= {"scale": 4.0, "drop": 0.0}

#: Arguments that make large networks narrow, and have them read clips in 0..1 as they are.
ARGUMENTS = {
    "off_apexnet": {"scale": 1.0},
    "dual_inception": {"scale": 1.0, "units": 64},
    "rcn": {"scale": 1.0, "maps": 16, "pool": 5},
    "htnet": {"dim": 24, "repeats": (1, 2, 1)},
    "causalnet": {"dim": 24, "repeats": (1, 1, 1), "units": 64},
    "causalnet_onset_apex": {"dim": 24, "repeats": (1, 1, 1), "units": 64},
    "macnn": {"units": 32},
    "sssnet": {"scale": 1.0, "widths": (8, 16, 32)},
    "capsulenet": {"trunk": "none", "maps": 16},
    "sssn": {"maps": (8, 16), "means": (0.5,) * 3, "scale": 1.0},
    "dssn": {"maps": (8, 16), "means": (0.5,) * 3, "scale": 4.0},
    "dssn_flow": {"maps": (8, 16), "means": (0.5,) * 3, "scale": 4.0},
    "learnet": {"units": 32},
    "microexp_stcnn": {"maps": 8, "duration": 5, "units": 16},
    "microexp_fusenet": {"maps": 4, "duration": 5, "units": (32, 16)},
    "microexp_fusenet_late": {"maps": 4, "duration": 5, "units": (32, 16)},
    "alexnet": _ALEXNET,
    "alexnet_lstm": {**_ALEXNET, "lstm_units": 16, "scale": 4.0, "drop": 0.1},
    "vgg16": {"maps": (8, 8, 16, 16, 16), "units": 32, "scale": 1.0, "drop": 0.1},
    "googlenet": {"shrink": 8, "scale": 4.0},
    "elrcn": _ELRCN,
    "elrcn_te": _ELRCN,
    "dtscnn": {"units": (32, 16), "scale": 4.0},
    "strcn": {"maps": 8, "pools": (2, 2, 2, 2), "scale": 0.01},
    "emr": {"shrink": 8, "units": 16, "scale": 1.0, "offset": 0.0},
    "icegan_discriminator": {"shrink": 8, "width": 8, "scale": 100.0},
}


#: Weights that change no output: what they add to all channels alike is taken away by each norm
#: behind them.
WITHOUT_EFFECT = (
    "level2_positions/positions",
    "flow_level2_positions/positions",
)

#: Networks whose general tests take seconds each; ``make test-long`` runs these.
LONG = {
    "dual_inception",
    "htnet",
    "causalnet",
    "causalnet_onset_apex",
    "off_tanet",
    "macnn",
    "sssnet",
    "capsulenet",
    "sssn",
    "dssn",
    "dssn_flow",
    "microexp_fusenet",
    "microexp_fusenet_late",
    "alexnet",
    "alexnet_lstm",
    "vgg16",
    "googlenet",
    "elrcn",
    "elrcn_te",
    "dtscnn",
    "strcn",
    "emr",
    "icegan_discriminator",
}


def marked(names):
    """Names as parameters of tests, those in ``LONG`` marked as long."""
    return [pytest.param(name, marks=pytest.mark.long) if name in LONG else name for name in names]


def build_small(name, classes=3, shape=None, **arguments):
    """A registered network on clips of its small shape."""
    arguments = ARGUMENTS.get(name, {}) | arguments
    return registry.build(name, shape or SHAPES[name], classes, **arguments)


#: the fractional parts of its multiples fill 0..1 evenly and hit no two filters alike
_STEP = 0.7548776662466927


def ramp(shape):
    """Values in -1..1 that run up, wrap round and run up again."""
    count = int(np.prod(shape))
    return (2 * ((np.arange(count, dtype="float64") * _STEP) % 1) - 1).reshape(shape)


def set_ramp_weights(network):
    """Give a network weights of the size that training starts with, the same on any machine."""
    for variable in network.weights:
        shape = tuple(variable.shape)
        name = variable.path.rsplit("/", 1)[-1]
        if name in ("gamma", "moving_variance"):
            value = 1 + 0.3 * ramp(shape)
        elif len(shape) < 2 or name in ("embedding", "bias", "beta", "moving_mean"):
            value = 0.1 * ramp(shape)
        else:
            # large enough within the network to tell networks apart, small at its end lest one
            # class takes all
            layer = variable.path.split("/")[-2]
            gain = 0.2 if layer in ("classes", "fc", "head") else 6
            if layer.startswith(("cross", "causal")):
                gain = 1  # attention on attention, which would enlarge what is rounded
            value = ramp(shape) * (gain / np.prod(shape[:-1])) ** 0.5
        variable.assign(value.astype("float32"))


def ramp_clips(name):
    """Two clips in 0..1 for a network, in each of its inputs, if there are several."""
    clips = [_ramp_clips(shape) for shape in each_shape(SHAPES[name])]
    return clips if len(clips) > 1 else clips[0]


def _ramp_clips(shape):
    """Bright below, and bright on the right."""
    noise = (ramp((2, *shape)) + 1) / 2
    height, width = shape[-3:-1]
    slopes = np.stack(
        [
            np.broadcast_to(np.linspace(0, 1, height)[:, None], (height, width)),
            np.broadcast_to(np.linspace(0, 1, width) ** 2, (height, width)),
        ]
    )
    slopes = slopes.reshape(2, *(1,) * (len(shape) - 3), height, width, 1)
    return (0.4 * noise + 0.6 * slopes).astype("float32")
