"""How long pieces of work take on this machine, reckoned before they are begun."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil

import pandas as pd

from mer_keras.arrays import Shape, values_of
from mer_keras.config.data import Data
from mer_keras.config.experiment import RowPlan
from mer_keras.config.inputs import Clip
from mer_keras.config.training import Train
from mer_keras.protocols.folds import Fold
from mer_keras.runs.expected_clips import clips_to_draw
from mer_keras.runs.samples import drawing_title, stand_in_options
from mer_keras.runs.speeds import factor_of, factors_of_machine, rate_of_machine
from mer_keras.runs.timetable import SEPARATOR, START, Piece
from mer_keras.synthetic import stand_ins

#: A training step reaches about this share of the rate of matrix products (see ``make bench``).
SHARE = 0.4
#: A training step costs about as much as so many forward passes.
PASSES = 3
#: Seconds that a step takes beside its operations, and a fold beside its steps.
STEP_SECONDS, FOLD_SECONDS = 0.004, 0.5
#: Seconds for building, compiling and tracing a network.
START_SECONDS = 5.0
#: Seconds a value of a training clip, for features and classifiers without a network.
VALUE_SECONDS = 1e-7
#: Seconds a fold of any method takes at least: a fold's files are flushed to the disk.
LEAST_SECONDS = 0.05
#: Seconds for drawing and writing a frame of 96 x 96 pixels, and for reading one.
DRAW_SECONDS, READ_SECONDS = 0.004, 0.002
#: Seconds for the flow of a clip, computed on 128 x 128 pixels.
FLOW_SECONDS = {"tvl1": 0.2, "farneback": 0.01, "dis": 0.005}
#: Seconds for finding a face, and for magnifying a frame of 96 x 96 pixels.
FACE_SECONDS, MAGNIFY_SECONDS = 0.05, 0.005
#: Seconds for reading a clip of an input from the cache.
CACHED_SECONDS = 0.002


@dataclass(frozen=True)
class FoldCounts:
    """Clips of one training: ``train`` each once, ``fitted`` with copies, ``val``, ``test``."""

    train: int
    fitted: int
    val: int
    test: int


def count_folds(
    table: pd.DataFrame, folds: Sequence[Fold], recipe: Train, seeds: int = 1
) -> list[FoldCounts]:
    """Count the clips of each fold, once a seed.

    Args:
        table: samples table with labels.
        folds: its division.
        recipe: says whether copies balance the classes.
        seeds: number of seeds.
    """
    label_of = dict(zip(table["sample_id"], table["label"], strict=True))
    counts = []
    for fold in folds:
        labels = pd.Series([label_of[sample_id] for sample_id in fold.train]).value_counts()
        balanced = int(labels.max()) * len(labels) if len(labels) else 0
        fitted = balanced if recipe.balance == "oversample" else len(fold.train)
        counts.append(FoldCounts(len(fold.train), fitted, len(fold.val), len(fold.test)))
    return counts * seeds


class Expectation:
    """Reckons how long the pieces of runs take on this machine."""

    def __init__(self, rate: float | None = None) -> None:
        """Prepare.

        Args:
            rate: floating-point operations a second of matrix products; None: it is measured when
                it is needed.
        """
        self._given_rate = rate
        self._known = factors_of_machine()

    @cached_property
    def _rate(self) -> float:
        return rate_of_machine() if self._given_rate is None else self._given_rate

    def piece(
        self, title: str, kind: str, seconds: float, start: float = 0.0, start_kind: str = START
    ) -> Piece:
        """Return a piece whose time is corrected by what is known of this machine."""
        return Piece(
            title=title,
            kind=kind,
            seconds=seconds * factor_of(kind, self._known),
            start=start * factor_of(start_kind, self._known),
            start_kind=start_kind,
        )

    def training(
        self, recipe: Train, counts: Sequence[FoldCounts], multiply_accumulates: float
    ) -> float:
        """Return the seconds of training a network in some folds, before any correction."""
        seconds = 0.0
        for fold in counts:
            passes = recipe.epochs * (PASSES * fold.fitted + fold.val) + fold.test
            operations = 2 * multiply_accumulates * passes
            steps = recipe.epochs * ceil(fold.fitted / recipe.batch_size)
            seconds += operations / (SHARE * self._rate) + steps * STEP_SECONDS + FOLD_SECONDS
        return seconds

    def row(
        self,
        plan: RowPlan,
        counts: Sequence[FoldCounts],
        shape: Shape,
        multiply_accumulates: float | None = None,
    ) -> Piece:
        """Return the piece of a row.

        Args:
            plan: the row.
            counts: clips of each of its trainings.
            shape: of one clip in each of its inputs.
            multiply_accumulates: of its network for one clip; None: it has none, or they are not
                known.
        """
        network = plan.config.network
        if network is None:
            values = values_of(shape)
            seconds = sum(LEAST_SECONDS + VALUE_SECONDS * values * fold.train for fold in counts)
            return self.piece(plan.name, f"train|{plan.method}|{values}", seconds)
        seconds = self.training(plan.recipe, counts, multiply_accumulates or 0.0)
        # Arguments make a network wider or narrower than the published one, whose cost is counted.
        arguments = (f"{name}={value}" for name, value in sorted(network.arguments.items()))
        method = " ".join((network.model, *arguments)).replace(SEPARATOR, "/")
        kind = f"train|{method}|{values_of(shape)}|{plan.recipe.batch_size}"
        return self.piece(plan.name, kind, seconds, START_SECONDS, f"{START}|{method}")


def drawing_pieces(data: Data, expectation: Expectation) -> list[Piece]:
    """Return the pieces of drawing the stand-ins of a config."""
    pieces = []
    for name in data.databases:
        layout, options = stand_ins.get_layout(name), stand_in_options(data)
        side = options.size or layout.size
        frames = sum(len(clip.frame_numbers) for _, clip in clips_to_draw(name, data))
        seconds = frames * DRAW_SECONDS * (side / 96) ** 2
        pieces.append(expectation.piece(drawing_title(name), "draw", seconds))
    return pieces


def loading_piece(
    title: str, recipe: Clip, clips: int, frames: int, ready: bool, expectation: Expectation
) -> Piece:
    """Return the piece of loading an input; ``ready``: its clips may be in the cache."""
    reads_all = recipe.kind in ("dynamic_image", "flow_sequence") or recipe.magnification
    read = frames if reads_all or recipe.frames is None else recipe.frames
    seconds = READ_SECONDS * read
    if recipe.kind in ("flow", "flow_sequence"):
        pair_seconds = FLOW_SECONDS[recipe.flow.method] * (recipe.flow.compute_size / 128) ** 2
        seconds = pair_seconds * (recipe.frames or 1)
    if recipe.crop in ("haar", "mesh"):
        seconds += FACE_SECONDS
    if recipe.magnification:
        seconds += MAGNIFY_SECONDS * frames
    if ready:
        seconds = min(seconds, CACHED_SECONDS)
    return expectation.piece(title, f"input|{recipe.kind}", clips * seconds)
