"""From nothing to a page: a drawn recording, a bundle, a prediction. No data is needed."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from mer_keras.bundles.bundle import Bundle
from mer_keras.bundles.fitting import train, write_bundle
from mer_keras.bundles.loading import load_bundle
from mer_keras.config.files import load_experiments
from mer_keras.databases import registry
from mer_keras.prediction.predict import Predicted, PredictOptions, predict_recording
from mer_keras.prediction.sources import NamedSource
from mer_keras.prediction.writing import PAGE, write_prediction
from mer_keras.progress import Progress
from mer_keras.video.drawn import DrawnRecording, Event
from mer_keras.video.options import SpotOptions

#: Names of the files, beside those of the prediction.
RECORDING, BUNDLE = "drawn.avi", "demo.mer"
#: What is trained where the public set is absent.
EXPERIMENT = Path(__file__).with_name("demo.yaml")
#: The public set, and the experiment that is trained on it where it is present.
_PUBLIC, _ON_PUBLIC = "megc2019_flow", "ststnet/megc2019"
_FPS = 100.0
#: Side of the drawn face in pixels.
_FACE = 224
#: Action units and the second of the apex of each drawn expression: a smile, brows that are
#: lowered, brows that are raised.
_DRAWN = (("12", 1.2), ("4", 3.1), ("2", 4.9))
#: Seconds from onset to apex, and from apex to offset.
_RISE, _FALL = 0.16, 0.2
_SECONDS = 6.2
#: Greatest displacement of the skin, in pixels of the frame.
_PIXELS = 6.0


class Demonstration(NamedTuple):
    """What was made.

    Attributes:
        page: the page.
        drawn: the expressions that were drawn.
        predicted: what was said of those that were spotted.
        bundle: what said it.
    """

    page: Path
    drawn: tuple[Event, ...]
    predicted: Predicted
    bundle: Bundle


def demonstrate(
    folder: Path,
    tell: Callable[[str], None],
    progress: Progress | None = None,
    profile: str = "quick",
) -> Demonstration:
    """Draw a recording, fit a small network, spot, predict, and write everything into a folder.

    Args:
        folder: created if absent; files of the same names are replaced.
        tell: told in a sentence what is done next.
        progress: told how far each step is.
        profile: of the training.

    Raises:
        UserError: a file can't be written.
        FoldFailedError: the training failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    recording = drawn_recording()
    tell(f"drawing a face with {len(recording.events)} expressions: {RECORDING}")
    video = recording.write(folder / RECORDING)
    name, data = training_of_demo()
    tell(f"fitting a small network ({name}) to {data}: {BUNDLE}")
    experiment = EXPERIMENT if name == "demo" else name
    (config,) = load_experiments(str(experiment), profile=profile)
    kind = "synthetic" if name == "demo" else "real"
    row = None if name == "demo" else "STSTNet"
    bundle = train(config, profile=profile, data=kind, row=row, progress=progress)
    write_bundle(bundle, folder / BUNDLE)
    tell("spotting and predicting, as mer-keras predict does")
    options = PredictOptions(
        spotting=SpotOptions(), treat_as="recording", allow_synthetic=True, keep_pictures=True
    )
    loaded = load_bundle(folder / BUNDLE)
    predicted = predict_recording(loaded, NamedSource("drawn", video), options, progress)
    write_prediction(predicted, folder)
    return Demonstration(folder / PAGE, recording.events, predicted, loaded)


def drawn_recording() -> DrawnRecording:
    """The recording: a face at rest that shows three small expressions."""
    events = tuple(
        Event(
            onset=round((apex - _RISE) * _FPS),
            apex=round(apex * _FPS),
            offset=round((apex + _FALL) * _FPS),
            unit=unit,
            pixels=_PIXELS,
        )
        for unit, apex in _DRAWN
    )
    frames = round(_SECONDS * _FPS)
    return DrawnRecording(events, frames, _FPS, face_size=_FACE, frame_size=(320, 240))


def training_of_demo() -> tuple[str, str]:
    """Return the experiment that is trained, and what its clips are, in words."""
    if registry.find(_PUBLIC) is None:
        return "demo", "clips of drawn faces"
    return _ON_PUBLIC, "the public flow images of MEGC 2019"
