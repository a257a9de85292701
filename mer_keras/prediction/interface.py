"""What users call from Python: ``mer_keras.load_bundle(path).predict(video)``."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from mer_keras.arrays import OneInput
from mer_keras.bundles import loading
from mer_keras.bundles.bundle import Bundle, Votes
from mer_keras.bundles.card import Card
from mer_keras.errors import UserError
from mer_keras.prediction.given import GivenInterval, in_order, is_elan, read_intervals
from mer_keras.prediction.predict import PredictOptions, Treatment, predict_recording
from mer_keras.prediction.result import Prediction
from mer_keras.prediction.sources import sources_of
from mer_keras.progress import Progress
from mer_keras.video.options import SpotOptions

#: An interval in Python: onset, apex (None: looked for) and offset, frames that count from 0.
Span = tuple[int, int | None, int]


class LoadedBundle:
    """A trained method that has been read and checked."""

    def __init__(self, bundle: Bundle) -> None:
        """Take a bundle."""
        self._bundle = bundle

    @property
    def card(self) -> Card:
        """What it says of itself: training data, estimate, terms."""
        return self._bundle.card

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the votes."""
        return self._bundle.classes

    @property
    def digest(self) -> str:
        """SHA-256 of the file."""
        return self._bundle.digest

    def predict_inputs(self, inputs: Mapping[str, OneInput]) -> Votes:
        """Let the bundle vote on arrays; see ``bundles.bundle.Bundle.predict_inputs``."""
        return self._bundle.predict_inputs(inputs)

    def predict(
        self,
        video: Path | str | Sequence[Path | str],
        *,
        intervals: Path | str | Sequence[Span] = (),
        treat_as: Treatment = "auto",
        fps: float | None = None,
        spotting: SpotOptions | None = None,
        allow_synthetic: bool = False,
        progress: Progress | None = None,
    ) -> Prediction:
        """Say what the expressions in one recording are called, and why that may not be believed.

        Args:
            video: a video, a folder of frames, or the two or three images (onset, apex, offset) of
                one expression.
            intervals: where expressions are: a table (see ``given.read_intervals``), an ELAN file
                (.eaf), or onset, apex and offset of each; none: they are spotted.
            treat_as: ``clip``: the recording is one expression; ``recording``: expressions are
                spotted; ``auto``: what is shorter than two seconds is a clip.
            fps: frames a second of images.
            spotting: how expressions are spotted, and how the face is found.
            allow_synthetic: use a bundle that was trained on drawn faces.
            progress: called with (what is done, done, in all).

        Returns:
            What ``result.json`` holds: ``.intervals`` with ``.votes``, ``.decision``,
            ``.withheld`` and ``.remarks``; ``.remarks`` on the recording; ``.not_for``.

        Raises:
            UserError: the bundle can't be used on videos, or ``video`` names several recordings.
            FrameError: the recording can't be used.
        """
        paths = [video] if isinstance(video, str | Path) else list(video)
        named, *others = sources_of([Path(path) for path in paths])
        if others:
            raise UserError(f"{video}: {1 + len(others)} recordings: name one of them")
        options = PredictOptions(
            spotting=spotting or SpotOptions(),
            intervals=_given(intervals),
            elan=_elan(intervals),
            treat_as=treat_as,
            fps=fps,
            allow_synthetic=allow_synthetic,
        )
        return predict_recording(self._bundle, named, options, progress).prediction


def load_bundle(path: Path | str, expect: str | None = None) -> LoadedBundle:
    """Read a bundle; see ``mer_keras.load_bundle``."""
    return LoadedBundle(loading.load_bundle(path, expect))


def _elan(intervals: Path | str | Sequence[Span]) -> Path | None:
    if isinstance(intervals, str | Path) and is_elan(Path(intervals)):
        return Path(intervals)
    return None


def _given(intervals: Path | str | Sequence[Span]) -> tuple[GivenInterval, ...]:
    if isinstance(intervals, str | Path):
        return () if is_elan(Path(intervals)) else tuple(read_intervals(Path(intervals)))
    return tuple(
        in_order(GivenInterval(f"interval {number}", "", onset, apex, offset, in_seconds=False))
        for number, (onset, apex, offset) in enumerate(intervals, start=1)
    )
