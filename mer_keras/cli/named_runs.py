"""How verbs take a run: by the one way to name it, and written to where it lies."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument

from mer_keras.cli import completion
from mer_keras.errors import ConfigError, RunFailedError, UserError

if TYPE_CHECKING:
    from mer_keras.runs.folder import RunFolder

#: Stands in the help of every argument that is a run (see ``runs.naming``).
HOW_TO_NAME = "an id or its beginning, a folder, an experiment (its newest run), or latest"

Run = Annotated[str, Argument(help=f"Which run: {HOW_TO_NAME}.", autocompletion=completion.runs)]
RunAndRow = Annotated[
    str,
    Argument(
        metavar="RUN[:ROW]",
        help=f"Which run: {HOW_TO_NAME}; and a row's key or name.",
        autocompletion=completion.runs,
    ),
]


def named_run(name: str) -> tuple[Path, str | None] | None:
    """Return the run and the row that a name means; ``None`` where it is an experiment's.

    Raises:
        UserError: neither an experiment nor a run is called so.
    """
    from mer_keras.config.files import find_config
    from mer_keras.runs.naming import find_run_and_row

    try:
        find_config(name)
    except ConfigError as unknown_experiment:
        try:
            return find_run_and_row(name)
        except UserError as unknown_run:
            raise UserError(f"{unknown_run}\n{unknown_experiment}") from unknown_run
    return None


def row_name(run: "RunFolder", row: str) -> str:
    """Return the name of a run's row that is called by its key or its name.

    Raises:
        UserError: there is no such row; the rows are listed.
    """
    from mer_keras.runs.naming import row_key

    names = {entry["key"]: entry["name"] for entry in run.manifest()["rows"]}
    return str(names[row_key(run.run_id, row, names.items())])


def check_finished(folders: "Sequence[RunFolder]") -> None:
    """End with an error where a fold of a run failed; what is finished is kept.

    Raises:
        RunFailedError: naming the first reason and what to do.
    """
    from mer_keras.runs.units import units_of

    problems = []
    for folder in folders:
        manifest = folder.manifest()
        units = [unit for of_row in units_of(manifest, folder.folds()).values() for unit in of_row]
        failures = [reason for unit in units if (reason := folder.failure(unit))]
        if failures:
            problems.append(
                f"{folder.run_id}: {len(failures)} of {len(units)} folds failed; the first: "
                f"{failures[0]}"
            )
    if problems:
        raise RunFailedError(
            "; ".join(problems) + "; the same command tries them again and keeps the others"
        )


@contextlib.contextmanager
def results_beside(run: "RunFolder") -> Iterator[None]:
    """Let what is computed go into the run's own folder, which need not lie below the results.

    Raises:
        UserError: the folder doesn't bear the run's name.
    """
    path, run_id = run.path.resolve(), run.manifest()["run_id"]
    if path.name != run_id:
        raise UserError(f"{run.path}: was renamed: it goes on under its own name, {run_id}")
    before = os.environ.get("MER_RESULTS")
    os.environ["MER_RESULTS"] = str(path.parent)
    try:
        yield
    finally:
        if before is None:
            del os.environ["MER_RESULTS"]
        else:
            os.environ["MER_RESULTS"] = before
