"""What is fixed before a method is fitted to all clips: no clip is left that could choose."""

from collections import Counter
from dataclasses import dataclass, field, replace
from statistics import median

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from mer_keras.config.experiment import RowPlan
from mer_keras.config.validation import explain
from mer_keras.errors import ResultsError, UserError
from mer_keras.methods.registry import chooses, with_choice
from mer_keras.runs.context import RunContext
from mer_keras.runs.folder import RunFolder
from mer_keras.runs.units import units_of
from mer_keras.terms import Selection

#: Selections by which clips of the training choose.
_INNER = (Selection.INNER_SUBJECTS, Selection.INNER_CLIPS)


@dataclass(frozen=True)
class Choice:
    """What is fixed.

    Attributes:
        plan: the row, with the values that were chosen.
        epochs: after how many epochs training ends; None: the recipe's.
        chosen: values of arguments that the folds chose.
        why: what decided, in words.
    """

    plan: RowPlan
    epochs: int | None = None
    chosen: dict[str, JsonValue] = field(default_factory=dict)
    why: str = "nothing is chosen"


def choose(context: RunContext, plan: RowPlan, run: RunFolder | None) -> Choice:
    """Fix the epochs of a network, or the arguments of a classifier.

    Args:
        context: the experiment and its clips.
        plan: the row.
        run: a stored run of the experiment; None where there is none.

    Raises:
        UserError: the epoch was chosen by held-back clips in the folds, and no run says which.
    """
    records = _records(run, plan)
    if plan.config.network is not None:
        return _choose_epochs(context, plan, records)
    if not chooses(plan):
        return Choice(plan)
    if not records:
        return Choice(plan, why="the training clips chose, in folds of their subjects")
    counts = Counter(str(sorted(record.chosen.items())) for record in records)
    commonest, times = counts.most_common(1)[0]
    chosen = next(
        record.chosen for record in records if str(sorted(record.chosen.items())) == commonest
    )
    listed = ", ".join(f"{name} {value}" for name, value in chosen.items())
    why = f"{listed}, which {times} of the run's {len(records)} folds chose"
    return Choice(with_choice(plan, chosen), chosen=chosen, why=why)


def _choose_epochs(context: RunContext, plan: RowPlan, records: list["_Record"]) -> Choice:
    selection = context.selection_of(plan)
    if selection is Selection.EXTERNAL:
        return Choice(plan, why="the weights were trained elsewhere")
    most = plan.recipe.epochs
    if selection not in _INNER:
        why = f"the last epoch of the recipe, {most}"
        if selection is Selection.TEST_FOLD:
            why += "; the folds of the run chose theirs by the tested clips, which no fit can"
        return Choice(plan, most, why=why)
    if not records:
        raise UserError(
            f"row {plan.name!r}: the epoch is chosen by held-back clips of each fold, and no "
            "finished run says which epochs these are: mer-keras run "
            f"{context.config.name} --profile {context.profile} first, or --set "
            "selection=last_epoch"
        )
    epochs = max(1, round(median(record.epoch for record in records)))
    why = f"epoch {epochs}, the median of the epochs that {len(records)} folds chose"
    return Choice(plan, epochs, why=why)


class _Record(BaseModel):
    """What is read of a fold's record; others of its fields may be there."""

    model_config = ConfigDict(strict=True)

    epoch: int = Field(ge=0)
    chosen: dict[str, JsonValue] = Field(default_factory=dict)


def _records(run: RunFolder | None, plan: RowPlan) -> list[_Record]:
    """What each fold of a row chose; nothing where a fold isn't finished.

    Raises:
        ResultsError: a record of the run is damaged.
    """
    if run is None:
        return []
    units = units_of(run.manifest(), run.folds()).get(plan.key, [])
    if not units or not all(run.is_done(unit) for unit in units):
        return []
    try:
        return [_Record.model_validate(run.record(unit)) for unit in units]
    except ValidationError as error:
        raise ResultsError(f"{run.path}: a record is damaged: {explain(error, _Record)}") from error


def with_epochs(plan: RowPlan, epochs: int | None) -> RowPlan:
    """The row as it is fitted: nothing ends the training early."""
    if epochs is None:
        return plan
    return replace(plan, recipe=plan.recipe.model_copy(update={"early_stopping": None}))
