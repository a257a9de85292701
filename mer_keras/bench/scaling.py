"""How seconds grow with folds, clips, frames and the side of images.

Exponents are slopes of a line through logarithms: 1 is linear; in the side of an image, 2 is linear
in its pixels. A part that doesn't grow, such as a start, lowers them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from mer_keras.bench import flow_like
from mer_keras.bench.case import Case, CaseOptions
from mer_keras.bench.isolation import call_in_process
from mer_keras.bench.loso import LEARNING_RATE, run_suite
from mer_keras.bench.measure import Facts, Measurement, exponent, timed
from mer_keras.clips import cache
from mer_keras.clips.assemble import load_clips
from mer_keras.config.inputs import Clip
from mer_keras.databases import registry as databases
from mer_keras.synthetic import stand_ins

#: Sizes of a training step of the frame-wise network of ESANN 2025, small enough for a processor.
STEP = {"clips": 16, "frames": 9, "side": 48}
STEP_SIZES = {"clips": (8, 16, 32, 64, 128), "frames": (5, 9, 17, 33), "side": (24, 48, 96, 144)}
#: Sizes of what is loaded from clips of 640x480.
LOADED = {"clips": 8, "frames": 9, "side": 90}
LOADED_SIZES = {"clips": (4, 8, 16, 32), "frames": (5, 9, 17, 33), "side": (45, 90, 180, 360)}
QUICK_LOADED = {**LOADED, "clips": 2}
FOLDS = (2, 4, 8, 16, 32)
_EPOCHS = 5

#: Seconds of each repeat, and the peak memory in MiB, where it is that of another process.
Timing = tuple[tuple[float, ...], int | None]


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


def _folds(options: CaseOptions) -> list[Measurement]:
    flow_like.write(flow_like.draw(), options.folder / "data")
    repeats = 1 if options.quick else 3

    def run(count: int) -> Timing:
        protocol = f"protocol={{name: subject_kfold, k: {count}}}"
        way = partial(run_suite, options.folder, "sequential", 1, _EPOCHS, LEARNING_RATE)
        runs = [call_in_process(way, seed, (protocol,)) for seed in range(repeats)]
        return tuple(run.seconds for run in runs), max(run.peak_mib for run in runs)

    sizes = FOLDS[:2] if options.quick else FOLDS
    return _series(f"run of STSTNet, {_EPOCHS} epochs", "mer_keras", "folds", sizes, run)


def _step(options: CaseOptions) -> list[Measurement]:
    repeats = 2 if options.quick else 7
    return _vary(
        "step of shallow_attention_conv2d",
        "mer_keras",
        STEP,
        STEP_SIZES,
        partial(_time_step, repeats),
        options.quick,
    )


def _time_step(repeats: int, clips: int, frames: int, side: int) -> Timing:
    import keras

    from mer_keras.models import registry
    from mer_keras.training.recipe import compile_model

    keras.utils.clear_session()
    network = registry.build("shallow_attention_conv2d", (frames, side, side, 1), 5)
    compile_model(network, keras.optimizers.Adam(1e-4))
    rng = np.random.default_rng(0)
    images = rng.random((clips, frames, side, side, 1), dtype=np.float32)
    labels = rng.integers(0, 5, clips)

    def step() -> object:
        return network.train_on_batch(images, labels)

    step()
    return timed(step, repeats, budget=20), None


def _load(options: CaseOptions) -> list[Measurement]:
    base = QUICK_LOADED if options.quick else LOADED
    all_sizes = {**LOADED_SIZES, "clips": (1, 2)} if options.quick else LOADED_SIZES
    root = options.folder / "CASME2"
    stand_in = stand_ins.StandInOptions(native=True, clips=max(all_sizes["clips"]))
    stand_ins.write("casme2", root, stand_in)
    samples = databases.load("casme2", root, frame_source="raw")
    repeats = 1 if options.quick else 3

    def load(empty_cache: bool, clips: int, frames: int, side: int) -> Timing:
        first_samples = replace(samples, table=samples.table.head(clips))
        recipe = Clip(
            kind="frames", frames=frames, size=side, sampling="uniform_with_apex", crop="haar"
        )

        def load_once() -> None:
            if empty_cache:
                cache.clear()
            load_clips(first_samples, recipe)

        load_once()
        return timed(load_once, repeats, budget=30), None

    measurements = []
    for empty_cache, way in ((True, "empty cache"), (False, "full cache")):
        measurements += _vary(
            "load_clips, 640x480", way, base, all_sizes, partial(load, empty_cache), options.quick
        )
    return measurements


def _vary(
    work: str,
    way: str,
    base: Mapping[str, int],
    sizes: Mapping[str, tuple[int, ...]],
    measure: Callable[..., Timing],
    quick: bool,
) -> list[Measurement]:
    """Vary one size after the other, the others as in ``base``."""
    measurements = []
    for name, all_sizes in sizes.items():
        measurements += _series(
            work,
            way,
            name,
            all_sizes[:2] if quick else all_sizes,
            partial(_with_size, measure, base, name),
            None if name == "clips" else base["clips"],
        )
    return measurements


def _with_size(
    measure: Callable[..., Timing], base: Mapping[str, int], name: str, size: int
) -> Timing:
    return measure(**{**base, name: size})


def _series(
    work: str,
    way: str,
    name: str,
    sizes: Sequence[int],
    measure: Callable[[int], Timing],
    pieces: int | None = None,
) -> list[Measurement]:
    """Measure each size, which is the number of pieces too if that is None; then the exponent."""
    measurements = []
    for size in sizes:
        seconds, peak = measure(size)
        measurements.append(
            Measurement(f"{work}, {name} {size}", way, seconds, pieces or size, peak)
        )
    slope = exponent(sizes, [float(m.median or 0) for m in measurements])
    facts: Facts = {"exponent": round(slope, 2), "sizes": f"{min(sizes)} to {max(sizes)}"}
    return [*measurements, Measurement(f"{work}, seconds by {name}", way, facts=facts)]
