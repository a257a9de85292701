"""A prediction as an ELAN file: tiers of intervals, and of what the bundle says of each."""

from collections.abc import Sequence

from mer_keras.prediction.result import PredictedInterval, Prediction
from mer_keras.video.elan import elan_document
from mer_keras.video.intervals import Interval

#: Tiers beside those of spotting.
CLASS, SHARES, WITHHELD = "class", "shares of the vote", "class withheld"


def elan_of(prediction: Prediction) -> bytes | None:
    """Return an .eaf file; None where an interval has no times, which ELAN needs."""
    intervals = [_timed(interval) for interval in prediction.intervals]
    timed = [interval for interval in intervals if interval is not None]
    if len(timed) < len(intervals):
        return None
    further = {
        CLASS: [_class(interval) for interval in prediction.intervals],
        SHARES: [_shares(interval) for interval in prediction.intervals],
        WITHHELD: ["; ".join(interval.withheld) for interval in prediction.intervals],
    }
    return elan_document(timed, prediction.recording.name, further=further)


def _timed(interval: PredictedInterval) -> Interval | None:
    times: Sequence[float | None] = (interval.onset_s, interval.apex_s, interval.offset_s)
    known = [second for second in times if second is not None]
    if len(known) < len(times):
        return None
    onset_s, apex_s, offset_s = known
    nothing = float("nan")
    return Interval(
        interval.onset,
        interval.apex,
        interval.offset,
        onset_s,
        apex_s,
        offset_s,
        score=nothing if interval.score is None else interval.score,
        strength_px=nothing if interval.strength_px is None else interval.strength_px,
        region=interval.region,
        remarks=interval.remarks,
    )


def _class(interval: PredictedInterval) -> str:
    """The class, or a word where there is none."""
    if interval.votes is None:
        return "withheld"
    return interval.decision or "undecided"


def _shares(interval: PredictedInterval) -> str:
    votes = interval.votes or {}
    return ", ".join(f"{name} {vote.share:.2f}" for name, vote in votes.items())
