"""Speed of hand-crafted features, beside plain Python loops of the same definition.

Seconds are those of the processor. Loops read nested lists, which is three to five times as fast
as reading single values of an array; features run warm, and with freed memory kept, as in a run.
"""

import os
import time
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from mer_keras.arrays import Array
from mer_keras.bench import flow_like, flow_loops, plain_loops
from mer_keras.bench.case import CaseOptions
from mer_keras.bench.isolation import call_in_process
from mer_keras.bench.loso import run_published
from mer_keras.bench.measure import Measurement, time_ways, timed
from mer_keras.bench.memory import peak_memory
from mer_keras.features.registry import get_feature
from mer_keras.methods.feature_vectors import cached_vectors
from mer_keras.training.memory import keep_freed_memory

#: Gray clip of most papers' size; a quick session's is smaller, since loops take seconds.
FRAMES, SIDE, QUICK_SIDE = 10, 128, 40
#: Clips of a large database.
MANY = 7000

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

#: The same of one flow field.
FLOWS: dict[str, Callable[[flow_loops.FlowField], object]] = {
    "bi_woof": lambda field: flow_loops.bi_woof([field], (5, 5), 8),
    "hoof": lambda field: flow_loops.hoof([field], (5, 5), 8),
    "mbh": lambda field: flow_loops.mbh([field], (5, 5), 8, "concat"),
    "mdmo": lambda field: flow_loops.mdmo(
        [field], flow_loops.grid(len(field[0]), len(field[0][0]), 6, 6), 8
    ),
    "fdm": lambda field: flow_loops.fdm([field], (8, 8), 1, "mean"),
    "fhofo": lambda field: flow_loops.fhofo([field], (5, 5), 8),
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
            measurements += time_ways(work, plain, pieces=1, repeats=1, clock=time.process_time)
        measurements += _time_own(work, partial(get_feature(feature), clip, **arguments), repeats)
    return measurements


def flows(options: CaseOptions) -> list[Measurement]:
    """Features of one flow field."""
    side = QUICK_SIDE if options.quick else SIDE
    field = np.random.default_rng(0).normal(size=(side, side, 2)).astype(np.float32)
    components = field[..., 0].tolist(), field[..., 1].tolist()
    measurements: list[Measurement] = []
    repeats = 1 if options.quick else 5
    for feature, loop in FLOWS.items():
        work = f"{feature}, a flow field of {side}x{side}"
        plain = {"plain Python loop": partial(loop, components)}
        measurements += time_ways(work, plain, pieces=1, repeats=repeats, clock=time.process_time)
        measurements += _time_own(work, partial(get_feature(feature), field), 10 * repeats)
    return measurements


def many_clips(options: CaseOptions) -> list[Measurement]:
    """LBP-TOP of many clips, as a run computes it, on all cores: first computed, then read.

    Clips are noise, drawn one after the other as they are asked for, and no more than a few are in
    memory. Beside the seconds stands by how much memory grew at most, less the
    table of the vectors.
    """
    total, side = (40, QUICK_SIDE) if options.quick else (MANY, SIDE)

    def clips() -> Iterator[Array]:
        for seed in range(total):
            gray = np.frombuffer(np.random.default_rng(seed).bytes(FRAMES * side * side), np.uint8)
            yield gray.reshape(FRAMES, side, side, 1).astype(np.float32) / np.float32(255)

    keep_freed_memory()
    cached_vectors("lbp_top", [next(clips())], 1, {"overlap": 0.5})  # Imports, tables of bins.
    work = f"LBP-TOP of {total} clips of {FRAMES} frames of {side}x{side}, {os.cpu_count()} cores"
    sizes: list[int] = []
    before = peak_memory()
    computed = timed(lambda: sizes.append(cached_vectors("lbp_top", clips(), total, {}).nbytes), 1)
    table = round(sizes[0] / 2**20)
    facts = {"table, MiB": table, "other memory, MiB": max(0, peak_memory() - before - table)}
    read = timed(lambda: cached_vectors("lbp_top", clips(), total, {}), 1)
    return [
        Measurement(work, "computed", computed, total, facts=facts),
        Measurement(work, "read from the cache", read, total),
    ]


def leave_one_out(options: CaseOptions) -> list[Measurement]:
    """Leave-one-subject-out of one feature on 442 drawn images, C chosen in inner folds."""
    subjects = 4 if options.quick else None
    flow_like.write(flow_like.draw(people=subjects), options.folder / "data")
    folds = subjects or sum(flow_like.SUBJECTS.values())
    overrides = ["rows=[{name: MBH, method: mbh_on_scaled_flow}]", "baselines=[]"]
    measurements = []
    for workers in sorted({1, os.cpu_count() or 1}):
        run = partial(
            run_published, "leaderboard/flow_features", options.folder, workers, overrides
        )
        runs = [call_in_process(run) for _ in range(1 if options.quick else options.repeats)]
        measurements.append(
            Measurement(
                f"LOSO of MBH, {folds} folds, C of five by training subjects",
                f"mer_keras, {workers} process{'es' if workers > 1 else ''}",
                tuple(run.seconds for run in runs),
                folds,
                max(run.peak_mib for run in runs),
                {"UF1": round(runs[0].uf1, 3)},
            )
        )
    return measurements


def _time_own(work: str, feature: Callable[[], object], repeats: int) -> list[Measurement]:
    """Time a feature as runs compute it: tables of bins and blocks are there, memory is kept."""
    keep_freed_memory()
    feature()
    return time_ways(work, {"mer_keras": feature}, 1, repeats, clock=time.process_time)
