"""``mer-keras score``: anybody's predictions, scored as the reports score ours."""

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from mer_keras.cli.show import Json, counts, print_json, print_table, print_wrapped, printable
from mer_keras.errors import UserError

app = typer.Typer()


@app.command()
def score(
    file: Annotated[Path, Argument(help="A CSV or parquet file of predictions, one row a clip.")],
    classes: Annotated[
        str,
        Option(help="All classes in order, with commas between; by default those of the file."),
    ] = "",
    as_json: Json = False,
) -> None:
    """Score a file of predictions, made by any program.

    It prints class counts, metrics with intervals over people, and warnings. Columns: subject,
    label and predicted; where there are any also sample, database, fold, clips (how many clips a
    row stands for) and prob_NAME for every class. The first row of a CSV file names them. UF1, UAR
    and the others are of all clips pooled, and of each database.

    Example: mer-keras score predictions.csv --classes negative,positive,surprise
    """
    from mer_keras.evaluation.file_scores import score_file
    from mer_keras.evaluation.metrics import TITLES
    from mer_keras.evaluation.predictions_file import read_predictions

    names = [name.strip() for name in classes.split(",") if name.strip()]
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise UserError(f"--classes {classes}: {twice[0]!r} stands twice: expected each class once")
    predictions = read_predictions(file, names)
    parts = score_file(predictions)
    if as_json:
        print_json(
            {
                "file": file.name,
                "classes": list(predictions.classes),
                "warnings": list(predictions.warnings),
                "parts": [part.to_json() for part in parts],
            }
        )
        return
    header = [
        "clips of",
        "clips",
        "people",
        *(f"{TITLES[name]}, % [95 %]" for name in parts[0].metrics),
    ]
    rows = [
        [
            printable(part.name),
            part.clips,
            part.people,
            *(
                f"{100 * value:.2f} [{100 * low:.1f}, {100 * high:.1f}]"
                for value, low, high in (asdict(m).values() for m in part.metrics.values())
            ),
        ]
        for part in parts
    ]
    print_table(header, rows)
    print()
    for part in parts:
        print_wrapped(printable(f"{part.name}: {counts(part.class_counts)}"))
    print()
    matrix_header = ["true \\ predicted", *predictions.classes]
    print_table(
        list(map(printable, matrix_header)),
        [
            [printable(name), *row]
            for name, row in zip(predictions.classes, parts[0].matrix, strict=True)
        ],
    )
    warnings = [*predictions.warnings]
    warnings += [f"{part.name}: {text}" for part in parts for text in part.warnings]
    for text in warnings:
        print_wrapped(printable(f"warning: {text}"))
