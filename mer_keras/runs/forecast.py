"""What a run will do and how long it takes, before a clip is read, drawn or trained on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import ceil, prod

import pandas as pd

from mer_keras.arrays import Shape, values_of
from mer_keras.config.experiment import Experiment, RowPlan, Stage
from mer_keras.databases.label_schemes import get_scheme
from mer_keras.errors import UserError
from mer_keras.methods.registry import check_methods, inputs_of
from mer_keras.models.registry import get_spec
from mer_keras.protocols.build import build_folds
from mer_keras.protocols.folds import FoldSet
from mer_keras.runs.context import RunContext
from mer_keras.runs.executors import OpenRun
from mer_keras.runs.expectation import (
    START_SECONDS,
    Expectation,
    FoldCounts,
    count_folds,
    drawing_pieces,
    loading_piece,
)
from mer_keras.runs.expected_clips import expected_samples, expected_shape, mean_frames
from mer_keras.runs.samples import is_drawn
from mer_keras.runs.timetable import Piece
from mer_keras.runs.units import Unit
from mer_keras.terms import DataKind


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
        expectation: reckoned with this machine; pieces that are reckoned later must use the same
            one, because the measured rate of a machine differs from minute to minute.
        trains: whether networks are trained; not where weights are given.
    """

    config: Experiment
    data_kind: DataKind
    clips: int
    subjects: int
    folds: int
    pieces: tuple[Piece, ...]
    untimed: tuple[str, ...]
    expectation: Expectation
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
    check_methods(config)
    expectation = expectation or Expectation()
    samples = expected_samples(config.data, data)
    folds = build_folds(samples.table, config.protocol, config.selection)
    kind = samples.data_kind
    names = dict.fromkeys(name for plan in config.plans for name in inputs_of(plan))
    frames = mean_frames(samples.table)
    shapes = {name: expected_shape(config.inputs[name], frames) for name in names}
    drawn = kind is not DataKind.SYNTHETIC or is_drawn(config.data)
    pieces = [] if drawn else drawing_pieces(config.data, expectation)
    for name in names:
        title = f"input {name}"
        pieces.append(
            loading_piece(
                title, config.inputs[name], len(samples.table), frames, drawn, expectation
            )
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
        expectation=expectation,
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
            pieces += drawing_pieces(data, expectation)
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
        if network is None or model is None or model in models or plan.key in config.quoted_keys:
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
