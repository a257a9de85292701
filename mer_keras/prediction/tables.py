"""Predictions as CSV: a row for each interval."""

import csv
import io
from collections.abc import Iterable, Sequence

from mer_keras.databases.cells import harmless
from mer_keras.prediction.result import PredictedInterval, Prediction

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
