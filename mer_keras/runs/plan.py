"""What a run would do, without training: folds, steps, disk and time."""

from collections.abc import Sequence
from math import ceil
from typing import TypedDict

from mer_keras.arrays import Shape
from mer_keras.config.experiment import Experiment, RowPlan
from mer_keras.errors import ConfigError
from mer_keras.methods.network import NetworkMethod
from mer_keras.progress import Progress
from mer_keras.protocols.folds import Fold
from mer_keras.runs.context import RunContext, compose
from mer_keras.runs.expectation import Expectation, count_folds, loading_piece
from mer_keras.runs.expected_clips import mean_frames
from mer_keras.runs.forecast import largest_shapes, multiply_accumulates, row_pieces
from mer_keras.runs.loading_memory import loading_bytes
from mer_keras.runs.plan_reader import PlanReader
from mer_keras.training.quiet_start import import_keras

#: A stored fold takes about so many bytes: predictions and their record.
RESULT_BYTES = 20_000


class FoldPlan(TypedDict):
    """One fold of a plan; ``fitted`` is the number of clips of an epoch, copies included."""

    name: str
    train: int
    val: int
    test: int
    fitted: int
    train_classes: dict[str, int]
    test_classes: dict[str, int]


class Plan(TypedDict):
    """What a run would do, JSON-ready."""

    experiment: str
    data_kind: str
    protocol: str
    subject_exclusive: bool
    selection: str
    n_samples: int
    n_subjects: int
    folds_digest: str
    folds: list[FoldPlan]
    steps: int
    clips_mib: float
    loading_mib: float
    disk_mib: float
    estimated_seconds: int
    stages: list[str]
    notes: list[str]


class Batch(TypedDict):
    """A batch that was tried; ``fastest``: whether no other of its row was quicker."""

    experiment: str
    row: str
    batch: int
    clips_a_second: float
    fastest: bool


def describe_plan(config: Experiment, data: str, progress: Progress | None = None) -> Plan:
    """Return what a run would do.

    Folds with class counts, training steps, memory of the clips and of loading them, disk for
    cached clips and results, and the estimated time on this machine, early stopping not counted
    (see ``forecast``).

    Args:
        config: the experiment, its profile applied.
        data: see ``samples.load_samples``.
        progress: a callback that reports which clips are drawn or read.
    """
    reader, expectation = PlanReader(), Expectation()
    context = compose(
        config,
        "plan",
        data,
        pretraining=False,
        try_networks=True,
        progress=progress,
        load=reader,
    )
    table, folds = context.samples.table, context.folds.folds
    # The clips of an array or a list, one after the other.
    clip_bytes = sum(clip.nbytes for clips in context.clips.values() for clip in clips.arrays)
    # Inputs are loaded one after the other.
    loading = max(loading_bytes(config.inputs[name], table) for name in context.clips)
    # Clips are cached with 8 bits a value; a fold's predictions are a small file.
    result_bytes = len(config.plans) * len(config.seeds) * len(folds) * RESULT_BYTES
    steps = sum(
        ceil(counts.fitted / plan.recipe.batch_size) * plan.recipe.epochs
        for plan in config.plans
        if plan.config.network is not None
        for counts in count_folds(table, folds, plan.recipe)
    )

    def cost_of(plan: RowPlan, shape: Shape) -> float | None:
        """The cost of a network; one whose entry has none is built."""
        known = multiply_accumulates(plan, shape)
        if known is not None or plan.config.network is None:
            return known
        import_keras()
        return context.method(plan).multiply_accumulates

    pieces, untimed = row_pieces(
        config, table, context.folds, largest_shapes(context), expectation, cost_of=cost_of
    )
    frames = mean_frames(table)
    pieces += [
        loading_piece(f"input {name}", config.inputs[name], clips, frames, False, expectation)
        for name, clips in reader.unread.items()
    ]
    notes = [
        *config.not_inherited,
        *(f"not as in the paper: {line}" for line in config.not_reproduced),
        *context.samples.warnings,
        *context.folds.notes,
        *reader.notes(),
        *(f"row {name!r} is not in the time: its layers have no known cost" for name in untimed),
    ]
    return {
        "experiment": config.name,
        "data_kind": str(context.samples.data_kind),
        "protocol": config.protocol.title,
        "subject_exclusive": config.protocol.subject_exclusive,
        "selection": str(config.selection),
        "n_samples": len(table),
        "n_subjects": int(table["subject_id"].nunique()),
        "folds_digest": context.folds.digest(),
        "folds": [
            _describe_fold(context, number, fold) for number, fold in enumerate(folds, start=1)
        ],
        "steps": steps * len(config.seeds),
        "clips_mib": round(clip_bytes / 2**20, 1),
        "loading_mib": round(loading / 2**20, 1),
        "disk_mib": round((clip_bytes // 4 + result_bytes) / 2**20, 1),
        "estimated_seconds": round(sum(piece.total for piece in pieces)),
        "stages": [stage.name for stage in config.stages],
        "notes": notes,
    }


def _describe_fold(context: RunContext, number: int, fold: Fold) -> FoldPlan:
    fitted = count_folds(context.samples.table, [fold], context.config.train)[0].fitted
    return {
        # A fold of one subject is named after the subject.
        "name": str(number) if "/" in fold.name else fold.name,
        "train": len(fold.train),
        "val": len(fold.val),
        "test": len(fold.test),
        "fitted": fitted,
        "train_classes": _class_counts(context, fold.train),
        "test_classes": _class_counts(context, fold.test),
    }


def _class_counts(context: RunContext, ids: Sequence[str]) -> dict[str, int]:
    labels = context.samples.table.set_index("sample_id")["label"].loc[list(ids)]
    return {name: int((labels == name).sum()) for name in context.classes}


def find_batches(config: Experiment, data: str, most: int = 4096) -> list[Batch]:
    """Try ever larger batches of every network on this machine's device.

    Args:
        config: the experiment, for its networks, their input and the recipe.
        data: see ``samples.load_samples``.
        most: clips in the largest batch that is tried.

    Returns:
        one entry a row and batch that fits, with clips a second and whether it is the row's best.

    Raises:
        ConfigError: no row is a network.
    """
    from mer_keras.training.device import trials

    # The shapes of clips are needed, not their values.
    context = compose(config, "plan", data, pretraining=False, load=PlanReader(seconds=0))
    methods = [(plan.name, context.method(plan)) for plan in config.plans]
    networks = [(name, method) for name, method in methods if isinstance(method, NetworkMethod)]
    if not networks:
        raise ConfigError(f"{config.name}: no row is a network, so that there are no batches")
    entries: list[Batch] = []
    for name, method in networks:
        fitting = list(trials(method.trainer.fitted, most))
        best = max(fitting, key=lambda trial: trial.rate, default=None)
        entries += [
            {
                "experiment": config.name,
                "row": name,
                "batch": trial.batch,
                "clips_a_second": round(trial.rate, 1),
                "fastest": trial is best,
            }
            for trial in fitting
        ]
    return entries
