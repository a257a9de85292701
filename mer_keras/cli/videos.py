"""``mer-keras video check``, ``spot`` and ``annotate``: recordings of one's own."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Argument, Option

from mer_keras.cli.show import (
    Json,
    print_json,
    print_wrapped,
    printable,
    show_progress,
)
from mer_keras.cli.spotted import (
    headline,
    print_findings,
    print_intervals,
    print_scores,
    score_json,
)
from mer_keras.cli.stored import check_folder
from mer_keras.errors import UserError, did_you_mean
from mer_keras.names import slug
from mer_keras.whole_files import write_whole

if TYPE_CHECKING:
    from mer_keras.video.annotated import AnnotatedVideo
    from mer_keras.video.evaluate import SpottingScore
    from mer_keras.video.spot import Spotting

app = typer.Typer()
video_app = typer.Typer(
    help="Say whether recordings are fit, and how to record.", no_args_is_help=True
)

Fps = Annotated[
    float | None, Option(help="Frames a second of a folder of images; a video has its own.")
]
Crop = Annotated[
    str,
    Option(help="haar; mesh (extra [face]); or centre, where frames are cropped faces already."),
]
Recording = Annotated[Path, Argument(help="A video, or a folder of numbered images.")]
Recordings = Annotated[list[Path] | None, Argument(help="Videos, or folders of numbered images.")]
_FORMATS = ("csv", "eaf", "clips")


@video_app.command()
def check(video: Recording, crop: Crop = "haar", fps: Fps = None, as_json: Json = False) -> None:
    """Say whether a recording is fit for spotting.

    It says what is wrong with it, and how to record. Exit code 2 if nothing can be spotted in it.

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
        print(headline(facts))
        print_findings(findings)
        print("fit for spotting" if not refused else "not fit for spotting")
        print("how to record:")
        for line in HOW_TO_RECORD:
            print_wrapped(f"- {line}", indent=2)
    if refused:
        raise UserError(f"{printable(facts.name)}: {refused[0].message}; {refused[0].remedy}")


@app.command()
def spot(
    videos: Recordings = None,
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
        str, Option(help="none, or three_points: follow the head's slow motion (crop mesh).")
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
        str | None,
        Option(
            help="Score by the MEGC rule: a table of the true intervals (video, onset, offset; "
            "subject, kind), or without videos a database of long recordings, such as cas_me2."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Find intervals of facial motion in long recordings.

    They are expressions, and much that is none. Written into --out: page.html, intervals.csv,
    curve.csv, an ELAN file (.eaf) and result.json. Frames count from 0; times are those of the
    file's own stamps. Videos are named by their files in --evaluate.

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
    sources = _sources(videos or [], evaluate, fps)
    results: dict[str, Spotting] = {}
    for source in sources:
        with show_progress(printable(source.name)) as progress:
            results[source.name] = spot_video(
                source.path, options, fps=source.fps, progress=progress
            )
        if out is not None:
            folder = out if len(sources) == 1 else out / slug(source.name)
            write_spotting(results[source.name], folder)
            write_texts({"page.html": page_of_spotting([results[source.name]])}, folder)
    scores = _scores(results, sources) if evaluate is not None else []
    if as_json:
        from mer_keras.video.evaluate import published_levels

        tree: dict[str, object] = {
            "videos": [result_json(spotting) for spotting in results.values()]
        }
        if evaluate is not None:
            tree["scores"] = [score_json(score) for score in scores]
            tree["published"] = published_levels()
        print_json(tree)
        return
    for spotting in results.values():
        print(headline(spotting.facts))
        print_findings(spotting.findings)
        print_intervals(spotting)
        print()
    if scores:
        print_scores(scores)
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
    """Convert intervals between tables, ELAN and lists of clips.

    A list of clips is what own data are added by.

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
    if out is None and path.exists():  # It may be somebody's work in ELAN.
        raise UserError(f"{path}: is there already; name the file to write with --out")
    write_whole(path, content)
    if as_json:
        print_json({"file": str(path), "intervals": len(intervals)})
        return
    print(f"{path}: {len(intervals)} interval(s)")


def _sources(videos: list[Path], evaluate: str | None, fps: float | None) -> "list[AnnotatedVideo]":
    """Return what is spotted in, with what is annotated of it.

    Raises:
        UserError: nothing was named, or two recordings would have one name or folder.
    """
    from mer_keras.video.annotated import AnnotatedVideo, annotated_videos
    from mer_keras.video.evaluate import read_annotations

    if not videos:
        if evaluate is None:
            raise UserError("no video was named: name one, or a database by --evaluate")
        from mer_keras.databases import registry

        return annotated_videos(registry.load(evaluate))
    names = [video.resolve().name for video in videos]
    for name in names:
        if sum(slug(name) == slug(other) for other in names) > 1:
            raise UserError(f"two recordings called {name}, or nearly so: rename one of them")
    annotated, subjects = read_annotations(Path(evaluate)) if evaluate is not None else ([], {})
    unknown = sorted({interval.video for interval in annotated} - set(names))
    if unknown:
        raise UserError(
            f"{evaluate}: intervals of {unknown[0]!r}, which is none of the videos here: expected "
            f"names of files, such as {names[0]!r}"
        )
    return [
        AnnotatedVideo(
            name,
            video,
            subjects.get(name, name),
            fps,
            tuple(interval for interval in annotated if interval.video == name),
        )
        for name, video in zip(names, videos, strict=True)
    ]


def _scores(
    results: "dict[str, Spotting]", sources: "list[AnnotatedVideo]"
) -> "list[SpottingScore]":
    """Score what was spotted against what is annotated."""
    from mer_keras.video.evaluate import Annotation, Video, score

    spotted = [
        Annotation(name, interval.onset, interval.offset, spotting.options.kind)
        for name, spotting in results.items()
        for interval in spotting.intervals
    ]
    annotated = [interval for source in sources for interval in source.intervals]
    videos = [
        Video(source.name, source.subject, results[source.name].facts.seconds / 60)
        for source in sources
    ]
    return score(spotted, annotated, videos)
