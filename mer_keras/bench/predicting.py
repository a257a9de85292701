"""Time from a given interval of a recording to the vote of a trained network on it."""

import time

from mer_keras.bench.case import CaseOptions
from mer_keras.bench.measure import Measurement, time_ways
from mer_keras.bundles.fitting import train, write_bundle
from mer_keras.bundles.loading import load_bundle
from mer_keras.config.files import load_experiments
from mer_keras.prediction.demo import EXPERIMENT
from mer_keras.prediction.given import GivenInterval
from mer_keras.prediction.predict import PredictOptions, predict_recording
from mer_keras.prediction.sources import NamedSource
from mer_keras.video.drawn import DrawnRecording, Event

#: A recording as in a laboratory: frames a second, width and height.
_FPS, _SIZE = 200.0, (640, 480)
#: The interval: onset, apex and offset frames.
_SPAN = (100, 140, 180)


def predict_given(options: CaseOptions) -> list[Measurement]:
    """Predict a given interval of a recording of 640x480 at 200 frames a second.

    Loading the bundle is measured too; starting TensorFlow is not. The network is trained for two
    epochs on drawn faces, since what it says doesn't matter.
    """
    (config,) = load_experiments(str(EXPERIMENT), profile="smoke")
    file = options.folder / "bench.mer"
    write_bundle(train(config, profile="smoke", data="synthetic"), file)
    onset, apex, offset = _SPAN
    events = (Event(onset, apex, offset, "12", 4.0),)
    drawn = DrawnRecording(events, offset + 20, _FPS, face_size=400, frame_size=_SIZE)
    video = drawn.write(options.folder / "recording.mp4", codec="mp4v")
    interval = GivenInterval("the case", "", onset, apex, offset, in_seconds=False)
    predict_options = PredictOptions(intervals=(interval,), allow_synthetic=True)
    bundle = load_bundle(file)
    repeats = 2 if options.quick else 5
    ways = {
        "predict": lambda: predict_recording(bundle, NamedSource("v", video), predict_options),
        "load the bundle, predict": lambda: predict_recording(
            load_bundle(file), NamedSource("v", video), predict_options
        ),
    }
    work = "processor seconds of a given interval of 0.4 s at 200 fps, 640x480"
    return time_ways(work, ways, 1, repeats, time.process_time)
