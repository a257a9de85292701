"""Networks: trained fold by fold with ``fit``, or many folds at once where that pays."""

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from mer_keras.arrays import Inputs, Labels
from mer_keras.config.training import Train
from mer_keras.flow_channels import FlowForm
from mer_keras.methods.contract import FitOptions, FoldOptions, FoldResult, Method, Probabilities
from mer_keras.models.weights import load_weights
from mer_keras.training.assembly import check_changes
from mer_keras.training.fold import FitRecord, FoldRows
from mer_keras.training.learned import Learned
from mer_keras.training.trainer import Trainer
from mer_keras.training.vectorised.all_folds import AllFolds
from mer_keras.training.vectorised.batches import chunks
from mer_keras.training.vectorised.engine import folds_at_once

if TYPE_CHECKING:
    import keras


class NetworkMethod(Method):
    """A Keras network and its training recipe."""

    def __init__(
        self,
        build: Callable[[], "keras.Model"],
        recipe: Train,
        start: Callable[["keras.Model"], None] | None = None,
        *,
        alone: bool = False,
        flow: Sequence[FlowForm | None] = (),
    ) -> None:
        """Prepare; nothing is built before it is needed.

        Args:
            build: returns a new, uncompiled network with random weights.
            recipe: how it is trained.
            start: gives it other weights before each fold, such as pretrained ones.
            alone: train each fold by itself, also where folds could be trained together.
            flow: what the channels of each input are, None for pictures; empty: all are pictures.

        Raises:
            ConfigError: training would change flow as if it were a picture.
        """
        check_changes(recipe.augmentation, flow)
        self.trainer = Trainer(build, recipe, start, flow=flow)
        self._alone = alone
        #: Clips and labels of the latest call, and what trains stacks of their folds.
        self._vectorised: tuple[Inputs, Labels, AllFolds] | None = None

    @property
    def parameters(self) -> int:
        """Number of weights, moving statistics included."""
        return int(self.trainer.network.count_params())

    @property
    def multiply_accumulates(self) -> int | None:
        """Multiplications and additions of a forward pass of one clip; None if unknown."""
        return self.trainer.multiply_accumulates

    def divide(self, y: Labels, folds: Sequence[FoldRows]) -> list[list[int]]:
        """Stacks of folds with equally many batches an epoch; see ``Method.divide``."""
        at_once = self._folds_at_once
        if at_once <= 1:
            return super().divide(y, folds)
        return list(chunks(folds, y, self.trainer.recipe, at_once))

    @cached_property
    def _folds_at_once(self) -> int:
        """Folds of a stack; 0 where each fold is trained with ``fit``."""
        folds = folds_at_once(self.trainer)
        return min(folds, 1) if self._alone else folds

    def fit(self, x: Inputs, y: Labels, **options: Unpack[FitOptions]) -> FitRecord:
        """Train from fresh weights; see ``Method.fit``.

        Raises:
            FoldFailedError: the loss or a weight is no longer finite.
            OutOfMemoryError: a batch doesn't fit into the device's memory.
        """
        # A network chooses nothing by training clips, so that it needn't know their subjects.
        return self.trainer.fit(
            x,
            y,
            validation=options.get("validation"),
            seed=options.get("seed", 0),
            on_epoch=options.get("on_epoch"),
            epochs=options.get("epochs"),
        )

    def predict_proba(self, x: Inputs) -> Probabilities:
        """See ``Method.predict_proba``."""
        return self.trainer.predict(x)

    def predict_changed(self, x: Inputs) -> Probabilities:
        """See ``Method.predict_changed``."""
        return self.trainer.predict_changed(x)

    def learned(self) -> Learned:
        """Weights and statistics by the paths of their variables; see ``Method.learned``."""
        return self.trainer.learned()

    def restore(self, learned: Learned, name: str = "") -> None:
        """See ``Method.restore``."""
        self.trainer.restore(learned, name)

    def fit_predict_folds(
        self,
        x: Inputs,
        y: Labels,
        folds: Sequence[FoldRows],
        seeds: Sequence[int],
        **options: Unpack[FoldOptions],
    ) -> list[FoldResult]:
        """As ``Method.fit_predict_folds``, without ``fit`` where the recipe's engine says so."""
        if not self._folds_at_once:
            return super().fit_predict_folds(x, y, folds, seeds, **options)
        latest = self._vectorised
        if latest is None or latest[0] is not x or latest[1] is not y:
            latest = self._vectorised = x, y, AllFolds(self.trainer, x, y)
        outcome_of: dict[int, FoldResult] = {}
        for positions in self.divide(y, folds):
            outcomes = latest[2].fit_predict(
                [folds[position] for position in positions],
                [seeds[position] for position in positions],
                **options,
            )
            outcome_of |= dict(zip(positions, outcomes, strict=True))
        return [outcome_of[position] for position in range(len(folds))]


class GivenWeights(NetworkMethod):
    """A network whose weights were trained elsewhere: each fold is tested, and nothing is fitted.

    Only the statistics that inputs are standardised by come from the fold's training clips.
    """

    def __init__(
        self,
        build: Callable[[], "keras.Model"],
        recipe: Train,
        weights_of: Callable[[str], Path],
        flow: Sequence[FlowForm | None] = (),
    ) -> None:
        """Prepare.

        Args:
            build: returns the network.
            recipe: says whether inputs are standardised, and how copies are changed.
            weights_of: the weight file of a fold, by its name.
            flow: as for ``NetworkMethod``.
        """
        super().__init__(build, recipe.model_copy(update={"engine": "sequential"}), flow=flow)
        self._weights_of = weights_of

    def use_fold(self, name: str) -> None:
        """Load the weights of a fold."""
        load_weights(self.trainer.network, self._weights_of(name))

    def fit(self, x: Inputs, y: Labels, **options: Unpack[FitOptions]) -> FitRecord:
        """Take the statistics of the training clips, and nothing else."""
        self.trainer.standardise_by(x)
        return FitRecord(epoch=0)
