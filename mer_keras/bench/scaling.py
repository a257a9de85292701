"""How seconds grow with folds, clips, frames and the side of images.

Exponents are slopes of a line through logarithms: 1 is linear; in the side of an image, 2 is linear
in its pixels. A part that doesn't grow, such as a start, lowers them.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from mer_keras.bench import flow_like
from mer_keras.bench.case import CaseOptions
from mer_keras.bench.isolation import call_in_process
from mer_keras.bench.loso import LEARNING_RATE, run_suite
from mer_keras.bench.measure import Measurement, Timing, time_sizes, timed
from mer_keras.bench.networks import compiled_network
from mer_keras.bench.preprocessing import CLIP
from mer_keras.clips import cache
from mer_keras.clips.assemble import load_clips
from mer_keras.databases import registry as databases
from mer_keras.synthetic import stand_ins

#: Sizes of a training step of the frame-wise network of ESANN 2025, small enough for a processor.
#: While one size varies, the others are the second of theirs.
STEP = {"clips": (8, 16, 32, 64, 128), "frames": (5, 9, 17, 33), "side": (24, 48, 96, 144)}
#: Sizes of what is loaded from clips of 640x480.
LOADED = {"clips": (4, 8, 16, 32), "frames": (5, 9, 17, 33), "side": (45, 90, 180, 360)}
FOLDS = (2, 4, 8, 16, 32)
_EPOCHS = 5


def vary_folds(options: CaseOptions) -> list[Measurement]:
    """Train the same clips in more and more folds of subjects."""
    flow_like.write(flow_like.draw(), options.folder / "data")
    repeats = 1 if options.quick else 3

    def run(count: int) -> Timing:
        protocol = f"protocol={{name: subject_kfold, k: {count}}}"
        arguments = (options.folder, "sequential", 1, _EPOCHS, LEARNING_RATE)
        way = partial(run_suite, *arguments, overrides=[protocol])
        runs = [call_in_process(way, seed) for seed in range(repeats)]
        return tuple(run.seconds for run in runs), max(run.peak_mib for run in runs)

    sizes = FOLDS[:2] if options.quick else FOLDS
    return time_sizes(f"run of STSTNet, {_EPOCHS} epochs", "mer_keras", "folds", sizes, run)


def vary_step(options: CaseOptions) -> list[Measurement]:
    """Take training steps with more and more clips, frames and pixels."""

    def time_step(clips: int, frames: int, side: int) -> Timing:
        import keras

        keras.utils.clear_session()
        network, images, labels = compiled_network(
            "shallow_attention_conv2d", clips, (frames, side, side, 1), 5
        )

        def step() -> object:
            return network.train_on_batch(images, labels)

        step()
        return timed(step, 2 if options.quick else 7, budget=20), None

    work = "step of shallow_attention_conv2d"
    return _vary(work, "mer_keras", STEP, options.quick, time_step)


def vary_load(options: CaseOptions) -> list[Measurement]:
    """Load more and more clips, frames and pixels, with and without a cache."""
    sizes = LOADED | {"clips": (1, 2)} if options.quick else LOADED
    root = options.folder / "CASME2"
    stand_in = stand_ins.StandInOptions(native=True, clips=max(sizes["clips"]))
    stand_ins.write("casme2", root, stand_in)
    samples = databases.load("casme2", root, frame_source="raw")
    repeats = 1 if options.quick else 3

    def load(empty_cache: bool, clips: int, frames: int, side: int) -> Timing:
        first_samples = replace(samples, table=samples.table.head(clips))
        recipe = CLIP.model_copy(update={"frames": frames, "size": side})

        def load_once() -> None:
            if empty_cache:
                cache.clear()
            load_clips(first_samples, recipe)

        load_once()
        return timed(load_once, repeats, budget=30), None

    return [
        measurement
        for way, empty_cache in (("empty cache", True), ("full cache", False))
        for measurement in _vary(
            "load_clips, 640x480", way, sizes, options.quick, partial(load, empty_cache)
        )
    ]


def _vary(
    work: str,
    way: str,
    sizes: Mapping[str, tuple[int, ...]],
    quick: bool,
    measure: Callable[..., Timing],
) -> list[Measurement]:
    """Vary one size after the other, the others at the second of theirs."""
    usual = {name: values[1] for name, values in sizes.items()}

    def at_size(name: str, size: int) -> Timing:
        return measure(**{**usual, name: size})

    measurements = []
    for name, values in sizes.items():
        measured = values[:2] if quick else values
        clips = None if name == "clips" else usual["clips"]
        measurements += time_sizes(work, way, name, measured, partial(at_size, name), clips)
    return measurements
