"""Stored runs -> experiment trackers: TensorBoard and MLflow.

They are written from what is stored, so that a run needs neither, and an old one can still be sent.
Trainings are numbered: in leave-one-subject-out a fold's name is its subject's.
"""

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from mer_keras.errors import MerKerasError, UserError
from mer_keras.progress import CountProgress
from mer_keras.report.scoring import SHOWN, score_row
from mer_keras.report.view import RowState, RunView

#: Characters that MLflow takes in no name; a run that somebody sent may have any.
_NO_NAME = re.compile(r"[^A-Za-z0-9_. -]")
#: TensorBoard draws all files of events of a folder, also those of an earlier call.
_EVENTS = "events.out.tfevents.*"


class Sent(NamedTuple):
    """What was sent to MLflow.

    Attributes:
        rows: how many rows of the run.
        updated: how many of them were there from an earlier call, and were brought up to date.
    """

    rows: int
    updated: int


def to_tensorboard(view: RunView, folder: Path, progress: CountProgress | None = None) -> int:
    """Write learning curves and pooled metrics as TensorBoard events.

    Events of an earlier call for the same run are replaced.

    Args:
        view: the run.
        folder: folder of the logs; each training has its own below ``<run>/<row>``.
        progress: called with (trainings written, trainings in all).

    Returns:
        How many trainings were written.

    Raises:
        UserError: TensorBoard is not installed, or can't write there.
    """
    try:
        from tensorboard.summary import Writer
    except ImportError as error:
        raise _absent("TensorBoard") from error
    trainings = sum(len(row.histories) for row in view.rows)
    written = 0
    for row in view.rows:
        pooled = {f"pooled/{name}": [value] for name, value in _pooled(view, row)}
        curves = {"pooled": (pooled, 0)} if pooled else {}
        for number, history in enumerate(row.histories, start=1):
            curves[f"training-{number:03}"] = (history, 1)
        for name, (curves_by_name, first_epoch) in curves.items():
            log = folder / view.run_id / row.key / name
            for events in log.glob(_EVENTS):
                events.unlink()
            with _foreign_errors(str(folder), "TensorBoard", "a folder that can be written"):
                writer = Writer(str(log))
                for curve, values in curves_by_name.items():
                    for epoch, value in enumerate(values, start=first_epoch):
                        writer.add_scalar(curve, value, epoch)
                writer.close()
            written += name != "pooled"
            if progress:
                progress(written, trainings)
    return written


def to_mlflow(view: RunView, uri: str) -> Sent:
    """Send every row of a run to an MLflow server or database, as one MLflow run each.

    An MLflow run of an earlier call is known by its tags ``run_id`` and ``row_key``, and updated.

    Args:
        view: the run.
        uri: address of the tracking server, or ``sqlite:///file.db``.

    Returns:
        How many rows were sent, and how many of them were there before.

    Raises:
        UserError: MLflow is not installed, or doesn't take the run.
    """
    try:
        import mlflow
    except ImportError as error:
        raise _absent("MLflow") from error
    # By default MLflow asks a server that isn't there for minutes.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    (settings,) = pd.json_normalize(view.manifest["config"]["train"]).to_dict("records")
    named = {_NO_NAME.sub("_", name): value for name, value in settings.items() if name}
    experiment, updated = str(view.manifest["experiment"]), 0
    with _foreign_errors(uri, "MLflow", "the address of a server, or sqlite:///FILE"):
        mlflow.set_tracking_uri(uri)
        mlflow.set_experiment(experiment)
        for row in view.rows:
            # The run's id may hold a quotation mark, the key of a row can't.
            of_row = mlflow.search_runs(
                experiment_names=[experiment],
                filter_string=f"tags.row_key = '{row.key}'",
                output_format="list",
            )
            sent_before = [
                sent.info.run_id for sent in of_row if sent.data.tags.get("run_id") == view.run_id
            ]
            to = {"run_id": sent_before[0]} if sent_before else {}
            updated += bool(sent_before)
            with mlflow.start_run(run_name=f"{view.run_id} {row.key}", **to):
                mlflow.set_tags(_tags(view, row))
                if not sent_before:  # MLflow refuses to change them, and a run's never change.
                    mlflow.log_params(named)
                mlflow.log_metrics(dict(_pooled(view, row)))
    return Sent(len(view.rows), updated)


@contextlib.contextmanager
def _foreign_errors(to: str, tracker: str, expected: str) -> Iterator[None]:
    """Let what a tracker raises end with our error, which names where the run was sent to."""
    try:
        yield
    except (MerKerasError, OSError):
        raise
    except Exception as error:  # Databases, servers and trackers raise errors of many kinds.
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise UserError(
            f"{to}: {tracker} doesn't take the run: {reason[:300]}: expected {expected}"
        ) from error


def _absent(name: str) -> UserError:
    return UserError(f"{name} is not installed: .venv/bin/pip install -e '.[tracking]'")


def _tags(view: RunView, row: RowState) -> dict[str, str]:
    names = ("run_id", "data_kind", "protocol", "profile", "n_samples", "n_subjects")
    of_run = {name: str(view.manifest[name]) for name in names}
    folds = f"{row.done}/{row.expected}" + ("" if row.complete else " INCOMPLETE")
    of_row = {"row": row.name, "row_key": row.key, "selection": row.selection, "folds": folds}
    return of_run | of_row


def _pooled(view: RunView, row: RowState) -> Iterator[tuple[str, float]]:
    """Each metric with the ends of its interval; nothing while a fold is missing."""
    scores = score_row(view, row)
    if scores is None:
        return
    for name in SHOWN:
        value = scores.values[name]
        yield name, value.pooled
        yield f"{name}_low", value.low
        yield f"{name}_high", value.high
