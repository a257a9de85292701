"""One offline HTML page of predictions: no script, no request, and no face unless asked for."""

import base64
from collections.abc import Sequence

import cv2

from mer_keras.prediction.drawing import blocks_svg, curve_svg
from mer_keras.prediction.predict import Predicted, Shown
from mer_keras.prediction.recordings import facts_of_spotting, finite
from mer_keras.prediction.result import PredictedInterval, RecordingFacts
from mer_keras.prediction.words import EXPECT_LITTLE, matched_line
from mer_keras.report.formats import render
from mer_keras.terms import DataKind
from mer_keras.video import remarks
from mer_keras.video.curve import Curve
from mer_keras.video.reader import Picture
from mer_keras.video.spot import Spotting

_NAMES = ("onset", "apex", "offset")
#: Columns of a table of intervals before those of the classes.
_HEADER = ("no.", *_NAMES, "length", "px", "where")


def page_of(predicted: Sequence[Predicted]) -> str:
    """Return the page of some recordings, predicted by one bundle.

    Args:
        predicted: at least one; faces are shown where their pictures were kept.
    """
    first = predicted[0].prediction
    names = [of.prediction.recording.name for of in predicted]
    return render(
        "prediction.html.j2",
        title=_title("Expressions", names),
        synthetic=first.model.data_kind == DataKind.SYNTHETIC,
        not_for=list(dict.fromkeys(line for of in predicted for line in of.prediction.not_for)),
        shows_faces=any(shown.pictures for of in predicted for shown in of.shown),
        model=first.model,
        model_facts={
            "SHA-256 of the bundle": first.model.bundle_sha256 or "not stored",
            "training data": first.model.terms[0],
            "passing it on": first.model.terms[1],
            "use": first.model.terms[2],
        },
        matched=matched_line(first.model),
        header=[*_HEADER, *first.model.classes, "remarks"],
        recordings=[_part(of) for of in predicted],
    )


def page_of_spotting(spottings: Sequence[Spotting]) -> str:
    """Return the page of some recordings in which nothing was classified.

    Args:
        spottings: at least one.
    """
    names = [spotting.facts.name for spotting in spottings]
    return render(
        "prediction.html.j2",
        title=_title("Motion of the face", names),
        synthetic=False,
        not_for=[remarks.NOT_FOR, EXPECT_LITTLE],
        shows_faces=False,
        model=None,
        header=[*_HEADER, "remarks"],
        recordings=[_spotted_part(spotting) for spotting in spottings],
    )


def _title(what: str, names: Sequence[str]) -> str:
    return f"{what} in {names[0] if len(names) == 1 else f'{len(names)} recordings'}"


def _spotted_part(spotting: Spotting) -> dict[str, object]:
    """What the page says of a recording in which intervals were spotted."""
    facts, of_recording = facts_of_spotting(spotting)
    intervals = [
        PredictedInterval(
            onset=interval.onset,
            apex=interval.apex,
            offset=interval.offset,
            onset_s=finite(interval.onset_s),
            apex_s=finite(interval.apex_s),
            offset_s=finite(interval.offset_s),
            origin="spotted",
            score=finite(interval.score),
            strength_px=finite(interval.strength_px),
            region=interval.region,
            votes=None,
            decision=None,
            undecided=False,
            remarks=interval.remarks,
        )
        for interval in spotting.intervals
    ]
    return {
        "name": facts.name,
        "remarks": of_recording,
        "facts": facts_line(facts),
        **_motion(spotting.curve, intervals),
        "rows": [_row(number, interval, ()) for number, interval in enumerate(intervals, start=1)],
        "intervals": [],
    }


def _motion(curve: Curve | None, intervals: Sequence[PredictedInterval]) -> dict[str, object]:
    """The drawing of the motion curve, and the unit of its values."""
    is_flow = curve is not None and curve.method == "flow_difference"
    count = len(intervals)
    label = f"Motion of the face over time; {count} interval{'' if count == 1 else 's'} spotted"
    return {
        "curve": curve_svg(curve, intervals, label) if curve else "",
        "unit": "pixels of a face of 128" if is_flow else "chi-square of texture",
    }


def _part(predicted: Predicted) -> dict[str, object]:
    """What the page says of one recording."""
    prediction, curve = predicted.prediction, predicted.curve
    strongest = max(
        (float(shown.blocks.max()) for shown in predicted.shown if shown.blocks is not None),
        default=1.0,
    )
    return {
        "name": prediction.recording.name,
        "remarks": prediction.remarks,
        "facts": facts_line(prediction.recording),
        **_motion(curve, prediction.intervals),
        "rows": [
            _row(number, interval, prediction.model.classes)
            for number, interval in enumerate(prediction.intervals, start=1)
        ],
        "intervals": [
            _line(number, interval, shown, strongest)
            for number, (interval, shown) in enumerate(
                zip(prediction.intervals, predicted.shown, strict=True), start=1
            )
        ],
    }


def facts_line(facts: RecordingFacts) -> str:
    """Say what a recording is, in a line."""
    rate = "" if facts.fps is None else f", {facts.fps:.4g} frames a second"
    variable = " (variable)" if facts.variable_rate else ""
    length = "" if facts.seconds is None else f"{clock(facts.seconds)}, "
    face = (
        "" if facts.face_share is None else f", a face in {100 * facts.face_share:.0f} % of looks"
    )
    eyes = "" if facts.eyes_px is None else f", {facts.eyes_px:.0f} px between the eyes"
    size = f"{facts.width}x{facts.height}"
    return f"{length}{facts.frames:,} frames{rate}{variable}, {size}{face}{eyes}"


def clock(seconds: float | None) -> str:
    """``75.5`` -> ``1:15.50``; ``-`` where no time is known."""
    if seconds is None:
        return "-"
    minutes, rest = divmod(round(seconds, 2), 60)
    return f"{int(minutes)}:{rest:05.2f}"


def said_of_interval(interval: PredictedInterval) -> str:
    """What is to be known of an interval, beside its votes: why they are withheld, and remarks."""
    withheld = f"no class: {'; '.join(interval.withheld)}" if interval.withheld else ""
    return "; ".join(filter(None, (withheld, *interval.remarks))) or "-"


def shares_of(interval: PredictedInterval, classes: Sequence[str]) -> list[str]:
    """Shares of the classes with two digits, or ``-`` where the vote is withheld."""
    if interval.votes is None:
        return ["-"] * len(classes)
    return [f"{interval.votes[name].share:.2f}" for name in classes]


def _line(
    number: int,
    interval: PredictedInterval,
    shown: Shown,
    strongest: float,
) -> dict[str, object]:
    votes = interval.votes or {}
    what = "undecided" if interval.undecided else f"labelled as {interval.decision} by the vote"
    where = f" around {interval.region}" if interval.region else ""
    label = f"Motion in 36 blocks of the face in interval {number}, greatest{where}"
    pictures = zip(_NAMES, shown.pictures, strict=True) if shown.pictures else ()
    return {
        "number": number,
        "heading": "no class is given" if interval.votes is None else what,
        "blocks": blocks_svg(shown.blocks, label, strongest) if shown.blocks is not None else "",
        "most": "-" if shown.blocks is None else f"{shown.blocks.max():.2f}",
        "votes": [
            {
                "name": name,
                "value": f"{vote.share:.4f}",
                "share": f"{vote.share:.2f}",
                "spread": f"{vote.least:.2f} to {vote.greatest:.2f}",
            }
            for name, vote in votes.items()
        ],
        "withheld": "; ".join(interval.withheld),
        "remarks": "; ".join(interval.remarks),
        "pictures": [{"name": name, "data": _jpeg(picture)} for name, picture in pictures],
    }


def _row(number: int, interval: PredictedInterval, classes: Sequence[str]) -> list[str]:
    """A row of the table of intervals."""
    return [
        str(number),
        _moment(interval.onset, interval.onset_s),
        _moment(interval.apex, interval.apex_s),
        _moment(interval.offset, interval.offset_s),
        "-" if interval.seconds is None else f"{interval.seconds:.2f} s",
        "-" if interval.strength_px is None else f"{interval.strength_px:.2f}",
        interval.region or "-",
        *shares_of(interval, classes),
        said_of_interval(interval),
    ]


def _moment(frame: int, seconds: float | None) -> str:
    return f"frame {frame}" if seconds is None else f"{clock(seconds)} ({frame})"


def _jpeg(picture: Picture) -> str:
    """A picture as text for a page."""
    _, coded = cv2.imencode(".jpg", picture)
    return base64.b64encode(coded.tobytes()).decode()
