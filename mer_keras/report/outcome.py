"""What came out of a run, in a table that is small enough for a terminal."""

from dataclasses import dataclass

from mer_keras.config.experiment import Experiment
from mer_keras.evaluation.pipeline_check import MotionCheck, chance_uar, check_sentence
from mer_keras.report.drawn_motion import checked_rows
from mer_keras.report.scoring import MetricValue, score_row
from mer_keras.report.view import RunView
from mer_keras.terms import DataKind

HEADER = ("method", "UF1, % [95 %]", "UAR, % [95 %]")


@dataclass(frozen=True)
class Outcome:
    """What came out of a run.

    Attributes:
        title: experiment, kind of data, profile, chance.
        header: titles of the columns.
        rows: one a method, as texts.
        sentence: what a pipeline check came to; empty on real data.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    sentence: str


def outcome_of(view: RunView) -> Outcome:
    """Score a run; on drawn faces, say of each row whether it found the drawn motion.

    Rows with a fold that is missing have no numbers.
    """
    classes = len(view.classes)
    synthetic = view.data_kind is DataKind.SYNTHETIC
    config = Experiment.model_validate(view.manifest["config"])
    checked = checked_rows(config, view)
    rows = []
    for row, check in zip(view.rows, checked, strict=True):
        scores = score_row(view, row)
        values = [scores.values[metric] if scores else None for metric in ("uf1", "uar")]
        numbers = (row.name, *map(_percent, values))
        rows.append((*numbers, str(check.check)) if synthetic else numbers)
    data = "drawn faces" if synthetic else f"{view.data_kind} data"
    return Outcome(
        title=(
            f"{view.manifest['experiment']}: {data}, profile {view.profile}, {classes} classes "
            f"(chance: UAR {100 * chance_uar(classes):.1f} %)"
        ),
        header=(*HEADER, "motion") if synthetic else HEADER,
        rows=tuple(rows),
        sentence=check_sentence(checked, moves=view.moves, profile=view.profile)
        if synthetic
        else "",
    )


def _percent(value: MetricValue | None) -> str:
    if value is None:
        return str(MotionCheck.UNFINISHED)
    text = f"{100 * value.pooled:.1f} [{100 * value.low:.1f}, {100 * value.high:.1f}]"
    return f"{text} ({value.interval_warning})" if value.interval_warning else text
