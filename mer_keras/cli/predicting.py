"""``predict`` says what expressions in recordings are; ``export`` writes a network for others."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from typer import Argument, Option

from mer_keras.cli.running import say
from mer_keras.cli.show import (
    Json,
    print_json,
    print_table,
    print_wrapped,
    printable,
    show_progress,
)
from mer_keras.cli.stored import check_folder
from mer_keras.errors import AnnotationError, FrameError, UserError

if TYPE_CHECKING:
    from mer_keras.prediction.predict import Predicted
    from mer_keras.prediction.result import Prediction

app = typer.Typer()

File = Annotated[Path, Argument(metavar="BUNDLE", help="A file that mer-keras train wrote.")]
Expect = Annotated[
    str | None, Option(help="SHA-256 that the file must have, or its first 12 digits or more.")
]


def _print_schema(asked: bool) -> None:
    if asked:
        from mer_keras.prediction.result import Prediction

        print_json(Prediction.model_json_schema())
        raise typer.Exit


@app.command()
def predict(
    bundle: File,
    videos: Annotated[
        list[Path],
        Argument(
            metavar="VIDEO...",
            help="Videos, folders of frames, folders of these, two or three images (onset, apex, "
            "offset), or a list of them (.txt, .csv).",
        ),
    ],
    out: Annotated[Path, Option(help="Folder to write into.")] = Path("results/prediction"),
    intervals: Annotated[
        Path | None, Option(help="Your intervals (.csv, .eaf) instead of spotted ones.")
    ] = None,
    treat_as: Annotated[
        Literal["auto", "recording", "clip"],
        Option(
            "--as",
            help="clip: each video is one expression; recording: expressions are spotted; auto: "
            "what is under two seconds is a clip.",
        ),
    ] = "auto",
    fps: Annotated[float | None, Option(help="Frames a second of folders of frames.")] = None,
    kind: Annotated[
        Literal["micro", "macro"], Option(help="Which expressions are spotted.")
    ] = "micro",
    crop: Annotated[
        Literal["haar", "mesh", "centre"],
        Option(help="How the face is followed: haar, mesh (extra [face]), or centre: no search."),
    ] = "haar",
    align: Annotated[
        Literal["none", "three_points"],
        Option(help="three_points: spotting follows the head by the mesh (crop mesh)."),
    ] = "none",
    threshold: Annotated[
        float | None,
        Option(min=0, max=1, help="Of spotting, from the mean (0) to the highest peak (1)."),
    ] = None,
    allow_synthetic: Annotated[
        bool, Option("--allow-synthetic", help="Use a bundle that learned drawn faces.")
    ] = False,
    show_face: Annotated[
        bool, Option("--show-face", help="Show onset, apex and offset frames on the page.")
    ] = False,
    annotated_video: Annotated[
        bool,
        Option("--annotated-video", help="Write a copy of each video with its intervals marked."),
    ] = False,
    expect: Expect = None,
    schema: Annotated[
        bool,
        Option(
            "--schema",
            callback=_print_schema,
            is_eager=True,
            help="Print the JSON schema of result.json, and nothing else.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Say what the expressions of a recording are called.

    It also says why that may not be believed. Expressions are spotted, or given by --intervals;
    short clips are one each. Written: page.html (no face unless --show-face), intervals.csv,
    curve.csv, result.json, and a file for ELAN. For research on recordings and their annotation;
    not for decisions about a person.

    Example: mer-keras predict ststnet.mer talk.mp4 --out talk
    """
    from mer_keras.prediction.given import is_elan, read_intervals
    from mer_keras.prediction.sources import sources_of

    check_folder(out)
    sources = sources_of(videos)
    elan = intervals if intervals and is_elan(intervals) else None
    if elan and len(sources) > 1:
        raise UserError(f"{elan} is of one recording, and {len(sources)} are named")
    given = tuple(read_intervals(intervals)) if intervals and not elan else ()
    from mer_keras.bundles.loading import load_bundle
    from mer_keras.config.validation import validated
    from mer_keras.prediction.annotated import write_annotated
    from mer_keras.prediction.predict import PredictOptions, predict_recording, require_usable
    from mer_keras.prediction.writing import folders_of, write_all
    from mer_keras.video.options import SpotOptions

    choices: dict[str, object] = {"kind": kind, "crop": crop, "align": align}
    if threshold is not None:
        choices["threshold"] = threshold
    options = PredictOptions(
        spotting=validated(SpotOptions, choices, "predict"),
        intervals=given,
        elan=elan,
        treat_as=treat_as,
        fps=fps,
        allow_synthetic=allow_synthetic,
        keep_pictures=show_face,
    )
    loaded = load_bundle(bundle, expect)
    require_usable(loaded.card, allow_synthetic=allow_synthetic)
    predicted: list[Predicted] = []
    names: list[str] = []
    refused: list[str] = []
    for named in sources:
        try:
            with show_progress(named.name) as progress:
                predicted.append(predict_recording(loaded, named, options, progress))
        except (FrameError, AnnotationError) as error:
            if len(sources) == 1:
                raise
            refused.append(str(error))
            continue
        names.append(named.name)
    written = write_all(predicted, names, out) if predicted else []
    if annotated_video:
        folders = folders_of(names, out)
        chosen = [named for named in sources if named.name in names]
        for named, folder, of_recording in zip(chosen, folders, predicted, strict=True):
            written.append(write_annotated(named, of_recording.prediction, folder, fps))
    if as_json:
        print_json([of.prediction.model_dump(mode="json") for of in predicted])
    else:
        _show(predicted)
        print(f"\nwritten into {out}: {', '.join(_shown_paths(written, out))}")
    if refused:
        raise UserError(
            f"{len(refused)} of {len(sources)} recordings can't be used: {'; '.join(refused)}"
        )


@app.command()
def export(
    bundle: File,
    form: Annotated[
        Literal["onnx", "litert", "saved_model", "keras"],
        Option("--format", help="onnx and litert need the extra [export]."),
    ],
    out: Annotated[Path, Option(help="The new file (.onnx, .tflite, .keras), or folder.")],
    member: Annotated[
        int, Option(min=0, help="Which of the bundle's fitted networks, from 0.")
    ] = 0,
    expect: Expect = None,
    as_json: Json = False,
) -> None:
    """Write a bundle's network for other programs.

    It is written once it gives Keras' own probabilities there. Beside it stands a JSON file:
    inputs, classes, how clips are made, ranges, digest, terms.

    Example: mer-keras export ststnet.mer --format onnx --out ststnet.onnx
    """
    from mer_keras.bundles.loading import load_bundle
    from mer_keras.exporting.of_bundle import export_bundle

    loaded = load_bundle(bundle, expect)
    exported = export_bundle(loaded, form, out, member)
    if as_json:
        print_json(
            {
                "file": str(exported.path),
                "description": str(exported.description),
                "sha256": exported.sha256,
                "bytes": exported.size,
                "greatest_difference": exported.greatest_difference,
            }
        )
        return
    print(
        f"{exported.path}: {exported.size:,} bytes, SHA-256 {exported.sha256}; probabilities "
        f"differ from Keras' by {exported.greatest_difference:.1g} at most"
    )
    print(f"{exported.description}: inputs, classes, how clips are made")
    members = len(loaded.card.members)
    if members > 1:
        print(f"member {member} of {members}: the bundle's vote is the mean over its members")
    print_wrapped(printable(f"terms: {loaded.card.terms.redistribution}"))


@app.command()
def demo(
    out: Annotated[Path, Option(help="Folder to write into.")] = Path("results/demo"),
    profile: Annotated[str, Option(help="Of the training: quick, full or smoke.")] = "quick",
    as_json: Json = False,
) -> None:
    """Draw a face, fit a network, spot, predict, write a page.

    The face has three small expressions. It needs no data and no network access, and opens nothing.
    Where the public flow set of MEGC 2019 is present, the network learns from it instead of drawn
    faces.

    Example: mer-keras demo --out results/demo
    """
    from mer_keras.prediction.demo import demonstrate

    with show_progress("demo") as progress:
        shown = demonstrate(out, say, progress, profile)
    if as_json:
        tree = shown.predicted.prediction.model_dump(mode="json")
        print_json({"page": str(shown.page), "prediction": tree})
        return
    print("drawn:")
    rows = [[event.onset, event.apex, event.offset, event.unit] for event in shown.drawn]
    print_table(["onset", "apex", "offset", "action unit"], rows)
    print()
    _show([shown.predicted])
    print(f"\nthe page: {shown.page}")


def _show(predicted: "list[Predicted]") -> None:
    """Print what is predicted, with what it isn't."""
    from mer_keras.prediction.page import facts_line
    from mer_keras.prediction.words import matched_line

    for number, of_recording in enumerate(predicted):
        prediction = of_recording.prediction
        model = prediction.model
        if number == 0:
            print_wrapped(
                printable(
                    f"model: {model.title}, {len(model.classes)} classes, trained on "
                    f"{model.clips:,} clips of {model.subjects} people ({model.data_kind} data); "
                    f"{model.estimate}"
                )
            )
            print_wrapped(printable(matched_line(model)))
        print()
        print_wrapped(printable(f"{prediction.recording.name}: {facts_line(prediction.recording)}"))
        for remark in prediction.remarks:
            remedy = f" ({remark.remedy})" if remark.remedy else ""
            print_wrapped(printable(f"{remark.level}: {remark.message}{remedy}"))
        _show_intervals(prediction)
    for line in dict.fromkeys(line for of in predicted for line in of.prediction.not_for):
        print_wrapped(f"- {line}")


def _show_intervals(prediction: "Prediction") -> None:
    from mer_keras.prediction.page import clock, said_of_interval, shares_of

    if not prediction.intervals:
        print("no expression was found over the threshold")
        return
    header = ["no.", "onset", "apex", "offset", "length", "px", *prediction.model.classes]
    rows = [
        [
            number,
            *(
                str(frame) if second is None else clock(second)
                for frame, second in (
                    (interval.onset, interval.onset_s),
                    (interval.apex, interval.apex_s),
                    (interval.offset, interval.offset_s),
                )
            ),
            "-" if interval.seconds is None else f"{interval.seconds:.2f} s",
            "-" if interval.strength_px is None else f"{interval.strength_px:.1f}",
            *shares_of(interval, prediction.model.classes),
        ]
        for number, interval in enumerate(prediction.intervals, start=1)
    ]
    print_table([printable(name) for name in header], rows)
    for number, interval in enumerate(prediction.intervals, start=1):
        said = said_of_interval(interval)
        if said != "-":
            print_wrapped(printable(f"{number}: {said}"), indent=2)


def _shown_paths(paths: list[Path], folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in paths]
