"""Which rows of runs on drawn faces found the motion that was drawn, and which were to find it."""

from collections.abc import Sequence

from pydantic import ValidationError

from mer_keras.config.experiment import Experiment
from mer_keras.config.method import MethodConfig
from mer_keras.evaluation.pipeline_check import (
    SMOKE,
    CheckedRow,
    MotionCheck,
    chance_uar,
    check_motion,
    check_sentence,
)
from mer_keras.report.scoring import score_row
from mer_keras.report.view import RowState, RunView
from mer_keras.terms import DataKind


def checked_rows(config: Experiment, view: RunView) -> tuple[CheckedRow, ...]:
    """Check every row and baseline of a run on drawn faces, in the order of its rows.

    Args:
        config: the experiment; it describes methods that the run's own config doesn't.
        view: the run.
    """
    return tuple(_checked(config, view, state) for state in view.rows)


def expected_check(row: CheckedRow, view: RunView) -> str:
    """What a row is expected to show, ``found`` or ``not found``; ``-`` where nothing is expected.

    Without motion, and for methods that look at no clip or at shuffled labels, there is nothing to
    be found. Runs of the profile ``smoke`` are too small for it.
    """
    if not (view.moves and row.can_find):
        return str(MotionCheck.NOT_FOUND)
    return "-" if view.profile == SMOKE else str(MotionCheck.FOUND)


def chance_note(view: RunView) -> str:
    """What ``found`` means, and who is expected not to find anything."""
    chance = 100 * chance_uar(len(view.classes))
    who = (
        "the majority class and stratified draws look at no clip, and shuffled labels say nothing "
        "about theirs, so that these are expected not to find it"
        if view.moves
        else "nothing moves here, so that no row is expected to find anything"
    )
    return (
        f"found: the 99.9 % interval of UAR over subjects lies above chance, {chance:.1f} % for "
        f"{len(view.classes)} classes; {who}"
    )


def check_sentences(runs: Sequence[tuple[Experiment, RunView]]) -> tuple[str, ...]:
    """Say in one sentence what the runs on drawn faces came to; none without such runs.

    Runs with and without motion, and those that only show that every step runs, have a sentence
    each.

    Args:
        runs: runs of any kind of data with their experiments.
    """
    drawn = [(config, view) for config, view in runs if view.data_kind is DataKind.SYNTHETIC]
    groups: dict[tuple[bool, bool], list[tuple[Experiment, RunView]]] = {}
    for config, view in drawn:
        groups.setdefault((view.moves, view.profile == SMOKE), []).append((config, view))
    sentences = []
    for (moves, is_smoke), group in sorted(groups.items(), key=lambda item: item[0], reverse=True):
        rows = [
            row if len(group) == 1 else _named_with_table(row, config)
            for config, view in group
            for row in checked_rows(config, view)
        ]
        profile = SMOKE if is_smoke else group[0][1].profile
        sentences.append(check_sentence(rows, moves=moves, profile=profile))
    return tuple(sentences)


def _checked(config: Experiment, view: RunView, state: RowState) -> CheckedRow:
    scores, method = score_row(view, state), _method(config, view, state.method)
    uar = scores.values["uar"] if scores else None
    return CheckedRow(
        name=state.name,
        check=check_motion(
            uar.pooled if uar else None,
            uar.low if uar else None,
            len(view.classes),
            uar.subjects if uar else 0,
        ),
        can_find=method.can_find_motion,
        baseline=state.role == "baseline",
        is_network=method.network is not None,
    )


def _method(config: Experiment, view: RunView, name: str) -> MethodConfig:
    """What a run's method is, as the run's own config describes it, else as the experiment does."""
    described = view.manifest["config"].get("methods") or {}
    try:
        return MethodConfig.model_validate(described[name])
    except (KeyError, ValidationError):  # Older runs describe methods otherwise.
        return config.describe(name)


def _named_with_table(row: CheckedRow, config: Experiment) -> CheckedRow:
    return CheckedRow(
        f"{row.name} ({config.name})", row.check, row.can_find, row.baseline, row.is_network
    )
