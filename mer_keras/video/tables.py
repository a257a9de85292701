"""Files of a spotting: curve.csv, intervals.csv, result.json; and intervals read again."""

import csv
import io
import json
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from mer_keras.databases.cells import harmless
from mer_keras.databases.sheets import read_table
from mer_keras.databases.tables import TableRow
from mer_keras.errors import AnnotationError
from mer_keras.video import remarks
from mer_keras.video.curve import Curve
from mer_keras.video.intervals import Interval, interval_at
from mer_keras.video.spot import Spotting
from mer_keras.video.timing import Times

#: Version of ``result.json``; it changes with the meaning of a field.
SCHEMA = "mer-keras-spotting/1"
COLUMNS = (
    "video",
    "kind",
    "onset",
    "apex",
    "offset",
    "onset_s",
    "apex_s",
    "offset_s",
    "score",
    "strength_px",
    "region",
    "remarks",
)
_REQUIRED: dict[str, tuple[str, ...]] = {"onset": (), "offset": ()}
_OPTIONAL: dict[str, tuple[str, ...]] = dict.fromkeys(
    ("apex", "score", "strength_px", "region", "remarks"), ()
)
_REMEDY = "write a table with the columns onset and offset: frame numbers that count from 0"
#: What stands between two remarks in one cell.
_BETWEEN = "; "


def intervals_csv(intervals: Iterable[Interval], video: str, kind: str) -> str:
    """Return the table of some intervals as CSV."""
    rows = [
        [
            video,
            kind,
            interval.onset,
            interval.apex,
            interval.offset,
            f"{interval.onset_s:.4f}",
            f"{interval.apex_s:.4f}",
            f"{interval.offset_s:.4f}",
            _number(interval.score),
            _number(interval.strength_px),
            interval.region,
            _BETWEEN.join(interval.remarks),
        ]
        for interval in intervals
    ]
    return _csv(COLUMNS, rows)


def curve_csv(curve: Curve) -> str:
    """Return a curve as CSV, one row a sample; empty cells where there is no value."""
    name = "flow" if curve.method == "flow_difference" else "lbp"
    header = ("frame", "time_s", name, "contrast", "head_px", "face_score", "valid")
    rows = [
        [int(frame), f"{time:.4f}", *(_number(value) for value in values), int(valid)]
        for frame, time, *values, valid in zip(
            curve.frame,
            curve.time_s,
            curve.feature,
            curve.contrast,
            curve.head_px,
            curve.face_score,
            curve.valid,
            strict=True,
        )
    ]
    return _csv(header, rows)


def clips_csv(intervals: Sequence[Interval], video: str, subject: str, fps: float) -> str:
    """Return intervals as the table that ``mer-keras data add`` reads, without emotions."""
    header = ("sample", "subject", "path", "onset", "apex", "offset", "emotion", "fps")
    stem = Path(video).stem
    rows = [
        [
            f"{stem}-{interval.onset}",
            subject,
            video,
            interval.onset,
            interval.apex,
            interval.offset,
            "",
            f"{round(fps, 1):g}" if fps else "",
        ]
        for interval in intervals
    ]
    return _csv(header, rows)


def result_json(spotting: Spotting) -> dict[str, object]:
    """Return what was spotted, JSON-ready: facts, findings, intervals, but not the curve."""
    return {
        "schema": SCHEMA,
        "not_for": remarks.NOT_FOR,
        "expect": remarks.EXPECT_LITTLE,
        "video": spotting.facts.to_json(),
        "options": spotting.options.model_dump(mode="json"),
        "departures": list(spotting.options.departures),
        "findings": [finding._asdict() for finding in spotting.findings],
        "threshold": _finite(spotting.curve.threshold),
        "intervals": [interval_json(interval) for interval in spotting.intervals],
    }


def interval_json(interval: Interval) -> dict[str, object]:
    """Return an interval, JSON-ready; null where a number isn't known."""
    return {
        "onset": interval.onset,
        "apex": interval.apex,
        "offset": interval.offset,
        "onset_s": interval.onset_s,
        "apex_s": interval.apex_s,
        "offset_s": interval.offset_s,
        "score": _finite(interval.score),
        "strength_px": _finite(interval.strength_px),
        "region": interval.region,
        "remarks": list(interval.remarks),
    }


def read_intervals(path: Path, times: Times) -> list[Interval]:
    """Read intervals from a table in any dialect.

    Args:
        path: CSV or .xlsx, with the columns onset and offset at least (frames, from 0).
        times: seconds of all frames of their recording.

    Raises:
        AnnotationError: the table breaks its format, numbers are out of order, or one is no frame
            of the recording.
    """
    rows, _ = read_table(path, _REQUIRED, _OPTIONAL, remedy=_REMEDY)
    return [_read_interval(row, times) for row in rows]


def _read_interval(row: TableRow, times: Times) -> Interval:
    span = row.span("onset", "apex", "offset")
    apex = (span.onset + span.offset) // 2 if span.apex is None else span.apex
    if not span.onset <= apex <= span.offset < len(times):
        raise AnnotationError(
            f"{row.where('onset')}: frames {span.onset}, {apex}, {span.offset}: expected onset <= "
            f"apex <= offset, and at most {len(times) - 1}, the recording's last frame; correct "
            "the row (frames count from 0)"
        )
    text = row.text("remarks")
    return interval_at(
        times,
        span.onset,
        apex,
        span.offset,
        score=_read_number(row, "score"),
        strength_px=_read_number(row, "strength_px"),
        region=row.text("region"),
        remarks=tuple(text.split(_BETWEEN)) if text else (),
    )


def _read_number(row: TableRow, column: str) -> float:
    text = row.text(column)
    try:
        return float(text) if text else float("nan")
    except ValueError as error:
        raise AnnotationError(
            f"{row.where(column)}: {text[:60]!r}, expected a number; correct the cell"
        ) from error


def _csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(
        [harmless(cell) if isinstance(cell, str) else cell for cell in row] for row in rows
    )
    return text.getvalue()


def _number(value: float) -> str:
    """Four significant digits; nothing where there is no number."""
    return f"{value:.4g}" if math.isfinite(value) else ""


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def json_text(tree: object) -> str:
    """Return JSON as files hold it: no NaN, one line a field."""
    return json.dumps(tree, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
