"""``mer-keras leaderboard``, ``contribute`` and ``guess``: methods compared on public sets."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Argument, Option

from mer_keras.cli import completion
from mer_keras.cli.named_runs import HOW_TO_NAME, RunAndRow
from mer_keras.cli.show import Json, print_json, print_table, printable
from mer_keras.cli.stored import check_folder
from mer_keras.errors import UserError

if TYPE_CHECKING:
    from mer_keras.evaluation.guessing import GuessedClips

app = typer.Typer()

#: Folder of the contributions that are stored with the code.
STORED = Path("results/published/leaderboard")


@app.command()
def leaderboard(
    names: Annotated[
        list[str] | None,
        Argument(
            metavar="NAME",
            help=f"Runs ({HOW_TO_NAME}), RUN:ROW, or folders of contributions; by default all "
            "contributions and all runs of leaderboard experiments.",
            autocompletion=completion.runs,
        ),
    ] = None,
    contributions: Annotated[Path, Option(help="Folder of contributions.")] = STORED,
    out: Annotated[Path, Option(help="Folder to write into.")] = Path("results/leaderboard"),
    as_json: Json = False,
) -> None:
    """Write the page that compares methods on a public set.

    It shows what is claimed and what is honest. Every score that isn't claimed is computed anew
    from stored predictions. Runs of other clips, labels or folds are refused by name, and so is a
    training of which epochs are missing; contributions that nobody named are then left out with a
    remark. Two that read other images by the same recipe can't stand in one table: both are named.

    Example: mer-keras leaderboard --out results/leaderboard
    """
    check_folder(out)
    if not names and contributions != STORED and not contributions.is_dir():
        raise UserError(f"--contributions {contributions}: expected a folder of contributions")
    from mer_keras.leaderboard.collecting import collect
    from mer_keras.leaderboard.lines import main_table
    from mer_keras.leaderboard.page import write_page
    from mer_keras.leaderboard.standings import tables_of

    collected = collect(names or [], contributions)
    for remark in collected.remarks:
        print(f"mer-keras: {printable(remark)}", file=sys.stderr)
    tables = tables_of(collected.entries)
    paths = write_page(tables, out)
    shown = [main_table(table) for table in tables]
    if as_json:
        print_json([{"table": table.title, "methods": list(table.records)} for table in shown])
        return
    for table in shown:
        print(f"{table.title}: {table.caption}")
        names_of_columns = table.header[:1] + tuple(
            column for column in table.header if column.startswith(("claimed", "UF1"))
        )
        print_table(
            names_of_columns,
            [
                [printable(record[column]) for column in names_of_columns]
                for record in table.records
            ],
        )
        print()
    print(f"leaderboard: {next(path for path in paths if path.suffix == '.html')}")


@app.command()
def contribute(
    run: RunAndRow,
    out: Annotated[
        Path | None, Option(help="New folder; by default results/contributions/RUN.")
    ] = None,
    finished: Annotated[
        bool, Option("--finished", help="Leave out the rows that are not finished.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write a run as a small folder that can be sent.

    It holds config, digests and predicted classes. It names clips and people by digests, and
    holds no path and no picture. mer-keras leaderboard FOLDER scores it.

    Example: mer-keras contribute latest --out my-result
    """
    from mer_keras.leaderboard.collecting import finished_rows, run_and_keys
    from mer_keras.leaderboard.reading import checked_entry
    from mer_keras.leaderboard.writing import contribution_files, write_contribution

    view, keys = run_and_keys(run)
    if finished and keys is None:
        keys, remarks = finished_rows(view)
        if not keys:
            raise UserError(f"{view.run_id}: no row is finished: mer-keras resume goes on")
        for remark in remarks:
            print(printable(remark), file=sys.stderr)
    files = contribution_files(view, keys=keys)
    checked_entry(view.run_id, files)  # What others would refuse is not written.
    folder = out or Path("results/contributions") / view.run_id
    write_contribution(files, folder)
    size = sum(len(text.encode()) for text in files.values())
    if as_json:
        print_json({"folder": str(folder), "files": sorted(files), "bytes": size})
        return
    print(f"{folder}: {len(files)} files, {size / 1024:,.0f} KiB")


@app.command()
def guess(
    name: Annotated[
        str,
        Argument(
            help="Whose clips are guessed: a run, the folder of a contribution, or a file of "
            "predictions as for mer-keras score."
        ),
    ],
    epochs: Annotated[
        list[int] | None, Option(min=1, help="Epochs to choose from. Repeatable.")
    ] = None,
    rule: Annotated[str, Option(help="The rule that chooses the epoch.")] = "subject_best_latest",
    repetitions: Annotated[int, Option(min=2, help="Number of guessers.")] = 1000,
    seed: Annotated[int, Option(min=0, help="Seed of the draws.")] = 0,
    as_json: Json = False,
) -> None:
    """Say what guessing scores if tested labels choose epochs.

    A guesser draws each class as often as it occurs.

    Example: mer-keras guess experiments/ststnet/authors_log.csv --epochs 40 --epochs 800
    """
    from mer_keras.evaluation.guessing import USUAL_EPOCHS
    from mer_keras.evaluation.guessing import guess as guess_scores

    clips = _clips_of(name)
    numbers = epochs or USUAL_EPOCHS
    values = {
        number: guess_scores(clips, number, rule, repetitions=repetitions, seed=seed)
        for number in numbers
    }
    if as_json:
        print_json(
            {
                "rule": rule,
                "clips": len(clips.labels),
                "people": len(set(clips.subjects)),
                "repetitions": repetitions,
                "seed": seed,
                "epochs": {
                    str(number): {metric: vars(value) for metric, value in of_number.items()}
                    for number, of_number in values.items()
                },
            }
        )
        return
    print(
        f"{len(clips.labels)} clips of {len(set(clips.subjects))} people; {repetitions} guessers; "
        f"rule {rule}"
    )
    print_table(
        ["epochs", "UF1, % [95 % of guessers]", "UAR, % [95 % of guessers]"],
        [
            [
                number,
                *(
                    f"{100 * value.mean:.1f} [{100 * value.low:.1f}, {100 * value.high:.1f}]"
                    for value in (of_number["uf1"], of_number["uar"])
                ),
            ]
            for number, of_number in values.items()
        ],
    )


def _clips_of(name: str) -> "GuessedClips":
    """The tested clips of a run, a contribution or a file of predictions."""
    import numpy as np

    from mer_keras.evaluation.guessing import GuessedClips
    from mer_keras.evaluation.predictions_file import people_of, read_predictions
    from mer_keras.leaderboard.collecting import is_contribution, run_and_keys
    from mer_keras.leaderboard.guesses import clips_to_guess
    from mer_keras.leaderboard.reading import read_contribution

    if is_contribution(name):
        return clips_to_guess(read_contribution(Path(name)))
    if Path(name).suffix.lower() in (".csv", ".parquet"):
        file = read_predictions(Path(name))
        table, classes = file.table.loc[file.table.index.repeat(file.table["clips"])], file.classes
        people = people_of(table)
        folds = list(table["fold"]) if "fold" in table else people
    else:
        view, keys = run_and_keys(name)
        state = next(state for state in view.rows if not keys or state.key == keys[0])
        tested = view.of_row(state.key)
        table = tested[tested["seed"] == tested["seed"].min()] if len(tested) else tested
        done = table["fold"].nunique()
        expected = state.expected // len(view.manifest["config"]["seeds"])
        if done < expected:
            remark = (
                f"{view.run_id}: row {state.name!r} has {done} of {expected} folds of a seed: "
                "clips that were not tested yet are left out"
            )
            print(printable(remark), file=sys.stderr)
        classes, people = tuple(view.classes), list(table["subject_id"])
        folds = list(table["fold"])
    labels = np.array([classes.index(label) for label in table["label"]], np.int64)
    return GuessedClips(labels, people, folds, len(classes))
