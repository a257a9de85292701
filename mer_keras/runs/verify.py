"""Derive one fold of a stored run anew and compare: is the run what it says it is?"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pydantic import JsonValue

from mer_keras.config.experiment import Experiment
from mer_keras.databases.registry import find
from mer_keras.errors import ResultsError, UserError, did_you_mean
from mer_keras.progress import Progress
from mer_keras.runs.context import RunContext, compose
from mer_keras.runs.folder import RunFolder
from mer_keras.runs.manifest import make_manifest
from mer_keras.runs.predictions import predictions_table
from mer_keras.runs.tasks import TaskRunner
from mer_keras.runs.units import Unit, units_of
from mer_keras.training.fold import FoldFailedError

#: Another machine, another version or other threads round differently.
TOLERANCE = 1e-3
#: Fields of a manifest that mark or describe results, beside what identifies the run.
DESCRIBES = (
    "run_id",
    "experiment",
    "config",
    "config_digest",
    "samples_digest",
    "folds_digest",
    "profile",
    "data_kind",
    "protocol",
    "subject_exclusive",
    "selection",
    "n_samples",
    "n_subjects",
    "classes",
    "class_counts",
    "excluded",
    "rows",
)
#: Columns of predictions that rounding can't change.
_EXACT_EXCEPT = ("predicted", "epoch")


@dataclass(frozen=True)
class Verification:
    """How one fold compares with what is stored of it.

    Attributes:
        unit: which.
        samples: tested clips.
        difference: largest difference of a probability.
        changed: clips whose predicted class differs.
    """

    unit: Unit
    samples: int
    difference: float
    changed: int

    @property
    def identical(self) -> bool:
        """Whether every bit is the same."""
        return self.difference == 0

    @property
    def agrees(self) -> bool:
        """Whether it is the same but for rounding."""
        return self.difference <= TOLERANCE

    def to_json(self) -> dict[str, JsonValue]:
        """Return it JSON-ready; a fold may be named after a person, so that it has no name here."""
        return {
            "row": self.unit.row,
            "seed": self.unit.seed,
            "samples": self.samples,
            "largest_difference": self.difference,
            "changed_predictions": self.changed,
            "identical": self.identical,
        }


def verify_fold(
    folder: RunFolder,
    *,
    row: str | None = None,
    fold: str | None = None,
    progress: Progress | None = None,
) -> Verification:
    """Compute one finished fold again, from the stored config, and compare; nothing is stored.

    Args:
        folder: the run.
        row: key of a row; by default the first.
        fold: its name; by default the first that is finished.
        progress: told what is being done.

    Raises:
        UserError: no such row or fold, or none is finished.
        ResultsError: data, folds or config are not those that the run began with, or the manifest
            or the predictions say of the run what isn't so.
    """
    stored = folder.manifest()
    if stored["identity"]["weights"] or any(s.get("start_from") for s in stored.get("stages", ())):
        raise UserError(f"{folder.path}: was run with weights from elsewhere, which aren't stored")
    unit = _choose(folder, stored, row, fold)
    config = Experiment.model_validate(stored["config"])
    # Drawn faces may lie in a folder of databases too, as any other.
    drawn = stored["data_kind"] == "synthetic"
    in_folder = drawn and all(map(find, config.data.databases))
    kind = "synthetic" if drawn and not in_folder else "real"
    context = compose(config, stored["profile"], kind, progress=progress)
    check_manifest(folder, stored, context)
    outcome = TaskRunner(context).compute_again(unit)
    if isinstance(outcome, FoldFailedError):
        raise ResultsError(f"{folder.path}: the fold fails now: {outcome}")
    return compare(
        folder, unit, folder.predictions([unit]), predictions_table(context, unit, outcome)
    )


def check_manifest(folder: RunFolder, stored: Mapping[str, Any], context: RunContext) -> None:
    """Check that a stored manifest says what a run of the same config would say now.

    Raises:
        ResultsError: naming what differs.
    """
    # Tuples become lists in a file.
    now = json.loads(json.dumps(make_manifest(context)))
    for key, value in context.identity.items():
        if stored["identity"].get(key) != value:
            raise ResultsError(
                f"{folder.path}: {key} is no longer what the run began with: nothing to compare"
            )
    for key in DESCRIBES:
        if stored.get(key) != now[key]:
            raise ResultsError(
                f"{folder.path}: the manifest says {key}={stored.get(key)!r}, and it is "
                f"{now[key]!r}: the file was changed after the run"
            )


def compare(
    folder: RunFolder, unit: Unit, stored: pd.DataFrame, computed: pd.DataFrame
) -> Verification:
    """Compare stored predictions of a unit with computed ones.

    Raises:
        ResultsError: they differ in what rounding can't change: samples, people, labels, and
            everything that marks or describes a result.
    """
    if list(stored.columns) != list(computed.columns) or len(stored) != len(computed):
        raise ResultsError(
            f"{folder.path}: {unit}: {len(stored)} rows of the columns "
            f"{', '.join(stored.columns)} are stored, {len(computed)} of "
            f"{', '.join(computed.columns)} expected"
        )
    names = [name for name in stored.columns if name.startswith("prob_")]
    for column in stored.columns.difference([*names, *_EXACT_EXCEPT]):
        differs = stored[column].to_numpy() != computed[column].to_numpy()
        if differs.any():
            first = int(differs.argmax())
            raise ResultsError(
                f"{folder.path}: {unit}: row {first} has {column}="
                f"{stored[column].iloc[first]!r}, expected {computed[column].iloc[first]!r}: the "
                "file was changed after the run"
            )
    before, now = stored[names].to_numpy("float32"), computed[names].to_numpy("float32")
    classes = np.array([name.removeprefix("prob_") for name in names])
    if list(classes[before.argmax(axis=1)]) != list(stored["predicted"]):
        raise ResultsError(
            f"{folder.path}: {unit}: a stored class is not the one with the highest probability"
        )
    return Verification(
        unit,
        int((~stored["is_copy"].astype(bool)).sum()),
        float(np.abs(before - now).max()),
        int((before.argmax(axis=1) != now.argmax(axis=1)).sum()),
    )


def _choose(
    folder: RunFolder, manifest: Mapping[str, Any], row: str | None, fold: str | None
) -> Unit:
    units = units_of(manifest, folder.folds())
    key = row or next(iter(units))
    if key not in units:
        raise UserError(
            f"{folder.path} has no row {key!r}{did_you_mean(key, units)}: {', '.join(units)}"
        )
    of_row = units[key]
    if fold is not None:
        named = [unit for unit in of_row if unit.fold == fold]
        if not named:
            known = [unit.fold for unit in of_row]
            raise UserError(f"{folder.path} has no fold {fold!r}{did_you_mean(fold, known)}")
        of_row = named
    done = [unit for unit in of_row if folder.is_done(unit)]
    if not done:
        raise UserError(f"{folder.path}: no such fold is finished: mer-keras resume goes on")
    return done[0]
