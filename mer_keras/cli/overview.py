"""``mer-keras overview``: every published table, in a terminal, in a text or as a picture."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Option

from mer_keras.cli.show import Json, print_json, print_table
from mer_keras.errors import UserError

if TYPE_CHECKING:
    from mer_keras.report.overview import OverviewLine

app = typer.Typer()


@app.command()
def overview(
    stored: Annotated[Path, Option(help="Folder of reports.")] = Path("results/published"),
    update: Annotated[
        list[Path] | None,
        Option(help="Put stored figures between the marks of this text. Repeatable."),
    ] = None,
    picture: Annotated[
        Path | None, Option(help="Draw the stored rows into this new or old SVG file.")
    ] = None,
    markdown: Annotated[bool, Option("--markdown", help="Print markdown.")] = False,
    as_json: Json = False,
) -> None:
    """Show every published table on one line.

    It says what is printed, and what is stored of our runs.

    Example: mer-keras overview

    Example: mer-keras overview --update README.md --picture results/published/overview.svg
    """
    from mer_keras.report import overview as tables
    from mer_keras.report.stored_figures import fill, overview_svg
    from mer_keras.whole_files import locked, write_users_file

    lines = tables.overview(stored)
    if update or picture:
        files = {}
        with ExitStack() as stack:
            for path in dict.fromkeys(update or ()):
                _text(path)  # What is no text is refused before a lock lies beside it.
                stack.enter_context(locked(path))
                try:
                    files[path] = fill(_text(path), lines, stored)
                except UserError as error:
                    raise UserError(f"{path}: {error}") from error
            if picture:
                files[picture] = overview_svg(lines) + "\n"
            for path, text in files.items():
                write_users_file(path, text.encode())
        _show_files(files, as_json=as_json)
    elif as_json:
        print_json([asdict(line) for line in lines])
    elif markdown:
        print(tables.as_markdown(lines))
    else:
        _show(lines)


def _show(lines: "Sequence[OverviewLine]") -> None:
    """Print a table for each paper's folder of experiments."""
    for folder, of_folder in groupby(lines, lambda line: line.experiment.partition("/")[0]):
        rows = [
            [
                f"{line.experiment.removeprefix(f'{folder}/')}: {line.row}",
                line.published,
                line.ours,
                line.protocol,
                line.status if line.ours != "-" else f"{line.status}: {line.data}",
            ]
            for line in of_folder
        ]
        print(folder)
        print_table(["table: row", "published", "ours, %", "protocol", "status"], rows)
        print()
    print("to run one: mer-keras run FOLDER/TABLE; to see it first: mer-keras plan")


def _text(path: Path) -> str:
    """Read a text that has marks.

    Raises:
        UserError: it isn't there, or is no text.
    """
    if not path.is_file():
        raise UserError(f"{path}: expected a text with the marks <!-- overview: begin --> and end")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: no text in UTF-8: {error}") from error


def _show_files(files: dict[Path, str], *, as_json: bool) -> None:
    if as_json:
        print_json([str(path) for path in files])
        return
    for path in files:
        print(path)
