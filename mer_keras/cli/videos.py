"""``mer-keras video check``, ``spot`` and ``annotate``: recordings of one's own."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Argument, Option

from mer_keras.cli.show import (
    Json,
    print_json,
    print_table,
    print_wrapped,
    printable,
    show_progress,
)
from mer_keras.cli.stored import check_folder
from mer_keras.errors import UserError, did_you_mean
from mer_keras.names import slug
from mer_keras.whole_files import write_whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mer_keras.video.evaluate import SpottingScore
    from mer_keras.video.facts import VideoFacts
    from mer_keras.video.findings import Finding
    from mer_keras.video.spot import Spotting

app = typer.Typer()
video_app = typer.Typer(help="Recordings: are they fit, and how to record.", no_args_is_help=True)

Fps = Annotated[
    float | None, Option(help="Frames a second of a folder of images; a video has its own.")
]
Crop = Annotated[
    str,
    Option(help="haar; mesh (extra [face]); or centre, where frames are cropped faces already."),
]
Recording = Annotated[Path, Argument(help="A video, or a folder of numbered images.")]
Recordings = Annotated[list[Path], Argument(help="Videos, or folders of numbered images.")]
_FORMATS = ("csv", "eaf", "clips")


@video_app.command()
def check(video: Recording, crop: Crop = "haar", fps: Fps = None, as_json: Json = False) -> None:
    """Say whether a recording is fit for spotting, what is wrong with it, and how to record.

    Exit code 2 if nothing can be spotted in it.

    Example: mer-keras video check talk.mp4
    """
    from mer_keras.config.validation import validated
    from mer_keras.video.facts import facts_of
    from mer_keras.video.findings import HOW_TO_RECORD, findings_of
    from mer_keras.video.options import SpotOptions
    from mer_keras.video.reader import open_recording
    from mer_keras.video.spot import follow_face

    options = validated(SpotOptions, {"crop": crop}, "video check")
    recording = open_recording(video, fps)
    with show_progress(printable(recording.name)) as progress:
        survey, _ = follow_face(recording, options, progress)
    facts = facts_of(survey)
    findings = findings_of(facts)
    refused = [finding for finding in findings if finding.level == "refuse"]
    if as_json:
        print_json(
            {
                "fit": not refused,
                "facts": facts.to_json(),
                "findings": [finding._asdict() for finding in findings],
                "how_to_record": list(HOW_TO_RECORD),
            }
        )
    else:
        print(_headline(facts))
        _print_findings(findings)
        print("fit for spotting" if not refused else "not fit for spotting")
        print("how to record:")
        for line in HOW_TO_RECORD:
            print_wrapped(f"- {line}", indent=2)
    if refused:
        raise UserError(f"{printable(facts.name)}: {refused[0].message}; {refused[0].remedy}")


@app.command()
def spot(
    videos: Recordings,
    out: Annotated[
        Path | None, Option(help="Folder to write into; several videos get a folder each in it.")
    ] = None,
    method: Annotated[
        str, Option(help="flow_difference (after MDMD) or lbp_difference (after Moilanen).")
    ] = "flow_difference",
    kind: Annotated[
        str, Option(help="micro or macro: expressions of some 0.4 or 1.3 s.")
    ] = "micro",
    crop: Crop = "haar",
    align: Annotated[
        str, Option(help="none, or three_points: follow the head by the mesh (crop mesh).")
    ] = "none",
    flow: Annotated[str, Option(help="farneback or dis.")] = "farneback",
    threshold: Annotated[
        float | None, Option(min=0, max=1, help="0: the mean of the contrast, 1: its maximum.")
    ] = None,
    least: Annotated[
        float | None, Option(min=0, help="Least height of a peak in pixels of a face of 128.")
    ] = None,
    released: Annotated[
        bool, Option("--released", help="The published baseline as its code has it, unrepaired.")
    ] = False,
    fps: Fps = None,
    evaluate: Annotated[
        Path | None,
        Option(
            help="A table of the true intervals (video, onset, offset; subject, kind): score by "
            "the MEGC rule."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Find intervals of facial motion in long recordings: expressions, and much that is none.

    Written into --out: page.html, intervals.csv, curve.csv, an ELAN file (.eaf) and result.json.
    Frames count from 0; times are those of the file's own stamps. Videos are named by their files
    in --evaluate.

    Example: mer-keras spot talk.mp4 --out talk
    """
    from mer_keras.config.validation import validated
    from mer_keras.prediction.page import page_of_spotting
    from mer_keras.report.formats import write_texts
    from mer_keras.video import remarks
    from mer_keras.video.options import SpotOptions
    from mer_keras.video.spot import spot_video
    from mer_keras.video.tables import result_json
    from mer_keras.video.writing import write_spotting

    choices = {
        "method": method,
        "crop": crop,
        "align": align,
        "flow": flow,
        **({"threshold": threshold} if threshold is not None else {}),
        **({"least": least} if least is not None else {}),
    }
    if released:
        if method != "flow_difference":
            raise UserError("--released is a form of --method flow_difference")
        if kind not in ("micro", "macro"):
            raise UserError(f"--kind {kind}: expected micro or macro")
        base = SpotOptions.released("macro" if kind == "macro" else "micro").model_dump()
        options = validated(SpotOptions, {**base, **choices}, "spot")
    else:
        options = validated(SpotOptions, {"kind": kind, **choices}, "spot")
    if out is not None:
        check_folder(out)
    results: dict[str, Spotting] = {}
    for video in videos:
        name = video.resolve().name
        if name in results:
            raise UserError(f"{video}: a second recording called {name}: rename one of them")
        with show_progress(printable(name)) as progress:
            results[name] = spot_video(video, options, fps=fps, progress=progress)
        if out is not None:
            folder = out if len(videos) == 1 else out / slug(name)
            write_spotting(results[name], folder)
            write_texts({"page.html": page_of_spotting([results[name]])}, folder)
    scores = _scores(results, evaluate) if evaluate is not None else []
    if as_json:
        from mer_keras.video.evaluate import published_levels

        tree: dict[str, object] = {
            "videos": [result_json(spotting) for spotting in results.values()]
        }
        if evaluate is not None:
            tree["scores"] = [_score_json(score) for score in scores]
            tree["published"] = published_levels()
        print_json(tree)
        return
    for spotting in results.values():
        print(_headline(spotting.facts))
        _print_findings(spotting.findings)
        _print_intervals(spotting)
        print()
    if scores:
        _print_scores(scores)
    print_wrapped(remarks.EXPECT_LITTLE)
    print_wrapped(remarks.NOT_FOR)
    if out is not None:
        print(f"written: {out}")


@app.command()
def annotate(
    file: Annotated[Path, Argument(help="Intervals: a table (CSV, .xlsx) or an ELAN file (.eaf).")],
    video: Recording,
    to: Annotated[
        str,
        Option(
            help="csv, eaf (ELAN), or clips: the table that mer-keras data add reads, with "
            "emotions left to be filled in."
        ),
    ] = "eaf",
    out: Annotated[
        Path | None, Option(help="File to write; by default beside the video, of its name.")
    ] = None,
    tier: Annotated[str | None, Option(help="Tier of an .eaf that is read.")] = None,
    subject: Annotated[str, Option(help="Who is in the video, for --to clips.")] = "01",
    fps: Fps = None,
    as_json: Json = False,
) -> None:
    """Convert intervals between tables, ELAN and the list of clips that own data are added by.

    Example: mer-keras annotate talk/intervals.csv talk.mp4 --to eaf
    """
    from mer_keras.video.elan import elan_document, read_elan
    from mer_keras.video.reader import open_recording
    from mer_keras.video.tables import clips_csv, intervals_csv, read_intervals
    from mer_keras.video.timing import frame_rate

    if to not in _FORMATS:
        raise UserError(f"--to {to}: expected {', '.join(_FORMATS)}{did_you_mean(to, _FORMATS)}")
    recording = open_recording(video, fps)
    times = recording.times()
    is_elan = file.suffix.lower() == ".eaf"
    intervals = read_elan(file, times, tier) if is_elan else read_intervals(file, times)
    name = recording.name
    if to == "eaf":
        content = elan_document(intervals, name)
    elif to == "csv":
        content = intervals_csv(intervals, name, "micro").encode()
    else:
        content = clips_csv(intervals, name, subject, frame_rate(times)).encode()
    path = out or video.with_name(f"{video.stem}{'.eaf' if to == 'eaf' else f'-{to}.csv'}")
    if path.resolve() in (file.resolve(), video.resolve()):
        raise UserError(f"{path}: is read by this command; name another file with --out")
    write_whole(path, content)
    if as_json:
        print_json({"file": str(path), "intervals": len(intervals)})
        return
    print(f"{path}: {len(intervals)} interval(s)")


def _scores(results: "dict[str, Spotting]", truth: Path) -> "list[SpottingScore]":
    """Score what was spotted in some videos against a table of true intervals."""
    from mer_keras.video.evaluate import Annotation, Video, read_annotations, score

    annotated, subjects = read_annotations(truth)
    spotted = [
        Annotation(name, interval.onset, interval.offset, spotting.options.kind)
        for name, spotting in results.items()
        for interval in spotting.intervals
    ]
    videos = [
        Video(name, subjects.get(name, name), spotting.facts.seconds / 60)
        for name, spotting in results.items()
    ]
    return score(spotted, annotated, videos)


def _score_json(score: "SpottingScore") -> dict[str, object]:
    import math

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


def _print_scores(scores: "list[SpottingScore]") -> None:
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


def _headline(facts: "VideoFacts") -> str:
    """One line on a recording."""
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


def _print_findings(findings: "Sequence[Finding]") -> None:
    for finding in findings:
        remedy = f": {finding.remedy}" if finding.remedy else ""
        print_wrapped(printable(f"{finding.level}: {finding.message}{remedy}"), indent=2)


def _print_intervals(spotting: "Spotting") -> None:
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
