"""How seconds grow with folds, clips, frames and the side of images.

Exponents are slopes through logarithms: 1 is linear, in the side of an image 2 is linear in its
pixels. What doesn't grow, such as a start, lowers them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from mer_keras.bench import flow_like
from mer_keras.bench.apart import alone
from mer_keras.bench.case import Asked, Case
from mer_keras.bench.loso import run_suite
from mer_keras.bench.measure import Measured, exponent, timed
from mer_keras.clips import cache
from mer_keras.clips.assemble import load_clips
from mer_keras.config.inputs import Clip
from mer_keras.databases import registry as databases
from mer_keras.synthetic import stand_ins

#: of the frame-wise network of ESANN 2025, small enough for a CPU: clips, frames, side
STEP = {"clips": 16, "frames": 9, "side": 48}
STEP_SIZES = {"clips": (8, 16, 32, 64, 128), "frames": (5, 9, 17, 33), "side": (24, 48, 96, 144)}
#: of clips of 640x480
LOADED = {"clips": 8, "frames": 9, "side": 90}
LOADED_SIZES = {"clips": (4, 8, 16, 32), "frames": (5, 9, 17, 33), "side": (45, 90, 180, 360)}
QUICK_LOADED = {**LOADED, "clips": 2}
FOLDS = (2, 4, 8, 16, 32)
_EPOCHS = 5

#: seconds of each repeat; peak of memory, where that is another process's
Timed = tuple[tuple[float, ...], int | None]


def cases(backend: str) -> list[Case]:
    """Folds, the training step, loading."""
    return [
        Case(
            "scaling/folds",
            "training the same clips in more and more folds of subjects",
            _folds,
            limit=1800,
            backend=backend,
            quick=False,
        ),
        Case(
            "scaling/step",
            "a training step by clips, frames and side of the image",
            _step,
            backend=backend,
            needs=(backend,),
            quick=False,
        ),
        Case("scaling/load", "load_clips by clips, frames, side of the image", _load, limit=1200),
    ]


def _folds(asked: Asked) -> list[Measured]:
    flow_like.write(flow_like.draw(), asked.folder / "data")
    repeats = 1 if asked.quick else 3

    def run(count: int) -> Timed:
        division = f"protocol={{name: subject_kfold, k: {count}}}"
        way = partial(run_suite, asked.folder, "sequential", 1, _EPOCHS, 1e-3)
        runs = [alone(way, seed, (division,)) for seed in range(repeats)]
        return tuple(run.seconds for run in runs), max(run.peak_mib for run in runs)

    sizes = FOLDS[:2] if asked.quick else FOLDS
    return _series(f"run of STSTNet, {_EPOCHS} epochs", "mer_keras", "folds", sizes, run)


def _step(asked: Asked) -> list[Measured]:
    repeats = 2 if asked.quick else 7
    return _vary(
        "step of shallow_attention_conv2d",
        "mer_keras",
        STEP,
        STEP_SIZES,
        partial(_time_step, repeats),
        asked.quick,
    )


def _time_step(repeats: int, clips: int, frames: int, side: int) -> Timed:
    import keras

    from mer_keras.models import registry
    from mer_keras.training.recipe import compile_model

    keras.utils.clear_session()
    network = registry.build("shallow_attention_conv2d", (frames, side, side, 1), 5)
    compile_model(network, keras.optimizers.Adam(1e-4))
    rng = np.random.default_rng(0)
    images = rng.random((clips, frames, side, side, 1), dtype=np.float32)
    labels = rng.integers(0, 5, clips)

    def step() -> Any:
        return network.train_on_batch(images, labels)

    step()
    return timed(step, repeats, budget=20), None


def _load(asked: Asked) -> list[Measured]:
    base = QUICK_LOADED if asked.quick else LOADED
    all_sizes = {**LOADED_SIZES, "clips": (1, 2)} if asked.quick else LOADED_SIZES
    most = max(all_sizes["clips"])
    root = asked.folder / "CASME2"
    stand_ins.write("casme2", root, stand_ins.StandInOptions(native=True, clips=most))
    samples = databases.load("casme2", root, frame_source="raw")
    repeats = 1 if asked.quick else 3

    def load(emptied: bool, clips: int, frames: int, side: int) -> Timed:
        some = replace(samples, table=samples.table.head(clips))
        clip = Clip(
            kind="frames", frames=frames, size=side, sampling="uniform_with_apex", crop="haar"
        )

        def once() -> None:
            if emptied:
                cache.clear()
            load_clips(some, clip)

        once()
        return timed(once, repeats, budget=30), None

    rows = []
    for emptied, way in ((True, "empty cache"), (False, "full cache")):
        act = partial(load, emptied)
        rows += _vary("load_clips, 640x480", way, base, all_sizes, act, asked.quick)
    return rows


def _vary(
    work: str,
    way: str,
    base: dict[str, int],
    sizes: Mapping[str, tuple[int, ...]],
    act: Callable[..., Timed],
    quick: bool,
) -> list[Measured]:
    """Vary one size after the other, the others as in ``base``."""
    rows = []
    for name, all_sizes in sizes.items():
        chosen = all_sizes[:2] if quick else all_sizes
        run = partial(_with_size, act, base, name)
        clips = None if name == "clips" else base["clips"]
        rows += _series(work, way, name, chosen, run, clips)
    return rows


def _with_size(act: Callable[..., Timed], base: dict[str, int], name: str, size: int) -> Timed:
    return act(**{**base, name: size})


def _series(
    work: str,
    way: str,
    name: str,
    sizes: Sequence[int],
    act: Callable[[int], Timed],
    pieces: int | None = None,
) -> list[Measured]:
    """Time each size, which is the number of pieces too if that is None; then the exponent."""
    rows = []
    for size in sizes:
        seconds, peak = act(size)
        rows.append(Measured(f"{work}, {name} {size}", way, seconds, pieces or size, peak))
    slope = exponent(sizes, [float(row.median or 0) for row in rows])
    facts: dict[str, float | str] = {"exponent": round(slope, 2)}
    facts["sizes"] = f"{min(sizes)} to {max(sizes)}"
    return [*rows, Measured(f"{work}, seconds by {name}", way, facts=facts)]
