"""The pieces of a run: folds of one row that are computed together, and what they give.

A piece is computed without the run folder, wherever that is done; storing is the caller's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mer_keras.config.experiment import Experiment
from mer_keras.models import baselines, registry
from mer_keras.models.weights import fold_weights, load_weights
from mer_keras.progress import EpochProgress
from mer_keras.protocols.folds import Fold
from mer_keras.runs.folder import RunFolder, Unit, units_of
from mer_keras.runs.manifest import fold_seed
from mer_keras.runs.prepare import Prepared, copies_to_test, fold_rows
from mer_keras.runs.pretrain import Trunk
from mer_keras.training.engine import folds_at_once
from mer_keras.training.fold import FoldFailedError, FoldOutcome, FoldRows
from mer_keras.training.trainer import Trainer
from mer_keras.training.vectorised.all_folds import AllFolds, chunks

#: units of one row that are computed together
Piece = tuple[Unit, ...]


@dataclass(frozen=True)
class Computed:
    """What one unit gave: predictions and their record, or why there are none."""

    unit: Unit
    table: pd.DataFrame | None = None
    record: dict[str, Any] | None = None
    failure: str = ""

    def store(self, folder: RunFolder) -> None:
        """Put it into a run folder that is open for writing."""
        if self.table is None:
            folder.fail(self.unit, self.failure)
        else:
            folder.store(self.unit, self.table, self.record or {})


class RowWork:
    """Computes the pieces of one row of a table."""

    def __init__(
        self,
        manifest: dict[str, Any],
        entry: dict[str, Any],
        config: Experiment,
        prepared: Prepared,
        weights: Path | None = None,
        trunks: dict[str, Trunk] | None = None,
        *,
        alone: bool = False,
    ) -> None:
        """Prepare; nothing is built before the first piece.

        Args:
            manifest: of the run.
            entry: of the row in it.
            config: the experiment.
            prepared: its data and folds.
            weights: weights that are tested instead of training.
            trunks: what rows start from (see ``pretrain``).
            alone: train each fold by itself, also where folds could be trained together.
        """
        self._manifest = manifest
        self._entry = entry
        self._config = config
        self._prepared = prepared
        self._weights = weights
        self._trunk = (trunks or {}).get(entry["name"])
        self._alone = alone
        self._fold_of = {fold.name: fold for fold in prepared.folds.folds}

    @property
    def name(self) -> str:
        """The row's name."""
        return str(self._entry["name"])

    @property
    def units(self) -> list[Unit]:
        """All units of the row."""
        return units_of(self._manifest, self._prepared.folds)[self._entry["key"]]

    def pieces(self) -> list[Piece]:
        """All pieces of the row. They depend on the folds and the config alone."""
        if self._at_once <= 1:
            return [(unit,) for unit in self.units]
        found = []
        for seed in self._config.seeds:
            of_seed = [unit for unit in self.units if unit.seed == seed]
            rows = [self._rows(unit) for unit in of_seed]
            for places in chunks(rows, self._config.train.batch_size, self._at_once):
                found.append(tuple(of_seed[place] for place in places))
        return found

    def compute(self, piece: Piece, tell: EpochProgress) -> Iterator[Computed]:
        """Compute the units of a piece; ``tell`` is called after each epoch."""
        rows = [self._rows(unit) for unit in piece]
        for unit, outcome in zip(piece, self._outcomes(piece, rows, tell), strict=True):
            if isinstance(outcome, FoldFailedError):
                yield Computed(unit, failure=str(outcome))
                continue
            record = {
                "seconds": outcome.seconds,
                "epoch": outcome.epoch,
                "parameters": outcome.parameters,
                "multiply_accumulates": outcome.multiply_accumulates,
                "history": outcome.history,
            }
            yield Computed(unit, self._table(unit, outcome), record)

    def again(self, unit: Unit) -> Computed:
        """Compute one unit as the run does, within its piece."""
        piece = next(piece for piece in self.pieces() if unit in piece)
        found = self.compute(piece, lambda epoch, epochs: None)
        return next(computed for computed in found if computed.unit == unit)

    def _outcomes(
        self, piece: Piece, rows: Sequence[FoldRows], tell: EpochProgress
    ) -> list[FoldOutcome | FoldFailedError]:
        """Train and test the units of a piece, or whatever the row does in place of training."""
        seeds = [fold_seed(unit.seed, unit.fold) for unit in piece]
        if self._at_once:
            return self._engine.fit_predict(rows, self._config.selection, seeds, tell)
        one = self._baseline if self._entry["kind"] == "baseline" else self._trained
        found: list[FoldOutcome | FoldFailedError] = []
        for unit, of_unit, seed in zip(piece, rows, seeds, strict=True):
            try:
                found.append(one(self._fold_of[unit.fold], of_unit, seed, tell))
            except FoldFailedError as error:
                found.append(error)
        return found

    @cached_property
    def _trainer(self) -> Trainer:
        return make_trainer(self._config, self.name, self._prepared, self._trunk)

    @cached_property
    def _engine(self) -> AllFolds:
        return AllFolds(self._trainer, self._prepared.clips.arrays, self._prepared.labels)

    @cached_property
    def _at_once(self) -> int:
        """Folds of a stack; 0 where nothing is stacked."""
        if self._entry["kind"] == "baseline" or self._weights:
            return 0
        fitting = folds_at_once(self._trainer)
        return min(fitting, 1) if self._alone else fitting

    def _rows(self, unit: Unit) -> FoldRows:
        fold = self._fold_of[unit.fold]
        copies = None
        if self._config.evaluate_augmented and self._entry["kind"] == "network":
            copies = copies_to_test(self._prepared, fold, unit.seed)
        seed = fold_seed(unit.seed, unit.fold)
        return fold_rows(self._prepared, fold, self._config.train.balance, seed, copies=copies)

    def _baseline(self, fold: Fold, rows: FoldRows, seed: int, tell: EpochProgress) -> FoldOutcome:
        prepared, name = self._prepared, self._entry["model"]
        clips = prepared.motion if name == "flow_svm" and prepared.motion else prepared.clips
        data = rows.gather(clips.arrays, prepared.labels)
        original, classes = ~data.is_copy, len(prepared.classes)
        probabilities = baselines.predict(
            name, data.x_train[original], data.y_train[original], data.x_test, classes, seed
        )
        return FoldOutcome(probabilities, epoch=0)

    def _trained(self, fold: Fold, rows: FoldRows, seed: int, tell: EpochProgress) -> FoldOutcome:
        trainer = self._trainer
        data = rows.gather(self._prepared.clips.arrays, self._prepared.labels)
        if self._weights is None:
            return trainer.fit_predict(data, self._config.selection, seed, tell)
        load_weights(trainer.network, fold_weights(self._weights, fold.name))
        trainer.standardise_by(data)
        return FoldOutcome(
            trainer.predict(data.x_test), epoch=0, parameters=trainer.network.count_params()
        )

    def _table(self, unit: Unit, outcome: FoldOutcome) -> pd.DataFrame:
        manifest, entry = self._manifest, self._entry
        classes = self._prepared.classes
        fold = self._fold_of[unit.fold]
        copies: list[str] = []
        probabilities = outcome.probabilities
        if outcome.copies is not None:
            copies = copies_to_test(self._prepared, fold, unit.seed)
            probabilities = np.concatenate([probabilities, outcome.copies])
        tested = [*fold.test, *copies]
        samples = self._prepared.samples.table.set_index("sample_id").loc[tested]
        chosen = probabilities.argmax(axis=1)
        table = pd.DataFrame(
            {
                "run_id": manifest["run_id"],
                "experiment": manifest["experiment"],
                "table": manifest["config"]["table"],
                "row": entry["key"],
                "model": entry["model"],
                "protocol": manifest["protocol"],
                "selection": entry["selection"],
                "data_kind": manifest["data_kind"],
                "database": samples["database"].to_numpy(),
                "fold": fold.name,
                "seed": unit.seed,
                "sample_id": tested,
                "subject_id": samples["subject_id"].to_numpy(),
                "label": samples["label"].to_numpy(),
                "predicted": [classes[i] for i in chosen],
                "epoch": outcome.epoch,
                "is_copy": [False] * len(fold.test) + [True] * len(copies),
            }
        )
        for i, name in enumerate(classes):
            table[f"prob_{name}"] = probabilities[:, i]
        return table


def make_trainer(
    config: Experiment, name: str, prepared: Prepared, trunk: Trunk | None = None
) -> Trainer:
    """Return what trains the network of the row ``name``, from a trunk if one is given."""
    row = next(row for row in config.rows if row.name == name)
    shape, classes = prepared.clips.arrays.shape[1:], len(prepared.classes)
    build = partial(registry.build, str(row.model), shape, classes, **row.arguments)
    start = trunk.starter(prepared.classes) if trunk else None
    return Trainer(build, config.train, start)


def rows_of(
    manifest: dict[str, Any],
    config: Experiment,
    prepared: Prepared,
    weights: Path | None = None,
    trunks: dict[str, Trunk] | None = None,
    *,
    alone: bool = False,
) -> list[RowWork]:
    """Return the work of every row and baseline of a run (see ``RowWork``)."""
    return [
        RowWork(manifest, entry, config, prepared, weights, trunks, alone=alone)
        for entry in manifest["rows"]
    ]
