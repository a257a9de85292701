"""Predictions as CSV: a row for each interval, and a row for each sample of the motion curve."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from mer_keras.prediction.result import PredictedInterval, Prediction
from mer_keras.report.formats import harmless
from mer_keras.video.curve import Curve

#: Columns of ``intervals.csv`` before the shares of the classes.
COLUMNS = (
    "video",
    "kind",
    "origin",
    "onset",
    "apex",
    "offset",
    "onset_s",
    "apex_s",
    "offset_s",
    "score",
    "strength_px",
    "region",
    "decision",
    "undecided",
    "withheld",
    "remarks",
)


def intervals_csv(predictions: Sequence[Prediction]) -> str:
    """Return a table of all intervals, in the order of recordings and times.

    Frames count from 0, the offset is inclusive, seconds are from the first frame. A class has the
    columns ``share_CLASS``, ``least_CLASS`` and ``greatest_CLASS``, empty where votes are withheld.
    """
    classes = predictions[0].model.classes if predictions else ()
    votes = [f"{part}_{name}" for name in classes for part in ("share", "least", "greatest")]
    rows = [
        [*_cells(prediction, interval), *_votes(interval, classes)]
        for prediction in predictions
        for interval in prediction.intervals
    ]
    return _csv([*COLUMNS, *votes], rows)


def curve_csv(curve: Curve) -> str:
    """Return the motion curve: frame, seconds, feature, contrast, head, score of the face."""
    feature = "flow" if curve.method == "flow_difference" else "lbp"
    columns: Mapping[str, Iterable[object]] = {
        "frame": curve.frame,
        "time_s": _rounded(curve.time_s),
        feature: _rounded(curve.feature),
        "contrast": _rounded(curve.contrast),
        "head_px": _rounded(curve.head_px),
        "face_score": _rounded(curve.face_score),
        "valid": (int(valid) for valid in curve.valid),
    }
    return _csv(list(columns), zip(*columns.values(), strict=True))


def _cells(prediction: Prediction, interval: PredictedInterval) -> list[object]:
    return [
        harmless(prediction.recording.name),
        prediction.spotting.kind if prediction.spotting else "",
        interval.origin,
        interval.onset,
        interval.apex,
        interval.offset,
        *(_number(value, 4) for value in (interval.onset_s, interval.apex_s, interval.offset_s)),
        _number(interval.score, 3),
        _number(interval.strength_px, 3),
        interval.region,
        harmless(interval.decision or ""),
        "yes" if interval.undecided else "no",
        harmless("; ".join(interval.withheld)),
        harmless("; ".join(interval.remarks)),
    ]


def _votes(interval: PredictedInterval, classes: Sequence[str]) -> list[str]:
    if interval.votes is None:
        return [""] * (3 * len(classes))
    votes = [interval.votes[name] for name in classes]
    return [f"{value:.2f}" for vote in votes for value in (vote.share, vote.least, vote.greatest)]


def _csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([harmless(name) for name in header])
    writer.writerows(rows)
    return buffer.getvalue()


def _number(value: float | None, decimals: int) -> str:
    return "" if value is None else f"{value:.{decimals}f}"


def _rounded(values: np.ndarray) -> list[str]:
    """Numbers with four decimals, empty where there is none."""
    return [f"{value:.4f}" if np.isfinite(value) else "" for value in values]
