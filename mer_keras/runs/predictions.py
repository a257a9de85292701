"""The table of predictions that one unit of a run stores, and what binds it to the run."""

import numpy as np
import pandas as pd

from mer_keras.runs.context import RunContext
from mer_keras.runs.units import Unit
from mer_keras.training.fold import FoldOutcome

#: Fields of an outcome that are stored in the unit's record.
RECORDED = ("seconds", "epoch", "parameters", "multiply_accumulates", "history", "chosen")


def predictions_table(context: RunContext, unit: Unit, outcome: FoldOutcome) -> pd.DataFrame:
    """Return one row for each tested clip: ``PREDICTION_COLUMNS``, ``is_copy``, then ``prob_*``.

    Copies of tested clips stand below the clips, and ``is_copy`` is true in their rows.
    """
    plan = next(plan for plan in context.config.plans if plan.key == unit.row)
    fold = context.fold(unit.fold)
    copies: list[str] = []
    probabilities = outcome.probabilities
    if outcome.copies is not None:
        copies = context.copies_to_test(fold, unit.seed)
        probabilities = np.concatenate([probabilities, outcome.copies])
    tested = [*fold.test, *copies]
    samples = context.samples.table.set_index("sample_id").loc[tested]
    classes = context.classes
    table = pd.DataFrame(
        {
            "run_id": context.run_id,
            "experiment": context.config.name,
            "table": context.config.table,
            "row": unit.row,
            "method": plan.method,
            "protocol": context.config.protocol.title,
            "selection": str(context.selection_of(plan)),
            "data_kind": str(context.samples.data_kind),
            "database": samples["database"].to_numpy(),
            "fold": unit.fold,
            "seed": unit.seed,
            "sample_id": tested,
            "subject_id": samples["subject_id"].to_numpy(),
            "label": samples["label"].to_numpy(),
            "predicted": [classes[i] for i in probabilities.argmax(axis=1)],
            "epoch": outcome.epoch,
            "is_copy": [False] * len(fold.test) + [True] * len(copies),
        }
    )
    for number, name in enumerate(classes):
        table[f"prob_{name}"] = probabilities[:, number]
    return table


def unit_record(outcome: FoldOutcome) -> dict[str, object]:
    """Return what is stored of a unit beside its predictions, JSON-ready."""
    return {name: getattr(outcome, name) for name in RECORDED}
