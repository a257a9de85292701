"""Derive one fold of a stored run anew and compare: is the run what it says it is?"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import JsonValue

from mer_keras import provenance
from mer_keras.errors import ResultsError, UserError, did_you_mean
from mer_keras.layers.choice import chosen_form
from mer_keras.progress import Progress
from mer_keras.runs.context import RunContext, compose
from mer_keras.runs.folder import RunFolder
from mer_keras.runs.json_files import Json
from mer_keras.runs.manifest import describe_run
from mer_keras.runs.naming import row_key
from mer_keras.runs.predictions import predictions_table, unit_record
from mer_keras.runs.repetition import how_it_was_run
from mer_keras.runs.stored_manifest import read_manifest
from mer_keras.runs.tasks import TaskRunner
from mer_keras.runs.units import Manifest, Unit, units_of
from mer_keras.training.fold import FoldFailedError, FoldOutcome

#: Another machine, another version or other threads round differently.
TOLERANCE = 1e-3
#: What a training on other data may round differently or take another time for.
_STAGES_MAY_DIFFER = ("seconds", "accuracy", "epoch")
#: Fields of a unit's record that describe its method; no rounding can change them.
_RECORD_MUST_EQUAL = ("parameters", "multiply_accumulates", "chosen")
#: Fields that are the same where every probability is: rounding can move an epoch.
_RECORD_WITHOUT_ROUNDING = ("epoch", "history")
#: Columns of predictions that rounding can change; ``predicted`` is checked by the probabilities.
_ROUNDING_CHANGES = ("predicted", "epoch")


@dataclass(frozen=True)
class Verification:
    """How one fold compares with what is stored of it.

    Attributes:
        unit: which.
        samples: tested clips.
        difference: largest difference of a probability, of any epoch if all are stored.
        changed: clips whose predicted class differs.
        elsewhere: versions, devices and forms of layers by which the run was made, where they are
            others than those of this process: ``what: made by, here``.
    """

    unit: Unit
    samples: int
    difference: float
    changed: int
    elsewhere: tuple[str, ...] = ()

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
            "made_elsewhere": list(self.elsewhere),
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
        fold: name of the fold; by default the first that is finished.
        progress: a callback that reports what is being done.

    Raises:
        UserError: no such row or fold, or none is finished; or a network was trained by another
            backend, so that all but its probabilities can be compared, and all of that is true.
        ResultsError: data, folds or config are not those that the run began with, or the manifest
            or the predictions say of the run what isn't so.
    """
    stored = read_manifest(folder.path)
    config, profile, data = how_it_was_run(folder)
    unit = _choose(folder, stored, row, fold)
    context = compose(config, profile, data, progress=progress)
    check_manifest(folder, stored, context)
    _check_backend(folder, stored, context, unit)
    outcome = TaskRunner(context).compute_again(unit)
    if isinstance(outcome, FoldFailedError):
        raise ResultsError(f"{folder.path}: the fold fails now: {outcome}")
    described = unit_record(outcome)
    expected = {key: described[key] for key in _RECORD_MUST_EQUAL}
    _check_equal(f"{folder.path}: {unit}: the record", folder.record(unit), expected)
    verification = compare(
        folder, unit, folder.predictions([unit]), predictions_table(context, unit, outcome)
    )
    epochs = compare_epochs(folder, unit, outcome.trajectory)
    verification = replace(
        verification,
        difference=max(verification.difference, epochs),
        elsewhere=made_elsewhere(stored),
    )
    if verification.identical:  # Where nothing was rounded otherwise, the epochs are the same too.
        expected = {key: described[key] for key in _RECORD_WITHOUT_ROUNDING}
        _check_equal(f"{folder.path}: {unit}: the record", folder.record(unit), expected)
        epoch = {"epoch": outcome.epoch}
        for record in folder.predictions([unit])[["epoch"]].to_dict("records"):
            _check_equal(f"{folder.path}: {unit}: a prediction", record, epoch)
    return verification


def check_manifest(folder: RunFolder, stored: Manifest, context: RunContext) -> None:
    """Check that a stored manifest and folds say what a run of the same config would say now.

    Raises:
        ResultsError: naming what differs.
    """
    for key, value in context.identity.items():
        if stored["identity"].get(key) != value:
            raise ResultsError(
                f"{folder.path}: {key} is no longer what the run began with: nothing to compare"
            )
    expected: Json = json.loads(json.dumps(describe_run(context)))  # JSON turns tuples into lists.
    _check_equal(f"{folder.path}: the manifest", _comparable(stored), _comparable(expected))
    if folder.folds().digest() != context.folds.digest():
        raise ResultsError(f"{folder.path}: the folds were changed after the run")


def made_elsewhere(stored: Manifest) -> tuple[str, ...]:
    """Say by which versions, device and layers a run was made, where they are others than here."""
    versions = provenance.versions()
    by_name = {
        **{name: (stored["versions"].get(name), number) for name, number in versions.items()},
        "backend": (stored["backend"], provenance.backend()),
        "device": (stored["device"], provenance.device()),
        "layers": (stored.get("layers"), str(chosen_form())),
    }
    return tuple(
        f"{name}: {made_by}, here {number}"
        for name, (made_by, number) in by_name.items()
        if made_by not in (None, number)
    )


def _check_backend(folder: RunFolder, stored: Manifest, context: RunContext, unit: Unit) -> None:
    """Refuse to train a network of another backend, after its fold was checked without training.

    Raises:
        UserError: the run was made by another backend, which draws other first weights from the
            same seed: the two trainings have nothing in common that could be compared.
        ResultsError: what the predictions say of clips, people and labels isn't so.
    """
    trains = {plan.key: plan.config.network is not None for plan in context.config.plans}
    backend = provenance.backend()
    if stored["backend"] == backend or not trains[unit.row]:
        return
    predictions = folder.predictions([unit])
    tested = predictions[~predictions["is_copy"].astype(bool)].reset_index(drop=True)
    names = [name for name in tested.columns if name.startswith("prob_")]
    # No epoch is compared: rounding can change it.
    outcome = FoldOutcome(epoch=0, probabilities=tested[names].to_numpy("float32"))
    compare(folder, unit, tested, predictions_table(context, unit, outcome))
    others = [row for row in trains if not trains[row]]
    remedy = f"KERAS_BACKEND={stored['backend']} computes it again"
    if others:
        remedy += f"; --row {others[0]} trains no network and can be computed by any backend"
    raise UserError(
        f"{folder.path}: {unit.row} was trained by backend {stored['backend']}, and here it is "
        f"{backend}, which draws other first weights from the same seed: config, data, folds, "
        f"people and labels are what the run says, its probabilities can't be compared: {remedy}"
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
    exact = stored.columns.difference([*names, *_ROUNDING_CHANGES])
    rows = zip(stored[exact].to_dict("records"), computed[exact].to_dict("records"), strict=True)
    for number, (stored_row, computed_row) in enumerate(rows):
        _check_equal(f"{folder.path}: {unit}: row {number}", stored_row, computed_row)
    old, new = stored[names].to_numpy("float32"), computed[names].to_numpy("float32")
    classes = np.array([name.removeprefix("prob_") for name in names])
    if list(classes[old.argmax(axis=1)]) != list(stored["predicted"]):
        raise ResultsError(
            f"{folder.path}: {unit}: a stored class is not the one with the highest probability"
        )
    return Verification(
        unit,
        int((~stored["is_copy"].astype(bool)).sum()),
        float(np.abs(old - new).max()),
        int((old.argmax(axis=1) != new.argmax(axis=1)).sum()),
    )


def compare_epochs(folder: RunFolder, unit: Unit, computed: NDArray[np.float32] | None) -> float:
    """Compare stored probabilities of all epochs, (epochs, clips, classes), with computed ones.

    Rounding may end a training an epoch earlier or later; what both have is compared.

    Returns:
        the largest difference; 0 where no epochs are stored, and none should be.

    Raises:
        ResultsError: they are stored and should not be, or the reverse, or of other classes.
    """
    stored = folder.trajectory(unit)
    if stored is None and computed is None:
        return 0.0
    if stored is None or computed is None or stored.shape[1:] != computed.shape[1:]:
        raise ResultsError(
            f"{folder.path}: {unit}: probabilities of all epochs are not stored as they should be: "
            "the files were changed after the run"
        )
    epochs = min(len(stored), len(computed))
    difference = np.abs(stored[:epochs] - computed[:epochs]).max(initial=0)
    if not np.isfinite(stored).all() or not epochs or len(stored) > len(computed) + epochs:
        raise ResultsError(f"{folder.path}: {unit}: the stored epochs are no probabilities")
    if difference == 0 and len(stored) != len(computed):
        raise ResultsError(
            f"{folder.path}: {unit}: {len(stored)} epochs are stored, and there are "
            f"{len(computed)}: the file was changed after the run"
        )
    return float(difference)


def _check_equal(file: str, stored: Mapping[str, object], expected: Mapping[str, object]) -> None:
    for key, value in expected.items():
        if stored.get(key) != value:
            raise ResultsError(
                f"{file} says {key}={stored.get(key)!r}, and it is {value!r}: the file was changed "
                "after the run"
            )


def _comparable(manifest: Manifest) -> Manifest:
    """A manifest; of its stages without what differs when they are trained again."""
    stages = [
        {key: value for key, value in stage.items() if key not in _STAGES_MAY_DIFFER}
        for stage in manifest["stages"]
    ]
    return {**manifest, "stages": stages}


def _choose(folder: RunFolder, manifest: Manifest, row: str | None, fold: str | None) -> Unit:
    units = units_of(manifest, folder.folds())
    names = [(entry["key"], entry["name"]) for entry in manifest["rows"]]
    key = row_key(str(folder.path), row, names) if row else next(iter(units))
    of_row = [unit for unit in units[key] if fold in (None, unit.fold)]
    if not of_row:
        known = [unit.fold for unit in units[key]]
        raise UserError(f"{folder.path} has no fold {fold!r}{did_you_mean(str(fold), known)}")
    done = [unit for unit in of_row if folder.is_done(unit)]
    if not done:
        raise UserError(f"{folder.path}: no such fold is finished: mer-keras resume goes on")
    return done[0]
