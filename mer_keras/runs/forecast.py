"""What a run will do and how long it takes, before a clip is read, drawn or trained on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil, prod

import pandas as pd

from mer_keras.arrays import Shape, values_of
from mer_keras.config.data import Data
from mer_keras.config.experiment import Experiment, RowPlan, Stage
from mer_keras.config.inputs import Clip
from mer_keras.config.training import Train
from mer_keras.databases.label_schemes import get_scheme
from mer_keras.databases.labels import LabelScheme, apply_scheme, plain_emotion
from mer_keras.databases.samples import Samples, make_samples, pool
from mer_keras.errors import AnnotationError, UserError
from mer_keras.methods.registry import inputs_of
from mer_keras.models.registry import get_spec
from mer_keras.protocols.build import build_folds
from mer_keras.protocols.folds import Fold, FoldSet
from mer_keras.runs.context import RunContext
from mer_keras.runs.executors import OpenRun
from mer_keras.runs.samples import drawing_title, is_drawn, kind_of, load_samples, stand_in_options
from mer_keras.runs.speeds import factor_of, factors_of_machine, matrix_rate
from mer_keras.runs.timetable import START, Piece
from mer_keras.runs.units import Unit
from mer_keras.synthetic import stand_ins
from mer_keras.synthetic.synthetic_clip import SyntheticClip, evenly_spaced
from mer_keras.terms import DataKind

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
#: Frames of a clip whose onset or offset isn't annotated.
USUAL_FRAMES = 30


@dataclass(frozen=True)
class Forecast:
    """What a run will do.

    Attributes:
        config: the experiment, its profile applied.
        data_kind: where its clips come from.
        clips: number of clips.
        subjects: number of people.
        folds: number of folds.
        pieces: all work, in order.
        untimed: names of rows whose time is not known.
        trains: whether networks are trained; not where weights are given.
    """

    config: Experiment
    data_kind: DataKind
    clips: int
    subjects: int
    folds: int
    pieces: tuple[Piece, ...]
    untimed: tuple[str, ...]
    trains: bool = True

    @property
    def trainings(self) -> int:
        """Number of trainings of all rows and baselines."""
        return len(self.config.plans) * len(self.config.seeds) * self.folds

    @property
    def network_trainings(self) -> int:
        """Number of trainings of networks."""
        networks = sum(plan.config.network is not None for plan in self.config.plans)
        return networks * len(self.config.seeds) * self.folds

    @property
    def seconds(self) -> float:
        """Seconds that all work is expected to take on this machine."""
        return sum(piece.total for piece in self.pieces)


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
        return matrix_rate() if self._given_rate is None else self._given_rate

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
        self, recipe: Train, counts: Sequence["FoldCounts"], multiply_accumulates: float
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
        counts: Sequence["FoldCounts"],
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
        kind = f"{network.model}|{values_of(shape)}|{plan.recipe.batch_size}"
        return self.piece(
            plan.name, f"train|{kind}", seconds, START_SECONDS, f"{START}|{network.model}"
        )


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


def forecast(
    config: Experiment,
    data: str,
    expectation: Expectation | None = None,
    *,
    trains: bool = True,
) -> Forecast:
    """Say what a run will do, without reading a clip.

    Tables of annotations are read; of a stand-in that isn't drawn yet, the clips are only listed.

    Args:
        config: the experiment, its profile applied.
        data: see ``samples.load_samples``.
        expectation: reckons with this machine.
        trains: whether networks are trained; not where weights are given.

    Raises:
        UserError: data can't be found or divided.
    """
    expectation = expectation or Expectation()
    samples = expected_samples(config.data, data)
    folds = build_folds(samples.table, config.protocol, config.selection)
    kind = samples.data_kind
    names = dict.fromkeys(name for plan in config.plans for name in inputs_of(plan))
    frames = _mean_frames(samples.table)
    shapes = {name: expected_shape(config.inputs[name], frames) for name in names}
    drawn = kind is not DataKind.SYNTHETIC or is_drawn(config.data)
    pieces = [] if drawn else _drawing(config.data, expectation)
    for name in names:
        title = f"input {name}"
        pieces.append(
            _loading(title, config.inputs[name], len(samples.table), frames, drawn, expectation)
        )
    for stage in config.stages if trains else ():
        pieces += _stage_pieces(stage, config, str(kind), shapes, expectation)
    rows, untimed = row_pieces(config, samples.table, folds, shapes, expectation, trains=trains)
    return Forecast(
        config=config,
        data_kind=kind,
        clips=len(samples.table),
        subjects=int(samples.table["subject_id"].nunique()),
        folds=len(folds.folds),
        pieces=(*pieces, *rows),
        untimed=tuple(untimed),
        trains=trains,
    )


def pieces_of_run(run: OpenRun, expectation: Expectation, *, trains: bool = True) -> list[Piece]:
    """Return the pieces that are left of a run whose clips are loaded.

    Args:
        run: the run.
        expectation: reckons with this machine.
        trains: whether networks are trained.
    """
    context = run.context

    def is_pending(plan: RowPlan, seed: int, fold: str) -> bool:
        return not run.folder.is_done(Unit(plan.key, seed, fold))

    table, folds = context.samples.table, context.folds
    shapes = largest_shapes(context)
    pieces, _ = row_pieces(
        context.config, table, folds, shapes, expectation, is_pending, trains=trains
    )
    return pieces


def largest_shapes(context: RunContext) -> dict[str, tuple[int, ...]]:
    """Return the shape of the largest clip of each input; clips may differ in length."""
    return {
        name: max((clip.shape for clip in clips.arrays), key=prod)
        for name, clips in context.clips.items()
    }


def row_pieces(
    config: Experiment,
    table: pd.DataFrame,
    folds: FoldSet,
    shapes: Mapping[str, tuple[int, ...]],
    expectation: Expectation,
    is_pending: Callable[[RowPlan, int, str], bool] | None = None,
    *,
    trains: bool = True,
    cost_of: Callable[[RowPlan, Shape], float | None] | None = None,
) -> tuple[list[Piece], list[str]]:
    """Return the pieces of all rows, and names of rows whose network has no known cost.

    Args:
        config: the experiment.
        table: samples table with labels.
        folds: its division.
        shapes: shape of a clip of each input.
        expectation: reckons with this machine.
        is_pending: whether a training of a row, seed and fold is still to be done; None: all are.
        trains: whether networks are trained.
        cost_of: the cost of one clip in a row's network; None: ``multiply_accumulates``.
    """
    pieces, untimed = [], []
    for plan in config.plans:
        own_shapes = tuple(shapes[name] for name in inputs_of(plan))
        shape = own_shapes[0] if len(own_shapes) == 1 else own_shapes
        counts = [
            of_fold
            for seed in config.seeds
            for fold, of_fold in zip(
                folds.folds, count_folds(table, folds.folds, plan.recipe), strict=True
            )
            if is_pending is None or is_pending(plan, seed, fold.name)
        ]
        if not counts:
            continue
        cost = (cost_of or multiply_accumulates)(plan, shape)
        if plan.config.network is not None and cost is None:
            untimed.append(plan.name)
        if not trains:
            plan = replace(plan, recipe=plan.recipe.model_copy(update={"epochs": 0}))
        pieces.append(expectation.row(plan, counts, shape, cost))
    return pieces, untimed


def multiply_accumulates(plan: RowPlan, shape: Shape) -> float | None:
    """Return the cost of one clip in a row's network, by the paper's and the size of the input.

    None: it has no network, or its entry has no count.
    """
    if plan.config.network is None:
        return None
    return _scaled_cost(plan.config.network.model, shape)


def expected_samples(data: Data, kind: str) -> Samples:
    """Return the labelled samples of a config, also of stand-ins that are not drawn yet.

    Args:
        data: the databases.
        kind: see ``samples.load_samples``.

    Raises:
        UserError: see ``samples.load_samples``.
    """
    if kind_of(data, kind) != "synthetic" or is_drawn(data):
        return load_samples(data, kind)
    parts = []
    for name in data.databases:
        rows = [
            {
                "database": part,
                "subject": clip.subject,
                # Recordings that hold several clips give them one name.
                "clip": f"{clip.name} {clip.index}",
                "path": part,
                "emotion": clip.emotion,
                "onset": clip.onset,
                "offset": clip.offset,
                "objective_class": clip.objective_class or None,
                # The film that a drawn person reacts to is named for what the face shows.
                "stimulus_emotion": clip.emotion,
                "data_kind": DataKind.SYNTHETIC,
            }
            for part, clip in _clips_to_draw(name, data)
            if clip.listed
        ]
        scheme = get_scheme(data.scheme_of(name))
        parts.append(_labelled(make_samples(rows, source=name), scheme))
    return pool(parts)


def _labelled(samples: Samples, scheme: LabelScheme) -> Samples:
    """Label clips that are not drawn yet, as far as their number goes.

    Readers leave out clips that their table gives no emotion. Where a scheme reads a column that
    only the drawn table has, the clips are spread evenly over the classes.
    """
    emotions = samples.table["emotion"].map(plain_emotion)
    known = emotions.isin({*scheme.mapping, *scheme.leaves_out})
    table = samples.table[known] if scheme.column == "emotion" and known.any() else samples.table
    table = table.reset_index(drop=True)
    try:
        return apply_scheme(replace(samples, table=table), scheme)
    except AnnotationError:
        classes = scheme.classes
        labels = [classes[number % len(classes)] for number in range(len(table))]
        return replace(samples, table=table.assign(label=labels))


def expected_shape(recipe: Clip, frames: int = USUAL_FRAMES) -> tuple[int, ...]:
    """Return the shape of a clip as a recipe makes it.

    Args:
        recipe: of an input.
        frames: of a clip, where the recipe takes all of them.
    """
    side = recipe.resize_to or recipe.size
    if recipe.kind != "frames":
        magnitude = recipe.kind == "flow" and recipe.flow.output == "magnitude"
        return side, side, 1 if magnitude else 3
    image = (side, side, recipe.channels)
    return image if recipe.frames == 1 else (recipe.frames or frames, *image)


def _clips_to_draw(name: str, data: Data) -> list[tuple[str, SyntheticClip]]:
    """Return the clips of a stand-in, each with the name of its database."""
    options, layout = stand_in_options(data), stand_ins.get_layout(name)
    clips = []
    for part in layout.parts or (name,):
        of_part = stand_ins.get_layout(part).draw_clips(options.seed)
        if options.clips is not None:
            of_part = evenly_spaced(of_part, min(options.clips, len(of_part)))
        clips += [(part, clip) for clip in of_part]
    return clips


def _drawing(data: Data, expectation: Expectation) -> list[Piece]:
    pieces = []
    for name in data.databases:
        layout, options = stand_ins.get_layout(name), stand_in_options(data)
        side = options.size or layout.size
        frames = sum(len(clip.frame_numbers) for _, clip in _clips_to_draw(name, data))
        seconds = frames * DRAW_SECONDS * (side / 96) ** 2
        pieces.append(expectation.piece(drawing_title(name), "draw", seconds))
    return pieces


def _loading(
    title: str, recipe: Clip, clips: int, frames: int, ready: bool, expectation: Expectation
) -> Piece:
    """Return the piece of loading an input; ``ready``: its clips may be in the cache."""
    read = frames if recipe.magnification or recipe.frames is None else recipe.frames
    seconds = READ_SECONDS * read
    if recipe.kind == "flow":
        seconds = FLOW_SECONDS[recipe.flow.method] * (recipe.flow.compute_size / 128) ** 2
    if recipe.crop == "haar":
        seconds += FACE_SECONDS
    if recipe.magnification:
        seconds += MAGNIFY_SECONDS * frames
    if ready:
        seconds = min(seconds, CACHED_SECONDS)
    return expectation.piece(title, f"input|{recipe.kind}", clips * seconds)


def _stage_pieces(
    stage: Stage,
    config: Experiment,
    kind: str,
    shapes: Mapping[str, tuple[int, ...]],
    expectation: Expectation,
) -> list[Piece]:
    """Return the pieces of a stage of pretraining; none where its clips can't be told."""
    real_or_synthetic = "synthetic" if kind == DataKind.SYNTHETIC else "real"
    images = 0
    pieces: list[Piece] = []
    for source in stage.sources:
        data = stage.data_of(source, config.data)
        try:
            count = len(expected_samples(data, real_or_synthetic).table)
        except UserError:  # The run itself says what is wrong, in its order.
            return []
        if real_or_synthetic == "synthetic" and not is_drawn(data):
            pieces += _drawing(data, expectation)
        images += count * (source.frames if stage.each_frame else 1)
    limit = stage.images_per_class
    if limit is not None:
        images = min(images, limit * len(get_scheme(stage.sources[0].labels).classes))
    val = ceil(images * stage.validation_split)
    counts = [FoldCounts(images - val, images - val, val, val)]
    seconds, models = 0.0, dict[str, None]()
    for plan in config.plans:
        network = plan.config.network
        model = stage.model or (network.model if network else None)
        if network is None or model is None or model in models:
            continue
        models[model] = None
        cost = _scaled_cost(model, shapes[inputs_of(plan)[0]])
        seconds += START_SECONDS + expectation.training(stage.train, counts, cost or 0.0)
    kind_of_stage = f"train|{'+'.join(models)}|{stage.name}"
    return [*pieces, expectation.piece(f"{stage.name}: training", kind_of_stage, seconds)]


def _scaled_cost(model: str, shape: Shape) -> float | None:
    spec = get_spec(model)
    if spec.multiply_accumulates is None:
        return None
    return spec.multiply_accumulates * values_of(shape) / values_of(spec.input_shape)


def _mean_frames(table: pd.DataFrame) -> int:
    lengths = (table["offset"] - table["onset"] + 1).dropna()
    return max(1, round(float(lengths.mean()))) if len(lengths) else USUAL_FRAMES
