"""Derive one fold of a stored run anew and compare: is the run what it says it is?"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from mer_keras.config.experiment import Experiment
from mer_keras.databases.registry import find
from mer_keras.errors import ResultsError, UserError, did_you_mean
from mer_keras.progress import Progress
from mer_keras.runs.folder import RunFolder, Unit, units_of
from mer_keras.runs.manifest import make_manifest
from mer_keras.runs.prepare import prepare
from mer_keras.runs.pretrain import pretrain
from mer_keras.runs.run import stage_records
from mer_keras.runs.tasks import RowWork

#: another machine, another version or other threads round differently
TOLERANCE = 1e-3


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

    def to_json(self) -> dict[str, Any]:
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
        row: key of a row; by default the first network.
        fold: its name; by default the first that is finished.
        progress: told what is being done.

    Raises:
        UserError: no such row or fold, or none is finished.
        ResultsError: data, folds or config are not those that the run began with.
    """
    stored = folder.manifest()
    if stored["identity"]["weights"] or any(s.get("start_from") for s in stored.get("stages", ())):
        raise UserError(f"{folder.path}: was run with weights from elsewhere, which aren't stored")
    unit = _choose(folder, stored, row, fold)
    config = Experiment.model_validate(stored["config"])
    # drawn faces may lie in a folder of databases too, as any other
    drawn = stored["data_kind"] == "synthetic"
    in_folder = drawn and all(map(find, config.data.databases))
    prepared = prepare(config, "synthetic" if drawn and not in_folder else "real", progress)
    trunks = pretrain(config, prepared, None, progress)
    manifest = make_manifest(config, stored["profile"], prepared, None, stage_records(trunks))
    for key, value in stored["identity"].items():
        if manifest["identity"].get(key) != value:
            raise ResultsError(
                f"{folder.path}: {key} is no longer what the run began with: nothing to compare"
            )
    entry = next(entry for entry in stored["rows"] if entry["key"] == unit.row)
    computed = RowWork(stored, entry, config, prepared, None, trunks).again(unit)
    if computed.table is None:
        raise ResultsError(f"{folder.path}: the fold fails now: {computed.failure}")
    names = [f"prob_{name}" for name in prepared.classes]
    was, is_now = (
        table[~table["is_copy"].astype(bool)].set_index("sample_id")[names]
        for table in (folder.predictions([unit]), computed.table)
    )
    before, after = was.loc[is_now.index].to_numpy("float32"), is_now.to_numpy("float32")
    return Verification(
        unit,
        len(after),
        float(np.abs(before - after).max()),
        int((before.argmax(axis=1) != after.argmax(axis=1)).sum()),
    )


def _choose(folder: RunFolder, manifest: dict[str, Any], row: str | None, fold: str | None) -> Unit:
    units = units_of(manifest, folder.folds())
    networks = [entry["key"] for entry in manifest["rows"] if entry["kind"] == "network"]
    key = row or networks[0]
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
