"""What ``mer-keras spot`` and ``video check`` print: recordings, intervals, scores."""

import math
from typing import TYPE_CHECKING

from mer_keras.cli.show import print_table, print_wrapped, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mer_keras.video.evaluate import SpottingScore
    from mer_keras.video.facts import VideoFacts
    from mer_keras.video.findings import Finding
    from mer_keras.video.spot import Spotting


def score_json(score: "SpottingScore") -> dict[str, object]:
    """Return a score, JSON-ready; null where the interval isn't known."""
    counts = score.counts
    return {
        "kind": score.kind,
        **counts._asdict(),
        "precision": counts.precision,
        "recall": counts.recall,
        "f1": counts.f1,
        "f1_interval": None if math.isnan(score.low) else [score.low, score.high],
        "subjects": score.subjects,
        "false_positives_a_minute": score.false_positives_a_minute,
    }


def print_scores(scores: "list[SpottingScore]") -> None:
    """Print what was reached, and what published methods reach beside it."""
    from mer_keras.video.evaluate import published_levels

    header = [
        "kind",
        "right",
        "false",
        "missed",
        "precision",
        "recall",
        "F1 [95 %]",
        "false a minute",
    ]
    rows = []
    for score in scores:
        counts = score.counts
        f1 = f"{counts.f1:.3f}"
        f1 += f" [{score.low:.3f}, {score.high:.3f}]" if score.subjects > 1 else ""
        cost = score.false_positives_a_minute
        rows.append(
            [
                score.kind,
                *counts,
                f"{counts.precision:.3f}",
                f"{counts.recall:.3f}",
                f1,
                "" if cost is None else f"{cost:.2f}",
            ]
        )
    print("by the MEGC rule (overlap of half of the union, one to one, counts added over videos):")
    print_table(header, rows)
    print()
    print("published, on other videos:")
    kinds = ("micro", "macro", "all")
    print_table(
        ["database", "method", *(f"F1 {kind}" for kind in kinds), "source"],
        [
            [
                row["database"],
                row["method"],
                *(f"{row[kind]:.3f}" if kind in row else "" for kind in kinds),
                row["source"],
            ]
            for row in published_levels()
            if any(kind in row for kind in kinds)
        ],
    )
    print()


def headline(facts: "VideoFacts") -> str:
    """Return one line on a recording."""
    minutes, seconds = divmod(facts.seconds, 60)
    rate = f"{round(facts.fps, 1):g} fps" + (" (variable)" if facts.variable_rate else "")
    face = "the middle of the frame taken for the face"
    if facts.finder != "centre":
        face = f"a face in {facts.face_share:.1%} of {facts.looks} frames that were looked at"
    eyes = f", {facts.eyes_px:.0f} px between the eyes" if facts.eyes_px is not None else ""
    return printable(
        f"{facts.name}: {minutes:.0f}:{seconds:04.1f}, {facts.frames:,} frames, {rate}, "
        f"{facts.width}x{facts.height}, {face}{eyes}"
    )


def print_findings(findings: "Sequence[Finding]") -> None:
    """Print what is wrong with a recording, and what to do about it."""
    for finding in findings:
        remedy = f": {finding.remedy}" if finding.remedy else ""
        print_wrapped(printable(f"{finding.level}: {finding.message}{remedy}"), indent=2)


def print_intervals(spotting: "Spotting") -> None:
    """Print what was spotted in a recording."""
    options, curve = spotting.options, spotting.curve
    floor = f", floor {options.least:g} px" if options.method == "flow_difference" else ""
    print(
        f"{options.method}, {options.kind}: {len(spotting.intervals)} interval(s), threshold "
        f"{curve.threshold:.3g}{floor}"
    )
    if not spotting.intervals:
        return
    header = ["onset", "apex", "offset", "length", "score", "px", "region", "remarks"]
    rows = [
        [
            *(_clock(s) for s in (interval.onset_s, interval.apex_s, interval.offset_s)),
            f"{interval.seconds:.2f} s",
            f"{interval.score:.2f}",
            f"{interval.strength_px:.2f}",
            interval.region,
            "; ".join(interval.remarks) or "-",
        ]
        for interval in spotting.intervals
    ]
    print_table(header, rows)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"{minutes:.0f}:{rest:05.2f}"
