"""The contract of all methods."""

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias, TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from mer_keras.arrays import Inputs, Labels, take
from mer_keras.progress import EpochProgress
from mer_keras.training.fold import FitRecord, FoldFailedError, FoldOutcome, FoldRows
from mer_keras.training.learned import Learned, from_bytes, to_bytes
from mer_keras.whole_files import write_whole

Probabilities: TypeAlias = NDArray[np.float32]
#: What a fold gave, or the error in its place.
FoldResult: TypeAlias = FoldOutcome | FoldFailedError
#: The file in which a method saves what it learned.
FILE = "learned.npz"


class FitOptions(TypedDict, total=False):
    """What ``Method.fit`` may be told besides the training clips."""

    validation: tuple[Inputs, Labels] | None
    subjects: NDArray[np.int64] | None
    seed: int
    on_epoch: EpochProgress | None
    epochs: int | None


class FoldOptions(TypedDict, total=False):
    """What ``Method.fit_predict_folds`` may be told besides clips, folds and seeds."""

    record_epochs: bool
    on_epoch: EpochProgress | None
    keep_learned: bool


class Method(ABC):
    """Learns classes of clips, and predicts them.

    A method is made once for a row of a table and fitted anew for every fold: nothing that an
    earlier fold taught it is left after ``fit`` begins.
    """

    @property
    def parameters(self) -> int | None:
        """Number of weights of a network; None where there are none."""
        return None

    @property
    def multiply_accumulates(self) -> int | None:
        """Multiplications and additions for one clip; None where nobody counts them."""
        return None

    def divide(self, y: Labels, folds: Sequence[FoldRows]) -> list[list[int]]:
        """Which of some folds ``fit_predict_folds`` is to compute together: their positions.

        It depends on nothing but the folds, the classes of their clips and the method, so that a
        run that goes on has the division it began with.
        """
        return [[position] for position in range(len(folds))]

    @abstractmethod
    def fit(
        self,
        x: Inputs,
        y: Labels,
        *,
        validation: tuple[Inputs, Labels] | None = None,
        subjects: NDArray[np.int64] | None = None,
        seed: int = 0,
        on_epoch: EpochProgress | None = None,
        epochs: int | None = None,
    ) -> FitRecord:
        """Learn from training clips.

        Args:
            x: training clips, (clips, ...) float32, or as ``arrays.Inputs`` says.
            y: (clips,) int32 class numbers.
            validation: clips and classes that may choose an epoch or a hyper-parameter, and teach
                nothing else; None: no other clips choose.
            subjects: (clips,) a number for each training clip's subject, by which training clips
                can choose a hyper-parameter; None: they can't.
            seed: of every random draw.
            on_epoch: called after each epoch, in which ``predict_proba`` may be called.
            epochs: end after so many epochs, with the learning rates that the whole training would
                have in them; None: the recipe's.

        Raises:
            FoldFailedError: these clips can't be learned from.
        """

    def use_fold(self, name: str) -> None:  # noqa: B027 - Most methods prepare nothing.
        """Prepare for the fold of a name before ``fit``, such as by loading weights made for it."""

    @abstractmethod
    def predict_proba(self, x: Inputs) -> Probabilities:
        """Class probabilities of clips, (clips, classes) float32; 0 and 1 for a mere decision."""

    @abstractmethod
    def learned(self) -> Learned:
        """Return all that ``fit`` taught, so that ``restore`` makes a new method predict alike."""

    @abstractmethod
    def restore(self, learned: Learned, name: str = "") -> None:
        """Take what another method of the same row has learned, in place of ``fit``.

        Args:
            learned: what its ``learned`` returned, or a file that claims so.
            name: names the file in messages.

        Raises:
            UserError: it isn't what a method of this row learns; the method is as it was.
        """

    def save(self, folder: Path) -> None:
        """Write what was learned into a folder; reading it runs no code (``training.learned``)."""
        write_whole(folder / FILE, to_bytes(self.learned()))

    def load(self, folder: Path) -> None:
        """Read what ``save`` of a method of the same row wrote.

        Raises:
            UserError: see ``restore`` and ``training.learned.from_bytes``.
        """
        file = folder / FILE
        self.restore(from_bytes(file.read_bytes(), str(file)), str(file))

    def predict_changed(self, x: Inputs) -> Probabilities:
        """As ``predict_proba``, of clips that are first changed as training changes copies."""
        return self.predict_proba(x)

    def fit_predict_folds(
        self,
        x: Inputs,
        y: Labels,
        folds: Sequence[FoldRows],
        seeds: Sequence[int],
        **options: Unpack[FoldOptions],
    ) -> list[FoldResult]:
        """Fit and test several folds, each from the beginning.

        Args:
            x: the clips of all folds.
            y: (clips,) int32 class numbers.
            folds: rows of ``x`` that are trained on, that choose, and that are tested.
            seeds: one a fold.
            record_epochs: keep the tested clips' probabilities after every epoch.
            on_epoch: called after each epoch.
            keep_learned: keep what each fold has learned.

        Returns:
            one outcome a fold; the error in its place if a fold failed, the others go on.
        """
        outcomes: list[FoldResult] = []
        for rows, seed in zip(folds, seeds, strict=True):
            self.use_fold(rows.name)
            try:
                outcomes.append(self._fit_predict(x, y, rows, seed, **options))
            except FoldFailedError as error:
                outcomes.append(error)
        return outcomes

    def _fit_predict(
        self, x: Inputs, y: Labels, rows: FoldRows, seed: int, **options: Unpack[FoldOptions]
    ) -> FoldOutcome:
        started, on_epoch = time.perf_counter(), options.get("on_epoch")
        tested = take(x, rows.test)
        trajectory: list[Probabilities] = []

        def after_epoch(epoch: int, epochs: int) -> None:
            if options.get("record_epochs"):
                trajectory.append(self.predict_proba(tested))
            if on_epoch is not None:
                on_epoch(epoch, epochs)

        fit = self.fit(
            take(x, rows.train),
            y[rows.train],
            validation=(take(x, rows.val), y[rows.val]) if len(rows.val) else None,
            subjects=rows.subjects,
            seed=seed,
            on_epoch=after_epoch,
        )
        return FoldOutcome(
            probabilities=self.predict_proba(tested),
            epoch=fit.epoch,
            history=fit.history,
            seconds=time.perf_counter() - started,
            parameters=self.parameters,
            multiply_accumulates=self.multiply_accumulates,
            copies=None if rows.copies is None else self.predict_changed(take(x, rows.copies)),
            trajectory=np.stack(trajectory) if trajectory else None,
            chosen=fit.chosen,
            learned=self.learned() if options.get("keep_learned") else None,
        )
