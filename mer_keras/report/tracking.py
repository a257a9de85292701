"""Stored runs -> experiment trackers: TensorBoard and MLflow.

They are written from what is stored, so that a run needs neither, and an old one can still be sent.
Trainings are numbered: in leave-one-subject-out a fold's name is its subject's.
"""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from mer_keras.errors import UserError
from mer_keras.report.scoring import SHOWN, score_row
from mer_keras.report.view import RowState, RunView


def to_tensorboard(view: RunView, folder: Path) -> int:
    """Write learning curves and pooled metrics as TensorBoard events.

    Args:
        view: the run.
        folder: folder of the logs; each training has its own below ``<run>/<row>``.

    Returns:
        How many trainings were written.

    Raises:
        UserError: TensorBoard is not installed.
    """
    try:
        from tensorboard.summary import Writer
    except ImportError as error:
        raise _absent("TensorBoard") from error
    written = 0
    for row in view.rows:
        pooled = {f"pooled/{name}": [value] for name, value in _pooled(view, row)}
        curves = {"pooled": (pooled, 0)} if pooled else {}
        for number, history in enumerate(row.histories, start=1):
            curves[f"training-{number:03}"] = (history, 1)
            written += 1
        for name, (curves_by_name, first_epoch) in curves.items():
            writer = Writer(str(folder / view.run_id / row.key / name))
            for curve, values in curves_by_name.items():
                for epoch, value in enumerate(values, start=first_epoch):
                    writer.add_scalar(curve, value, epoch)
            writer.close()
    return written


def to_mlflow(view: RunView, uri: str) -> int:
    """Send every row of a run to an MLflow server or folder, as one MLflow run each.

    Args:
        view: the run.
        uri: address of the tracking server, or ``sqlite:///file.db``.

    Returns:
        How many rows were sent.

    Raises:
        UserError: MLflow is not installed.
    """
    try:
        import mlflow
    except ImportError as error:
        raise _absent("MLflow") from error
    mlflow.set_tracking_uri(uri)
    mlflow.set_experiment(str(view.manifest["experiment"]))
    for row in view.rows:
        with mlflow.start_run(run_name=f"{view.run_id} {row.key}"):
            mlflow.set_tags(_tags(view, row))
            (settings,) = pd.json_normalize(view.manifest["config"]["train"]).to_dict("records")
            mlflow.log_params(settings)
            mlflow.log_metrics(dict(_pooled(view, row)))
    return len(view.rows)


def _absent(name: str) -> UserError:
    return UserError(f"{name} is not installed: .venv/bin/pip install -e '.[tracking]'")


def _tags(view: RunView, row: RowState) -> dict[str, str]:
    names = ("run_id", "data_kind", "protocol", "profile", "n_samples", "n_subjects")
    of_run = {name: str(view.manifest[name]) for name in names}
    folds = f"{row.done}/{row.expected}" + ("" if row.complete else " INCOMPLETE")
    return of_run | {"row": row.name, "selection": row.selection, "folds": folds}


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
