"""Speed of hand-crafted features, beside plain Python loops of the same definition."""

from collections.abc import Callable
from functools import partial

import numpy as np

from mer_keras.bench import plain_loops
from mer_keras.bench.case import CaseOptions
from mer_keras.bench.measure import Measurement, time_ways
from mer_keras.features.registry import get_feature

#: Gray clip of most papers' size; a quick session's is smaller, since loops take seconds.
FRAMES, SIDE, QUICK_SIDE = 10, 128, 40

#: What is measured: feature, its arguments, and the plain loop where there is one.
TEXTURES: dict[str, tuple[str, dict[str, object], Callable[..., object] | None]] = {
    "LBP-TOP, radius (1, 1, 4)": (
        "lbp_top",
        {},
        lambda clip: plain_loops.lbp_top(clip, (1, 1, 4), (5, 5, 1)),
    ),
    "LBP-TOP, radius 3, 8x8 blocks": (
        "lbp_top",
        {"radius": (3, 3, 3), "blocks": (8, 8, 1)},
        lambda clip: plain_loops.lbp_top(clip, (3, 3, 3), (8, 8, 1)),
    ),
    "HOG-TOP": ("hog_top", {}, lambda clip: plain_loops.hog_top(clip, (8, 8, 2), equal=False)),
    "HIGO-TOP": ("higo_top", {}, lambda clip: plain_loops.hog_top(clip, (8, 8, 2), equal=True)),
    "LBP-SIP": ("lbp_sip", {}, None),
    "LBP-MOP": ("lbp_mop", {}, None),
    "3D-HOG": ("hog_3d", {}, None),
    "STLBP-IP": ("stlbp_ip", {"blocks": (3, 3)}, None),
    "patterns of STCLQP": ("stclqp", {}, None),
}


def textures(options: CaseOptions) -> list[Measurement]:
    """Features of one gray clip."""
    side = QUICK_SIDE if options.quick else SIDE
    clip = np.random.default_rng(0).integers(0, 256, (FRAMES, side, side)).astype(np.uint8)
    measurements: list[Measurement] = []
    repeats = 3 if options.quick else 20
    for name, (feature, arguments, loop) in TEXTURES.items():
        work = f"{name}, {FRAMES} frames of {side}x{side}"
        if loop is not None:
            plain = {"plain Python loop": partial(loop, clip)}
            measurements += time_ways(work, plain, pieces=1, repeats=1)
        own = {"mer_keras": partial(get_feature(feature), clip, **arguments)}
        measurements += time_ways(work, own, pieces=1, repeats=repeats)
    return measurements
